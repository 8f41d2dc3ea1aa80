// Reads the policy file and holds it against the schemas.
#include <fmt/format.h>

#include <algorithm>

#include "sync/file_reader.h"
#include "sync/policy.h"
#include "sync/wire.h"

namespace waystation {

namespace dom = simdjson::dom;

class PolicyReader : private FileReader {
 public:
  PolicyReader(const SchemaFile& file, const Schemas& schemas)
      : FileReader(file.name, Code::kPolicyInvalid), file_(file), schemas_(schemas) {}

  Result<Policy> load() {
    Policy policy;
    if (const auto root = document(file_.text)) {
      read_roles(policy, *root);
      policy.document_ = simdjson::minify(*root);
    }
    if (failed()) return error();
    policy.make_views();
    return policy;
  }

 private:
  void read_roles(Policy& policy, dom::object root) {
    only_keys(root, "", {"version", "roles"});
    (void)whole(root, "", "version", 1, 1);
    dom::object roles;
    if (!object_at(root, "", "roles", roles)) return;
    only_unique(roles, "/roles");
    for (const auto entry : roles) {
      const std::string path = fmt::format("/roles/{}", entry.key);
      if (!is_role(entry.key)) fail(path, fmt::format("is no role: {}", fmt::join(kRoles, ", ")));
      dom::object object;
      if (entry.value.get(object) != simdjson::SUCCESS) {
        fail(path, "must be an object");
        return;
      }
      policy.roles_.emplace(entry.key, read_role(entry.key, object, path));
    }
    for (const std::string_view name : kRoles) {
      if (!policy.roles_.contains(name)) fail(fmt::format("/roles/{}", name), "is missing");
    }
  }

  bool object_at(dom::object object, const std::string& path, std::string_view key,
                 dom::object& into) {
    const auto found = json::find(object, key);
    if (found && found->get(into) == simdjson::SUCCESS) return true;
    fail(fmt::format("{}/{}", path, key), "must be an object");
    return false;
  }

  Role read_role(std::string_view name, dom::object object, const std::string& path) {
    only_keys(object, path, {"title", "system", "others", "collections"});
    Role role;
    role.name = std::string(name);
    role.title = title(object, path);
    role.system = flag(object, path, "system", false);
    dom::object others;
    if (object_at(object, path, "others", others)) {
      role.others = read_rule(nullptr, others, path + "/others");
    }
    dom::object collections;
    if (!object_at(object, path, "collections", collections)) return role;
    only_unique(collections, path + "/collections");
    for (const auto entry : collections) {
      const std::string at = fmt::format("{}/collections/{}", path, entry.key);
      const Collection* collection = schemas_.find(entry.key);
      dom::object rule;
      if (collection == nullptr) {
        fail(at, "there is no such collection");
      } else if (entry.value.get(rule) != simdjson::SUCCESS) {
        fail(at, "must be an object with read and write");
      } else {
        add_rule(role, *collection, read_rule(collection, rule, at));
      }
    }
    check_tales(role, path);
    return role;
  }

  // The server writes records of its own about those of others: who does not read what they tell of
  // does not read them either.
  void check_tales(const Role& role, const std::string& path) {
    for (const auto& named : schemas_.collections()) {
      const Collection& collection = named.second;
      const Sight& read = role.rule(collection.name).read;
      const auto need = [&](std::string_view tale, const std::string& field) {
        if (schemas_.find(tale) == nullptr || !role.rule(tale).read.seen || read.shows(field)) {
          return;
        }
        std::string place;
        (void)role.rule(tale, &place);
        fail(place + "/read", fmt::format("{} tells of {}.{}, which {} does not read", tale,
                                          collection.name, field, path));
      };
      if (collection.duplicates) {
        need("duplicate", collection.duplicates->same);
        need("duplicate", collection.duplicates->like);
      }
      for (const FieldSpec& field : collection.fields) {
        if (field.merge == MergeType::kQuota) need("ledger", field.name);
      }
    }
  }

  // What is said of a collection holds under the names that it had before, too.
  void add_rule(Role& role, const Collection& collection, const CollectionRule& rule) {
    for (std::string& former : schemas_.former_names(collection.name)) {
      if (schemas_.find(former) == nullptr) role.collections.emplace(std::move(former), rule);
    }
    role.collections.insert_or_assign(collection.name, rule);
  }

  // Null: the rule of all other collections, which names no fields.
  CollectionRule read_rule(const Collection* collection, dom::object object,
                           const std::string& path) {
    only_keys(object, path, {"read", "write"});
    CollectionRule rule;
    read_reading(rule, collection, object, path + "/read");
    read_writing(rule, collection, object, path + "/write");
    check_blind(rule, path + "/write");
    return rule;
  }

  void read_reading(CollectionRule& rule, const Collection* collection, dom::object object,
                    const std::string& path) {
    const auto found = json::find(object, "read");
    std::string_view word;
    dom::object names;
    if (found && found->get(word) == simdjson::SUCCESS && (word == "all" || word == "none")) {
      rule.read.seen = word == "all";
      return;
    }
    if (collection == nullptr || !found || found->get(names) != simdjson::SUCCESS) {
      fail(path, collection == nullptr ? R"(must be "all" or "none")"
                                       : R"(must be "all", "none" or {"all_but": [fields]})");
      return;
    }
    only_keys(names, path, {"all_but"});
    const FieldNames hidden = fields_of(*collection, names, path, "all_but");
    for (const std::string& part : collection->key) {
      if (!hidden.contains(part)) continue;
      fail(path + "/all_but",
           fmt::format("\"{}\" is part of the id, which everybody sees who sees the record", part));
    }
    rule.not_told = with_former(*collection, hidden);
    rule.read.hidden = less_current(*collection, rule.not_told, hidden);
    check_apart(*collection, rule.read.hidden, hidden, path + "/all_but");
  }

  // Whoever replaces what he does not see makes it disappear without a conflict, for his op says
  // that he has seen the record.
  void check_blind(const CollectionRule& rule, const std::string& path) {
    if (!rule.read.seen && rule.write.replaces("")) {
      fail(path, "what is not read may be appended and added to alone");
      return;
    }
    for (const std::string& name : rule.read.hidden) {
      if (!rule.write.replaces(name)) continue;
      fail(path, fmt::format("\"{}\" is not read: it may be appended and added to alone", name));
      return;
    }
    if (!rule.read.hidden.empty() && rule.write.allows_delete()) {
      fail(path, "a delete takes fields that are not read");
    }
  }

  void read_writing(CollectionRule& rule, const Collection* collection, dom::object object,
                    const std::string& path) {
    const auto found = json::find(object, "write");
    std::string_view word;
    dom::object some;
    if (found && found->get(word) == simdjson::SUCCESS && (word == "all" || word == "none")) {
      rule.write.any = word == "all";
      return;
    }
    if (collection == nullptr || !found || found->get(some) != simdjson::SUCCESS ||
        some.size() == 0) {
      fail(path, collection == nullptr
                     ? R"(must be "all" or "none")"
                     : R"(must be "all", "none" or an object with "fields", "does" or both)");
      return;
    }
    only_keys(some, path, {"fields", "does"});
    if (json::find(some, "fields")) {
      const FieldNames fields = fields_of(*collection, some, path, "fields");
      rule.write.fields = less_current(*collection, with_former(*collection, fields), fields);
      check_apart(*collection, *rule.write.fields, fields, path + "/fields");
    }
    if (json::find(some, "does")) {
      Deeds deeds = 0;
      for (const std::string& one : words_at(some, path, "does")) {
        const auto known = deed(one);
        if (!known) fail(path + "/does", fmt::format("\"{}\" is nothing that an op does", one));
        deeds |= known.value_or(0);
      }
      rule.write.deeds = deeds;
    }
  }

  std::vector<std::string> words_at(dom::object object, const std::string& path,
                                    std::string_view key) {
    const std::string at = fmt::format("{}/{}", path, key);
    const auto found = json::find(object, key);
    std::vector<std::string> words;
    dom::array items;
    if (!found || found->get(items) != simdjson::SUCCESS || items.size() == 0) {
      fail(at, "must be a filled array of names");
      return words;
    }
    for (const dom::element item : items) {
      std::string_view word;
      if (item.get(word) != simdjson::SUCCESS) {
        fail(at, "must be a filled array of names");
      } else if (std::find(words.begin(), words.end(), word) != words.end()) {
        fail(at, fmt::format("\"{}\" stands twice", word));
      }
      words.emplace_back(word);
    }
    return words;
  }

  FieldNames fields_of(const Collection& collection, dom::object object, const std::string& path,
                       std::string_view key) {
    FieldNames fields;
    for (std::string& name : words_at(object, path, key)) {
      if (!ever_had(collection, name)) {
        fail(fmt::format("{}/{}", path, key),
             fmt::format("{} has no field \"{}\"", collection.name, name));
      }
      fields.insert(std::move(name));
    }
    return with_later(collection, std::move(fields));
  }

  // With what became of those that the current version calls otherwise: a policy from before a
  // newer schema hides what it did.
  FieldNames with_later(const Collection& collection, FieldNames names) const {
    const std::vector<Collection>* line = schemas_.versions(collection.name);
    WS_CHECK(line != nullptr);
    FieldNames gone;  // at the version that is looked at: named, and called otherwise by then
    const auto is_gone = [&](const Collection& version, const std::string& name) {
      return collection.field(name) == nullptr && version.field(name) != nullptr;
    };
    for (const Collection& version : *line) {
      FieldNames made;
      for (const Migration& step : version.migrations) {
        if (!gone.contains(step.field)) continue;
        made.insert(step.into.begin(), step.into.end());
      }
      names.insert(made.begin(), made.end());
      for (const std::string& name : names) {
        if (is_gone(version, name)) gone.insert(name);
      }
    }
    return names;
  }

  // In any version: a field that a newer one leaves out still lies in the records.
  [[nodiscard]] bool ever_had(const Collection& collection, std::string_view field) const {
    const std::vector<Collection>* line = schemas_.versions(collection.name);
    WS_CHECK(line != nullptr);
    return std::any_of(line->begin(), line->end(), [field](const Collection& version) {
      return version.field(field) != nullptr;
    });
  }

  // With the names from which earlier versions lead to these.
  FieldNames with_former(const Collection& collection, FieldNames names) const {
    const std::vector<Collection>* line = schemas_.versions(collection.name);
    WS_CHECK(line != nullptr);
    for (auto version = line->rbegin(); version != line->rend(); ++version) {
      const auto& steps = version->migrations;
      for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
        const bool leads = std::any_of(step->into.begin(), step->into.end(),
                                       [&](const auto& into) { return names.contains(into); });
        if (leads) names.insert(step->field);
      }
    }
    return names;
  }

  // Less those that are fields of the current version by now, unless `meant` names them. What a
  // migration could not place of the field that had such a name before stays.
  FieldNames less_current(const Collection& collection, FieldNames names,
                          const FieldNames& meant) const {
    FieldNames kept;
    for (const std::string& name : names) {
      if (collection.field(name) == nullptr || meant.contains(name)) {
        kept.insert(name);
        continue;
      }
      const std::vector<Collection>* line = schemas_.versions(collection.name);
      WS_CHECK(line != nullptr);
      for (const Collection& version : *line) {
        for (const Migration& step : version.migrations) {
          if (step.field != name || step.into.empty()) continue;
          const bool leads = std::any_of(step.into.begin(), step.into.end(),
                                         [&](const auto& into) { return names.contains(into); });
          if (leads) kept.insert(fmt::format("{}_v{}", name, version.version - 1));
        }
      }
    }
    return kept;
  }

  // A field of its own that is called like what a migration leaves of one of `names` would come
  // under the rule unseen.
  void check_apart(const Collection& collection, const FieldNames& names, const FieldNames& meant,
                   const std::string& path) {
    for (const FieldSpec& field : collection.fields) {
      if (meant.contains(field.name) || !among(names, field.name)) continue;
      fail(path, fmt::format("\"{}\" is called like what is left of one of these: name it too",
                             field.name));
    }
  }

  const SchemaFile& file_;
  const Schemas& schemas_;
};

Result<Policy> Policy::parse(const SchemaFile& file, const Schemas& schemas) {
  return PolicyReader(file, schemas).load();
}

}  // namespace waystation

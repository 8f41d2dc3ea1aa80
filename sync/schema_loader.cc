#include "sync/schema_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "sync/canonical.h"
#include "sync/file_reader.h"
#include "sync/json_dom.h"
#include "sync/limits.h"
#include "sync/scalar.h"
#include "sync/wire.h"

namespace waystation {
namespace {

namespace dom = simdjson::dom;

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kHourMs = 60 * kMinuteMs;
// Ten years: what is longer was meant otherwise.
constexpr std::int64_t kMostHours = 87'600;
constexpr std::int64_t kMostMinutes = kMostHours * 60;

template <typename Enum, std::size_t N>
using Names = std::array<std::pair<std::string_view, Enum>, N>;

constexpr Names<MergeType, 5> kMergeNames{{{"register", MergeType::kRegister},
                                           {"counter", MergeType::kCounter},
                                           {"set", MergeType::kSet},
                                           {"log", MergeType::kLog},
                                           {"quota", MergeType::kQuota}}};
constexpr Names<Migration::Kind, 4> kStepNames{{{"rename", Migration::Kind::kRename},
                                                {"split", Migration::Kind::kSplit},
                                                {"default", Migration::Kind::kDefault},
                                                {"retype", Migration::Kind::kRetype}}};
constexpr Names<FieldType, 6> kTypeNames{{{"string", FieldType::kString},
                                          {"integer", FieldType::kInteger},
                                          {"number", FieldType::kNumber},
                                          {"boolean", FieldType::kBoolean},
                                          {"time", FieldType::kTime},
                                          {"date", FieldType::kDate}}};

// Reads one file; stops at the first thing that is wrong and says where it stands.
class Loader : private FileReader {
 public:
  explicit Loader(const SchemaFile& file)
      : FileReader(file.name, Code::kSchemaInvalid), file_(file) {}

  Result<Collection> load() {
    Collection made;
    if (const auto root = document(file_.text)) read_collection(made, *root);
    if (failed()) return error();
    return made;
  }

 private:
  template <typename Enum, std::size_t N>
  Enum one_of(dom::object object, std::string_view path, std::string_view key,
              const Names<Enum, N>& names) {
    const std::string word = text(object, path, key);
    for (const auto& [known, value] : names) {
      if (known == word) return value;
    }
    std::string all;
    for (const auto& [known, value] : names) all += fmt::format(" {}", known);
    fail(fmt::format("{}/{}", path, key), fmt::format("\"{}\" is none of:{}", word, all));
    return names[0].second;
  }

  void read_choices(FieldSpec& spec, dom::object object, const std::string& path) {
    const auto found = json::find(object, "enum");
    if (!found) return;
    dom::object choices;
    if (spec.type != FieldType::kString || found->get(choices) != simdjson::SUCCESS ||
        choices.size() == 0) {
      fail(path + "/enum", "must be a filled object of value to title, on a string field");
      return;
    }
    for (const auto choice : choices) {
      const std::string at = fmt::format("{}/enum/{}", path, choice.key);
      dom::object titles;
      if (!valid_name(choice.key) || choice.value.get(titles) != simdjson::SUCCESS) {
        fail(at, "must be a name with titles zh and en");
        continue;
      }
      only_keys(titles, at, {"zh", "en"});
      spec.choices.emplace(choice.key, Title{text(titles, at, "zh"), text(titles, at, "en")});
    }
  }

  void none_of(dom::object object, const std::string& path,
               std::initializer_list<std::string_view> keys, std::string_view reason) {
    for (const std::string_view key : keys) {
      if (json::find(object, key)) fail(fmt::format("{}/{}", path, key), reason);
    }
  }

  // Who writes the field, and whether it leads to another record.
  void read_roles(FieldSpec& spec, dom::object object, const std::string& path) {
    if (json::find(object, "by")) {
      spec.by_server = true;
      if (text(object, path, "by") != "server") fail(path + "/by", "must be \"server\"");
    }
    spec.redirect = flag(object, path, "redirect", false);
    if (spec.redirect && (spec.merge != MergeType::kRegister || spec.type != FieldType::kString)) {
      fail(path + "/redirect", "only a register of type string can redirect");
    }
    spec.personal = flag(object, path, "personal", false);
    if (spec.personal && (spec.merge != MergeType::kRegister || spec.redirect || spec.by_server)) {
      fail(path + "/personal",
           "only a register that people write, and no redirect, can be personal");
    }
  }

  void read_quota(FieldSpec& spec, dom::object object, const std::string& path) {
    if (spec.type != FieldType::kInteger) fail(path + "/type", "a quota is an integer");
    none_of(object, path, {"enum", "max_length", "min", "max_items", "by"},
            "does not belong to a quota");
    const std::int64_t max = whole(object, path, "max", 1, limits::kMaxInteger);
    spec.max = static_cast<double>(max);
    spec.max_lease = whole(object, path, "max_lease", 1, max);
    spec.lease_ms = kHourMs * whole(object, path, "lease_hours", 1, kMostHours);
    spec.reclaim_after_ms = kHourMs * whole(object, path, "reclaim_after_hours", 0, kMostHours);
  }

  FieldSpec read_field(std::string_view field_name, dom::element element, bool facts) {
    const std::string path = fmt::format("/fields/{}", field_name);
    FieldSpec spec;
    spec.name = std::string(field_name);
    dom::object object;
    if (element.get(object) != simdjson::SUCCESS) {
      fail(path, "must be an object");
      return spec;
    }
    only_keys(
        object, path,
        {"merge", "type", "title", "required", "enum", "max_length", "min", "max", "max_items",
         "by", "redirect", "personal", "max_lease", "lease_hours", "reclaim_after_hours"});
    if (!valid_name(field_name)) fail(path, "is not a field name ([a-z][a-z0-9_]*)");
    spec.merge = one_of(object, path, "merge", kMergeNames);
    spec.type = one_of(object, path, "type", kTypeNames);
    spec.title = title(object, path);
    spec.required = flag(object, path, "required", false);
    if (spec.required && (!facts || spec.merge != MergeType::kRegister)) {
      fail(path + "/required", "only a register of a facts collection can be required");
    }
    read_roles(spec, object, path);
    if (spec.merge == MergeType::kQuota) {
      read_quota(spec, object, path);
      return spec;
    }
    none_of(object, path, {"max_lease", "lease_hours", "reclaim_after_hours"},
            "belongs to a quota");
    read_choices(spec, object, path);
    if (spec.type == FieldType::kString && spec.choices.empty()) {
      spec.max_length = static_cast<std::uint32_t>(
          whole(object, path, "max_length", 1, static_cast<std::int64_t>(limits::kStringBytes)));
    }
    const bool numeric = spec.type == FieldType::kInteger || spec.type == FieldType::kNumber;
    if (numeric) {
      spec.min = number(object, path, "min");
      spec.max = number(object, path, "max");
      if (spec.min > spec.max) fail(path + "/min", "is above max");
    }
    if (spec.merge == MergeType::kCounter && spec.type != FieldType::kInteger) {
      fail(path + "/type", "a counter is an integer");
    }
    if (spec.merge == MergeType::kSet || spec.merge == MergeType::kLog) {
      spec.max_items = static_cast<std::size_t>(
          whole(object, path, "max_items", 1, static_cast<std::int64_t>(limits::kEntriesPerField)));
    }
    return spec;
  }

  void read_collection(Collection& made, dom::object root) {
    only_keys(root, "",
              {"collection", "version", "title", "facts", "deletable", "derived", "key", "person",
               "fields", "close", "duplicates", "migrate", "moved_from"});
    made.name = text(root, "", "collection");
    if (!valid_name(made.name)) fail("/collection", "is not a name ([a-z][a-z0-9_]*)");
    made.version = static_cast<std::uint32_t>(whole(root, "", "version", 1, 1'000'000));
    made.title = title(root, "");
    made.facts = flag(root, "", "facts", false);
    made.deletable = flag(root, "", "deletable", true) && !made.facts;
    made.derived = flag(root, "", "derived", false);
    const auto fields = json::find(root, "fields");
    dom::object field_object;
    if (!fields || fields->get(field_object) != simdjson::SUCCESS || field_object.size() == 0) {
      fail("/fields", "must be a filled object");
      return;
    }
    only_unique(field_object, "/fields");
    for (const auto field : field_object) {
      made.fields.push_back(read_field(field.key, field.value, made.facts));
    }
    check_fields(made);
    read_key(made, root);
    read_person(made, root);
    read_close(made, root);
    read_duplicates(made, root);
    read_migrations(made, root);
    read_move(made, root);
  }

  void check_fields(const Collection& made) {
    const FieldSpec* redirect = nullptr;
    for (const FieldSpec& spec : made.fields) {
      const std::string path = fmt::format("/fields/{}", spec.name);
      // What was spent cannot be taken back by deleting the record, nor granted in a fact.
      if (spec.merge == MergeType::kQuota && (made.facts || made.deletable)) {
        fail(path + "/merge",
             "a quota needs \"deletable\": false, and no facts, in its collection");
      }
      if (!spec.redirect) continue;
      if (redirect != nullptr) {
        fail(path + "/redirect", fmt::format("\"{}\" redirects already", redirect->name));
      }
      redirect = &spec;
    }
  }

  void read_key(Collection& made, dom::object root) {
    const auto found = json::find(root, "key");
    if (!found) return;
    dom::array parts;
    if (found->get(parts) != simdjson::SUCCESS || parts.size() < 2) {
      fail("/key", "must be an array of two or more field names");
      return;
    }
    for (const dom::element part : parts) {
      std::string_view word;
      const bool good = part.get(word) == simdjson::SUCCESS;
      const FieldSpec* spec = good ? made.field(word) : nullptr;
      if (spec == nullptr || spec->merge != MergeType::kRegister) {
        fail("/key", fmt::format("\"{}\" is not a register of this collection", word));
        return;
      }
      made.key.emplace_back(word);
    }
  }

  void read_person(Collection& made, dom::object root) {
    if (json::find(root, "person")) {
      made.person = text(root, "", "person");
      const bool in_key =
          std::find(made.key.begin(), made.key.end(), made.person) != made.key.end();
      if (made.person != "id" && !in_key)
        fail("/person", "is neither \"id\" nor a part of the key");
    }
    for (const FieldSpec& spec : made.fields) {
      if (!spec.personal) continue;
      const std::string path = fmt::format("/fields/{}/personal", spec.name);
      if (made.person.empty()) fail(path, "needs \"person\": whom the record is about");
      if (made.facts) fail(path, "a fact cannot be cleared");
      if (std::find(made.key.begin(), made.key.end(), spec.name) != made.key.end()) {
        fail(path, "a part of the id can be read by all");
      }
    }
  }

  // An object at `key`, or nothing. What stands there and is no object fails.
  std::optional<dom::object> object(dom::object parent, std::string_view path,
                                    std::string_view key) {
    const auto found = json::find(parent, key);
    if (!found) return std::nullopt;
    dom::object value;
    if (found->get(value) != simdjson::SUCCESS) {
      fail(fmt::format("{}/{}", path, key), "must be an object");
      return std::nullopt;
    }
    return value;
  }

  // The name of a register of this type.
  std::string register_name(const Collection& made, dom::object object, std::string_view path,
                            std::string_view key, FieldType type) {
    std::string word = text(object, path, key);
    const FieldSpec* spec = made.field(word);
    if (spec == nullptr || spec->merge != MergeType::kRegister || spec->type != type) {
      fail(fmt::format("{}/{}", path, key),
           fmt::format("\"{}\" is not a register of type {} of this collection", word,
                       type == FieldType::kTime ? "time" : "string"));
    }
    return word;
  }

  void read_close(Collection& made, dom::object root) {
    const auto found = object(root, "", "close");
    if (!found) return;
    const std::string path = "/close";
    only_keys(*found, path,
              {"opened", "closed", "flag", "parent", "parent_collection", "parent_ends",
               "after_minutes", "longest_minutes"});
    CloseRule rule;
    rule.opened = register_name(made, *found, path, "opened", FieldType::kTime);
    rule.closed = register_name(made, *found, path, "closed", FieldType::kTime);
    rule.flag = register_name(made, *found, path, "flag", FieldType::kTime);
    const FieldSpec* flagged = made.field(rule.flag);
    if (flagged != nullptr && !flagged->by_server) {
      fail(path + "/flag", fmt::format("\"{}\" is not written by the server", rule.flag));
    }
    rule.parent = register_name(made, *found, path, "parent", FieldType::kString);
    rule.parent_coll = text(*found, path, "parent_collection");
    rule.parent_ends = text(*found, path, "parent_ends");
    rule.after_ms = kMinuteMs * whole(*found, path, "after_minutes", 0, kMostMinutes);
    rule.longest_ms = kMinuteMs * whole(*found, path, "longest_minutes", 1, kMostMinutes);
    made.close = std::move(rule);
  }

  void read_duplicates(Collection& made, dom::object root) {
    const auto found = object(root, "", "duplicates");
    if (!found) return;
    const std::string path = "/duplicates";
    only_keys(*found, path, {"same", "like", "within_hours"});
    DuplicateRule rule;
    rule.same = register_name(made, *found, path, "same", FieldType::kString);
    rule.like = register_name(made, *found, path, "like", FieldType::kString);
    rule.within_ms = kHourMs * whole(*found, path, "within_hours", 1, kMostHours);
    if (std::none_of(made.fields.begin(), made.fields.end(),
                     [](const FieldSpec& spec) { return spec.redirect; })) {
      fail(path, "no field with \"redirect\": true, so that no two records could be merged");
    }
    made.duplicates = std::move(rule);
  }

  std::string field_name(dom::object object, const std::string& path, std::string_view key) {
    std::string word = text(object, path, key);
    if (!valid_name(word)) {
      fail(fmt::format("{}/{}", path, key), "is not a field name ([a-z][a-z0-9_]*)");
    }
    return word;
  }

  void read_parts(Migration& step, dom::object object, const std::string& path) {
    const auto found = json::find(object, "into");
    dom::array parts;
    if (!found || found->get(parts) != simdjson::SUCCESS || parts.size() < 2) {
      fail(path + "/into", "must be an array of two or more field names");
      return;
    }
    for (const dom::element part : parts) {
      std::string_view word;
      if (part.get(word) != simdjson::SUCCESS || !valid_name(word)) {
        fail(path + "/into", "must be an array of two or more field names");
        return;
      }
      step.into.emplace_back(word);
    }
  }

  void read_default(Migration& step, dom::object object, const std::string& path) {
    const auto found = json::find(object, "value");
    if (!found || found->is_array() || found->is_object() || found->is_null()) {
      fail(path + "/value", "must be a string, a number, true or false");
      return;
    }
    if (auto refusal = json::append_canonical(step.value, *found, 1, {})) {
      fail(path + "/value", refusal->detail);
    }
  }

  Migration read_step(dom::element element, const std::string& path) {
    Migration step;
    dom::object outer;
    if (element.get(outer) != simdjson::SUCCESS || outer.size() != 1) {
      fail(path, "must be an object with one of: rename split default retype");
      return step;
    }
    const std::string_view word = (*outer.begin()).key;
    const auto* known = std::find_if(kStepNames.begin(), kStepNames.end(),
                                     [word](const auto& one) { return one.first == word; });
    if (known == kStepNames.end()) {
      fail(fmt::format("{}/{}", path, word), "is none of: rename split default retype");
      return step;
    }
    step.kind = known->second;
    const std::string inside = fmt::format("{}/{}", path, word);
    const auto found = object(outer, path, word);
    if (!found) return step;
    switch (step.kind) {
      case Migration::Kind::kRename:
        only_keys(*found, inside, {"from", "to"});
        step.field = field_name(*found, inside, "from");
        step.into.push_back(field_name(*found, inside, "to"));
        return step;
      case Migration::Kind::kSplit:
        only_keys(*found, inside, {"from", "into", "at"});
        step.field = field_name(*found, inside, "from");
        read_parts(step, *found, inside);
        step.at = text(*found, inside, "at");
        return step;
      case Migration::Kind::kDefault:
        only_keys(*found, inside, {"field", "value"});
        step.field = field_name(*found, inside, "field");
        read_default(step, *found, inside);
        return step;
      case Migration::Kind::kRetype:
        only_keys(*found, inside, {"field"});
        step.field = field_name(*found, inside, "field");
        break;
    }
    return step;
  }

  void read_migrations(Collection& made, dom::object root) {
    const auto found = json::find(root, "migrate");
    if (!found) return;
    dom::array steps;
    if (found->get(steps) != simdjson::SUCCESS) {
      fail("/migrate", "must be an array");
      return;
    }
    for (const dom::element step : steps) {
      made.migrations.push_back(
          read_step(step, fmt::format("/migrate/{}", made.migrations.size())));
    }
  }

  void read_move(Collection& made, dom::object root) {
    if (!json::find(root, "moved_from")) return;
    made.moved_from = text(root, "", "moved_from");
    if (!valid_name(made.moved_from)) fail("/moved_from", "is not a name ([a-z][a-z0-9_]*)");
    if (made.moved_from == made.name) fail("/moved_from", "is this collection");
  }

  const SchemaFile& file_;
};

}  // namespace

std::string_view to_string(MergeType type) {
  for (const auto& [word, value] : kMergeNames) {
    if (value == type) return word;
  }
  WS_CHECK(false);
}

Error schema_error(std::string_view file, std::string_view path, std::string_view reason) {
  return Error{Code::kSchemaInvalid, place_and_reason(file, path, reason)};
}

Result<Collection> load_collection(const SchemaFile& file) { return Loader(file).load(); }

}  // namespace waystation

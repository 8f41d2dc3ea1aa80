#include "tools/simulate/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "sync/canonical.h"

namespace waystation::simulate {
namespace {

constexpr std::size_t kFieldsUsed = 5;

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::vector<std::string> parts_of(const std::string& id) {
  std::vector<std::string> parts{""};
  for (const char letter : id) {
    if (letter == '~') {
      parts.emplace_back();
    } else {
      parts.back() += letter;
    }
  }
  return parts;
}

}  // namespace

Workload::Workload(const Plan& plan, const Schemas& schemas, Random& random)
    : plan_(plan), random_(random) {
  std::vector<std::string> all;
  for (const auto& [name, collection] : schemas.collections()) {
    if (!collection.derived && name != "scope") all.push_back(name);
  }
  while (collections_.size() < plan.collections && !all.empty()) {
    const std::size_t at = random.below(all.size());
    collections_.push_back(all[at]);
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(at));
  }
  for (const std::string& name : collections_) {
    std::vector<std::string> left;
    // Where there are several versions, older apps write fields that the newest does not know.
    if (schemas.find(name)->version > 1) continue;
    for (const FieldSpec& field : schemas.find(name)->fields) left.push_back(field.name);
    while (!left.empty() && fields_[name].size() < kFieldsUsed) {
      const std::size_t at = random.below(left.size());
      fields_[name].push_back(left[at]);
      left.erase(left.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }
}

std::string Workload::record_id(const Collection& collection) {
  const std::uint64_t number = random_.below(plan_.records);
  if (collection.key.empty()) return fmt::format("r{}", number);
  std::string id;
  for (const std::string& part : collection.key) {
    if (!id.empty()) id += '~';
    const FieldSpec* field = collection.field(part);
    if (field != nullptr && field->type == FieldType::kDate) {
      id += fmt::format("2026-01-{:02}", 1 + number);
    } else {
      id += fmt::format("k{}", number % 2);
    }
  }
  return id;
}

std::string Workload::value_of(const FieldSpec& field) {
  if (!field.choices.empty()) {
    auto at = field.choices.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(
                         random_.below(std::min<std::size_t>(3, field.choices.size()))));
    return quoted(at->first);
  }
  static const std::vector<std::string> kTexts{"a", "b", "c", "水", "\"", "z"};
  static const std::vector<std::string> kTimes{"2026-01-01T08:30:00+08:00", "2026-01-01T00:30:00Z",
                                               "2026-01-01T12:00:00.5+08:00",
                                               "2028-02-29T23:59:59+08:00"};
  const auto within = [&](std::int64_t low, std::int64_t high) {
    if (field.min < field.max) {
      low = std::max(low, static_cast<std::int64_t>(field.min));
      high = std::max(low, std::min(high, static_cast<std::int64_t>(field.max)));
    }
    return random_.between(low, high);
  };
  switch (field.type) {
    case FieldType::kString: return quoted(random_.pick(kTexts));
    case FieldType::kInteger: return std::to_string(within(0, 5));
    case FieldType::kNumber: return fmt::format("{}.5", within(0, 5));
    case FieldType::kBoolean: return random_.chance(500) ? "true" : "false";
    case FieldType::kTime: return quoted(random_.pick(kTimes));
    case FieldType::kDate: return quoted(fmt::format("2026-01-{:02}", 1 + random_.below(3)));
  }
  return "null";
}

// `"field":value` for the kind of edit that is drawn.
std::string Workload::field_edit(const FieldSpec& field, const Replica& replica, bool fresh,
                                 std::string& kind) {
  const auto with = [&](std::string_view what, const std::string& value) {
    kind = what;
    return fmt::format("{}:{}", quoted(field.name), value);
  };
  switch (field.merge) {
    case MergeType::kRegister:
      return with("set", !field.required && random_.chance(80) ? "null" : value_of(field));
    case MergeType::kCounter: {
      const std::int64_t low = field.min < field.max ? static_cast<std::int64_t>(field.min) : -3;
      return with("inc", std::to_string(random_.between(std::max<std::int64_t>(low, -3), 3)));
    }
    case MergeType::kSet: {
      const bool add = fresh || random_.chance(550);
      std::string elements = value_of(field);
      if (random_.chance(200)) elements += "," + value_of(field);
      return with(add ? "add" : "remove", "[" + elements + "]");
    }
    case MergeType::kLog: return with("append", "[" + value_of(field) + "]");
    case MergeType::kQuota: {
      static constexpr std::array<std::uint64_t, 5> kWeights{15, 30, 40, 10, 5};
      static constexpr std::array<std::string_view, 5> kKinds{"grant", "lease", "spend", "return",
                                                              "reclaim"};
      const std::size_t move = random_.weighted(kWeights);
      if (kKinds[move] == "reclaim") return with("reclaim", quoted(replica.device()));
      const std::int64_t amount =
          move == 0 ? random_.between(-4, 12) : random_.between(1, move == 1 ? 8 : 3);
      return with(kKinds[move], std::to_string(amount));
    }
  }
  return {};
}

std::string Workload::edits_of(const Collection& collection, const std::string& id,
                               const Replica& replica, bool fresh) {
  std::map<std::string, std::string> kinds;  // kind → the inside of its object
  const auto put = [&](const std::string& kind, const std::string& text) {
    std::string& inside = kinds[kind];
    if (!inside.empty()) inside += ',';
    inside += text;
  };
  std::vector<const FieldSpec*> fields;
  std::vector<const FieldSpec*> quotas;
  for (const FieldSpec& field : collection.fields) {
    const bool key =
        std::find(collection.key.begin(), collection.key.end(), field.name) != collection.key.end();
    if (field.by_server || field.redirect || key) continue;
    // A fact is written once; later ops only annotate it.
    const bool annotates = field.merge == MergeType::kLog || field.merge == MergeType::kSet;
    if (collection.facts && !fresh && !annotates) continue;
    if (field.merge == MergeType::kQuota) {
      quotas.push_back(&field);
    } else if (collection.facts && fresh && field.required) {
      put("set", fmt::format("{}:{}", quoted(field.name), value_of(field)));
    } else {
      fields.push_back(&field);
    }
  }
  std::string kind;
  if (!quotas.empty() && random_.chance(800)) {
    const std::string text = field_edit(*random_.pick(quotas), replica, fresh, kind);
    return fmt::format(R"("{}":{{{}}})", kind, text);
  }
  if (const auto used = fields_.find(collection.name); used != fields_.end()) {
    std::erase_if(fields, [&](const FieldSpec* field) {
      const auto& names = used->second;
      return std::find(names.begin(), names.end(), field->name) == names.end();
    });
  }
  const std::size_t count = fields.empty() ? 0 : 1 + (random_.chance(300) ? 1 : 0);
  std::vector<const FieldSpec*> used;
  for (std::size_t i = 0; i < count; ++i) {
    const FieldSpec* field = random_.pick(fields);
    if (std::find(used.begin(), used.end(), field) != used.end()) continue;
    used.push_back(field);
    const std::string text = field_edit(*field, replica, collection.facts, kind);
    put(kind, text);
  }
  if (!collection.key.empty() && !collection.facts && random_.chance(500)) {
    const auto parts = parts_of(id);
    for (std::size_t i = 0; i < collection.key.size() && i < parts.size(); ++i) {
      put("set", fmt::format("{}:{}", quoted(collection.key[i]), quoted(parts[i])));
    }
  }
  if (!collection.facts && random_.chance(30)) put("set", R"("a_new_field":1)");
  std::string out;
  for (const auto& [name, inside] : kinds) {
    if (!out.empty()) out += ',';
    out += fmt::format(R"("{}":{{{}}})", name, inside);
  }
  return out.empty() ? R"("set":{"a_new_field":2})" : out;
}

Draft Workload::edit(const Replica& replica, const std::vector<std::string>& scopes,
                     const Schemas& schemas) {
  const Collection* collection = schemas.find(random_.pick(collections_));
  if (collection == nullptr) collection = &schemas.collections().begin()->second;
  Draft draft;
  draft.scope = random_.pick(scopes);
  draft.coll = collection->name;
  draft.id = record_id(*collection);
  draft.schema = collection->version;
  const HeldRecord* held = replica.find({draft.scope, draft.coll, draft.id});
  const bool fresh = held == nullptr;
  if (!collection->facts && collection->deletable && random_.chance(plan_.deletes)) {
    draft.edits = "\"del\":true";
  } else {
    draft.edits = edits_of(*collection, draft.id, replica, fresh);
  }
  return draft;
}

Draft Workload::bad_edit(const Replica& replica, const std::vector<std::string>& scopes,
                         const Schemas& schemas, const std::string& elsewhere) {
  Draft draft = edit(replica, scopes, schemas);
  switch (random_.below(9)) {
    case 0: draft.scope = "nowhere"; break;
    case 1: draft.coll = "no_such_collection"; break;
    case 2: draft.scope = elsewhere; break;
    case 3: draft.edits = R"("set":{"text":5,"title":[],"name":{}})"; break;
    case 4: draft.edits = R"("set":5)"; break;
    case 5: draft.id = "a bad id"; break;
    case 6: draft.edits = R"("del":true)"; break;
    case 7: draft.id = "k0~k1~k2~k3"; break;
    default: draft.edits = R"("inc":{"text":1},"set":{"text":"x"})"; break;
  }
  return draft;
}

}  // namespace waystation::simulate

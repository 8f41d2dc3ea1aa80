#include "sync/personal.h"

#include <algorithm>
#include <array>
#include <set>

#include "sync/canonical.h"
#include "sync/json_dom.h"
#include "sync/limits.h"

namespace waystation {
namespace {

namespace dom = simdjson::dom;

constexpr std::array<std::string_view, 5> kGroups{"set", "inc", "add", "remove", "append"};

// False when it cannot be written: then the op stays as it is.
bool append_group(std::string& out, dom::object group, const std::vector<Collection>& versions,
                  const SealValue& seal) {
  out += '{';
  bool first = true;
  for (const auto member : group) {
    if (!first) out += ',';
    first = false;
    append_json_string(out, member.key);
    out += ':';
    std::string value;
    if (json::append_canonical(value, member.value, limits::kOpDepth, {})) return false;
    const bool sealed = !member.value.is_null() && personal_in_any(versions, member.key);
    out += sealed ? seal(value) : value;
  }
  out += '}';
  return true;
}

}  // namespace

bool personal_in_any(const std::vector<Collection>& versions, std::string_view field) {
  return std::any_of(versions.begin(), versions.end(), [&](const Collection& version) {
    const FieldSpec* spec = version.field(field);
    return spec != nullptr && spec->personal;
  });
}

std::string personal_fields(const std::vector<Collection>& versions) {
  std::set<std::string> names;
  for (const Collection& version : versions) {
    for (const FieldSpec& spec : version.fields) {
      if (spec.personal) names.insert(spec.name);
    }
  }
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : " ") + name;
  return all;
}

bool holds_personal(const std::vector<Collection>& versions) {
  return !personal_fields(versions).empty();
}

std::string_view person_of(const Collection& collection, std::string_view record_id) {
  if (collection.person.empty() || collection.person == "id") {
    return collection.person.empty() ? std::string_view() : record_id;
  }
  // A natural key: its parts joined by "~". An id of another form is about itself.
  const auto part = std::find(collection.key.begin(), collection.key.end(), collection.person);
  auto index = part - collection.key.begin();
  const auto parts = std::count(record_id.begin(), record_id.end(), '~') + 1;
  if (parts != static_cast<std::ptrdiff_t>(collection.key.size())) return record_id;
  std::string_view rest = record_id;
  for (; index > 0; --index) rest.remove_prefix(rest.find('~') + 1);
  return rest.substr(0, rest.find('~'));
}

std::string seal_op_text(const Schemas& schemas, std::string_view canonical,
                         const SealValue& seal) {
  std::string same(canonical);
  const auto document = json::parse(canonical);
  dom::object op;
  if (!document || !document->mark.empty() || document->root.get(op) != simdjson::SUCCESS) {
    return same;
  }
  std::string_view coll;
  const auto named = json::find(op, "coll");
  if (!named || named->get(coll) != simdjson::SUCCESS) return same;
  const std::vector<Collection>* versions = schemas.versions(coll);
  if (versions == nullptr) return same;
  std::string out = "{";
  for (const auto member : op) {
    if (out.size() > 1) out += ',';
    append_json_string(out, member.key);
    out += ':';
    const bool group = std::find(kGroups.begin(), kGroups.end(), member.key) != kGroups.end();
    dom::object edits;
    if (group && member.value.get(edits) == simdjson::SUCCESS) {
      if (!append_group(out, edits, *versions, seal)) return same;
    } else if (json::append_canonical(out, member.value, limits::kOpDepth, {})) {
      return same;
    }
  }
  out += '}';
  return out;
}

void seal_edits(const Collection& collection, Op& op, const SealValue& seal) {
  for (Edit& edit : op.edits) {
    const FieldSpec* spec = collection.field(edit.field);
    if (spec == nullptr || !spec->personal) continue;
    for (Value& value : edit.values) {
      if (value.type == ValueType::kNull) continue;
      value.json = seal(value.json);
      value.type = ValueType::kString;
    }
  }
}

bool looks_sealed(std::string_view canonical) {
  // A quote stands everywhere, a backslash seldom.
  constexpr std::string_view kRare = "\\u0001p1.";
  for (std::size_t at = canonical.find(kRare); at != std::string_view::npos;
       at = canonical.find(kRare, at + 1)) {
    if (at > 0 && canonical[at - 1] == '"') return true;
  }
  return false;
}

}  // namespace waystation

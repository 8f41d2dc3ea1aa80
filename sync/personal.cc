#include "sync/personal.h"

#include <algorithm>
#include <array>
#include <set>

#include "sync/canonical.h"
#include "sync/json_dom.h"
#include "sync/limits.h"
#include "sync/natural_key.h"
#include "sync/wire.h"

namespace waystation {
namespace {

namespace dom = simdjson::dom;

// A quote stands everywhere, a backslash seldom.
constexpr std::string_view kRare = "\\u0001p1.";

// Members of an op that say nothing but where it belongs and when it was written.
constexpr std::array<std::string_view, 5> kNumbers{"n", "wall", "mono", "schema", "base"};
constexpr std::array<std::string_view, 4> kTexts{"scope", "coll", "id", "boot"};
// What else an op may hold besides edits: names of fields, devices and numbers.
constexpr std::array<std::string_view, 4> kOthers{"del", "settle", "reopen", "replays"};

template <std::size_t kSize>
bool among(const std::array<std::string_view, kSize>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_header(std::string_view key, dom::element value) {
  return (among(kNumbers, key) && value.is_number()) || (among(kTexts, key) && value.is_string());
}

class OpSealer {
 public:
  OpSealer(const std::vector<Collection>& versions, const Op& op, const SealValue& seal)
      : versions_(versions), op_(op), seal_(seal) {}

  std::string sealed(dom::object op) {
    for (const auto member : op) {
      begin(member.key);
      dom::object edits;
      if (is_header(member.key, member.value)) {
        put_plain(member.value);
      } else if (op_.unreadable) {
        put_sealed(member.value);
      } else if (edit_kind(member.key) && member.value.get(edits) == simdjson::SUCCESS) {
        put_edits(edits);
      } else if (among(kOthers, member.key)) {
        put_plain(member.value);
      } else {
        put_sealed(member.value);  // nobody knows what a member of no meaning holds
      }
    }
    return (out_.empty() ? "{" : out_) + "}";
  }

 private:
  void begin(std::string_view key) {
    out_ += out_.empty() ? '{' : ',';
    put_key(key);
  }
  void put_key(std::string_view key) {
    std::string text;
    append_json_string(text, key);
    out_ += without_sealed(std::move(text));
    out_ += ':';
  }
  void put_plain(dom::element value) { out_ += without_sealed(canonical_where_it_can(value)); }
  void put_sealed(dom::element value) {
    out_ += value.is_null() ? "null" : seal_(canonical_where_it_can(value));
  }
  void put_edits(dom::object edits) {
    out_ += '{';
    bool first = true;
    for (const auto edit : edits) {
      if (!first) out_ += ',';
      first = false;
      put_key(edit.key);
      if (personal_in_any(versions_, edit.key)) {
        put_sealed(edit.value);
      } else {
        put_plain(edit.value);
      }
    }
    out_ += '}';
  }
  static std::string canonical_where_it_can(dom::element value) {
    std::string text;
    if (json::append_canonical(text, value, limits::kOpDepth, {})) text = simdjson::minify(value);
    return text;
  }

  const std::vector<Collection>& versions_;
  const Op& op_;
  const SealValue& seal_;
  std::string out_;
};

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
  // An id of another form is about itself.
  return key_part(key_place(collection, collection.person), record_id).value_or(record_id);
}

const std::vector<Collection>* versions_of(const Schemas& schemas, const Op& op) {
  const std::vector<Collection>* found = schemas.versions(op.coll);
  if (!op.unreadable) return found;
  const auto document = json::parse(op.canonical);
  dom::object members;
  if (!document || document->root.get(members) != simdjson::SUCCESS) return found;
  for (const auto member : members) {
    std::string_view coll;
    if (member.key != "coll" || member.value.get(coll) != simdjson::SUCCESS) continue;
    const std::vector<Collection>* versions = schemas.versions(coll);
    if (versions != nullptr && !versions->back().person.empty()) return versions;
  }
  return found;
}

std::string seal_op_text(const std::vector<Collection>& versions, const Op& op,
                         const SealValue& seal) {
  const auto document = json::parse(op.canonical);
  dom::object members;
  if (!document || document->root.get(members) != simdjson::SUCCESS) return op.canonical;
  return OpSealer(versions, op, seal).sealed(members);
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
  for (std::size_t at = canonical.find(kRare); at != std::string_view::npos;
       at = canonical.find(kRare, at + 1)) {
    if (at > 0 && canonical[at - 1] == '"') return true;
  }
  return false;
}

std::string without_sealed(std::string canonical) {
  for (std::size_t at = canonical.find(kRare); at != std::string::npos;
       at = canonical.find(kRare, at + 1)) {
    if (at > 0 && canonical[at - 1] == '"') canonical[at + kRare.size() - 3] = 'x';
  }
  return canonical;
}

}  // namespace waystation

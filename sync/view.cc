#include "sync/view.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sync/canonical.h"
#include "sync/digest.h"
#include "sync/json_dom.h"
#include "sync/limits.h"
#include "sync/personal.h"
#include "sync/wire.h"

namespace waystation {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kNameBytes = 8;

// The place behind the string that begins at `at`.
std::size_t behind_string(std::string_view json, std::size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return at + 1;
}

// The place behind the value that begins at `at`.
std::size_t behind_value(std::string_view json, std::size_t at) {
  std::size_t depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = behind_string(json, at);
      if (depth == 0) return at;
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') {
      if (depth == 0) return at;  // the end of what it stands in
      if (--depth == 0) return at + 1;
    }
    if (c == ',' && depth == 0) return at;
    ++at;
  }
  return json.size();
}

void append_sight(std::string& out, const Sight& sight) {
  if (sight.hidden.empty() || !sight.seen) {
    out += sight.seen ? "true" : "false";
    return;
  }
  append_string_array(out, {sight.hidden.begin(), sight.hidden.end()});
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

Error damaged() { return Error{Code::kStoreCorrupt, "a damaged view"}; }

Result<Sight> read_sight(dom::element element) {
  Sight sight;
  if (element.get(sight.seen) == simdjson::SUCCESS) return sight;
  dom::array fields;
  if (element.get(fields) != simdjson::SUCCESS) return damaged();
  for (const dom::element field : fields) {
    std::string_view name;
    if (field.get(name) != simdjson::SUCCESS) return damaged();
    sight.hidden.emplace(name);
  }
  return sight;
}

// Members of an op that say nothing of a field.
constexpr std::array<std::string_view, 12> kPlainMembers{
    "n", "scope", "coll", "id", "wall", "mono", "boot", "schema", "base", "del", "replays", "lost"};

class OpFilter {
 public:
  OpFilter(const FieldNames& hidden, const json::SurrogateMark& mark)
      : hidden_(hidden), mark_(mark) {}

  Result<std::string> filtered(dom::object op) {
    for (const auto member : op) {
      dom::object edits;
      dom::array settlements;
      if (std::find(kPlainMembers.begin(), kPlainMembers.end(), member.key) !=
          kPlainMembers.end()) {
        put_plain(member.key, member.value);
      } else if (edit_kind(member.key) && member.value.get(edits) == simdjson::SUCCESS) {
        begin(member.key);
        put_edits(edits);
      } else if ((member.key == "settle" || member.key == "reopen") &&
                 member.value.get(settlements) == simdjson::SUCCESS) {
        begin(member.key);
        put_settlements(settlements);
      }
    }
    if (damaged_) return Error{Code::kStoreCorrupt, "an op that is none"};
    return (out_.empty() ? "{" : out_) + "}";
  }

 private:
  void begin(std::string_view key) {
    out_ += out_.empty() ? '{' : ',';
    append_json_string(out_, key);
    out_ += ':';
  }
  // What lies sealed there belongs to an op that could not be read: no field is told of it.
  void put_plain(std::string_view key, dom::element element) {
    std::string text;
    if (json::append_canonical(text, element, limits::kOpDepth, mark_)) damaged_ = true;
    if (looks_sealed(text)) return;
    begin(key);
    out_ += text;
  }
  void put(dom::element element) {
    if (json::append_canonical(out_, element, limits::kOpDepth, mark_)) damaged_ = true;
  }
  void put_edits(dom::object edits) {
    out_ += '{';
    bool first = true;
    for (const auto edit : edits) {
      if (among(hidden_, edit.key)) continue;
      if (!std::exchange(first, false)) out_ += ',';
      append_json_string(out_, edit.key);
      out_ += ':';
      put(edit.value);
    }
    out_ += '}';
  }
  void put_settlements(dom::array settlements) {
    out_ += '[';
    bool first = true;
    for (const dom::element settlement : settlements) {
      std::string_view field;
      if (settlement["field"].get(field) != simdjson::SUCCESS || among(hidden_, field)) continue;
      if (!std::exchange(first, false)) out_ += ',';
      put(settlement);
    }
    out_ += ']';
  }

  const FieldNames& hidden_;
  const json::SurrogateMark& mark_;
  std::string out_;
  bool damaged_ = false;
};

}  // namespace

bool among(const FieldNames& names, std::string_view field) {
  if (names.contains(field)) return true;
  // <name>_v<version>, and _<count> where that was taken.
  std::string_view base = field;
  const auto strip_number = [&base] {
    const std::size_t end = base.find_last_not_of("0123456789");
    const bool number = end != std::string_view::npos && end + 1 < base.size();
    if (number) base = base.substr(0, end + 1);
    return number;
  };
  if (!strip_number()) return false;
  if (base.ends_with('_')) {
    base.remove_suffix(1);
    if (names.contains(base)) return true;  // what is left of one version, named by itself
    if (!strip_number()) return false;
  }
  if (!base.ends_with("_v")) return false;
  base.remove_suffix(2);
  if (names.contains(base)) return true;
  // A long name was cut to make room.
  if (field.size() != limits::kNameBytes) return false;
  return std::any_of(names.begin(), names.end(), [base](const std::string& name) {
    return !base.empty() && name.starts_with(base);
  });
}

View::View(Sight others, std::map<std::string, Sight, std::less<>> collections)
    : others_(std::move(others)), collections_(std::move(collections)) {
  std::erase_if(collections_, [&](const auto& entry) { return entry.second == others_; });
  text_ = "{\"collections\":{";
  bool first = true;
  for (const auto& [coll, sight] : collections_) {
    if (!std::exchange(first, false)) text_ += ',';
    append_json_string(text_, coll);
    text_ += ':';
    append_sight(text_, sight);
  }
  text_ += "},\"others\":";
  append_sight(text_, others_);
  text_ += '}';
  name_ = hex(sha256(text_).substr(0, kNameBytes));
}

const Sight& View::of(std::string_view coll) const {
  const auto at = collections_.find(coll);
  return at == collections_.end() ? others_ : at->second;
}

Result<View> View::parse(std::string_view text) {
  const auto document = json::parse(text);
  dom::object root;
  if (!document || document->root.get(root) != simdjson::SUCCESS) return damaged();
  const auto others = json::find(root, "others");
  const auto listed = json::find(root, "collections");
  dom::object entries;
  if (!others || !listed || listed->get(entries) != simdjson::SUCCESS) return damaged();
  auto rest = read_sight(*others);
  if (!rest) return rest.error();
  std::map<std::string, Sight, std::less<>> collections;
  for (const auto entry : entries) {
    auto sight = read_sight(entry.value);
    if (!sight) return sight.error();
    collections.emplace(entry.key, std::move(*sight));
  }
  View view(std::move(*rest), std::move(collections));
  if (view.text() != text) return damaged();
  return view;
}

std::string without(std::string_view object, const FieldNames& hidden) {
  std::string out = "{";
  std::size_t at = 1;
  while (at < object.size() && object[at] == '"') {
    const std::size_t start = at;
    const std::size_t key_end = behind_string(object, at);
    at = behind_value(object, std::min(key_end + 1, object.size()));
    if (!among(hidden, object.substr(start + 1, key_end - start - 2))) {
      if (out.size() > 1) out += ',';
      out += object.substr(start, at - start);
    }
    if (at < object.size() && object[at] == ',') ++at;
  }
  out += '}';
  return out;
}

Result<std::string> op_without(std::string_view op, const FieldNames& hidden) {
  const auto document = json::parse(op);
  dom::object root;
  if (!document || document->root.get(root) != simdjson::SUCCESS) {
    return Error{Code::kStoreCorrupt, "a damaged op in a device log"};
  }
  return OpFilter(hidden, document->mark).filtered(root);
}

}  // namespace waystation

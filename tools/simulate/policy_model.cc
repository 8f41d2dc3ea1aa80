#include "tools/simulate/policy_model.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>
#include <vector>

#include "sync/result.h"

namespace waystation::simulate {
namespace {

namespace dom = simdjson::dom;

// The names of one field of the simulation's own collection, over all its versions.
const std::array<std::vector<std::string_view>, 2> kOneField{
    {{"one", "two", "three"}, {"whole", "left", "right"}}};

// Without the _v<version> or _v<version>_<count> of what a migration could not place.
std::string_view less_rest(std::string_view field) {
  const std::size_t at = field.rfind("_v");
  if (at == std::string_view::npos || at + 2 == field.size()) return field;
  const bool number = std::all_of(field.begin() + static_cast<std::ptrdiff_t>(at) + 2, field.end(),
                                  [](char c) { return std::isdigit(c) != 0 || c == '_'; });
  return number ? field.substr(0, at) : field;
}

std::set<std::string> names_of(dom::element list) {
  std::set<std::string> names;
  for (const dom::element name : dom::array(list)) names.emplace(std::string_view(name));
  return names;
}

}  // namespace

PolicyModel::Rule PolicyModel::rule_of(std::string_view text) {
  dom::parser parser;
  const dom::element root = parser.parse(text.data(), text.size());
  Rule rule;
  dom::element list;
  rule.seen = !root["read"].is_string() || std::string_view(root["read"]) == "all";
  if (root["read"]["all_but"].get(list) == simdjson::SUCCESS) rule.hidden = names_of(list);
  rule.writes = !root["write"].is_string() || std::string_view(root["write"]) == "all";
  if (root["write"]["fields"].get(list) == simdjson::SUCCESS) rule.fields = names_of(list);
  if (root["write"]["does"].get(list) == simdjson::SUCCESS) rule.deeds = names_of(list);
  return rule;
}

PolicyModel::PolicyModel(const std::string& text, bool newest) : newest_(newest) {
  dom::parser parser;
  const dom::element root = parser.parse(text);
  for (const auto entry : dom::object(root["roles"])) {
    Role role;
    role.system = bool(entry.value["system"]);
    role.others = rule_of(simdjson::minify(entry.value["others"]));
    for (const auto one : dom::object(entry.value["collections"])) {
      role.collections.emplace(one.key, rule_of(simdjson::minify(one.value)));
    }
    roles_.emplace(entry.key, std::move(role));
  }
}

const PolicyModel::Rule& PolicyModel::rule(std::string_view role, std::string_view coll) const {
  static const Rule kNothing;
  const auto at = roles_.find(role);
  if (at == roles_.end()) return kNothing;
  const auto own = at->second.collections.find(coll);
  return own == at->second.collections.end() ? at->second.others : own->second;
}

bool PolicyModel::among(const std::set<std::string>& names, std::string_view coll,
                        std::string_view field) const {
  const std::string_view base = less_rest(field);
  if (names.contains(std::string(field)) || names.contains(std::string(base))) return true;
  if (!newest_ || coll != "sample") return false;
  return std::any_of(kOneField.begin(), kOneField.end(), [&](const auto& called) {
    return std::find(called.begin(), called.end(), base) != called.end() &&
           std::any_of(called.begin(), called.end(),
                       [&](std::string_view name) { return names.contains(std::string(name)); });
  });
}

bool PolicyModel::enters(std::string_view role, std::string_view scope) const {
  if (!scope.starts_with("system:")) return true;
  const auto at = roles_.find(role);
  return at != roles_.end() && at->second.system;
}

bool PolicyModel::sees(std::string_view role, std::string_view coll) const {
  return rule(role, coll).seen;
}

bool PolicyModel::shows(std::string_view role, std::string_view coll,
                        std::string_view field) const {
  const Rule& one = rule(role, coll);
  return one.seen && !among(one.hidden, coll, field);
}

bool PolicyModel::allows(std::string_view role, std::string_view op) const {
  dom::parser parser;
  dom::object root;
  if (parser.parse(op.data(), op.size()).get(root) != simdjson::SUCCESS) return false;
  const std::string_view coll = root["coll"];
  if (!enters(role, std::string_view(root["scope"]))) return false;
  const Rule& one = rule(role, coll);
  if (!one.writes) return false;
  if (!one.fields && !one.deeds) return true;
  const auto may = [&](const std::string& deed, std::string_view field) {
    return (!one.deeds || one.deeds->contains(deed)) &&
           (!one.fields || among(*one.fields, coll, field));
  };
  for (const auto member : root) {
    if (member.key == "del") return one.deeds && one.deeds->contains("delete");
    dom::object edits;
    dom::array settlements;
    const std::string deed(member.key);
    if (deed == "settle" || deed == "reopen") {
      if (member.value.get(settlements) != simdjson::SUCCESS) return false;
      for (const dom::element settled : settlements) {
        if (!may(deed, std::string_view(settled["field"]))) return false;
      }
    } else if (deed != "replays" && member.value.get(edits) == simdjson::SUCCESS) {
      for (const auto edit : edits) {
        if (!may(deed, edit.key)) return false;
      }
    }
  }
  return true;
}

}  // namespace waystation::simulate

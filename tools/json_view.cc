#include "tools/json_view.h"

#include <simdjson.h>

#include <charconv>

namespace waystation {
namespace {

// One past the string that opens at `at`.
std::size_t string_end(std::string_view json, std::size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return at + 1;
}

// One past the value that begins at `at`.
std::size_t value_end(std::string_view json, std::size_t at) {
  std::size_t depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = string_end(json, at);
      if (depth == 0) return at;
      continue;
    }
    if (depth == 0 && (c == ',' || c == ']' || c == '}')) return at;
    if (c == '{' || c == '[') ++depth;
    ++at;
    if ((c == '}' || c == ']') && --depth == 0) return at;
  }
  return json.size();
}

// Writes an array or object member by member, each on a line of its own.
void append_pretty(std::string& out, std::string_view value, std::size_t level) {
  const bool object = value.substr(0, 1) == "{";
  if (value.size() <= 2 || (!object && value[0] != '[')) {
    out += value;
    return;
  }
  const std::string indent(2 * (level + 1), ' ');
  const char* separator = "\n";
  const auto line = [&](std::string_view name, std::string_view item) {
    out += separator;
    out += indent;
    if (object) (out += '"').append(name) += "\": ";
    append_pretty(out, item, level + 1);
    separator = ",\n";
  };
  out += value[0];
  if (object) {
    for (const auto& [name, item] : json_members(value)) line(name, item);
  } else {
    for (const std::string_view item : json_items(value)) line({}, item);
  }
  out += '\n';
  out.append(2 * level, ' ');
  out += object ? '}' : ']';
}

}  // namespace

JsonMembers json_members(std::string_view object) {
  JsonMembers members;
  if (object.size() <= 2 || object[0] != '{') return members;
  for (std::size_t at = 1; at < object.size() && object[at] == '"';) {
    const std::size_t name_end = string_end(object, at);
    const std::string_view name = object.substr(at + 1, name_end - at - 2);
    const std::size_t end = value_end(object, name_end + 1);
    members.emplace_back(name, object.substr(name_end + 1, end - name_end - 1));
    at = end + 1;
  }
  return members;
}

std::vector<std::string_view> json_items(std::string_view array) {
  std::vector<std::string_view> items;
  if (array.size() <= 2 || array[0] != '[') return items;
  for (std::size_t at = 1; at < array.size();) {
    const std::size_t end = value_end(array, at);
    items.push_back(array.substr(at, end - at));
    at = end + 1;
  }
  return items;
}

std::string json_plain(std::string_view value) {
  if (value.size() < 2 || value[0] != '"') return std::string(value);
  if (value.find('\\') == std::string_view::npos) {
    return std::string(value.substr(1, value.size() - 2));
  }
  simdjson::dom::parser parser;
  std::string_view text;
  if (parser.parse(value.data(), value.size()).get(text) != simdjson::SUCCESS) return {};
  return std::string(text);
}

std::string_view JsonObject::raw(std::string_view name) const {
  for (const auto& [known, value] : members_) {
    if (known == name) return value;
  }
  return {};
}

std::string JsonObject::text(std::string_view name) const {
  const std::string_view value = raw(name);
  return value.substr(0, 1) == "\"" ? json_plain(value) : std::string();
}

std::int64_t JsonObject::number(std::string_view name) const {
  const std::string_view value = raw(name);
  std::int64_t number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

std::string pretty_json(std::string_view value) {
  std::string out;
  append_pretty(out, value, 0);
  return out;
}

}  // namespace waystation

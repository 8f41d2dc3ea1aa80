// Looking into canonical JSON (sync/canonical.h) without taking it apart: members and items as
// views of their own text, which is canonical in turn and so can be compared.
// Precondition everywhere: the text is canonical JSON. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waystation {

// The members of an object: names (without their quotes) and values.
using JsonMembers = std::vector<std::pair<std::string_view, std::string_view>>;
[[nodiscard]] JsonMembers json_members(std::string_view object);
[[nodiscard]] std::vector<std::string_view> json_items(std::string_view array);

// The text of a JSON string; other values as they are written.
[[nodiscard]] std::string json_plain(std::string_view value);

// One object, for reading a few members. Missing members and those of another type give an empty
// string, 0 or false.
class JsonObject {
 public:
  explicit JsonObject(std::string_view object) : members_(json_members(object)) {}
  [[nodiscard]] std::string_view raw(std::string_view name) const;  // empty: missing
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] std::int64_t number(std::string_view name) const;
  [[nodiscard]] bool flag(std::string_view name) const { return raw(name) == "true"; }
  [[nodiscard]] const JsonMembers& members() const { return members_; }

 private:
  JsonMembers members_;
};

// The same value with line breaks and two spaces a level, for people.
[[nodiscard]] std::string pretty_json(std::string_view value);

}  // namespace waystation

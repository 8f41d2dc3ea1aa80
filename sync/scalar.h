// Scalars of ops: made from text, taken apart, and the shapes that texts of times and dates have.
// Internal to sync/. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sync/op.h"

namespace waystation {

// A string value of this UTF-8 text.
[[nodiscard]] Value string_value(std::string_view utf8);

// The value of a canonical JSON scalar: null, true, false, a number or a string.
[[nodiscard]] Value scalar_value(std::string canonical);

// The value of a number written as JSON writes it; nothing where no double or, for one without
// fraction, no 53 bits hold it.
[[nodiscard]] std::optional<Value> number_value(std::string_view text);

// What stands between the quotes of a string value, escapes and all.
// Precondition: value.type == ValueType::kString.
[[nodiscard]] inline std::string_view unquoted(const Value& value) {
  return std::string_view(value.json).substr(1, value.json.size() - 2);
}

// The text of a string value, without quotes and escapes. Same precondition.
[[nodiscard]] std::string text_of(const Value& value);

// YYYY-MM-DD, of a day that the calendar has.
[[nodiscard]] bool is_date(std::string_view text);
// RFC 3339 with an offset: the instant, the offset and the local date in one value.
[[nodiscard]] bool is_time(std::string_view text);

}  // namespace waystation

#include "sync/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "sync/canonical.h"
#include "sync/json_dom.h"
#include "sync/limits.h"

namespace waystation {
namespace {

bool two_digits(std::string_view text, std::size_t at, int min, int max) {
  const char a = text[at];
  const char b = text[at + 1];
  if (a < '0' || a > '9' || b < '0' || b > '9') return false;
  const int number = (a - '0') * 10 + (b - '0');
  return number >= min && number <= max;
}

// The character that a one-letter escape stands for.
char unescaped(char letter) {
  switch (letter) {
    case 'b': return '\b';
    case 't': return '\t';
    case 'n': return '\n';
    case 'f': return '\f';
    case 'r': return '\r';
    default: return letter;  // the quote and the backslash
  }
}

}  // namespace

Value string_value(std::string_view utf8) {
  Value value;
  value.type = ValueType::kString;
  value.length_points = json::count_code_points(utf8);
  append_json_string(value.json, utf8);
  return value;
}

Value scalar_value(std::string canonical) {
  Value value;
  value.json = std::move(canonical);
  const std::string& text = value.json;
  if (text == "null") return value;
  if (text == "true" || text == "false") {
    value.type = ValueType::kBool;
    return value;
  }
  if (text.starts_with('"')) {
    value.type = ValueType::kString;
    value.length_points = json::count_code_points(text_of(value));
    return value;
  }
  auto number = number_value(text);
  WS_CHECK(number);
  return std::move(*number);
}

std::optional<Value> number_value(std::string_view text) {
  Value value;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value.number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  value.type = ValueType::kNumber;
  if (std::trunc(value.number) == value.number) {
    if (std::fabs(value.number) > static_cast<double>(limits::kMaxInteger)) return std::nullopt;
    value.type = ValueType::kInteger;
    value.integer = static_cast<std::int64_t>(value.number);
  }
  append_json_number(value.json, value.number);
  return value;
}

// Canonical text escapes nothing but quotes, backslashes and control characters (RFC 8785), so a
// \u stands for one byte.
std::string text_of(const Value& value) {
  const std::string_view inside = unquoted(value);
  std::string text;
  text.reserve(inside.size());
  for (std::size_t at = 0; at < inside.size(); ++at) {
    if (inside[at] != '\\') {
      text += inside[at];
      continue;
    }
    ++at;
    if (inside[at] != 'u') {
      text += unescaped(inside[at]);
      continue;
    }
    unsigned code = 0;
    std::from_chars(inside.data() + at + 1, inside.data() + at + 5, code, 16);
    text += static_cast<char>(code);
    at += 4;
  }
  return text;
}

bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  if (!two_digits(text, 0, 0, 99) || !two_digits(text, 2, 0, 99)) return false;
  if (!two_digits(text, 5, 1, 12) || !two_digits(text, 8, 1, 31)) return false;
  const int year =
      (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + text[3] - '0';
  const int month = (text[5] - '0') * 10 + text[6] - '0';
  const int day = (text[8] - '0') * 10 + text[9] - '0';
  constexpr std::array kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= kDays.at(static_cast<std::size_t>(month - 1)) + (month == 2 && leap ? 1 : 0);
}

bool is_time(std::string_view text) {
  if (text.size() < 20 || !is_date(text.substr(0, 10)) || text[10] != 'T') return false;
  if (!two_digits(text, 11, 0, 23) || text[13] != ':' || !two_digits(text, 14, 0, 59)) return false;
  if (text[16] != ':' || !two_digits(text, 17, 0, 60)) return false;
  std::size_t at = 19;
  if (text[at] == '.') {
    const std::size_t start = ++at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    if (at == start || at - start > 9) return false;
  }
  const std::string_view zone = text.substr(std::min(at, text.size()));
  if (zone == "Z") return true;
  return zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && two_digits(zone, 1, 0, 23) &&
         zone[3] == ':' && two_digits(zone, 4, 0, 59);
}

}  // namespace waystation

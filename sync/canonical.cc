#include "sync/canonical.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "sync/json_dom.h"
#include "sync/limits.h"

namespace waystation {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

bool is_plain(unsigned char c) { return c >= 0x20 && c != '"' && c != '\\'; }

void append_escaped(std::string& out, unsigned char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\t': out += "\\t"; return;
    case '\n': out += "\\n"; return;
    case '\f': out += "\\f"; return;
    case '\r': out += "\\r"; return;
    default:
      out += "\\u00";
      out += kHex[c >> 4U];
      out += kHex[c & 15U];
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (is_plain(c)) continue;
    out.append(text, start, i - start);
    append_escaped(out, c);
    start = i + 1;
  }
  out.append(text, start);
  out += '"';
}

// ECMA-262, Number::toString, over the shortest digits that std::to_chars finds.
void append_json_number(std::string& out, double number) {
  WS_CHECK(std::isfinite(number));
  if (number == 0) {
    out += '0';
    return;
  }
  if (number < 0) out += '-';
  char buffer[32];
  const auto end = std::to_chars(std::begin(buffer), std::end(buffer), std::fabs(number),
                                 std::chars_format::scientific)
                       .ptr;
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  const std::size_t e = text.find('e');
  std::string digits(text.substr(0, e));
  std::erase(digits, '.');
  int exponent = 0;
  const std::string_view exponent_text = text.substr(e + (text[e + 1] == '+' ? 2 : 1));
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);

  const int k = static_cast<int>(digits.size());
  const int point = exponent + 1;  // digits before the decimal point
  if (k <= point && point <= 21) {
    out += digits;
    out.append(static_cast<std::size_t>(point - k), '0');
  } else if (0 < point && point <= 21) {
    out.append(digits, 0, static_cast<std::size_t>(point));
    out += '.';
    out.append(digits, static_cast<std::size_t>(point));
  } else if (-6 < point && point <= 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-point), '0');
    out += digits;
  } else {
    out += digits[0];
    if (k > 1) {
      out += '.';
      out.append(digits, 1);
    }
    out += 'e';
    out += exponent < 0 ? '-' : '+';
    out += std::to_string(std::abs(exponent));
  }
}

bool utf16_less(std::string_view a, std::string_view b) {
  // UTF-8 order is code point order. UTF-16 differs where one side needs surrogates (lead byte
  // 0xF0 and above, code units 0xD800..) and the other lies in U+E000..U+FFFF (lead 0xEE, 0xEF).
  const auto [pa, pb] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (pa == a.end() || pb == b.end()) return pa == a.end() && pb != b.end();
  const auto ca = static_cast<unsigned char>(*pa);
  const auto cb = static_cast<unsigned char>(*pb);
  const bool a_wide = ca >= 0xF0;
  const bool b_wide = cb >= 0xF0;
  if (a_wide && (cb == 0xEE || cb == 0xEF)) return true;
  if (b_wide && (ca == 0xEE || ca == 0xEF)) return false;
  return ca < cb;
}

Result<std::string> canonicalize(std::string_view json) {
  auto document = json::parse(json);
  if (!document) return document.error();
  std::string out;
  out.reserve(json.size());
  auto refusal = json::append_canonical(out, document->root, limits::kFrameDepth, document->mark);
  if (refusal) return Error{refusal->code, refusal->detail};
  return out;
}

namespace json {
namespace {

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// The code unit of a \uXXXX escape at `at`, or nothing.
std::optional<unsigned> unicode_escape(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  unsigned unit = 0;
  for (std::size_t i = at + 2; i < at + 6; ++i) {
    if (!is_hex(text[i])) return std::nullopt;
  }
  std::from_chars(text.data() + at + 2, text.data() + at + 6, unit, 16);
  return unit;
}

// Copies the string literal that opens at `at`, with lone surrogates marked; returns where it ends.
std::size_t repair_string(std::string& out, std::string_view text, std::size_t at,
                          const SurrogateMark& mark) {
  out += text[at++];
  while (at < text.size() && text[at] != '"') {
    if (text[at] != '\\') {
      out += text[at++];
      continue;
    }
    const auto unit = unicode_escape(text, at);
    if (!unit) {
      out.append(text, at, 2);
      at += 2;
      continue;
    }
    const bool high = *unit >= 0xD800 && *unit <= 0xDBFF;
    const bool low = *unit >= 0xDC00 && *unit <= 0xDFFF;
    const auto next = high ? unicode_escape(text, at + 6) : std::nullopt;
    if (high && next && *next >= 0xDC00 && *next <= 0xDFFF) {
      out.append(text, at, 12);
      at += 12;
    } else {
      if (high || low) {
        out += mark;
      } else {
        out.append(text, at, 6);
      }
      at += 6;
    }
  }
  if (at < text.size()) out += text[at++];
  return at;
}

// Copies the number at `at`. One that no 64-bit integer or double holds becomes a number that is
// read, and then refused for lying beyond 2^53.
std::size_t repair_number(std::string& out, std::string_view text, std::size_t at) {
  constexpr std::string_view kBeyond = "1e308";
  const std::size_t end = std::min(text.find_first_not_of("+-.0123456789eE", at), text.size());
  const std::string number(text.substr(at, end - at));
  const bool integer = number.find_first_of(".eE") == std::string::npos;
  if (integer && number.size() >= 19) {
    out += number;
    out += "e0";
  } else if (!integer && std::isinf(std::strtod(number.c_str(), nullptr))) {
    out += kBeyond;
  } else {
    out += number;
  }
  return end;
}

// Which of the noncharacters U+FDD0 to U+FDEF stands at `at`, raw or as an escape, counted from the
// first; nothing: none.
std::optional<unsigned> noncharacter(std::string_view text, std::size_t at) {
  constexpr unsigned kFirst = 0xFDD0;
  constexpr unsigned kCount = 32;
  unsigned unit = 0;
  if (text[at] == '\\') {
    unit = unicode_escape(text, at).value_or(0);
  } else if (at + 2 < text.size() && text[at] == '\xEF' && text[at + 1] == '\xB7') {
    unit = 0xFDC0U + (static_cast<unsigned char>(text[at + 2]) & 0x3FU);
  }
  return unit >= kFirst && unit < kFirst + kCount ? std::optional(unit - kFirst) : std::nullopt;
}

// A noncharacter that the text does not hold. One pass, whatever it holds.
SurrogateMark choose_mark(std::string_view text) {
  std::uint32_t held = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\' && text[at] != '\xEF') continue;
    if (const auto which = noncharacter(text, at)) held |= 1U << *which;
  }
  unsigned free = 0;
  while (free < 31 && (held >> free & 1U) != 0) ++free;
  return {'\xEF', '\xB7', static_cast<char>(0x90 + free)};
}

std::string repair(std::string_view text, const SurrogateMark& mark) {
  std::string out;
  out.reserve(text.size() + 64);
  std::size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = repair_string(out, text, at, mark);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
      at = repair_number(out, text, at);
    } else {
      out += c;
      ++at;
    }
  }
  return out;
}

Code code_of(simdjson::error_code error) {
  switch (error) {
    case simdjson::UTF8_ERROR: return Code::kJsonUtf8;
    case simdjson::DEPTH_ERROR: return Code::kJsonTooDeep;
    case simdjson::CAPACITY: return Code::kFrameTooLarge;
    default: return Code::kJsonInvalid;
  }
}

std::optional<Refusal> append_number(std::string& out, double number) {
  if (std::trunc(number) == number &&
      std::fabs(number) > static_cast<double>(limits::kMaxInteger)) {
    return Refusal{Code::kJsonNumber, "an integer lies beyond 2^53-1"};
  }
  append_json_number(out, number);
  return std::nullopt;
}

std::optional<Refusal> append_integer(std::string& out, std::int64_t number) {
  if (number > limits::kMaxInteger || number < -limits::kMaxInteger) {
    return Refusal{Code::kJsonNumber, "an integer lies beyond 2^53-1"};
  }
  fmt::format_int text(number);
  out.append(text.data(), text.size());
  return std::nullopt;
}

std::optional<Refusal> append_string(std::string& out, std::string_view text,
                                     const SurrogateMark& mark) {
  if (!mark.empty() && text.find(mark) != std::string_view::npos) {
    return Refusal{Code::kStringSurrogate, "a string holds half of a surrogate pair"};
  }
  append_json_string(out, text);
  return std::nullopt;
}

std::optional<Refusal> append_object(std::string& out, dom::object object, std::size_t depth_left,
                                     const SurrogateMark& mark) {
  std::vector<std::pair<std::string_view, dom::element>> members;
  members.reserve(16);
  for (const auto member : object) members.emplace_back(member.key, member.value);
  const auto less = [](const auto& a, const auto& b) { return utf16_less(a.first, b.first); };
  if (!std::is_sorted(members.begin(), members.end(), less)) {
    std::sort(members.begin(), members.end(), less);
  }
  out += '{';
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i > 0) {
      if (members[i].first == members[i - 1].first) {
        return Refusal{Code::kJsonDuplicateKey, "a key stands twice in one object"};
      }
      out += ',';
    }
    if (auto refusal = append_string(out, members[i].first, mark)) return refusal;
    out += ':';
    if (auto refusal = append_canonical(out, members[i].second, depth_left, mark)) {
      return refusal;
    }
  }
  out += '}';
  return std::nullopt;
}

}  // namespace

Result<Document> parse(std::string_view bytes) {
  // One parser a thread. Its buffers grow with the largest frame seen, up to the limit.
  thread_local dom::parser parser = [] {
    dom::parser made(limits::kFrameBytes + 1024);
    WS_CHECK(made.allocate(64 * 1024, limits::kFrameDepth) == simdjson::SUCCESS);
    return made;
  }();
  if (bytes.size() > limits::kFrameBytes) return Error{Code::kFrameTooLarge, ""};
  if (bytes.data() == nullptr) bytes = "";  // simdjson copies from it, if nothing at all
  Document document;
  const auto error = parser.parse(bytes.data(), bytes.size()).get(document.root);
  if (error == simdjson::STRING_ERROR || error == simdjson::NUMBER_ERROR) {
    SurrogateMark mark = choose_mark(bytes);
    const std::string mended = repair(bytes, mark);
    const auto second = parser.parse(mended.data(), mended.size()).get(document.root);
    if (second == simdjson::SUCCESS) {
      document.mark = std::move(mark);
      return document;
    }
  }
  if (error != simdjson::SUCCESS) return Error{code_of(error), simdjson::error_message(error)};
  return document;
}

std::optional<Refusal> append_canonical(std::string& out, dom::element element,
                                        std::size_t depth_left, const SurrogateMark& mark) {
  switch (element.type()) {
    case dom::element_type::NULL_VALUE: out += "null"; return std::nullopt;
    case dom::element_type::BOOL: out += bool(element) ? "true" : "false"; return std::nullopt;
    case dom::element_type::INT64: return append_integer(out, std::int64_t(element));
    case dom::element_type::UINT64:
      return Refusal{Code::kJsonNumber, "an integer lies beyond 2^53-1"};
    case dom::element_type::DOUBLE: return append_number(out, double(element));
    case dom::element_type::STRING: return append_string(out, std::string_view(element), mark);
    case dom::element_type::ARRAY: {
      if (depth_left == 0) return Refusal{Code::kJsonTooDeep, "arrays and objects nest too deep"};
      out += '[';
      bool first = true;
      for (const dom::element item : dom::array(element)) {
        if (!first) out += ',';
        first = false;
        if (auto refusal = append_canonical(out, item, depth_left - 1, mark)) return refusal;
      }
      out += ']';
      return std::nullopt;
    }
    case dom::element_type::OBJECT:
      if (depth_left == 0) return Refusal{Code::kJsonTooDeep, "arrays and objects nest too deep"};
      return append_object(out, dom::object(element), depth_left - 1, mark);
  }
  WS_CHECK(false);
}

std::optional<dom::element> find(dom::object object, std::string_view key) {
  dom::element found;
  if (object.at_key(key).get(found) != simdjson::SUCCESS) return std::nullopt;
  return found;
}

std::optional<std::int64_t> integer(dom::element element) {
  std::int64_t value = 0;
  if (element.type() == dom::element_type::INT64) {
    value = std::int64_t(element);
  } else if (element.type() == dom::element_type::DOUBLE) {
    const double number = double(element);
    if (std::trunc(number) != number ||
        std::fabs(number) > static_cast<double>(limits::kMaxInteger)) {
      return std::nullopt;
    }
    value = static_cast<std::int64_t>(number);
  } else {
    return std::nullopt;
  }
  if (value > limits::kMaxInteger || value < -limits::kMaxInteger) return std::nullopt;
  return value;
}

std::uint32_t count_code_points(std::string_view utf8) {
  return static_cast<std::uint32_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace json
}  // namespace waystation

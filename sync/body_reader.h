// How the decoders read the members of one JSON object: the first that is wrong is remembered and
// makes the answer. Internal: simdjson stays inside sync/.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sync/json_dom.h"
#include "sync/result.h"

namespace waystation::json {

// Reads members of one object and remembers the first that is wrong.
class BodyReader {
 public:
  BodyReader(dom::object object, std::string_view path, const SurrogateMark& mark)
      : object_(object), path_(path), mark_(mark) {}

  [[nodiscard]] std::string text(std::string_view key, std::size_t max_bytes, bool required) {
    const auto found = find(object_, key);
    if (!found) {
      if (required) fail(key, "is required");
      return {};
    }
    std::string_view value;
    if (found->get(value) != simdjson::SUCCESS) {
      fail(key, "must be a string");
      return {};
    }
    if (value.size() > max_bytes) fail(key, fmt::format("is longer than {} bytes", max_bytes));
    if (!mark_.empty() && value.find(mark_) != std::string_view::npos) {
      fail(key, "holds half of a surrogate pair");
    }
    return std::string(value);
  }

  // What people read: a name of a device and the like. Not required.
  [[nodiscard]] std::string label(std::string_view key, std::size_t max_bytes) {
    std::string value = text(key, max_bytes, false);
    const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
    if (std::any_of(value.begin(), value.end(), control)) fail(key, "holds a control character");
    return value;
  }

  [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t min, bool required,
                                     std::int64_t otherwise = 0) {
    const auto found = find(object_, key);
    if (!found) {
      if (required) fail(key, "is required");
      return otherwise;
    }
    const auto value = waystation::json::integer(*found);
    if (!value) {
      fail(key, "must be an integer within 2^53-1");
      return otherwise;
    }
    if (*value < min) fail(key, fmt::format("must be at least {}", min));
    return *value;
  }

  // true or false; nothing: the member is not there.
  [[nodiscard]] std::optional<bool> flag(std::string_view key) {
    const auto found = find(object_, key);
    if (!found) return std::nullopt;
    bool value = false;
    if (found->get(value) != simdjson::SUCCESS) fail(key, "must be true or false");
    return value;
  }

  [[nodiscard]] bool has(std::string_view key) const { return find(object_, key).has_value(); }

  [[nodiscard]] std::optional<dom::object> object(std::string_view key) {
    const auto found = find(object_, key);
    if (!found) return std::nullopt;
    dom::object value;
    if (found->get(value) != simdjson::SUCCESS) {
      fail(key, "must be an object");
      return std::nullopt;
    }
    return value;
  }

  void fail(std::string_view key, std::string_view reason) {
    if (problem_.empty()) problem_ = fmt::format("{}.{} {}", path_, key, reason);
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] const SurrogateMark& mark() const { return mark_; }

 private:
  dom::object object_;
  std::string_view path_;
  const SurrogateMark& mark_;
  std::string problem_;
};

// Opens a body that is one JSON object and hands it to `read`, which takes what it needs.
template <typename T, typename Read>
Result<T> decode_body(std::string_view bytes, Read read) {
  auto document = parse(bytes);
  if (!document) return document.error();
  dom::object object;
  if (document->root.get(object) != simdjson::SUCCESS) {
    return Error{Code::kJsonInvalid, "the body is a JSON object"};
  }
  BodyReader reader(object, "body", document->mark);
  T value = read(reader, object);
  if (!reader.problem().empty()) return Error{Code::kMessageInvalid, reader.problem()};
  return value;
}

}  // namespace waystation::json

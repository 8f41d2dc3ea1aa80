// What the decoders of sync/ share over simdjson's DOM. Internal: simdjson stays inside sync/.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sync/op.h"
#include "sync/result.h"

namespace waystation::json {

namespace dom = simdjson::dom;

// Where a lone surrogate escape stood in the source. A Unicode noncharacter (never interchanged),
// put in by repair() only.
inline constexpr std::string_view kSurrogateMark = "\xEF\xB7\x91";  // U+FDD1

struct Document {
  dom::element root;      // valid until the next parse on this thread
  bool repaired = false;  // lone surrogates were replaced by kSurrogateMark, huge integers by floats
};

// Parses one document with this thread's parser. A document that fails only by lone surrogate
// escapes or integers of 20 digits and more is repaired, so that one bad string costs one op and
// not the frame: those places are then refused where they are read.
[[nodiscard]] Result<Document> parse(std::string_view bytes);

// Appends the canonical text of `element`. depth_left counts down through arrays and objects.
// Refuses: kJsonTooDeep, kJsonNumber, kJsonDuplicateKey, and (repaired) kStringSurrogate.
[[nodiscard]] std::optional<Refusal> append_canonical(std::string& out, dom::element element,
                                                      std::size_t depth_left, bool repaired);

// A member of an object, or nothing.
[[nodiscard]] std::optional<dom::element> find(dom::object object, std::string_view key);

// An integer, also when written as a float without a fraction; nothing beyond +-(2^53-1).
[[nodiscard]] std::optional<std::int64_t> integer(dom::element element);

[[nodiscard]] std::uint32_t count_code_points(std::string_view utf8);

}  // namespace waystation::json

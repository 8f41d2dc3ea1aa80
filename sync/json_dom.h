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

// What stands where a lone surrogate escape stood in the source: a Unicode noncharacter (never
// interchanged) that the source does not hold. Empty: the source had none.
using SurrogateMark = std::string;

struct Document {
  dom::element root;   // valid until the next parse on this thread
  SurrogateMark mark;  // filled when the document was repaired
};

// Parses one document with this thread's parser. A document that fails only by lone surrogate
// escapes or numbers beyond what 64 bits or a double hold is repaired, so that one bad value costs
// one op and not the frame: those places are then refused where they are read.
[[nodiscard]] Result<Document> parse(std::string_view bytes);

// Appends the canonical text of `element`. depth_left counts down through arrays and objects.
// Refuses: kJsonTooDeep, kJsonNumber, kJsonDuplicateKey, and (where marked) kStringSurrogate.
[[nodiscard]] std::optional<Refusal> append_canonical(std::string& out, dom::element element,
                                                      std::size_t depth_left,
                                                      const SurrogateMark& mark);

// A member of an object, or nothing.
[[nodiscard]] std::optional<dom::element> find(dom::object object, std::string_view key);

// An integer, also when written as a float without a fraction; nothing beyond +-(2^53-1).
[[nodiscard]] std::optional<std::int64_t> integer(dom::element element);

[[nodiscard]] std::uint32_t count_code_points(std::string_view utf8);

}  // namespace waystation::json

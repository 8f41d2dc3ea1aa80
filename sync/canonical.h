// Canonical JSON (RFC 8785): one text for one value. It is what values are compared by, what the
// digest covers, and what the device log keeps. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sync/result.h"

namespace waystation {

// Appends `text` (UTF-8) as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

// Appends a finite double as ECMAScript would print it.
void append_json_number(std::string& out, double number);

// The canonical text of a JSON document. Errors: kJsonInvalid, kJsonUtf8, kJsonNumber,
// kJsonTooDeep, kJsonDuplicateKey.
[[nodiscard]] Result<std::string> canonicalize(std::string_view json);

// Less-than on UTF-8 text in the order of its UTF-16 code units, as RFC 8785 sorts keys.
[[nodiscard]] bool utf16_less(std::string_view a, std::string_view b);

}  // namespace waystation

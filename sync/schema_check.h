// What one version of a collection has against an op. Internal to sync/. Pure; any thread.
#pragma once

#include <optional>

#include "sync/schema.h"

namespace waystation {

// Whether the op was written under this very version, or under one that this server does not know:
// then only what no version can change is held against it.
enum class Held : std::uint8_t { kToAll, kToTheUnchanging };

[[nodiscard]] std::optional<Refusal> check_value(const FieldSpec& spec, const Value& value);
[[nodiscard]] std::optional<Refusal> check_op(const Collection& collection, const Op& op,
                                              Author author, Held held);

}  // namespace waystation

// One step of an op's way from the version that it was written under to the current one:
// docs/merge-rules.md, "Schema versions". No value is dropped: what a step cannot place is kept
// under `<field>_v<version before>`. Internal to sync/. Pure; any thread.
#pragma once

#include <optional>

#include "sync/schema.h"

namespace waystation {

// Makes an op of the version `before` one of the version `after`, which is the next one: the same
// collection's, or of the one that its records moved to.
void carry_forward(Op& op, const Collection& before, const Collection& after);

// The value as one of that type; nothing where that would lose what it says.
[[nodiscard]] std::optional<Value> converted(const Value& value, FieldType type);

}  // namespace waystation

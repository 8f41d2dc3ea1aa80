// Policies for a simulation: rules drawn from the seed, that hold for the oldest and for the newest
// schemas. Pure.
#pragma once

#include <memory>
#include <string>

#include "sync/policy.h"
#include "tools/simulate/random.h"
#include "tools/simulate/schema_sets.h"

namespace waystation::simulate {

// The text of a policy file. The office sees and does everything.
[[nodiscard]] std::string draw_policy(Random& random, const SchemaSets& schemas);

[[nodiscard]] std::shared_ptr<const Policy> policy_for(const std::string& text,
                                                       const Schemas& schemas);

}  // namespace waystation::simulate

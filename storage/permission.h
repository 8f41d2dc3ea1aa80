// Whether a device may do what an op does: its standing, its scopes, its role. The writer judges by
// this, and whoever asks why is told by this. In the order in which a verdict is found; each looks
// at what it is given alone. Pure; any thread.
#pragma once

#include <optional>

#include "storage/codec.h"
#include "sync/op.h"
#include "sync/policy.h"

namespace waystation {

// What a draining device writes after that is refused.
[[nodiscard]] std::optional<Refusal> check_standing(const Account& account, const Written& written);

// `there`: the scope exists. Who does not hold it is not told that.
[[nodiscard]] std::optional<Refusal> check_scope(const Account& account, const Op& op,
                                                 const Written& written, bool there);

// By a role that was held when the op was written (law 7). `makes_it`: Record::made_by.
[[nodiscard]] std::optional<Refusal> check_policy(const Policy& policy, const Account& account,
                                                  const Op& op, const Written& written,
                                                  bool makes_it);

}  // namespace waystation

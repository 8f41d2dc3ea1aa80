// Where a record leads that was merged into another. docs/merge-rules.md, "Duplicates". Pure: the
// records are looked up by the caller. Any thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sync/result.h"

namespace waystation {

// Of one record: whether it is there, and the id that its redirect field shows (empty: none).
struct RedirectStep {
  bool there = false;
  std::string into;
};

struct Redirected {
  std::string id;                 // the end of the chain
  std::vector<std::string> from;  // the ids on the way to it, from the one that was asked for
};

// Follows the redirects from `id`. A chain goes to its end; a ring, which two people make who merge
// at once, ends at its smallest id; one that leads to a record that is not there ends before it.
// Errors: what `look_up` fails with; kMessageInvalid for a chain longer than limits::kRedirects.
[[nodiscard]] Result<Redirected> follow_redirects(
    const std::string& id,
    const std::function<Result<RedirectStep>(const std::string& id)>& look_up);

}  // namespace waystation

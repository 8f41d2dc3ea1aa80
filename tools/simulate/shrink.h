// From a failing simulation to a smaller one that fails in the same way: the shortest failing
// prefix that was found, then with fewer kinds of faults and fewer devices. Pure, but for the runs.
#pragma once

#include <cstddef>
#include <functional>

#include "tools/simulate/plan.h"
#include "tools/simulate/simulation.h"

namespace waystation::simulate {

struct Shrunk {
  Request request;
  Outcome outcome;
  std::size_t runs = 0;  // that it took
};

using Runner = std::function<Outcome(const Request&)>;

// `outcome` is what `request` came to: a failure. At most `most_runs` runs.
[[nodiscard]] Shrunk shrink(const Request& request, const Outcome& outcome, const Runner& run,
                            std::size_t most_runs);

}  // namespace waystation::simulate

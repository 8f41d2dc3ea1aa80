// Time as the measurements take it.
#pragma once

#include <chrono>
#include <vector>

namespace waystation::load {

using SteadyClock = std::chrono::steady_clock;
using TimePoint = SteadyClock::time_point;

[[nodiscard]] double seconds_between(TimePoint from, TimePoint to);
[[nodiscard]] double milliseconds_between(TimePoint from, TimePoint to);

// The value below which `share` (0 … 1) of the samples lie. Sorts them; at least one.
[[nodiscard]] double percentile(std::vector<double>& samples, double share);

// What all processes together, and this one alone, have used of the processors since they started.
[[nodiscard]] double machine_cpu_seconds();
[[nodiscard]] double own_cpu_seconds();

}  // namespace waystation::load

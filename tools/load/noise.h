// Others on the machine: waiting until they are quiet, and what they took while something was
// measured.
#pragma once

#include <algorithm>
#include <string>
#include <thread>

#include "tools/load/clock.h"
#include "tools/load/measured_server.h"
#include "tools/load/report.h"

namespace waystation::load {

// Returns when others have used less than a tenth of a core for one second, or after `patience`.
inline void wait_for_quiet(std::chrono::seconds patience) {
  constexpr double kQuietCores = 0.1;
  const TimePoint deadline = SteadyClock::now() + patience;
  while (SteadyClock::now() < deadline) {
    const double before = machine_cpu_seconds();
    std::this_thread::sleep_for(std::chrono::seconds(1));
    if (machine_cpu_seconds() - before < kQuietCores) return;
  }
}

class NoiseGauge {
 public:
  explicit NoiseGauge(const MeasuredServer& server) : server_(server) {}

  // Percent of one core since the construction.
  void add_to(Report& report, const std::string& workload) const {
    const double wall = seconds_between(start_, SteadyClock::now());
    const double others = (machine_cpu_seconds() - machine_) - (own_cpu_seconds() - own_) -
                          (server_.cpu_seconds() - server_cpu_);
    report.add(workload, "others on the machine, % of a core", 100 * std::max(others, 0.0) / wall);
  }

 private:
  const MeasuredServer& server_;
  TimePoint start_ = SteadyClock::now();
  double machine_ = machine_cpu_seconds();
  double own_ = own_cpu_seconds();
  double server_cpu_ = server_.cpu_seconds();
};

}  // namespace waystation::load

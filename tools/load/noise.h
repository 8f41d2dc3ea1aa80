// What others on the machine took of it while something was measured.
#pragma once

#include <algorithm>
#include <string>

#include "tools/load/clock.h"
#include "tools/load/report.h"
#include "tools/load/server_process.h"

namespace waystation::load {

class NoiseGauge {
 public:
  explicit NoiseGauge(const ServerProcess& server) : server_(server) {}

  // Percent of one core since the construction.
  void add_to(Report& report, const std::string& workload) const {
    const double wall = seconds_between(start_, SteadyClock::now());
    const double others = (machine_cpu_seconds() - machine_) - (own_cpu_seconds() - own_) -
                          (server_.cpu_seconds() - server_cpu_);
    report.add(workload, "others on the machine, % of a core", 100 * std::max(others, 0.0) / wall);
  }

 private:
  const ServerProcess& server_;
  TimePoint start_ = SteadyClock::now();
  double machine_ = machine_cpu_seconds();
  double own_ = own_cpu_seconds();
  double server_cpu_ = server_.cpu_seconds();
};

}  // namespace waystation::load

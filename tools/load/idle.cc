// Idle: many are connected and nothing happens.

#include <fmt/format.h>
#include <sys/resource.h>

#include "tools/load/fleet.h"
#include "tools/load/workloads.h"

namespace waystation::load {
namespace {

constexpr std::size_t kRecords = 100;
constexpr std::size_t kValueBytes = 28;
constexpr std::size_t kOtherFiles = 100;

void raise_descriptor_limit(std::size_t connections) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < connections + kOtherFiles) {
    throw std::runtime_error(
        fmt::format("{} connections need more open files than {}", connections, limit.rlim_cur));
  }
}

}  // namespace

void idle(const Settings& settings, std::size_t count, Report& report) {
  const std::string workload = fmt::format("idle, {} devices", count);
  raise_descriptor_limit(count);
  MeasuredServer server(settings.program, settings.folder);
  Loop loop;
  Fleet fleet(loop, server);
  Renderer renderer(settings.seed, kValueBytes);
  std::vector<KnownRecord> records = numbered_records(kRecords);
  fleet.create(records, renderer);
  const Devices devices = fleet.enroll(count);
  server.settle();

  const double before = server.resident_kib();
  const TimePoint start = SteadyClock::now();
  fleet.connect(devices);
  const double connected_s = seconds_between(start, SteadyClock::now());
  server.settle();
  const double connected = server.resident_kib();
  fleet.catch_up(devices);
  server.settle();
  const double after = server.resident_kib();

  const auto each = [&](double kib) { return kib / static_cast<double>(count); };
  report.add(workload, "server resident, KiB/connection", each(after - before), "< 25");
  report.add(workload, "of which before the first pull", each(connected - before));
  report.add(workload, "connect and hello, connections/s",
             static_cast<double>(count) / connected_s);
}

}  // namespace waystation::load

// Catch-up: a new device takes in a whole scope; one that was away takes in what it missed.

#include <fmt/format.h>

#include <algorithm>

#include "sync/limits.h"
#include "tools/load/fleet.h"
#include "tools/load/noise.h"
#include "tools/load/workloads.h"

namespace waystation::load {
namespace {

// A record of eight such fields is about 180 bytes on the wire.
constexpr std::size_t kValueBytes = 8;
constexpr std::size_t kImporters = 4;
constexpr std::size_t kChanged = 1000;

// Large pushes over several connections, one on its way in each. The seqs are not kept: the edits
// that follow are the office's own, which has seen what it wrote.
class Import {
 public:
  Import(Fleet& fleet, Loop& loop, std::vector<KnownRecord>& records, Renderer& renderer)
      : loop_(loop), records_(records), renderer_(renderer), devices_(fleet.enroll(kImporters)) {
    fleet.connect(devices_);
  }

  void run() {
    for (const auto& device : devices_) {
      device->on_receipt([this](Device& importer, std::string_view text) {
        const std::size_t ops = count_of(text, "\"n\":");
        check_receipt(text, ops);
        done_ += ops;
        push_next(importer);
      });
      push_next(*device);
    }
    loop_.run_until(
        "the import", [this] { return done_ == records_.size(); }, std::chrono::seconds(1200));
  }

 private:
  void push_next(Device& device) {
    std::vector<std::string> ops;
    while (next_ < records_.size() && ops.size() < limits::kOpsPerPush) {
      ops.push_back(renderer_.creation(device.next_n()++, records_[next_++]));
    }
    if (!ops.empty()) device.push(push_frame(ops));
  }

  Loop& loop_;
  std::vector<KnownRecord>& records_;
  Renderer& renderer_;
  Devices devices_;
  std::size_t next_ = 0;
  std::size_t done_ = 0;
};

struct Pulled {
  double seconds = 0;
  std::size_t records = 0;
  std::uint64_t bytes = 0;
};

// Connects, says hello and pulls to the end: what the person who holds the device waits for.
Pulled pull_all(Loop& loop, const MeasuredServer& server, Device& device) {
  Pulled pulled;
  device.on_changes([&](Device&, std::string_view text) {
    pulled.records += count_of(text, R"("coll":)");
    pulled.bytes += text.size();
  });
  const TimePoint start = SteadyClock::now();
  device.connect(server.endpoint(), [](Device& greeted) { greeted.pull(); });
  loop.run_until("the last page", [&] { return device.caught_up(); });
  pulled.seconds = seconds_between(start, SteadyClock::now());
  device.disconnect();
  return pulled;
}

void expect(std::size_t records, std::size_t wanted) {
  if (records == wanted) return;
  throw std::runtime_error(fmt::format("{} records came, not {}", records, wanted));
}

// Another thousand records, spread over the scope, are edited.
void change_some(Fleet& fleet, const std::vector<KnownRecord>& records, Renderer& renderer) {
  std::vector<std::string> ops;
  const std::size_t step = records.size() / kChanged;
  const std::size_t offset = renderer.pick(step);
  for (std::size_t i = 0; i < kChanged; ++i) {
    ops.push_back(renderer.edit(fleet.office().next_n()++, records[offset + i * step]));
  }
  fleet.push(fleet.office(), ops);
}

}  // namespace

void catch_up(const Settings& settings, std::size_t count, int runs, Report& report) {
  const std::string workload =
      fmt::format("catch-up, {} records", with_commas(static_cast<double>(count)));
  MeasuredServer server(settings.program, settings.folder);
  Loop loop;
  Fleet fleet(loop, server);
  Renderer renderer(settings.seed, kValueBytes);
  std::vector<KnownRecord> records = numbered_records(count);
  {
    Import import(fleet, loop, records, renderer);
    const TimePoint start = SteadyClock::now();
    import.run();
    report.add(workload, "set-up by pushes, s", seconds_between(start, SteadyClock::now()));
  }
  const Devices devices = fleet.enroll(static_cast<std::size_t>(runs));
  for (const auto& device : devices) {
    server.settle();
    server.forget_peak();
    const double resident = server.resident_kib();
    const NoiseGauge noise(server);
    const Pulled fresh = pull_all(loop, server, *device);
    noise.add_to(report, workload);
    const double peak = server.peak_resident_kib();
    expect(fresh.records, count + 1);  // and the scope's own
    report.add(workload, "new device, s", fresh.seconds, count == 100'000 ? "< 0.7" : "");
    report.add(workload, "new device, records/s",
               static_cast<double>(fresh.records) / fresh.seconds);
    report.add(workload, "new device, MB/s",
               static_cast<double>(fresh.bytes) / 1e6 / fresh.seconds);
    report.add(workload, "bytes a record",
               static_cast<double>(fresh.bytes) / static_cast<double>(fresh.records));
    report.add(workload, "server resident before, MiB", resident / 1024);
    report.add(workload, "server peak growth, MiB", (peak - resident) / 1024);

    change_some(fleet, records, renderer);
    server.settle();
    const Pulled missed = pull_all(loop, server, *device);
    expect(missed.records, kChanged);
    report.add(workload, "away for 1,000 changes, ms", missed.seconds * 1e3, "< 50");
  }
}

}  // namespace waystation::load

// After the event: everybody comes online at once and hands in what was recorded.

#include <fmt/format.h>

#include <algorithm>

#include "tools/load/fleet.h"
#include "tools/load/noise.h"
#include "tools/load/workloads.h"

namespace waystation::load {
namespace {

constexpr std::size_t kRecords = 1000;
constexpr std::size_t kEditsPerDevice = 50;
// So that the edits of an op are about 120 bytes of JSON.
constexpr std::size_t kValueBytes = 28;

// What happens between the first push and the last device's having all.
class Rush {
 public:
  Rush(const Devices& devices, bool subscribed) : devices_(devices) {
    for (const auto& device : devices) {
      device->on_receipt([this](Device&, std::string_view text) { take_receipt(text); });
      if (!subscribed) continue;
      device->on_changes([this](Device& reader, std::string_view) { take_changes(reader); });
    }
  }

  [[nodiscard]] bool all_receipts() const { return receipts_ == devices_.size(); }
  [[nodiscard]] bool all_have_all() const { return all_receipts() && behind_ == 0; }
  [[nodiscard]] TimePoint last_receipt() const { return last_receipt_; }
  [[nodiscard]] TimePoint first_receipt() const { return first_receipt_; }
  [[nodiscard]] TimePoint last_changes() const { return last_changes_; }
  [[nodiscard]] std::size_t messages() const { return messages_; }

 private:
  void take_receipt(std::string_view text) {
    check_receipt(text, kEditsPerDevice);
    final_seq_ = std::max(final_seq_, last_number(text, R"("seq":)"));
    last_receipt_ = SteadyClock::now();
    if (receipts_++ == 0) first_receipt_ = last_receipt_;
    if (!all_receipts()) return;
    behind_ = static_cast<std::size_t>(
        std::count_if(devices_.begin(), devices_.end(),
                      [this](const auto& device) { return device->newest() < final_seq_; }));
  }

  void take_changes(Device& reader) {
    ++messages_;
    if (!all_receipts() || reader.newest() < final_seq_) return;
    reader.on_changes({});
    --behind_;
    last_changes_ = SteadyClock::now();
  }

  const Devices& devices_;
  std::size_t receipts_ = 0;
  std::size_t behind_ = 0;
  std::size_t messages_ = 0;
  Seq final_seq_ = 0;
  TimePoint first_receipt_;
  TimePoint last_receipt_;
  TimePoint last_changes_;
};

std::vector<std::string> render_pushes(const Devices& devices, Renderer& renderer,
                                       const std::vector<KnownRecord>& records) {
  std::vector<std::string> frames;
  for (const auto& device : devices) {
    std::vector<std::string> ops;
    for (std::size_t i = 0; i < kEditsPerDevice; ++i) {
      ops.push_back(renderer.edit(device->next_n()++, records[renderer.pick(records.size())]));
    }
    frames.push_back(push_frame(ops));
  }
  return frames;
}

std::uint64_t received(const Devices& devices) {
  std::uint64_t bytes = 0;
  for (const auto& device : devices) bytes += device->bytes_received();
  return bytes;
}

}  // namespace

void after_event(const Settings& settings, std::size_t count, bool subscribed, Report& report) {
  const std::string workload =
      fmt::format("after the event, {}{}", count, subscribed ? ", all live" : "");
  MeasuredServer server(settings.program, settings.folder);
  Loop loop;
  Fleet fleet(loop, server);
  Renderer renderer(settings.seed, kValueBytes);
  std::vector<KnownRecord> records = numbered_records(kRecords);
  fleet.create(records, renderer);
  const Devices devices = fleet.enroll(count);
  fleet.connect(devices);
  if (subscribed) fleet.catch_up(devices);
  std::vector<std::string> frames = render_pushes(devices, renderer, records);
  server.settle();

  Rush rush(devices, subscribed);
  const std::uint64_t bytes_before = received(devices);
  const NoiseGauge noise(server);
  const double cpu_before = server.cpu_seconds();
  const double own_before = own_cpu_seconds();
  const TimePoint start = SteadyClock::now();
  for (std::size_t i = 0; i < count; ++i) devices[i]->push(std::move(frames[i]));
  loop.run_until("all receipts", [&] { return rush.all_receipts(); });
  const double cpu_receipts = server.cpu_seconds();
  loop.run_until("all changes", [&] { return !subscribed || rush.all_have_all(); });
  const double cpu_after = server.cpu_seconds();
  const double own_after = own_cpu_seconds();
  noise.add_to(report, workload);

  const auto edits = static_cast<double>(count * kEditsPerDevice);
  const double seconds = seconds_between(start, rush.last_receipt());
  report.add(workload, "edits/s, by the last receipt", edits / seconds,
             count == 200 ? (subscribed ? "≥ 10,000" : "≥ 30,000") : "");
  report.add(workload, "first receipt, ms", milliseconds_between(start, rush.first_receipt()));
  report.add(workload, "last receipt, ms", seconds * 1e3);
  report.add(workload, "server CPU, µs/edit", (cpu_receipts - cpu_before) * 1e6 / edits);
  if (subscribed) {
    // A device whose last changes came before the last receipt had all by then.
    const TimePoint all = std::max(rush.last_receipt(), rush.last_changes());
    report.add(workload, "every device has all, ms", milliseconds_between(start, all));
    report.add(workload, "server CPU until then, µs/edit", (cpu_after - cpu_before) * 1e6 / edits);
    report.add(workload, "messages of changes per device",
               static_cast<double>(rush.messages()) / static_cast<double>(count));
    report.add(workload, "received by all, MB",
               static_cast<double>(received(devices) - bytes_before) / 1e6);
  }
  report.add(workload, "load generator CPU, µs/edit", (own_after - own_before) * 1e6 / edits);
  std::uint64_t busy = 0;
  for (const auto& device : devices) busy += device->busy();
  if (busy > 0) report.add(workload, "pushes told to come back", static_cast<double>(busy));
}

}  // namespace waystation::load

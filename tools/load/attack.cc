// Honest devices edit while others attack: how long until they have their receipts.

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "tools/load/attackers.h"
#include "tools/load/fleet.h"
#include "tools/load/workloads.h"

namespace waystation::load {
namespace {

constexpr std::size_t kHonest = 20;
constexpr std::size_t kRecords = 200;
constexpr std::size_t kValueBytes = 28;
constexpr auto kBetweenEdits = std::chrono::milliseconds(5);  // of all together
constexpr auto kOnset = std::chrono::milliseconds(1500);      // of an attack, before it is measured

// This machine's own connections count, so that attackers and devices are held apart by address.
constexpr const char* kSettings = "limit_loopback = true\n";

// The devices edit in turn, at a steady pace whether or not receipts come.
class Editing {
 public:
  Editing(Loop& loop, const Devices& devices, const std::vector<KnownRecord>& records,
          Renderer& renderer)
      : loop_(loop),
        timer_(loop.context()),
        devices_(devices),
        records_(records),
        renderer_(renderer) {}

  // Latencies in ms of so many edits.
  std::vector<double> run(std::size_t edits) {
    std::vector<double> samples;
    std::vector<TimePoint> sent(devices_.size());
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      devices_[i]->on_receipt([&, i](Device&, std::string_view text) {
        check_receipt(text, 1);
        samples.push_back(milliseconds_between(sent[i], SteadyClock::now()));
        sent[i] = {};
      });
    }
    std::size_t next = 0;
    std::function<void()> edit = [&] {
      if (next >= edits) return;
      Device& device = *devices_[next % devices_.size()];
      TimePoint& at = sent[next % devices_.size()];
      ++next;
      // One that still waits keeps its turn for its receipt, which then counts as what it took.
      if (at == TimePoint{}) {
        at = SteadyClock::now();
        const KnownRecord& record = records_[renderer_.pick(records_.size())];
        device.push(push_frame({renderer_.edit(device.next_n()++, record)}));
      }
      timer_.expires_at(timer_.expiry() + kBetweenEdits);
      timer_.async_wait([&](const ErrorCode& error) {
        if (!error) edit();
      });
    };
    timer_.expires_at(SteadyClock::now());
    edit();
    loop_.run_until("all receipts", [&] {
      return next >= edits &&
             std::all_of(sent.begin(), sent.end(), [](TimePoint at) { return at == TimePoint{}; });
    });
    for (const auto& device : devices_) device->on_receipt({});
    return samples;
  }

 private:
  Loop& loop_;
  asio::steady_timer timer_;
  const Devices& devices_;
  const std::vector<KnownRecord>& records_;
  Renderer& renderer_;
};

}  // namespace

void attack(const Settings& settings, std::size_t edits, Report& report) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  // Each attack has a server of its own: an address that was shut out would attack no more.
  const auto measure = [&](const Attack* attack) {
    MeasuredServer server(settings.program, settings.folder, kSettings);
    Loop loop;
    Fleet fleet(loop, server);
    Renderer renderer(settings.seed, kValueBytes);
    std::vector<KnownRecord> records = numbered_records(kRecords);
    fleet.create(records, renderer);
    const Devices devices = fleet.enroll(kHonest);
    fleet.connect(devices);
    const Devices stolen = fleet.enroll(1);
    const Target target{server.endpoint().port(), stolen.front()->hello_text()};
    server.settle();
    std::optional<UnderAttack> under;
    if (attack != nullptr) {
      under.emplace(*attack, target);
      std::this_thread::sleep_for(kOnset);
    }
    Editing editing(loop, devices, records, renderer);
    std::vector<double> samples = editing.run(edits);
    under.reset();
    const std::string what = attack == nullptr ? "none" : attack->name;
    report.add("under attack: " + what, "honest receipt, p50, ms", percentile(samples, 0.5));
    report.add("under attack: " + what, "honest receipt, p99, ms", percentile(samples, 0.99));
  };
  measure(nullptr);
  for (const Attack& one : attacks()) {
    fmt::print(stderr, "  {}\n", one.name);
    measure(&one);
  }
}

}  // namespace waystation::load

// Live: one writes, all others watch.

#include <fmt/format.h>

#include <algorithm>

#include "tools/load/fleet.h"
#include "tools/load/noise.h"
#include "tools/load/workloads.h"

namespace waystation::load {
namespace {

constexpr std::size_t kRecords = 1000;
constexpr std::size_t kValueBytes = 28;
constexpr auto kBetweenEdits = std::chrono::milliseconds(20);

// When a reader's newest seq rose, and to what. Latencies are worked out afterwards: a reader may
// have an edit before the writer knows its seq.
struct Sight {
  TimePoint at;
  Seq newest;
};

struct Writing {
  asio::steady_timer timer;
  Device& writer;
  std::vector<std::string> frames;
  std::vector<TimePoint> sent;
  std::vector<Seq> seqs;

  void next() {
    if (sent.size() == frames.size()) return;
    sent.push_back(SteadyClock::now());
    writer.push(std::move(frames[sent.size() - 1]));
    timer.expires_at(timer.expiry() + kBetweenEdits);
    timer.async_wait([this](const ErrorCode& error) {
      if (!error) next();
    });
  }
};

std::vector<double> latencies(const Writing& writing,
                              const std::vector<std::vector<Sight>>& sights) {
  std::vector<double> samples;
  for (const std::vector<Sight>& seen : sights) {
    auto sight = seen.begin();
    for (std::size_t i = 0; i < writing.seqs.size(); ++i) {
      while (sight->newest < writing.seqs[i]) ++sight;
      samples.push_back(milliseconds_between(writing.sent[i], sight->at));
    }
  }
  return samples;
}

}  // namespace

void live(const Settings& settings, std::size_t readers, std::size_t edits, Report& report) {
  const std::string workload = fmt::format("live, {} readers", readers);
  MeasuredServer server(settings.program, settings.folder);
  Loop loop;
  Fleet fleet(loop, server);
  Renderer renderer(settings.seed, kValueBytes);
  std::vector<KnownRecord> records = numbered_records(kRecords);
  fleet.create(records, renderer);
  const Devices devices = fleet.enroll(readers);
  const Devices writers = fleet.enroll(1);
  fleet.connect(devices);
  fleet.connect(writers);
  fleet.catch_up(devices);

  std::vector<std::vector<Sight>> sights(readers);
  for (std::size_t i = 0; i < readers; ++i) {
    sights[i].reserve(edits + 1);
    devices[i]->on_changes([&seen = sights[i]](Device& reader, std::string_view) {
      seen.push_back(Sight{SteadyClock::now(), reader.newest()});
    });
  }
  Writing writing{asio::steady_timer(loop.context()), *writers.front(), {}, {}, {}};
  for (std::size_t i = 0; i < edits; ++i) {
    const KnownRecord& record = records[renderer.pick(records.size())];
    writing.frames.push_back(push_frame({renderer.edit(writing.writer.next_n()++, record)}));
  }
  writing.writer.on_receipt([&](Device&, std::string_view text) {
    check_receipt(text, 1);
    writing.seqs.push_back(last_number(text, R"("seq":)"));
  });
  server.settle();

  const NoiseGauge noise(server);
  const double cpu_before = server.cpu_seconds();
  writing.timer.expires_at(SteadyClock::now());
  writing.next();
  loop.run_until("all readers", [&] {
    if (writing.seqs.size() < edits) return false;
    return std::all_of(devices.begin(), devices.end(),
                       [&](const auto& device) { return device->newest() >= writing.seqs.back(); });
  });
  const double cpu = server.cpu_seconds() - cpu_before;
  noise.add_to(report, workload);

  std::vector<double> samples = latencies(writing, sights);
  report.add(workload, "send to receive, p50, ms", percentile(samples, 0.5));
  report.add(workload, "send to receive, p99, ms", percentile(samples, 0.99), "< 10");
  report.add(workload, "send to receive, highest, ms", samples.back());
  report.add(workload, "server CPU, µs/edit/reader",
             cpu * 1e6 / static_cast<double>(edits) / static_cast<double>(readers));
}

}  // namespace waystation::load

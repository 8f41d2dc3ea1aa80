// The load generator behind tools/bench: runs the workloads against servers of its own over the
// real wire, and prints one table.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <exception>
#include <fstream>
#include <iterator>

#include "tools/load/noise.h"
#include "tools/load/workloads.h"

namespace waystation::load {
namespace {

struct Options {
  Settings settings;
  int runs = 5;
  std::vector<std::string> only;
  bool quick = false;
  bool full = false;
  int wait_quiet_s = 0;
  std::string json;

  [[nodiscard]] bool wanted(const char* workload) const {
    return only.empty() || std::find(only.begin(), only.end(), workload) != only.end();
  }
};

std::string load_average() {
  std::ifstream file("/proc/loadavg");
  std::string one;
  file >> one;
  return one;
}

void run_all(const Options& options, Report& report) {
  const Settings& settings = options.settings;
  const std::chrono::seconds patience(options.wait_quiet_s);
  const auto repeat = [&](const char* what, auto run) {
    for (int i = 0; i < options.runs; ++i) {
      fmt::print(stderr, "{}, run {} of {}\n", what, i + 1, options.runs);
      wait_for_quiet(patience);
      run();
    }
  };
  std::vector<std::size_t> rushes{200};
  if (options.full) rushes = {50, 200, 1000};
  for (const std::size_t devices : rushes) {
    for (const bool subscribed : {false, true}) {
      if (!options.wanted("after")) continue;
      repeat("after the event", [&] { after_event(settings, devices, subscribed, report); });
    }
  }
  if (options.wanted("live")) {
    repeat("live", [&] { live(settings, 200, options.quick ? 100 : 250, report); });
  }
  std::vector<std::size_t> sizes{100'000};
  if (!options.quick) sizes.push_back(1'000'000);
  for (const std::size_t records : sizes) {
    if (!options.wanted("catchup")) continue;
    fmt::print(stderr, "catch-up, {} records\n", records);
    wait_for_quiet(patience);
    catch_up(settings, records, options.runs, report);
  }
  if (options.wanted("idle")) {
    repeat("idle", [&] { idle(settings, options.quick ? 1000 : 5000, report); });
  }
  if (options.wanted("attack")) {
    repeat("attack", [&] { attack(settings, options.quick ? 200 : 2000, report); });
  }
  if (options.wanted("photos")) {
    fmt::print(stderr, "photos\n");
    wait_for_quiet(patience);
    photos(settings, options.quick ? 64 : 10'240, report);
  }
  if (options.wanted("raw")) repeat("raw", [&] { raw(settings, report); });
}

int run_program(int argc, char** argv) {
  Options options;
  CLI::App app{"Measures a Waystation server under load, over the real wire"};
  app.add_option("--runs", options.runs, "Runs of each workload")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  app.add_option("--only", options.only, "after, live, catchup, idle, attack, photos, raw")
      ->delimiter(',')
      ->check(CLI::IsMember({"after", "live", "catchup", "idle", "attack", "photos", "raw"}));
  app.add_flag("--quick", options.quick, "One run, smaller: to see that it works");
  app.add_flag("--full", options.full, "After the event with 50 and 1,000 devices too");
  app.add_option("--wait-quiet", options.wait_quiet_s,
                 "Before each run wait, for at most this many seconds, until others are quiet");
  app.add_option("--seed", options.settings.seed, "Of the edits")->capture_default_str();
  app.add_option("--json", options.json, "Writes all samples to this file");
  app.add_option("--server", options.settings.program, "The waystation binary")->required();
  app.add_option("--folder", options.settings.folder, "For data; on the disk to be measured")
      ->required();
  CLI11_PARSE(app, argc, argv);
  if (options.quick) options.runs = 1;
  std::signal(SIGPIPE, SIG_IGN);

  const std::string load_before = load_average();
  Report report;
  run_all(options, report);
  fmt::print(
      "{}\n{} run(s), seed {}, load average before {}; server and load generator share the "
      "machine\n",
      report.table(), options.runs, options.settings.seed, load_before);
  if (!options.json.empty()) std::ofstream(options.json) << report.json();
  return 0;
}

}  // namespace
}  // namespace waystation::load

int main(int argc, char** argv) {
  try {
    return waystation::load::run_program(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench: {}\n", error.what());
    return 1;
  }
}

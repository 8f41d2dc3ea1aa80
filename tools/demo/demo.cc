// waystation demo: a day of the whole city, on real parts. A server of its own, the real divisions,
// 159 stations and 40 events, 300 devices that work apart from each other and come online at once;
// then every total against an independent count. Exit code 1 when anything differs.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <thread>

#include "server/secrets.h"
#include "storage/verify.h"
#include "tools/client/server_process.h"
#include "tools/commands.h"
#include "tools/demo/check.h"
#include "tools/demo/city.h"
#include "tools/demo/day.h"
#include "tools/demo/device.h"
#include "tools/open_store.h"

namespace waystation::cli {
namespace {

using demo::City;
using demo::Device;
using demo::Expected;
using demo::Random;
using SteadyClock = std::chrono::steady_clock;

struct DemoOptions {
  std::size_t devices = 300;
  std::size_t stations = 159;
  std::size_t events = 40;
  std::uint64_t seed = 1;
  std::string keep;  // a folder to keep the data in; empty: a temporary one
};

constexpr std::size_t kHands = 24;     // connections at the same time in the rush
constexpr std::size_t kLoseOneIn = 9;  // answers lost on the way
constexpr std::size_t kWrongClockOneIn = 8;
constexpr std::int64_t kHourMs = 3'600'000;

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

std::string local_day() {
  const std::time_t now = std::time(nullptr) + 8 * 3600;  // the city's zone has no summer time
  std::tm parts{};
  gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

// How far a device's calendar clock is off: mostly right, some by hours, some by decades.
std::int64_t draw_clock_error(Random& random) {
  if (demo::draw(random, kWrongClockOneIn) != 0) return 0;
  switch (demo::draw(random, 4)) {
    case 0: return -56 * 365 * 24 * kHourMs;  // about 1970
    case 1: return 73 * 365 * 24 * kHourMs;   // about 2099
    case 2: return -3 * kHourMs;
    default: return 8 * kHourMs;
  }
}

// The steps share what they work on; each says what it did.
class Demo {
 public:
  Demo(const DemoOptions& options, std::string schemas)
      : options_(options), schemas_(std::move(schemas)), random_(options.seed) {}

  int run() {
    if (auto prepared = prepare(); !prepared) return report(prepared.error());
    const auto steps = {&Demo::load_city, &Demo::enroll, &Demo::work, &Demo::rush, &Demo::settle};
    for (const auto step : steps) {
      if (auto done = (this->*step)(); !done) return report(done.error());
    }
    const bool good = check();
    const bool sound = verify_store();
    if (options_.keep.empty()) {
      std::filesystem::remove_all(folder_);
    } else {
      fmt::print("\nThe data stays in {0}: waystation serve --data {0}\n", folder_);
    }
    fmt::print("\n{}\n", good && sound ? "Every total and every digest agrees."
                                       : "SOMETHING DIFFERS: see above.");
    return good && sound ? 0 : 1;
  }

 private:
  Status prepare() {
    folder_ = options_.keep;
    if (folder_.empty()) {
      std::string pattern = std::filesystem::temp_directory_path() / "waystation-demo-XXXXXX";
      if (mkdtemp(pattern.data()) == nullptr) return Error{Code::kIo, "no temporary folder"};
      folder_ = pattern;
    }
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    if (std::filesystem::exists(folder_ + "/store", error)) {
      return Error{Code::kIo, folder_ + " holds a store already: the demo wants an empty folder"};
    }
    auto server = ServerProcess::start(own_path(), folder_, {"--log-level", "warn"});
    if (!server) return server.error();
    server_ = std::make_unique<ServerProcess>(std::move(*server));
    auto token = admin_token(folder_, false);
    if (!token) return token.error();
    token_ = std::move(*token);
    fmt::print("Waystation demo, seed {}: a server of its own on {}\n\n", options_.seed,
               server_->address());
    return {};
  }

  Status import(const std::string& file, const std::string& kind) {
    std::string output;
    const auto code = run_program({own_path(), "--data", folder_, "import", file, "--kind", kind,
                                   "--server", server_->address()},
                                  &output);
    if (!code) return code.error();
    if (*code != 0) return Error{Code::kIo, fmt::format("import of {} failed: {}", file, output)};
    return {};
  }

  Status load_city() {
    const auto start = SteadyClock::now();
    const std::string divisions = schemas_ + "/data/jieyang-divisions.csv";
    auto city = demo::make_city(divisions, folder_, local_day(), options_.stations, options_.events,
                                random_);
    if (!city) return city.error();
    city_ = std::move(*city);
    const std::pair<std::string, const char*> files[] = {{divisions, "divisions"},
                                                         {folder_ + "/stations.csv", "stations"},
                                                         {folder_ + "/events.csv", "events"},
                                                         {folder_ + "/roster.csv", "roster"}};
    for (const auto& [file, kind] : files) {
      if (auto imported = import(file, kind); !imported) return imported;
    }
    std::size_t people = 0;
    for (const demo::Event& event : city_.events) people += event.volunteers.size();
    fmt::print(
        "  {:6.2f} s  city loaded: 5 districts, 108 towns, 1,651 communities; {} stations, {} "
        "events, {} people on their rosters\n",
        seconds_since(start), city_.stations.size(), city_.events.size(), people);
    return {};
  }

  Status enroll_one(const std::string& scope, std::string_view role, const std::string& name) {
    auto enrolled = enroll_over_http(server_->address(), token_, {scope}, role, name);
    if (!enrolled) return enrolled.error();
    devices_.push_back(std::make_unique<Device>(std::move(*enrolled), server_->address(),
                                                draw_clock_error(random_), devices_.size()));
    return {};
  }

  // Two thirds are tablets at stations, the rest phones at events; each takes a first sync.
  Status enroll() {
    const auto start = SteadyClock::now();
    const std::size_t tablets = options_.devices * 2 / 3;
    at_station_.resize(city_.stations.size());
    at_event_.resize(city_.events.size());
    for (std::size_t i = 0; i < options_.devices; ++i) {
      const bool tablet = i < tablets;
      const std::size_t place =
          tablet ? i % city_.stations.size() : (i - tablets) % city_.events.size();
      const std::string& scope = tablet ? city_.stations[place].scope : city_.events[place].scope;
      if (auto done = enroll_one(scope, tablet ? kRoleStation : kRoleLead,
                                 fmt::format("{} {}", tablet ? "平板" : "手机", i + 1));
          !done) {
        return done;
      }
      (tablet ? at_station_[place] : at_event_[place]).push_back(devices_.back().get());
    }
    if (auto drafts = write_drafts(); !drafts) return drafts;
    if (auto synced = sync_all(0); !synced) return synced;
    fmt::print("  {:6.2f} s  {} devices enrolled over the wire, first sync done\n",
               seconds_since(start), devices_.size());
    return {};
  }

  // The office leaves a draft note at each event that has phones.
  Status write_drafts() {
    auto enrolled = enroll_over_http(server_->address(), token_, {"*"}, kRoleOffice, "办公室");
    if (!enrolled) return enrolled.error();
    Device office(std::move(*enrolled), server_->address(), 0, devices_.size());
    for (std::size_t i = 0; i < city_.events.size(); ++i) {
      const demo::Event& event = city_.events[i];
      if (at_event_[i].empty()) continue;
      office.edit(
          Draft{event.scope, "note", demo::draft_note_id(event), R"("set":{"text":"办公室草稿"})"});
    }
    return office.sync(random_, 0);
  }

  Status work() {
    const auto start = SteadyClock::now();
    for (std::size_t i = 0; i < city_.stations.size(); ++i) {
      demo::work_at_station(city_, city_.stations[i], at_station_[i], random_, expected_);
    }
    for (std::size_t i = 0; i < city_.events.size(); ++i) {
      if (at_event_[i].empty()) continue;
      demo::work_at_event(city_, city_.events[i], at_event_[i], random_, expected_);
    }
    fmt::print("  {:6.2f} s  a day apart from each other: {} edits wait on {} devices\n",
               seconds_since(start), expected_.edits, devices_.size());
    return {};
  }

  // All devices at once, from a few threads; each thread takes the next device.
  Status sync_all(std::size_t lose_one_in) {
    std::atomic<std::size_t> next = 0;
    std::mutex mutex;
    Status first;
    const auto hand = [&](std::uint64_t seed) {
      Random random(seed);
      for (std::size_t i = next++; i < devices_.size(); i = next++) {
        const Status done = devices_[i]->sync(random, lose_one_in);
        const std::lock_guard lock(mutex);
        if (!done.ok() && first.ok()) first = done;
      }
    };
    std::vector<std::thread> hands;
    for (std::size_t i = 0; i < kHands; ++i) hands.emplace_back(hand, options_.seed * 1000 + i);
    for (std::thread& thread : hands) thread.join();
    return first;
  }

  Status rush() {
    const auto start = SteadyClock::now();
    if (auto done = sync_all(kLoseOneIn); !done) return done;
    rush_seconds_ = seconds_since(start);
    std::uint64_t lost = 0;
    for (const auto& device : devices_) lost += device->lost_answers();
    fmt::print(
        "  {:6.2f} s  back online, all in one rush: {} edits handed in and acknowledged, {} "
        "answers lost on the way and asked for again\n",
        rush_seconds_, expected_.edits, lost);
    return {};
  }

  Status settle() {
    const auto start = SteadyClock::now();
    if (auto done = sync_all(0); !done) return done;
    fmt::print("  {:6.2f} s  everybody has everybody's edits\n\n", seconds_since(start));
    return {};
  }

  static bool failed(const Error& error) {
    report(error);
    return false;
  }

  void print_visits(const demo::Findings& findings) const {
    std::vector<std::pair<std::int64_t, const demo::Station*>> busiest;
    std::array<std::int64_t, demo::kHours> all{};
    for (const demo::Station& station : city_.stations) {
      std::int64_t sum = 0;
      const auto& hours = findings.visits.at(station.id);
      for (std::size_t hour = 0; hour < demo::kHours; ++hour) {
        sum += hours.at(hour);
        all.at(hour) += hours.at(hour);
      }
      busiest.emplace_back(sum, &station);
    }
    std::sort(busiest.rbegin(), busiest.rend());
    fmt::print("Visits by station and hour (the busiest of {})\n        ", city_.stations.size());
    for (std::size_t hour = 0; hour < demo::kHours; ++hour)
      fmt::print("{:5}h", demo::kFirstHour + hour);
    fmt::print("   day\n");
    const auto row = [](const std::string& id, const auto& hours, std::int64_t sum,
                        const std::string& name) {
      fmt::print("  {:<6}", id);
      for (const std::int64_t count : hours) fmt::print("{:6}", count);
      fmt::print("{:6}  {}\n", sum, name);
    };
    std::int64_t total = 0;
    for (std::size_t i = 0; i < busiest.size(); ++i) {
      total += busiest[i].first;
      const demo::Station& station = *busiest[i].second;
      if (i < 6) row(station.id, findings.visits.at(station.id), busiest[i].first, station.name);
    }
    row("all", all, total, "");
  }

  bool check() {
    const auto findings = demo::check_day(server_->address(), token_, city_, expected_, devices_);
    if (!findings) return failed(findings.error());
    print_visits(*findings);
    fmt::print("\nNothing is lost without a word, for example\n");
    for (const std::string& line : findings->sample_conflicts)
      fmt::print("  conflict    {}\n", line);
    for (const std::string& line : findings->sample_quarantine)
      fmt::print("  quarantine  {}\n", line);
    fmt::print("  {} devices had a wrong clock; their times were corrected\n\n",
               findings->wrong_clocks);
    bool good = true;
    fmt::print("{:<42}{:>12}{:>12}\n", "Against an independent count", "counted", "server");
    for (const demo::Check& check : findings->checks) {
      fmt::print("  {:<40}{:>12}{:>12}  {}\n", check.what, check.expected, check.found,
                 check.good() ? "ok" : "DIFFERS");
      good = good && check.good();
    }
    return good;
  }

  // Stops the server and checks the store from end to end.
  bool verify_store() {
    if (server_->stop() != 0) {
      fmt::print("the server did not end cleanly\n");
      return false;
    }
    Config config;
    config.data = folder_;
    const auto store = open_to_read(config);
    if (!store) return failed(store.error());
    const auto found = verify(**store, [](std::uint64_t) {});
    if (!found) return failed(found.error());
    fmt::print("  {:<40}{:>12}{:>12}  {}\n", "faults in the store (verify)", 0, found->faults,
               found->faults == 0 ? "ok" : "DIFFERS");
    for (const std::string& fault : found->first_faults) fmt::print("    {}\n", fault);
    return found->faults == 0;
  }

  const DemoOptions& options_;
  std::string schemas_;
  Random random_;
  std::string folder_;
  std::string token_;
  std::unique_ptr<ServerProcess> server_;
  City city_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::vector<std::vector<Device*>> at_station_;
  std::vector<std::vector<Device*>> at_event_;
  Expected expected_;
  double rush_seconds_ = 0;
};

}  // namespace

void add_demo(CLI::App& app, Options& options, Run& run) {
  auto chosen = std::make_shared<DemoOptions>();
  CLI::App* command = app.add_subcommand(
      "demo",
      "A day of the whole city: devices work apart, come online at once, and every total is "
      "held against an independent count");
  command->add_option("--devices", chosen->devices, "Phones and tablets")
      ->capture_default_str()
      ->check(CLI::Range(2, 5000));
  command->add_option("--stations", chosen->stations, "Rest stations")
      ->capture_default_str()
      ->check(CLI::Range(1, 999));
  command->add_option("--events", chosen->events, "Volunteer events")
      ->capture_default_str()
      ->check(CLI::Range(1, 999));
  command->add_option("--seed", chosen->seed, "Another seed, another day")->capture_default_str();
  command->add_option("--keep", chosen->keep, "Keep the data in this (new) folder");
  command->callback([&options, &run, chosen] {
    run = [&options, chosen] { return Demo(*chosen, schemas_folder(options.config)).run(); };
  });
}

}  // namespace waystation::cli

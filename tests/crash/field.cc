#include "tests/crash/field.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

namespace waystation::testing {
namespace {

constexpr std::size_t kBatch = 40;
constexpr std::size_t kPage = 500;

}  // namespace

std::uint64_t pick(Random& random, std::uint64_t below) {
  return std::uniform_int_distribution<std::uint64_t>(0, below - 1)(random);
}

Handheld::Handheld(const Enrolled& account, bool live)
    : replica_(account.device, account.token), live_(live) {
  replica_.keep_verdicts();
}

// Taps at a station's door, notes that several write, sign-ins with remarks, deletes, and now and
// then what must be refused.
void Handheld::write(Random& random) {
  const std::uint64_t kind = pick(random, 100);
  const std::string day = fmt::format("s1~2026-01-{:02}", 1 + pick(random, 9));
  const std::string note = fmt::format("n{}", pick(random, 12));
  Draft draft{kTown, "note", note, {}};
  if (kind < 50) {
    draft = Draft{kStation, "station_day", day,
                  fmt::format(R"("inc":{{"water":{},"courier":1}})", 1 + pick(random, 3))};
  } else if (kind < 70) {
    draft.edits = fmt::format(R"("set":{{"text":"水 {}"}})", pick(random, 1000));
  } else if (kind < 78) {
    draft.edits = fmt::format(R"("add":{{"tags":["t{}"]}})", pick(random, 5));
  } else if (kind < 82) {
    draft.edits = fmt::format(R"("remove":{{"tags":["t{}"]}})", pick(random, 5));
  } else if (kind < 86) {
    draft.edits = R"("del":true)";
  } else if (kind < 95) {
    draft.coll = "attendance";
    draft.id = fmt::format("e{}~v{}", pick(random, 4), pick(random, 4));
    draft.edits = fmt::format(R"("append":{{"remarks":["备注 {}"]}})", pick(random, 1000));
  } else if (kind < 97) {
    draft.scope = "nowhere";
    draft.edits = R"("set":{"text":"to nobody"})";
  } else {
    draft.edits = R"("set":{"done":"not a boolean"})";
  }
  replica_.edit(draft, clock_now());
}

void Handheld::write_something(Random& random) {
  const std::uint64_t count = pick(random, 6);
  for (std::uint64_t i = 0; i < count; ++i) write(random);
}

void Handheld::remember_ops(const std::string& frame) {
  const Json json = parse_json(frame);
  if (!json.contains("push")) return;
  for (const Json& op : json["push"]["ops"]) ops_.emplace(op["n"], op.dump());
}

bool Handheld::take(const std::string& frame) {
  const Json json = parse_json(frame);
  if (json.contains("receipt")) {
    for (const Json& result : json["receipt"]["results"]) {
      const std::uint64_t n = result["n"];
      const auto [at, fresh] = verdicts_.emplace(n, result.dump());
      if (!fresh && at->second != result.dump()) {
        faults_.push_back(at->second + " became " + result.dump());
      }
    }
  }
  const auto taken = replica_.receive(frame);
  if (taken.ok()) return true;
  if (taken.error().code != Code::kBusy) faults_.push_back(frame);
  return false;
}

bool Handheld::exchange(HttpClient& http) {
  const std::string frame = replica_.exchange(clock_now(), kBatch, kPage);
  remember_ops(frame);
  const auto answer = http.request("POST", "/v1/sync", frame);
  if (!answer) return false;
  take(answer->body);
  return true;
}

void Handheld::work(const TestServer& server, Random& random, std::size_t moments) {
  if (live_) return work_live(server, random, moments);
  HttpClient http(server.address());
  for (std::size_t i = 0; i < moments; ++i) {
    write_something(random);
    if (!exchange(http)) return;
  }
}

void Handheld::work_live(const TestServer& server, Random& random, std::size_t moments) {
  LiveOptions options;
  options.check_schemas = false;
  LiveClient live(server, options);
  if (!live.send(replica_.hello(clock_now()))) return;
  for (std::size_t i = 0; i < moments; ++i) {
    write_something(random);
    const std::string push = replica_.push(kBatch);
    if (!push.empty()) {
      remember_ops(push);
      if (!live.send(push)) return;
    }
    if (replica_.more() && !live.send(replica_.pull(kPage))) return;
    // Takes what is there; the receipt may come with one of the next exchanges.
    const auto frame = live.receive();
    if (!frame) return;
    take(*frame);
    while (const auto another = live.receive(std::chrono::milliseconds(1))) take(*another);
    if (!live.open()) return;
  }
}

bool Handheld::finish(const TestServer& server) {
  HttpClient http(server.address());
  for (int i = 0; i < 200; ++i) {
    if (!exchange(http)) return false;
    if (replica_.waiting() == 0 && !replica_.more()) return exchange(http);
  }
  return false;
}

std::map<std::uint64_t, std::string> Handheld::repeat(const TestServer& server,
                                                      const std::vector<std::uint64_t>& ns) {
  constexpr std::size_t kMost = 1000;
  std::map<std::uint64_t, std::string> results;
  HttpClient http(server.address());
  for (std::size_t from = 0; from < ns.size(); from += kMost) {
    std::string frame = replica_.hello(clock_now());
    frame.pop_back();
    frame += R"(,"push":{"ops":[)";
    for (std::size_t i = from; i < std::min(ns.size(), from + kMost); ++i) {
      if (i > from) frame += ',';
      frame += ops_.at(ns[i]);
    }
    frame += "]}}";
    const auto answer = http.request("POST", "/v1/sync", frame);
    if (!answer) return {};
    const Json json = parse_json(answer->body);
    if (!json.contains("receipt")) {
      faults_.push_back(answer->body);
      return {};
    }
    for (const Json& result : json["receipt"]["results"]) {
      results[result["n"]] = result.dump();
      verdicts_.emplace(result["n"], result.dump());
    }
  }
  return results;
}

}  // namespace waystation::testing

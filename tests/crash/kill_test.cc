// The server is killed at random moments while devices hand in: nothing that was acknowledged is
// lost, changed or applied twice.
//
// WS_CRASH_ROUNDS: how often (50). WS_CRASH_SEED: other moments and other ops.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <set>
#include <thread>

#include "storage/codec.h"
#include "storage/keys.h"
#include "storage/kv.h"
#include "storage/store.h"
#include "storage/verify.h"
#include "sync/canonical.h"
#include "sync/device_id.h"
#include "tests/crash/field.h"
#include "tools/open_store.h"

namespace waystation::testing {
namespace {

constexpr std::size_t kDevices = 20;
constexpr std::size_t kThreads = 4;
constexpr std::size_t kOlderRepeats = 20;  // of each device after each round

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Logged {
  std::string op;
  std::string verdict;
};

class Kill : public ::testing::Test {
 protected:
  Kill() {
    Office office(server_);
    office.make_scopes({kTown, kStation});
    for (std::size_t i = 0; i < kDevices; ++i) {
      const bool live = i % 2 == 1;
      field_.push_back(std::make_unique<Handheld>(office.enroll({kTown, kStation}), live));
    }
    told_.resize(kDevices, 0);
    server_.kill();
  }

  // All devices at work from a few threads, and the end in the midst of it.
  void work_until_the_kill(std::uint64_t round) {
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([this, round, t] {
        Random random(seed_ * 1'000'003 + round * 101 + t);
        // Devices come and go on their thread; after the kill each finds nobody there.
        for (std::size_t visit = 0; visit < 400 && !killed_; ++visit) {
          const std::size_t device = pick(random, kDevices / kThreads) * kThreads + t;
          field_[device]->work(server_, random, 1 + pick(random, 6));
        }
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5 + pick(moments_, 116)));
    server_.kill();
    killed_ = true;
    for (std::thread& thread : threads) thread.join();
    killed_ = false;
  }

  // A process that is killed while it opens the store.
  void kill_while_it_starts() {
    server_.launch();
    std::this_thread::sleep_for(std::chrono::milliseconds(5 + pick(moments_, 116)));
    server_.kill();
  }

  static std::map<std::uint64_t, Logged> log_of(const Store& store, const std::string& device) {
    const std::string prefix = keys::log_chunk(*parse_device_id(device), 0).substr(0, 8);
    auto rows = store.kv().iterate(Column::kDeviceLog, nullptr, keys::prefix_end(prefix));
    std::map<std::uint64_t, Logged> log;
    for (rows->seek(prefix); rows->valid(); rows->next()) {
      const auto chunk = decode_log_chunk(rows->value());
      EXPECT_TRUE(chunk.ok());
      if (!chunk) return log;
      std::uint64_t n = chunk->first_n;
      for (const LogEntry& entry : chunk->entries) {
        EXPECT_TRUE(log.emplace(n, Logged{entry.op, entry.verdict}).second) << "twice: " << n;
        ++n;
      }
    }
    return log;
  }

  // What the disk holds when nobody has it open.
  void look_into_the_store() {
    Config config;
    config.data = server_.data();
    const auto store = open_to_read(config);
    ASSERT_TRUE(store.ok()) << store.error().context;
    const auto report = verify(**store, [](std::uint64_t) {});
    ASSERT_TRUE(report.ok()) << report.error().context;
    EXPECT_EQ(report->faults, 0U) << ::testing::PrintToString(report->first_faults);
    for (const auto& handheld : field_) {
      const auto log = log_of(**store, handheld->replica().device());
      EXPECT_GE(log.size(), handheld->replica().applied()) << "a welcome told of more";
      for (const auto& [n, verdict] : handheld->verdicts()) {
        const auto at = log.find(n);
        ASSERT_NE(at, log.end()) << "acknowledged and lost: op " << n << " of "
                                 << handheld->replica().device() << ", " << verdict;
        EXPECT_EQ(at->second.verdict, verdict);
        EXPECT_EQ(at->second.op, canonicalize(handheld->ops().at(n)).value());
      }
    }
  }

  // The last ops of each device and some older ones, handed in again.
  void hand_in_again(bool all) {
    for (std::size_t i = 0; i < kDevices; ++i) {
      Handheld& handheld = *field_[i];
      std::set<std::uint64_t> ns;
      const std::uint64_t applied = handheld.replica().applied();
      for (std::uint64_t n = all ? 1 : told_[i] + 1; n <= applied; ++n) ns.insert(n);
      for (std::size_t k = 0; k < kOlderRepeats && told_[i] > 0; ++k) {
        ns.insert(1 + pick(moments_, told_[i]));
      }
      if (ns.empty()) continue;
      const auto results = handheld.repeat(server_, {ns.begin(), ns.end()});
      ASSERT_EQ(results.size(), ns.size());
      for (const std::uint64_t n : ns) EXPECT_EQ(results.at(n), handheld.verdicts().at(n));
      told_[i] = applied;
      EXPECT_TRUE(handheld.faults().empty()) << handheld.faults().front();
    }
  }

  // What the acknowledged incs come to, counted without the server.
  [[nodiscard]] std::map<std::string, std::map<std::string, std::int64_t>> counted() const {
    std::map<std::string, std::map<std::string, std::int64_t>> sums;
    for (const auto& handheld : field_) {
      for (const auto& [n, verdict] : handheld->verdicts()) {
        const Json op = parse_json(handheld->ops().at(n));
        if (verdict_code(parse_json(verdict)) != "ok" || !op.contains("inc")) continue;
        for (const auto& [field, by] : op["inc"].items()) {
          sums[op["id"]][field] += by.get<std::int64_t>();
        }
      }
    }
    return sums;
  }

  TestServer server_;
  std::uint64_t seed_ = setting("WS_CRASH_SEED", 20260101);
  Random moments_{seed_};
  std::vector<std::unique_ptr<Handheld>> field_;
  std::vector<std::uint64_t> told_;  // the highest n that was handed in again
  std::atomic<bool> killed_ = false;
};

TEST_F(Kill, WhatWasAcknowledgedIsThereOnceAndUnchangedAfterEveryKill) {
  const std::uint64_t rounds = setting("WS_CRASH_ROUNDS", 50);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    SCOPED_TRACE(fmt::format("round {} of seed {}", round, seed_));
    if (round % 5 == 4) kill_while_it_starts();
    server_.start();
    hand_in_again(false);
    work_until_the_kill(round);
    look_into_the_store();
    if (HasFailure()) return;
  }

  server_.start();
  for (const auto& handheld : field_) ASSERT_TRUE(handheld->finish(server_));
  hand_in_again(true);
  std::size_t acknowledged = 0;
  for (const auto& handheld : field_) {
    ASSERT_TRUE(handheld->finish(server_)) << "after all have handed in";
    const Replica& replica = handheld->replica();
    EXPECT_EQ(replica.applied(), replica.last_n());
    EXPECT_EQ(handheld->verdicts().size(), handheld->ops().size());
    EXPECT_EQ(replica.verdict_faults(), 0U);
    EXPECT_GT(replica.digests_checked(), 0U);
    EXPECT_TRUE(replica.digest_faults().empty()) << replica.digest_faults().front();
    EXPECT_TRUE(handheld->faults().empty());
    acknowledged += handheld->verdicts().size();
    for (const char* scope : {kTown, kStation}) {
      EXPECT_EQ(replica.digest(scope).hex(), field_[0]->replica().digest(scope).hex()) << scope;
    }
  }
  // The devices did get something done between the kills.
  EXPECT_GT(acknowledged, rounds);
  RecordProperty("acknowledged", static_cast<int>(acknowledged));

  Office office(server_);
  for (const auto& [day, fields] : counted()) {
    const Json record = office.record(kStation, "station_day", day);
    ASSERT_TRUE(record.is_object()) << day;
    for (const auto& [field, sum] : fields) {
      EXPECT_EQ(record["fields"].value(field, std::int64_t{0}), sum) << day << " " << field;
    }
  }
  EXPECT_EQ(server_.stop(), 0) << server_.log();
  look_into_the_store();
  if (server_.run({"verify", "--help"}) == 0) {
    EXPECT_EQ(server_.run({"verify"}), 0) << server_.log();
  }
}

TEST_F(Kill, AnEnrolmentWhoseAnswerWasLostIsRepeatedAfterTheKill) {
  server_.start();
  Office office(server_);
  const Json code =
      office.http()
          .call("POST", "/v1/codes", Json{{"scopes", {kTown}}, {"role", "office"}, {"uses", 1}})
          .body["code"];
  const Json request{{"code", code}, {"request", "a name for this attempt"}};
  const Reply first = HttpCaller(server_).call("POST", "/v1/enroll", request);
  ASSERT_EQ(first.status, 200);
  server_.kill();
  server_.start();
  const Reply again = HttpCaller(server_).call("POST", "/v1/enroll", request);
  ASSERT_EQ(again.status, 200) << again.text;
  EXPECT_EQ(again.body["device"], first.body["device"]);
  const Enrolled device{again.body["device"], again.body["token"]};
  EXPECT_EQ(HttpCaller(server_).sync(sync_body(device, {}, "")).status, 200);
  EXPECT_EQ(HttpCaller(server_).call("POST", "/v1/enroll", request).code(), "code.used");
}

}  // namespace
}  // namespace waystation::testing

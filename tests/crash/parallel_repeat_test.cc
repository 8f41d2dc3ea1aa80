// The same batch from eight connections at once: applied once, answered eight times alike.

#include <gtest/gtest.h>

#include <barrier>
#include <functional>
#include <thread>

#include "tests/process/live_client.h"
#include "tests/process/messages.h"

namespace waystation::testing {
namespace {

constexpr std::size_t kConnections = 8;
constexpr std::size_t kRounds = 5;
constexpr std::uint64_t kOps = 200;

class ParallelRepeat : public ::testing::Test {
 protected:
  ParallelRepeat() : office_(server_) {
    office_.make_scopes({"s"});
    device_ = office_.enroll({"s"});
  }

  static std::vector<Json> batch(std::uint64_t round) {
    std::vector<Json> ops;
    for (std::uint64_t i = 1; i <= kOps; ++i) {
      const std::uint64_t n = round * kOps + i;
      if (i % 50 == 0) {
        ops.push_back(op_of(n, "nowhere", "note", "n1", Json{{"set", {{"text", "refused"}}}}));
      } else {
        ops.push_back(op_of(n, "s", "station_day", "s~2026-01-01", Json{{"inc", {{"water", 1}}}}));
      }
    }
    return ops;
  }

  // Runs `send` on eight threads at once.
  static std::vector<std::string> at_once(const std::function<std::string(std::size_t)>& send) {
    std::vector<std::string> answers(kConnections);
    std::barrier start(static_cast<std::ptrdiff_t>(kConnections));
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kConnections; ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        answers[i] = send(i);
      });
    }
    for (std::thread& thread : threads) thread.join();
    return answers;
  }

  void expect_applied_once(std::uint64_t rounds) {
    const Json record = office_.record("s", "station_day", "s~2026-01-01");
    ASSERT_TRUE(record.is_object());
    EXPECT_EQ(record["fields"]["water"], rounds * (kOps - kOps / 50));
    const Json row = office_.device_row(device_);
    EXPECT_EQ(row["applied"], rounds * kOps);
    EXPECT_EQ(row["refused"], rounds * (kOps / 50));
    EXPECT_EQ(office_.quarantine(device_).size(), rounds * (kOps / 50));
  }

  TestServer server_;
  Office office_;
  Enrolled device_;
};

TEST_F(ParallelRepeat, OverHttpItIsAppliedOnceAndAllAnswersAreEqual) {
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    const std::string body = sync_body(device_, batch(round)).dump();
    const auto answers = at_once([&](std::size_t) {
      HttpClient http(server_.address());
      const auto answer = http.request("POST", "/v1/sync", body);
      return answer ? parse_json(answer->body)["receipt"].dump() : std::string("no answer");
    });
    const Json receipt = parse_json(answers[0]);
    expect_valid("receipt", receipt);
    EXPECT_EQ(receipt["count"], kOps);
    for (const std::string& answer : answers) ASSERT_EQ(answer, answers[0]);
    expect_applied_once(round + 1);
  }
}

TEST_F(ParallelRepeat, OverWebSocketItIsAppliedOnceAndAllAnswersAreEqual) {
  std::vector<std::unique_ptr<LiveClient>> clients;
  for (std::size_t i = 0; i < kConnections; ++i) {
    clients.push_back(std::make_unique<LiveClient>(server_));
    ASSERT_TRUE(clients[i]->ask(hello_frame(device_)).contains("welcome"));
  }
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    const std::string frame = push_frame(batch(round));
    const auto answers = at_once([&](std::size_t i) { return clients[i]->ask(frame).dump(); });
    EXPECT_EQ(parse_json(answers[0])["receipt"]["count"], kOps);
    for (const std::string& answer : answers) ASSERT_EQ(answer, answers[0]);
    expect_applied_once(round + 1);
  }
}

TEST_F(ParallelRepeat, BatchesThatOverlapAgreeOnEveryVerdict) {
  // Each connection sends from the first op on, but not equally far.
  const std::vector<Json> whole = batch(0);
  const auto answers = at_once([&](std::size_t i) {
    const auto count = static_cast<std::ptrdiff_t>(kOps / kConnections * (i + 1));
    const std::vector<Json> part(whole.begin(), whole.begin() + count);
    return HttpCaller(server_).sync(sync_body(device_, part)).body["receipt"]["results"].dump();
  });
  const Json longest = parse_json(answers[kConnections - 1]);
  ASSERT_EQ(longest.size(), kOps);
  for (const std::string& answer : answers) {
    const Json results = parse_json(answer);
    for (std::size_t k = 0; k < results.size(); ++k) ASSERT_EQ(results[k], longest[k]);
  }
  expect_applied_once(1);
}

}  // namespace
}  // namespace waystation::testing

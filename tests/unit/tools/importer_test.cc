// Imports into a whole service over the in-memory store: twice, with bad lines, with lost answers.

#include "tools/import/importer.h"

#include <gtest/gtest.h>

#include "storage/memory_kv.h"
#include "tools/json_view.h"

namespace waystation {
namespace {

// Loses the answer to every second request of a kind, after the server has dealt with it.
class ForgetfulExchange final : public Exchange {
 public:
  explicit ForgetfulExchange(Exchange& real) : real_(real) {}
  Result<HttpAnswer> request(const std::string& method, const std::string& target,
                             const std::string& body) override {
    auto answer = real_.request(method, target, body);
    if (target == "/v1/sync" && body.find("\"push\"") != std::string::npos && ++pushes_ == 1) {
      return Error{Code::kIo, "the answer was lost"};
    }
    return answer;
  }
  [[nodiscard]] std::string describe() const override { return "forgetful"; }

 private:
  Exchange& real_;
  int pushes_ = 0;
};

class Import : public testing::Test {
 protected:
  void SetUp() override {
    Config config;
    config.schemas = WS_SOURCE_DIR "/schemas";
    auto service = Service::over(std::make_unique<MemoryKv>(), config, "administrator");
    ASSERT_TRUE(service.ok());
    service_ = service->get();
    exchange_ = exchange_with(std::move(*service), "memory");
    auto device = enroll_device(*exchange_, {"*"}, "import", "test");
    ASSERT_TRUE(device.ok()) << device.error().context;
    device_ = *device;
  }

  ImportCounts import(Exchange& exchange, ImportKind kind, std::string_view text,
                      const ScopeRoot& root = {}) {
    Planner planner(service_->schemas(), kind, root);
    auto input = read_input(text, InputFormat::kCsv, planner.columns());
    EXPECT_TRUE(input.ok());
    Pusher pusher(exchange, device_, "test");
    EXPECT_TRUE(pusher.greet().ok());
    bad_.clear();
    Importer importer(exchange, &pusher, planner, [&](std::size_t line, std::string_view reason) {
      bad_.push_back(std::to_string(line) + ": " + std::string(reason));
    });
    const auto counts = importer.run(**input, [](std::size_t) {});
    EXPECT_TRUE(counts.ok());
    next_n_ = pusher.next_n();
    return counts.ok() ? *counts : ImportCounts{};
  }
  ImportCounts divisions() {
    return import(*exchange_, ImportKind::kDivisions, kDivisions, ScopeRoot{"4452", "揭阳市"});
  }

  static constexpr std::string_view kDivisions =
      "district_code,district,town_code,town,village_code,village\n"
      "445202,榕城区,445202001,榕华街道,445202001001,进东社区\n"
      "445202,榕城区,445202001,榕华街道,445202001002,进安社区\n";
  static constexpr std::string_view kStations =
      "id,name,division,services\n"
      "s1,一号,445202001001,water;rest\n"
      "s2,二号,445202001002,\n"
      "s3,三号,999,\n";

  Service* service_ = nullptr;
  std::unique_ptr<Exchange> exchange_;
  Enrolled device_;
  std::vector<std::string> bad_;
  std::uint64_t next_n_ = 0;
};

TEST_F(Import, TheSecondTimeEverythingIsUnchangedAndNothingIsPushed) {
  EXPECT_EQ(divisions().created, 5U);
  const std::uint64_t next = next_n_;
  const ImportCounts again = divisions();
  EXPECT_EQ(again.created, 0U);
  EXPECT_EQ(again.unchanged, 5U);
  EXPECT_EQ(next_n_, next);
}

TEST_F(Import, OnlyWhatDiffersIsChanged) {
  divisions();
  EXPECT_EQ(import(*exchange_, ImportKind::kStations, kStations).created, 4U);
  const ImportCounts counts = import(*exchange_, ImportKind::kStations,
                                     "id,name,division,services\n"
                                     "s1,一号,445202001001,water;books\n"
                                     "s2,二号,445202001002,\n");
  EXPECT_EQ(counts.changed, 1U);
  EXPECT_EQ(counts.unchanged, 3U);
  const auto answer =
      exchange_->ask("GET", "/v1/records?scope=" + percent_encode("station:s1") + "&coll=station");
  ASSERT_TRUE(answer.ok());
  EXPECT_NE(answer->find(R"("services":["books","water"])"), std::string::npos) << *answer;
}

TEST_F(Import, AnUnknownDivisionIsABadLine) {
  divisions();
  const ImportCounts counts = import(*exchange_, ImportKind::kStations, kStations);
  EXPECT_EQ(counts.bad_lines, 1U);
  EXPECT_EQ(bad_,
            std::vector<std::string>{"4: there is no scope or division \"999\" (scope.unknown)"});
}

TEST_F(Import, ALostAnswerIsAskedForAgainAndNothingIsAppliedTwice) {
  ForgetfulExchange forgetful(*exchange_);
  const ImportCounts counts =
      import(forgetful, ImportKind::kDivisions, kDivisions, ScopeRoot{"4452", "揭阳市"});
  EXPECT_EQ(counts.created, 5U);
  EXPECT_EQ(next_n_, 6U);
  Pusher pusher(*exchange_, device_, "test");
  ASSERT_TRUE(pusher.greet().ok());
  EXPECT_EQ(pusher.next_n(), 6U);
}

TEST_F(Import, WhatTheServerRefusesIsABadLine) {
  divisions();
  // A device that holds one scope may not make others.
  auto narrow = enroll_device(*exchange_, {"445202001001"}, "narrow", "test");
  ASSERT_TRUE(narrow.ok());
  device_ = *narrow;
  const ImportCounts counts = import(*exchange_, ImportKind::kStations, kStations);
  EXPECT_EQ(counts.created, 0U);
  EXPECT_EQ(counts.bad_lines, 3U);
  ASSERT_FALSE(bad_.empty());
  EXPECT_NE(bad_[1].find("refused by the server: scope.forbidden"), std::string::npos) << bad_[1];
}

TEST_F(Import, ManyOpsGoInSeveralPushes) {
  divisions();
  std::string roster = "scope,number,name\n";
  for (int i = 0; i < 2500; ++i) roster += "445202001001,v" + std::to_string(i) + ",王\n";
  EXPECT_EQ(import(*exchange_, ImportKind::kRoster, roster).created, 2500U);
  EXPECT_EQ(import(*exchange_, ImportKind::kRoster, roster).unchanged, 2500U);
}

TEST_F(Import, ARehearsalHandsInNothing) {
  Planner planner(service_->schemas(), ImportKind::kDivisions, ScopeRoot{"4452", "揭阳市"});
  auto input = read_input(kDivisions, InputFormat::kCsv, planner.columns());
  Importer importer(*exchange_, nullptr, planner, [](std::size_t, std::string_view) {});
  const auto counts = importer.run(**input, [](std::size_t) {});
  ASSERT_TRUE(counts.ok());
  EXPECT_EQ(counts->created, 5U);
  EXPECT_EQ(divisions().created, 5U);
}

}  // namespace
}  // namespace waystation

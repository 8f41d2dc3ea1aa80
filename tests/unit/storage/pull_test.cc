// Pages and rounds of a pull, without a wire.

#include "storage/pull.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sync/limits.h"
#include "tests/support/handset.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

class APull : public ::testing::Test {
 protected:
  APull() {
    world.have_scope("a");
    world.have_scope("z");
  }
  PullPage page(const std::string& cursor, std::size_t limit) {
    auto got = pull(world.store(), phone, cursor, limit);
    EXPECT_TRUE(got.ok());
    return std::move(*got);
  }
  void fill(const std::string& scope, int notes) {
    for (int i = 0; i < notes; ++i) {
      const auto n = world.state(kOffice)->applied + 1;
      world.push(kOffice, {op(n).in(scope).on("note", "n" + std::to_string(i))});
    }
  }

  World world;
  std::uint64_t phone = world.enroll({"t"});
};

// A scope that is gained while a walk is under way may sort before the place where it stands: it
// must neither be skipped for good nor be spoken of as if it were held.
TEST_F(APull, AScopeGainedInMidWalkComesWholeWithTheNextRound) {
  (void)world.set_scopes(phone, {"t", "z"});
  fill("a", 2);
  fill("t", 2);
  fill("z", 4);
  PullPage at = page("", 6);  // all of t, the first of z
  ASSERT_TRUE(at.head.more);
  (void)world.set_scopes(phone, {"a", "t", "z"});
  at = page(at.head.cursor, 100);
  EXPECT_TRUE(at.head.more);
  for (const ScopeDigest& digest : at.head.digests) EXPECT_NE(digest.scope, "a");
  at = page(at.head.cursor, 100);
  EXPECT_FALSE(at.head.more);
  EXPECT_NE(at.items.find(R"("scope":"a","coll":"note","id":"n1")"), std::string::npos);
  ASSERT_EQ(at.head.digests.size(), 1U);
  EXPECT_EQ(at.head.digests[0].scope, "a");
}

TEST_F(APull, AllScopesGainedInMidWalkComeWholeWithTheNextRound) {
  fill("a", 1);
  fill("t", 3);
  PullPage at = page("", 2);
  ASSERT_TRUE(at.head.more);
  (void)world.set_scopes(phone, {"*"});
  at = page(at.head.cursor, 100);
  EXPECT_TRUE(at.head.more || at.head.reset);
  at = page(at.head.cursor, 100);
  EXPECT_FALSE(at.head.more);
  EXPECT_NE(at.items.find(R"("scope":"a","coll":"note","id":"n0")"), std::string::npos);
  EXPECT_NE(at.items.find(R"("scope":"t","coll":"note","id":"n2")"), std::string::npos);
}

// --- what a device leaves -----------------------------------------------------------------------

TEST_F(APull, LeavesAScopeThatIsStillAmongAllScopesWhereItIs) {
  fill("a", 3);
  Handset tablet(world, {"*", "a"});
  ASSERT_TRUE(tablet.sync());
  (void)world.set_scopes(tablet.device, {"*"});
  const auto answers = tablet.asks(tablet.replica.exchange(tablet.clock(), 10, 1000));
  EXPECT_NE(Handset::changes_of(answers).find(R"("left":[])"), std::string::npos);
  ASSERT_TRUE(tablet.hears(answers));
  ASSERT_TRUE(tablet.sync());
  EXPECT_EQ(tablet.replica.digest("a").hex(), world.digest("a"));
  EXPECT_EQ(tablet.shows("note", "n2", "a"), R"({"text":"a"})");
}

TEST_F(APull, OfAScopeThatWasTakenAndGivenBackMeanwhileEndsWithAllOfIt) {
  fill("a", 3);
  Handset tablet(world, {"a"});
  ASSERT_TRUE(tablet.sync());
  (void)world.set_scopes(tablet.device, {});
  fill("a", 1);
  (void)world.set_scopes(tablet.device, {"a"});
  ASSERT_TRUE(tablet.sync());
  EXPECT_EQ(tablet.replica.digest("a").hex(), world.digest("a"));
}

TEST_F(APull, OfADeviceThatLeftMoreScopesThanAMessageNamesStartsFromNothing) {
  Handset tablet(world, {"t"});
  ASSERT_TRUE(tablet.sync());
  for (int turn = 0; turn < 2; ++turn) {
    std::vector<std::string> scopes;
    for (int i = 0; i < 600; ++i) {
      scopes.push_back(fmt::format("s{}-{}", turn, i));
      world.have_scope(scopes.back());
    }
    ASSERT_TRUE(world.set_scopes(tablet.device, scopes).ok());
    if (turn == 0) {
      ASSERT_TRUE(tablet.sync());
    }
  }
  ASSERT_TRUE(tablet.sync());
  ASSERT_TRUE(world.set_scopes(tablet.device, {"a"}).ok());
  const std::string few =
      Handset::changes_of(tablet.asks(tablet.replica.exchange(tablet.clock(), 10, 1000)));
  EXPECT_EQ(few.find(R"("reset":true)"), std::string::npos);
  EXPECT_NE(few.find(R"("left":["s1-0")"), std::string::npos);

  std::vector<std::string> scopes;
  for (int i = 0; i < 600; ++i) scopes.push_back(fmt::format("s0-{}", i));
  ASSERT_TRUE(world.set_scopes(tablet.device, scopes).ok());
  ASSERT_TRUE(world.set_scopes(tablet.device, {"a"}).ok());
  const std::string many =
      Handset::changes_of(tablet.asks(tablet.replica.exchange(tablet.clock(), 10, 1000)));
  EXPECT_NE(many.find(R"("reset":true)"), std::string::npos);
  EXPECT_NE(many.find(R"("left":[])"), std::string::npos);
  ASSERT_TRUE(tablet.sync());
  EXPECT_EQ(tablet.replica.digest("a").hex(), world.digest("a"));
}

// --- many scopes --------------------------------------------------------------------------------

class ManyScopes : public ::testing::Test {
 protected:
  static constexpr int kScopes = 10'000;
  static constexpr int kTogether = 1000;

  // Each scope has its own record and nothing else.
  void write_all(const std::string& title) {
    for (int from = 0; from < kScopes; from += kTogether) {
      const auto n = world.state(kOffice)->applied + 1;
      std::vector<OpText> ops;
      for (int i = from; i < from + kTogether; ++i) {
        const std::string scope = fmt::format("a-station-with-a-long-name:s{:06}", i);
        ops.push_back(op(n + static_cast<std::uint64_t>(i - from))
                          .in(scope)
                          .on("scope", scope)
                          .does(fmt::format(R"("set":{{"title":"{}"}})", title)));
      }
      const Answer answer = world.push(kOffice, ops);
      ASSERT_EQ(answer.code(), "ok");
      ASSERT_EQ(answer.verdicts.size(), ops.size());
    }
  }
  // Pulls to the end; every message fits a frame.
  static void pull_all(Handset& phone) {
    for (int page = 0; page < 100; ++page) {
      const auto answers = phone.asks(phone.replica.exchange(phone.clock(), 10, 1000));
      for (const std::string& answer : answers) ASSERT_LE(answer.size(), limits::kFrameBytes);
      ASSERT_TRUE(phone.hears(answers));
      if (!phone.replica.more()) return;
    }
    FAIL() << "it is never done";
  }

  World world;
};

TEST_F(ManyScopes, TellTheirDigestsPageByPageAndNeverInAMessageThatIsTooLarge) {
  write_all("first");
  Handset phone(world, {"*"});
  pull_all(phone);
  EXPECT_EQ(phone.replica.digests_checked(), kScopes + 1U);  // and t
  EXPECT_EQ(phone.replica.digest_faults(), std::vector<std::string>{});

  write_all("second");
  pull_all(phone);
  EXPECT_EQ(phone.replica.digests_checked(), 2 * kScopes + 1U);
  EXPECT_EQ(phone.replica.digest_faults(), std::vector<std::string>{});
}

}  // namespace
}  // namespace waystation::testing

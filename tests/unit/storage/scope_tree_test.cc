// Scopes as a tree: what lies below a branch, and what an account holds as the tree changes.
#include "storage/scope_tree.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "storage/membership.h"
#include "storage/pull.h"
#include "sync/limits.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

using Names = std::vector<std::string>;
constexpr std::int64_t kHour = 3'600'000;

ScopeTree city() {
  ScopeTree tree;
  tree.set("city", "");
  tree.set("north", "city");
  tree.set("south", "city");
  tree.set("village", "north");
  return tree;
}

TEST(ScopeTree, HasBelowABranchAllThatHangsInIt) {
  const ScopeTree tree = city();
  EXPECT_EQ(tree.below("city"), (Names{"city", "north", "south", "village"}));
  EXPECT_EQ(tree.below("north"), (Names{"north", "village"}));
  EXPECT_EQ(tree.below("village"), Names{"village"});
  EXPECT_EQ(tree.chain("village"), (Names{"village", "north", "city"}));
}

TEST(ScopeTree, GoesOnOnceAParentIsBorn) {
  ScopeTree tree;
  tree.set("village", "town");
  EXPECT_EQ(tree.chain("village"), Names{"village"});
  EXPECT_EQ(tree.hanging_on("town"), (Names{"town", "village"}));
  tree.set("town", "city");
  EXPECT_EQ(tree.chain("village"), (Names{"village", "town"}));
  EXPECT_EQ(tree.below("town"), (Names{"town", "village"}));
}

TEST(ScopeTree, InACycleEachScopeStandsForItself) {
  ScopeTree tree = city();
  tree.set("city", "village");
  EXPECT_EQ(tree.below("city"), (Names{"city", "south"}));
  EXPECT_EQ(tree.below("north"), Names{"north"});
  EXPECT_EQ(tree.below("village"), Names{"village"});
  tree.set("south", "south");
  EXPECT_EQ(tree.chain("south"), Names{"south"});
  tree.set("city", "");
  EXPECT_EQ(tree.below("city"), (Names{"city", "north", "village"}));
}

TEST(ScopeTree, EndsAChainThatIsTooLong) {
  ScopeTree tree;
  tree.set("s0", "");
  for (int i = 1; i < 100; ++i) tree.set(fmt::format("s{}", i), fmt::format("s{}", i - 1));
  EXPECT_EQ(tree.chain("s99").size(), ScopeTree::kDepth);
  EXPECT_EQ(tree.below("s0").size(), ScopeTree::kDepth);
}

TEST(Membership, HoldsAtMostSoManyAndSaysWhenItIsFull) {
  ScopeTree tree;
  tree.set("top", "");
  for (std::size_t i = 1; i < limits::kScopesHeld; ++i) tree.set(fmt::format("s{}", i), "top");
  Account account;
  account.branches = {"top"};
  EXPECT_TRUE(hold_all(account, tree, {5, 50}));
  EXPECT_EQ(account.scopes().size(), limits::kScopesHeld);
  EXPECT_FALSE(account.full);
  tree.set("x", "top");
  EXPECT_TRUE(hold(account, {"x"}, tree, {6, 60}));
  EXPECT_TRUE(account.full);
  EXPECT_FALSE(account.holds("x"));
  tree.set("s1", "");  // what becomes free goes to what had no room
  EXPECT_TRUE(hold(account, {"s1"}, tree, {7, 70}));
  EXPECT_TRUE(account.holds("x"));
  EXPECT_FALSE(account.holds("s1"));
  EXPECT_FALSE(account.full);
}

TEST(Membership, ForgetsTheOldestThatItLeftAndThenStartsAnew) {
  ScopeTree tree;
  Account account;
  account.branches = {"s"};
  tree.set("s", "");
  tree.set("x", "");
  Seq seq = 0;
  for (std::size_t i = 0; i <= limits::kScopesLeft; ++i) {
    tree.set("x", "s");
    hold(account, {"x"}, tree, {++seq, 0});
    tree.set("x", "");
    hold(account, {"x"}, tree, {++seq, static_cast<std::int64_t>(seq)});
  }
  EXPECT_LE(account.grants.size(), limits::kScopesLeft + 1);
  EXPECT_EQ(account.reset, 2);  // the first departure is forgotten
  EXPECT_TRUE(account.may_write("x", static_cast<std::int64_t>(seq)));
}

// --- in a server ------------------------------------------------------------------------------

class Branches : public ::testing::Test {
 protected:
  Branches() {
    world.hang("city", "");
    world.hang("north", "city");
    world.hang("south", "city");
    world.hang("village", "north");
    phone = world.enroll({"north"});
  }
  [[nodiscard]] AccountPtr account(std::uint64_t device) const {
    return world.store().accounts().find(device);
  }
  [[nodiscard]] Names held() const { return account(phone)->scopes(); }
  std::string writes(const std::string& scope, std::int64_t wall) {
    return world.push(phone, {op(++n).in(scope).written(wall)}).codes();
  }
  // Pulls to the end; the scopes that it was told to remove, and the records that came.
  std::pair<Names, Names> pulls() {
    std::pair<Names, Names> got;
    while (true) {
      const auto page = pull(world.store(), phone, cursor, 2);
      EXPECT_TRUE(page.ok());
      for (const std::string& scope : page->head.left) got.first.push_back(scope);
      for (const std::string& scope : held()) {
        if (page->items.find("\"scope\":\"" + scope + "\"") != std::string::npos) {
          got.second.push_back(scope);
        }
      }
      cursor = page->head.cursor;
      if (!page->head.more) return got;
    }
  }

  mutable World world;
  std::uint64_t phone = 0;
  std::uint64_t n = 0;
  std::string cursor;
};

TEST_F(Branches, AGrantCoversWhatLiesBelow) {
  EXPECT_EQ(held(), (Names{"north", "village"}));
  EXPECT_EQ(account(phone)->branches, Names{"north"});
  EXPECT_EQ(writes("village", world.now), "ok");
  EXPECT_EQ(writes("south", world.now), "scope.forbidden");
}

TEST_F(Branches, ANewScopeBelowIsHeldFromItsBirth) {
  world.hang("event", "village");
  EXPECT_EQ(held(), (Names{"event", "north", "village"}));
  world.reopen();
  EXPECT_EQ(held(), (Names{"event", "north", "village"}));
}

TEST_F(Branches, ANewScopeIsHeldWithinTheSamePush) {
  const std::uint64_t office = world.enroll({"*"});
  const auto answers = world.push_together(
      {{office, {received(op(1).in("e").on("scope", "e").does(R"("set":{"parent":"north"})"))}},
       {phone, {received(op(1).in("e"))}}});
  EXPECT_EQ(answers[1].codes(), "ok");
}

TEST_F(Branches, ANewScopeElsewhereDoesNotTouchTheAccount) {
  const AccountPtr before = account(phone);
  world.hang("event", "south");
  EXPECT_EQ(account(phone), before);
}

TEST_F(Branches, AMovedScopeIsLeftAndItsOldRecordsArriveElsewhere) {
  ASSERT_EQ(world.push(kOffice, {op(world.state(kOffice)->applied + 1).in("village")}).codes(),
            "ok");
  (void)pulls();
  world.now += kHour;
  world.hang("village", "south");
  EXPECT_EQ(held(), Names{"north"});
  EXPECT_EQ(pulls().first, Names{"village"});
  world.hang("village", "north");
  const auto [left, came] = pulls();
  EXPECT_NE(std::find(came.begin(), came.end(), "village"), came.end());
}

TEST_F(Branches, WhatIsMovedAwayWhileADevicePullsPageByPageIsNamedBeforeThePullEnds) {
  const auto page = pull(world.store(), phone, cursor, 1);
  ASSERT_TRUE(page.ok() && page->head.more);
  cursor = page->head.cursor;
  world.hang("village", "south");
  EXPECT_EQ(pulls().first, Names{"village"});
}

TEST_F(Branches, WhatWasWrittenBeforeTheMoveIsTaken) {
  world.now = kStart + 10 * kHour;
  world.hang("village", "south");
  world.now = kStart + 20 * kHour;
  EXPECT_EQ(writes("village", kStart + 10 * kHour), "ok");
  EXPECT_EQ(writes("village", kStart + 11 * kHour), "scope.forbidden");
  EXPECT_EQ(world.quarantine().size(), 1U);
}

TEST_F(Branches, MovingABranchTakesAlongWhatHangsInIt) {
  const std::uint64_t southerner = world.enroll({"south"});
  world.hang("north", "south");
  EXPECT_EQ(account(southerner)->scopes(), (Names{"north", "south", "village"}));
  EXPECT_EQ(held(), (Names{"north", "village"}));  // granted by itself
}

TEST_F(Branches, AScopeWhoseRecordIsDeletedHangsNowhereAndKeepsWhatIsBelow) {
  const std::uint64_t mayor = world.enroll({"city"});
  ASSERT_EQ(world
                .push(kOffice, {op(world.state(kOffice)->applied + 1)
                                    .in("north")
                                    .on("scope", "north")
                                    .having_seen(world.position())
                                    .does(R"("del":true)")})
                .codes(),
            "ok");
  EXPECT_EQ(account(mayor)->scopes(), (Names{"city", "south"}));
  EXPECT_EQ(held(), (Names{"north", "village"}));
  world.reopen();
  world.hang("event", "village");
  EXPECT_EQ(held(), (Names{"event", "north", "village"}));
  EXPECT_EQ(account(mayor)->scopes(), (Names{"city", "south"}));
}

TEST_F(Branches, ACycleHarmsNobody) {
  world.hang("city", "village");
  EXPECT_EQ(held(), Names{"north"});
  world.reopen();
  EXPECT_EQ(writes("north", world.now), "ok");
  world.hang("city", "");
  EXPECT_EQ(held(), (Names{"north", "village"}));
}

TEST_F(Branches, AWrongParentIsNone) {
  world.hang("event", "not a scope id");
  EXPECT_EQ(held(), (Names{"north", "village"}));
  EXPECT_EQ(account(world.enroll({"event"}))->scopes(), Names{"event"});
}

TEST_F(Branches, AChangeOfTheGrantNamesWhatIsLeftWithAllBelow) {
  (void)pulls();
  ASSERT_TRUE(world.set_scopes(phone, {"south"}).ok());
  EXPECT_EQ(pulls().first, (Names{"north", "village"}));
  EXPECT_EQ(held(), Names{"south"});
}

TEST_F(Branches, MoreThanAnAccountMayHoldIsRefusedClearly) {
  std::vector<OpText> births;
  const std::uint64_t first = world.state(kOffice)->applied + 1;
  for (std::size_t i = 0; i < limits::kScopesHeld; ++i) {
    const std::string scope = fmt::format("e{}", i);
    births.push_back(
        op(first + i).in(scope).on("scope", scope).does(R"("set":{"parent":"south"})"));
  }
  for (std::size_t i = 0; i < births.size(); i += 1000) {
    (void)world.push(kOffice, {births.begin() + static_cast<std::ptrdiff_t>(i),
                               births.begin() + static_cast<std::ptrdiff_t>(i + 1000)});
  }
  EXPECT_EQ(world.set_scopes(phone, {"south"}).error().code, Code::kScopeTooMany);
  EXPECT_EQ(held(), (Names{"north", "village"}));
  EXPECT_TRUE(world.set_scopes(phone, {"*"}).ok());
}

}  // namespace
}  // namespace waystation::testing

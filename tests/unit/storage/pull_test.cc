// Pages and rounds of a pull, without a wire.

#include "storage/pull.h"

#include <gtest/gtest.h>

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
    auto got = pull(world.store(), *world.store().accounts().find(phone), cursor, limit);
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

}  // namespace
}  // namespace waystation::testing

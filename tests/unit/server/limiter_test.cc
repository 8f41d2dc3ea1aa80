// Token buckets, by a clock that the test moves.
#include "server/limiter.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace waystation::testing {
namespace {

constexpr std::int64_t kNow = 1'000'000;
constexpr Rate kRate{10, 100};  // ten a second, a hundred at once

TEST(Limiter, GivesTheBurstAtOnceAndThenTheRate) {
  Limiter limiter(kRate, 10);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(limiter.take("a", 1, kNow), 0) << i;
  EXPECT_GT(limiter.take("a", 1, kNow), 0);
  int taken = 0;
  for (std::int64_t now = kNow; now < kNow + 10'000; now += 10) {
    if (limiter.take("a", 1, now) == 0) ++taken;
  }
  EXPECT_NEAR(taken, 100, 1);
}

TEST(Limiter, SaysWhenThereIsSomethingAgain) {
  Limiter limiter(kRate, 10);
  EXPECT_EQ(limiter.take("a", 150, kNow), 0) << "a debt: it had something left";
  const std::int64_t wait = limiter.take("a", 1, kNow);
  EXPECT_NEAR(static_cast<double>(wait), 5000, 2);
  EXPECT_GT(limiter.take("a", 1, kNow + wait - 2), 0);
  EXPECT_EQ(limiter.take("a", 1, kNow + wait), 0);
}

TEST(Limiter, WhateverTheSizeItPassesAtSomeTime) {
  Limiter limiter(kRate, 10);
  std::int64_t now = kNow;
  for (int i = 0; i < 5; ++i) {
    const std::int64_t wait = limiter.take("a", 1000, now);
    now += wait;
    if (wait > 0) {
      EXPECT_EQ(limiter.take("a", 1000, now), 0);
    }
  }
}

TEST(Limiter, OneKeyDoesNotPayForAnother) {
  Limiter limiter(kRate, 10);
  limiter.spend("a", 1000, kNow);
  EXPECT_GT(limiter.wait_ms("a", kNow), 0);
  EXPECT_EQ(limiter.wait_ms("b", kNow), 0);
  EXPECT_EQ(limiter.take("b", 1, kNow), 0);
}

TEST(Limiter, AClockThatIsSetBackNeitherGivesNorStarves) {
  Limiter limiter(kRate, 10);
  limiter.spend("a", 100, kNow);
  EXPECT_GT(limiter.take("a", 1, kNow - 3'600'000), 0);
  EXPECT_EQ(limiter.take("a", 1, kNow - 3'600'000 + 1000), 0) << "it goes on from the new time";
}

TEST(Limiter, ADebtIsBounded) {
  Limiter limiter(kRate, 10);
  for (int i = 0; i < 1000; ++i) limiter.spend("a", 10, kNow);
  EXPECT_LE(limiter.wait_ms("a", kNow), 11'001);  // the burst and one more, at ten a second
}

TEST(Limiter, ForgetsTheOneUnseenForLongestWhenThereIsNoRoom) {
  Limiter limiter(kRate, 3);
  limiter.spend("a", 1000, kNow);
  limiter.spend("b", 1000, kNow);
  limiter.spend("c", 1000, kNow);
  EXPECT_GT(limiter.wait_ms("a", kNow), 0);  // seen again
  limiter.spend("d", 1000, kNow);
  EXPECT_EQ(limiter.keys(), 3U);
  EXPECT_GT(limiter.wait_ms("a", kNow), 0);
  EXPECT_EQ(limiter.wait_ms("b", kNow), 0) << "forgotten";
  for (int i = 0; i < 10'000; ++i) limiter.spend(fmt::format("k{}", i), 1, kNow);
  EXPECT_EQ(limiter.keys(), 3U);
}

TEST(Limiter, AStrikeTooManyShutsOutForAWhileAndNotForEver) {
  Limiter limiter({1, 5}, 10);
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(limiter.strike("a", 60, kNow)) << i;
  EXPECT_TRUE(limiter.strike("a", 60, kNow));
  EXPECT_TRUE(limiter.strike("a", 60, kNow)) << "still";
  const std::int64_t wait = limiter.wait_ms("a", kNow);
  EXPECT_NEAR(static_cast<double>(wait), 60'000, 100) << "more strikes while it is out add nothing";
  EXPECT_EQ(limiter.wait_ms("a", kNow + wait), 0);
  EXPECT_FALSE(limiter.strike("a", 60, kNow + wait + 5000));
}

}  // namespace
}  // namespace waystation::testing

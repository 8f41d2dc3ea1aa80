// Wrong enrolment codes: how many, from where, and that an honest device gets in meanwhile.
#include "server/guess_limit.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace waystation::testing {
namespace {

constexpr std::int64_t kNow = 1'767'225'600'000;

TEST(GuessLimit, StopsAnAddressThatGuessesAndForgivesItWithTime) {
  GuessLimit limit;
  for (int i = 0; i < GuessLimit::kPerAddress; ++i) {
    EXPECT_EQ(limit.wait_ms("192.0.2.1", kNow), 0);
    limit.wrong("192.0.2.1", kNow);
  }
  EXPECT_EQ(limit.wait_ms("192.0.2.1", kNow), GuessLimit::kAddressForgivesMs);
  EXPECT_EQ(limit.wait_ms("192.0.2.2", kNow), 0);
  const std::int64_t later = kNow + GuessLimit::kAddressForgivesMs;
  EXPECT_EQ(limit.wait_ms("192.0.2.1", later), 0);
  limit.wrong("192.0.2.1", later);
  EXPECT_GT(limit.wait_ms("192.0.2.1", later), 0);
}

TEST(GuessLimit, LetsABoundedNumberOfOneAddressInAtOnce) {
  GuessLimit limit;
  std::uint32_t in = 0;
  for (int i = 0; i < 1000; ++i) in += limit.admit("192.0.2.1", kNow) == 0 ? 1 : 0;
  EXPECT_EQ(in, GuessLimit::kUndecided);
  EXPECT_EQ(limit.admit("192.0.2.2", kNow), 0);
  limit.decided("192.0.2.1");
  EXPECT_EQ(limit.admit("192.0.2.1", kNow), 0);
  EXPECT_GT(limit.admit("192.0.2.1", kNow), 0);
}

TEST(GuessLimit, ManyAtOnceCostAsMuchAsOneAfterTheOther) {
  GuessLimit limit;
  for (int i = 0; i < 1000; ++i) limit.wrong("192.0.2.1", kNow);
  EXPECT_GT(limit.wait_ms("192.0.2.1", kNow + 60 * GuessLimit::kTogetherForgivesMs), 0);
  EXPECT_EQ(limit.wait_ms("192.0.2.1", kNow + GuessLimit::kLongestMs), 0);
}

TEST(GuessLimit, WhenManyAddressesGuessEachWaitsAndAnHonestOneGetsIn) {
  GuessLimit limit;
  for (int i = 0; i < GuessLimit::kTogether; ++i) {
    ASSERT_EQ(limit.wait_ms(fmt::format("10.0.{}.1", i), kNow), 0);
    limit.wrong(fmt::format("10.0.{}.1", i), kNow);
  }
  EXPECT_GT(limit.wait_ms("10.0.1.1", kNow), 0);
  EXPECT_EQ(limit.wait_ms("192.0.2.1", kNow), 0);
  limit.wrong("192.0.2.1", kNow);
  EXPECT_GT(limit.wait_ms("192.0.2.1", kNow), 0);
}

TEST(GuessLimit, TakesANetworkOfIPv6AddressesForOne) {
  GuessLimit limit;
  for (int i = 0; i < GuessLimit::kPerAddress; ++i) {
    limit.wrong(fmt::format("2001:db8::{:x}", i + 1), kNow);
  }
  EXPECT_GT(limit.wait_ms("2001:db8::ffff", kNow), 0);
  EXPECT_EQ(limit.wait_ms("2001:db8:0:1::1", kNow), 0);
  EXPECT_NE(guess_source("::ffff:192.0.2.1"), guess_source("::ffff:192.0.2.2"));
}

TEST(GuessLimit, RemembersABoundedNumberOfAddresses) {
  GuessLimit limit;
  for (std::size_t i = 0; i < GuessLimit::kAddresses + 100; ++i) {
    limit.wrong(fmt::format("address {}", i), kNow);
  }
  EXPECT_LE(limit.addresses(), GuessLimit::kAddresses);
}

TEST(GuessLimit, AClockThatIsSetBackLocksNobodyOutForLonger) {
  GuessLimit limit;
  for (int i = 0; i < GuessLimit::kPerAddress; ++i) limit.wrong("192.0.2.1", kNow);
  EXPECT_LE(limit.wait_ms("192.0.2.1", kNow - 86'400'000), GuessLimit::kLongestMs);
}

}  // namespace
}  // namespace waystation::testing

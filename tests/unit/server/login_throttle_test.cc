#include "server/login_throttle.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace waystation::testing {
namespace {

constexpr std::int64_t kMinute = 60'000;

class Throttle : public ::testing::Test {
 protected:
  std::int64_t attempt(const std::string& account, const std::string& address) {
    return throttle.admit(keys(account, address), now);
  }
  static std::vector<LoginThrottle::Key> keys(const std::string& account,
                                              const std::string& address) {
    return {{account + "/at/" + address, LoginThrottle::kAccountAtAddress},
            {"address/" + address, LoginThrottle::kAddress}};
  }
  // Attempts that fail, each as soon as it may be made; gives the time that the last had to wait.
  std::int64_t fail(int times, const std::string& account, const std::string& address) {
    std::int64_t waited = 0;
    for (int i = 0; i < times; ++i) {
      waited = attempt(account, address);
      now += waited;
      if (waited > 0) {
        EXPECT_EQ(attempt(account, address), 0);
      }
    }
    return waited;
  }

  std::int64_t now = 1'000'000;
  LoginThrottle throttle{1000};
};

TEST_F(Throttle, AFewMistakesCostNothingAndThenEachWaitIsTwiceTheOneBefore) {
  EXPECT_EQ(fail(5, "limei", "a"), 0);
  EXPECT_EQ(fail(1, "limei", "a"), 1000);
  EXPECT_EQ(fail(1, "limei", "a"), 2000);
  EXPECT_EQ(fail(1, "limei", "a"), 4000);
  EXPECT_EQ(fail(20, "limei", "a"), 15 * kMinute) << "and no longer than that";
}

TEST_F(Throttle, AttemptsThatAreMadeAtOnceAreCountedAtOnce) {
  int admitted = 0;
  for (int i = 0; i < 100; ++i) admitted += attempt("limei", "a") == 0 ? 1 : 0;
  EXPECT_EQ(admitted, 5);
}

TEST_F(Throttle, AStrangerElsewhereDoesNotSlowTheOwnerDown) {
  fail(40, "limei", "the stranger");
  EXPECT_GT(attempt("limei", "the stranger"), 0);
  EXPECT_EQ(attempt("limei", "at home"), 0);
}

TEST_F(Throttle, WhoTriesManyNamesIsSlowedDownByTheAddress) {
  int admitted = 0;
  for (int i = 0; i < 100; ++i) admitted += attempt(fmt::format("n{}", i), "a") == 0 ? 1 : 0;
  EXPECT_EQ(admitted, 30);
  EXPECT_EQ(attempt("limei", "b"), 0);
}

TEST_F(Throttle, SuccessForgetsTheAccountsMistakesAndNotTheAddresss) {
  fail(4, "limei", "a");
  ASSERT_EQ(attempt("limei", "a"), 0);
  throttle.succeeded(keys("limei", "a"));
  EXPECT_EQ(fail(4, "limei", "a"), 0);
  // Somebody with an account of his own does not buy guesses at others with it.
  LoginThrottle fresh(1000);
  int guesses = 0;
  for (int i = 0; i < 100; ++i) {
    guesses += fresh.admit(keys(fmt::format("n{}", i), "a"), now) == 0 ? 1 : 0;
    if (fresh.admit(keys("mine", "a"), now) == 0) fresh.succeeded(keys("mine", "a"));
  }
  EXPECT_LE(guesses, 30);
}

TEST_F(Throttle, WhatSaysNothingIsTakenBack) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(attempt("limei", "a"), 0);
    throttle.take_back(keys("limei", "a"));
  }
  EXPECT_EQ(throttle.size(), 0U);
}

TEST_F(Throttle, MistakesAreForgottenAnHourAfterTheWaitIsOver) {
  fail(10, "limei", "a");
  now += 20 * kMinute;
  EXPECT_EQ(attempt("limei", "a"), 0);
  EXPECT_GT(attempt("limei", "a"), 0) << "not yet forgotten";
  now += 90 * kMinute;
  EXPECT_EQ(fail(5, "limei", "a"), 0);
}

TEST_F(Throttle, RemembersABoundedNumber) {
  for (int i = 0; i < 10'000; ++i) {
    (void)attempt("limei", fmt::format("a{}", i));
    ++now;
  }
  EXPECT_LE(throttle.size(), 1000U);
}

TEST(ThrottleAddress, IsTheHostForIpv4AndTheNetworkOfOneSubscriberForIpv6) {
  EXPECT_EQ(throttle_address("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(throttle_address("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(throttle_address("2001:db8:1:2:ffff::1"), "2001:db8:1:2::/64");
  EXPECT_EQ(throttle_address("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(throttle_address(""), "");
}

}  // namespace
}  // namespace waystation::testing

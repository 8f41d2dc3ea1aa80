// Who may come in, by a clock that the test moves; whose address counts; and what a device may do.
#include "server/gate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

#include "server/device_limits.h"
#include "server/edge_limits.h"

namespace waystation::testing {
namespace {

Address at(const std::string& text) { return boost::asio::ip::make_address(text); }

Networks networks(const std::vector<std::string>& texts) {
  auto parsed = Networks::parse(texts);
  EXPECT_TRUE(parsed.ok());
  return std::move(*parsed);
}

using Visits = std::vector<std::unique_ptr<Gate::Visit>>;

class GateTest : public ::testing::Test {
 protected:
  std::shared_ptr<Gate> gate(const Config& config = {}) {
    return Gate::make(Gate::settings_of(config), [this] { return now; });
  }
  // Comes in as often as it may, at most `most` times.
  static Visits enter(Gate& gate, const std::string& from, std::size_t most) {
    Visits visits;
    for (std::size_t i = 0; i < most; ++i) {
      auto visit = gate.enter(at(from));
      if (visit == nullptr) break;
      visits.push_back(std::move(visit));
    }
    return visits;
  }
  std::int64_t now = 1'000'000;
};

// Each phone connects twice, asks a few times, and stays.
TEST_F(GateTest, ATownBehindOneAddressComesOnlineInOneMinute) {
  const auto open = gate();
  Visits stay;
  for (int phone = 0; phone < 1500; ++phone) {
    for (int attempt = 0; attempt < 2; ++attempt) {
      auto visit = open->enter(at("203.0.113.7"));
      ASSERT_NE(visit, nullptr) << phone;
      for (int i = 0; i < 5; ++i) ASSERT_EQ(visit->request(), 0) << phone;
      visit->bytes(200'000);
      visit->known();
      if (attempt == 1) stay.push_back(std::move(visit));
    }
    now += 30;  // 45 s in all
  }
  EXPECT_EQ(open->visits(), 1500U);
  EXPECT_EQ(open->unknown(), 0U);
}

TEST_F(GateTest, FiveHundredPhonesThatHaveNotYetSaidHelloHaveRoom) {
  const auto open = gate();
  EXPECT_EQ(enter(*open, "203.0.113.7", 500).size(), 500U);
}

TEST_F(GateTest, SilentConnectionsOfOneAddressLeaveRoomForOthers) {
  const auto open = gate();
  const Visits silent = enter(*open, "203.0.113.66", 5000);
  EXPECT_EQ(silent.size(), Config{}.connections_per_address / 2);
  EXPECT_NE(open->enter(at("203.0.113.7")), nullptr);
}

TEST_F(GateTest, SilentConnectionsOfManyAddressesLeaveHalfToThoseWhoAreKnown) {
  Config config;
  config.connections = 100;
  const auto open = gate(config);
  Visits known = enter(*open, "203.0.113.7", 50);
  for (const auto& visit : known) visit->known();
  Visits silent;
  for (int i = 0; i < 200; ++i) {
    if (auto visit = open->enter(at(fmt::format("198.51.100.{}", i % 250)))) {
      silent.push_back(std::move(visit));
    }
  }
  EXPECT_EQ(silent.size(), 50U);
  EXPECT_EQ(open->visits(), 100U);
  silent.clear();
  EXPECT_EQ(open->visits(), 50U) << "places are given back";
  EXPECT_NE(open->enter(at("203.0.113.7")), nullptr);
}

TEST_F(GateTest, NewConnectionsOfOneAddressHaveARate) {
  Config config;
  config.connects_per_minute = 60;
  const auto open = gate(config);
  int in = 0;
  for (int i = 0; i < 1000; ++i) in += open->enter(at("203.0.113.7")) != nullptr ? 1 : 0;
  EXPECT_EQ(in, 60);
  now += 10'000;
  in = 0;
  for (int i = 0; i < 1000; ++i) in += open->enter(at("203.0.113.7")) != nullptr ? 1 : 0;
  EXPECT_EQ(in, 10);
}

TEST_F(GateTest, ANetworkOfIpv6IsOneAddress) {
  Config config;
  config.connections_per_address = 20;
  const auto open = gate(config);
  Visits visits;
  for (int i = 1; i <= 100; ++i) {
    if (auto visit = open->enter(at(fmt::format("2001:db8:1:2::{:x}", i)))) {
      visits.push_back(std::move(visit));
    }
  }
  EXPECT_EQ(visits.size(), 10U);
  EXPECT_NE(open->enter(at("2001:db8:1:3::1")), nullptr) << "the next /64";
  EXPECT_EQ(address_key(at("::ffff:203.0.113.7")), address_key(at("203.0.113.7")));
}

TEST_F(GateTest, WhoIsWrongTooOftenIsShutOutAloneAndForAWhile) {
  const auto open = gate();
  auto visit = open->enter(at("203.0.113.66"));
  bool out = false;
  for (int i = 0; i < 2000 && !out; ++i) out = visit->strike();
  EXPECT_TRUE(out);
  EXPECT_GT(visit->request(), 0);
  EXPECT_EQ(open->enter(at("203.0.113.66")), nullptr);
  EXPECT_NE(open->enter(at("203.0.113.7")), nullptr);
  now += static_cast<std::int64_t>(limits::kShutOutSeconds * 1000) + 1000;
  EXPECT_NE(open->enter(at("203.0.113.66")), nullptr);
}

TEST_F(GateTest, ThisMachineIsNotLimitedUnlessAskedFor) {
  Config config;
  config.connections_per_address = 10;
  EXPECT_EQ(enter(*gate(config), "127.0.0.1", 100).size(), 100U);
  config.limit_loopback = true;
  EXPECT_EQ(enter(*gate(config), "127.0.0.1", 100).size(), 5U);
  EXPECT_EQ(enter(*gate(config), "::ffff:127.0.0.1", 100).size(), 5U);
}

TEST_F(GateTest, ATrustedProxyIsLimitedByWhomItSpeaksFor) {
  Config config;
  config.connections_per_address = 10;
  config.trusted_proxies = {"10.0.0.0/8"};
  const auto open = gate(config);
  Visits visits = enter(*open, "10.1.2.3", 100);
  ASSERT_EQ(visits.size(), 100U);
  int in = 0;
  for (const auto& visit : visits) in += visit->speaks_for(at("203.0.113.66")) ? 1 : 0;
  EXPECT_EQ(in, 5);
  EXPECT_TRUE(visits.back()->speaks_for(at("203.0.113.7")));
  visits.clear();
  EXPECT_EQ(open->visits(), 0U);
  EXPECT_EQ(open->unknown(), 0U);
}

// --- those who are unknown ----------------------------------------------------------------------

TEST_F(GateTest, WhoSaysNothingMakesRoomForWhoComesLater) {
  Config config;
  config.connections_per_address = 10;
  const auto open = gate(config);
  std::vector<int> left(5, 0);
  Visits silent;
  for (std::size_t i = 0; i < left.size(); ++i) {
    silent.push_back(open->enter(at("203.0.113.66")));
    ASSERT_NE(silent.back(), nullptr);
    silent.back()->rest([&left, i] { ++left[i]; });  // all within one ms
  }
  EXPECT_EQ(open->enter(at("203.0.113.66")), nullptr) << "nobody has had time to say anything";
  now += 2000;
  ASSERT_TRUE(silent[0]->wake());  // the others are at rest
  const auto late = open->enter(at("203.0.113.66"));
  EXPECT_NE(late, nullptr);
  EXPECT_EQ(left, (std::vector<int>{0, 1, 0, 0, 0})) << "the one unknown for longest";
  EXPECT_TRUE(silent[0]->wake());
  EXPECT_FALSE(silent[1]->wake());
  EXPECT_EQ(open->visits(), 5U);
  silent[2]->known();
  silent.clear();
  EXPECT_EQ(open->visits(), 1U);
  EXPECT_EQ(open->unknown(), 1U);
}

TEST_F(GateTest, WhoIsKnownOrHasSomethingToSayStays) {
  Config config;
  config.connections = 10;
  const auto open = gate(config);
  int left = 0;
  Visits visits = enter(*open, "203.0.113.66", 5);
  for (const auto& visit : visits) visit->rest([&left] { ++left; });
  visits[0]->known();
  for (std::size_t i = 1; i < visits.size(); ++i) ASSERT_TRUE(visits[i]->wake());
  now += 60'000;
  EXPECT_NE(open->enter(at("203.0.113.7")), nullptr);
  EXPECT_EQ(enter(*open, "203.0.113.8", 5).size(), 1U);
  EXPECT_EQ(left, 0);
}

TEST_F(GateTest, WhoStaysUnknownIsSpentAfterAWhileOrSoManyRequests) {
  const auto open = gate();
  const auto asks = open->enter(at("203.0.113.7"));
  for (std::size_t i = 0; i < limits::kUnknownRequests; ++i) {
    EXPECT_FALSE(asks->spent());
    (void)asks->request();
  }
  EXPECT_TRUE(asks->spent());
  asks->known();
  EXPECT_FALSE(asks->spent());
  const auto waits = open->enter(at("127.0.0.1"));
  now += limits::kUnknownMs - 1;
  EXPECT_FALSE(waits->spent());
  EXPECT_EQ(waits->unknown_left_ms(), 1);
  now += 1;
  EXPECT_TRUE(waits->spent());
}

TEST_F(GateTest, WhatTheUnknownHoldTogetherIsBounded) {
  const auto open = gate();
  const auto one = open->enter(at("203.0.113.7"));
  const auto other = open->enter(at("203.0.113.8"));
  EXPECT_TRUE(one->hold(limits::kUnknownHeldBytes - 10));
  EXPECT_FALSE(other->hold(11));
  EXPECT_TRUE(other->hold(10));
  one->let_go();
  EXPECT_TRUE(other->hold(11));
  other->known();
  EXPECT_TRUE(one->hold(limits::kUnknownHeldBytes));
  EXPECT_TRUE(other->hold(limits::kUnknownHeldBytes)) << "it is known, and has limits of its own";
}

TEST_F(GateTest, WhoComesThroughAProxysKeptConnectionIsUnknownAndCounts) {
  Config config;
  config.trusted_proxies = {"10.0.0.1"};
  config.connects_per_minute = 6;
  const auto open = gate(config);
  const auto proxy = open->enter(at("10.0.0.1"));
  EXPECT_TRUE(proxy->speaks_for(at("203.0.113.7")));
  proxy->known();
  EXPECT_EQ(open->unknown(), 0U);
  EXPECT_TRUE(proxy->speaks_for(at("203.0.113.7")));
  EXPECT_EQ(open->unknown(), 1U) << "the next request may be somebody else's";
  int turns = 0;
  while (turns < 100 && proxy->speaks_for(at(turns % 2 == 0 ? "203.0.113.66" : "203.0.113.7"))) {
    ++turns;
  }
  EXPECT_EQ(turns, 11) << "six of the one, and five of the other, who had come before";
}

// --- whom a proxy speaks for --------------------------------------------------------------------

std::string client(const std::string& list, const std::string& forwarded = {}) {
  static const Networks kTrusted = networks({"10.0.0.0/8", "fd00::/8"});
  return forwarded_for(at("10.0.0.1"), kTrusted, list, "", forwarded).client.to_string();
}

TEST(ForwardedFor, IsTheLastThatIsNoProxyOfOurs) {
  EXPECT_EQ(client("203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(client("198.51.100.1, 203.0.113.7"), "203.0.113.7") << "the first is the client's word";
  EXPECT_EQ(client("203.0.113.7, 10.0.0.2"), "203.0.113.7");
  EXPECT_EQ(client("198.51.100.1,203.0.113.7 ,10.0.0.2,  10.0.0.3"), "203.0.113.7");
  EXPECT_EQ(client("10.0.0.9"), "10.0.0.9");
  EXPECT_EQ(client("2001:db8::7, fd00::1"), "2001:db8::7");
  EXPECT_EQ(client("::ffff:203.0.113.7"), "203.0.113.7");
}

TEST(ForwardedFor, IsTheProxyWhereNothingCanBeRead) {
  for (const char* list : {"", "unknown", "rubbish", ",,,", "999.1.1.1", "203.0.113.7, unknown",
                           "203.0.113.7,", "[", "\"", "1.2.3.4/8"}) {
    EXPECT_EQ(client(list), "10.0.0.1") << list;
  }
}

TEST(ForwardedFor, ReadsTheStandardHeaderToo) {
  EXPECT_EQ(client("", "for=203.0.113.7;proto=https;by=10.0.0.1"), "203.0.113.7");
  EXPECT_EQ(client("", "for=198.51.100.1, For=\"203.0.113.7:4711\""), "203.0.113.7");
  EXPECT_EQ(client("", "proto=http; for=\"[2001:db8::7]:4711\""), "2001:db8::7");
  EXPECT_EQ(client("", "for=_hidden"), "10.0.0.1");
  EXPECT_EQ(client("203.0.113.7", "for=198.51.100.1"), "203.0.113.7");
}

TEST(ForwardedFor, KnowsWhetherTheClientSpokeTls) {
  const Networks trusted = networks({"10.0.0.1"});
  const auto secure = [&](const char* list, const char* proto, const char* forwarded) {
    return forwarded_for(at("10.0.0.1"), trusted, list, proto, forwarded).secure;
  };
  EXPECT_TRUE(secure("203.0.113.7", "https", ""));
  EXPECT_FALSE(secure("203.0.113.7", "http", ""));
  EXPECT_FALSE(secure("203.0.113.7", "https, http", ""));
  EXPECT_TRUE(secure("", "", "for=203.0.113.7;proto=https"));
  EXPECT_FALSE(secure("", "", "for=203.0.113.7"));
}

TEST(NetworksTest, HoldWhatTheySay) {
  const Networks some = networks({"10.0.0.0/8", "192.0.2.4", "2001:db8::/33", "0.0.0.0/32"});
  for (const char* in : {"10.0.0.0", "10.255.255.255", "192.0.2.4", "2001:db8:7fff::1", "0.0.0.0",
                         "::ffff:10.1.2.3"}) {
    EXPECT_TRUE(some.hold(at(in))) << in;
  }
  for (const char* out : {"11.0.0.0", "192.0.2.5", "2001:db8:8000::1", "0.0.0.1", "::1"}) {
    EXPECT_FALSE(some.hold(at(out))) << out;
  }
  EXPECT_TRUE(networks({"0.0.0.0/0"}).hold(at("203.0.113.7")));
  for (const char* wrong : {"", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "10.0.0.0/-1", "proxy",
                            "::/129", "10.0.0.0/8x"}) {
    EXPECT_FALSE(Networks::parse({wrong}).ok()) << wrong;
  }
}

// --- a device -----------------------------------------------------------------------------------

class DeviceLimitsTest : public ::testing::Test {
 protected:
  static std::shared_ptr<DeviceLimits> limits() { return std::make_shared<DeviceLimits>(Config{}); }
  static constexpr std::uint64_t kOne = 7;
  static constexpr std::uint64_t kOther = 8;
  std::int64_t now = 1'000'000;
};

TEST_F(DeviceLimitsTest, AMonthWithoutCoverageGoesThroughAtOnce) {
  const auto all = limits();
  for (int push = 0; push < 20; ++push) EXPECT_EQ(all->take_ops(kOne, 1000, now), 0) << push;
}

TEST_F(DeviceLimitsTest, WhatIsBeyondPassesLater) {
  const auto all = limits();
  std::int64_t began = now;
  for (int push = 0; push < 100; ++push) {
    const std::int64_t wait = all->take_ops(kOne, 1000, now);
    if (wait == 0) continue;
    EXPECT_EQ(all->take_ops(kOther, 1000, now), 0) << "another device does not wait";
    now += wait;
    ASSERT_EQ(all->take_ops(kOne, 1000, now), 0);
  }
  EXPECT_NEAR(static_cast<double>(now - began), 400'000, 10'000);  // 80,000 at 200 a second
}

TEST_F(DeviceLimitsTest, ConnectionsAtOneTimeAreBoundedAndPlacesComeBack) {
  const auto all = limits();
  std::vector<std::unique_ptr<DeviceLimits::Visit>> visits;
  while (auto visit = all->enter(kOne, now)) visits.push_back(std::move(visit));
  EXPECT_EQ(visits.size(), limits::kVisitsPerDevice);
  EXPECT_NE(all->enter(kOther, now), nullptr);
  visits.pop_back();
  EXPECT_NE(all->enter(kOne, now), nullptr);
}

TEST_F(DeviceLimitsTest, ListsAtOneTimeAreFewAndPlacesComeBack) {
  const auto all = limits();
  std::vector<std::unique_ptr<DeviceLimits::Visit>> lists;
  while (auto list = all->enter_list("device A")) lists.push_back(std::move(list));
  EXPECT_EQ(lists.size(), waystation::limits::kListsAtOnce);
  EXPECT_NE(all->enter_list("office B"), nullptr);
  lists.pop_back();
  EXPECT_NE(all->enter_list("device A"), nullptr);
}

TEST_F(DeviceLimitsTest, BadFramesShutOutForAWhile) {
  const auto all = limits();
  int frames = 0;
  while (!all->strike(kOne, now)) ++frames;
  EXPECT_NEAR(frames, limits::kDeviceStrikes, 1);
  EXPECT_EQ(all->enter(kOne, now), nullptr);
  EXPECT_NE(all->enter(kOther, now), nullptr);
  now += all->wait_ms(kOne, now);
  EXPECT_NE(all->enter(kOne, now), nullptr);
}

TEST_F(DeviceLimitsTest, BytesBeyondTheAllowanceAreWaitedFor) {
  const auto all = limits();
  all->bytes(kOne, 500U << 20U, now);
  EXPECT_EQ(all->wait_ms(kOne, now), 0);
  all->bytes(kOne, 100U << 20U, now);
  EXPECT_GT(all->wait_ms(kOne, now), 0);
  EXPECT_EQ(all->wait_ms(kOther, now), 0);
}

}  // namespace
}  // namespace waystation::testing

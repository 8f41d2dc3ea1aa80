// One connection over a server that is moved step by step: what is looked at before who asks is
// known, and what is no longer sent.
#include "server/connection.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "sync/limits.h"
#include "tests/fuzz/stepped_server.h"

namespace waystation::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The other end: what is sent waits until the test reads it.
class Port final : public ConnectionPort {
 public:
  void send(Frame frame) override { on_its_way = std::move(frame); }
  void close(std::uint16_t code, const std::string&) override { closed = code; }
  void ready() override {}
  void post(std::function<void()> what) override { posted.push_back(std::move(what)); }

  Frame on_its_way;
  std::uint16_t closed = 0;
  std::deque<std::function<void()>> posted;
};

class ConnectionTest : public ::testing::Test {
 protected:
  ~ConnectionTest() override { connection->end(); }

  // Also what comes of it, but for what the device has to read first.
  void says(const std::string& frame) {
    connection->take(frame);
    settle();
  }
  void settle() {
    do {
      while (!port->posted.empty()) {
        const auto what = std::move(port->posted.front());
        port->posted.pop_front();
        what();
      }
    } while (server.step() || !port->posted.empty());
  }
  // All that it is sent until there is no more.
  std::vector<std::string> reads() {
    std::vector<std::string> frames;
    while (port->on_its_way != nullptr) {
      frames.push_back(*port->on_its_way);
      port->on_its_way.reset();
      connection->written();
      settle();
    }
    return frames;
  }
  [[nodiscard]] std::string hello(const std::string& token, const std::string& rest = "") const {
    return fmt::format(
        R"({{"hello":{{"v":1,"device":"{}","token":"{}","clock":{{"wall":0,"mono":0,"boot":"b"}}}}{}}})",
        all.device, token, rest);
  }
  void revoke() { server.call("POST", fmt::format("/v1/devices/{}/revoke", all.device), ""); }

  const fuzz::Beginning all = fuzz::begin();
  fuzz::Server server{copy_of(*all.disk)};
  std::shared_ptr<Port> port = std::make_shared<Port>();
  std::shared_ptr<Connection> connection = std::make_shared<Connection>(server.service(), port);
};

constexpr const char* kPull = R"({"pull":{"cursor":""}})";
// What no decoder lets pass.
constexpr const char* kBadPush = R"(,"push":{"ops":[{"n":"no number"}]})";

TEST_F(ConnectionTest, AFrameBeforeHelloIsCountedAndNotTakenApart) {
  says(R"({"push":{"ops":[{"n":"no number"}]}})");
  EXPECT_EQ(connection->bad_frames(), 1U);
  EXPECT_THAT(reads().at(0), HasSubstr("auth.required"));
}

TEST_F(ConnectionTest, WithoutAGoodTokenTheRestOfAFrameIsNotTakenApart) {
  says(hello("wrong", kBadPush));
  EXPECT_EQ(connection->bad_frames(), 1U);
  EXPECT_EQ(connection->device(), 0U);
  EXPECT_THAT(reads().at(0), HasSubstr("auth.bad_token"));
}

TEST_F(ConnectionTest, ABadFrameLeavesItsHelloUnsaid) {
  says(hello(all.token, kBadPush));
  EXPECT_EQ(connection->device(), 0U);
  EXPECT_EQ(connection->bad_frames(), 1U);
  EXPECT_THAT(reads().at(0), HasSubstr("message.invalid"));
  says(hello(all.token));
  EXPECT_NE(connection->device(), 0U);
  EXPECT_THAT(reads().at(0), HasSubstr("welcome"));
}

TEST_F(ConnectionTest, WhoIsBeyondItsRateIsToldSoBeforeItsPushIsTakenApart) {
  says(hello(all.token));
  reads();
  server.service().count_bytes(connection->device(), std::size_t{2} << 30U);
  says(std::string("{") + (kBadPush + 1) + "}");
  EXPECT_THAT(reads().at(0), HasSubstr("busy"));
}

TEST_F(ConnectionTest, WhatWaitsForADeviceThatIsShutOutIsNotSent) {
  says(hello(all.token));
  for (int i = 0; i < 4; ++i) says(kPull);
  ASSERT_GT(connection->outbox(), 3U);
  revoke();
  settle();
  const std::vector<std::string> frames = reads();
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_THAT(frames[0], HasSubstr("welcome")) << "it was on its way";
  EXPECT_THAT(frames[1], HasSubstr("auth.revoked"));
  EXPECT_NE(port->closed, 0);
}

TEST_F(ConnectionTest, APullUnderWayIsNotAnsweredToWhoIsShutOut) {
  says(hello(all.token));
  reads();
  connection->take(kPull);  // the reader has it; the office is faster
  connection->shut_out(Code::kAuthRevoked);
  settle();
  for (const std::string& frame : reads()) EXPECT_THAT(frame, Not(HasSubstr("\"changes\"")));
  EXPECT_NE(port->closed, 0);
}

}  // namespace
}  // namespace waystation::testing

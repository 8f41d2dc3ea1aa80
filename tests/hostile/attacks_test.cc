// Many at once, or one for long: each attack comes from an address of its own, and the honest
// devices keep their service. What it does to their latency is measured by tools/bench --only
// attack.
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <deque>
#include <thread>

#include "sync/limits.h"
#include "tests/hostile/hostile_server.h"

namespace waystation::testing {
namespace {

constexpr int kText = 1;
constexpr int kClose = 8;
constexpr int kPing = 9;

// Small limits, so that a test reaches them. Attackers come from 127.0.0.66.
constexpr const char* kSettings = R"(
limit_loopback = true
connections = 2000
connections_per_address = 400
connects_per_minute = 3000
ops_per_second = 20
)";
constexpr const char* kAttacker = "127.0.0.66";

class Attacks : public HostileServer {
 public:
  static void SetUpTestSuite() { SetUpServer(kSettings); }

 protected:
  static std::unique_ptr<RawSocket> attacker() {
    return std::make_unique<RawSocket>(server().port(), kAttacker);
  }
  static std::string post(const std::string& path, const std::string& body,
                          const std::string& headers = {}) {
    return fmt::format("POST {} HTTP/1.1\r\nHost: a\r\n{}Content-Length: {}\r\n\r\n{}", path,
                       headers, body.size(), body);
  }
};

// --- connections ----------------------------------------------------------------------------

TEST_F(Attacks, SilentConnectionsOfOneAddressAreFewAndShort) {
  std::deque<std::unique_ptr<RawSocket>> silent;
  const std::size_t before = server().open_files();
  for (int i = 0; i < 600; ++i) silent.push_back(attacker());
  expect_all_are_served();
  EXPECT_LE(server().open_files(), before + 200 + 20) << "half of connections_per_address";
  for (const auto& raw : silent) {
    (void)raw->rest(kPatience);  // a 408, or nothing
    EXPECT_TRUE(raw->ends());
  }
  expect_all_are_served();
}

TEST_F(Attacks, WebSocketsThatSayNothingAreClosedWhetherOrNotTheyRead) {
  std::deque<std::unique_ptr<RawSocket>> silent;
  for (int i = 0; i < 100; ++i) {
    silent.push_back(attacker());
    ASSERT_TRUE(silent.back()->upgrade());
  }
  expect_all_are_served();
  for (const auto& raw : silent) {
    const auto told = raw->frame();
    ASSERT_TRUE(told.has_value());
    EXPECT_EQ(code_of(parse_json(told->payload)), "auth.required");
    const auto closed = raw->frame();
    ASSERT_TRUE(closed.has_value());
    EXPECT_EQ(closed->opcode, kClose);
  }
  expect_all_are_served();
}

// Bad frames before hello whose answers nobody reads: to wait for room must not put the hello
// deadline off.
TEST_F(Attacks, WhoeverTalksRubbishAndDoesNotReadIsCutOffAtTheSameDeadline) {
  const auto began = std::chrono::steady_clock::now();
  const auto raw = attacker();
  ASSERT_TRUE(raw->upgrade());
  bool open = true;
  for (int i = 0; i < 9 && open; ++i) open = raw->send_frame(kText, "{");
  const auto idle = std::chrono::milliseconds(limits::kIdleTimeoutMs);
  while (open && std::chrono::steady_clock::now() - began < idle) {
    open = raw->send_frame(kText, "{");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_FALSE(open);
  expect_all_are_served();
}

// --- enrolment ------------------------------------------------------------------------------

TEST_F(Attacks, AFloodOfWrongCodesIsPutOffAndHonestEnrolmentsGoOn) {
  const std::string guess =
      post("/v1/enroll", R"({"code":"ABCDE-FGHJK","request":"0123456789abcdef"})");
  int refused = 0;
  int put_off = 0;
  auto raw = attacker();
  for (int i = 0; i < 300; ++i) {
    raw->send(guess);
    const auto answer = raw->answer();
    ASSERT_TRUE(answer.has_value());
    if (answer->status == 403) ++refused;
    if (answer->status != 429) continue;
    ++put_off;
    EXPECT_EQ(answer->headers.count("retry-after"), 1U);
    EXPECT_EQ(parse_json(answer->body).value("code", ""), "code.limited");
  }
  EXPECT_GE(refused, 20);
  EXPECT_GT(put_off, 200) << "guessing goes on without a limit";
  const Enrolled honest = office().enroll({kScope});  // from another address
  EXPECT_EQ(HttpCaller(server()).sync(sync_body(honest, {})).status, 200);
  expect_all_are_served();
}

// --- slow ones ------------------------------------------------------------------------------

TEST_F(Attacks, ABodyThatStallsIsNotWaitedForAndOneOfASlowUplinkIs) {
  std::vector<Json> ops;
  for (std::uint64_t n = 1; n <= 8; ++n) {
    ops.push_back(note_of(n, kScope, "slow", std::string(3'700, 'a')));
  }
  const std::string body = sync_body(device(), ops).dump();
  const std::string request = post("/v1/sync", body);
  const auto stalls = attacker();
  stalls->send(request.substr(0, request.size() / 2));
  // 2 KiB a second: 15 s, more than the time of grace.
  RawSocket uplink(server().port());
  constexpr std::size_t kPart = 512;
  for (std::size_t at = 0; at < request.size(); at += kPart) {
    ASSERT_TRUE(uplink.send(request.substr(at, kPart)));
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  }
  const auto taken = uplink.answer();
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->status, 200) << taken->body;
  EXPECT_EQ(verdict_codes(parse_json(taken->body)["receipt"]), "ok ok ok ok ok ok ok ok");
  const auto refused = stalls->answer();
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->status, 408);
  expect_all_are_served();
}

TEST_F(Attacks, ManyThatDripTakeNoPlaceFromOthers) {
  std::deque<std::unique_ptr<RawSocket>> dripping;
  for (int i = 0; i < 150; ++i) dripping.push_back(attacker());
  for (int round = 0; round < 5; ++round) {
    for (const auto& raw : dripping) raw->send(round == 0 ? "POST /v1/sync HTTP/1.1\r\nX: " : "a");
    expect_all_are_served();
  }
}

// --- frames ---------------------------------------------------------------------------------

TEST_F(Attacks, AFloodOfBadFramesShutsItsDeviceOutForAWhileAndNobodyElse) {
  const auto live = greeted(device());
  bool busy = false;
  for (int i = 0; i < 500 && live->open(); ++i) {
    const Json answer = live->ask_unchecked("{");
    if (answer.is_object() && answer.contains("busy")) {
      busy = true;
      EXPECT_GT(answer["busy"]["retry_after_ms"].get<std::int64_t>(), 0);
      break;
    }
  }
  EXPECT_TRUE(busy) << "it may go on for ever";
  EXPECT_EQ(live->close_code(), 1013);
  // Over HTTP and on a new connection it is told when to come back, and nothing is refused.
  const Reply reply = HttpCaller(server()).sync(sync_body(device(), {}));
  EXPECT_EQ(reply.status, 503);
  EXPECT_TRUE(reply.body.contains("busy")) << reply.text;
  LiveClient again(server());
  EXPECT_TRUE(again.ask(hello_frame(device())).contains("busy"));
  // The neighbour has the same address.
  const Reply other = HttpCaller(server()).sync(
      sync_body(neighbour(), {note_of(next_n(neighbour()), kScope, "good", "meanwhile")}));
  EXPECT_EQ(verdict_codes(other.body["receipt"]), "ok");
}

TEST_F(Attacks, ThirtyThousandTinyFramesHoldNobodyUp) {
  const auto raw = attacker();
  ASSERT_TRUE(raw->upgrade());
  raw->send_frame(kText, hello_frame(device()));
  ASSERT_TRUE(raw->frame().has_value());
  // Good and small: a push of nothing.
  std::string many;
  for (int i = 0; i < 1000; ++i) {
    const std::string frame = R"({"push":{"ops":[]}})";
    many += std::string("\x81", 1) + static_cast<char>(0x80 + frame.size());
    many += std::string(4, '\0') + frame;
  }
  // More than it may send at once: the rest waits in the sockets.
  for (int i = 0; i < 30 && raw->send(many); ++i) {
  }
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t n = next_n(neighbour());
    const Reply reply = HttpCaller(server()).sync(
        sync_body(neighbour(), {note_of(n, kScope, "good", "meanwhile")}, ""));
    EXPECT_EQ(verdict_codes(reply.body["receipt"]), "ok");
  }
  raw->reset();
  expect_all_are_served();
}

TEST_F(Attacks, PingsWithoutEndEndTheConnection) {
  const auto raw = attacker();
  ASSERT_TRUE(raw->upgrade());
  raw->send_frame(kText, hello_frame(device()));
  ASSERT_TRUE(raw->frame().has_value());
  bool open = true;
  for (int i = 0; i < 200'000 && open; ++i) {
    open = raw->send_frame(kPing, "a");
    if (i % 100 == 0) {
      while (open && raw->frame(std::chrono::milliseconds(0))) {
      }
    }
  }
  EXPECT_FALSE(open);
  expect_all_are_served();
}

// --- what is compressed ---------------------------------------------------------------------

TEST_F(Attacks, ACompressedBodyIsRefusedUnread) {
  // A gzip of nothing but the same letter would be small here and large there.
  for (const char* encoding : {"gzip", "deflate", "br", "gzip, identity", "x"}) {
    const auto raw = attacker();
    raw->send(post("/v1/sync", std::string(1000, '\x1f'),
                   fmt::format("Content-Encoding: {}\r\n", encoding)));
    const auto answer = raw->answer();
    ASSERT_TRUE(answer.has_value()) << encoding;
    EXPECT_EQ(answer->status, 415);
    EXPECT_EQ(parse_json(answer->body).value("code", ""), "http.encoding");
    EXPECT_TRUE(raw->ends());
  }
  expect_all_are_served();
}

TEST_F(Attacks, ACompressedFrameIsAFaultOfTheProtocol) {
  const auto raw = attacker();
  raw->send(
      "GET /v1/live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n");
  const auto answer = raw->answer();
  ASSERT_TRUE(answer.has_value());
  ASSERT_EQ(answer->status, 101);
  EXPECT_EQ(answer->headers.count("sec-websocket-extensions"), 0U) << "agreed to compression";
  // RSV1, the mark of a compressed message.
  raw->send(std::string("\xC1\x85\0\0\0\0\xAA\x56\x4A\x04\x00", 11));
  const auto closed = raw->frame();
  ASSERT_TRUE(closed.has_value());
  EXPECT_EQ(closed->opcode, kClose);
  EXPECT_EQ(closed->payload.substr(0, 2), "\x03\xEA");  // 1002
  expect_all_are_served();
}

// --- headers --------------------------------------------------------------------------------

TEST_F(Attacks, HeadersBeyondTheLimitAreRefusedAgainAndAgain) {
  for (int i = 0; i < 50; ++i) {
    const auto raw = attacker();
    raw->send("GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + std::string(60'000, 'a'));
    const auto answer = raw->answer();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 431);
  }
  expect_all_are_served();
}

// --- too much of a good thing ---------------------------------------------------------------

TEST_F(Attacks, FactsBeyondTheRateAreTakenLaterAndNoneIsLost) {
  std::uint64_t n = 1;
  const auto push = [&](std::uint64_t first, int count) {
    std::vector<Json> ops;
    for (int i = 0; i < count; ++i) {
      ops.push_back(note_of(first + i, kScope, "many", std::to_string(first + i)));
    }
    return HttpCaller(server()).sync(sync_body(device(), ops));
  };
  for (int i = 0; i < 2; ++i, n += 950) EXPECT_EQ(push(n, 950).status, 200);
  Reply reply;
  int taken = 0;
  do {  // until the allowance of 2,000 is used up
    reply = push(n, 20);
    if (reply.status != 200) break;
    n += 20;
  } while (++taken < 1000);
  ASSERT_EQ(reply.status, 503) << reply.text;
  ASSERT_TRUE(reply.body.contains("busy")) << reply.text;
  const auto wait = reply.body["busy"]["retry_after_ms"].get<std::int64_t>();
  EXPECT_GT(wait, 0);
  EXPECT_LT(wait, 10'000);
  expect_served_by(neighbour());
  std::this_thread::sleep_for(std::chrono::milliseconds(wait));
  reply = push(n, 20);
  EXPECT_EQ(reply.status, 200) << reply.text;
  EXPECT_EQ(reply.body["receipt"]["applied"], n + 19);
}

TEST_F(Attacks, OneDeviceDoesNotTakeAllConnections) {
  std::vector<std::unique_ptr<LiveClient>> many;
  bool put_off = false;
  for (std::size_t i = 0; i < limits::kVisitsPerDevice + 1; ++i) {
    many.push_back(std::make_unique<LiveClient>(server()));
    put_off = many.back()->ask(hello_frame(device())).contains("busy");
  }
  EXPECT_TRUE(put_off);
  EXPECT_EQ(many.back()->close_code(), 1013);
  expect_served_by(neighbour());
  many.clear();
  // Their places come back as soon as the server has seen that they are gone.
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (HttpCaller(server()).sync(sync_body(device(), {})).status != 200 &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  expect_all_are_served();
}

// --- as it is installed ---------------------------------------------------------------------

using Crowd = HostileServer;

TEST_F(Crowd, OfTwoThousandThatSayNothingLeavesRoomForOthers) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < 2500) GTEST_SKIP() << "the system allows too few files";
  std::deque<std::unique_ptr<RawSocket>> silent;
  for (int i = 0; i < 2000; ++i) silent.push_back(std::make_unique<RawSocket>(server().port()));
  expect_all_are_served();
  for (const auto& raw : silent) {
    (void)raw->rest(kPatience);
    EXPECT_TRUE(raw->ends());
  }
  expect_all_are_served();
}

}  // namespace
}  // namespace waystation::testing

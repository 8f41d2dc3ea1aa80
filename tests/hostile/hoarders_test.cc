// Who would have the server hold memory, connections or threads for him without end.
#include <fmt/format.h>

#include <chrono>
#include <deque>
#include <string>
#include <thread>

#include "server/edge_limits.h"
#include "tests/hostile/hostile_server.h"

namespace waystation::testing {
namespace {

using namespace std::string_literals;
constexpr int kText = 1;
constexpr std::uint64_t kMiB = 1024 * 1024;

class Hoarders : public HostileServer {
 protected:
  // True as soon as it holds; false when it does not in time.
  template <typename Holds>
  static bool soon(std::chrono::seconds patience, Holds holds) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return true;
  }
  // Notes that fill more than a page of changes.
  static void fill_the_scope() {
    static bool filled = false;
    if (filled) return;
    filled = true;
    std::vector<Json> ops;
    for (int i = 0; i < 150; ++i) {
      ops.push_back(note_of(0, kScope, fmt::format("large{}", i), std::string(4'000, 'a')));
    }
    office().write_all(ops);
  }
};

// --- bodies ---------------------------------------------------------------------------------

const std::string kChunked =
    "POST /v1/sync HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

// Says `endless` over and over, up to 64 MiB, behind a full chunk and what opens it.
void expect_bounded(const TestServer& server, const std::string& opening,
                    const std::string& endless) {
  RawSocket raw(server.port());
  raw.send(kChunked + "100000\r\n" + std::string(kMiB, ' ') + "\r\n" + opening);
  server.wait_until_it_rests();
  const std::uint64_t before = server.resident_bytes();
  std::string much;
  while (much.size() < kMiB) much += endless;
  std::uint64_t most = before;
  bool open = true;
  for (int i = 0; i < 64 && open; ++i) {
    open = raw.send(much);
    most = std::max(most, server.resident_bytes());
  }
  EXPECT_LT(most, before + 8 * kMiB);
  const std::string heard = raw.rest(kPatience);
  EXPECT_TRUE(heard.empty() || heard.find("http.bad_request") != std::string::npos) << heard;
  EXPECT_TRUE(raw.ends());
}

TEST_F(Hoarders, AChunkExtensionWithoutEndIsNotGathered) {
  expect_bounded(server(), "1;", "a");
  expect_bounded(server(), "1", "0");
  expect_all_are_served();
}

TEST_F(Hoarders, ATrailerWithoutEndIsNotGathered) {
  expect_bounded(server(), "0\r\nX: ", "a");
  expect_bounded(server(), "0\r\n", "X: a\r\n");
  expect_all_are_served();
}

// Small chunks whose extensions are many times what they hold.
TEST_F(Hoarders, ManySmallChunksWithLongExtensionsComeToAnEnd) {
  RawSocket raw(server().port());
  const std::string chunk = "1;" + std::string(10'000, 'a') + "\r\n \r\n";
  ASSERT_TRUE(raw.send(kChunked));
  for (int i = 0; i < 500 && raw.send(chunk); ++i) {
  }
  const auto answer = raw.answer(false, std::chrono::seconds(5));
  ASSERT_TRUE(answer.has_value()) << "5 MB for a body of 500 bytes, and it waits for more";
  EXPECT_EQ(parse_json(answer->body).value("code", ""), "http.bad_request");
  expect_all_are_served();
}

TEST_F(Hoarders, ChunksAreReadAsTheyCome) {
  const std::string body =
      sync_body(device(), {note_of(1, kScope, "chunks", std::string(4'000, 'a'))}).dump();
  RawSocket raw(server().port());
  raw.send(kChunked);
  for (std::size_t at = 0; at < body.size(); at += 100) {
    const std::string part = body.substr(at, 100);
    raw.send(fmt::format("{:x};x=y\r\n{}\r\n", part.size(), part));
  }
  raw.send("0\r\n\r\n");
  const auto answer = raw.answer();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200) << answer->body;
}

// Headers that come behind the body would be read as if they had come before it.
TEST_F(Hoarders, ATrailerAuthorizesNothing) {
  const std::string bearer = device().device + "." + device().token;
  for (const std::string& line :
       {"Authorization: Bearer " + bearer, "Cookie: a=b"s, "X-CSRF-Token: a"s, "X: a"s}) {
    RawSocket raw(server().port());
    raw.send(
        "GET /v1/quarantine HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n" +
        line + "\r\n\r\n");
    const auto answer = raw.answer();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 400) << line;
    EXPECT_EQ(parse_json(answer->body).value("code", ""), "http.bad_request");
    EXPECT_TRUE(raw.ends());
  }
  expect_all_are_served();
}

// --- connections that are half closed ---------------------------------------------------------

// Nothing more comes from them, and they take nothing: whoever waits for either waits for ever.
TEST_F(Hoarders, HalfClosedConnectionsWithUnreadPagesAreCutOff) {
  fill_the_scope();
  server().wait_until_it_rests();
  const std::size_t before = server().open_files();
  std::vector<Enrolled> devices;
  for (int i = 0; i < 5; ++i) devices.push_back(office().enroll({kScope}));
  std::deque<std::unique_ptr<RawSocket>> half;
  for (int i = 0; i < 50; ++i) {
    half.push_back(std::make_unique<RawSocket>(server().port()));
    RawSocket& raw = *half.back();
    raw.take_little();
    ASSERT_TRUE(raw.upgrade());
    raw.send_frame(kText, hello_frame(devices[static_cast<std::size_t>(i) / 10]));
    ASSERT_TRUE(raw.frame().has_value());
    for (int pull = 0; pull < 8; ++pull) raw.send_frame(kText, pull_frame(""));
  }
  server().wait_until_it_rests();
  for (const auto& raw : half) raw->finish();
  EXPECT_TRUE(soon(std::chrono::seconds(15), [&] { return server().open_files() <= before + 5; }))
      << server().open_files() << " files are open, " << before << " were";
  expect_all_are_served();
}

// --- lists that nobody reads --------------------------------------------------------------------

TEST_F(Hoarders, ListsThatADeviceDoesNotReadTakeNothingFromOthers) {
  fill_the_scope();
  const auto list = [](const Enrolled& device) {
    return fmt::format(
        "GET /v1/records?scope={}&coll=note&limit=1000 HTTP/1.1\r\nHost: a\r\n"
        "Authorization: Bearer {}.{}\r\n\r\n",
        kScope, device.device, device.token);
  };
  const auto ask = [&](const Enrolled& device) {
    RawSocket raw(server().port());
    raw.send(list(device));
    return raw.answer();
  };
  std::deque<std::unique_ptr<RawSocket>> hoarders;
  const auto hoard = [&] {
    hoarders.push_back(std::make_unique<RawSocket>(server().port()));
    hoarders.back()->take_little();
    // More than the system keeps for a connection.
    for (int pages = 0; pages < 40; ++pages) hoarders.back()->send(list(device()));
    server().wait_until_it_rests();  // one after another, so that few are put off
  };
  for (std::size_t i = 0; i < limits::kListsAtOnce; ++i) hoard();
  EXPECT_TRUE(soon(std::chrono::seconds(20), [&] {
    const auto answer = ask(device());
    if (answer && answer->status == 503) return answer->headers.count("retry-after") == 1;
    hoard();  // one of them was put off after all, and holds nothing
    return false;
  }));
  const auto other = ask(neighbour());
  ASSERT_TRUE(other.has_value());
  EXPECT_EQ(other->status, 200);
  expect_all_are_served();
  hoarders.clear();
  EXPECT_TRUE(soon(std::chrono::seconds(20), [&] {
    const auto answer = ask(device());
    return answer && answer->status == 200;
  })) << "its places do not come back";
}

// --- connections without a token -----------------------------------------------------------------

constexpr const char* kHealth = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

class Unknown : public Hoarders {
 public:
  static void SetUpTestSuite() {
    SetUpServer("limit_loopback = true\nconnections_per_address = 40\n");
  }
};

TEST_F(Unknown, MayNotAskForEver) {
  RawSocket raw(server().port(), "127.0.0.66");
  std::size_t answers = 0;
  while (answers < 1000 && raw.send(kHealth)) {
    const auto answer = raw.answer();
    if (!answer) break;
    EXPECT_EQ(answer->status, 200);
    ++answers;
    if (answer->headers.count("connection") == 1) break;
  }
  EXPECT_EQ(answers, limits::kUnknownRequests);
  EXPECT_TRUE(raw.ends());
  // One with a token may.
  const std::string list =
      fmt::format("GET /v1/quarantine HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}.{}\r\n\r\n",
                  device().device, device().token);
  RawSocket known(server().port());
  for (std::size_t i = 0; i < 2 * limits::kUnknownRequests; ++i) {
    ASSERT_TRUE(known.send(list));
    const auto answer = known.answer();
    ASSERT_TRUE(answer.has_value()) << i;
    EXPECT_EQ(answer->status, 200);
  }
}

TEST_F(Unknown, MakesRoomForWhoComesLater) {
  std::deque<std::unique_ptr<RawSocket>> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(std::make_unique<RawSocket>(server().port(), "127.0.0.66"));
    silent.back()->send(kHealth);
    ASSERT_TRUE(silent.back()->answer().has_value());
  }
  for (int i = 0; i < 3; ++i) {
    silent.push_back(std::make_unique<RawSocket>(server().port(), "127.0.0.66"));
    (void)silent.back()->upgrade();
  }
  EXPECT_TRUE(soon(std::chrono::seconds(8), [&] {  // before any of them has timed out
    RawSocket raw(server().port(), "127.0.0.66");
    raw.send(kHealth);
    return raw.answer().has_value();
  }));
  EXPECT_TRUE(silent.front()->ends(std::chrono::seconds(5)));
  expect_all_are_served();
}

TEST_F(Unknown, SendsSmallBodies) {
  for (const char* path : {"/v1/enroll", "/v1/session", "/v1/nothing"}) {
    RawSocket raw(server().port(), "127.0.0.67");
    raw.send(fmt::format("POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n", path) +
             std::string(20'000, ' '));
    const auto answer = raw.answer();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 413) << path;
    RawSocket chunked(server().port(), "127.0.0.67");
    chunked.send(
        fmt::format("POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", path) +
        "4e20\r\n" + std::string(20'000, ' ') + "\r\n0\r\n\r\n");
    const auto refused = chunked.answer();
    ASSERT_TRUE(refused.has_value());
    EXPECT_EQ(refused->status, 413) << path;
  }
  expect_all_are_served();
}

// What it says before hello is looked at no further than for a hello, and counts.
TEST_F(Unknown, IsShutOutForFramesWithoutHello) {
  const std::string frame = push_frame({note_of(1, kScope, "never", std::string(1'000, 'a'))});
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  bool out = false;
  while (!out && std::chrono::steady_clock::now() < deadline) {
    RawSocket raw(server().port(), "127.0.0.68");
    out = !raw.upgrade();
    if (out) break;
    raw.send_frame(kText, frame);
    const auto told = raw.frame();
    if (!told) continue;
    EXPECT_EQ(code_of(parse_json(told->payload)), "auth.required");
  }
  EXPECT_TRUE(out);
  expect_all_are_served();
}

// A path with bytes that are no text is told of as text.
TEST_F(Unknown, IsAnsweredInUtf8) {
  RawSocket raw(server().port(), "127.0.0.69");
  raw.send("GET /v1/%ff%C3%28%E4%BD%A0 HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto answer = raw.answer();
  ASSERT_TRUE(answer.has_value());
  const Json body = parse_json(answer->body);
  EXPECT_EQ(body.value("code", ""), "http.not_found") << answer->body;
  EXPECT_NE(answer->body.find("\xE4\xBD\xA0"), std::string::npos);
}

}  // namespace
}  // namespace waystation::testing

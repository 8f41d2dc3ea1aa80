// The edge as configured: TLS and its certificate, what answers say to browsers, and whom a proxy
// speaks for. Each test has a server of its own.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "tests/process/certificate.h"
#include "tests/process/live_client.h"
#include "tests/process/messages.h"
#include "tests/process/raw_socket.h"
#include "tests/process/test_server.h"
#include "tests/process/tls_client.h"

namespace waystation::testing {
namespace {

constexpr const char* kHealth = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

class TlsEdge : public ::testing::Test {
 protected:
  TlsEdge() {
    make_certificate("first", certificate(), key());
    server.configure(fmt::format("tls_certificate = \"{}\"\ntls_key = \"{}\"\n{}", certificate(),
                                 key(), "limit_loopback = true\n"));
    server.start();
    speak_tls_with(certificate());
  }
  ~TlsEdge() override { speak_tls_with(""); }

  [[nodiscard]] std::string certificate() const { return folder.path() + "/certificate.pem"; }
  [[nodiscard]] std::string key() const { return folder.path() + "/key.pem"; }
  // What a new connection is shown.
  [[nodiscard]] std::string shown() const { return TlsClient(server.port()).name(); }
  void expect_shown_soon(const std::string& name) const {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (shown() != name && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_EQ(shown(), name) << server.log();
  }
  // The log holds it, at the latest in a while.
  void expect_logged(const std::string& words) const {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (server.log().find(words) == std::string::npos &&
           std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_NE(server.log().find(words), std::string::npos) << server.log();
  }

  TemporaryFolder folder;
  TestServer server{TestServer::Begin::kStopped};
};

TEST_F(TlsEdge, ADeviceEnrolsSyncsAndIsLive) {
  Office office(server);
  office.make_scopes({"s"});
  const Enrolled device = office.enroll({"s"});
  const Reply reply =
      HttpCaller(server).sync(sync_body(device, {note_of(1, "s", "n1", "over TLS")}, ""));
  EXPECT_EQ(reply.status, 200) << reply.text;
  TlsClient live(server.port());
  ASSERT_TRUE(live.upgrade());
  EXPECT_TRUE(parse_json(live.ask_live(hello_frame(device))).contains("welcome"));
  const Json receipt = parse_json(live.ask_live(push_frame({note_of(2, "s", "n1", "live")})));
  EXPECT_EQ(verdict_codes(receipt["receipt"]), "ok");
}

TEST_F(TlsEdge, TheCommandsSpeakToIt) {
  EXPECT_EQ(server.run({"devices", "--server", server.address()}), 0) << server.log();
}

TEST_F(TlsEdge, SpeaksNothingOlderThanTls12AndHttp11Alone) {
  EXPECT_FALSE(TlsClient(server.port(), {TLS1_1_VERSION, {}}).open());
  EXPECT_EQ(TlsClient(server.port(), {TLS1_2_VERSION, {}}).version(), "TLSv1.2");
  EXPECT_EQ(TlsClient(server.port(), {0, {"h2", "http/1.1"}}).protocol(), "http/1.1");
  EXPECT_FALSE(TlsClient(server.port(), {0, {"h2"}}).open());
  EXPECT_EQ(TlsClient(server.port()).version(), "TLSv1.3");
}

TEST_F(TlsEdge, PlainHttpAndRubbishAreNotAnsweredAndHarmNobody) {
  for (const std::string& bytes :
       {std::string(kHealth), std::string("\x16\x03\x01\x02\x00", 5), std::string(100'000, '\0')}) {
    RawSocket raw(server.port());
    raw.send(bytes);
    if (bytes.size() > 5) {
      EXPECT_EQ(raw.rest(kPatience).find("HTTP/"), std::string::npos);
    }
  }
  TlsClient client(server.port());
  EXPECT_NE(client.ask(kHealth).find(R"({"status":"ok"})"), std::string::npos);
}

TEST_F(TlsEdge, AHandshakeThatDoesNotComeIsNotWaitedForForEver) {
  RawSocket silent(server.port());
  RawSocket half(server.port());
  half.send(std::string("\x16\x03\x01\x02\x00\x01\x00", 7));
  EXPECT_TRUE(silent.ends());
  EXPECT_TRUE(half.ends());
}

TEST_F(TlsEdge, ANewCertificateIsTakenWithoutARestart) {
  const Enrolled device = Office(server).enroll({"*"});
  TlsClient kept(server.port());
  ASSERT_TRUE(kept.upgrade());
  ASSERT_NE(kept.ask_live(hello_frame(device)), "");
  EXPECT_EQ(shown(), "first");
  // The clock of files may be coarse: the new ones are to be newer.
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  make_certificate("second", certificate(), key());
  expect_shown_soon("second");
  EXPECT_NE(kept.ask_live(pull_frame("")), "") << "an open connection stays";
}

TEST_F(TlsEdge, ABadCertificateLeavesTheOldOneAndSaysSo) {
  std::ofstream(certificate()) << "not a certificate";
  server.signal(SIGHUP);
  expect_logged("the old one stays");
  EXPECT_EQ(shown(), "first");
  // A key that is another's.
  make_certificate("third", certificate(), folder.path() + "/another.pem");
  server.signal(SIGHUP);
  expect_logged("key values mismatch");
  EXPECT_EQ(shown(), "first");
  std::filesystem::rename(folder.path() + "/another.pem", key());
  server.signal(SIGHUP);
  expect_shown_soon("third");
  EXPECT_TRUE(server.running());
}

TEST_F(TlsEdge, AClientThatKnowsTheCertificateTakesNoOther) {
  TemporaryFolder elsewhere;
  make_certificate("first", elsewhere.path() + "/c.pem", elsewhere.path() + "/k.pem");
  speak_tls_with(elsewhere.path() + "/c.pem");
  const auto answer = HttpClient(server.address()).request("GET", "/healthz");
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::kIo);
}

TEST_F(TlsEdge, BrowsersAreToldToComeBackOverTlsAlone) {
  TlsClient client(server.port());
  EXPECT_NE(client.ask(kHealth).find("Strict-Transport-Security: max-age="), std::string::npos);
}

TEST(PlainEdge, IsForThisMachineUnlessToldOtherwise) {
  TestServer server(TestServer::Begin::kStopped);
  EXPECT_EQ(server.run({"serve", "--listen", "0.0.0.0:0"}), 1);
  EXPECT_NE(server.log().find("config.invalid"), std::string::npos) << server.log();
  EXPECT_NE(server.log().find("plain_http"), std::string::npos) << server.log();
  server.configure("tls_certificate = \"/nowhere/c.pem\"\ntls_key = \"/nowhere/k.pem\"\n");
  EXPECT_EQ(server.run({"serve", "--listen", "127.0.0.1:0"}), 1);
  server.configure("tls_certificate = \"/nowhere/c.pem\"\n");
  EXPECT_EQ(server.run({"serve", "--listen", "127.0.0.1:0"}), 1);
}

// --- a server that is stopped -------------------------------------------------------------------

TEST(AStop, WhileClientsAreJustComingInIsClean) {
  for (int round = 0; round < 8; ++round) {
    TestServer server;
    std::atomic<bool> over = false;
    std::vector<std::thread> clients;
    clients.reserve(4);
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back([&] {
        while (!over) {
          try {
            RawSocket raw(server.port());
            if (!raw.upgrade()) return;
          } catch (const std::exception&) {
            return;  // it does not listen any more
          }
        }
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(server.stop(), 0) << server.log();
    over = true;
    for (std::thread& client : clients) client.join();
  }
}

// --- what every answer says ---------------------------------------------------------------------

TEST(Headers, OfEveryAnswerAreStrict) {
  TestServer server;
  const std::string upgrade =
      "GET /v1/live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Extensions: permessage-deflate\r\nOrigin: https://elsewhere.example\r\n\r\n";
  for (const std::string& request :
       {std::string(kHealth), std::string("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"),
        std::string("GET /v1/devices HTTP/1.1\r\nHost: a\r\n\r\n"), std::string("rubbish\r\n\r\n"),
        std::string("OPTIONS /v1/sync HTTP/1.1\r\nHost: a\r\nOrigin: https://elsewhere.example\r\n"
                    "Access-Control-Request-Method: POST\r\n\r\n"),
        upgrade}) {
    SCOPED_TRACE(request);
    RawSocket raw(server.port());
    raw.send(request);
    const auto answer = raw.answer();
    ASSERT_TRUE(answer.has_value());
    const auto& headers = answer->headers;
    const auto value = [&](const char* name) {
      return headers.count(name) == 0 ? std::string() : headers.at(name);
    };
    EXPECT_EQ(value("x-content-type-options"), "nosniff");
    EXPECT_NE(value("content-security-policy").find("default-src 'none'"), std::string::npos);
    EXPECT_NE(value("content-security-policy").find("frame-ancestors 'none'"), std::string::npos);
    EXPECT_EQ(value("referrer-policy"), "no-referrer");
    EXPECT_TRUE(value("server").empty() || value("server") == "waystation") << value("server");
    for (const char* absent : {"x-powered-by", "access-control-allow-origin",
                               "strict-transport-security", "sec-websocket-extensions"}) {
      EXPECT_EQ(headers.count(absent), 0U) << absent;
    }
  }
}

// --- behind a proxy -----------------------------------------------------------------------------

class Proxied : public ::testing::Test {
 protected:
  // One request for a client, as the proxy hands it on; its status.
  static int ask_for(const TestServer& server, const std::string& headers) {
    RawSocket raw(server.port());
    raw.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + headers + "\r\n");
    const auto answer = raw.answer();
    return answer ? answer->status : 0;
  }
  static std::vector<int> ask_often(const TestServer& server, const std::string& headers) {
    std::vector<int> statuses;
    for (int i = 0; i < 12; ++i) statuses.push_back(ask_for(server, headers));
    return statuses;
  }
  static bool all_served(const std::vector<int>& statuses) {
    return std::all_of(statuses.begin(), statuses.end(), [](int s) { return s == 200; });
  }
  TestServer server{TestServer::Begin::kStopped};
};

TEST_F(Proxied, ClientsAreLimitedByTheirOwnAddressAndNotByTheProxys) {
  server.configure("trusted_proxies = [\"127.0.0.1\"]\nconnects_per_minute = 2\n");
  server.start();
  const std::vector<int> loud = ask_often(server, "X-Forwarded-For: 203.0.113.66\r\n");
  EXPECT_EQ(loud.front(), 200);
  EXPECT_EQ(loud.back(), 503);
  // What the client wrote itself stands in front and changes nothing.
  EXPECT_EQ(ask_for(server, "X-Forwarded-For: 198.51.100.1, 203.0.113.66\r\n"), 503);
  EXPECT_EQ(ask_for(server, "Forwarded: for=203.0.113.66\r\n"), 503);
  EXPECT_EQ(ask_for(server, "X-Forwarded-For: 203.0.113.7\r\n"), 200);
  EXPECT_EQ(ask_for(server, "Forwarded: for=203.0.113.8\r\n"), 200);
}

TEST_F(Proxied, WhoIsNotTrustedSpeaksForNobody) {
  server.configure(
      "trusted_proxies = [\"10.0.0.1\"]\nlimit_loopback = true\n"
      "connections_per_address = 1000\nconnects_per_minute = 2\n");
  server.start();
  std::vector<int> statuses;
  for (int i = 0; i < 30; ++i) {
    statuses.push_back(ask_for(server, fmt::format("X-Forwarded-For: 203.0.113.{}\r\n", i)));
  }
  EXPECT_FALSE(all_served(statuses)) << "another header each time is another client each time";
}

TEST_F(Proxied, TheProxysWordOnTlsCounts) {
  server.configure("trusted_proxies = [\"127.0.0.1\"]\n");
  server.start();
  const auto hsts = [&](const std::string& headers) {
    RawSocket raw(server.port());
    raw.send("GET /healthz HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n");
    return raw.answer()->headers.count("strict-transport-security") == 1;
  };
  EXPECT_TRUE(hsts("X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n"));
  EXPECT_FALSE(hsts("X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: http\r\n"));
}

}  // namespace
}  // namespace waystation::testing

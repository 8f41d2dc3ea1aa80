// The pages as browsers are given them: a folder as the build makes it, served by a real server.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/process/messages.h"
#include "tests/process/raw_socket.h"
#include "tests/process/test_server.h"

namespace waystation::testing {
namespace {

constexpr const char* kScript = "assets/index-B1x9_kQz.js";

class Pages : public ::testing::Test {
 protected:
  void put(const std::string& name, const std::string& bytes) const {
    const std::filesystem::path path = folder.path() + "/web/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
  }

  void serve() {
    put("app/index.html", "<!doctype html><title>companion</title>");
    put("app/sw.js", "// worker");
    put("app/manifest.webmanifest", "{}");
    put(std::string("app/") + kScript, "script()");
    put(std::string("app/") + kScript + ".br", "as brotli");
    put(std::string("app/") + kScript + ".gz", "as gzip");
    std::ofstream(folder.path() + "/secret.html") << "secret";
    std::filesystem::create_symlink(folder.path() + "/secret.html",
                                    folder.path() + "/web/app/link.html");
    server.configure(fmt::format("web = \"{}/web\"\n", folder.path()));
    server.start();
  }

  [[nodiscard]] RawAnswer ask(const std::string& target, const std::string& headers = {},
                              const std::string& method = "GET") const {
    RawSocket raw(server.port());
    raw.send(fmt::format("{} {} HTTP/1.1\r\nHost: a\r\n{}\r\n", method, target, headers));
    auto answer = raw.answer(method == "HEAD");
    return answer ? std::move(*answer) : RawAnswer{};
  }

  TemporaryFolder folder;
  TestServer server{TestServer::Begin::kStopped};
};

std::string header(const RawAnswer& answer, const std::string& name) {
  const auto at = answer.headers.find(name);
  return at == answer.headers.end() ? std::string() : at->second;
}

TEST_F(Pages, AreServedWithTheirTypeUnderAPolicyThatTakesNothingFromElsewhere) {
  serve();
  const RawAnswer page = ask("/app/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "<!doctype html><title>companion</title>");
  EXPECT_EQ(header(page, "content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(header(page, "cache-control"), "no-cache");
  EXPECT_EQ(header(page, "x-content-type-options"), "nosniff");
  const std::string policy = header(page, "content-security-policy");
  EXPECT_NE(policy.find("default-src 'none'"), std::string::npos);
  EXPECT_NE(policy.find("script-src 'self';"), std::string::npos);
  EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_NE(header(page, "permissions-policy").find("camera=(self)"), std::string::npos);
  EXPECT_EQ(header(ask("/app/sw.js"), "content-type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(header(ask("/app/sw.js"), "cache-control"), "no-cache");
  EXPECT_EQ(header(ask("/app/manifest.webmanifest"), "content-type"),
            "application/manifest+json; charset=utf-8");
}

TEST_F(Pages, AreReachedFromTheRootAndFromEachPlaceWithin) {
  serve();
  EXPECT_EQ(ask("/").status, 302);
  EXPECT_EQ(header(ask("/"), "location"), "/app/");
  EXPECT_EQ(header(ask("/app"), "location"), "/app/");
  EXPECT_EQ(ask("/app/events/e1?tab=notes").body, ask("/app/").body);
  EXPECT_EQ(ask("/app/assets/missing.js").status, 404);
  EXPECT_EQ(ask("/elsewhere/").status, 404);
}

TEST_F(Pages, WithAHashInTheirNameAreKeptForEver) {
  serve();
  const RawAnswer script = ask(std::string("/app/") + kScript);
  EXPECT_EQ(script.body, "script()");
  EXPECT_EQ(header(script, "cache-control"), "public, max-age=31536000, immutable");
}

TEST_F(Pages, AreSentCompressedToWhoTakesThat) {
  serve();
  const std::string target = std::string("/app/") + kScript;
  const auto coded = [&](const std::string& accepts) {
    const RawAnswer answer = ask(target, "Accept-Encoding: " + accepts + "\r\n");
    EXPECT_EQ(header(answer, "vary"), "Accept-Encoding");
    return header(answer, "content-encoding") + "=" + answer.body;
  };
  EXPECT_EQ(coded("gzip, deflate, br"), "br=as brotli");
  EXPECT_EQ(coded("gzip;q=0.8, br;q=0"), "gzip=as gzip");
  EXPECT_EQ(coded("identity"), "=script()");
}

TEST_F(Pages, ThatAreKnownAreNotSentAgain) {
  serve();
  const std::string tag = header(ask("/app/"), "etag");
  ASSERT_FALSE(tag.empty());
  const RawAnswer again = ask("/app/", "If-None-Match: \"old\", W/" + tag + "\r\n");
  EXPECT_EQ(again.status, 304);
  EXPECT_TRUE(again.body.empty());
  EXPECT_EQ(header(again, "etag"), tag);
  EXPECT_EQ(ask("/app/", "If-None-Match: \"old\"\r\n").status, 200);
  const RawAnswer compressed = ask(std::string("/app/") + kScript, "Accept-Encoding: br\r\n");
  EXPECT_NE(header(compressed, "etag"), header(ask(std::string("/app/") + kScript), "etag"));
}

TEST_F(Pages, AreOnlyRead) {
  serve();
  const RawAnswer head = ask("/app/", "", "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(header(head, "content-length"), std::to_string(ask("/app/").body.size()));
  EXPECT_EQ(ask("/app/", "Content-Length: 0\r\n", "POST").status, 405);
  EXPECT_EQ(ask("/app/", "", "DELETE").status, 405);
}

// Whatever is asked for: a path is a word in a table.
TEST_F(Pages, LeadNowhereElse) {
  serve();
  for (const std::string target :
       {"/app/../../secret.html", "/app/%2e%2e/%2e%2e/secret.html", "/app/..%2f..%2fsecret.html",
        "/app//index.html", "/app/./index.html", "/app/link.html", "/app/index.html%00",
        "/../secret.html", "//app/index.html", "/app/index.html.br",
        "/app/\\..\\..\\secret.html"}) {
    const RawAnswer answer = ask(target);
    EXPECT_TRUE(answer.status == 404 || answer.status == 400) << target << answer.status;
    EXPECT_NE(answer.body, "secret") << target;
  }
}

TEST_F(Pages, ThatWereNotBuiltKeepNobodyFromSyncing) {
  server.configure(fmt::format("web = \"{}/nothing\"\n", folder.path()));
  server.start();
  for (const std::string target : {"/", "/app", "/app/", "/office", "/office/", "/office/setup"}) {
    const RawAnswer answer = ask(target);
    EXPECT_EQ(answer.status, 503) << target;
    EXPECT_EQ(parse_json(answer.body)["code"], "pages.missing") << target;
    EXPECT_NE(answer.body.find("npm run build"), std::string::npos) << target;
  }
  EXPECT_EQ(ask("/healthz").status, 200);
  EXPECT_EQ(ask("/elsewhere").status, 404);
}

TEST_F(Pages, OfOneApplicationAloneSayThatTheOtherWasNotBuilt) {
  serve();
  EXPECT_EQ(ask("/app/").status, 200);
  const RawAnswer answer = ask("/office/");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(parse_json(answer.body)["code"], "pages.missing");
  EXPECT_EQ(ask("/officer/").status, 404);
}

TEST_F(Pages, OfMoreThanTheLimitAreNoFolderOfPages) {
  put("app/index.html", "page");
  for (int i = 0; i <= 2000; ++i) put(fmt::format("app/{}.txt", i), "");
  server.configure(fmt::format("web = \"{}/web\"\n", folder.path()));
  server.launch();
  EXPECT_THROW(server.wait_until_it_listens(), std::runtime_error);
  EXPECT_NE(server.log().find("2000 files"), std::string::npos) << server.log();
}

}  // namespace
}  // namespace waystation::testing

// Signing in on a real server, over real connections, with curl's cookies and without.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <liboath/oath.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <thread>

#include "server/passwords.h"
#include "tests/process/messages.h"

namespace waystation::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kPassword = "correct horse battery";

std::string sign_in_body(const std::string& name, const std::string& password) {
  return Json{{"name", name}, {"password", password}}.dump();
}

// The code that an authenticator shows now.
std::string authenticator(const std::string& base32_secret) {
  char* bytes = nullptr;
  std::size_t size = 0;
  EXPECT_EQ(oath_base32_decode(base32_secret.data(), base32_secret.size(), &bytes, &size), OATH_OK);
  const std::string secret(bytes, size);
  std::free(bytes);
  return totp_code(secret, std::time(nullptr));
}

class SigningIn : public ::testing::Test {
 protected:
  SigningIn() {
    const auto link = server_.ask({"office", "first", "--json", "--server", server_.address()});
    EXPECT_EQ(link.code, 0) << server_.log();
    secret_ = parse_json(link.out)["secret"];
    const Reply made = HttpCaller(server_).call(
        "POST", "/v1/office/setup",
        Json{{"secret", secret_}, {"password", kPassword}, {"name", "李"}});
    EXPECT_EQ(made.status, 200) << made.text;
  }

  // Signs in on this connection, which carries the cookies from then on; gives the answer.
  static Json sign_in(HttpClient& client, const std::string& name = "李") {
    const auto answer = client.request("POST", "/v1/session", sign_in_body(name, kPassword));
    EXPECT_TRUE(answer.ok());
    EXPECT_EQ(answer->status, 200) << answer->body;
    std::string cookies;
    for (const std::string& cookie : answer->cookies) {
      if (!cookies.empty()) cookies += "; ";
      cookies += cookie.substr(0, cookie.find(';'));
    }
    client.set_header("Cookie", cookies);
    return parse_json(answer->body);
  }
  static int status(HttpClient& client, const std::string& method, const std::string& path,
                    const std::string& body = "") {
    const auto answer = client.request(method, path, body);
    return answer.ok() ? answer->status : 0;
  }

  TestServer server_;
  std::string secret_;
};

TEST_F(SigningIn, ASessionDoesWhatTheAdministratorsTokenDoesAndOutlivesARestart) {
  HttpClient client(server_.address());
  EXPECT_EQ(status(client, "GET", "/v1/devices"), 401);
  const Json session = sign_in(client);
  EXPECT_EQ(status(client, "GET", "/v1/devices"), 200);
  EXPECT_EQ(status(client, "POST", "/v1/codes", R"({"scopes":["*"]})"), 403) << "no CSRF token";
  client.set_header("X-CSRF-Token", session["csrf"]);
  EXPECT_EQ(status(client, "POST", "/v1/codes", R"({"scopes":["*"]})"), 200);
  client.set_header("Origin", "https://evil.example");
  EXPECT_EQ(status(client, "POST", "/v1/codes", R"({"scopes":["*"]})"), 403);
  client.set_header("Origin", "http://" + server_.address());
  EXPECT_EQ(status(client, "POST", "/v1/codes", R"({"scopes":["*"]})"), 200);
  client.set_header("Origin", "");

  server_.kill();
  server_.start();
  HttpClient again(server_.address());
  HttpClient unknown(server_.address());
  EXPECT_EQ(status(unknown, "GET", "/v1/session"), 401);
  const auto fresh =
      HttpClient(server_.address()).request("POST", "/v1/session", sign_in_body("李", kPassword));
  ASSERT_EQ(fresh->status, 200);
  const std::string cookie = fresh->cookies[0].substr(0, fresh->cookies[0].find(';'));
  again.set_header("Cookie", cookie);
  EXPECT_EQ(status(again, "GET", "/v1/session"), 200);
  server_.stop();
  server_.start();
  HttpClient later(server_.address());
  later.set_header("Cookie", cookie);
  EXPECT_EQ(status(later, "GET", "/v1/session"), 200) << "the session is in the store";
  EXPECT_EQ(server_.run({"verify"}), 0) << server_.log();
}

TEST_F(SigningIn, EveryRequestOfAPersonAndItsAnswerKeepToTheirSchemas) {
  HttpClient client(server_.address());
  client.set_header("X-CSRF-Token", sign_in(client)["csrf"]);
  EXPECT_EQ(ask(client, "GET", "/v1/session").body["name"], "李");

  const Reply made = ask(client, "POST", "/v1/office/accounts",
                         Json{{"name", "wang"}, {"display", "王"}, {"role", "office"}});
  ASSERT_EQ(made.status, 200) << made.text;
  const Json wanted{{"secret", made.body["secret"]}, {"password", kPassword}};
  EXPECT_EQ(HttpCaller(server_).call("POST", "/v1/office/setup", wanted).status, 200);
  EXPECT_EQ(ask(client, "GET", "/v1/office/accounts").body["accounts"].size(), 2U);
  const Reply disabled = ask(client, "PUT", "/v1/office/accounts/wang", Json{{"disabled", true}});
  EXPECT_EQ(disabled.body["disabled"], true) << disabled.text;
  EXPECT_EQ(ask(client, "POST", "/v1/office/accounts/wang/reset").status, 200);

  const Json passwords{{"password", kPassword}, {"new_password", "a longer sentence"}};
  EXPECT_EQ(ask(client, "PUT", "/v1/session/password", passwords).status, 200);
  const Reply secret =
      ask(client, "POST", "/v1/session/second-factor", Json{{"password", "a longer sentence"}});
  ASSERT_EQ(secret.status, 200) << secret.text;
  const Reply wrong = ask(client, "PUT", "/v1/session/second-factor", Json{{"code", "12"}});
  EXPECT_EQ(wrong.status, 403) << wrong.text;
  const Json code{{"code", authenticator(secret.body["secret"])}};
  const Reply recovery = ask(client, "PUT", "/v1/session/second-factor", code);
  EXPECT_EQ(recovery.status, 200) << recovery.text;
  EXPECT_EQ(ask(client, "GET", "/v1/audit?limit=3").body["audit"].size(), 3U);
  EXPECT_EQ(ask(client, "DELETE", "/v1/session").status, 200);
  EXPECT_EQ(ask(client, "GET", "/v1/session").status, 401);
}

TEST_F(SigningIn, TheLinkOfTheFirstAdministratorWorksOnce) {
  const Reply again = HttpCaller(server_).call(
      "POST", "/v1/office/setup",
      Json{{"secret", secret_}, {"password", kPassword}, {"name", "other"}});
  EXPECT_EQ(again.code(), "link.invalid");
  EXPECT_EQ(server_.run({"office", "first", "--server", server_.address()}), 1);
}

TEST_F(SigningIn, AStrangerWhoGuessesIsSlowedDownAndTheOwnersKnownBrowserIsNot) {
  HttpClient owner(server_.address());
  sign_in(owner);
  HttpClient stranger(server_.address());
  int slowed = 0;
  std::string retry_after;
  for (int i = 0; i < 8; ++i) {
    const auto answer = stranger.request("POST", "/v1/session", sign_in_body("李", "a bad guess"));
    ASSERT_TRUE(answer.ok());
    if (answer->status == 429) {
      ++slowed;
      retry_after = answer->retry_after;
    }
  }
  EXPECT_GT(slowed, 0);
  EXPECT_FALSE(retry_after.empty());
  // From the very same address.
  EXPECT_EQ(status(owner, "POST", "/v1/session", sign_in_body("李", kPassword)), 200);
}

TEST_F(SigningIn, AFloodOfAttemptsLeavesTheServerItsMemoryAndDevicesTheirService) {
  Office office(server_);
  office.make_scopes({"s"});
  const Enrolled device = office.enroll({"s"});
  std::vector<std::thread> flood;
  for (int t = 0; t < 12; ++t) {
    flood.emplace_back([this, t] {
      HttpClient client(server_.address());
      for (int i = 0; i < 5; ++i) {
        (void)client.request("POST", "/v1/session",
                             sign_in_body(fmt::format("n{}-{}", t, i), "a bad guess"));
      }
    });
  }
  const Reply during =
      HttpCaller(server_).sync(sync_body(device, {note_of(1, "s", "n1", "a")}, ""));
  for (std::thread& thread : flood) thread.join();
  EXPECT_EQ(verdict_codes(during.body["receipt"]), "ok");
  // One hash at a time: 64 MiB, whoever asks for how many.
  EXPECT_LT(server_.resident_bytes(), std::uint64_t{600} << 20U);
}

// A cookie jar that is not ours.
TEST_F(SigningIn, CurlKeepsTheCookies) {
  TemporaryFolder folder;
  const std::string jar = folder.path() + "/jar";
  const std::string out = folder.path() + "/out";
  const auto curl = [&](const std::string& words) {
    const std::string command = fmt::format(
        "curl -s -o {} -w '%{{http_code}}' -b {} -c {} {} > {}.code", out, jar, jar, words, out);
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    std::string code;
    std::ifstream(out + ".code") >> code;
    return code;
  };
  const std::string base = "http://" + server_.address();
  EXPECT_EQ(curl(base + "/v1/session"), "401");
  EXPECT_EQ(curl(fmt::format("-d '{}' {}/v1/session", sign_in_body("李", kPassword), base)), "200");
  std::ifstream answer(out);
  const std::string csrf = Json::parse(answer)["csrf"];
  EXPECT_EQ(curl(base + "/v1/session"), "200");
  EXPECT_EQ(curl(base + "/v1/office/accounts"), "200");
  EXPECT_EQ(curl("-X DELETE " + base + "/v1/session"), "403");
  EXPECT_EQ(curl(fmt::format("-X DELETE -H 'X-CSRF-Token: {}' {}/v1/session", csrf, base)), "200");
  EXPECT_EQ(curl(base + "/v1/session"), "401");
  std::ifstream kept(jar);
  const std::string text((std::istreambuf_iterator<char>(kept)), {});
  EXPECT_THAT(text, HasSubstr("#HttpOnly_127.0.0.1"));
}

TEST_F(SigningIn, TheAuditLogIsShownExportedAndChecked) {
  const auto head = server_.ask({"audit", "--head"});
  ASSERT_EQ(head.code, 0);
  const std::string noted = head.out.substr(0, head.out.find('\n'));
  EXPECT_EQ(server_.run({"verify", "--audit-head", noted}), 0) << server_.log();
  EXPECT_EQ(server_.run({"verify", "--audit-head", "1:" + std::string(64, 'a')}), 1);
  EXPECT_EQ(server_.run({"verify", "--audit-head", "nonsense"}), 2);
  const auto lines = server_.ask({"audit", "--format", "jsonl"});
  const Json first = parse_json(lines.out.substr(0, lines.out.find('\n')));
  EXPECT_EQ(first["n"], 1);
  EXPECT_EQ(first["what"], "account.first_link");
  EXPECT_THAT(server_.ask({"audit", "--format", "csv"}).out,
              HasSubstr("n,time,who,what,on,details,hash\r\n1,"));
  EXPECT_THAT(server_.ask({"audit", "--last", "1"}).out, HasSubstr("account.made"));
  const Reply page =
      HttpCaller(server_, server_.admin_token()).call("GET", "/v1/audit?after=1&limit=1");
  EXPECT_EQ(page.body["audit"].size(), 1U);
  EXPECT_EQ(page.body["audit"][0]["n"], 2);
  EXPECT_EQ(HttpCaller(server_).call("GET", "/v1/audit").status, 401);
  EXPECT_EQ(server_.run({"export", "--coll", "volunteer", "--out", server_.data() + "/out.csv",
                         "--server", server_.address()}),
            0);
  EXPECT_THAT(server_.ask({"audit", "--last", "1"}).out, HasSubstr("records.exported"));
}

}  // namespace
}  // namespace waystation::testing

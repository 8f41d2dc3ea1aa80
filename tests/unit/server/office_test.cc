// People of the office: signing in, sessions, second factors, links, accounts. On a clock that the
// tests move.
#include "server/office.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/passwords.h"
#include "sync/limits.h"
#include "tests/support/json.h"
#include "tests/support/office_server.h"

namespace waystation::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kHour = 60 * kMinute;

class OfficeAccounts : public ::testing::Test {
 protected:
  OfficeAccounts() { server.make_first("limei"); }

  // Of a person who confirms a second factor; gives its secret as bytes.
  std::string take_second_factor(Browser& browser, std::vector<std::string>* recovery = nullptr) {
    const ApiReply begun = browser.send("POST", "/v1/session/second-factor",
                                        fmt::format(R"({{"password":"{}"}})", kPassword));
    EXPECT_EQ(begun.status, 200) << begun.body;
    const std::string secret = server.service().store().office().get()->find("limei")->totp_pending;
    EXPECT_EQ(member(begun.body, "secret"), base32(secret));
    const ApiReply confirmed =
        browser.send("PUT", "/v1/session/second-factor",
                     fmt::format(R"({{"code":"{}"}})", totp_code(secret, server.now / 1000)));
    EXPECT_EQ(confirmed.status, 200) << confirmed.body;
    if (recovery != nullptr) {
      const JsonText text(confirmed.body);
      for (const dom::element code : dom::array(text.root()["recovery"])) {
        recovery->emplace_back(std::string_view(code));
      }
    }
    return secret;
  }

  OfficeServer server;
};

// --- signing in -------------------------------------------------------------------------------

TEST_F(OfficeAccounts, SigningInOpensASessionThatSaysWhoItIs) {
  Browser browser = server.sign_in("LiMei");
  const ApiReply who = browser.get("/v1/session");
  ASSERT_EQ(who.status, 200) << who.body;
  EXPECT_EQ(member(who.body, "name"), "limei");
  EXPECT_EQ(member(who.body, "role"), "administrator");
  EXPECT_EQ(member(who.body, "csrf"), browser.csrf);
  EXPECT_EQ(member(who.body, "zone"), "Asia/Shanghai") << "what days on a page are of";
  EXPECT_EQ(browser.get("/v1/devices").status, 200);
  EXPECT_EQ(browser.send("DELETE", "/v1/session", "").status, 200);
  EXPECT_EQ(browser.get("/v1/session").status, 401);
  EXPECT_THAT(server.audited(), Contains("session.ended"));
}

TEST_F(OfficeAccounts, AWrongPasswordAndAWrongNameAreToldApartByNobody) {
  server.make("gone", "office");
  server.admin("PUT", "/v1/office/accounts/gone", R"({"disabled":true})");
  const ApiReply unset =
      server.admin("POST", "/v1/office/accounts", R"({"name":"new","role":"office"})");
  ASSERT_EQ(unset.status, 200);
  const ApiReply wrong = Browser(server).sign_in("limei", "a wrong password");
  EXPECT_EQ(code_of(wrong), "auth.sign_in");
  for (const char* name : {"nobody", "gone", "new", "a b", "/"}) {
    const ApiReply reply = Browser(server).sign_in(name, kPassword);
    EXPECT_EQ(reply.body, wrong.body) << name;
    EXPECT_EQ(reply.status, wrong.status);
    EXPECT_TRUE(reply.cookies.empty());
  }
}

TEST_F(OfficeAccounts, ANameThatIsNoneIsNotWrittenDown) {
  Browser(server).sign_in("my secret passphrase", "x");
  Browser(server).sign_in("mysecretpassphrase", "x");
  Browser(server).sign_in("limei", "x");
  for (const AuditEntry& entry : server.audit_log()) {
    EXPECT_THAT(audit_json(entry, true), Not(HasSubstr("secret")));
  }
  EXPECT_EQ(server.audit_log().back().note.on, "account limei");
  EXPECT_THAT(dump(server.disk()), Not(Contains(HasSubstr(kPassword))));
}

TEST_F(OfficeAccounts, CookiesAreKeptFromScriptsAndOtherSites) {
  ApiRequest request;
  request.method = "POST";
  request.path = "/v1/session";
  request.body = fmt::format(R"({{"name":"limei","password":"{}"}})", kPassword);
  const ApiReply plain = server.call(request);
  ASSERT_EQ(plain.cookies.size(), 2U);
  for (const std::string& cookie : plain.cookies) {
    EXPECT_THAT(cookie, HasSubstr("; Path=/; HttpOnly; SameSite=Strict"));
    EXPECT_THAT(cookie, Not(HasSubstr("Secure")));
  }
  request.secure = true;
  const ApiReply secure = server.call(request);
  for (const std::string& cookie : secure.cookies) {
    EXPECT_EQ(cookie.rfind("__Host-waystation", 0), 0U) << cookie;
    EXPECT_THAT(cookie, HasSubstr("; Secure"));
    EXPECT_THAT(cookie, Not(HasSubstr("Domain")));
  }
  // A cookie that came without TLS does not count under TLS.
  ApiRequest later;
  later.method = "GET";
  later.path = "/v1/session";
  later.cookie = plain.cookies[0].substr(0, plain.cookies[0].find(';'));
  EXPECT_EQ(server.call(later).status, 200);
  later.secure = true;
  EXPECT_EQ(server.call(later).status, 401);
}

// --- slowing down -----------------------------------------------------------------------------

TEST_F(OfficeAccounts, AStrangerSlowsHimselfDownAndNotTheOwner) {
  Browser known = server.sign_in("limei");
  Browser stranger(server, kStranger);
  std::string last;
  for (int i = 0; i < 12; ++i) last = code_of(stranger.sign_in("limei", "a guess"));
  EXPECT_EQ(last, "auth.slow_down");
  const ApiReply told = stranger.sign_in("limei", kPassword);
  EXPECT_EQ(told.status, 429) << "the right password does not help him either";
  EXPECT_GT(told.retry_after_ms, 0);
  // The owner, elsewhere, in a browser that never signed in before.
  EXPECT_EQ(code_of(Browser(server, "198.51.100.7").sign_in("limei")), "ok");
  // The owner at the stranger's own address, in the known browser.
  Browser beside(server, kStranger);
  beside.cookies = known.cookies;
  EXPECT_EQ(code_of(beside.sign_in("limei")), "ok");
}

// Each /64 has attempts of its own, and one line has 65,536 of them.
TEST_F(OfficeAccounts, WhoHasAWholeIpv6NetworkDoesNotTakeAllPlacesOfThoseWhoSignIn) {
  std::size_t answered = 0;
  for (int i = 0; i < 100; ++i) {
    ApiRequest guess;
    guess.method = "POST";
    guess.path = "/v1/session";
    guess.body = R"({"name":"limei","password":"a long bad guess"})";
    guess.peer = fmt::format("2001:db8:1:{:x}::1", i);
    server.service().api(std::move(guess),
                         [&](ApiReply reply) { answered += code_of(reply) == "busy" ? 1 : 0; });
  }
  EXPECT_EQ(answered, 100 - limits::kStrangersOfNetwork);
  EXPECT_EQ(Browser(server, kStranger).sign_in("limei").status, 200);
  EXPECT_EQ(Browser(server, "2001:db8:2::1").sign_in("limei").status, 200);
}

TEST(FailedSignIns, AreWrittenDownABoundedNumberOfTimesAndTheOthersCounted) {
  FailureLog log;
  int written = 0;
  for (int i = 0; i < 70; ++i) written += log.admit(kStart + i).has_value() ? 1 : 0;
  EXPECT_EQ(written, 60);
  EXPECT_EQ(log.admit(kStart + 2 * kMinute), 10U);
  EXPECT_EQ(log.admit(kStart + 2 * kMinute), 0U);
  EXPECT_FALSE(log.admit(kStart + 2 * kMinute).has_value());
}

TEST_F(OfficeAccounts, AFailedSignInIsWrittenDownWithItsNetworkAlone) {
  Browser(server, kStranger).sign_in("nobody", "x");
  EXPECT_EQ(server.audit_log().back().note.on, "an unknown account");
  EXPECT_EQ(server.audit_log().back().note.details, R"({"network":"203.0.113.0/24"})");
}

// --- sessions ---------------------------------------------------------------------------------

TEST_F(OfficeAccounts, F26_ASessionEndsWhenItRestsAndAfterADayAtTheLatest) {
  Browser resting = server.sign_in("limei");
  server.now += limits::kSessionIdleMs - kMinute;
  EXPECT_EQ(resting.get("/v1/session").status, 200);
  server.now += limits::kSessionIdleMs - kMinute;
  EXPECT_EQ(resting.get("/v1/session").status, 200) << "its use counts";
  server.now += limits::kSessionIdleMs + 2 * kMinute;
  EXPECT_EQ(code_of(resting.get("/v1/session")), "auth.required");

  Browser busy = server.sign_in("limei");
  const std::int64_t opened = server.now;
  while (server.now + 20 * kMinute < opened + limits::kSessionMs) {
    server.now += 20 * kMinute;
    ASSERT_EQ(busy.get("/v1/session").status, 200);
  }
  server.now = opened + limits::kSessionMs;
  EXPECT_EQ(busy.get("/v1/session").status, 401);
}

TEST_F(OfficeAccounts, SessionsSurviveARestart) {
  Browser browser = server.sign_in("limei");
  server.restart();
  EXPECT_EQ(member(browser.get("/v1/session").body, "csrf"), browser.csrf);
  EXPECT_EQ(browser.send("POST", "/v1/codes", R"({"scopes":["*"]})").status, 200);
}

TEST_F(OfficeAccounts, AnAccountHasABoundedNumberOfSessions) {
  std::vector<Browser> browsers;
  for (std::size_t i = 0; i < limits::kSessionsPerAccount + 2; ++i) {
    browsers.push_back(server.sign_in("limei"));
    server.now += 1000;
  }
  EXPECT_EQ(browsers[0].get("/v1/session").status, 401);
  EXPECT_EQ(browsers[1].get("/v1/session").status, 401);
  EXPECT_EQ(browsers[2].get("/v1/session").status, 200);
  EXPECT_EQ(server.service().store().office().get()->sessions.size(), limits::kSessionsPerAccount);
}

TEST_F(OfficeAccounts, AChangeOfPasswordEndsTheOtherSessions) {
  Browser here = server.sign_in("limei");
  Browser there = server.sign_in("limei");
  const auto change = [&](const char* old_password) {
    return code_of(here.send(
        "PUT", "/v1/session/password",
        fmt::format(R"({{"password":"{}","new_password":"another good one"}})", old_password)));
  };
  EXPECT_EQ(change("a wrong one"), "auth.sign_in");
  EXPECT_EQ(there.get("/v1/session").status, 200);
  EXPECT_EQ(change(kPassword), "ok");
  EXPECT_EQ(here.get("/v1/session").status, 200);
  EXPECT_EQ(there.get("/v1/session").status, 401);
  EXPECT_EQ(code_of(Browser(server).sign_in("limei")), "auth.sign_in");
  EXPECT_EQ(code_of(Browser(server).sign_in("limei", "another good one")), "ok");
}

TEST_F(OfficeAccounts, ADisabledAccountIsOutAtOnce) {
  server.make("wang", "office");
  Browser wang = server.sign_in("wang");
  Browser limei = server.sign_in("limei");
  EXPECT_EQ(limei.send("PUT", "/v1/office/accounts/wang", R"({"disabled":true})").status, 200);
  EXPECT_EQ(wang.get("/v1/session").status, 401);
  EXPECT_EQ(code_of(Browser(server).sign_in("wang")), "auth.sign_in");
  EXPECT_EQ(limei.send("PUT", "/v1/office/accounts/wang", R"({"disabled":false})").status, 200);
  EXPECT_EQ(wang.get("/v1/session").status, 401) << "the old session does not come back";
  EXPECT_EQ(code_of(Browser(server).sign_in("wang")), "ok");
}

// --- forged requests --------------------------------------------------------------------------

TEST_F(OfficeAccounts, AChangeNeedsTheTokenOfTheSessionAndAPageOfThisServer) {
  Browser browser = server.sign_in("limei");
  Browser other = server.sign_in("limei");
  const auto post = [&](const std::string& csrf, const std::string& origin,
                        const std::string& site) {
    ApiRequest request;
    request.method = "POST";
    request.path = "/v1/codes";
    request.body = R"({"scopes":["*"]})";
    request.host = "office.example:8080";
    request.csrf = csrf;
    request.origin = origin;
    request.fetch_site = site;
    return code_of(browser.send(std::move(request)));
  };
  EXPECT_EQ(post(browser.csrf, "", ""), "ok");
  EXPECT_EQ(post(browser.csrf, "https://office.example:8080", "same-origin"), "ok");
  EXPECT_EQ(post("", "", ""), "auth.csrf");
  EXPECT_EQ(post(other.csrf, "", ""), "auth.csrf");
  EXPECT_EQ(post(browser.csrf + "0", "", ""), "auth.csrf");
  EXPECT_EQ(post(browser.csrf, "https://evil.example", ""), "auth.csrf");
  EXPECT_EQ(post(browser.csrf, "null", ""), "auth.csrf");
  EXPECT_EQ(post(browser.csrf, "", "cross-site"), "auth.csrf");
  EXPECT_EQ(post(browser.csrf, "", "same-site"), "auth.csrf");
  // Signing in somebody else's browser is a change as well.
  ApiRequest forged;
  forged.method = "POST";
  forged.path = "/v1/session";
  forged.fetch_site = "cross-site";
  forged.body = fmt::format(R"({{"name":"limei","password":"{}"}})", kPassword);
  EXPECT_EQ(code_of(server.call(forged)), "auth.csrf");
}

// --- what a role may --------------------------------------------------------------------------

TEST_F(OfficeAccounts, TheOfficeReadsAndChangesNothing) {
  server.make("wang", "office");
  Browser wang = server.sign_in("wang");
  for (const char* path :
       {"/v1/devices", "/v1/records?coll=note", "/v1/conflicts", "/v1/quarantine", "/v1/session"}) {
    ApiRequest request;
    request.method = "GET";
    const std::string target = path;
    request.path = target.substr(0, target.find('?'));
    if (target.find('?') != std::string::npos) request.query["coll"] = "note";
    EXPECT_EQ(wang.send(std::move(request)).status, 200) << path;
  }
  EXPECT_EQ(code_of(wang.get("/v1/audit")), "auth.forbidden");
  EXPECT_EQ(code_of(wang.get("/v1/office/accounts")), "auth.forbidden");
  EXPECT_EQ(code_of(wang.send("POST", "/v1/codes", R"({"scopes":["*"]})")), "auth.forbidden");
  EXPECT_EQ(code_of(wang.send("POST", "/v1/backup", R"({"to":"/tmp/x"})")), "auth.forbidden");
  EXPECT_EQ(code_of(wang.send("POST", "/v1/office/accounts", R"({"name":"x"})")), "auth.forbidden");
}

// A backup goes into a folder of the server's machine.
TEST_F(OfficeAccounts, ABackupIsMadeByTheTokenOfThatMachineAlone) {
  Browser limei = server.sign_in("limei");
  EXPECT_EQ(code_of(limei.send("POST", "/v1/backup", R"({"to":"/tmp/x"})")), "auth.forbidden");
  EXPECT_EQ(code_of(server.admin("POST", "/v1/backup", R"({"to":"relative"})")), "backup.folder");
}

TEST_F(OfficeAccounts, TheLastAdministratorStays) {
  Browser limei = server.sign_in("limei");
  for (const char* body : {R"({"disabled":true})", R"({"role":"office"})"}) {
    EXPECT_EQ(code_of(limei.send("PUT", "/v1/office/accounts/limei", body)), "account.last");
  }
  EXPECT_EQ(code_of(limei.send("POST", "/v1/office/accounts/limei/reset", "")), "account.last");
  server.make("wang", "administrator");
  EXPECT_EQ(code_of(limei.send("PUT", "/v1/office/accounts/limei", R"({"role":"office"})")), "ok");
  EXPECT_EQ(code_of(limei.get("/v1/office/accounts")), "auth.forbidden") << "at once";
}

// --- the second factor ------------------------------------------------------------------------

TEST_F(OfficeAccounts, ASecondFactorIsAskedForAndItsCodeIsGoodOnce) {
  Browser browser = server.sign_in("limei");
  Browser there = server.sign_in("limei");
  const std::string secret = take_second_factor(browser);
  EXPECT_EQ(there.get("/v1/session").status, 401);
  const auto sign_in = [&](const std::string& code) {
    return code_of(Browser(server).sign_in("limei", kPassword, code));
  };
  EXPECT_EQ(sign_in(""), "auth.second_factor");
  EXPECT_EQ(code_of(Browser(server).sign_in("limei", "a wrong one", "")), "auth.sign_in");
  EXPECT_EQ(sign_in(totp_code(secret, server.now / 1000)), "auth.sign_in")
      << "it was used to confirm";
  server.now += kTotpStepS * 1000;
  const std::string code = totp_code(secret, server.now / 1000);
  EXPECT_EQ(sign_in(code), "ok");
  EXPECT_EQ(sign_in(code), "auth.sign_in");
}

TEST_F(OfficeAccounts, ARecoveryCodeIsGoodOnce) {
  Browser browser = server.sign_in("limei");
  std::vector<std::string> recovery;
  take_second_factor(browser, &recovery);
  ASSERT_EQ(recovery.size(), limits::kRecoveryCodes);
  EXPECT_EQ(code_of(Browser(server).sign_in("limei", kPassword, recovery[3])), "ok");
  EXPECT_EQ(code_of(Browser(server).sign_in("limei", kPassword, recovery[3])), "auth.sign_in");
  std::string typed = recovery[4];
  for (char& c : typed) c = c == '-' ? ' ' : static_cast<char>(std::tolower(c));
  EXPECT_EQ(code_of(Browser(server).sign_in("limei", kPassword, typed)), "ok");
  EXPECT_EQ(server.service().store().office().get()->find("limei")->recovery.size(), 8U);
}

TEST_F(OfficeAccounts, GuessingCodesBehindAStolenPasswordIsSlowedDownFromAllAddressesTogether) {
  Browser browser = server.sign_in("limei");
  take_second_factor(browser);
  int judged = 0;
  for (int i = 0; i < 14; ++i) {
    const ApiReply reply =
        Browser(server, fmt::format("198.51.{}.7", i)).sign_in("limei", kPassword, "000000");
    judged += code_of(reply) == "auth.sign_in" ? 1 : 0;
  }
  EXPECT_EQ(judged, 10);
  EXPECT_EQ(browser.get("/v1/session").status, 200);
}

// --- links ------------------------------------------------------------------------------------

TEST_F(OfficeAccounts, ALinkWorksOnceAndForADay) {
  const ApiReply made =
      server.admin("POST", "/v1/office/accounts", R"({"name":"wang","role":"office"})");
  const std::string secret = member(made.body, "secret");
  EXPECT_EQ(member(made.body, "path"), "/office/setup#" + secret);
  EXPECT_EQ(code_of(server.use_link(secret, "weak")), "password.weak");
  EXPECT_EQ(code_of(server.use_link(secret + "x", kPassword)), "link.invalid");
  EXPECT_EQ(code_of(server.use_link(secret, kPassword)), "ok");
  EXPECT_EQ(code_of(server.use_link(secret, "another password")), "link.invalid");
  EXPECT_EQ(code_of(Browser(server).sign_in("wang")), "ok");

  const ApiReply late =
      server.admin("POST", "/v1/office/accounts", R"({"name":"zhao","role":"office"})");
  server.now += limits::kLinkMs;
  EXPECT_EQ(code_of(server.use_link(member(late.body, "secret"), kPassword)), "link.invalid");
}

TEST_F(OfficeAccounts, TheFirstAdministratorIsMadeOnce) {
  EXPECT_EQ(code_of(server.admin("POST", "/v1/office/first")), "account.exists");
  OfficeServer empty;
  const std::string old_secret = member(empty.admin("POST", "/v1/office/first").body, "secret");
  const std::string secret = member(empty.admin("POST", "/v1/office/first").body, "secret");
  EXPECT_EQ(code_of(empty.use_link(old_secret, kPassword, "li")), "link.invalid") << "replaced";
  EXPECT_EQ(code_of(empty.use_link(secret, kPassword, "")), "message.invalid");
  EXPECT_EQ(code_of(empty.use_link(secret, kPassword, "li")), "ok");
  EXPECT_EQ(code_of(empty.use_link(secret, kPassword, "wang")), "link.invalid");
  EXPECT_EQ(member(empty.sign_in("li").get("/v1/session").body, "role"), "administrator");
}

TEST_F(OfficeAccounts, AResetTakesEverythingOfTheOldAway) {
  Browser browser = server.sign_in("limei");
  take_second_factor(browser);
  const ApiReply reset = server.admin("POST", "/v1/office/accounts/limei/reset");
  ASSERT_EQ(reset.status, 200) << reset.body;
  EXPECT_EQ(browser.get("/v1/session").status, 401);
  EXPECT_EQ(code_of(Browser(server).sign_in("limei")), "auth.sign_in");
  EXPECT_EQ(code_of(server.use_link(member(reset.body, "secret"), "another good one")), "ok");
  EXPECT_EQ(code_of(Browser(server).sign_in("limei", "another good one")), "ok")
      << "the lost phone is not asked for";
}

// --- the audit log ----------------------------------------------------------------------------

TEST_F(OfficeAccounts, WhatTheyDoIsInTheLogUnderTheirName) {
  Browser browser = server.sign_in("limei");
  browser.send("POST", "/v1/codes", R"({"scopes":["*"],"name":"张三的手机"})");
  ApiRequest list;
  list.method = "GET";
  list.path = "/v1/records";
  list.query["coll"] = "volunteer";
  EXPECT_EQ(browser.send(std::move(list)).status, 200);
  const auto log = server.audit_log();
  ASSERT_GE(log.size(), 2U);
  EXPECT_EQ(log[log.size() - 2].note.what, "code.made");
  EXPECT_EQ(log[log.size() - 2].note.who, "office limei");
  EXPECT_EQ(log.back().note.what, "records.read");
  EXPECT_EQ(log.back().note.on, "*/volunteer");
  for (const AuditEntry& entry : log) {
    EXPECT_THAT(audit_json(entry, true), Not(HasSubstr("张三")));
  }
  const ApiReply page = browser.get("/v1/audit");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr(audit_json(log.back(), true)));
  const auto checked = check_audit(server.disk(), nullptr);
  ASSERT_TRUE(checked.ok());
  EXPECT_TRUE(checked->faults.empty());
  EXPECT_EQ(checked->entries, log.size());
}

}  // namespace
}  // namespace waystation::testing

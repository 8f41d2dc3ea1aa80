#include "server/passwords.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "sync/device_id.h"

namespace waystation::testing {
namespace {

using ::testing::HasSubstr;

// RFC 6238, appendix B, the rows of SHA-1.
TEST(TimeBasedCodes, AreThoseOfTheRfc) {
  const std::string secret = "12345678901234567890";
  const std::vector<std::pair<std::int64_t, const char*>> vectors{
      {59, "94287082"},         {1111111109, "07081804"}, {1111111111, "14050471"},
      {1234567890, "89005924"}, {2000000000, "69279037"}, {20000000000, "65353130"}};
  for (const auto& [time_s, code] : vectors) {
    EXPECT_EQ(totp_code(secret, time_s, 8), code) << time_s;
    EXPECT_EQ(totp_code(secret, time_s), std::string(code).substr(2)) << time_s;
  }
}

TEST(TimeBasedCodes, AreGoodOneStepBeforeAndAfterAndOnce) {
  const std::string secret = "12345678901234567890";
  const std::int64_t now_s = 1111111109;
  const auto step = static_cast<std::uint64_t>(now_s / kTotpStepS);
  for (const std::int64_t away : {-1, 0, 1}) {
    const std::string code = totp_code(secret, now_s + away * kTotpStepS);
    const auto match = totp_match(secret, code, now_s, 0);
    ASSERT_TRUE(match.has_value()) << away;
    EXPECT_EQ(*match, step + static_cast<std::uint64_t>(away));
    EXPECT_FALSE(totp_match(secret, code, now_s, *match).has_value()) << "used";
  }
  for (const std::int64_t away : {-3, -2, 2, 3}) {
    EXPECT_FALSE(totp_match(secret, totp_code(secret, now_s + away * kTotpStepS), now_s, 0));
  }
  EXPECT_FALSE(totp_match(secret, "", now_s, 0));
  EXPECT_FALSE(totp_match(secret, "1234567", now_s, 0));
}

TEST(TimeBasedCodes, AnAuthenticatorReadsTheirSecret) {
  EXPECT_EQ(base32("12345678901234567890"), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
  EXPECT_EQ(totp_uri("12345678901234567890", "李"),
            "otpauth://totp/Waystation:%E6%9D%8E?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
            "&issuer=Waystation");
}

TEST(Passwords, AreHashedWithArgon2idAndMatchAlone) {
  const auto hash = hash_password("correct horse battery");
  ASSERT_TRUE(hash.ok());
  EXPECT_THAT(*hash, HasSubstr("$argon2id$v=19$m=65536,t=3,p=1$"));
  EXPECT_TRUE(password_matches(*hash, "correct horse battery"));
  EXPECT_FALSE(password_matches(*hash, "correct horse batterz"));
  EXPECT_FALSE(password_matches("", "correct horse battery"));
  EXPECT_FALSE(password_matches("", ""));
  EXPECT_FALSE(password_matches("not a hash", "correct horse battery"));
}

TEST(Passwords, ThatAreEasyToGuessAreRefused) {
  for (const char* weak : {"", "short", "elevenchars", "aaaaaaaaaaaaaaaa", "121212121212",
                           "limei at the office", "水水水水水水水水水水水水"}) {
    EXPECT_TRUE(password_fault(weak, "limei").has_value()) << weak;
  }
  for (const char* good : {"correct horse battery", "春眠不觉晓处处闻啼鸟夜来"}) {
    EXPECT_FALSE(password_fault(good, "limei").has_value()) << good;
  }
}

TEST(RecoveryCodes, AreReadAsTheyAreWritten) {
  std::set<std::string> codes;
  for (int i = 0; i < 100; ++i) {
    const std::string code = random_recovery_code(os_random());
    EXPECT_EQ(code.size(), 19U);
    const auto digits = crockford_digits(code);
    ASSERT_TRUE(digits.has_value()) << code;
    EXPECT_EQ(digits->size(), 16U);
    codes.insert(*digits);
  }
  EXPECT_EQ(codes.size(), 100U);
}

TEST(KnownBrowsers, AreKnownByTheirSignature) {
  const std::string key(43, 'k');
  const std::string cookie = sign_browser(key, "limei", "browser", 1000);
  EXPECT_EQ(known_browser(key, "limei", cookie, 999), "browser");
  EXPECT_FALSE(known_browser(key, "limei", cookie, 1000)) << "expired";
  EXPECT_FALSE(known_browser(key, "wang", cookie, 999)) << "another account's";
  EXPECT_FALSE(known_browser(std::string(43, 'l'), "limei", cookie, 999)) << "another key";
  EXPECT_FALSE(known_browser("", "limei", cookie, 999)) << "no key yet";
  for (std::size_t i = 0; i < cookie.size(); ++i) {
    std::string forged = cookie;
    forged[i] = forged[i] == '1' ? '2' : '1';
    EXPECT_FALSE(known_browser(key, "limei", forged, 999)) << forged;
  }
  for (const char* nonsense : {"", ".", "..", "a.b.c", "browser.9999999999999."}) {
    EXPECT_FALSE(known_browser(key, "limei", nonsense, 999)) << nonsense;
  }
}

}  // namespace
}  // namespace waystation::testing

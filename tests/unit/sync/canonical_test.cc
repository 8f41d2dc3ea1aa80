// Canonical JSON and digests where the vectors do not go.
#include "sync/canonical.h"

#include <gtest/gtest.h>

#include "sync/digest.h"

namespace waystation {
namespace {

std::string number(double value) {
  std::string out;
  append_json_number(out, value);
  return out;
}

TEST(Canonical, WritesNumbersAsEcmaScriptDoes) {
  EXPECT_EQ(number(0), "0");
  EXPECT_EQ(number(-0.0), "0");
  EXPECT_EQ(number(5e-324), "5e-324");
  EXPECT_EQ(number(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(number(9007199254740991), "9007199254740991");
  EXPECT_EQ(number(1e21), "1e+21");
  EXPECT_EQ(number(1e20), "100000000000000000000");
  EXPECT_EQ(number(1e-6), "0.000001");
  EXPECT_EQ(number(1e-7), "1e-7");
  EXPECT_EQ(number(-1.5e-9), "-1.5e-9");
  EXPECT_EQ(number(333333333.33333329), "333333333.3333333");
}

TEST(Canonical, SortsKeysByUtf16CodeUnits) {
  EXPECT_TRUE(utf16_less("a", "b"));
  EXPECT_TRUE(utf16_less("", "a"));
  EXPECT_TRUE(utf16_less("a", "aa"));
  EXPECT_FALSE(utf16_less("a", "a"));
  EXPECT_TRUE(utf16_less("😀", "\uFF5E"));
  EXPECT_FALSE(utf16_less("\uFF5E", "😀"));
  EXPECT_TRUE(utf16_less("水", "😀"));
  EXPECT_TRUE(utf16_less("\uD7FF", "😀"));
  EXPECT_TRUE(utf16_less("😀", "\uE000"));
}

TEST(Canonical, EscapesOnlyWhatMustBe) {
  std::string out;
  append_json_string(out, std::string_view("\0\x1f\"\\/\x7f水", 9));
  EXPECT_EQ(out, "\"\\u0000\\u001f\\\"\\\\/\x7f水\"");
}

TEST(Sha256, IsTheOneOfFips180) {
  const std::string hash = sha256("abc");
  EXPECT_EQ(hash.size(), 32U);
  EXPECT_EQ(hash.substr(0, 4), "\xba\x78\x16\xbf");
}

class Digests : public ::testing::Test {
 protected:
  const Digest a = digest_of_record("t", "note", "n1", R"({"text":"a"})");
  const Digest b = digest_of_record("t", "note", "n2", R"({"text":"b"})");
};

TEST_F(Digests, DoNotDependOnTheOrder) {
  Digest one;
  one.add(a);
  one.add(b);
  Digest other;
  other.add(b);
  other.add(a);
  EXPECT_EQ(one, other);
}

TEST_F(Digests, AreKeptUpToDateBySubtracting) {
  Digest sum;
  sum.add(a);
  sum.add(b);
  sum.subtract(a);
  EXPECT_EQ(sum, b);
  sum.subtract(b);
  EXPECT_EQ(sum, Digest{});
  EXPECT_EQ(sum.hex(), std::string(64, '0'));
}

TEST_F(Digests, WrapAroundWithoutForgetting) {
  Digest sum;
  sum.subtract(a);
  sum.add(b);
  sum.add(a);
  EXPECT_EQ(sum, b);
}

TEST_F(Digests, DifferWhereAnyPartOfARecordDiffers) {
  const std::string fields = R"({"text":"a"})";
  EXPECT_NE(a, digest_of_record("u", "note", "n1", fields));
  EXPECT_NE(a, digest_of_record("t", "event", "n1", fields));
  EXPECT_NE(a, digest_of_record("t", "note", "n2", fields));
  EXPECT_NE(a, digest_of_record("t", "note", "n1", "{}"));
}

}  // namespace
}  // namespace waystation

// Values sealed under the key of a person.
#include "storage/sealed.h"

#include <gtest/gtest.h>

#include "sync/personal.h"

namespace waystation {
namespace {

PersonKey key_of(unsigned char byte) {
  PersonKey key{};
  key.fill(byte);
  return key;
}

// p1 has a key, p2 had one.
KeyState find(std::string_view person, PersonKey& key) {
  if (person == "p2") return KeyState::kErased;
  if (person != "p1") return KeyState::kNone;
  key = key_of(1);
  return KeyState::kKnown;
}

const std::string kOne = seal(key_of(1), "p1", R"("王小明")");
const std::string kGone = seal(key_of(2), "p2", R"("李四")");

TEST(ASealedValue, SaysWhoseItIsAndNothingElse) {
  EXPECT_EQ(kOne.find("王小明"), std::string::npos);
  const auto sealed = find_sealed(kOne, 0);
  ASSERT_TRUE(sealed.has_value());
  EXPECT_EQ(sealed->begin, 0U);
  EXPECT_EQ(sealed->end, kOne.size());
  EXPECT_EQ(sealed->person, "p1");
  EXPECT_EQ(unseal(key_of(1), kOne, *sealed), R"("王小明")");
}

TEST(ASealedValue, IsEqualForEqualValuesOfOnePersonAlone) {
  EXPECT_EQ(kOne, seal(key_of(1), "p1", R"("王小明")"));
  EXPECT_NE(kOne, seal(key_of(1), "p1", R"("王小")"));
  EXPECT_NE(kOne, seal(key_of(1), "p3", R"("王小明")"));
  EXPECT_NE(kOne.substr(8), seal(key_of(3), "p1", R"("王小明")").substr(8));
}

TEST(ASealedValue, OpensByItsKeyAloneAndOnlyUnchanged) {
  const auto sealed = find_sealed(kOne, 0);
  EXPECT_FALSE(unseal(key_of(2), kOne, *sealed).has_value());
  for (std::size_t at = 11; at + 1 < kOne.size(); ++at) {
    std::string changed = kOne;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    const auto found = find_sealed(changed, 0);
    // The last digit of base64 may hold bits that say nothing; no change gives another value.
    const auto opened = found ? unseal(key_of(1), changed, *found) : std::nullopt;
    if (opened) {
      EXPECT_EQ(*opened, R"("王小明")");
    }
  }
}

TEST(ASealedValue, OfAnotherPersonsRecordDoesNotPassForOnesOwn) {
  const std::string moved = "\"\\u0001p1.p3." + kOne.substr(kOne.find(".p1.") + 4);
  const auto sealed = find_sealed(moved, 0);
  ASSERT_TRUE(sealed.has_value());
  EXPECT_EQ(sealed->person, "p3");
  EXPECT_FALSE(unseal(key_of(1), moved, *sealed).has_value());
}

TEST(ATextWithSealedValues, IsOpened) {
  EXPECT_EQ(unseal_all("{\"a\":1,\"name\":" + kOne + ",\"z\":[" + kOne + "]}", find),
            R"({"a":1,"name":"王小明","z":["王小明"]})");
  EXPECT_EQ(unseal_all(R"({"a":"\\u0001p1.p1.AAAA"})", find), R"({"a":"\\u0001p1.p1.AAAA"})")
      << "a backslash that somebody typed";
  EXPECT_EQ(unseal_all(R"({"a":"x"})", find), R"({"a":"x"})");
}

TEST(ATextWithSealedValues, HasNullWhereTheKeyIsGone) {
  EXPECT_EQ(unseal_all("{\"a\":1,\"name\":" + kGone + "}", find), R"({"a":1,"name":null})");
  EXPECT_EQ(unseal_all("{\"m\":" + kGone + ",\"o\":" + kOne + "}", find),
            R"({"m":null,"o":"王小明"})");
  EXPECT_EQ(unseal_all("[" + kGone + "]", find), "[null]");
}

TEST(ATextWithSealedValues, OrNothingAsWhereAFieldIsCleared) {
  const auto opened = [](const std::string& text) {
    return unseal_all(text, find, Gone::kLeftOut);
  };
  EXPECT_EQ(opened("{\"a\":1,\"name\":" + kGone + "}"), R"({"a":1})");
  EXPECT_EQ(opened("{\"name\":" + kGone + ",\"z\":1}"), R"({"z":1})");
  EXPECT_EQ(opened("{\"name\":" + kGone + "}"), "{}");
  EXPECT_EQ(opened("{\"m\":" + kGone + ",\"n\":" + kGone + ",\"o\":" + kOne + "}"),
            R"({"o":"王小明"})");
  EXPECT_EQ(opened("[" + kGone + "]"), "[null]");
}

TEST(ATextWithSealedValues, StaysAsItIsWhereNobodyHasAKey) {
  const std::string foreign = "{\"name\":" + seal(key_of(9), "p9", "\"x\"") + "}";
  EXPECT_EQ(unseal_all(foreign, find), foreign);
  const std::string forged = R"({"name":"\u0001p1.p1.AAAA"})";
  EXPECT_EQ(unseal_all(forged, find), forged);
  EXPECT_TRUE(looks_sealed(forged));
  EXPECT_FALSE(looks_sealed(R"({"name":"p1.p1.AAAA"})"));
  EXPECT_EQ(without_sealed(forged), R"({"name":"\u0001x1.p1.AAAA"})");
  EXPECT_EQ(without_sealed(R"({"a":"x\u0001p1."})"), R"({"a":"x\u0001p1."})");
}

}  // namespace
}  // namespace waystation

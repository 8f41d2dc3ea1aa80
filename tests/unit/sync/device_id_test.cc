#include "sync/device_id.h"

#include <gtest/gtest.h>

namespace waystation {
namespace {

TEST(DeviceIds, AreTenCharactersOfCrockford) {
  EXPECT_EQ(format_device_id(1), "0000000001");
  EXPECT_EQ(format_device_id(31), "000000000Z");
  EXPECT_EQ(format_device_id(32), "0000000010");
  EXPECT_EQ(format_device_id(kDeviceIdMask), "ZZZZZZZZZZ");
}

TEST(DeviceIds, ComeBackAsTheyWere) {
  for (const std::uint64_t device :
       {std::uint64_t{1}, std::uint64_t{0x2'AAAA'AAAA'AAAA}, kDeviceIdMask}) {
    EXPECT_EQ(parse_device_id(format_device_id(device)), device);
  }
}

TEST(DeviceIds, SortAsTextLikeTheirNumbers) {
  EXPECT_LT(format_device_id(9), format_device_id(10));
  EXPECT_LT(format_device_id(31), format_device_id(32));
  EXPECT_LT(format_device_id(1U << 20U), format_device_id(kDeviceIdMask));
}

TEST(DeviceIds, OfZeroAreNoDevice) { EXPECT_FALSE(parse_device_id("0000000000")); }

TEST(DeviceIds, AreTakenOnlyAsTheyAreWritten) {
  for (const char* text : {"", "7K3M9QX2P", "7K3M9QX2PAA", "7k3m9qx2pa", "7K3M9QX2PI", "7K3M9QX2PL",
                           "7K3M9QX2PO", "7K3M9QX2PU", "7K3M9-X2PA", " 7K3M9QX2P"}) {
    EXPECT_FALSE(parse_device_id(text)) << text;
  }
}

TEST(TypedCodes, AreReadAsPeopleTypeThem) {
  EXPECT_EQ(crockford_digits("abcd-efgh-jk"), "ABCDEFGHJK");
  EXPECT_EQ(crockford_digits(" ABCD EFGH JK "), "ABCDEFGHJK");
  EXPECT_EQ(crockford_digits("oO-iI-lL"), "001111");
  EXPECT_EQ(crockford_digits(""), "");
}

TEST(TypedCodes, WithOtherCharactersAreNone) {
  for (const char* text : {"ABCU", "AB_CD", "AB\nCD", "水", "A.B"}) {
    EXPECT_FALSE(crockford_digits(text)) << text;
  }
}

}  // namespace
}  // namespace waystation

// schemas/vectors/handover.json: what clients sign, and what is decoded of what they hand in.
#include <gtest/gtest.h>

#include "server/secrets.h"
#include "sync/digest.h"
#include "sync/wire.h"
#include "tests/support/json.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

TEST(HandoverVectors, AreSignedAsIsWritten) {
  const JsonText file = vectors("handover");
  std::size_t cases = 0;
  for (const dom::element vector : dom::array(file.root()["cases"])) {
    SCOPED_TRACE(text_of(vector, "name"));
    ++cases;
    const std::string body = R"({"mac":")" + text_of(vector, "mac") + R"(","ops":)" +
                             text_of(vector, "ops") + R"(,"device":")" + text_of(vector, "device") +
                             R"("})";
    std::string mac;
    const auto admit = [&](const HandoverOutline& outline) {
      EXPECT_EQ(outline.device, text_of(vector, "device"));
      EXPECT_EQ(outline.text, text_of(vector, "signed"));
      mac = handover_mac(sha256(text_of(vector, "token")), outline.text);
      EXPECT_EQ(outline.mac, mac);
      return true;
    };
    const auto push = decode_handover(body, admit);
    ASSERT_TRUE(push.ok()) << push.error().context;
    EXPECT_FALSE((**push).ops.empty());
    EXPECT_EQ(mac, text_of(vector, "mac"));
  }
  EXPECT_GE(cases, 3U);
}

TEST(Handovers, OfWhichNobodySaysWhoWroteThemAreNotTakenApart) {
  const auto never = [](const HandoverOutline&) { return false; };
  const auto refused = decode_handover(R"({"device":"a","mac":"b","ops":[{}]})", never);
  ASSERT_TRUE(refused.ok());
  EXPECT_FALSE(refused->has_value());
  for (const char* body :
       {"", "[]", "{}", R"({"device":"a","mac":"b"})", R"({"device":"a","mac":"b","ops":{}})",
        R"({"device":1,"mac":"b","ops":[]})", R"({"device":"a","mac":"b","ops":[{"n":1,"n":2}]})",
        R"({"device":"a","mac":"b","ops":[{"n":1,"x":"\ud800"}]})"}) {
    EXPECT_FALSE(decode_handover(body, never).ok()) << body;
  }
}

}  // namespace
}  // namespace waystation::testing

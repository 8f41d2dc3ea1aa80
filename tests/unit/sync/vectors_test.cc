// schemas/vectors/: canonical.json, digest.json and wire.json.
#include <gtest/gtest.h>

#include "sync/canonical.h"
#include "sync/digest.h"
#include "sync/errors.h"
#include "sync/wire.h"
#include "tests/support/json.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

TEST(CanonicalVectors, EveryTextBecomesWhatIsWritten) {
  const JsonText file = vectors("canonical");
  std::size_t cases = 0;
  for (const dom::element vector : dom::array(file.root()["cases"])) {
    SCOPED_TRACE(text_of(vector, "name"));
    ++cases;
    const auto made = canonicalize(text_of(vector, "json"));
    if (has(vector, "error")) {
      ASSERT_FALSE(made.ok()) << *made;
      EXPECT_EQ(name(made.error().code), text_of(vector, "error")) << made.error().context;
      continue;
    }
    ASSERT_TRUE(made.ok()) << made.error().context;
    EXPECT_EQ(*made, text_of(vector, "canonical"));
    EXPECT_EQ(*canonicalize(*made), *made);
  }
  EXPECT_GE(cases, 100U);
}

TEST(DigestVectors, EveryDigestIsWhatIsWritten) {
  const JsonText file = vectors("digest");
  for (const dom::element vector : dom::array(file.root()["cases"])) {
    SCOPED_TRACE(text_of(vector, "name"));
    Digest sum;
    for (const dom::element record : dom::array(vector["records"])) {
      if (has(record, "deleted")) continue;
      const auto fields = canonicalize(simdjson::minify(record["fields"].value()));
      ASSERT_TRUE(fields.ok());
      sum.add(digest_of_record(text_of(record, "scope"), text_of(record, "coll"),
                               text_of(record, "id"), *fields));
    }
    EXPECT_EQ(sum.hex(), text_of(vector, "digest"));
  }
}

TEST(WireVectors, EveryFrameGetsWhatIsWritten) {
  const JsonText file = vectors("wire");
  World start;
  const std::uint64_t device = start.enroll({"t"});
  std::size_t cases = 0;
  for (const dom::element vector : dom::array(file.root()["cases"])) {
    SCOPED_TRACE(text_of(vector, "name"));
    ++cases;
    const std::string bytes = text_of(vector, "frame");
    auto frame = decode_frame(bytes);
    if (has(vector, "error")) {
      ASSERT_FALSE(frame.ok());
      EXPECT_EQ(name(frame.error().code), text_of(vector, "error")) << frame.error().context;
      continue;
    }
    ASSERT_TRUE(frame.ok()) << frame.error().context;
    dom::array expected;
    if (vector["ops"].get(expected) != simdjson::SUCCESS) continue;
    ASSERT_TRUE(frame->push.has_value());
    for (Op& op : frame->push->ops) schemas().admit(op);
    const auto world = start.fork();
    const Answer answer = world->push_together({PushOf{device, frame->push->ops}})[0];
    ASSERT_EQ(answer.verdicts.size(), expected.size()) << answer.receipt;
    std::size_t i = 0;
    for (const dom::element verdict : expected) {
      const std::string code = has(verdict, "ok") ? "ok" : text_of(verdict, "refused");
      EXPECT_EQ(answer.code(i), code) << "op " << i + 1 << ": " << answer.receipt;
      ++i;
    }
    // Whatever was refused lies in the quarantine.
    std::size_t refused = 0;
    for (std::size_t v = 0; v < answer.verdicts.size(); ++v) refused += answer.code(v) != "ok";
    EXPECT_EQ(world->quarantine().size(), refused);
  }
  EXPECT_GE(cases, 150U);
}

}  // namespace
}  // namespace waystation::testing

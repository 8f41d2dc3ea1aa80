// Frames that the vectors do not hold: large ones, damaged ones, what the server writes; and text
// of every kind on its way through.
#include "sync/wire.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sync/canonical.h"
#include "sync/limits.h"
#include "tests/support/json.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

using ::testing::HasSubstr;

std::string push_of(const std::vector<std::string>& ops) {
  return fmt::format(R"({{"push":{{"ops":[{}]}}}})", fmt::join(ops, ","));
}

std::string error_of(std::string_view bytes) {
  const auto frame = decode_frame(bytes);
  return frame ? "none" : std::string(name(frame.error().code));
}

TEST(Frames, HoldUpToAThousandOps) {
  std::vector<std::string> ops;
  for (std::uint64_t n = 1; n <= limits::kOpsPerPush; ++n) ops.push_back(op(n).json());
  EXPECT_EQ(error_of(push_of(ops)), "none");
  ops.push_back(op(limits::kOpsPerPush + 1).json());
  EXPECT_EQ(error_of(push_of(ops)), "push.too_many_ops");
}

TEST(Frames, HoldUpToAMebibyte) {
  const std::string frame = R"({"pull":{"cursor":""}})";
  const std::string full = frame + std::string(limits::kFrameBytes - frame.size(), ' ');
  EXPECT_EQ(error_of(full), "none");
  EXPECT_EQ(error_of(full + " "), "frame.too_large");
}

TEST(Frames, ThatNestTooDeepAreRefusedAsAWhole) {
  const std::string deep = std::string(600, '[') + std::string(600, ']');
  EXPECT_EQ(error_of(R"({"x":)" + deep + "}"), "json.too_deep");
}

TEST(Frames, WithBytesThatAreNotUtf8AreRefused) {
  for (const char* bytes : {"\xFF", "\xC3(", "\xE6\xB0", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                            "\xC0\x80", "\xF0\x82\x82\xAC"}) {
    EXPECT_EQ(error_of(fmt::format("{{\"pull\":{{\"cursor\":\"{}\"}}}}", bytes)), "json.utf8");
  }
}

TEST(Frames, CutOffAnywhereAreRefused) {
  const std::string whole =
      R"({"hello":{"v":1,"device":"7K3M9QX2PA","token":"s","clock":{"wall":1,"mono":2,"boot":"b"}},)" +
      push_of({op(1).does(R"("set":{"text":"水😀\u0000"})").json()}).substr(1);
  ASSERT_EQ(error_of(whole), "none");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(error_of(std::string_view(whole).substr(0, size)), "none") << size;
  }
}

TEST(Frames, AreHandledWhateverTheOrderOfTheirMessages) {
  const auto frame = decode_frame(
      R"({"pull":{"cursor":"c","limit":5},"push":{"ops":[]},"note":1,)"
      R"("hello":{"v":1,"device":"d","token":"t","clock":{"wall":-5,"mono":6,"boot":"b"},"queued":7}})");
  ASSERT_TRUE(frame.ok());
  EXPECT_EQ(frame->hello->clock.wall_ms, -5);
  EXPECT_EQ(frame->hello->queued, 7U);
  EXPECT_EQ(frame->pull->limit, 5U);
  EXPECT_TRUE(frame->push->ops.empty());
}

TEST(Ops, ThatAreMalformedKeepTheirTextForTheQuarantine) {
  const auto frame = decode_frame(push_of({R"({"n":1,"scope":5,"text":"水"})", op(2).json()}));
  ASSERT_TRUE(frame.ok());
  const Op& bad = frame->push->ops[0];
  ASSERT_TRUE(bad.refusal.has_value());
  EXPECT_EQ(bad.refusal->code, Code::kOpInvalid);
  EXPECT_EQ(bad.canonical, R"({"n":1,"scope":5,"text":"水"})");
  EXPECT_TRUE(bad.edits.empty());
  EXPECT_FALSE(frame->push->ops[1].refusal.has_value());
}

TEST(Ops, WithALoneSurrogateCostOnlyThemselves) {
  const auto frame =
      decode_frame(push_of({op(1).does(R"("set":{"text":"\ud83d"})").json(), op(2).json(),
                            op(3).does(R"("set":{"later":"a\udc00b"})").json(),
                            op(4).does(R"("set":{"text":"\ud83d\ude00"})").json()}));
  ASSERT_TRUE(frame.ok());
  const auto& ops = frame->push->ops;
  EXPECT_EQ(ops[0].refusal->code, Code::kStringSurrogate);
  EXPECT_FALSE(ops[1].refusal);
  EXPECT_EQ(ops[2].refusal->code, Code::kStringSurrogate);
  EXPECT_EQ(ops[3].edits[0].values[0].json, "\"😀\"");
}

TEST(Ops, WithNumbersThatNoDoubleHoldsCostOnlyThemselves) {
  for (const char* number : {"9007199254740992", "-9007199254740992", "1e300", "1e999", "-1e999",
                             "123456789012345678901234567890", "18446744073709551615"}) {
    const auto frame = decode_frame(
        push_of({op(1).does(fmt::format(R"("set":{{"later":{}}})", number)).json(), op(2).json()}));
    ASSERT_TRUE(frame.ok()) << number;
    ASSERT_TRUE(frame->push->ops[0].refusal) << number;
    EXPECT_EQ(frame->push->ops[0].refusal->code, Code::kJsonNumber) << number;
    EXPECT_FALSE(frame->push->ops[1].refusal);
  }
}

TEST(Ops, AreOneContentHoweverTheyAreWritten) {
  const Op a = received(std::string_view(
      R"({"n":1,"scope":"t","coll":"note","id":"n1","wall":1,"mono":2,"boot":"b","set":{"text":"水","done":true}})"));
  const Op b = received(std::string_view(
      R"( { "set" : {"done":true,"text":"\u6c34"}, "boot":"b","mono":2.0,"wall":1e0,"id":"n1","coll":"note","scope":"t","n":1 })"));
  EXPECT_EQ(a.canonical, b.canonical);
}

TEST(Ops, StoredInTheLogAreReadBack) {
  const Op first = received(op(7).having_seen(5).does(
      R"("set":{"later":{"b":1,"a":[2.5,null]}},"add":{"tags":["x"]},"remove":{"tags":["y"]})"));
  const Op again = received(std::string_view(first.canonical));
  EXPECT_EQ(again.canonical, first.canonical);
  EXPECT_EQ(again.n, 7U);
  EXPECT_EQ(again.base, 5);
  ASSERT_EQ(again.edits.size(), 3U);
  EXPECT_EQ(again.edits[0].values[0].json, R"({"a":[2.5,null],"b":1})");
}

TEST(Ids, HaveTheirCharactersAndLengths) {
  EXPECT_TRUE(valid_scope_id("station:s012/a_b.c-d"));
  EXPECT_FALSE(valid_scope_id(""));
  EXPECT_FALSE(valid_scope_id("a~b"));
  EXPECT_FALSE(valid_scope_id("*"));
  EXPECT_FALSE(valid_scope_id(std::string(65, 'a')));
  EXPECT_FALSE(valid_scope_id(std::string("a\0b", 3)));
  EXPECT_TRUE(valid_record_id("e1~v7"));
  EXPECT_FALSE(valid_record_id("a/b"));
  EXPECT_FALSE(valid_record_id("水"));
  EXPECT_FALSE(valid_record_id(std::string(129, 'a')));
  EXPECT_TRUE(valid_name("from_later2"));
  EXPECT_FALSE(valid_name("2later"));
  EXPECT_FALSE(valid_name("_x"));
  EXPECT_FALSE(valid_name(std::string(65, 'a')));
}

// --- what the server writes -------------------------------------------------------------------

TEST(ServerFrames, AreJsonWhateverTheyHold) {
  const std::string nasty = "\"\\\n\t\x01</script>水😀";
  for (const std::string& frame :
       {encode_welcome({"0123", 5, 6, {nasty}}), encode_error({Code::kMessageInvalid, nasty}),
        encode_problem({Code::kAuthRequired, nasty}), encode_busy(1370),
        encode_receipt({5,
                        6,
                        {encode_verdict_ok(4, 9, {"text"}),
                         encode_verdict_refused(5, {Code::kOpInvalid, nasty})}}),
        encode_changes({nasty, false, true, {"t"}, {{"t", 5, {}}}}, "")}) {
    EXPECT_TRUE(canonicalize(frame).ok()) << frame;
  }
}

TEST(ServerFrames, JoinIntoOneObject) {
  const std::string joined = join_messages({encode_busy(5), encode_receipt({1, 0, {}})});
  const JsonText text(joined);
  EXPECT_EQ(std::int64_t(text.root()["busy"]["retry_after_ms"]), 5);
  EXPECT_EQ(std::int64_t(text.root()["receipt"]["applied"]), 1);
}

TEST(ServerFrames, TellOfAChangeAsTheProtocolSays) {
  std::string item;
  append_change(item, "t", "note", "n1", 7, R"({"text":"水"})", 1);
  item += ',';
  append_change(item, "t", "note", "n2", 8, "", 0);
  EXPECT_EQ(item,
            R"({"scope":"t","coll":"note","id":"n1","seq":7,"fields":{"text":"水"},"conflicts":1},)"
            R"({"scope":"t","coll":"note","id":"n2","seq":8,"deleted":true})");
}

TEST(ServerFrames, TellTheLimitsOfTheProtocol) {
  const JsonText welcome(encode_welcome({"0123", 5, 6, {}}));
  const dom::element limits_told = welcome.root()["welcome"]["limits"];
  EXPECT_EQ(std::uint64_t(limits_told["frame_bytes"]), limits::kFrameBytes);
  EXPECT_EQ(std::uint64_t(limits_told["ops"]), limits::kOpsPerPush);
  EXPECT_EQ(std::uint64_t(limits_told["depth"]), limits::kOpDepth);
  EXPECT_EQ(std::uint64_t(limits_told["string_bytes"]), limits::kStringBytes);
  EXPECT_EQ(std::uint64_t(limits_told["page"]), limits::kPageRecords);
}

// --- pages that must agree with the code ------------------------------------------------------

TEST(Pages, TheProtocolNamesTheLimitsThatTheCodeHas) {
  const std::string page = read_source("docs/protocol.md");
  EXPECT_THAT(page, HasSubstr("1 MiB (1,048,576 bytes)"));
  static_assert(limits::kFrameBytes == 1'048'576);
  EXPECT_THAT(page, HasSubstr("| ops in one push | 1,000 |"));
  static_assert(limits::kOpsPerPush == 1000);
  EXPECT_THAT(page, HasSubstr("the op itself counted | 16 |"));
  static_assert(limits::kOpDepth == 16);
  EXPECT_THAT(page, HasSubstr("| one string value | 65,536 bytes of UTF-8"));
  static_assert(limits::kStringBytes == 65'536);
  EXPECT_THAT(
      page, HasSubstr("| changes in one page | 1,000 (the page may end sooner, at about 512 KiB)"));
  static_assert(limits::kPageRecords == 1000 && limits::kPageBytes == 512 * 1024);
  EXPECT_THAT(page, HasSubstr("| a scope id | 1–64 characters"));
  static_assert(limits::kScopeIdBytes == 64);
  EXPECT_THAT(page, HasSubstr("| a record id | 1–128 characters"));
  static_assert(limits::kRecordIdBytes == 128);
  EXPECT_THAT(page, HasSubstr("| one record, as sent | 65,536 bytes |"));
  static_assert(limits::kRecordBytes == 65'536);
}

TEST(Pages, TheListOfErrorsHoldsEveryCodeWithItsStatus) {
  ASSERT_TRUE(source_exists("docs/errors.md"));
  const std::string page = read_source("docs/errors.md");
  for (const CodeInfo& code : all_codes()) {
    EXPECT_THAT(page, HasSubstr(fmt::format("`{}`", code.name)));
  }
}

TEST(Codes, StandInTheOrderOfTheEnumerationAndOnce) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < all_codes().size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(all_codes()[i].code), i);
    EXPECT_TRUE(names.insert(all_codes()[i].name).second) << all_codes()[i].name;
    EXPECT_GE(all_codes()[i].http, 400);
  }
  EXPECT_EQ(all_codes().size(), static_cast<std::size_t>(Code::kInternal) + 1);
}

// --- text -------------------------------------------------------------------------------------

struct Text {
  const char* name;
  std::string utf8;
};
std::ostream& operator<<(std::ostream& out, const Text& text) { return out << text.name; }

class Texts : public ::testing::TestWithParam<Text> {};

TEST_P(Texts, ComeBackByteForByte) {
  World world;
  const std::uint64_t phone = world.enroll({"t"});
  std::string json;
  append_json_string(json, GetParam().utf8);
  const Answer answer = world.push(
      phone, {op(1).does(fmt::format(R"("set":{{"text":{}}},"add":{{"tags":[{}]}})", json, json))});
  ASSERT_EQ(answer.codes(), "ok") << answer.receipt;
  world.reopen();
  const JsonText shown(world.visible());
  EXPECT_EQ(std::string_view(shown.root()["text"]), GetParam().utf8);
  EXPECT_EQ(std::string_view(shown.root()["tags"].at(0)), GetParam().utf8);
  EXPECT_EQ(world.digest(), world.recomputed_digest());
}

INSTANTIATE_TEST_SUITE_P(
    All, Texts,
    ::testing::Values(
        Text{"Chinese", "揭阳市榕城区暖蜂驿站，水不够，请补。"}, Text{"RareChinese", "𠮷𡘙㐂䶮"},
        Text{"Emoji", "😀👨‍👩‍👧🇨🇳🏳️‍🌈"}, Text{"Composed", "é"},
        Text{"Decomposed", "e\u0301"},
        Text{"RightToLeft", "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d \u200f\u202e"},
        Text{"Nul", std::string("a\0b\0", 4)}, Text{"Empty", ""},
        Text{"Spaces", "  \t\r\n \u00a0\u3000\u2028\u2029"},
        Text{"Controls", "\x01\x08\x0b\x1f\x7f\u0085"},
        Text{"Noncharacters", "\uFFFF\uFDD0\U0010FFFF"}, Text{"ByteOrderMark", "\uFEFFa"},
        Text{"Markup", "</script><!--'\"\\/&amp;"}, Text{"Compatibility", "Ａ①豈ﬁ"}),
    [](const auto& given) { return given.param.name; });

TEST(Text, ComposedAndDecomposedAreTwoElementsOfASet) {
  World world;
  world.push(world.enroll({"t"}), {op(1).does("\"add\":{\"tags\":[\"é\",\"e\u0301\"]}")});
  EXPECT_EQ(world.visible(), "{\"tags\":[\"e\u0301\",\"é\"]}");
}

// --- limits of ops and records ----------------------------------------------------------------

class RecordLimits : public ::testing::Test {
 protected:
  RecordLimits() : phone(world.enroll({"t"})) {}
  std::string told(const std::string& edits) {
    const Answer answer = world.push(phone, {op(++n).does(edits)});
    return answer.codes();
  }
  World world;
  std::uint64_t phone;
  std::uint64_t n = 0;
};

TEST_F(RecordLimits, AnOpNestsSixteenDeep) {
  const auto nested = [](std::size_t depth) {
    return R"("set":{"later":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_EQ(told(nested(limits::kOpDepth - 2)), "ok");
  EXPECT_EQ(told(nested(limits::kOpDepth - 1)), "json.too_deep");
  EXPECT_EQ(told(nested(100)), "json.too_deep");
  EXPECT_EQ(told(R"("set":{"text":"goes on"})"), "ok");
}

TEST_F(RecordLimits, ARecordHas256Fields) {
  std::string fields;
  for (int i = 0; i < 256; ++i) fields += fmt::format("{}\"f{}\":1", i > 0 ? "," : "", i);
  EXPECT_EQ(told("\"set\":{" + fields + "}"), "ok");
  EXPECT_EQ(told(R"("set":{"one_more":1})"), "field.full");
  EXPECT_EQ(told(R"("set":{"f7":2})"), "ok");
}

TEST_F(RecordLimits, ARecordHas64KibibytesAsShown) {
  const std::string big(60'000, 'x');
  EXPECT_EQ(told(fmt::format(R"("set":{{"later":"{}"}})", big)), "ok");
  EXPECT_EQ(told(fmt::format(R"("set":{{"later2":"{}"}})", big)), "record.too_large");
  EXPECT_EQ(told(fmt::format(R"("set":{{"later2":"{}"}})", std::string(4000, 'y'))), "ok");
  EXPECT_LE(world.visible().size(), limits::kRecordBytes);
  EXPECT_EQ(told(R"("del":true)"), "ok");
}

TEST_F(RecordLimits, ALargeValueIsReplacedByAnother) {
  EXPECT_EQ(told(fmt::format(R"("set":{{"later":"{}"}})", std::string(60'000, 'x'))), "ok");
  EXPECT_EQ(told(fmt::format(R"("set":{{"later":"{}"}})", std::string(60'000, 'y'))), "ok");
}

TEST_F(RecordLimits, AFullRecordIsMadeSmaller) {
  std::string padding(limits::kRecordBytes - 400, 'x');
  EXPECT_EQ(told(fmt::format(R"("set":{{"later":"{}"}})", padding)), "ok");
  for (int i = 0; i < 30; ++i) told(fmt::format(R"("set":{{"f{}":1}})", i));
  EXPECT_EQ(told(R"("set":{"later":null})"), "ok");
}

TEST_F(RecordLimits, ALogHas1000ShortEntries) {
  std::string entries = "1";
  for (int i = 1; i < 1000; ++i) entries += ",1";
  EXPECT_EQ(told("\"append\":{\"later\":[" + entries + "]}"), "ok");
}

TEST_F(RecordLimits, ASetOfAnUnknownFieldHas1000Adds) {
  std::string elements = "0";
  for (int i = 1; i < 1000; ++i) elements += fmt::format(",{}", i);
  EXPECT_EQ(told("\"add\":{\"later\":[" + elements + "]}"), "ok");
  EXPECT_EQ(told(R"("add":{"later":[1000]})"), "field.full");
  EXPECT_EQ(told(R"("remove":{"later":[5]})"), "ok");
  EXPECT_EQ(told(R"("add":{"later":[1000]})"), "ok");
}

TEST_F(RecordLimits, ASetOfASchemaHasItsOwnNumberOfItems) {
  std::string tags = "\"0\"";
  for (int i = 1; i < 20; ++i) tags += fmt::format(",\"{}\"", i);
  EXPECT_EQ(told("\"add\":{\"tags\":[" + tags + "]}"), "ok");
  EXPECT_EQ(told(R"("add":{"tags":["more"]})"), "field.full");
}

TEST_F(RecordLimits, TheSumOfACounterStaysAnExactDouble) {
  EXPECT_EQ(told(R"("inc":{"later":9007199254740991})"), "ok");
  EXPECT_EQ(told(R"("inc":{"later":1})"), "field.limit");
  EXPECT_EQ(told(R"("inc":{"later":-9007199254740991})"), "ok");
  EXPECT_EQ(world.visible(), R"({"later":0})");
}

TEST_F(RecordLimits, AnIncrementIsAnInteger) {
  EXPECT_EQ(told(R"("inc":{"later":1.5})"), "field.type");
  EXPECT_EQ(told(R"("inc":{"later":"1"})"), "field.type");
  EXPECT_EQ(told(R"("inc":{"later":null})"), "field.type");
  EXPECT_EQ(told(R"("inc":{"later":2.0})"), "ok");
}

}  // namespace
}  // namespace waystation::testing

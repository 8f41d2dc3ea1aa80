// Frames that are refused as a whole: as the body of POST /v1/sync, and on a WebSocket that has
// said hello.

#include <fmt/format.h>

#include <functional>
#include <ostream>

#include "tests/hostile/hostile_server.h"

namespace waystation::testing {
namespace {

using Device = Enrolled;

struct BadFrame {
  const char* name;
  const char* code;
  std::function<std::string(const Device&)> bytes;
  friend void PrintTo(const BadFrame& row, std::ostream* out) { *out << row.name; }
};

std::string good(const Device& device) {
  return sync_body(device, {note_of(1, kScope, "never", "never taken")}, "").dump();
}

// A good frame with a hello that is not one.
std::string with_hello(const Device& device, const Json& changes) {
  Json body = sync_body(device, {note_of(1, kScope, "never", "never taken")});
  for (const auto& [key, value] : changes.items()) body["hello"][key] = value;
  return body.dump();
}

// A good hello and a push that is not one, given as its value.
std::string with_push(const Device& device, const std::string& push) {
  std::string frame = hello_frame(device);
  frame.pop_back();
  return frame + ",\"push\":" + push + "}";
}

std::string with_op(const Device& device, const std::string& change) {
  const Json op = note_of(1, kScope, "never", "never taken");
  Json patched = op;
  patched.update(Json::parse(change));
  return with_push(device, Json{{"ops", {patched}}}.dump());
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos);
  return text.replace(at, what.size(), with);
}

std::string with_text_bytes(const Device& device, const std::string& bytes) {
  return replaced(good(device), "never taken", bytes);
}

const std::vector<BadFrame> kBadFrames{
    {"Nothing", "json.invalid", [](const Device&) { return ""; }},
    {"ProseInsteadOfJson", "json.invalid",
     [](const Device&) { return "hello, is anybody there?"; }},
    {"WhiteSpaceAlone", "json.invalid", [](const Device&) { return "  \n\t "; }},
    {"CutOffInTheMiddle", "json.invalid",
     [](const Device& device) {
       const std::string text = good(device);
       return text.substr(0, text.size() / 2);
     }},
    {"CutOffBeforeTheLastBrace", "json.invalid",
     [](const Device& device) {
       std::string text = good(device);
       text.pop_back();
       return text;
     }},
    {"TwoFramesInOne", "json.invalid",
     [](const Device& device) { return good(device) + good(device); }},
    {"RubbishBehindTheFrame", "json.invalid",
     [](const Device& device) { return good(device) + "]"; }},
    {"ACommaTooMany", "json.invalid",
     [](const Device& device) { return replaced(good(device), "\"push\":", ",\"push\":"); }},
    {"SingleQuotes", "json.invalid", [](const Device&) { return "{'push':{'ops':[]}}"; }},
    {"ARawControlCharacter", "json.invalid",
     [](const Device& device) {
       return with_text_bytes(device,
                              "a\x01"
                              "b");
     }},
    {"ARawNul", "json.invalid",
     [](const Device& device) { return with_text_bytes(device, std::string("a\0b", 3)); }},
    {"AByteOrderMark", "json.invalid",
     [](const Device& device) { return "\xEF\xBB\xBF" + good(device); }},
    {"AnEscapeThatIsNone", "json.invalid",
     [](const Device& device) { return with_text_bytes(device, R"(\x41)"); }},
    {"NotANumber", "json.invalid",
     [](const Device& device) { return with_push(device, R"({"ops":[{"n":NaN}]})"); }},
    {"ALeadingZero", "json.invalid",
     [](const Device& device) { return with_push(device, R"({"ops":[{"n":01}]})"); }},
    {"AnArrayAtTheTop", "json.invalid", [](const Device&) { return "[1,2,3]"; }},
    {"AStringAtTheTop", "json.invalid", [](const Device&) { return "\"push\""; }},
    {"NoKnownMessage", "message.unknown", [](const Device&) { return R"({"greet":{"v":1}})"; }},
    {"AnEmptyObject", "message.unknown", [](const Device&) { return "{}"; }},

    {"HelloIsANumber", "message.invalid", [](const Device&) { return R"({"hello":5})"; }},
    {"HelloIsNull", "message.invalid", [](const Device&) { return R"({"hello":null})"; }},
    {"HelloWithoutAClock", "message.invalid",
     [](const Device& device) {
       Json body = sync_body(device, {});
       body["hello"].erase("clock");
       return body.dump();
     }},
    {"TheDeviceIsANumber", "message.invalid",
     [](const Device& device) {
       return with_hello(device, Json{{"device", 7}});
     }},
    {"TheTokenIsAnArray", "message.invalid",
     [](const Device& device) {
       return with_hello(device, Json{{"token", Json::array()}});
     }},
    {"TheVersionIsAString", "message.invalid",
     [](const Device& device) {
       return with_hello(device, Json{{"v", "1"}});
     }},
    {"TheClockIsAString", "message.invalid",
     [](const Device& device) {
       return with_hello(device, Json{{"clock", "noon"}});
     }},
    {"TheClockRunsBackwards", "message.invalid",
     [](const Device& device) {
       Json clock = clock_json();
       clock["mono"] = -1;
       return with_hello(device, Json{{"clock", clock}});
     }},
    {"AWallClockBeyondAnyCalendar", "message.invalid",
     [](const Device& device) {
       Json clock = clock_json();
       clock["wall"] = std::int64_t{1} << 60;
       return with_hello(device, Json{{"clock", clock}});
     }},
    {"TheAppIsTooLong", "message.invalid",
     [](const Device& device) {
       return with_hello(device, Json{{"app", std::string(129, 'a')}});
     }},
    {"HalfASurrogatePairInHello", "message.invalid",
     [](const Device& device) {
       return replaced(good(device), R"("app":"tests")", R"("app":"\ud83d")");
     }},
    {"PushIsAString", "message.invalid",
     [](const Device& device) { return with_push(device, R"("all")"); }},
    {"PushWithoutOps", "message.invalid",
     [](const Device& device) { return with_push(device, "{}"); }},
    {"OpsIsAnObject", "message.invalid",
     [](const Device& device) { return with_push(device, R"({"ops":{}})"); }},
    {"AnOpIsANumber", "message.invalid",
     [](const Device& device) { return with_push(device, R"({"ops":[5]})"); }},
    {"AnOpWithoutN", "message.invalid",
     [](const Device& device) { return with_push(device, R"({"ops":[{}]})"); }},
    {"NIsAString", "message.invalid",
     [](const Device& device) { return with_op(device, R"({"n":"1"})"); }},
    {"NIsZero", "message.invalid",
     [](const Device& device) { return with_op(device, R"({"n":0})"); }},
    {"NIsNegative", "message.invalid",
     [](const Device& device) { return with_op(device, R"({"n":-1})"); }},
    {"NIsAFraction", "message.invalid",
     [](const Device& device) { return with_op(device, R"({"n":1.5})"); }},
    {"NIsNull", "message.invalid",
     [](const Device& device) { return with_op(device, R"({"n":null})"); }},
    {"NLiesBeyond53Bits", "message.invalid",
     [](const Device& device) { return with_op(device, R"({"n":9007199254740992})"); }},
    {"NLiesBeyond64Bits", "message.invalid",
     [](const Device& device) {
       return replaced(good(device), R"("n":1,)", R"("n":123456789012345678901234567890,)");
     }},
    {"TheCursorIsANumber", "message.invalid",
     [](const Device& device) {
       Json body = sync_body(device, {});
       body["pull"] = Json{{"cursor", 5}};
       return body.dump();
     }},
    {"APageOfNothing", "message.invalid",
     [](const Device& device) {
       Json body = sync_body(device, {});
       body["pull"] = Json{{"cursor", ""}, {"limit", 0}};
       return body.dump();
     }},

    {"NestingBeyondTheFrames", "json.too_deep",
     [](const Device& device) {
       return with_push(device, std::string(600, '[') + std::string(600, ']'));
     }},
    {"ANestOfHalfAMegabyte", "json.too_deep",
     [](const Device&) { return std::string(250'000, '[') + std::string(250'000, ']'); }},
    {"ANestOfObjects", "json.too_deep",
     [](const Device&) {
       std::string text;
       for (int i = 0; i < 100'000; ++i) text += "{\"a\":";
       return text + "1" + std::string(100'000, '}');
     }},
    {"MoreOpsThanAPushMayHold", "push.too_many_ops",
     [](const Device& device) {
       std::vector<Json> ops;
       for (std::uint64_t n = 1; n <= 1001; ++n) ops.push_back(note_of(n, kScope, "never", "x"));
       return sync_body(device, ops).dump();
     }},
    {"AnotherVersionOfTheProtocol", "version.unsupported",
     [](const Device& device) {
       return with_hello(device, Json{{"v", 2}});
     }},
    {"VersionZero", "version.unsupported",
     [](const Device& device) {
       return with_hello(device, Json{{"v", 0}});
     }},

    {"AByteThatIsNeverUtf8", "json.utf8",
     [](const Device& device) { return with_text_bytes(device, "\xFF"); }},
    {"AnOverlongSlash", "json.utf8",
     [](const Device& device) { return with_text_bytes(device, "\xC0\xAF"); }},
    {"ASurrogateInUtf8", "json.utf8",
     [](const Device& device) { return with_text_bytes(device, "\xED\xA0\x80"); }},
    {"BeyondTheLastCodePoint", "json.utf8",
     [](const Device& device) { return with_text_bytes(device, "\xF4\x90\x80\x80"); }},
    {"HalfAChineseCharacter", "json.utf8",
     [](const Device& device) { return with_text_bytes(device, "\xE6\xB0"); }},

    {"ATokenThatIsNotTheDevices", "auth.bad_token",
     [](const Device& device) {
       return with_hello(device, Json{{"token", "guessed"}});
     }},
    {"NoTokenAtAll", "auth.bad_token",
     [](const Device& device) {
       return with_hello(device, Json{{"token", ""}});
     }},
    {"ADeviceThatWasNeverEnrolled", "auth.unknown_device",
     [](const Device& device) {
       return with_hello(device, Json{{"device", "0123456789"}});
     }},
    {"ADeviceIdThatIsNone", "auth.unknown_device",
     [](const Device& device) {
       return with_hello(device, Json{{"device", "../../etc"}});
     }},
};

class BadFrames : public HostileServer, public ::testing::WithParamInterface<BadFrame> {
 protected:
  // None of the bad frames' ops was taken.
  void expect_nothing_was_taken() const {
    EXPECT_EQ(next_n(device()), 1U);
    EXPECT_EQ(office().record(kScope, "note", "never"), Json(nullptr));
  }
};

TEST_P(BadFrames, OverHttpTheyAreAProblemWithTheCode) {
  const CodeInfo& code = about(GetParam().code);
  const Reply reply =
      HttpCaller(server()).unchecked("POST", "/v1/sync", GetParam().bytes(device()));
  EXPECT_EQ(reply.code(), code.name) << reply.text;
  EXPECT_EQ(reply.status, code.http);
  EXPECT_EQ(reply.content_type, "application/problem+json");
  expect_nothing_was_taken();
  expect_all_are_served();
}

TEST_P(BadFrames, OnTheWebSocketTheyAreAnErrorAndOnlySomeEndTheConnection) {
  const CodeInfo& code = about(GetParam().code);
  const auto live = greeted(device());
  ASSERT_TRUE(live->unchecked(GetParam().bytes(device())));
  // RFC 6455 has the answer to text that is not UTF-8: the close alone.
  if (code.code != Code::kJsonUtf8) {
    EXPECT_EQ(code_of(live->next()), code.name);
  }
  if (code.close == 0) {
    expect_served_on(*live);
  } else {
    EXPECT_EQ(live->close_code(), code.close);
    expect_nothing_was_taken();
  }
  expect_all_are_served();
}

INSTANTIATE_TEST_SUITE_P(Table, BadFrames, ::testing::ValuesIn(kBadFrames),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace waystation::testing

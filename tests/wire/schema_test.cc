// Every message keeps to its schema, and the schemas bite. That each request and answer of these
// tests is held to them happens in tests/process/.

#include <gtest/gtest.h>

#include "sync/wire.h"
#include "tests/process/live_client.h"
#include "tests/process/messages.h"

namespace waystation::testing {
namespace {

TEST(Schemas, HoldForThePartsOfTheFrameToo) {
  const Json hello = Json{{"v", 1}, {"device", "d"}, {"token", "t"}, {"clock", clock_json()}};
  const Json push{{"ops", {note_of(1, "s", "n1", "a")}}};
  const Json pull{{"cursor", ""}};
  EXPECT_EQ(faults_of("hello", hello), "");
  EXPECT_EQ(faults_of("push", push), "");
  EXPECT_EQ(faults_of("pull", pull), "");
  EXPECT_EQ(faults_of("client-frame", Json{{"hello", hello}, {"push", push}, {"pull", pull}}), "");
}

TEST(Schemas, RefuseWhatIsWrong) {
  const Json good = note_of(1, "s", "n1", "a");
  const auto refused = [](const Json& op) {
    return !faults_of("push", Json{{"ops", Json::array({op})}}).empty();
  };
  EXPECT_FALSE(refused(good));
  for (const char* member : {"n", "scope", "coll", "id", "wall", "mono", "boot", "set"}) {
    Json without = good;
    without.erase(member);
    EXPECT_TRUE(refused(without)) << "without " << member;
  }
  const std::vector<std::pair<const char*, Json>> wrong{
      {"n", 0},         {"n", "1"},
      {"n", 1.5},       {"scope", ""},
      {"scope", "a b"}, {"coll", "No"},
      {"id", "a/b"},    {"id", std::string(129, 'a')},
      {"mono", -1},     {"wall", 1e300},
      {"base", -1},     {"set", Json::object()},
      {"del", true},    {"set", Json::array()}};
  for (const auto& [member, value] : wrong) {
    Json with = good;
    with[member] = value;
    EXPECT_TRUE(refused(with)) << member << " " << value;
  }
  EXPECT_NE(faults_of("server-frame", Json::object()), "");
  EXPECT_NE(faults_of("server-frame", Json{{"busy", {{"retry_after_ms", -1}}}}), "");
  EXPECT_NE(faults_of("server-frame", Json{{"hail", 1}}), "");
  EXPECT_NE(faults_of("changes", Json{{"cursor", "c"},
                                      {"more", false},
                                      {"changes", Json::array()},
                                      {"left", Json::array()}}),
            "")
      << "digests are required with more: false";
}

TEST(Schemas, HoldForTheErrorsOfAllCodes) {
  for (const CodeInfo& info : all_codes()) {
    SCOPED_TRACE(info.name);
    const Error error{info.code, "why"};
    EXPECT_EQ(faults_of("problem", parse_json(encode_problem(error))), "");
    EXPECT_EQ(faults_of("server-frame", parse_json(encode_error(error))), "");
  }
  EXPECT_EQ(faults_of("server-frame", parse_json(encode_busy(500))), "");
}

TEST(Schemas, HoldForVerdictsOfEveryShape) {
  const Receipt receipt{3,
                        4,
                        {encode_verdict_ok(1, 10, {}), encode_verdict_ok(2, 11, {"text"}),
                         encode_verdict_refused(3, Refusal{Code::kFieldType, "why"})}};
  EXPECT_EQ(faults_of("server-frame", parse_json(encode_receipt(receipt))), "");
}

class Wire : public ::testing::Test {
 protected:
  Wire() : office_(server_) { office_.make_scopes({"s", "t/u:v"}); }
  TestServer server_;
  Office office_;
};

// Every message there is, once over HTTP and once on the WebSocket.
TEST_F(Wire, AllMessagesOfAConversationKeepToTheirSchemas) {
  const Enrolled device = office_.enroll({"s", "t/u:v"}, "手机 📱");
  const std::vector<Json> ops{
      note_of(1, "s", "n1", "a"),
      op_of(2, "s", "note", "n1", Json{{"add", {{"tags", {"x", "y"}}}}}),
      op_of(3, "s", "note", "n1", Json{{"remove", {{"tags", {"x"}}}}}),
      op_of(4, "s", "attendance", "e~v", Json{{"append", {{"remarks", {"一", "二"}}}}}),
      op_of(5, "s", "station_day", "a~2026-01-01", Json{{"inc", {{"water", 2}}}}),
      note_of(6, "s", "n2", "gone soon"),
      op_of(7, "s", "note", "n2", Json{{"del", true}}),
      note_of(8, "nowhere", "n1", "refused"),
      note_of(9, "t/u:v", "n1", "a"),
  };
  HttpCaller http(server_);
  const Reply reply = http.sync(sync_body(device, ops, ""));
  ASSERT_EQ(reply.status, 200);
  EXPECT_EQ(verdict_codes(reply.body["receipt"]), "ok ok ok ok ok ok ok scope.forbidden ok");
  EXPECT_FALSE(reply.body["changes"]["digests"].empty());

  LiveClient live(server_);
  EXPECT_TRUE(live.ask(hello_frame(device)).contains("welcome"));
  EXPECT_EQ(live.ask(push_frame(ops))["receipt"].dump(), reply.body["receipt"].dump());
  EXPECT_TRUE(live.ask(pull_frame("")).contains("changes"));
  EXPECT_EQ(live.ask(pull_frame("damaged"))["error"]["code"], "cursor.invalid");
  Json pages{{"pull", {{"cursor", ""}, {"limit", 1}}}};
  EXPECT_EQ(live.ask(pages.dump())["changes"]["more"], true);

  // A value that loses, and what the office sees of it all.
  const Enrolled other = office_.enroll({"s"});
  EXPECT_EQ(
      verdict_codes(http.sync(sync_body(other, {note_of(1, "s", "n1", "b")})).body["receipt"]),
      "ok");
  HttpCaller& admin = office_.http();
  EXPECT_EQ(admin.call("GET", "/v1/records?scope=s&limit=2").body["records"].size(), 2U);
  EXPECT_EQ(admin.call("GET", "/v1/conflicts").body["conflicts"].size(), 1U);
  EXPECT_EQ(admin.call("GET", "/v1/quarantine").body["quarantine"].size(), 1U);
  EXPECT_EQ(admin.call("GET", "/v1/devices").body["devices"].size(), 3U);
  EXPECT_EQ(office_.set_scopes(device, {"s"})["scopes"], Json::array({"s"}));
  EXPECT_EQ(office_.revoke(device)["revoked"], true);
  EXPECT_EQ(admin.call("GET", "/healthz").status, 200);
  EXPECT_EQ(admin.call("GET", "/readyz").status, 200);
  EXPECT_EQ(http.sync(sync_body(device, {})).code(), "auth.revoked");
}

TEST_F(Wire, UnknownKeysAreIgnoredAtEveryLevel) {
  const Enrolled device = office_.enroll({"s"});
  Json body = sync_body(device, {note_of(1, "s", "n1", "a")}, "");
  body["later"] = Json{{"version", 2}};
  body["hello"]["mood"] = "good";
  body["hello"]["clock"]["zone"] = "Asia/Shanghai";
  body["push"]["hurry"] = true;
  body["push"]["ops"][0]["colour"] = "red";
  body["pull"]["depth"] = 3;
  const Reply reply = HttpCaller(server_).sync(body);
  ASSERT_EQ(reply.status, 200) << reply.text;
  EXPECT_EQ(verdict_codes(reply.body["receipt"]), "ok");
}

}  // namespace
}  // namespace waystation::testing

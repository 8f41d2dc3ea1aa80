// The log holds no secret and nothing about a person, at its most talkative, whatever goes well or
// wrong.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/process/live_client.h"
#include "tests/process/messages.h"

namespace waystation::testing {
namespace {

constexpr const char* kPassword = "marker-password-9f2c";

std::string content_of(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

class Logs : public ::testing::Test {
 protected:
  // What must not be found anywhere in the log.
  void secret(const std::string& what, const std::string& value) {
    ASSERT_GE(value.size(), 6U) << what;
    secrets_.emplace_back(what, value);
  }
  void expect_none_in_the_log() {
    const std::string log = server_.log();
    EXPECT_NE(log.find("info"), std::string::npos) << "is there a log at all?";
    for (const auto& [what, value] : secrets_) {
      EXPECT_EQ(log.find(value), std::string::npos) << what << " is in the log";
    }
  }

  TestServer server_{TestServer::Begin::kStarted, {"--log-level", "trace"}};
  std::vector<std::pair<std::string, std::string>> secrets_;
};

TEST_F(Logs, HoldNoSecretAndNoPersonalValue) {
  secret("the administrator's token", server_.admin_token());
  HttpCaller admin(server_, server_.admin_token());
  HttpCaller open(server_);

  // The office.
  const std::string link = admin.call("POST", "/v1/office/first").body["secret"];
  secret("the link", link);
  secret("the password", kPassword);
  secret("a wrong password", "marker-wrong-77ab");
  open.call("POST", "/v1/office/setup",
            Json{{"secret", link}, {"password", kPassword}, {"name", "li"}});
  HttpClient client(server_.address());
  const auto session =
      client.request("POST", "/v1/session", Json{{"name", "li"}, {"password", kPassword}}.dump());
  ASSERT_EQ(session->status, 200) << session->body;
  for (const std::string& cookie : session->cookies) {
    const std::string pair = cookie.substr(0, cookie.find(';'));
    secret("a cookie", pair.substr(pair.find('=') + 1));
  }
  secret("the CSRF token", parse_json(session->body)["csrf"]);
  for (const char* wrong : {R"({"name":"li","password":"marker-wrong-77ab"})",
                            R"({"name":"marker-wrong-77ab","password":"x"})",
                            R"({"name":["marker-wrong-77ab"]})", R"({"marker-wrong-77ab)"}) {
    EXPECT_GE(client.request("POST", "/v1/session", wrong)->status, 400);
  }

  // Devices.
  secret("the name of a device", "标记设备名字");
  secret("a personal value", "标记姓名王小明");
  secret("a phone number", "13800009999");
  const Reply code = admin.call(
      "POST", "/v1/codes", Json{{"scopes", {"*"}}, {"role", "office"}, {"name", "标记设备名字"}});
  secret("the enrolment code", code.body["code"]);
  const Reply enrolled = open.call("POST", "/v1/enroll",
                                   Json{{"code", code.body["code"]},
                                        {"request", "0123456789abcdef"},
                                        {"name", "标记设备名字"},
                                        {"app", "tests"}});
  const Enrolled device{enrolled.body["device"], enrolled.body["token"]};
  secret("the device's token", device.token);
  const std::vector<Json> ops{
      op_of(1, "s", "scope", "s", Json{{"set", {{"title", "标记姓名王小明"}}}}),
      note_of(2, "s", "n1", "标记姓名王小明 13800009999"),
      note_of(3, "nowhere", "n1", "标记姓名王小明 13800009999"),
      op_of(4, "s", "note", "n1", Json{{"set", {{"text", Json{{"标记姓名王小明", 1}}}}}})};
  EXPECT_EQ(verdict_codes(open.sync(sync_body(device, ops, "")).body["receipt"]),
            "ok ok scope.unknown field.type");
  LiveClient live(server_);
  EXPECT_TRUE(live.ask(hello_frame(device)).contains("welcome"));
  EXPECT_TRUE(live.ask(pull_frame("")).contains("changes"));
  Enrolled wrong = device;
  wrong.token = "marker-wrong-77ab";
  open.sync(sync_body(wrong, {}));
  open.unchecked("POST", "/v1/sync", R"({"hello":{"token":"marker-wrong-77ab")");
  admin.call("GET", "/v1/records?scope=s");
  // Somebody who is erased, and refused from then on.
  secret("the id of a person", "marker-person-31d8");
  const auto person = [](std::uint64_t n) {
    return op_of(n, "s", "volunteer", "marker-person-31d8",
                 Json{{"set", {{"name", "标记姓名王小明"}, {"note", "13800009999"}}}});
  };
  EXPECT_EQ(verdict_codes(open.sync(sync_body(device, {person(5)}, "")).body["receipt"]), "ok");
  EXPECT_EQ(admin.call("POST", "/v1/persons/marker-person-31d8/erase").status, 200);
  EXPECT_EQ(verdict_codes(open.sync(sync_body(device, {person(6)}, "")).body["receipt"]),
            "person.erased");
  const std::string master = content_of(server_.data() + "/master.key");
  secret("the master key", master.substr(0, 64));
  admin.call("GET", "/v1/quarantine");
  admin.call("POST", "/v1/devices/" + device.device + "/revoke");
  EXPECT_EQ(server_.stop(), 0);
  expect_none_in_the_log();
}

}  // namespace
}  // namespace waystation::testing

// Roles as the office deals with them: what people with a session read by the policy, and what they
// decide about the roles of devices.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/json.h"
#include "tests/support/office_server.h"

namespace waystation::testing {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class OfficeWalls : public ::testing::Test {
 protected:
  OfficeWalls() {
    server.make_first("limei");
    server.make("wang", "office");
    device = enroll({{"scopes", {"*"}}, {"role", "office"}}, "the office");
    push({{"scope", "t"}, {"coll", "scope"}, {"id", "t"}, {"set", {{"title", "t"}}}});
    push({{"scope", "t"},
          {"coll", "volunteer"},
          {"id", "v1"},
          {"set", {{"name", "陈一"}, {"phone_tail", "1234"}}}});
    push({{"scope", "t"},
          {"coll", "visit"},
          {"id", "x1"},
          {"set", {{"visitor", "courier"}, {"at", "2026-01-01T08:00:00+08:00"}}}});
    push({{"scope", "t"}, {"coll", "volunteer"}, {"id", "v1"}, {"set", {{"phone_tail", 5}}}});
  }

  // Tells the office less than the administrator.
  void hide_from_the_office() {
    Json file = Json::parse(read_source("schemas/policy.json"));
    file["roles"]["office"]["collections"] = {
        {"volunteer", {{"read", {{"all_but", {"phone_tail"}}}}, {"write", "none"}}},
        {"duplicate", {{"read", "none"}, {"write", "none"}}},
        {"visit", {{"read", "none"}, {"write", "none"}}}};
    auto policy = Policy::parse({"policy.json", file.dump()}, schemas());
    ASSERT_TRUE(policy.ok()) << policy.error().context;
    server.policy = std::make_shared<const Policy>(std::move(*policy));
    server.restart();
  }

  // With the name of the request, which is a random text for each attempt.
  Json enroll(const Json& code_request, const std::string& request) {
    const ApiReply code = server.admin("POST", "/v1/codes", code_request.dump());
    EXPECT_EQ(code.status, 200) << code.body;
    ApiRequest ask;
    ask.method = "POST";
    ask.path = "/v1/enroll";
    ask.body =
        Json{{"code", member(code.body, "code")}, {"request", request + " asks for this"}}.dump();
    const ApiReply made = server.call(ask);
    EXPECT_EQ(made.status, 200) << made.body;
    return Json::parse(made.body);
  }

  void push(Json one) {
    one.update({{"n", ++n}, {"wall", server.now}, {"mono", 1}, {"boot", "b"}});
    if (!one.contains("schema")) {
      one["schema"] = schemas().find(one["coll"].get<std::string>())->version;
    }
    ApiRequest ask;
    ask.method = "POST";
    ask.path = "/v1/sync";
    ask.body = Json{{"hello",
                     {{"v", 1},
                      {"device", device["device"]},
                      {"token", device["token"]},
                      {"clock", {{"wall", server.now}, {"mono", 1}, {"boot", "b"}}}}},
                    {"push", {{"ops", {one}}}}}
                   .dump();
    const ApiReply reply = server.call(ask);
    EXPECT_EQ(reply.status, 200) << reply.body;
  }

  static ApiReply read(Browser& browser, const std::string& path,
                       const std::map<std::string, std::string>& query) {
    ApiRequest request;
    request.method = "GET";
    request.path = path;
    request.query = query;
    return browser.send(std::move(request));
  }

  OfficeServer server;
  Json device;
  std::uint64_t n = 0;
};

TEST_F(OfficeWalls, PeopleReadWhatThePolicyShowsToTheirRole) {
  hide_from_the_office();
  Browser wang = server.sign_in("wang");
  Browser limei = server.sign_in("limei");
  const std::map<std::string, std::string> person{
      {"scope", "t"}, {"coll", "volunteer"}, {"id", "v1"}};
  for (const char* path : {"/v1/records", "/v1/history"}) {
    EXPECT_THAT(read(wang, path, person).body, Not(HasSubstr("phone_tail"))) << path;
    EXPECT_THAT(read(wang, path, person).body, HasSubstr("陈一")) << path;
    EXPECT_THAT(read(limei, path, person).body, HasSubstr("1234")) << path;
  }
  EXPECT_EQ(code_of(read(wang, "/v1/records", {{"coll", "visit"}})), "access.denied");
  EXPECT_EQ(code_of(read(wang, "/v1/records", {{"scope", "t"}, {"coll", "visit"}})),
            "access.denied");
  EXPECT_EQ(code_of(read(limei, "/v1/records", {{"coll", "visit"}})), "ok");
  const ApiReply all = read(wang, "/v1/records", {{"scope", "t"}});
  EXPECT_THAT(all.body, Not(HasSubstr("\"visit\"")));
  EXPECT_THAT(all.body, HasSubstr("\"volunteer\""));
  const ApiReply refused = read(wang, "/v1/quarantine", {});
  EXPECT_THAT(refused.body, HasSubstr("\"volunteer\""));
  EXPECT_THAT(refused.body, Not(HasSubstr("\"phone_tail\":5")));
  EXPECT_THAT(read(limei, "/v1/quarantine", {}).body, HasSubstr("\"phone_tail\":5"));
}

TEST_F(OfficeWalls, ANewRoleIsAnActOfTheOffice) {
  Browser limei = server.sign_in("limei");
  const std::string path = fmt::format("/v1/devices/{}/role", device["device"].get<std::string>());
  const ApiReply changed = limei.send("PUT", path, R"({"role":"lead"})");
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(member(changed.body, "role"), "lead");
  const AuditEntry entry = server.audit_log().back();
  EXPECT_EQ(entry.note.who, "office limei");
  EXPECT_EQ(entry.note.what, "device.role");
  EXPECT_EQ(entry.note.on, "device " + device["device"].get<std::string>());
  EXPECT_EQ(entry.note.details, R"({"before":"office","role":"lead"})");
  const std::size_t entries = server.audit_log().size();
  EXPECT_EQ(limei.send("PUT", path, R"({"role":"lead"})").status, 200);
  EXPECT_EQ(server.audit_log().size(), entries) << "nothing was changed";
  EXPECT_EQ(code_of(limei.send("PUT", path, R"({"role":"king"})")), "message.invalid");
  EXPECT_EQ(code_of(server.sign_in("wang").send("PUT", path, R"({"role":"lead"})")),
            "auth.forbidden");
}

TEST_F(OfficeWalls, ANewPhoneTakesOverTheRoleOfTheOldOne) {
  const std::string old = device["device"];
  ASSERT_EQ(server.admin("PUT", "/v1/devices/" + old + "/role", R"({"role":"lead"})").status, 200);
  const ApiReply code =
      server.admin("POST", "/v1/codes", fmt::format(R"({{"replaces":"{}"}})", old));
  EXPECT_TRUE(Json::parse(code.body)["role"].is_null()) << code.body;
  const Json listed = Json::parse(server.admin("GET", "/v1/codes").body)["codes"];
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_TRUE(listed[0]["role"].is_null());
  // It is the role of when it enrols that counts.
  ASSERT_EQ(server.admin("PUT", "/v1/devices/" + old + "/role", R"({"role":"station"})").status,
            200);
  ApiRequest ask;
  ask.method = "POST";
  ask.path = "/v1/enroll";
  ask.body =
      Json{{"code", member(code.body, "code")}, {"request", "the new phone asks for this"}}.dump();
  EXPECT_EQ(member(server.call(ask).body, "role"), "station");
  EXPECT_EQ(code_of(server.admin("POST", "/v1/codes",
                                 fmt::format(R"({{"replaces":"{}","role":"lead"}})", old))),
            "message.invalid");
}

TEST_F(OfficeWalls, ADeviceOfTheAdministratorsRoleAdministersNothing) {
  const Json phone = enroll({{"scopes", {"*"}}, {"role", "administrator"}}, "a phone");
  ApiRequest ask;
  ask.method = "POST";
  ask.path = "/v1/codes";
  ask.body = R"({"scopes":["*"]})";
  ask.bearer = phone["device"].get<std::string>() + "." + phone["token"].get<std::string>();
  EXPECT_EQ(code_of(server.call(ask)), "auth.forbidden");
}

}  // namespace
}  // namespace waystation::testing

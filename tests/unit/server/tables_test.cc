// The lists of the office over HTTP: from memory, behind the walls, told to the audit log; and the
// list of devices.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/json.h"
#include "tests/support/office_server.h"

namespace waystation::testing {
namespace {

using Json = nlohmann::json;
using Query = std::map<std::string, std::string>;
using ::testing::HasSubstr;
using ::testing::Not;

class Tables : public ::testing::Test {
 protected:
  Tables() {
    server.make_first("limei");
    server.make("wang", "office");
    edit({{"scope", "t"}, {"coll", "scope"}, {"id", "t"}, {"set", {{"title", "t"}}}});
    edit(volunteer("v1", "陈一", "1234"));
    edit(volunteer("v2", "Li Wei", "5678"));
  }

  static Json volunteer(const std::string& id, const std::string& name, const std::string& tail) {
    return {{"scope", "t"},
            {"coll", "volunteer"},
            {"id", id},
            {"set", {{"name", name}, {"phone_tail", tail}}}};
  }

  void edit(const Json& op) {
    const Json body{{"request", fmt::format("the {}th random name", ++edits_)}, {"ops", {op}}};
    const ApiReply reply = server.admin("POST", "/v1/edits", body.dump());
    ASSERT_EQ(reply.status, 200) << reply.body;
    ASSERT_THAT(reply.body, HasSubstr("\"ok\":true"));
  }

  static ApiReply ask(Browser& browser, const std::string& path, const Query& query) {
    ApiRequest request;
    request.method = "GET";
    request.path = path;
    request.query = query;
    return browser.send(std::move(request));
  }
  // Also after the table has been read.
  ApiReply list(Browser& browser, const Query& query = {}, const std::string& coll = "volunteer") {
    for (int attempt = 0;; ++attempt) {
      ApiReply reply = ask(browser, "/v1/lists/" + coll, query);
      if (reply.status != 503 || attempt == 5) return reply;
      while (server.service().step_reader()) {
      }
    }
  }

  OfficeServer server;
  int edits_ = 0;
};

TEST_F(Tables, SayThatTheyAreBeingReadAndHowFar) {
  Browser limei = server.sign_in("limei");
  const ApiReply first = ask(limei, "/v1/lists/volunteer", {});
  EXPECT_EQ(first.status, 503);
  EXPECT_GT(first.retry_after_ms, 0);
  const Json problem = Json::parse(first.body);
  EXPECT_EQ(problem["code"], "list.warming");
  EXPECT_TRUE(problem["done"].is_number());
  EXPECT_EQ(Json::parse(list(limei).body)["total"], 2);
}

TEST_F(Tables, ShowEachEditAtOnce) {
  Browser limei = server.sign_in("limei");
  ASSERT_EQ(Json::parse(list(limei, {{"q", "li wei"}}).body)["matching"], 1);
  edit(volunteer("v3", "LI WEI the younger", "0000"));
  const Json page = Json::parse(
      ask(limei, "/v1/lists/volunteer", {{"q", "li wei"}, {"sort", "name"}, {"limit", "1"}}).body);
  EXPECT_EQ(page["total"], 3);
  EXPECT_EQ(page["matching"], 2);
  ASSERT_EQ(page["rows"].size(), 1U);
  EXPECT_EQ(page["rows"][0]["id"], "v3");
  EXPECT_EQ(page["rows"][0]["fields"]["phone_tail"], "0000");
}

TEST_F(Tables, ForgetWhoWasErasedAtOnce) {
  Browser limei = server.sign_in("limei");
  ASSERT_EQ(Json::parse(list(limei, {{"q", "陈一"}}).body)["matching"], 1);
  ASSERT_EQ(server.admin("POST", "/v1/persons/v1/erase").status, 200);
  const ApiReply page = ask(limei, "/v1/lists/volunteer", {{"sort", "name"}});
  EXPECT_THAT(page.body, Not(HasSubstr("陈一")));
  EXPECT_EQ(Json::parse(ask(limei, "/v1/lists/volunteer", {{"q", "陈一"}}).body)["matching"], 0);
}

TEST_F(Tables, AreNotSearchedSortedOrFilteredByWhatTheRoleDoesNotSee) {
  Json file = Json::parse(read_source("schemas/policy.json"));
  file["roles"]["office"]["collections"] = {
      {"volunteer", {{"read", {{"all_but", {"phone_tail"}}}}, {"write", "none"}}},
      {"duplicate", {{"read", "none"}, {"write", "none"}}},
      {"note", {{"read", "none"}, {"write", "none"}}}};
  auto policy = Policy::parse({"policy.json", file.dump()}, schemas());
  ASSERT_TRUE(policy.ok()) << policy.error().context;
  server.policy = std::make_shared<const Policy>(std::move(*policy));
  server.restart();
  Browser wang = server.sign_in("wang");
  const ApiReply all = list(wang);
  EXPECT_EQ(Json::parse(all.body)["total"], 2);
  EXPECT_THAT(all.body, Not(HasSubstr("phone_tail")));
  EXPECT_EQ(Json::parse(list(wang, {{"q", "5678"}}).body)["matching"], 0);
  EXPECT_EQ(code_of(list(wang, {{"phone_tail", "5678"}})), "access.denied");
  EXPECT_EQ(code_of(list(wang, {{"sort", "phone_tail"}})), "access.denied");
  EXPECT_EQ(code_of(list(wang, {}, "note")), "access.denied");
  Browser limei = server.sign_in("limei");
  EXPECT_EQ(Json::parse(list(limei, {{"phone_tail", "5678"}}).body)["matching"], 1);
}

TEST_F(Tables, OfPeopleAreTakenDownInTheAuditLog) {
  Browser limei = server.sign_in("limei");
  ASSERT_EQ(list(limei).status, 200);
  EXPECT_EQ(server.audit_log().back().note.what, "records.read");
  EXPECT_EQ(server.audit_log().back().note.on, "*/volunteer");
  EXPECT_EQ(server.audit_log().back().note.who, "office limei");
  const std::size_t entries = server.audit_log().size();
  ASSERT_EQ(list(limei, {}, "scope").status, 200);
  EXPECT_EQ(server.audit_log().size(), entries) << "scopes are nobody's";
}

TEST_F(Tables, HaveOneShapeOfQuestion) {
  Browser limei = server.sign_in("limei");
  ASSERT_EQ(list(limei).status, 200);
  EXPECT_EQ(code_of(list(limei, {{"nothing", "x"}})), "list.field");
  EXPECT_EQ(code_of(list(limei, {{"name.between", "x"}})), "list.field");
  EXPECT_EQ(code_of(list(limei, {{"offset", "-1"}})), "message.invalid");
  EXPECT_EQ(code_of(list(limei, {{"q", std::string(101, 'x')}})), "message.invalid");
  EXPECT_EQ(code_of(list(limei, {{"scope", "not there"}})), "message.invalid");
  EXPECT_EQ(code_of(list(limei, {{"scope", "other"}})), "scope.unknown");
  EXPECT_EQ(code_of(list(limei, {}, "nothing")), "collection.unknown");
  EXPECT_EQ(code_of(limei.send("POST", "/v1/lists/volunteer", "{}")), "http.method");
}

// --- devices ----------------------------------------------------------------------------------

class DeviceList : public Tables {
 protected:
  DeviceList() {
    for (const char* name : {"tablet B", "Tablet A", "phone"}) {
      const ApiReply code =
          server.admin("POST", "/v1/codes", Json{{"scopes", {"t"}}, {"role", "station"}}.dump());
      ApiRequest enroll;
      enroll.method = "POST";
      enroll.path = "/v1/enroll";
      enroll.body = Json{
          {"code", member(code.body, "code")},
          {"request", std::string(name) + " asks for it"},
          {"name",
           name}}.dump();
      const ApiReply made = server.call(enroll);
      ids.push_back(member(made.body, "device"));
      server.now += 1000;
    }
  }
  std::vector<std::string> ids;
};

TEST_F(DeviceList, IsSearchedSortedAndLeafedThrough) {
  Browser limei = server.sign_in("limei");
  const auto names = [&](const Query& query) {
    const Json reply = Json::parse(ask(limei, "/v1/devices", query).body);
    std::vector<std::string> out;
    for (const Json& device : reply["devices"]) out.push_back(device["name"]);
    return out;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names({{"sort", "enrolled"}}), (Names{"tablet B", "Tablet A", "phone"}));
  EXPECT_EQ(names({{"sort", "-enrolled"}, {"q", "TABLET"}}), (Names{"Tablet A", "tablet B"}));
  EXPECT_EQ(names({{"sort", "enrolled"}, {"offset", "1"}, {"limit", "1"}}), (Names{"Tablet A"}));
  EXPECT_EQ(server.admin("POST", "/v1/devices/" + ids[2] + "/revoke").status, 200);
  EXPECT_EQ(names({{"state", "closed"}}), (Names{"phone"}));
  const Json page = Json::parse(
      ask(limei, "/v1/devices", {{"state", "active"}, {"offset", "0"}, {"limit", "1"}}).body);
  EXPECT_EQ(page["total"], 3);
  EXPECT_EQ(page["matching"], 2);
  EXPECT_EQ(page["devices"][0]["online"], false);
  EXPECT_EQ(code_of(ask(limei, "/v1/devices", {{"sort", "colour"}})), "list.field");
  EXPECT_EQ(Json::parse(limei.get("/v1/devices").body).count("total"), 0U);
}

TEST_F(DeviceList, WhatSomebodyElseHasChangedMeanwhileIsNotOverwritten) {
  const std::string path = "/v1/devices/" + ids[0];
  EXPECT_EQ(code_of(server.admin("PUT", path + "/role", R"({"role":"lead","was":"station"})")),
            "ok");
  EXPECT_EQ(code_of(server.admin("PUT", path + "/role", R"({"role":"office","was":"station"})")),
            "device.changed");
  EXPECT_EQ(code_of(server.admin("PUT", path + "/scopes", R"({"scopes":[],"was":["t"]})")), "ok");
  EXPECT_EQ(code_of(server.admin("PUT", path + "/scopes", R"({"scopes":["*"],"was":["t"]})")),
            "device.changed");
  EXPECT_EQ(code_of(server.admin("PUT", path + "/scopes", R"({"scopes":["t"]})")), "ok");
}

}  // namespace
}  // namespace waystation::testing

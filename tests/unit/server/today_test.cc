// The wall in the office: what it shows of today, and when it is told.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sync/limits.h"
#include "sync/time_text.h"
#include "tests/support/json_schema.h"
#include "tests/support/office_server.h"

namespace waystation::testing {
namespace {

using Json = nlohmann::json;

class TodayTest : public ::testing::Test {
 protected:
  TodayTest() {
    server.make_first("limei");
    push("445202", "scope", "445202", {{"title", "榕城区"}, {"code", "445202"}});
    push("station:s1", "scope", "station:s1", {{"title", "驿站一"}});
    push("station:s1", "station", "s1", {{"name", "驿站一"}, {"division", "445202001001"}});
    push("event:e1", "scope", "event:e1", {{"title", "义诊"}});
    push("event:e1", "event", "e1",
         {{"title", "义诊"}, {"division", "445202001002"}, {"state", "open"}, {"starts", at(-3)}});
  }

  static ApiRequest post(const std::string& path, const Json& body) {
    ApiRequest request;
    request.method = "POST";
    request.path = path;
    request.body = body.dump();
    return request;
  }

  // The server's time, so many hours off, as devices write it.
  [[nodiscard]] std::string at(int hours) const {
    return format_time({server.now + hours * 3'600'000, 480});
  }

  void push(const std::string& scope, const std::string& coll, const std::string& id,
            const Json& set, const Json& more = Json::object()) {
    Json op{{"n", ++n},           {"scope", scope}, {"coll", coll}, {"id", id},
            {"wall", server.now}, {"mono", 1},      {"boot", "b"},  {"schema", schema_of(coll)},
            {"set", set}};
    op.update(more);
    const ApiReply reply = exchange({{"push", {{"ops", {op}}}}}, 0);
    ASSERT_EQ(Json::parse(reply.body)["receipt"]["results"][0].value("ok", false), true)
        << reply.body;
  }

  static int schema_of(const std::string& coll) {
    return coll == "visit" || coll == "attendance" ? 2 : 1;
  }

  ApiReply exchange(Json frame, int queued) {
    frame["hello"] = {{"v", 1},
                      {"device", tablet.device},
                      {"token", tablet.token},
                      {"clock", {{"wall", server.now}, {"mono", 1}, {"boot", "b"}}},
                      {"queued", queued},
                      {"oldest", queued == 0 ? 0 : server.now - 60'000}};
    return server.call(post("/v1/sync", frame));
  }

  Json today() {
    const ApiReply reply = server.admin("GET", "/v1/today");
    EXPECT_EQ(reply.status, 200) << reply.body;
    Json shown = Json::parse(reply.body);
    EXPECT_TRUE(fits_schema("schemas/messages/today-reply.json", shown)) << reply.body;
    return shown;
  }

  OfficeServer server;
  OfficeServer::Tablet tablet = server.enroll_tablet();
  int n = 0;
};

TEST_F(TodayTest, AVisitIsInItsHourItsStationAndItsDistrict) {
  const int hour = std::stoi(at(0).substr(11, 2));
  push("station:s1", "visit", "v1", {{"visitor", "courier"}, {"at", at(0)}});
  const Json shown = today();
  EXPECT_EQ(shown["day"], at(0).substr(0, 10));
  EXPECT_EQ(shown["visits"]["total"], 1);
  EXPECT_EQ(shown["visits"]["hours"][hour], 1);
  const Json station = shown["visits"]["stations"][0];
  EXPECT_EQ(station["name"], "驿站一");
  EXPECT_EQ(station["hours"][hour], 1);
  EXPECT_EQ(shown["districts"][0],
            (Json{{"code", "445202"}, {"name", "榕城区"}, {"visits", 1}, {"present", 0}}));
}

TEST_F(TodayTest, AVisitOfYesterdayIsNotShown) {
  push("station:s1", "visit", "v1", {{"visitor", "courier"}, {"at", at(-24)}});
  EXPECT_EQ(today()["visits"]["total"], 0);
}

TEST_F(TodayTest, AStationWithoutVisitsIsThere) {
  EXPECT_EQ(today()["visits"]["stations"][0]["id"], "s1");
}

TEST_F(TodayTest, WhoSignedInIsPresentUntilSigningOut) {
  push("event:e1", "attendance", "e1~p1",
       {{"event", "e1"}, {"volunteer", "p1"}, {"signed_in", at(-1)}});
  push("event:e1", "attendance", "e1~p2",
       {{"event", "e1"}, {"volunteer", "p2"}, {"signed_in", at(-1)}, {"signed_out", at(0)}});
  const Json people = today()["people"];
  EXPECT_EQ(people["came"], 2);
  EXPECT_EQ(people["present"], 1);
  EXPECT_EQ(people["events"][0]["title"], "义诊");
  EXPECT_EQ(people["events"][0]["starts"], at(-3));
}

TEST_F(TodayTest, WhatWaitsInTheFieldIsAsTheDeviceSaidLast) {
  server.now += 3'600'000;
  exchange(Json::object(), 7);
  const Json shown = today();
  EXPECT_EQ(shown["waiting"], (Json{{"ops", 7}, {"devices", 1}, {"oldest", server.now - 60'000}}));
  EXPECT_EQ(shown["devices"]["known"], 1);
}

TEST_F(TodayTest, TheDayTurnsAtLocalMidnight) {
  push("station:s1", "visit", "v1", {{"visitor", "courier"}, {"at", at(0)}});
  server.now += 24 * 3'600'000;
  EXPECT_EQ(today()["visits"]["total"], 0);
}

TEST_F(TodayTest, WhatHasNotChangedHasTheSameToken) {
  const std::string before = today()["token"];
  EXPECT_EQ(today()["token"], before);
  push("station:s1", "visit", "v1", {{"visitor", "courier"}, {"at", at(0)}});
  EXPECT_NE(today()["token"], before);
}

TEST_F(TodayTest, DevicesAndWhoIsNotSignedInAreNotTold) {
  ApiRequest request;
  request.method = "GET";
  request.path = "/v1/today";
  EXPECT_EQ(server.call(request).status, 401);
  request.bearer = tablet.device + "." + tablet.token;
  EXPECT_GE(server.call(request).status, 400);
}

TEST_F(TodayTest, OfOneAccountSoManyWaitAndTheOldestGoesFirst) {
  const std::string shown = today()["token"];
  struct Answers {
    std::vector<std::size_t> who;
    std::vector<int> status;
  };
  const auto answers = std::make_shared<Answers>();
  std::size_t asked = 0;
  const auto wait = [&] {
    ApiRequest request;
    request.method = "GET";
    request.path = "/v1/today";
    request.bearer = server.service().admin_token();
    request.query = {{"after", shown}, {"wait_s", "30"}};
    server.service().api(request, [answers, i = asked++](const ApiReply& reply) {
      answers->who.push_back(i);
      answers->status.push_back(reply.status);
    });
  };
  const auto go_on = [&] {
    while (server.service().step_reader()) {
    }
  };
  for (std::size_t i = 0; i < limits::kTodayAskersEach; ++i) wait();
  go_on();
  EXPECT_TRUE(answers->who.empty());
  wait();
  go_on();
  EXPECT_EQ(answers->who, std::vector<std::size_t>{0});
  EXPECT_EQ(answers->status, std::vector<int>{200});
  // In a rush, too, he does not take the places of all others.
  for (std::size_t i = 0; i < limits::kTodayAskers; ++i) wait();
  EXPECT_EQ(answers->status.back(), 503);
  Browser other = server.sign_in("limei");
  EXPECT_EQ(other.get("/v1/today").status, 200);
}

TEST_F(TodayTest, WaitingIsANumber) {
  ApiRequest request;
  request.method = "GET";
  request.path = "/v1/today";
  request.bearer = server.service().admin_token();
  request.query["wait_s"] = "soon";
  EXPECT_EQ(code_of(server.call(request)), "message.invalid");
}

}  // namespace
}  // namespace waystation::testing

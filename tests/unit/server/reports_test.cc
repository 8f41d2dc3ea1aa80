// Reports over HTTP: pages, and what becomes of them when the server is stopped. What they say is
// in tests/unit/storage/report_test.cc.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/json_schema.h"
#include "tests/support/office_server.h"

namespace waystation::testing {
namespace {

using Json = nlohmann::json;

class ReportsTest : public ::testing::Test {
 protected:
  ReportsTest() {
    server.make_first("limei");
    push("scope", "t", {{"title", "t"}});
    for (int day = 1; day <= 5; ++day) visit("v" + std::to_string(day), day);
  }

  void push(const std::string& coll, const std::string& id, const Json& set) {
    const Json op{{"n", ++n},  {"scope", "t"}, {"coll", coll}, {"id", id},  {"wall", server.now},
                  {"mono", 1}, {"boot", "b"},  {"schema", 1},  {"set", set}};
    const Json frame{{"hello",
                      {{"v", 1},
                       {"device", tablet.device},
                       {"token", tablet.token},
                       {"clock", {{"wall", server.now}, {"mono", 1}, {"boot", "b"}}},
                       {"queued", 0},
                       {"oldest", 0}}},
                     {"push", {{"ops", {op}}}}};
    ApiRequest sync;
    sync.method = "POST";
    sync.path = "/v1/sync";
    sync.body = frame.dump();
    const ApiReply reply = server.call(sync);
    ASSERT_EQ(Json::parse(reply.body)["receipt"]["results"][0].value("ok", false), true)
        << reply.body;
  }
  void visit(const std::string& id, int day) {
    push("visit", id,
         {{"visitor", "courier"}, {"at", "2026-01-0" + std::to_string(day) + "T12:00:00+08:00"}});
  }

  ApiRequest question(const std::map<std::string, std::string>& query) {
    ApiRequest request;
    request.method = "GET";
    request.path = "/v1/reports/visits";
    request.query = query;
    request.query["by"] = "day";
    request.bearer = server.service().admin_token();
    return request;
  }
  Json page(const std::map<std::string, std::string>& query) {
    const ApiReply reply = server.call(question(query));
    EXPECT_EQ(reply.status, 200) << reply.body;
    Json shown = Json::parse(reply.body);
    EXPECT_TRUE(fits_schema("schemas/messages/report-reply.json", shown)) << reply.body;
    return shown;
  }
  static std::vector<std::string> days(const Json& page) {
    std::vector<std::string> all;
    for (const Json& row : page["rows"]) all.push_back(row[0]);
    return all;
  }

  OfficeServer server;
  OfficeServer::Tablet tablet = server.enroll_tablet();
  int n = 0;
};

TEST_F(ReportsTest, APageSaysWhetherTheRowsAreOthersByNow) {
  const Json first = page({{"limit", "2"}});
  EXPECT_EQ(days(first), (std::vector<std::string>{"2026-01-01", "2026-01-02"}));
  EXPECT_FALSE(first.contains("moved"));
  const std::string next = first["next"];
  const Json second = page({{"limit", "2"}, {"after", next}});
  EXPECT_EQ(days(second), (std::vector<std::string>{"2026-01-03", "2026-01-04"}));
  EXPECT_EQ(second["moved"], false);
  // What the report does not count moves nothing.
  push("note", "n1", {{"text", "x"}});
  EXPECT_EQ(page({{"limit", "2"}, {"after", next}})["moved"], false);
  visit("v0", 2);
  EXPECT_EQ(page({{"limit", "2"}, {"after", next}})["moved"], true);
  const Json last = page({{"limit", "2"}, {"after", second["next"]}});
  EXPECT_EQ(days(last), (std::vector<std::string>{"2026-01-05"}));
  EXPECT_FALSE(last.contains("next"));
}

TEST_F(ReportsTest, APlaceThatWeDidNotGiveIsRefused) {
  EXPECT_EQ(code_of(server.call(question({{"after", "2"}}))), "cursor.invalid");
  EXPECT_EQ(code_of(server.call(question({{"limit", "0"}}))), "report.query");
}

TEST_F(ReportsTest, WhatWaitsWhenTheServerStopsIsNotWorkedOff) {
  const auto codes = std::make_shared<std::vector<std::string>>();
  for (int i = 0; i < 3; ++i) {
    server.service().api(question({}),
                         [codes](const ApiReply& reply) { codes->push_back(code_of(reply)); });
  }
  server.service().drain();
  EXPECT_EQ(*codes, (std::vector<std::string>{"busy", "busy", "busy"}));
}

}  // namespace
}  // namespace waystation::testing

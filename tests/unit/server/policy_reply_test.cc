// What people of the office are told of the policy: the one that holds, whatever pages were built
// with.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/json.h"
#include "tests/support/json_schema.h"
#include "tests/support/office_server.h"

namespace waystation::testing {
namespace {

using Json = nlohmann::json;

class PolicyReply : public ::testing::Test {
 protected:
  PolicyReply() {
    server.make_first("limei");
    server.make("wang", "office");
  }

  static Json told(const ApiReply& reply) {
    EXPECT_EQ(reply.status, 200) << reply.body;
    Json body = Json::parse(reply.body);
    EXPECT_TRUE(fits_schema("schemas/messages/policy-reply.json", body)) << reply.body;
    EXPECT_TRUE(fits_schema("schemas/policy.schema.json", body["policy"])) << reply.body;
    return body;
  }

  OfficeServer server;
};

TEST_F(PolicyReply, IsTheWholeDocumentForWhoeverHasSignedInAndForTheToken) {
  const Json shipped = Json::parse(read_source("schemas/policy.json"));
  Browser wang = server.sign_in("wang");
  EXPECT_EQ(told(wang.get("/v1/policy"))["policy"], shipped);
  EXPECT_EQ(told(server.admin("GET", "/v1/policy"))["policy"], shipped);
  EXPECT_EQ(code_of(server.admin("PUT", "/v1/policy", "{}")), "http.method");
}

TEST_F(PolicyReply, IsAnotherOneUnderAnotherVersionAfterAStartWithAnotherPolicy) {
  const Json before = told(server.admin("GET", "/v1/policy"));
  Json file = before["policy"];
  file["roles"]["lead"]["others"]["write"] = "none";
  auto policy = Policy::parse({"policy.json", file.dump(2)}, schemas());
  ASSERT_TRUE(policy.ok()) << policy.error().context;
  server.policy = std::make_shared<const Policy>(std::move(*policy));
  server.restart();
  const Json after = told(server.admin("GET", "/v1/policy"));
  EXPECT_EQ(after["policy"], file);
  EXPECT_NE(after["version"], before["version"]);
}

TEST_F(PolicyReply, IsADocumentAlsoWhereThereIsNoPolicy) {
  server.policy = Policy::open_to_all();
  server.restart();
  const Json open = told(server.admin("GET", "/v1/policy"))["policy"];
  EXPECT_EQ(open["roles"]["volunteer"]["others"]["write"], "all");
}

TEST_F(PolicyReply, IsForNoDeviceAndForNoStranger) {
  const OfficeServer::Tablet tablet = server.enroll_tablet();
  ApiRequest ask;
  ask.method = "GET";
  ask.path = "/v1/policy";
  EXPECT_EQ(code_of(server.call(ask)), "auth.required");
  ask.bearer = tablet.device + "." + tablet.token;
  EXPECT_EQ(code_of(server.call(ask)), "auth.forbidden");
}

}  // namespace
}  // namespace waystation::testing

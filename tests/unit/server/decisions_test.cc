// What two people of the office decide at the same time: the one who comes second is told, and
// overrules nobody unseen. And the time that a device claims for what waits on it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/json_schema.h"
#include "tests/support/office_server.h"

namespace waystation::testing {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kYear = 365 * 24 * kHour;

class Decisions : public ::testing::Test {
 protected:
  Decisions() {
    server.make_first("limei");
    server.make("wang", "office");
    OfficeServer::Tablet tablet = server.enroll_tablet("lead");
    device = std::move(tablet.device);
    token = std::move(tablet.token);
  }

  Json call(const std::string& path, const Json& body) {
    ApiRequest request;
    request.method = "POST";
    request.path = path;
    request.body = body.dump();
    return Json::parse(server.call(request).body);
  }
  ApiReply decide(const std::string& what, const std::string& body = "") {
    return server.admin("POST", "/v1/devices/" + device + "/" + what, body);
  }
  static std::string seen(const std::string& state, const Json& wipe = nullptr,
                          const char* schema = "standing-request") {
    const Json body{{"was", {{"state", state}, {"wipe", wipe}}}};
    EXPECT_TRUE(fits_schema(std::string("schemas/messages/") + schema + ".json", body));
    return body.dump();
  }
  Json row() { return Json::parse(server.admin("GET", "/v1/devices").body)["devices"][0]; }
  // How the device is shown after a hello with such clocks.
  Json after_hello(std::int64_t wall, std::int64_t oldest) {
    call("/v1/sync", {{"hello",
                       {{"v", 1},
                        {"device", device},
                        {"token", token},
                        {"clock", {{"wall", wall}, {"mono", 1}, {"boot", "b"}}},
                        {"queued", 3},
                        {"oldest", oldest}}}});
    return row();
  }

  OfficeServer server;
  std::string device;
  std::string token;
};

TEST_F(Decisions, AboutADeviceThatStandsOtherwiseByNowAreRefused) {
  EXPECT_EQ(code_of(decide("drain", seen("active"))), "ok");
  for (const char* what : {"drain", "revoke", "wipe"}) {
    EXPECT_EQ(code_of(decide(what, seen("active"))), "device.changed") << what;
  }
  EXPECT_EQ(row()["state"], "draining");
  EXPECT_TRUE(row()["wipe"].is_null());
  EXPECT_EQ(code_of(decide("revoke", seen("draining"))), "ok");
  EXPECT_EQ(code_of(decide("restore", seen("draining"))), "device.changed");
  EXPECT_EQ(row()["state"], "closed");
  EXPECT_EQ(code_of(decide("restore")), "ok") << "without \"was\" it is as before";
}

TEST_F(Decisions, AnOrderToWipeIsNotTakenBackByWhoDidNotSeeIt) {
  EXPECT_EQ(code_of(decide("drain")), "ok");
  EXPECT_EQ(code_of(decide("wipe", R"({"now":true,"was":{"state":"draining"}})")), "ok");
  EXPECT_EQ(code_of(decide("restore", seen("draining"))), "device.changed");
  const Json ordered = row()["wipe"]["ordered"];
  ASSERT_TRUE(ordered.is_number());
  EXPECT_EQ(code_of(decide("wipe", seen("draining", nullptr, "wipe-request"))), "device.changed");
  EXPECT_EQ(code_of(decide("restore", seen("draining", ordered))), "ok");
  EXPECT_EQ(row()["state"], "active");
}

TEST_F(Decisions, SayInOneShapeHowItStood) {
  for (const char* body : {R"({"was":5})", R"({"was":{}})", R"({"was":{"state":1}})",
                           R"({"was":{"state":"active","wipe":"x"}})"}) {
    EXPECT_EQ(code_of(decide("drain", body)), "message.invalid") << body;
    EXPECT_EQ(code_of(decide("wipe", body)), "message.invalid") << body;
  }
  EXPECT_EQ(row()["state"], "active");
}

TEST_F(Decisions, AboutAnAccountThatIsOtherwiseByNowAreRefused) {
  const auto put = [&](const Json& body) {
    EXPECT_TRUE(fits_schema("schemas/messages/account-request.json", body)) << body;
    return code_of(server.admin("PUT", "/v1/office/accounts/wang", body.dump()));
  };
  EXPECT_EQ(put({{"disabled", true}, {"was", {{"role", "office"}, {"disabled", false}}}}), "ok");
  EXPECT_EQ(put({{"role", "administrator"}, {"was", {{"disabled", false}}}}), "account.changed");
  EXPECT_EQ(put({{"disabled", false}, {"was", {{"role", "administrator"}}}}), "account.changed");
  EXPECT_EQ(put({{"display", "x"}, {"was", {{"display", "somebody"}}}}), "account.changed");
  const Json accounts = Json::parse(server.admin("GET", "/v1/office/accounts").body)["accounts"];
  for (const Json& account : accounts) {
    if (account["name"] != "wang") continue;
    EXPECT_EQ(account["role"], "office");
    EXPECT_EQ(account["disabled"], true);
  }
  EXPECT_EQ(put({{"disabled", false}}), "ok") << "without \"was\" it is as before";
}

TEST_F(Decisions, WhatWaitsIsShownByTheServersTimeWhateverTheDevicesClockSays) {
  server.now += 10 * kHour;
  EXPECT_EQ(after_hello(server.now, server.now - kHour)["oldest"], server.now - kHour);
  // Years behind, and years ahead: what counts is how long before the hello it was.
  for (const std::int64_t off : {-20 * kYear, 20 * kYear}) {
    const std::int64_t wall = server.now + off;
    EXPECT_EQ(after_hello(wall, wall - kHour)["oldest"], server.now - kHour) << off;
  }
  // A clock that was put right since: never in the future, and never before it was enrolled.
  EXPECT_EQ(after_hello(server.now, server.now + kYear)["oldest"], server.now);
  EXPECT_EQ(after_hello(server.now, 1)["oldest"], row()["enrolled"]);
  EXPECT_EQ(after_hello(server.now, 0)["oldest"], 0);
}

}  // namespace
}  // namespace waystation::testing

// Roles as a person handles them on the command line, on a real server with the shipped policy.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/commands/command_line.h"

namespace waystation::testing {
namespace {

class RoleCommands : public CommandLine {
 protected:
  RoleCommands() {
    office_.make_scopes({"s"});
    office_.write("s", "station", "s1", Json{{"set", {{"phone", "0660-0"}}}});
    device_ = office_.enroll({"s"}, "a phone", "volunteer");
  }

  // The role of a device that enrols with the code that is made so.
  std::string role_by(std::vector<std::string> words) {
    const Json made = json_of(std::move(words));
    const Reply reply = HttpCaller(server_).call(
        "POST", "/v1/enroll", Json{{"code", made["code"]}, {"request", "0123456789abcdef"}});
    EXPECT_EQ(reply.status, 200) << reply.text;
    return reply.body["role"];
  }
  std::string write_station(std::uint64_t n) {
    const Json one = op_of(n, "s", "station", "s1", {{"set", {{"phone", "0660-1"}}}});
    return verdict_codes(HttpCaller(server_).sync(sync_body(device_, {one}, "")).body["receipt"]);
  }

  Enrolled device_;
};

TEST_F(RoleCommands, ACodeGivesItsRole) {
  EXPECT_EQ(role_by({"enroll", "--scope", "s"}), "volunteer");
  EXPECT_EQ(role_by({"enroll", "--scope", "s", "--role", "lead"}), "lead");
  EXPECT_EQ(role_by({"enroll", "--all"}), "office");
  EXPECT_EQ(role_by({"enroll", "--all", "--role", "station"}), "station");
  EXPECT_EQ(role_by({"enroll", "--replaces", device_.device}), "volunteer");
  EXPECT_NE(expect_done({"enroll", "--scope", "s", "--role", "lead"}).find("in the role lead"),
            std::string::npos);
  EXPECT_NE(expect_done({"enroll", "list"}).find("lead"), std::string::npos);
  EXPECT_NE(run({"enroll", "--scope", "s", "--role", "king"}).code, 0);
  EXPECT_EQ(run({"enroll", "--replaces", device_.device, "--role", "lead"}).code, 2);
}

TEST_F(RoleCommands, AnotherRoleIsGivenShownAndWrittenDown) {
  EXPECT_EQ(write_station(1), "access.denied");
  EXPECT_NE(expect_done({"devices", "role", device_.device, "station"}).find("station"),
            std::string::npos);
  EXPECT_EQ(write_station(2), "ok");
  EXPECT_NE(expect_done({"devices"}).find("station"), std::string::npos);
  EXPECT_NE(run({"devices", "role", device_.device, "king"}).code, 0);
  HttpCaller admin(server_, server_.admin_token());
  const Reply log = admin.call("GET", "/v1/audit?limit=1000");
  ASSERT_EQ(log.status, 200) << log.text;
  EXPECT_NE(log.text.find(R"("what":"device.role")"), std::string::npos) << log.text;
}

TEST_F(RoleCommands, AccessTellsWhy) {
  const std::string told =
      expect_done({"access", "--device", device_.device, "--record", "s/volunteer/v7"});
  EXPECT_NE(told.find("/roles/volunteer/collections/volunteer/read"), std::string::npos) << told;
  EXPECT_NE(told.find("phone_tail"), std::string::npos);
  expect_done({"devices", "drain", device_.device});
  EXPECT_NE(expect_done({"access", "--device", device_.device, "--record", "s/volunteer/v7"})
                .find("the office has ended its work"),
            std::string::npos);
}

}  // namespace
}  // namespace waystation::testing

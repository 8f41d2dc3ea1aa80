// Codes and devices as a person handles them on the command line, on a real server.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/commands/command_line.h"

namespace waystation::testing {
namespace {

class DeviceCommands : public CommandLine {
 protected:
  DeviceCommands() {
    office_.make_scopes({"s"});
    device_ = office_.enroll({"s"});
  }

  Json device_row(const std::string& id) {
    const Json list = json_of({"devices"});
    for (const Json& row : list["devices"]) {
      if (row["device"] == id) return row;
    }
    return nullptr;
  }
  Reply sync(const std::vector<Json>& ops) {
    return HttpCaller(server_).sync(sync_body(device_, ops, ""));
  }
  static std::string content(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
  }

  Enrolled device_;
};

TEST_F(DeviceCommands, ACodeIsPrintedWithItsQrCodeAndWrittenToFiles) {
  const TemporaryFolder folder;
  const std::string png = folder.path() + "/code.png";
  const std::string out = expect_done(
      {"enroll", "--scope", "s", "--qr", "--qr-file", png, "--url", "https://sync.example.org"});
  const std::string code = out.substr(0, 11);
  const std::string digits = code.substr(0, 5) + code.substr(6);
  EXPECT_NE(out.find("waystation:enroll?code=" + digits + "&server=https%3A%2F%2Fsync.example.org"),
            std::string::npos)
      << out;
  EXPECT_NE(out.find("█"), std::string::npos);
  EXPECT_EQ(content(png).substr(1, 3), "PNG");
  const std::string svg = folder.path() + "/code.svg";
  expect_done({"enroll", "--scope", "s", "--qr-file", svg});
  EXPECT_EQ(content(svg).substr(0, 4), "<svg");
  EXPECT_NE(run({"enroll", "--scope", "s", "--qr-file", folder.path() + "/code.gif"}).code, 0);
}

TEST_F(DeviceCommands, CodesAreListedAndWithdrawn) {
  const Json made = json_of({"enroll", "--scope", "s", "--name", "平板"});
  const std::string id = made["id"];
  EXPECT_NE(expect_done({"enroll", "list"}).find(id), std::string::npos);
  expect_done({"enroll", "withdraw", id});
  EXPECT_EQ(expect_done({"enroll", "list"}), "no open codes\n");
  EXPECT_EQ(run({"enroll", "withdraw", id}).code, 1);
}

TEST_F(DeviceCommands, DrainRestoreRevoke) {
  expect_done({"devices", "drain", device_.device});
  EXPECT_EQ(device_row(device_.device)["state"], "draining");
  EXPECT_EQ(verdict_codes(sync({note_of(1, "s", "n1", "late")}).body["receipt"]),
            "device.draining");
  expect_done({"devices", "restore", device_.device});
  EXPECT_EQ(verdict_codes(sync({note_of(2, "s", "n1", "again")}).body["receipt"]), "ok");
  expect_done({"devices", "revoke", device_.device});
  EXPECT_EQ(sync({}).code(), "auth.revoked");
  EXPECT_NE(expect_done({"devices"}).find("closed"), std::string::npos);
}

TEST_F(DeviceCommands, AWipeIsOrderedConfirmedAndShown) {
  EXPECT_NE(expect_done({"devices", "wipe", device_.device}).find("draining, wipe ordered"),
            std::string::npos);
  EXPECT_EQ(sync({}).body["wipe"]["now"], false);
  expect_done({"devices", "wipe", "--now", device_.device});
  EXPECT_EQ(sync({}).body["wipe"]["now"], true);
  Json body{{"hello", hello_of(device_)}, {"wiped", {{"discarded", 2}}}};
  EXPECT_EQ(HttpCaller(server_).sync(body).status, 200);
  EXPECT_EQ(device_row(device_.device)["wipe"]["discarded"], 2);
  EXPECT_NE(expect_done({"devices"}).find("closed, wiped "), std::string::npos);
  EXPECT_EQ(run({"devices", "restore", device_.device}).code, 1);
}

TEST_F(DeviceCommands, ANewPhoneTakesThePlaceOfAnOldOne) {
  const Json made = json_of({"enroll", "--replaces", device_.device});
  const Reply reply = HttpCaller(server_).call(
      "POST", "/v1/enroll", Json{{"code", made["code"]}, {"request", "0123456789abcdef"}});
  ASSERT_EQ(reply.status, 200);
  const std::string fresh = reply.body["device"];
  EXPECT_EQ(device_row(fresh)["replaces"], device_.device);
  EXPECT_EQ(device_row(device_.device)["replaced_by"], fresh);
  EXPECT_EQ(device_row(fresh)["branches"], Json::array({"s"}));
  EXPECT_EQ(run({"enroll", "--replaces", device_.device}).code, 1);
  EXPECT_EQ(run({"enroll", "--replaces", device_.device, "--all"}).code, 2);
}

}  // namespace
}  // namespace waystation::testing

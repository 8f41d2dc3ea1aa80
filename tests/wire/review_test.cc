// What the office looks at over HTTP: conflicts in full, histories, merged records, backups; and
// the walls around them.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/process/live_client.h"
#include "tests/process/messages.h"

namespace waystation::testing {
namespace {

class Review : public ::testing::Test {
 protected:
  Review() : office_(server_) {
    office_.make_scopes({"s", "t/u"});
    p_ = office_.enroll({"s"}, "平板一");
    q_ = office_.enroll({"s"}, "平板二");
  }

  Reply get(const std::string& target) { return office_.http().call("GET", target); }
  Reply get_as(const Enrolled& device, const std::string& target) {
    return HttpCaller(server_, device.device + "." + device.token).call("GET", target);
  }
  std::string push(const Enrolled& device, const std::vector<Json>& ops) {
    return verdict_codes(HttpCaller(server_).sync(sync_body(device, ops)).body["receipt"]);
  }

  // A, that both hold; then B by P and C by Q. Which of them loses is up to their clocks.
  Json conflict() {
    EXPECT_EQ(push(p_, {note_of(1, "s", "n1", "A")}), "ok");
    const Seq base = office_.record("s", "note", "n1")["seq"];
    EXPECT_EQ(push(q_, {op_of(1, "s", "note", "n1", Json{{"set", {{"text", "C"}}}}, base)}), "ok");
    EXPECT_EQ(push(p_, {op_of(2, "s", "note", "n1", Json{{"set", {{"text", "B"}}}}, base)}), "ok");
    const Reply listed = get("/v1/conflicts?scope=s");
    EXPECT_EQ(listed.body["conflicts"].size(), 1U) << listed.text;
    return listed.body["conflicts"][0];
  }
  static std::string target_of(const Json& conflict) {
    return fmt::format("/v1/conflicts/show?scope=s&coll=note&id=n1&field=text&by={}&n={}",
                       conflict["by"].get<std::string>(), conflict["n"].get<int>());
  }

  TestServer server_;
  Office office_;
  Enrolled p_;
  Enrolled q_;
};

TEST_F(Review, AConflictIsShownInFull) {
  const Json listed = conflict();
  const Reply shown = get(target_of(listed));
  ASSERT_EQ(shown.status, 200) << shown.text;
  EXPECT_EQ(shown.body["value"], listed["value"]);
  EXPECT_EQ(shown.body["state"], "open");
  EXPECT_EQ(shown.body["seq"], office_.record("s", "note", "n1")["seq"]);
  EXPECT_EQ(shown.body["lost"]["saw"], (Json{{"record", "live"}, {"value", "A"}}));
  EXPECT_EQ(shown.body["winner"]["saw"], (Json{{"record", "live"}, {"value", "A"}}));
  const bool q_lost = listed["by"] == q_.device;
  EXPECT_EQ(shown.body["lost"]["name"], q_lost ? "平板二" : "平板一");
  EXPECT_EQ(shown.body["winner"]["by"], q_lost ? p_.device : q_.device);
}

TEST_F(Review, ASettledConflictIsListedAsSuchAndOpenAgainWhenReopened) {
  const Json listed = conflict();
  const Json which =
      Json::array({Json{{"field", "text"}, {"by", listed["by"]}, {"n", listed["n"]}, {"part", 0}}});
  office_.write("s", "note", "n1", Json{{"settle", which}});
  EXPECT_TRUE(get("/v1/conflicts?scope=s").body["conflicts"].empty());
  const Json settled = get("/v1/conflicts?scope=s&settled=1").body["conflicts"];
  ASSERT_EQ(settled.size(), 1U);
  EXPECT_EQ(settled[0]["review"]["by"], office_.device().device);
  EXPECT_EQ(get(target_of(listed)).body["state"], "settled");
  EXPECT_EQ(get(target_of(listed)).body["review"]["settled"], true);

  office_.write("s", "note", "n1", Json{{"reopen", which}});
  EXPECT_EQ(get("/v1/conflicts?scope=s").body["conflicts"].size(), 1U);
  EXPECT_TRUE(get("/v1/conflicts?settled=1").body["conflicts"].empty());
  EXPECT_EQ(get(target_of(listed)).body["review"]["settled"], false);
}

TEST_F(Review, AConflictThatIsNotThereIsNotFoundAndAWrongNameIsRefused) {
  const std::string target = target_of(conflict());
  EXPECT_EQ(get(target + "9").code(), "http.not_found");
  EXPECT_EQ(get(target + "&part=3").code(), "http.not_found");
  EXPECT_EQ(get("/v1/conflicts/show?scope=s&coll=note&id=none&field=text&by=" + p_.device + "&n=1")
                .code(),
            "http.not_found");
  for (const std::string& wrong : std::vector<std::string>{
           "/v1/conflicts/show?scope=s&coll=note&id=n1&field=text&by=" + p_.device, target + "x",
           target + "&part=-1", target + "&part=4294967296", std::string("/v1/conflicts/show"),
           "/v1/conflicts/show?scope=s&coll=note&id=n1&field=text&by=x&n=1"}) {
    EXPECT_EQ(get(wrong).code(), "message.invalid") << wrong;
  }
  EXPECT_EQ(office_.http().call("POST", target).code(), "http.method");
}

TEST_F(Review, AHistoryTellsWhoChangedWhat) {
  (void)conflict();
  const Reply all = get("/v1/history?scope=s&coll=note&id=n1");
  ASSERT_EQ(all.body["history"].size(), 3U) << all.text;
  EXPECT_EQ(all.body["history"][0]["op"]["set"]["text"], "A");
  EXPECT_EQ(all.body["history"][1]["device"], q_.device);
  EXPECT_EQ(all.body["history"][2]["n"], 2);
  const Reply first = get("/v1/history?scope=s&coll=note&id=n1&limit=1");
  ASSERT_EQ(first.body["history"].size(), 1U);
  const Reply rest =
      get("/v1/history?scope=s&coll=note&id=n1&after=" + first.body["next"].get<std::string>());
  EXPECT_EQ(rest.body["history"].size(), 2U);
  EXPECT_FALSE(rest.body.contains("next"));
  EXPECT_TRUE(get("/v1/history?scope=s&coll=note&id=none").body["history"].empty());
  EXPECT_EQ(get("/v1/history?scope=s&coll=note").code(), "message.invalid");
  EXPECT_EQ(get("/v1/history?scope=s&coll=note&id=n1&after=x").code(), "cursor.invalid");
}

TEST_F(Review, WhatLiesOutsideItsScopesADeviceIsNotShown) {
  const std::string target = target_of(conflict());
  EXPECT_EQ(get_as(p_, target).status, 200);
  EXPECT_EQ(get_as(p_, "/v1/history?scope=s&coll=note&id=n1").status, 200);
  const Enrolled stranger = office_.enroll({"t/u"});
  for (const std::string& walled : {target, std::string("/v1/history?scope=s&coll=note&id=n1"),
                                    std::string("/v1/records?scope=s&coll=note&id=n1&follow=1"),
                                    std::string("/v1/conflicts?scope=s&settled=1")}) {
    EXPECT_EQ(get_as(stranger, walled).code(), "scope.forbidden") << walled;
    EXPECT_EQ(HttpCaller(server_).call("GET", walled).code(), "auth.required") << walled;
  }
  EXPECT_TRUE(get_as(stranger, "/v1/conflicts").body["conflicts"].empty());
  EXPECT_TRUE(get_as(stranger, "/v1/records?coll=note").body["records"].empty());
  EXPECT_EQ(get_as(p_, "/v1/records?coll=note").body["records"].size(), 1U);
  EXPECT_EQ(get("/v1/history?scope=none&coll=note&id=n1").code(), "scope.unknown");
  HttpCaller as_device(server_, p_.device + "." + p_.token);
  EXPECT_EQ(as_device.call("POST", "/v1/backup", Json{{"to", "/tmp/none"}}).code(),
            "auth.forbidden");
}

TEST_F(Review, AMergedRecordLeadsToTheOther) {
  const auto person = [](const std::string& id, const Json& fields) {
    Json op = op_of(0, "s", "volunteer", id, Json{{"set", fields}});
    op["schema"] = 2;
    return op;
  };
  office_.write_all({person("v1", Json{{"name", "林"}, {"merged_into", "v2"}}),
                     person("v2", Json{{"name", "林"}})});
  const Reply led = get("/v1/records?scope=s&coll=volunteer&id=v1&follow=1");
  ASSERT_EQ(led.body["records"].size(), 1U) << led.text;
  EXPECT_EQ(led.body["records"][0]["id"], "v2");
  EXPECT_EQ(led.body["records"][0]["redirected_from"], Json::array({"v1"}));
  EXPECT_EQ(get("/v1/records?scope=s&coll=volunteer&id=v1").body["records"][0]["id"], "v1");
  EXPECT_EQ(get("/v1/records?scope=s&coll=volunteer&follow=1").code(), "message.invalid");
  EXPECT_EQ(get("/v1/records").code(), "message.invalid");
}

TEST_F(Review, ABackupIsACopyAndCoversWhatWasAppliedByThen) {
  const TemporaryFolder folder;
  const std::string to = folder.path() + "/copy";
  const auto backed_up = [&](const Enrolled& device) {
    return HttpCaller(server_).sync(sync_body(device, {})).body["welcome"]["backed_up"];
  };
  EXPECT_EQ(push(p_, {note_of(1, "s", "n1", "A"), note_of(2, "s", "n2", "B")}), "ok ok");
  EXPECT_EQ(backed_up(p_), nullptr);
  const Reply made = office_.http().call("POST", "/v1/backup", Json{{"to", to}});
  ASSERT_EQ(made.status, 200) << made.text;
  EXPECT_EQ(made.body["folder"], to);
  EXPECT_TRUE(std::filesystem::exists(to + "/store/CURRENT"));
  EXPECT_TRUE(std::filesystem::exists(to + "/BACKUP"));
  EXPECT_FALSE(std::filesystem::exists(to + "/admin.token"));
  EXPECT_EQ(backed_up(p_), 2);
  EXPECT_EQ(push(p_, {note_of(3, "s", "n3", "C")}), "ok");
  EXPECT_EQ(backed_up(p_), 2);

  EXPECT_EQ(office_.http().call("POST", "/v1/backup", Json{{"to", to}}).code(), "backup.folder");
  EXPECT_EQ(office_.http().call("POST", "/v1/backup", Json{{"to", folder.path() + "/a/b"}}).code(),
            "backup.folder");
  EXPECT_EQ(office_.http().unchecked("POST", "/v1/backup", R"({"to":"copy"})").code(),
            "backup.folder");
  EXPECT_EQ(office_.http().unchecked("POST", "/v1/backup", "{}").code(), "message.invalid");
  EXPECT_EQ(office_.http().unchecked("POST", "/v1/backup", "no").code(), "json.invalid");
  EXPECT_EQ(office_.http().unchecked("GET", "/v1/backup", "").code(), "http.method");
}

}  // namespace
}  // namespace waystation::testing

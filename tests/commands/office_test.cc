// The office at work: each command as a person types it, on a real server, with devices that see
// what becomes of it.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/commands/command_line.h"

namespace waystation::testing {
namespace {

class OfficeCommands : public CommandLine {
 protected:
  OfficeCommands() {
    office_.make_scopes({"t/u:v"});
    p_ = office_.enroll({"t/u:v"});
    q_ = office_.enroll({"t/u:v"});
  }

  Json sync(const Enrolled& device, const std::vector<Json>& ops) {
    const Reply reply = HttpCaller(server_).sync(sync_body(device, ops, ""));
    EXPECT_EQ(reply.status, 200) << reply.text;
    return reply.body;
  }
  std::string push(const Enrolled& device, const std::vector<Json>& ops) {
    return verdict_codes(sync(device, ops)["receipt"]);
  }
  // What a device that starts from nothing is sent of a record.
  Json pulled(const Enrolled& device, const std::string& coll, const std::string& id) {
    const Json changes = sync(device, {})["changes"]["changes"];
    for (const Json& change : changes) {
      if (change["coll"] == coll && change["id"] == id) return change;
    }
    return nullptr;
  }
  std::string text_of_note() { return pulled(q_, "note", "n1")["fields"].value("text", "none"); }
  static Json text_edit(const std::string& text) { return Json{{"set", {{"text", text}}}}; }

  // The name of the one conflict, as the list prints it.
  std::string make_conflict() {
    EXPECT_EQ(push(p_, {note_of(1, kScope, "n1", "A")}), "ok");
    const Seq base = office_.record(kScope, "note", "n1")["seq"];
    EXPECT_EQ(push(q_, {op_of(1, kScope, "note", "n1", text_edit("C"), base)}), "ok");
    EXPECT_EQ(push(p_, {op_of(2, kScope, "note", "n1", text_edit("B"), base)}), "ok");
    const Json listed = json_of({"conflicts", "list"})["conflicts"];
    EXPECT_EQ(listed.size(), 1U);
    if (listed.size() != 1) return {};
    lost_ = listed[0]["value"];
    shown_ = listed[0]["winner"]["value"];
    return fmt::format("{}/note/n1/text/{}~{}", kScope, listed[0]["by"].get<std::string>(),
                       listed[0]["n"].get<int>());
  }
  std::size_t open() { return json_of({"conflicts", "list"})["conflicts"].size(); }

  static constexpr const char* kScope = "t/u:v";
  Enrolled p_;
  Enrolled q_;
  std::string lost_;
  std::string shown_;
};

// --- conflicts --------------------------------------------------------------------------------

TEST_F(OfficeCommands, AConflictIsListedShownTakenAndReopened) {
  const std::string name = make_conflict();
  EXPECT_NE(expect_done({"conflicts", "list"}).find(name), std::string::npos);
  const std::string shown = expect_done({"conflicts", "show", name});
  EXPECT_NE(shown.find("who saw \"A\""), std::string::npos) << shown;
  EXPECT_NE(shown.find("open, concurrent"), std::string::npos) << shown;
  EXPECT_EQ(text_of_note(), shown_);

  EXPECT_NE(expect_done({"conflicts", "take", name}).find("settled"), std::string::npos);
  EXPECT_EQ(text_of_note(), lost_);
  EXPECT_FALSE(pulled(q_, "note", "n1").contains("conflicts"));
  EXPECT_EQ(open(), 0U);
  EXPECT_NE(expect_done({"conflicts", "list", "--settled"}).find(name), std::string::npos);

  expect_done({"conflicts", "reopen", name});
  EXPECT_EQ(text_of_note(), shown_) << "what the settlement wrote is gone";
  EXPECT_EQ(pulled(q_, "note", "n1")["conflicts"], 1);
  EXPECT_EQ(open(), 1U);
}

TEST_F(OfficeCommands, WhatIsOnShowIsKept) {
  const std::string name = make_conflict();
  expect_done({"conflicts", "keep", name});
  EXPECT_EQ(text_of_note(), shown_);
  EXPECT_EQ(open(), 0U);
  expect_done({"conflicts", "reopen", name});
  EXPECT_EQ(text_of_note(), shown_);
  EXPECT_EQ(open(), 1U);
}

TEST_F(OfficeCommands, AThirdValueIsWritten) {
  const std::string name = make_conflict();
  EXPECT_EQ(run({"conflicts", "write", name, "--value", "no text"}).code, 2);
  expect_done({"conflicts", "write", name, "--value", "\"B 和 C\""});
  EXPECT_EQ(text_of_note(), "B 和 C");
  EXPECT_EQ(open(), 0U);
  expect_done({"conflicts", "reopen", name});
  EXPECT_EQ(text_of_note(), shown_);
  // A value of a wrong type is refused, and nothing is settled.
  EXPECT_EQ(run({"conflicts", "write", name, "--value", "12"}).code, 1);
  EXPECT_EQ(open(), 1U);
}

TEST_F(OfficeCommands, AValueThatADeleteHidIsTakenAndGoneAgainWhenReopened) {
  EXPECT_EQ(push(p_, {note_of(1, kScope, "n1", "A")}), "ok");
  const Seq base = office_.record(kScope, "note", "n1")["seq"];
  EXPECT_EQ(push(p_, {op_of(2, kScope, "note", "n1", Json{{"del", true}}, base)}), "ok");
  EXPECT_EQ(push(q_, {op_of(1, kScope, "note", "n1", text_edit("C"), base)}), "ok");
  // In words, too.
  const std::vector<std::string> name{fmt::format("{}/note/n1", kScope), "text", q_.device, "1"};
  const auto with_name = [&](const char* what) {
    std::vector<std::string> words{"conflicts", what};
    words.insert(words.end(), name.begin(), name.end());
    return words;
  };
  EXPECT_NE(expect_done(with_name("show")).find("nothing: deleted"), std::string::npos);
  expect_done(with_name("take"));
  EXPECT_EQ(text_of_note(), "C");
  EXPECT_EQ(open(), 0U);
  expect_done(with_name("reopen"));
  EXPECT_EQ(pulled(q_, "note", "n1")["deleted"], true);
  EXPECT_EQ(open(), 1U);
}

TEST_F(OfficeCommands, OneOfSeveralElementsThatADeleteHidIsTaken) {
  EXPECT_EQ(push(p_, {note_of(1, kScope, "n1", "A")}), "ok");
  const Seq base = office_.record(kScope, "note", "n1")["seq"];
  EXPECT_EQ(push(p_, {op_of(2, kScope, "note", "n1", Json{{"del", true}}, base)}), "ok");
  const Json tags{{"add", {{"tags", {"急", "水"}}}}};
  EXPECT_EQ(push(q_, {op_of(1, kScope, "note", "n1", tags, base)}), "ok");
  EXPECT_EQ(open(), 2U);
  const std::string name = fmt::format("{}/note/n1/tags/{}~1.1", kScope, q_.device);
  EXPECT_NE(expect_done({"conflicts", "list"}).find(name), std::string::npos);
  expect_done({"conflicts", "take", name});
  EXPECT_EQ(pulled(q_, "note", "n1")["fields"], (Json{{"tags", {"水"}}}));
  EXPECT_EQ(open(), 1U) << "the other element still waits";
}

TEST_F(OfficeCommands, WorkWithoutAServerToo) {
  const std::string name = make_conflict();
  EXPECT_EQ(server_.stop(), 0);
  const TemporaryFolder folder;
  std::ofstream(folder.path() + "/settings.toml") << "listen = \"127.0.0.1:1\"\n";
  const std::vector<std::string> settings{"--config", folder.path() + "/settings.toml"};
  const auto offline = [&](std::vector<std::string> words) {
    words.insert(words.end(), settings.begin(), settings.end());
    const auto ran = server_.ask(words);
    EXPECT_EQ(ran.code, 0) << server_.log();
    return ran.out;
  };
  EXPECT_NE(offline({"conflicts", "list"}).find(name), std::string::npos);
  offline({"conflicts", "take", name});
  EXPECT_NE(offline({"conflicts", "list"}).find("no open conflicts"), std::string::npos);
  offline({"backup", "--to", folder.path() + "/copy"});
  server_.start();
  EXPECT_EQ(text_of_note(), lost_);
}

TEST_F(OfficeCommands, WrongNamesOfConflictsAreToldApart) {
  const std::string name = make_conflict();
  EXPECT_EQ(run({"conflicts", "show", "n1"}).code, 2);
  EXPECT_EQ(run({"conflicts"}).code, 2);
  EXPECT_EQ(run({"conflicts", "keep", name + "9"}).code, 1);
  EXPECT_EQ(open(), 1U);
}

// --- refused ops ------------------------------------------------------------------------------

TEST_F(OfficeCommands, ARefusedOpIsCorrectedAndReplayed) {
  EXPECT_NE(expect_done({"refused", "list"}).find("no refused ops"), std::string::npos);
  EXPECT_EQ(push(p_, {op_of(1, kScope, "note", "n1", text_edit(std::string(5000, 'x')))}),
            "field.limit");
  const std::string id = p_.device + "~1";
  EXPECT_NE(expect_done({"refused", "list"}).find(id), std::string::npos);
  const std::string shown = expect_done({"refused", "show", id});
  EXPECT_NE(shown.find("field.limit"), std::string::npos);
  EXPECT_NE(shown.find("xxxx"), std::string::npos);

  // The same again is refused again; that refusal is dismissed.
  EXPECT_EQ(run({"refused", "replay", id}).code, 1);
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/op.json";
  std::ofstream(file) << R"({"set": {"text": "short"}})";
  EXPECT_NE(expect_done({"refused", "replay", id, "--op", file}).find("replayed"),
            std::string::npos);
  EXPECT_EQ(text_of_note(), "short");
  EXPECT_NE(expect_done({"refused", "show", id}).find("replayed"), std::string::npos);
  const Json left = json_of({"refused", "list"})["refused"];
  ASSERT_EQ(left.size(), 1U) << "the replay that was refused";
  EXPECT_NE(left[0]["fields"]["device"], p_.device);
  EXPECT_EQ(json_of({"refused", "list", "--all"})["refused"].size(), 2U);
}

TEST_F(OfficeCommands, ARefusedOpIsReplayedAsItIsOnceNothingIsInItsWay) {
  EXPECT_EQ(push(p_, {note_of(1, "later", "n1", "A")}), "scope.forbidden");
  office_.make_scopes({"later"});
  expect_done({"refused", "replay", p_.device + "~1"});
  EXPECT_EQ(office_.record("later", "note", "n1")["fields"]["text"], "A");
  EXPECT_TRUE(json_of({"refused", "list"})["refused"].empty());
}

TEST_F(OfficeCommands, ARefusedOpIsDismissedAndReopened) {
  EXPECT_EQ(push(p_, {note_of(1, "nowhere", "n1", "A")}), "scope.forbidden");
  const std::string id = p_.device + "~1";
  EXPECT_EQ(run({"refused", "dismiss", id}).code, 2) << "without a reason";
  expect_done({"refused", "dismiss", id, "--reason", "测试设备"});
  EXPECT_TRUE(json_of({"refused", "list"})["refused"].empty());
  const Json all = json_of({"refused", "list", "--all"})["refused"];
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0]["fields"]["state"], "dismissed");
  EXPECT_EQ(all[0]["fields"]["reason"], "测试设备");
  expect_done({"refused", "reopen", id});
  const Json open = json_of({"refused", "list"})["refused"];
  ASSERT_EQ(open.size(), 1U);
  EXPECT_FALSE(open[0]["fields"].contains("reason"));
  EXPECT_EQ(run({"refused", "show", p_.device + "~7"}).code, 1);
  EXPECT_EQ(run({"refused", "show", "7"}).code, 2);
}

// --- duplicates -------------------------------------------------------------------------------

TEST_F(OfficeCommands, DuplicatesAreMergedAndTheMergeUndone) {
  const auto person = [](std::uint64_t n, const std::string& id) {
    Json op = op_of(n, kScope, "volunteer", id,
                    Json{{"set", {{"name", "林小红"}, {"phone_tail", "1234"}}}});
    op["schema"] = 2;
    return op;
  };
  EXPECT_EQ(push(p_, {person(1, "v1"), person(2, "v2"), person(3, "v3")}), "ok ok ok");
  const std::string listed = expect_done({"duplicates", "list"});
  EXPECT_NE(listed.find("v1 林小红 1234"), std::string::npos) << listed;
  EXPECT_EQ(json_of({"duplicates", "list", "--scope", kScope})["duplicates"].size(), 3U);

  expect_done({"duplicates", "merge", kScope, "v2", "v1"});
  EXPECT_EQ(pulled(q_, "volunteer", "v2")["fields"]["merged_into"], "v1");
  EXPECT_EQ(pulled(q_, "duplicate", "v1~v2")["fields"]["state"], "merged");
  const Reply led = office_.http().call(
      "GET", fmt::format("/v1/records?scope={}&coll=volunteer&id=v2&follow=1", kScope));
  EXPECT_EQ(led.body["records"][0]["id"], "v1");

  expect_done({"duplicates", "undo", kScope, "v2"});
  EXPECT_FALSE(pulled(q_, "volunteer", "v2")["fields"].contains("merged_into"));
  EXPECT_EQ(pulled(q_, "duplicate", "v1~v2")["fields"]["state"], "open");
  EXPECT_EQ(run({"duplicates", "undo", kScope, "v2"}).code, 1) << "it is undone already";

  expect_done({"duplicates", "distinct", kScope, "v3", "v1"});
  EXPECT_EQ(json_of({"duplicates", "list"})["duplicates"].size(), 2U);
  EXPECT_EQ(json_of({"duplicates", "list", "--all"})["duplicates"].size(), 3U);
  expect_done({"duplicates", "reopen", kScope, "v1", "v3"});
  EXPECT_EQ(json_of({"duplicates", "list"})["duplicates"].size(), 3U);

  EXPECT_EQ(run({"duplicates", "merge", kScope, "v1", "v1"}).code, 2);
  EXPECT_EQ(run({"duplicates", "merge", kScope, "v1", "v9"}).code, 1);
  EXPECT_EQ(run({"duplicates", "distinct", kScope, "v1", "v9"}).code, 1);
}

// --- inspect ----------------------------------------------------------------------------------

TEST_F(OfficeCommands, InspectCountsEveryColumn) {
  const auto ran = server_.ask({"inspect", "store"});
  EXPECT_EQ(ran.code, 0) << server_.log();
  for (const char* column : {"device log", "history", "timers", "matches"}) {
    EXPECT_NE(ran.out.find(column), std::string::npos) << ran.out;
  }
}

// --- backup and restore -----------------------------------------------------------------------

TEST_F(OfficeCommands, AfterARestoreADeviceHandsInWhatTheBackupHasNot) {
  const TemporaryFolder folder;
  const std::string copy = folder.path() + "/copy";
  const std::vector<Json> ops{note_of(1, kScope, "n1", "before"),
                              note_of(2, kScope, "n2", "after")};
  EXPECT_EQ(push(p_, {ops[0]}), "ok");
  EXPECT_NE(expect_done({"backup", "--to", copy}).find(copy), std::string::npos);
  EXPECT_EQ(run({"backup", "--to", copy}).code, 1) << "the folder is there";
  EXPECT_EQ(push(p_, {ops[1]}), "ok");
  const std::string first_life =
      sync(p_, {})["welcome"]["server"]["incarnation"].get<std::string>();

  EXPECT_EQ(server_.run({"restore", "--from", copy}), 1) << "the data folder is in use";
  EXPECT_EQ(server_.stop(), 0);
  std::filesystem::rename(server_.data(), server_.data() + ".old");
  EXPECT_EQ(server_.run({"restore", "--from", folder.path()}), 1) << "no backup";
  EXPECT_EQ(server_.run({"restore", "--from", copy}), 0) << server_.log();
  server_.start();

  Json body = sync(p_, {});
  EXPECT_NE(body["welcome"]["server"]["incarnation"], first_life);
  EXPECT_EQ(body["welcome"]["applied"], 1) << "so the device hands in from 2 on";
  EXPECT_EQ(pulled(p_, "note", "n1")["fields"]["text"], "before");
  EXPECT_EQ(pulled(p_, "note", "n2"), nullptr);
  EXPECT_EQ(push(p_, {ops[1]}), "ok");
  EXPECT_EQ(pulled(q_, "note", "n2")["fields"]["text"], "after");
  // The commands find the new life's token, and enrol their device anew.
  expect_done({"refused", "list"});
  EXPECT_EQ(server_.stop(), 0);
  EXPECT_EQ(server_.run({"verify"}), 0) << server_.log();
}

}  // namespace
}  // namespace waystation::testing

// What people of the office edit and list, over the wire: both sides are held to their schemas.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/process/live_client.h"
#include "tests/process/messages.h"

namespace waystation::testing {
namespace {

class Desk : public ::testing::Test {
 protected:
  Desk() : office_(server_) { office_.make_scopes({"s"}); }

  static Json body(const std::string& name, const Json& op) {
    return Json{{"request", name + ", a random name"}, {"ops", {op}}};
  }
  static Json note(const std::string& text) {
    return Json{{"scope", "s"}, {"coll", "note"}, {"id", "n1"}, {"set", {{"text", text}}}};
  }
  Reply edit(const std::string& name, const Json& op) {
    return office_.http().call("POST", "/v1/edits", body(name, op));
  }
  // Once it has been read.
  Reply list(const std::string& query) {
    for (int attempt = 0;; ++attempt) {
      Reply reply = office_.http().call("GET", "/v1/lists/" + query);
      if (reply.code() != "list.warming" || attempt == 100) return reply;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  TestServer server_;
  Office office_;
};

TEST_F(Desk, AnAnswerThatWasLostIsHadAgainAfterACrash) {
  const Reply first = edit("one", note("a"));
  ASSERT_EQ(first.status, 200) << first.text;
  server_.kill();
  server_.start();
  const Reply again =
      HttpCaller(server_, server_.admin_token()).call("POST", "/v1/edits", body("one", note("a")));
  EXPECT_EQ(again.text, first.text);
  EXPECT_EQ(server_.stop(), 0);
  EXPECT_EQ(server_.run({"verify"}), 0);
}

TEST_F(Desk, WhatStandsAgainstARequestIsAProblemOfItsOwn) {
  ASSERT_EQ(edit("one", note("a")).status, 200);
  EXPECT_EQ(edit("one", note("b")).code(), "edit.reused");
  Json seen = note("b");
  seen["if_seq"] = 0;
  const Reply late = edit("two", seen);
  EXPECT_EQ(late.code(), "edit.changed");
  EXPECT_EQ(late.body["changed"][0]["seq"], office_.record("s", "note", "n1")["seq"]);
  Json wrong = note("c");
  wrong["set"] = {{"text", 5}};
  EXPECT_EQ(edit("three", wrong).body["results"][0]["refused"]["code"], "field.type");
}

TEST_F(Desk, ListsShowWhatWasEdited) {
  ASSERT_EQ(edit("one", note("Hello")).status, 200);
  const Reply page = list("note?q=hell&sort=-text&under=s&limit=10");
  ASSERT_EQ(page.status, 200) << page.text;
  EXPECT_EQ(page.body["matching"], 1);
  EXPECT_EQ(page.body["rows"][0], office_.record("s", "note", "n1"));
  EXPECT_EQ(list("note?colour=red").code(), "list.field");
}

TEST_F(Desk, TheListOfDevicesSaysWhoIsOnline) {
  const Enrolled device = office_.enroll({"s"}, "平板一", "station");
  const auto online = [&] {
    const Reply page = office_.http().call("GET", "/v1/devices?q=%E5%B9%B3%E6%9D%BF&limit=5");
    return page.body["devices"][0]["online"].get<bool>();
  };
  EXPECT_FALSE(online());
  LiveClient live(server_);
  EXPECT_TRUE(live.ask(hello_frame(device)).contains("welcome"));
  EXPECT_TRUE(online());
}

}  // namespace
}  // namespace waystation::testing

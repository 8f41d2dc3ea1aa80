// What people of the office edit: by a desk of their account's own, once, at the moment they ask.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "storage/verify.h"
#include "tests/support/json.h"
#include "tests/support/office_server.h"

namespace waystation::testing {
namespace {

using Json = nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class Edits : public ::testing::Test {
 protected:
  Edits() {
    server.make_first("limei");
    server.make("wang", "office");
    EXPECT_EQ(code_of(post(limei(), "made at first", {scope_op()})), "ok");
  }
  ~Edits() override {
    const auto report = verify(server.service().store(), [](std::uint64_t) {});
    EXPECT_TRUE(report.ok());
    if (!report.ok()) return;
    EXPECT_EQ(report->faults, 0U) << Json(report->first_faults).dump();
  }

  Browser& limei() {
    if (!limei_) limei_ = server.sign_in("limei");
    return *limei_;
  }
  Browser& wang() {
    if (!wang_) wang_ = server.sign_in("wang");
    return *wang_;
  }

  static Json scope_op() {
    return {{"scope", "t"}, {"coll", "scope"}, {"id", "t"}, {"set", {{"title", "t"}}}};
  }
  static Json note(const std::string& id, const std::string& text) {
    return {{"scope", "t"}, {"coll", "note"}, {"id", id}, {"set", {{"text", text}}}};
  }
  static Json with(Json op, const Json& more) {
    op.update(more);
    return op;
  }

  static std::string body(const std::string& name, const std::vector<Json>& ops) {
    return Json{{"request", name + " of a random name"}, {"ops", ops}}.dump();
  }
  static ApiReply post(Browser& browser, const std::string& name, const std::vector<Json>& ops) {
    return browser.send("POST", "/v1/edits", body(name, ops));
  }

  ApiReply ask(const std::string& path, const std::map<std::string, std::string>& query) {
    ApiRequest request;
    request.method = "GET";
    request.path = path;
    request.query = query;
    return limei().send(std::move(request));
  }
  Json record(const std::string& coll, const std::string& id) {
    const ApiReply reply = ask("/v1/records", {{"scope", "t"}, {"coll", coll}, {"id", id}});
    const Json records = Json::parse(reply.body)["records"];
    return records.empty() ? Json() : records[0];
  }
  Json history(const std::string& coll, const std::string& id) {
    return Json::parse(
        ask("/v1/history", {{"scope", "t"}, {"coll", coll}, {"id", id}}).body)["history"];
  }
  // Two notes whose texts are numbers.
  std::string device_with_two_refused() {
    const ApiReply code =
        server.admin("POST", "/v1/codes", Json{{"scopes", {"t"}}, {"role", "lead"}}.dump());
    ApiRequest request;
    request.method = "POST";
    request.path = "/v1/enroll";
    request.body =
        Json{{"code", member(code.body, "code")}, {"request", "a device asks for it"}}.dump();
    const Json device = Json::parse(server.call(request).body);
    const Json clock{{"wall", server.now}, {"mono", 1}, {"boot", "b"}};
    std::vector<Json> ops;
    for (int n = 1; n <= 2; ++n) {
      ops.push_back(with(with(note("a", ""), clock), {{"n", n}, {"set", {{"text", n}}}}));
    }
    request.path = "/v1/sync";
    request.body = Json{
        {"hello",
         {{"v", 1}, {"device", device["device"]}, {"token", device["token"]}, {"clock", clock}}},
        {"push",
         {{"ops",
           ops}}}}.dump();
    EXPECT_THAT(server.call(request).body, HasSubstr("field.type"));
    return device["device"];
  }
  void restart() {
    limei_.reset();
    wang_.reset();
    server.restart();
  }

  OfficeServer server;
  std::optional<Browser> limei_;
  std::optional<Browser> wang_;
};

TEST_F(Edits, AreOpsOfTheAccountsOwnDesk) {
  server.admin("PUT", "/v1/office/accounts/wang", R"({"display":"王芳"})");
  const Json answer = Json::parse(post(wang(), "one", {note("a", "hello")}).body);
  EXPECT_EQ(answer["results"][0]["ok"], true);
  EXPECT_EQ(answer["results"][0]["n"], 1);
  EXPECT_EQ(record("note", "a")["fields"]["text"], "hello");
  EXPECT_EQ(record("note", "a")["seq"], answer["results"][0]["seq"]);
  const Json told = history("note", "a");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0]["device"], answer["device"]);
  EXPECT_EQ(told[0]["name"], "王芳");
  const Json again = Json::parse(post(wang(), "two", {note("b", "hello")}).body);
  EXPECT_EQ(again["device"], answer["device"]);
  EXPECT_EQ(again["results"][0]["n"], 2);
  const Json others = Json::parse(post(limei(), "three", {note("c", "hello")}).body);
  EXPECT_NE(others["device"], answer["device"]);
}

TEST_F(Edits, TheDeskIsNoDeviceOfTheFieldAndNobodyCommandsIt) {
  const std::string desk = Json::parse(post(limei(), "one", {note("a", "hello")}).body)["device"];
  EXPECT_EQ(Json::parse(limei().get("/v1/devices").body)["devices"].size(), 0U);
  const std::string path = "/v1/devices/" + desk;
  EXPECT_EQ(code_of(limei().send("POST", path + "/revoke", "")), "http.not_found");
  EXPECT_EQ(code_of(limei().send("PUT", path + "/role", R"({"role":"lead"})")), "http.not_found");
  EXPECT_EQ(code_of(limei().send("POST", "/v1/codes", Json{{"replaces", desk}}.dump())),
            "http.not_found");
  EXPECT_EQ(code_of(post(limei(), "two", {note("b", "hello")})), "ok");
}

TEST_F(Edits, AreAnsweredWordForWordWhenTheAnswerWasLost) {
  const ApiReply first = post(limei(), "one", {note("a", "hello")});
  EXPECT_EQ(post(limei(), "one", {note("a", "hello")}).body, first.body);
  restart();
  EXPECT_EQ(post(limei(), "one", {note("a", "hello")}).body, first.body);
  EXPECT_EQ(history("note", "a").size(), 1U);
  // Another account may have the same name for its own.
  EXPECT_NE(post(wang(), "one", {note("a", "hello")}).body, first.body);
}

TEST_F(Edits, AnAnswerIsKeptForADay) {
  const ApiReply first = post(limei(), "one", {note("a", "hello")});
  server.now += 24 * 3'600'000 + 1;
  restart();
  const ApiReply later = post(limei(), "one", {note("a", "hello")});
  EXPECT_EQ(code_of(later), "ok");
  EXPECT_NE(later.body, first.body);
  EXPECT_EQ(history("note", "a").size(), 2U);
}

TEST_F(Edits, TheNameOfARequestIsNotUsedForOtherEdits) {
  EXPECT_EQ(code_of(post(limei(), "one", {note("a", "hello")})), "ok");
  EXPECT_EQ(code_of(post(limei(), "one", {note("a", "other")})), "edit.reused");
  EXPECT_EQ(record("note", "a")["fields"]["text"], "hello");
}

TEST_F(Edits, NothingIsAppliedWhereARecordIsNotAsItWasSeen) {
  const Json seq =
      Json::parse(post(limei(), "one", {note("a", "hello")}).body)["results"][0]["seq"];
  EXPECT_EQ(code_of(post(wang(), "two", {with(note("a", "by wang"), {{"if_seq", seq}})})), "ok");
  const ApiReply late =
      post(limei(), "three",
           {with(note("b", "new"), {{"if_seq", 0}}), with(note("a", "late"), {{"if_seq", seq}})});
  EXPECT_EQ(late.status, 409);
  const Json problem = Json::parse(late.body);
  EXPECT_EQ(problem["code"], "edit.changed");
  ASSERT_EQ(problem["changed"].size(), 1U);
  EXPECT_EQ(problem["changed"][0]["id"], "a");
  EXPECT_EQ(problem["changed"][0]["seq"], record("note", "a")["seq"]);
  EXPECT_EQ(record("note", "a")["fields"]["text"], "by wang");
  EXPECT_TRUE(record("note", "b").is_null());
  EXPECT_EQ(record("note", "a").count("conflicts"), 0U) << "wang had seen what limei wrote";
  // What was not applied has left no answer: the same name may be used for what is shown now.
  EXPECT_EQ(code_of(post(limei(), "three", {note("a", "now")})), "ok");
}

TEST_F(Edits, OfTwoAtOnceTheSecondIsTold) {
  const Json seq =
      Json::parse(post(limei(), "one", {note("a", "hello")}).body)["results"][0]["seq"];
  std::vector<ApiReply> replies;
  for (Browser* browser : {&limei(), &wang()}) {
    ApiRequest request;
    request.method = "POST";
    request.path = "/v1/edits";
    request.body = body("two", {with(note("a", "mine"), {{"if_seq", seq}})});
    request.csrf = browser->csrf;
    for (const auto& [name, value] : browser->cookies) {
      request.cookie += fmt::format("{}{}={}", request.cookie.empty() ? "" : "; ", name, value);
    }
    server.service().api(std::move(request),
                         [&](ApiReply reply) { replies.push_back(std::move(reply)); });
  }
  while (server.service().step_writer()) {
  }
  ASSERT_EQ(replies.size(), 2U);
  std::vector<std::string> codes{code_of(replies[0]), code_of(replies[1])};
  std::sort(codes.begin(), codes.end());
  EXPECT_EQ(codes, (std::vector<std::string>{"edit.changed", "ok"}));
  EXPECT_EQ(history("note", "a").size(), 2U);
}

// Both edit their own record alone, so that neither is against what the other wrote.
TEST_F(Edits, OfTwoWhoMergeCrosswiseTheSecondIsTold) {
  std::map<std::string, Json> seqs;
  for (const char* id : {"a", "b"}) {
    const Json person{
        {"scope", "t"}, {"coll", "volunteer"}, {"id", id}, {"set", {{"name", "Li Wei"}}}};
    const ApiReply made = post(limei(), "made: " + std::string(id), {person});
    ASSERT_THAT(made.body, HasSubstr("\"ok\":true"));
    seqs[id] = Json::parse(made.body)["results"][0]["seq"];
  }
  const auto merge = [&](Browser& browser, const std::string& from, const std::string& into) {
    const Json led{{"scope", "t"},
                   {"coll", "volunteer"},
                   {"id", from},
                   {"if_seq", seqs[from]},
                   {"set", {{"merged_into", into}}}};
    const Json seen{{"scope", "t"}, {"coll", "volunteer"}, {"id", into}, {"if_seq", seqs[into]}};
    return browser.send(
        "POST", "/v1/edits",
        Json{{"request", "lead somebody away: " + from}, {"ops", {led}}, {"expect", {seen}}}
            .dump());
  };
  const ApiReply first = merge(limei(), "a", "b");
  EXPECT_EQ(code_of(first), "ok") << first.body;
  const ApiReply second = merge(wang(), "b", "a");
  EXPECT_EQ(code_of(second), "edit.changed");
  EXPECT_EQ(Json::parse(second.body)["changed"][0]["id"], "a");
  EXPECT_EQ(record("volunteer", "b")["fields"].count("merged_into"), 0U);
}

TEST_F(Edits, WhatIsExpectedIsPartOfTheRequestAndHasAShape) {
  const auto send = [&](const std::string& name, const Json& expect) {
    return code_of(limei().send("POST", "/v1/edits",
                                Json{{"request", name + " of a random name"},
                                     {"ops", {note("a", "hello")}},
                                     {"expect", expect}}
                                    .dump()));
  };
  const Json absent{{"scope", "t"}, {"coll", "note"}, {"id", "b"}, {"if_seq", 0}};
  EXPECT_EQ(send("one", Json::array({absent})), "ok");
  EXPECT_EQ(send("one", Json::array()), "edit.reused");
  EXPECT_EQ(send("two", Json::array({with(absent, {{"if_seq", 9}})})), "edit.changed");
  EXPECT_EQ(send("three", Json::array({with(absent, {{"id", "a/b"}})})), "message.invalid");
  EXPECT_EQ(send("four", Json::array({Json{{"scope", "t"}}})), "message.invalid");
  EXPECT_EQ(send("five", Json(5)), "message.invalid");
  EXPECT_EQ(send("six", Json::array({5})), "message.invalid");
  EXPECT_EQ(send("seven", Json(std::vector<Json>(101, absent))), "message.invalid");
}

TEST_F(Edits, NothingIsToldOfWhatTheRoleDoesNotSee) {
  Json file = Json::parse(read_source("schemas/policy.json"));
  file["roles"]["office"]["collections"] = {{"station", {{"read", "none"}, {"write", "none"}}}};
  auto policy = Policy::parse({"policy.json", file.dump()}, schemas());
  ASSERT_TRUE(policy.ok()) << policy.error().context;
  server.policy = std::make_shared<const Policy>(std::move(*policy));
  restart();
  for (const int seq : {0, 9}) {
    const Json seen{{"scope", "t"}, {"coll", "station"}, {"id", "s"}, {"if_seq", seq}};
    EXPECT_EQ(code_of(wang().send("POST", "/v1/edits",
                                  Json{{"request", fmt::format("the name of request {}", seq)},
                                       {"ops", {note("a", "hello")}},
                                       {"expect", {seen}}}
                                      .dump())),
              "access.denied");
  }
  EXPECT_TRUE(record("note", "a").is_null());
}

TEST_F(Edits, OneRequestTwiceInOneGroupIsAppliedOnce) {
  std::vector<std::string> replies;
  for (int i = 0; i < 2; ++i) {
    ApiRequest request;
    request.method = "POST";
    request.path = "/v1/edits";
    request.body = body("two", {note("a", "hello")});
    request.csrf = limei().csrf;
    for (const auto& [name, value] : limei().cookies) {
      request.cookie += fmt::format("{}{}={}", request.cookie.empty() ? "" : "; ", name, value);
    }
    server.service().api(std::move(request),
                         [&](const ApiReply& reply) { replies.push_back(reply.body); });
  }
  while (server.service().step_writer()) {
  }
  ASSERT_EQ(replies.size(), 2U);
  EXPECT_EQ(replies[0], replies[1]);
  EXPECT_EQ(history("note", "a").size(), 1U);
}

TEST_F(Edits, EndAtTheFirstThatIsRefusedAndNothingLiesInTheQuarantine) {
  const ApiReply reply =
      post(limei(), "one",
           {note("a", "hello"), with(note("b", ""), {{"set", {{"text", 5}}}}), note("c", "hello")});
  const Json results = Json::parse(reply.body)["results"];
  EXPECT_EQ(results[0]["ok"], true);
  EXPECT_EQ(results[1]["refused"]["code"], "field.type");
  EXPECT_EQ(results[2]["refused"]["code"], "edit.skipped");
  EXPECT_EQ(results[2].count("n"), 0U);
  EXPECT_TRUE(record("note", "c").is_null());
  EXPECT_EQ(Json::parse(ask("/v1/quarantine", {}).body)["quarantine"].size(), 0U);
  EXPECT_EQ(Json::parse(ask("/v1/records", {{"coll", "refused"}}).body)["records"].size(), 0U);
  // The next one that is taken has the number after the last that was.
  EXPECT_EQ(Json::parse(post(limei(), "two", {note("d", "x")}).body)["results"][0]["n"],
            results[0]["n"].get<int>() + 1);
}

TEST_F(Edits, FollowTheRoleOfTheAccountAtOnce) {
  Json file = Json::parse(read_source("schemas/policy.json"));
  file["roles"]["office"]["collections"] = {{"note", {{"read", "all"}, {"write", "none"}}}};
  auto policy = Policy::parse({"policy.json", file.dump()}, schemas());
  ASSERT_TRUE(policy.ok()) << policy.error().context;
  server.policy = std::make_shared<const Policy>(std::move(*policy));
  restart();
  const auto refused = [&](const std::string& name) {
    const Json results = Json::parse(post(wang(), name, {note("a", name)}).body)["results"];
    return results[0].contains("refused") ? results[0]["refused"]["code"].get<std::string>() : "ok";
  };
  EXPECT_EQ(refused("one"), "access.denied");
  EXPECT_EQ(limei().send("PUT", "/v1/office/accounts/wang", R"({"role":"administrator"})").status,
            200);
  EXPECT_EQ(refused("two"), "ok");
  EXPECT_EQ(limei().send("PUT", "/v1/office/accounts/wang", R"({"role":"office"})").status, 200);
  EXPECT_EQ(refused("three"), "access.denied");
}

TEST_F(Edits, OfADisabledAccountAreNotTakenEvenIfTheyWaitedAlready) {
  EXPECT_EQ(code_of(post(wang(), "one", {note("a", "hello")})), "ok");
  ApiRequest late;
  late.method = "POST";
  late.path = "/v1/edits";
  late.body = body("two", {note("a", "late")});
  late.csrf = wang().csrf;
  for (const auto& [name, value] : wang().cookies) {
    late.cookie += fmt::format("{}{}={}", late.cookie.empty() ? "" : "; ", name, value);
  }
  ApiRequest disable;
  disable.method = "PUT";
  disable.path = "/v1/office/accounts/wang";
  disable.body = R"({"disabled":true})";
  disable.bearer = "the administrator's token of the test";
  std::string code;
  server.service().api(std::move(disable), [](const ApiReply&) {});
  server.service().api(std::move(late), [&](const ApiReply& reply) { code = code_of(reply); });
  while (server.service().step_writer()) {
  }
  EXPECT_EQ(code, "auth.required");
  EXPECT_EQ(record("note", "a")["fields"]["text"], "hello");
  EXPECT_EQ(code_of(post(wang(), "three", {note("a", "late")})), "auth.required");
}

TEST_F(Edits, SettleAndReopenAConflictInTheNameOfTheAccount) {
  EXPECT_EQ(code_of(post(limei(), "one", {note("a", "first")})), "ok");
  EXPECT_EQ(code_of(post(wang(), "two", {note("a", "second")})), "ok");  // had seen nothing
  const Json conflict = Json::parse(ask("/v1/conflicts", {{"scope", "t"}}).body)["conflicts"][0];
  const Json named{{"field", "text"}, {"by", conflict["by"]}, {"n", conflict["n"]}};
  const Json op{{"scope", "t"}, {"coll", "note"}, {"id", "a"}};
  EXPECT_EQ(code_of(post(limei(), "three", {with(op, {{"settle", {named}}})})), "ok");
  EXPECT_EQ(Json::parse(ask("/v1/conflicts", {{"scope", "t"}}).body)["conflicts"].size(), 0U);
  EXPECT_EQ(code_of(post(limei(), "four", {with(op, {{"reopen", {named}}})})), "ok");
  EXPECT_EQ(server.audit_log().back().note.what, "conflict.reopened");
  EXPECT_EQ(server.audit_log().back().note.who, "office limei");
  EXPECT_EQ(Json::parse(ask("/v1/conflicts", {{"scope", "t"}}).body)["conflicts"].size(), 1U);
  EXPECT_THAT(server.audited(), Contains("conflict.settled"));
}

TEST_F(Edits, ReplayAndDismissWhatADeviceWasRefused) {
  const std::string device = device_with_two_refused();
  Json corrected = note("a", "5");
  corrected["replays"] = {{"device", device}, {"n", 1}};
  ASSERT_EQ(code_of(post(wang(), "one", {corrected})), "ok");
  EXPECT_EQ(record("note", "a")["fields"]["text"], "5");
  AuditEntry entry = server.audit_log().back();
  EXPECT_EQ(entry.note.what, "refused.replayed");
  EXPECT_EQ(entry.note.who, "office wang");
  const auto refused = [&](const std::string& id) {
    const ApiReply reply =
        ask("/v1/records", {{"scope", "system:office"}, {"coll", "refused"}, {"id", id}});
    return Json::parse(reply.body)["records"][0];
  };
  EXPECT_EQ(refused(device + "~1")["fields"]["state"], "replayed");
  const Json dismissal{{"scope", "system:office"},
                       {"coll", "refused"},
                       {"id", device + "~2"},
                       {"if_seq", refused(device + "~2")["seq"]},
                       {"set", {{"state", "dismissed"}, {"reason", "a typing error"}}}};
  ASSERT_EQ(code_of(post(wang(), "two", {dismissal})), "ok");
  entry = server.audit_log().back();
  EXPECT_EQ(entry.note.what, "refused.dismissed");
  EXPECT_EQ(entry.note.who, "office wang");
  EXPECT_EQ(refused(device + "~2")["fields"]["state"], "dismissed");
}

TEST_F(Edits, OfAPersonLieSealedAndAnErasedOneIsRefused) {
  const Json person{
      {"scope", "t"}, {"coll", "volunteer"}, {"id", "v1"}, {"set", {{"name", "陈一"}}}};
  EXPECT_EQ(code_of(post(limei(), "one", {person})), "ok");
  EXPECT_EQ(record("volunteer", "v1")["fields"]["name"], "陈一");
  EXPECT_EQ(server.admin("POST", "/v1/persons/v1/erase").status, 200);
  const Json results = Json::parse(post(limei(), "two", {person}).body)["results"];
  EXPECT_EQ(results[0]["refused"]["code"], "person.erased");
}

TEST_F(Edits, AreNotForDevicesAndTheirBodiesHaveOneShape) {
  ApiRequest request;
  request.method = "POST";
  request.path = "/v1/edits";
  request.body = body("one", {note("a", "hello")});
  EXPECT_EQ(code_of(server.call(request)), "auth.required");
  EXPECT_EQ(code_of(limei().send("POST", "/v1/edits", R"({"request":"short","ops":[]})")),
            "message.invalid");
  EXPECT_EQ(code_of(post(limei(), "one", std::vector<Json>())), "message.invalid");
  EXPECT_EQ(code_of(post(limei(), "one", {with(note("a", "x"), {{"n", 7}})})), "message.invalid");
  EXPECT_EQ(code_of(post(limei(), "one", {with(note("a", "x"), {{"if_seq", -1}})})),
            "message.invalid");
  EXPECT_EQ(code_of(post(limei(), "one", std::vector<Json>(101, note("a", "x")))),
            "push.too_many_ops");
  EXPECT_EQ(code_of(server.admin("POST", "/v1/edits", request.body)), "ok");
}

}  // namespace
}  // namespace waystation::testing

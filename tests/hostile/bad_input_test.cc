// What a device may do wrong that is more than one frame or one op: numbers, order, cursors, and
// the WebSocket itself.

#include <fmt/format.h>

#include <ostream>

#include "sync/limits.h"
#include "tests/hostile/hostile_server.h"

namespace waystation::testing {
namespace {

constexpr int kText = 1;
constexpr int kBinary = 2;
constexpr int kClose = 8;
constexpr int kPing = 9;
constexpr int kPong = 10;

using Input = HostileServer;

// --- numbers ----------------------------------------------------------------------------------

TEST_F(Input, AnUnknownFieldIsKeptAndGivenBack) {
  const Json odd{{"extra", {{"a", {1, 2.5, nullptr, "水"}}}}, {"text", "a"}};
  const Reply reply = HttpCaller(server()).sync(
      sync_body(device(), {op_of(1, kScope, "note", "unknown-field", Json{{"set", odd}})}));
  EXPECT_EQ(verdict_codes(reply.body["receipt"]), "ok");
  const Json record = office().record(kScope, "note", "unknown-field");
  EXPECT_EQ(record["fields"]["extra"], odd["extra"]);
  const auto live = greeted(neighbour());
  ASSERT_TRUE(live->send(pull_frame("")));
  bool found = false;
  const Json changes = live->next_of("changes");
  for (const Json& change : changes["changes"]) {
    if (change["id"] == "unknown-field") {
      found = true;
      EXPECT_EQ(change["fields"], record["fields"]);
    }
  }
  EXPECT_TRUE(found);
  expect_all_are_served();
}

TEST_F(Input, AGapInNIsAnsweredWithTheNumberThatMustComeNext) {
  const auto note = [](std::uint64_t n) { return note_of(n, kScope, "gap", std::to_string(n)); };
  HttpCaller http(server());
  const Json first = http.sync(sync_body(device(), {note(2), note(3)})).body["receipt"];
  EXPECT_EQ(first["count"], 0);
  EXPECT_EQ(first["applied"], 0);
  EXPECT_EQ(first["expected"], 1);
  const auto live = greeted(device());
  const Json second = live->ask(push_frame({note(1), note(2), note(4)}))["receipt"];
  EXPECT_EQ(verdict_codes(second), "ok ok");
  EXPECT_EQ(second["expected"], 3);
  const Json third = live->ask(push_frame({note(9007199254740991)}))["receipt"];
  EXPECT_EQ(third["expected"], 3);
  const Json backwards = live->ask(push_frame({note(4), note(3)}))["receipt"];
  EXPECT_EQ(backwards["expected"], 3);
  EXPECT_EQ(backwards["count"], 0) << "what comes behind a gap has no verdict";
  EXPECT_EQ(verdict_codes(live->ask(push_frame({note(3), note(4)}))["receipt"]), "ok ok");
  expect_served_on(*live);
  expect_all_are_served();
}

TEST_F(Input, ANumberUsedAgainForOtherContentKeepsTheFirstVerdictAndBothContents) {
  HttpCaller http(server());
  const Json original = note_of(1, kScope, "reused", "the first content");
  const Json other = note_of(1, kScope, "reused", "the second content");
  const Json first = http.sync(sync_body(device(), {original})).body["receipt"];
  ASSERT_EQ(verdict_codes(first), "ok");
  const auto live = greeted(device());
  for (int time = 0; time < 2; ++time) {
    const Json over_http = http.sync(sync_body(device(), {other})).body["receipt"];
    EXPECT_EQ(verdict_codes(over_http), "op.reused");
    EXPECT_EQ(over_http["applied"], 1);
    EXPECT_EQ(live->ask(push_frame({other}))["receipt"].dump(), over_http.dump());
  }
  EXPECT_EQ(http.sync(sync_body(device(), {original})).body["receipt"].dump(), first.dump());
  EXPECT_EQ(office().record(kScope, "note", "reused")["fields"]["text"], "the first content");
  const Json kept = office().quarantine(device());
  ASSERT_EQ(kept.size(), 1U) << "the same content is kept once";
  EXPECT_EQ(kept[0]["code"], "op.reused");
  EXPECT_EQ(kept[0]["op"]["set"]["text"], "the second content");
  // Both in one push.
  const Json both = live->ask(push_frame(
      {note_of(2, kScope, "reused", "third"), note_of(2, kScope, "reused", "fourth")}))["receipt"];
  EXPECT_EQ(verdict_codes(both), "ok op.reused");
  EXPECT_EQ(office().quarantine(device()).size(), 2U);
  expect_served_on(*live);
  expect_all_are_served();
}

TEST_F(Input, TheSameOpWrittenInAnotherOrderIsTheSameOp) {
  HttpCaller http(server());
  const Json op = note_of(1, kScope, "reordered", "a");
  const Json first = http.sync(sync_body(device(), {op})).body["receipt"];
  Json reordered;
  for (auto at = op.rbegin(); at != op.rend(); ++at) reordered[at.key()] = at.value();
  ASSERT_NE(op.dump(), reordered.dump());
  EXPECT_EQ(http.sync(sync_body(device(), {reordered})).body["receipt"].dump(), first.dump());
}

TEST_F(Input, ADamagedCursorIsNamedAndWhatCameBeforeItStands) {
  const std::vector<std::string> damaged{
      "damaged", "AAAA", "!!!!", std::string(1024, 'A'), "水", std::string("a\0b", 3)};
  const auto live = greeted(device());
  std::uint64_t n = 1;
  for (const std::string& cursor : damaged) {
    SCOPED_TRACE(cursor.substr(0, 20));
    const Reply reply =
        HttpCaller(server()).sync(sync_body(device(), {note_of(n++, kScope, "c", "a")}, cursor));
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.code(), "cursor.invalid");
    EXPECT_TRUE(reply.body.contains("welcome"));
    EXPECT_EQ(verdict_codes(reply.body["receipt"]), "ok");
    EXPECT_EQ(code_of(live->ask(pull_frame(cursor))), "cursor.invalid");
    expect_served_on(*live);
    ++n;
  }
  // And a good one with one character changed.
  const std::string good =
      HttpCaller(server()).sync(sync_body(device(), {}, "")).body["changes"].value("cursor", "");
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    const Reply reply = HttpCaller(server()).sync(sync_body(device(), {}, bad));
    EXPECT_EQ(reply.code(), "cursor.invalid") << reply.text;
  }
  expect_all_are_served();
}

TEST_F(Input, ARevokedDeviceIsToldSoEverywhere) {
  const auto live = greeted(device());
  office().revoke(device());
  EXPECT_EQ(code_of(live->next()), "auth.revoked");
  EXPECT_EQ(live->close_code(), 4403);
  const Reply reply = HttpCaller(server()).sync(sync_body(device(), {}));
  EXPECT_EQ(reply.code(), "auth.revoked");
  EXPECT_EQ(reply.status, 403);
  LiveClient again(server());
  EXPECT_EQ(code_of(again.ask(hello_frame(device()))), "auth.revoked");
  EXPECT_EQ(again.close_code(), 4403);
  HttpCaller list(server(), device().device + "." + device().token);
  EXPECT_EQ(list.call("GET", "/v1/records?scope=s").code(), "auth.revoked");
}

TEST_F(Input, ADeviceSeesNothingOfOthersScopesAndNothingOfTheOffice) {
  HttpCaller http(server(), device().device + "." + device().token);
  EXPECT_EQ(http.call("GET", "/v1/records?scope=s").status, 200);
  EXPECT_EQ(http.call("GET", "/v1/records?scope=foreign").code(), "scope.forbidden");
  EXPECT_EQ(http.call("GET", "/v1/conflicts?scope=foreign").code(), "scope.forbidden");
  EXPECT_EQ(http.call("GET", "/v1/quarantine?device=" + neighbour().device).code(),
            "auth.forbidden");
  EXPECT_EQ(http.call("GET", "/v1/devices").code(), "auth.forbidden");
  EXPECT_EQ(http.unchecked("POST", "/v1/codes", R"({"scopes":["*"]})").code(), "auth.forbidden");
  EXPECT_EQ(
      http.unchecked("PUT", "/v1/devices/" + device().device + "/scopes", R"({"scopes":["*"]})")
          .code(),
      "auth.forbidden");
}

// --- before hello -----------------------------------------------------------------------------

TEST_F(Input, APushBeforeHelloIsRefusedAndTheConnectionClosed) {
  for (const std::string& frame :
       {push_frame({note_of(1, kScope, "early", "a")}), pull_frame("")}) {
    LiveClient live(server());
    EXPECT_EQ(code_of(live.ask(frame)), "auth.required");
    EXPECT_EQ(live.close_code(), 4401);
    const Reply reply = HttpCaller(server()).unchecked("POST", "/v1/sync", frame);
    EXPECT_EQ(reply.code(), "auth.required");
    EXPECT_EQ(reply.status, 401);
  }
  EXPECT_EQ(next_n(device()), 1U);
  expect_all_are_served();
}

TEST_F(Input, AWrongSecretAtTheDoorClosesIt) {
  Enrolled wrong = device();
  wrong.token = "guessed";
  LiveClient live(server());
  EXPECT_EQ(code_of(live.ask(hello_frame(wrong))), "auth.bad_token");
  EXPECT_EQ(live.close_code(), 4401);
  expect_all_are_served();
}

TEST_F(Input, AWebSocketThatNeverSaysHelloIsClosed) {
  LiveClient silent(server());
  expect_all_are_served();
  EXPECT_EQ(code_of(silent.next()), "auth.required");
  EXPECT_EQ(silent.close_code(), 4401);
}

TEST_F(Input, AWebSocketThatTalksRubbishInsteadOfHelloIsClosed) {
  LiveClient live(server());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(code_of(live.ask_unchecked("{")), "json.invalid");
  EXPECT_EQ(code_of(live.next()), "auth.required");
  EXPECT_EQ(live.close_code(), 4401);
}

// --- the WebSocket itself ---------------------------------------------------------------------

TEST_F(Input, AFrameThatAnnouncesMoreThanTheLimitClosesWith1009) {
  RawSocket raw(server().port());
  ASSERT_TRUE(raw.upgrade());
  // 1 MiB and a byte; the bytes themselves are not waited for.
  raw.send(std::string("\x81\xFF\0\0\0\0\0\x10\0\x01\x11\x22\x33\x44", 14));
  const auto closed = raw.frame();
  ASSERT_TRUE(closed.has_value());
  EXPECT_EQ(closed->opcode, kClose);
  EXPECT_EQ(closed->payload.substr(0, 2), "\x03\xF1");  // 1009
  EXPECT_EQ(about("frame.too_large").close, 1009);
  expect_all_are_served();
}

// The close must not be lost to the reset of a connection on which there is still something unread.
TEST_F(Input, AClientThatIsStillSendingAFrameOverTheLimitLearnsWhyItIsClosed) {
  const auto live = greeted(device());
  live->unchecked(std::string(limits::kFrameBytes + 1, ' '));
  EXPECT_EQ(live->close_code(), 1009);
  expect_all_are_served();
}

TEST_F(Input, AFrameOfExactlyTheLimitIsTaken) {
  const auto live = greeted(device());
  std::string frame = push_frame({note_of(1, kScope, "large", "a")});
  frame.append(limits::kFrameBytes - frame.size(), ' ');
  EXPECT_EQ(verdict_codes(live->ask_unchecked(frame)["receipt"]), "ok");
  expect_all_are_served();
}

TEST_F(Input, AHundredMegabytesInOneFrameAreNotHeld) {
  const std::uint64_t before = server().resident_bytes();
  RawSocket raw(server().port());
  ASSERT_TRUE(raw.upgrade());
  // The header of a frame of 100 MiB, and then its bytes.
  raw.send(std::string("\x81\xFF\x00\x00\x00\x00\x06\x40\x00\x00\x11\x22\x33\x44", 14));
  const std::string part(1U << 20U, ' ');
  std::uint64_t most = before;
  for (int i = 0; i < 100 && raw.send(part); ++i) {
    most = std::max(most, server().resident_bytes());
  }
  EXPECT_LT(most, before + (32U << 20U));
  expect_all_are_served();
}

TEST_F(Input, AMessageInEndlessFragmentsClosesWith1009) {
  RawSocket raw(server().port());
  ASSERT_TRUE(raw.upgrade());
  const std::string part(64U << 10U, ' ');
  // Opcode without FIN: the helper sets it, so the bits are taken out here.
  for (int i = 0; i < 32; ++i) {
    std::string header(1, static_cast<char>(i == 0 ? 0x01 : 0x00));
    header += std::string("\xFF\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00", 13);
    if (!raw.send(header) || !raw.send(part)) break;
  }
  const auto closed = raw.frame();
  ASSERT_TRUE(closed.has_value());
  EXPECT_EQ(closed->opcode, kClose);
  EXPECT_EQ(closed->payload.substr(0, 2), "\x03\xF1");  // 1009
  expect_all_are_served();
}

TEST_F(Input, ABinaryFrameIsReadLikeText) {
  const auto live = greeted(device());
  ASSERT_TRUE(live->unchecked_binary(push_frame({note_of(1, kScope, "binary", "a")})));
  EXPECT_EQ(verdict_codes(live->next_of("receipt")), "ok");
  ASSERT_TRUE(live->unchecked_binary(std::string("\x00\x01\x02", 3)));
  EXPECT_EQ(code_of(live->next()), "json.invalid");
  expect_served_on(*live);
  ASSERT_TRUE(live->unchecked_binary("\xFF\xFE"));
  const Json answer = live->next();
  EXPECT_TRUE(code_of(answer) == "json.utf8" || code_of(answer) == "json.invalid") << answer;
  expect_all_are_served();
}

TEST_F(Input, AFrameAfterTheCloseIsNotTaken) {
  RawSocket raw(server().port());
  ASSERT_TRUE(raw.upgrade());
  raw.send_frame(kText, hello_frame(device()));
  ASSERT_TRUE(raw.frame().has_value());
  raw.send_frame(kClose, std::string("\x03\xE8", 2));
  raw.send_frame(kText, push_frame({note_of(1, kScope, "late", "a")}));
  const auto closed = raw.frame();
  ASSERT_TRUE(closed.has_value());
  EXPECT_EQ(closed->opcode, kClose);
  EXPECT_TRUE(raw.ends());
  EXPECT_EQ(next_n(device()), 1U);
  expect_all_are_served();
}

TEST_F(Input, APingIsAnsweredAndAPongDoesNoHarm) {
  RawSocket raw(server().port());
  ASSERT_TRUE(raw.upgrade());
  raw.send_frame(kPong, "nobody asked");
  raw.send_frame(kPing, "are you there");
  const auto pong = raw.frame();
  ASSERT_TRUE(pong.has_value());
  EXPECT_EQ(pong->opcode, kPong);
  EXPECT_EQ(pong->payload, "are you there");
}

struct BrokenFrame {
  const char* name;
  std::string bytes;
  friend void PrintTo(const BrokenFrame& row, std::ostream* out) { *out << row.name; }
};

class BrokenFrames : public HostileServer, public ::testing::WithParamInterface<BrokenFrame> {};

TEST_P(BrokenFrames, CloseTheConnectionAsAFaultOfTheProtocol) {
  RawSocket raw(server().port());
  ASSERT_TRUE(raw.upgrade());
  raw.send(GetParam().bytes);
  const auto closed = raw.frame();
  ASSERT_TRUE(closed.has_value());
  EXPECT_EQ(closed->opcode, kClose);
  EXPECT_EQ(closed->payload.substr(0, 2), "\x03\xEA");  // 1002
  EXPECT_TRUE(raw.ends());
  expect_all_are_served();
}

INSTANTIATE_TEST_SUITE_P(
    Table, BrokenFrames,
    ::testing::Values(BrokenFrame{"WithoutAMask", std::string("\x81\x02{}", 4)},
                      BrokenFrame{"WithAnOpcodeThatIsNone", std::string("\x83\x80\0\0\0\0", 6)},
                      BrokenFrame{"WithReservedBits", std::string("\xF1\x80\0\0\0\0", 6)},
                      BrokenFrame{"APingThatIsTooLong", std::string("\x89\xFE\x00\xC8\0\0\0\0", 8) +
                                                            std::string(200, 'a')},
                      BrokenFrame{"APingInFragments", std::string("\x09\x80\0\0\0\0", 6)},
                      BrokenFrame{"AContinuationOfNothing", std::string("\x80\x80\0\0\0\0", 6)},
                      BrokenFrame{"ACloseWithHalfACode", std::string("\x88\x81\0\0\0\0\x03", 7)}),
    [](const auto& row) { return std::string(row.param.name); });

// --- those who ask and do not listen ----------------------------------------------------------

// Answers wait for a reader that does not read; when it goes, they must go with it.
TEST_F(Input, ADeviceThatAsksForMuchReadsNothingAndGoesAwayLeavesNothingBehind) {
  constexpr int kVisits = 25;
  constexpr int kQuestions = 24;
  std::vector<Json> ops;
  for (int i = 0; i < 60; ++i) {
    ops.push_back(op_of(0, kScope, "note", fmt::format("heavy{}", i),
                        Json{{"set", {{"extra", std::string(9000, 'a')}}}}));
  }
  office().write_all(ops);
  const auto visit = [&] {
    LiveOptions options;
    options.receive_buffer = 4096;
    options.check_schemas = false;
    LiveClient live(server(), options);
    ASSERT_TRUE(live.ask(hello_frame(device())).contains("welcome"));
    for (int i = 0; i < kQuestions; ++i) live.send(pull_frame(""));
    // The server is at it, takes as many as it wants to answer, and then the device is gone.
    ASSERT_TRUE(live.receive().has_value());
    server().wait_until_it_rests();
    live.drop();
  };
  for (int i = 0; i < 5; ++i) visit();
  const std::uint64_t memory = server().resident_bytes();
  for (int i = 0; i < kVisits; ++i) visit();
  // Each visit leaves several answers of half a megabyte behind, if it leaves them behind.
  EXPECT_LT(server().resident_bytes(), memory + (32U << 20U));
  expect_all_are_served();
  EXPECT_LT(server().open_files(), 100U);
}

TEST_F(Input, AThousandConnectionsThatComeAndGoLeaveNothingBehind) {
  const std::size_t files = server().open_files();
  for (int i = 0; i < 1000; ++i) {
    RawSocket raw(server().port());
    switch (i % 4) {
      case 0: break;
      case 1: raw.send("GET /he"); break;
      case 2: (void)raw.upgrade(); break;
      default: raw.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"); break;
    }
    if (i % 2 == 0) raw.reset();
  }
  expect_all_are_served();
  EXPECT_LT(server().open_files(), files + 50);
}

}  // namespace
}  // namespace waystation::testing

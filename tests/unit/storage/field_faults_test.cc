// What went wrong in the field, in other systems: a test for each report, named by its row in
// docs/testing.md and its symptom. Most are told from the phone's side.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "storage/keys.h"
#include "storage/lists.h"
#include "storage/pull.h"
#include "storage/verify.h"
#include "sync/canonical.h"
#include "sync/device_id.h"
#include "tests/support/handset.h"
#include "tests/support/json.h"

namespace waystation::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

std::string text(const std::string& value) {
  return fmt::format(R"("set":{{"text":"{}"}})", value);
}
std::string shown(const std::string& value) { return fmt::format(R"({{"text":"{}"}})", value); }
constexpr char kCup[] = R"("inc":{"cups":1})";

std::size_t count(const std::string& in, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = in.find(what); at != std::string::npos; at = in.find(what, at + 1)) ++found;
  return found;
}

std::size_t rows_of(const World& world, Column column) {
  std::size_t rows = 0;
  auto at = world.disk().iterate(column, nullptr, {});
  for (at->seek(""); at->valid(); at->next()) ++rows;
  return rows;
}

class FieldFaults : public ::testing::Test {
 protected:
  FieldFaults() { world.have_scope("u"); }
  ~FieldFaults() override {
    const auto report = verify(world.store(), [](std::uint64_t) {});
    EXPECT_TRUE(report.ok());
    EXPECT_EQ(report->faults, 0U) << (report->faults > 0 ? report->first_faults[0] : "");
    EXPECT_EQ(world.digest(), world.recomputed_digest());
  }
  std::uint64_t office_n() const { return world.state(kOffice)->applied + 1; }

  World world;
};

// --- in the field -----------------------------------------------------------------------------

TEST_F(FieldFaults, F1_AMovedWorkersOldEditsAreTakenAndItsOldDataIsTakenAway) {
  Handset phone(world, {"t"});
  phone.edit(text("handed in"));
  ASSERT_TRUE(phone.sync());
  world.now += kHour;
  phone.edit(text("written before the move"), "note", "n2");
  world.now += kHour;
  ASSERT_TRUE(world.set_scopes(phone.device, {"u"}).ok());
  world.now += kHour;
  phone.edit(text("written after it"), "note", "n3");
  ASSERT_TRUE(phone.sync());
  EXPECT_EQ(world.visible("note", "n2"), shown("written before the move"));
  EXPECT_EQ(world.visible("note", "n3"), "nothing");
  ASSERT_EQ(phone.replica.refused().size(), 1U);  // with a word
  EXPECT_EQ(phone.replica.refused()[0].code, "scope.forbidden");
  EXPECT_EQ(world.quarantine().size(), 1U);
  for (const auto& [key, record] : phone.replica.records()) EXPECT_EQ(std::get<0>(key), "u");
  EXPECT_EQ(phone.shows(), "nothing");
}

TEST_F(FieldFaults, F2_ARefusedDocumentIsKeptWholeAndThePhoneIsToldOnce) {
  Handset phone(world, {"t"});
  phone.edit(R"("set":{"text":7,"about":"水"})");
  phone.edit(text("goes on"), "note", "n2");
  ASSERT_TRUE(phone.sync());
  ASSERT_EQ(world.quarantine().size(), 1U);
  EXPECT_THAT(world.quarantine()[0].row.op, HasSubstr(R"("set":{"about":"水","text":7})"));
  EXPECT_EQ(world.quarantine()[0].row.code, "field.type");
  ASSERT_EQ(phone.replica.refused().size(), 1U);
  EXPECT_EQ(phone.replica.push(10), "") << "it is not tried again";
  EXPECT_EQ(world.visible("note", "n2"), shown("goes on"));
}

TEST_F(FieldFaults, F3_AShutOutPhoneKeepsWhatItHeldAndHandsItInUnderANewName) {
  Handset phone(world, {"t"});
  phone.edit(kCup);
  ASSERT_TRUE(phone.sync());
  phone.edit(kCup);
  phone.edit(kCup);
  // The office sees what waits before it shuts the phone out.
  ASSERT_TRUE(phone.hears(phone.asks(phone.replica.hello(phone.clock()))));
  EXPECT_EQ(world.state(phone.device)->queued, 2U);
  ASSERT_TRUE(world.revoke(phone.device).ok());
  EXPECT_FALSE(phone.sync());
  EXPECT_EQ(phone.replica.waiting(), 2U);
  phone.save();
  phone.dies();
  phone.device = world.enroll({"t"});
  phone.replica.enrolled_anew(format_device_id(phone.device), "another secret");
  ASSERT_TRUE(phone.sync());
  EXPECT_EQ(world.visible(), R"({"cups":3})");
  EXPECT_EQ(phone.shows(), R"({"cups":3})");
}

TEST_F(FieldFaults, F4_AfterARestoreFromBackupWhatHadSyncedIsSentAgain) {
  Handset phone(world, {"t"});
  Handset other(world, {"t"});
  phone.edit(kCup);
  ASSERT_TRUE(phone.sync());
  const auto backup = world.back_up();
  phone.edit(kCup);
  phone.edit(text("synced, but in no backup"));
  ASSERT_TRUE(phone.sync());
  ASSERT_TRUE(other.sync());
  ASSERT_EQ(phone.replica.waiting(), 0U);
  EXPECT_EQ(phone.replica.kept(), 2U) << "kept until it is in a backup";
  world.restore(*backup);
  ASSERT_EQ(world.visible(), R"({"cups":1})");
  ASSERT_TRUE(phone.sync());
  ASSERT_TRUE(other.sync());
  const std::string all = R"({"cups":2,"text":"synced, but in no backup"})";
  EXPECT_EQ(world.visible(), all);
  EXPECT_EQ(other.shows(), all);
  EXPECT_EQ(world.log(phone.device).size(), 3U) << "and none of it twice";
}

TEST_F(FieldFaults, F5_AFirstSyncGoesOnPageByPageWhereItStoppedAndReadsEachRecordOnce) {
  std::vector<OpText> ops;
  for (std::uint64_t i = 0; i < 300; ++i) {
    ops.push_back(op(office_n() + i).on("note", fmt::format("n{}", i)));
  }
  world.push(kOffice, ops);
  Handset phone(world, {"t"});
  std::uint64_t read = 0;
  std::string received;
  for (int page = 0; page < 20 && phone.replica.more(); ++page) {
    const auto got = pull(world.store(), phone.device, phone.replica.cursor(), 40);
    ASSERT_TRUE(got.ok());
    EXPECT_LE(got->count, 40U);
    read += got->work.records;
    received += got->items;
    // Half of the pages get lost with the line, and the phone is switched off after the others.
    if (page % 2 == 0) continue;
    ASSERT_TRUE(phone.hears({encode_changes(got->head, got->items)}));
    phone.save();
    phone.dies();
  }
  EXPECT_FALSE(phone.replica.more());
  EXPECT_EQ(phone.replica.records().size(), 301U);  // with the scope's own
  EXPECT_LE(read, 2U * 301U);
  EXPECT_EQ(phone.replica.digest_faults().size(), 0U);
  // What is new afterwards costs what is new.
  world.push(kOffice, {op(office_n()).on("note", "n7").does(text("new"))});
  const auto got = pull(world.store(), phone.device, phone.replica.cursor(), 1000);
  EXPECT_EQ(got->work.records, 1U);
}

TEST_F(FieldFaults, F6_SyncedIsShownOnlyOnAReceiptNeverBecauseTimeWentBy) {
  Handset phone(world, {"t"});
  phone.edit(text("a"));
  const auto lost = phone.asks(phone.replica.exchange(phone.clock(), 10, 10));
  world.now += kDay;
  EXPECT_EQ(phone.replica.waiting(), 1U);
  ASSERT_FALSE(phone.hears({encode_busy(500)}));
  EXPECT_EQ(phone.replica.waiting(), 1U);
  const auto answers = phone.asks(phone.replica.exchange(phone.clock(), 10, 10));
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_THAT(answers[1], HasSubstr(R"("applied":1)"));
  EXPECT_THAT(answers[1], HasSubstr(R"("count":1)"));
  EXPECT_THAT(answers[2], HasSubstr(R"("digests":[{)"));
  ASSERT_TRUE(phone.hears(answers));
  EXPECT_EQ(phone.replica.waiting(), 0U);
  EXPECT_GT(phone.replica.digests_checked(), 0U);
  EXPECT_TRUE(phone.replica.digest_faults().empty());
}

TEST_F(FieldFaults, F7_AWrongPhoneClockIsFlaggedNeverRefusedAndNeverWinsByBeingWrong) {
  Handset future(world, {"t"});
  Handset past(world, {"t"});
  future.clock_error_ms = 73 * 365 * kDay;  // 2099
  past.clock_error_ms = -56 * 365 * kDay;   // 1970
  ASSERT_TRUE(future.sync());               // both hold the empty scope, and go offline
  ASSERT_TRUE(past.sync());
  world.now += kHour;
  future.edit(text("first"));
  world.now += kHour;
  past.edit(text("second"));
  world.now += kHour;
  ASSERT_TRUE(past.sync());
  ASSERT_TRUE(future.sync());
  EXPECT_EQ(world.visible(), shown("second"));
  EXPECT_TRUE(world.quarantine().empty());
  for (const Handset* phone : {&future, &past}) {
    const auto told = describe_device(world.store(), *world.store().accounts().find(phone->device));
    EXPECT_THAT(*told, HasSubstr(R"("clock_wrong":true)"));
  }
}

TEST_F(FieldFaults, F8_TheSameSubmissionTwiceThroughARaceIsAppliedOnce) {
  const auto phone = world.enroll({"t"});
  const Op visit = received(op(1).does(kCup));
  const auto answers = world.push_together({{phone, {visit}}, {phone, {visit}}, {phone, {visit}}});
  EXPECT_EQ(answers[1].verdicts, answers[0].verdicts);
  EXPECT_EQ(answers[2].verdicts, answers[0].verdicts);
  EXPECT_EQ(world.push(phone, {op(1).does(kCup)}).verdicts, answers[0].verdicts);
  EXPECT_EQ(world.visible(), R"({"cups":1})");
  EXPECT_EQ(world.log(phone).size(), 1U);
}

TEST_F(FieldFaults, F13_AnUpdateThatOvertakesItsCreateWaitsForIt) {
  const auto phone = world.enroll({"t"});
  const OpText update = op(2).does(text("update"));
  const Answer early = world.push(phone, {update});
  EXPECT_EQ(early.codes(), "");
  EXPECT_EQ(early.expected, 1U);
  EXPECT_EQ(world.visible(), "nothing");
  const Answer both = world.push(phone, {op(1).does(text("create")), update});
  EXPECT_EQ(both.codes(), "ok ok");
  EXPECT_EQ(world.visible(), shown("update"));
  EXPECT_TRUE(world.quarantine().empty());
}

TEST_F(FieldFaults, F14_WhoSyncsLastDoesNotWinByIt) {
  Handset a(world, {"t"});
  Handset b(world, {"t"});
  a.edit(text("by a"));
  world.now += kMinute;
  b.edit(text("by b"));
  world.now += kMinute;
  const auto other = world.fork();
  ASSERT_TRUE(a.sync());
  ASSERT_TRUE(b.sync());
  // The same phones, in the other order, in a world of its own.
  const auto same = [&](const Handset& phone) {
    std::vector<OpText> ops{op(1)
                                .written(kStart + (phone.device == b.device ? kMinute : 0))
                                .does(text(phone.device == b.device ? "by b" : "by a"))};
    return other->push(phone.device, ops).codes();
  };
  EXPECT_EQ(same(b), "ok");
  EXPECT_EQ(same(a), "ok");
  EXPECT_EQ(world.visible(), shown("by b"));
  EXPECT_EQ(other->visible(), world.visible());
  EXPECT_EQ(other->digest(), world.digest());
  EXPECT_EQ(other->conflicts(), world.conflicts());
}

TEST_F(FieldFaults, F15_EditingWhatAnotherDeletedBlocksNoPhone) {
  Handset a(world, {"t"});
  Handset b(world, {"t"});
  a.edit(text("there"));
  ASSERT_TRUE(a.sync());
  ASSERT_TRUE(b.sync());
  a.edit(R"("del":true)");
  b.edit(text("an edit of what is deleted"));
  b.edit(text("what waits behind it"), "note", "n2");
  ASSERT_TRUE(a.sync());
  ASSERT_TRUE(b.sync());
  EXPECT_EQ(b.replica.waiting(), 0U);
  EXPECT_EQ(world.visible(), "deleted");
  EXPECT_EQ(world.visible("note", "n2"), shown("what waits behind it"));
  ASSERT_EQ(world.conflicts().size(), 1U);
  EXPECT_EQ(world.conflicts()[0].kind, "deleted");
  EXPECT_EQ(b.shows(), "nothing");
}

TEST_F(FieldFaults, F17_OneBadRecordDoesNotBlockFourHundredOthers) {
  Handset phone(world, {"t"});
  for (int i = 0; i < 402; ++i) {
    phone.edit(i == 7 ? R"("set":{"done":"perhaps"})" : text("a"), "note", fmt::format("n{}", i));
  }
  ASSERT_TRUE(phone.sync());
  EXPECT_EQ(phone.replica.records().size(), 402U);  // 401, and the scope's own
  EXPECT_EQ(phone.replica.refused().size(), 1U);
  EXPECT_EQ(world.quarantine().size(), 1U);
}

TEST_F(FieldFaults, F18_ADownloadDoesNotEraseWhatIsNotAcknowledgedYet) {
  Handset phone(world, {"t"});
  Handset other(world, {"t"});
  other.edit(text("by the other"));
  ASSERT_TRUE(other.sync());
  phone.edit(R"("set":{"about":"mine"},"inc":{"cups":1})");
  ASSERT_TRUE(phone.hears(phone.asks(phone.replica.pull(100))));
  EXPECT_EQ(phone.shows(), R"({"about":"mine","cups":1,"text":"by the other"})");
  const auto answers = phone.asks(phone.replica.push(10));
  // Accepted is applied and durable: nothing that comes after it takes it away.
  world.disk().crash();
  world.reopen();
  EXPECT_EQ(world.visible(), R"({"about":"mine","cups":1,"text":"by the other"})");
  ASSERT_TRUE(phone.hears(answers));
  EXPECT_EQ(phone.shows(), R"({"about":"mine","cups":1,"text":"by the other"})");
  ASSERT_TRUE(phone.sync());
  EXPECT_EQ(phone.shows(), R"({"about":"mine","cups":1,"text":"by the other"})");
}

TEST_F(FieldFaults, F19_APhoneThatCannotUploadStillDownloadsAndARefusedScanStillHappened) {
  Handset phone(world, {"t"});
  phone.edit(R"("grant":{"places":5})", "quota", "gifts");
  ASSERT_TRUE(phone.sync());
  phone.edit(R"("spend":{"places":1})", "quota", "gifts");  // from no lease
  (void)phone.asks(phone.replica.push(10));                 // its answer never comes
  world.push(kOffice, {op(office_n()).does(text("news"))});
  ASSERT_TRUE(phone.hears(phone.asks(phone.replica.pull(100))));
  EXPECT_EQ(phone.replica.waiting(), 1U);
  EXPECT_EQ(phone.shows(), shown("news"));
  ASSERT_TRUE(phone.sync());
  ASSERT_EQ(phone.replica.refused().size(), 1U);
  const std::string entry =
      phone.shows("ledger", fmt::format("{}~2", format_device_id(phone.device)));
  EXPECT_THAT(entry, HasSubstr(R"("kind":"spend")"));
  EXPECT_THAT(entry, HasSubstr(R"("valid":false)"));
}

TEST_F(FieldFaults, F20_TwoTabletsThatRetryOfflineNeverGiveAwayMoreThanThereIs) {
  Handset a(world, {"t"});
  Handset b(world, {"t"});
  const auto does = [](Handset& tablet, const std::string& what) {
    tablet.edit(what, "quota", "gifts");
  };
  does(a, R"("grant":{"places":5})");
  does(a, R"("lease":{"places":3})");
  does(b, R"("lease":{"places":3})");
  ASSERT_TRUE(a.sync());
  ASSERT_TRUE(b.sync());
  for (int i = 0; i < 4; ++i) {
    does(a, R"("spend":{"places":1})");
    does(b, R"("spend":{"places":1})");
  }
  for (Handset* tablet : {&a, &b, &a, &b}) {
    (void)tablet->asks(tablet->replica.push(100));  // every answer is lost once
    (void)tablet->asks(tablet->replica.push(100));
  }
  ASSERT_TRUE(a.sync());
  ASSERT_TRUE(b.sync());
  const JsonText quota(world.visible("quota", "gifts"));
  EXPECT_EQ(std::int64_t(quota.root()["places"]["spent"]), 5);
  EXPECT_EQ(std::int64_t(quota.root()["places"]["free"]), 0);
  EXPECT_EQ(a.replica.refused().size() + b.replica.refused().size(), 3U);
}

TEST_F(FieldFaults, F22_AnAppUpdateWithAQueuePendingLosesNothing) {
  Handset phone(world, {"t"});
  phone.schema = 1;
  phone.edit(R"("set":{"name":"李梅","phone_tail":"1234"})", "volunteer", "v1");
  phone.edit(R"("set":{"of_a_later_app":{"a":[1]}})", "volunteer", "v1");
  phone.save();
  phone.dies();  // the app is replaced
  phone.schema = 2;
  phone.edit(R"("set":{"team":"晨光"})", "volunteer", "v1");
  EXPECT_EQ(phone.replica.waiting(), 3U);
  ASSERT_TRUE(phone.sync());
  EXPECT_TRUE(world.quarantine().empty());
  EXPECT_EQ(world.visible("volunteer", "v1"),
            R"({"name":"李梅","of_a_later_app":{"a":[1]},"phone_tail":"1234","team":"晨光"})");
  ASSERT_EQ(world.log(phone.device).size(), 3U);
  EXPECT_THAT(world.log(phone.device)[0].op, HasSubstr(R"("schema":1)"));
}

TEST_F(FieldFaults, F27_AMergeOfOnePersonEnteredTwiceReachesThePhonesAndSoDoesItsUndoing) {
  Handset a(world, {"t"});
  Handset b(world, {"t"});
  a.schema = b.schema = 2;
  a.edit(R"("set":{"name":"陈伟","phone_tail":"8888"})", "volunteer", "v2");
  b.edit(R"("set":{"name":"陈伟","phone_tail":"8888"})", "volunteer", "v1");
  ASSERT_TRUE(a.sync() && b.sync() && a.sync());
  EXPECT_THAT(a.shows("duplicate", "v1~v2"), HasSubstr(R"("state":"open")"));
  a.edit(R"("set":{"merged_into":"v1"})", "volunteer", "v2");
  ASSERT_TRUE(a.sync() && b.sync());
  EXPECT_THAT(b.shows("volunteer", "v2"), HasSubstr(R"("merged_into":"v1")"));
  b.edit(R"("set":{"merged_into":null})", "volunteer", "v2");
  ASSERT_TRUE(b.sync() && a.sync());
  EXPECT_EQ(a.shows("volunteer", "v2"), R"({"name":"陈伟","phone_tail":"8888"})");
}

// --- inside sync engines ------------------------------------------------------------------------

TEST_F(FieldFaults, E1_ACursorNeverMovesPastWhatWasNotTakenIn) {
  Handset phone(world, {"t"});
  for (int i = 0; i < 3; ++i) {
    world.push(kOffice, {op(office_n()).on("note", fmt::format("n{}", i))});
  }
  const auto answers = phone.asks(phone.replica.pull(100));
  std::string broken = answers[0];
  broken.replace(broken.find(R"("fields":{"text")"), 8, R"("fie_ds")");
  EXPECT_FALSE(phone.hears({broken}));
  EXPECT_EQ(phone.replica.cursor(), "");
  // Taken in, not saved, and the phone dies: neither the records nor the cursor are there.
  ASSERT_TRUE(phone.hears(answers));
  phone.dies();
  EXPECT_EQ(phone.replica.cursor(), "");
  ASSERT_TRUE(phone.sync());
  EXPECT_EQ(phone.replica.records().size(), 4U);
}

TEST_F(FieldFaults, E2_ACursorIsGoodAtAnotherNodeWithTheSameLog) {
  Handset phone(world, {"t"});
  for (int i = 0; i < 50; ++i) {
    world.push(kOffice, {op(office_n()).on("note", fmt::format("n{}", i))});
  }
  ASSERT_TRUE(phone.sync());
  const auto node = world.fork();  // what a replacement has that replayed the log
  node->push(kOffice, {op(office_n()).on("note", "n7").does(text("new"))});
  phone.world = node.get();
  const std::string changes = Handset::changes_of(phone.asks(phone.replica.pull(1000)));
  EXPECT_THAT(changes, Not(HasSubstr("reset")));
  EXPECT_EQ(count(changes, R"("coll":)"), 1U);
}

TEST_F(FieldFaults, E3_ANumberIsReadOnlyWhenAllBelowItAreDecided) {
  Handset reader(world, {"t"});
  ASSERT_TRUE(reader.sync());
  const std::string before = reader.replica.cursor();
  // A write that fails in the middle: its numbers are not to be read.
  world.disk().fail_after(0);
  EXPECT_EQ(world.push(kOffice, {op(office_n()).on("note", "slow")}).error, Code::kStoreReadOnly);
  ASSERT_TRUE(reader.hears(reader.asks(reader.replica.pull(100))));
  EXPECT_EQ(reader.replica.cursor(), before);
  world.disk().crash();
  world.reopen();
  // Two ops of one write: whoever is told of the first can read the second, with one cursor.
  const auto phone = world.enroll({"t"});
  std::vector<Request> group;
  std::vector<std::size_t> seen;
  for (const char* id : {"one", "two"}) {
    ExchangeRequest request;
    request.device = phone;
    request.push = Push{{received(op(group.size() + 1).on("note", id))}};
    request.done = [&](const auto& reply) {
      ASSERT_TRUE(reply.ok());
      const auto page = pull(world.store(), reader.device, before, 100);
      seen.push_back(page->count);
      EXPECT_EQ(page->next.base, world.position());
    };
    group.emplace_back(std::move(request));
  }
  world.apply(group);
  EXPECT_EQ(seen, (std::vector<std::size_t>{2, 2}));
  // What failed is handed in again, and lies above every cursor that was given meanwhile.
  ASSERT_TRUE(reader.sync());
  world.push(kOffice, {op(office_n()).on("note", "slow")});
  ASSERT_TRUE(reader.sync());
  EXPECT_NE(reader.shows("note", "slow"), "nothing");
}

TEST_F(FieldFaults, E4_AGrantedScopeBringsItsOldRecordsToClientsThatAreUpToDate) {
  for (int i = 0; i < 5; ++i) {
    world.push(kOffice, {op(office_n()).in("u").on("note", fmt::format("old{}", i))});
  }
  Handset phone(world, {"t"});
  phone.edit(text("newer than all of u"));
  ASSERT_TRUE(phone.sync());
  ASSERT_TRUE(world.set_scopes(phone.device, {"t", "u"}).ok());
  const std::string changes = Handset::changes_of(phone.asks(phone.replica.pull(1000)));
  EXPECT_EQ(count(changes, R"("id":"old)"), 5U);
  EXPECT_EQ(count(changes, R"("scope":"t","coll")"), 0U) << "and nothing twice";
  ASSERT_TRUE(phone.sync());
  EXPECT_NE(phone.shows("note", "old4", "u"), "nothing");
}

TEST_F(FieldFaults, E5_WhatTheServerDerivesFromAnOpReachesThePhoneThatWroteIt) {
  Handset phone(world, {"t"});
  ASSERT_TRUE(phone.sync());
  phone.edit(R"("grant":{"places":5})", "quota", "gifts");
  phone.edit(R"("set":{"name":"陈伟"})", "volunteer", "v1");
  phone.edit(R"("set":{"name":"陈伟"})", "volunteer", "v2");
  ASSERT_TRUE(phone.sync());
  EXPECT_THAT(phone.shows("ledger", format_device_id(phone.device) + "~1"),
              HasSubstr(R"("kind":"grant")"));
  EXPECT_THAT(phone.shows("duplicate", "v1~v2"), HasSubstr("open"));
  // Its own access taken away: told like any other.
  ASSERT_TRUE(world.set_scopes(phone.device, {}).ok());
  ASSERT_TRUE(phone.sync());
  EXPECT_TRUE(phone.replica.records().empty());
}

TEST_F(FieldFaults, E6_AnEditOnTopOfOneInFlightIsTakenAndTheBaseLivesUntilTheReceipt) {
  Handset phone(world, {"t"});
  ASSERT_TRUE(phone.sync());
  phone.edit(text("first"));
  (void)phone.asks(phone.replica.push(10));  // sent; its answer is lost
  phone.edit(text("on top of it"));
  phone.save();
  phone.dies();  // sent is not acknowledged: it is still there
  EXPECT_EQ(phone.replica.waiting(), 2U);
  ASSERT_TRUE(phone.sync());
  EXPECT_TRUE(phone.replica.refused().empty());
  EXPECT_EQ(world.visible(), shown("on top of it"));
  EXPECT_EQ(world.conflict_count(), 0U);
}

TEST_F(FieldFaults, E7_APhoneThatTheServerForgotHandsInWhatItHolds) {
  const auto backup = world.back_up();
  Handset phone(world, {"t"});  // enrolled after the backup
  phone.edit(text("kept"));
  ASSERT_TRUE(phone.sync());
  phone.edit(text("not sent yet"), "note", "n2");
  world.restore(*backup);
  EXPECT_FALSE(phone.hears(phone.asks(phone.replica.hello(phone.clock()))));
  EXPECT_EQ(phone.replica.kept(), 2U);
  phone.device = world.enroll({"t"});
  phone.replica.enrolled_anew(format_device_id(phone.device), "another secret");
  ASSERT_TRUE(phone.sync());
  EXPECT_EQ(world.visible(), shown("kept"));
  EXPECT_EQ(world.visible("note", "n2"), shown("not sent yet"));
}

TEST_F(FieldFaults, E8_MissingAndClearedAreEqualAndEveryWayOutShowsTheSame) {
  Handset phone(world, {"t"});
  phone.edit(R"("set":{"text":"a","about":null})");
  phone.edit(R"("set":{"text":"a","about":"x"})", "note", "n2");
  phone.edit(R"("set":{"about":null})", "note", "n2");
  phone.edit(R"("set":{"text":"a"})", "note", "n3");
  ASSERT_TRUE(phone.sync());  // compares digests
  for (const char* id : {"n1", "n2", "n3"}) {
    EXPECT_EQ(phone.shows("note", id), shown("a"));
    EXPECT_EQ(world.visible("note", id), shown("a"));
    // The list for people, the page for devices and the stream for exports.
    const auto listed = list_records(world.store(), {"t", "note", id, "", 10});
    EXPECT_THAT(listed->items, HasSubstr(R"("fields":{"text":"a"})"));
  }
  const auto page = pull(world.store(), phone.device, "", 100);
  EXPECT_EQ(count(page->items, R"("fields":{"text":"a"})"), 3U);
  std::size_t streamed = 0;
  const Status done = for_each_record(world.store(), "note", "t",
                                      [&](std::string_view, std::string_view, std::string_view v) {
                                        streamed += v == shown("a") ? 1U : 0U;
                                        return true;
                                      });
  EXPECT_TRUE(done.ok());
  EXPECT_EQ(streamed, 3U);
}

TEST_F(FieldFaults, E9_CreatedAndDeletedInOneBatchIsOneNetState) {
  Handset phone(world, {"t"});
  Handset other(world, {"t"});
  ASSERT_TRUE(phone.sync() && other.sync());
  phone.edit(text("created"));
  phone.edit(R"("del":true)");
  phone.edit(text("created"), "note", "n2");
  phone.edit(text("and edited"), "note", "n2");
  const auto answers = phone.asks(phone.replica.exchange(phone.clock(), 10, 100));
  const std::string own = Handset::changes_of(answers);
  EXPECT_EQ(count(own, R"("id":"n1")"), 1U);
  EXPECT_EQ(count(own, R"("deleted":true)"), 1U);
  EXPECT_EQ(count(own, R"("id":"n2")"), 1U);
  ASSERT_TRUE(phone.hears(answers));
  // Its own push comes back as what it is, and is not laid over itself once more.
  EXPECT_EQ(phone.shows(), "nothing");
  EXPECT_EQ(phone.shows("note", "n2"), shown("and edited"));
  EXPECT_EQ(phone.replica.kept(), 0U);
  EXPECT_EQ(Handset::changes_of(other.asks(other.replica.pull(100))), own);
}

TEST_F(FieldFaults, E10_ADeathBetweenAnyTwoStepsFreezesNoDownload) {
  // The phone saves once, dies once; every pair of places is tried.
  for (int saves = 0; saves < 6; ++saves) {
    for (int dies = saves; dies < 6; ++dies) {
      const auto one = world.fork();
      Handset phone(*one, {"t"});
      std::vector<std::string> heard;
      std::size_t edits = 0;
      for (int step = 0; step < 6; ++step) {
        switch (step) {
          case 0: phone.edit(kCup), ++edits; break;
          case 1: heard = phone.asks(phone.replica.exchange(phone.clock(), 10, 1)); break;
          case 2: (void)phone.hears(heard); break;
          case 3: phone.edit(kCup), ++edits; break;
          case 4: heard = phone.asks(phone.replica.exchange(phone.clock(), 10, 1)); break;
          default: (void)phone.hears(heard);
        }
        // An edit is saved before it is pushed, as the protocol asks.
        if (phone.replica.unsaved() && (step == 0 || step == 3)) {
          phone.save();
          phone.replica.saved();
        }
        if (step == saves) phone.save();
        if (step == dies) phone.dies();
      }
      ASSERT_TRUE(phone.sync()) << saves << " " << dies;
      EXPECT_EQ(phone.shows(), fmt::format(R"({{"cups":{}}})", edits)) << saves << " " << dies;
      EXPECT_EQ(one->visible(), phone.shows());
    }
  }
}

TEST_F(FieldFaults, E11_ReadsNeverGoBackAfterAReconnect) {
  Handset phone(world, {"t"});
  ASSERT_TRUE(phone.sync());
  int least = 0;
  const auto look = [&] {
    const std::string now = phone.shows();
    const int cups = now == "nothing" ? 0 : std::atoi(now.c_str() + now.find(':') + 1);
    EXPECT_GE(cups, least);
    least = std::max(least, cups);
  };
  for (int round = 0; round < 4; ++round) {
    phone.edit(kCup);
    look();
    const auto receipt = phone.asks(phone.replica.push(10));
    if (round % 2 == 0) {  // else the line broke
      ASSERT_TRUE(phone.hears(receipt));
    }
    look();
    // Connected again: hello alone, then the pull, page by page.
    ASSERT_TRUE(phone.hears(phone.asks(phone.replica.hello(phone.clock()))));
    look();
    for (int page = 0; page < 3; ++page) {
      ASSERT_TRUE(phone.hears(phone.asks(phone.replica.pull(1))));
      look();
    }
  }
  EXPECT_EQ(least, 4);
  EXPECT_EQ(world.visible(), phone.shows());
}

TEST_F(FieldFaults, E12_EveryCursorGetsTheReductionOfAllThatCameAfterIt) {
  Handset writer(world, {"t"});
  std::vector<Handset> readers;  // each with another cursor
  for (int i = 0; i < 24; ++i) {
    const std::string id = fmt::format("n{}", i % 5);
    writer.edit(i % 7 == 6 ? R"("del":true)" : text(std::to_string(i)), "note", id);
    ASSERT_TRUE(writer.sync());
    readers.emplace_back(world, std::vector<std::string>{"t"});
    ASSERT_TRUE(readers.back().sync());
  }
  for (Handset& reader : readers) {
    const std::string changes = Handset::changes_of(reader.asks(reader.replica.pull(1000)));
    for (int i = 0; i < 5; ++i) EXPECT_LE(count(changes, fmt::format(R"("id":"n{}")", i)), 1U);
    ASSERT_TRUE(reader.sync(2));
    for (int i = 0; i < 5; ++i) {
      const std::string id = fmt::format("n{}", i);
      EXPECT_EQ(reader.shows("note", id), writer.shows("note", id)) << id;
    }
  }
}

TEST_F(FieldFaults, E13_AResetNamesTheNewLifeAndHappensOnce) {
  Handset phone(world, {"t"});
  phone.edit(text("a"));
  ASSERT_TRUE(phone.sync());
  const auto backup = world.back_up();
  world.restore(*backup);
  const auto answers = phone.asks(phone.replica.exchange(phone.clock(), 10, 100));
  EXPECT_THAT(answers[0], HasSubstr(world.store().incarnation()));
  EXPECT_THAT(Handset::changes_of(answers), HasSubstr(R"("reset":true)"));
  ASSERT_TRUE(phone.hears(answers));
  for (int i = 0; i < 3; ++i) {
    const auto again = phone.asks(phone.replica.exchange(phone.clock(), 10, 100));
    EXPECT_THAT(Handset::changes_of(again), Not(HasSubstr("reset")));
    EXPECT_EQ(count(Handset::changes_of(again), R"("coll")"), 0U);
    ASSERT_TRUE(phone.hears(again));
  }
}

TEST_F(FieldFaults, E14_AReaderThatNeverComesBackKeepsNothingOnTheDisk) {
  const auto writer = world.enroll({"t"});
  Handset idle(world, {"t"});
  world.push(writer, {op(1)});
  ASSERT_TRUE(idle.sync());  // and never again
  const std::size_t changes = rows_of(world, Column::kChanges);
  const std::size_t records = rows_of(world, Column::kRecords);
  for (std::uint64_t n = 2; n <= 500; ++n) {
    ++world.now;
    world.push(writer, {op(n).written(world.now).does(text(std::to_string(n)))});
  }
  EXPECT_EQ(rows_of(world, Column::kChanges), changes);
  EXPECT_EQ(rows_of(world, Column::kRecords), records);
  EXPECT_EQ(rows_of(world, Column::kConflicts), 0U);
  ASSERT_TRUE(idle.sync());
  EXPECT_EQ(idle.shows(), shown("500"));
}

TEST_F(FieldFaults, E15_TheCostOfAnEditDoesNotGrowWithTheRecordsHistory) {
  std::vector<Handset> writers;
  for (int i = 0; i < 4; ++i) writers.emplace_back(world, std::vector<std::string>{"t"});
  const auto stored = [&](const char* coll, const char* id) {
    std::string value;
    EXPECT_TRUE(world.disk().get(Column::kRecords, keys::record("t", coll, id), value, nullptr));
    return value.size();
  };
  const auto both = [&] { return stored("note", "n1") + stored("station_day", "s1~2026-01-01"); };
  std::size_t early = 0;
  for (int round = 0; round < 150; ++round) {
    for (Handset& writer : writers) {
      world.now += 1000;
      // Every other time without having seen what the others wrote meanwhile.
      writer.edit(fmt::format(R"("set":{{"text":"{}"}})", 1000 + round));
      writer.edit(R"("inc":{"rest":1})", "station_day", "s1~2026-01-01");
      if (round % 2 == 0) {
        ASSERT_TRUE(writer.sync());
      }
    }
    if (round == 20) early = both();
  }
  for (Handset& writer : writers) ASSERT_TRUE(writer.sync());
  EXPECT_EQ(world.visible("station_day", "s1~2026-01-01"), R"({"rest":600})");
  EXPECT_LE(both(), early + early / 2);
}

TEST_F(FieldFaults, E16_NothingIsAnsweredThatIsNotDurable) {
  const auto phone = world.enroll({"t"});
  std::string on_disk;
  std::vector<Request> group;
  ExchangeRequest request;
  request.device = phone;
  request.push = Push{{received(op(1).does(text("answered")))}};
  request.done = [&](const auto& reply) {
    ASSERT_TRUE(reply.ok());
    world.disk().crash();  // the very moment in which the answer is given
    on_disk = world.visible();
  };
  group.emplace_back(std::move(request));
  world.apply(group);
  EXPECT_EQ(on_disk, shown("answered"));
  world.reopen();
  EXPECT_EQ(world.state(phone)->applied, 1U);
}

TEST_F(FieldFaults, E17_OnePhoneSetTo2030PoisonsNobodysClock) {
  Handset wrong(world, {"t"});
  Handset right(world, {"t"});
  wrong.clock_error_ms = 4 * 365 * kDay;
  wrong.edit(text("from 2030"));
  ASSERT_TRUE(wrong.sync());
  EXPECT_LT(world.position(), seq_from_ms(world.now + kMinute));
  ASSERT_TRUE(right.sync());
  world.now += kMinute;
  right.edit(text("a minute later"));
  ASSERT_TRUE(right.sync());
  EXPECT_EQ(world.visible(), shown("a minute later"));
  EXPECT_EQ(world.conflict_count(), 0U);
  // What the phone claimed is kept as what it claimed.
  EXPECT_THAT(world.log(wrong.device)[0].op,
              HasSubstr(fmt::format(R"("wall":{})", kStart + 4 * 365 * kDay)));
}

TEST_F(FieldFaults, E19_WhatIsDeletedIsNotCreatedAgainByAPhoneThatStillHasIt) {
  world.offline_ms = 10 * kDay;
  world.reopen();
  Handset office(world, {"t"});
  Handset away(world, {"t"});
  office.edit(text("about a person"));
  ASSERT_TRUE(office.sync() && away.sync());
  away.edit(text("about the person, once more"));
  office.edit(R"("del":true)");
  ASSERT_TRUE(office.sync());
  for (int day = 0; day < 30; ++day) {
    world.pass(kDay);
    ASSERT_TRUE(office.sync());
  }
  // Of the record remains that it was, and nothing of what was in it.
  ASSERT_TRUE(world.record("note", "n1")->buried);
  EXPECT_THAT(dump(world.disk()), ::testing::Contains(HasSubstr("n1")));
  std::string value;
  ASSERT_TRUE(world.disk().get(Column::kRecords, keys::record("t", "note", "n1"), value, nullptr));
  EXPECT_THAT(value, Not(HasSubstr("person")));
  ASSERT_TRUE(away.sync());
  EXPECT_EQ(world.visible(), "deleted");
  EXPECT_EQ(away.shows(), "nothing");
  ASSERT_TRUE(office.sync());
  EXPECT_EQ(office.shows(), "nothing");
  // Nor by one that never heard of it and makes up the same id.
  Handset stranger(world, {"t"});
  stranger.edit(text("again"));
  ASSERT_TRUE(stranger.sync());
  EXPECT_EQ(world.visible(), "deleted");
  EXPECT_EQ(world.conflict_count(), 2U);
}

}  // namespace
}  // namespace waystation::testing

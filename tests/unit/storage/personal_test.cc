// What is personal lies in the store under a key of its person, and goes with it (law 13).
#include "tests/support/personal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/keys.h"
#include "storage/lists.h"
#include "storage/pull.h"
#include "storage/remains.h"
#include "storage/review.h"
#include "storage/sealing.h"
#include "storage/upgrade.h"
#include "storage/verify.h"
#include "sync/device_id.h"

namespace waystation::testing {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(PersonalData, LiesNowhereReadableAndIsShownAsItWas) {
  world.push(phone, {volunteer(1, R"("name":"王小明标记","phone_tail":"7788","team":"red")")});
  EXPECT_EQ(world.visible("volunteer", kPerson),
            R"({"name":"王小明标记","phone_tail":"7788","team":"red"})");
  // Lost to the other's, refused, and written again under a number that was taken.
  world.push(tablet,
             {volunteer(1, R"("name":"别名标记")"), volunteer(2, R"("name":"丙标记","team":7)"),
              volunteer(1, R"("name":"丁标记")")});
  EXPECT_EQ(world.conflict_count("volunteer", kPerson), 1U);
  EXPECT_GE(world.quarantine().size(), 1U);
  for (const char* text : {kName, "别名标记", "丙标记", "丁标记", "7788"}) expect_not_on_disk(text);
  EXPECT_THAT(pulled(tablet), HasSubstr("标记"));
  EXPECT_THAT(history(), HasSubstr(kName));
  const auto listed = list_records(world.store(), RecordQuery{"t", "volunteer", "", "", 10},
                                   [](std::string_view) { return true; });
  EXPECT_THAT(listed->items, HasSubstr("标记"));
  const auto refused = list_quarantine(world.store(), {});
  EXPECT_THAT(refused->items, HasSubstr("丙标记"));
  expect_sound();
}

TEST_F(PersonalData, OfTwoWhoWroteTheSameIsNoConflict) {
  world.push(phone, {volunteer(1, R"("name":"王小明标记")")});
  world.push(tablet, {volunteer(1, R"("name":"王小明标记")")});
  EXPECT_EQ(world.conflict_count("volunteer", kPerson), 0U);
}

TEST_F(PersonalData, IsComparedForDuplicatesWithoutBeingReadable) {
  world.push(phone, {volunteer(1, R"("name":"王小明标记","phone_tail":"7788")", "v1"),
                     volunteer(2, R"("name":"王小明标记","phone_tail":"7788")", "v2")});
  const auto found = list_records(world.store(), RecordQuery{"t", "duplicate", "", "", 10},
                                  [](std::string_view) { return true; });
  EXPECT_THAT(found->items, HasSubstr(R"("first":"v1")"));
  expect_not_on_disk(kName);
}

TEST_F(PersonalData, ARepeatedOpGetsItsFirstVerdict) {
  const std::vector<OpText> ops{volunteer(1, R"("name":"王小明标记")")};
  const Answer first = world.push(phone, ops);
  EXPECT_EQ(world.push(phone, ops).verdicts, first.verdicts);
  ASSERT_TRUE(world.erase(kPerson).ok());
  EXPECT_EQ(world.push(phone, ops).verdicts, first.verdicts);
}

// --- erasing ----------------------------------------------------------------------------------

TEST_F(PersonalData, OfAnErasedPersonIsGoneForEverybody) {
  world.push(phone, {volunteer(1, R"("name":"王小明标记","phone_tail":"7788","team":"red")")});
  world.push(tablet, {volunteer(1, R"("name":"别名标记")"), volunteer(2, R"("name":7)")});
  world.push(
      phone, {[] {
        OpText text =
            op(2)
                .on("attendance", "e1~v1")
                .does(
                    R"("set":{"event":"e1","volunteer":"v1","minutes":60,"note":"王小明标记晚到"})");
        text.schema = 2;
        return text;
      }()});
  const auto report = world.erase(kPerson);
  ASSERT_TRUE(report.ok()) << report.error().context;
  EXPECT_EQ(report->before, KeyState::kKnown);
  ASSERT_EQ(report->records.size(), 2U);
  EXPECT_EQ(world.visible("volunteer", kPerson), R"({"team":"red"})");
  EXPECT_THAT(world.visible("attendance", "e1~v1"), HasSubstr(R"("minutes":60)"));
  EXPECT_THAT(world.visible("attendance", "e1~v1"), Not(HasSubstr("标记")));
  EXPECT_THAT(pulled(tablet), Not(HasSubstr("标记")));
  EXPECT_THAT(history(), Not(HasSubstr("标记")));
  const auto conflicts = list_conflicts(world.store(), {}, [](std::string_view) { return true; });
  EXPECT_THAT(conflicts->items, Not(HasSubstr("标记")));
  EXPECT_THAT(world.erased_rows, Contains(person_row(kPerson)));
  expect_sound();
  world.reopen();
  expect_sound();
  EXPECT_THAT(history(), Not(HasSubstr("标记")));
}

TEST_F(PersonalData, OfAnErasedPersonIsNotTakenInAgain) {
  world.push(phone, {volunteer(1, R"("name":"王小明标记")")});
  ASSERT_TRUE(world.erase(kPerson).ok());
  EXPECT_EQ(world.push(phone, {volunteer(2, R"("name":"王小明标记")")}).code(), "person.erased");
  EXPECT_EQ(world.push(phone, {volunteer(3, R"("team":"red")")}).code(), "person.erased");
  OpText signed_in =
      op(4).on("attendance", "e1~v1").does(R"("set":{"event":"e1","volunteer":"v1","minutes":5})");
  signed_in.schema = 2;
  EXPECT_EQ(world.push(phone, {signed_in}).code(), "ok") << "nothing in it is personal";
  for (const Quarantined& one : world.quarantine()) {
    EXPECT_THAT(one.row.op, Not(HasSubstr("\\u0001"))) << "nothing is kept of it, sealed or not";
  }
  expect_not_on_disk(kName);
  expect_sound();
}

TEST_F(PersonalData, WhatIsLeftOfAnErasedPersonCanBeReviewedAndDeleted) {
  world.push(phone, {volunteer(1, R"("name":"王小明标记","team":"red")")});
  world.push(tablet, {volunteer(1, R"("name":"别名标记")")});
  ASSERT_TRUE(world.erase(kPerson).ok());
  ASSERT_EQ(world.conflict_count("volunteer", kPerson), 1U);
  const auto lost = world.conflicts("volunteer", kPerson).at(0);
  EXPECT_EQ(lost.value, "null");
  OpText settles = op(2).on("volunteer", kPerson).having_seen(world.position());
  settles.edits = "\"settle\":[{\"field\":\"name\",\"by\":\"" + format_device_id(lost.device) +
                  "\",\"n\":1,\"part\":0}]";
  EXPECT_EQ(world.push(phone, {settles}).code(), "ok");
  EXPECT_EQ(world.conflict_count("volunteer", kPerson), 0U);
  OpText deletes = op(3).on("volunteer", kPerson).having_seen(world.position());
  deletes.edits = R"("del":true)";
  EXPECT_EQ(world.push(phone, {deletes}).code(), "ok");
  EXPECT_EQ(world.visible("volunteer", kPerson), "deleted");
  expect_sound();
}

TEST_F(PersonalData, AMarkHoldsNoId) {
  world.push(phone, {volunteer(1, R"("name":"王小明标记")", "volunteer-with-an-id")});
  ASSERT_TRUE(world.erase("volunteer-with-an-id").ok());
  auto rows = world.disk().iterate(Column::kPersons, nullptr, {});
  for (rows->seek(""); rows->valid(); rows->next()) {
    EXPECT_THAT(std::string(rows->key()), Not(HasSubstr("volunteer")));
    EXPECT_THAT(std::string(rows->value()), Not(HasSubstr("volunteer")));
  }
  EXPECT_EQ(world.erase("volunteer-with-an-id")->before, KeyState::kErased);
}

TEST_F(PersonalData, OfAnErasedPersonIsNoNewsForWhoMayNotWriteThere) {
  world.push(phone, {volunteer(1, R"("name":"王小明标记")")});
  ASSERT_TRUE(world.erase(kPerson).ok());
  world.have_scope("elsewhere");
  const auto stranger = world.enroll({"elsewhere"});
  const auto guess = [](std::uint64_t n, const std::string& id) {
    return volunteer(n, R"("name":"王小明标记")", id);
  };
  EXPECT_EQ(world.push(stranger, {guess(1, kPerson), guess(2, "v2")}).codes(),
            "scope.forbidden scope.forbidden");
  expect_not_on_disk(kName);
}

TEST_F(PersonalData, WrittenInTheGroupThatErasesIsClearedToo) {
  world.push(phone, {volunteer(1, R"("name":"王小明标记")")});
  OpText signed_in = op(2)
                         .on("attendance", "e1~v1")
                         .does(R"("set":{"event":"e1","volunteer":"v1","note":"王小明标记晚到"})");
  signed_in.schema = 2;
  std::vector<Request> group;
  ExchangeRequest push;
  push.device = phone;
  push.push = Push{{received(signed_in)}};
  push.done = [](const auto& reply) { EXPECT_TRUE(reply.ok()); };
  group.emplace_back(std::move(push));
  EraseRequest erase;
  erase.row = person_row(kPerson);
  erase.persons = {kPerson};
  std::size_t cleared = 0;
  erase.done = [&](const Result<EraseReport>& report) { cleared = report->records.size(); };
  group.emplace_back(std::move(erase));
  world.apply(group);
  EXPECT_EQ(cleared, 2U);
  EXPECT_EQ(world.visible("attendance", "e1~v1"), R"({"event":"e1","volunteer":"v1"})");
  expect_sound();
}

TEST_F(PersonalData, ThatIsErasedWhileAPageIsReadLeavesItsDigestToTheNextRound) {
  world.push(phone, {volunteer(1, R"("name":"王小明标记")")});
  EXPECT_EQ(pull(world.store(), tablet, "", 1000)->head.digests.size(), 1U);
  // As a page sees it whose snapshot is older than the erasure.
  Batch batch;
  batch.put(Column::kPersons, person_row(kPerson), Keyring::erased_row(world.now));
  ASSERT_TRUE(world.disk().write(batch, Durability::kSynced).ok());
  const auto page = pull(world.store(), tablet, "", 1000);
  EXPECT_THAT(page->items, Not(HasSubstr("标记")));
  EXPECT_TRUE(page->head.digests.empty()) << "or the device takes its good copy for a damaged one";
}

TEST_F(PersonalData, ThatDoesNotOpenIsAFaultOfTheStore) {
  world.push(phone, {volunteer(1, R"("name":"王小明标记")")});
  Batch batch;
  batch.erase(Column::kPersons, person_row(kPerson));
  ASSERT_TRUE(world.disk().write(batch, Durability::kSynced).ok());
  const auto report = verify(world.store(), [](std::uint64_t) {});
  ASSERT_TRUE(report.ok());
  EXPECT_GE(report->faults, 2U) << "in the record and in the log";
}

TEST_F(PersonalData, NobodyIsErasedWhoIsNotOnTheList) {
  world.push(phone, {volunteer(1, R"("name":"王小明标记")")});
  world.list_of_erasures = Error{Code::kIo, "no room"};
  EXPECT_EQ(world.erase(kPerson).error().code, Code::kIo);
  EXPECT_EQ(world.visible("volunteer", kPerson), R"({"name":"王小明标记"})");
  EXPECT_EQ(world.push(tablet, {op(1)}).code(), "ok")
      << "a full disk elsewhere stops nobody's work";
  world.list_of_erasures = Status{};
  EXPECT_TRUE(world.erase(kPerson).ok());
}

TEST_F(PersonalData, TracesOfAPersonAreFoundBeforeTheyAreErased) {
  world.push(phone, {volunteer(1, R"("name":"王小明标记")"),
                     op(2).does(R"("set":{"text":"见王小明标记"})"),
                     volunteer(3, R"("merged_into":"v1")", "v9")});
  const auto traces = traces_of(world.store(), schemas(), kPerson);
  ASSERT_TRUE(traces.ok());
  EXPECT_EQ(traces->history_ops, 1U);
  EXPECT_EQ(traces->records.at("volunteer"), 1U);
  EXPECT_EQ(traces->mentioned_records, 1U);
  ASSERT_EQ(traces->mentions.size(), 1U);
  EXPECT_EQ(traces->mentions[0].coll, "note");
  EXPECT_EQ(traces->mentioned_ops, 1U);
  EXPECT_EQ(traces->also, std::vector<std::string>{"v9"});
}

// --- the master key ---------------------------------------------------------------------------

TEST_F(PersonalData, IsReadWithTheNewMasterKeyAfterARotation) {
  world.push(phone, {volunteer(1, R"("name":"王小明标记")")});
  MasterKey next;
  next.bytes.fill(9);
  EXPECT_FALSE(check_master(world.disk(), next).ok());
  const auto before = dump(world.disk());
  EXPECT_EQ(rewrap(world.disk(), next, master()).value(), 2U) << "done already";
  EXPECT_EQ(dump(world.disk()), before);
  std::string purging;
  EXPECT_FALSE(world.disk().get(Column::kMeta, keys::kPurge, purging, nullptr).value());
  ASSERT_EQ(rewrap(world.disk(), master(), next).value(), 2U) << "and the one for names";
  EXPECT_TRUE(check_master(world.disk(), next).ok());
  EXPECT_EQ(check_master(world.disk(), master()).error().code, Code::kMasterKey);
  world.store().use(next);
  EXPECT_EQ(world.visible("volunteer", kPerson), R"({"name":"王小明标记"})");
  MasterKey third;
  third.bytes.fill(3);
  EXPECT_FALSE(rewrap(world.disk(), master(), third).ok()) << "not wrapped by that one any more";
}

// --- stores of before -------------------------------------------------------------------------

TEST(AStoreOfBefore, IsSealedWhenItIsOpened) {
  World world;
  const auto phone = world.enroll({"t"});
  const auto tablet = world.enroll({"t"});
  const auto disk = copy_of(world.disk());
  // A server without keys takes it in, as servers did before.
  auto plain = Store::open(share(disk), std::string(kIncarnation));
  ASSERT_TRUE(plain.ok());
  {
    Applier applier(**plain, schemas(), {});
    ASSERT_TRUE(applier.start().ok());
    std::vector<Request> group;
    for (const std::uint64_t device : {phone, tablet}) {
      ExchangeRequest request;
      request.device = device;
      request.push = Push{{received(volunteer(1, device == phone ? R"("name":"王小明标记")"
                                                                 : R"("name":"别名标记")")),
                           received(volunteer(2, R"("name":"丙标记","team":7)"))}};
      request.done = [](const auto&) {};
      group.emplace_back(std::move(request));
    }
    applier.apply(group, world.now);
  }
  EXPECT_THAT(dump(*disk), Contains(HasSubstr(kName)));
  (*plain)->use(master());
  const auto report = upgrade(**plain, schemas(), world.now);
  ASSERT_TRUE(report.ok()) << report.error().context;
  EXPECT_EQ(report->sealed, 6U) << "four, and two of them in the quarantine";
  EXPECT_EQ(upgrade(**plain, schemas(), world.now)->sealed, 0U);
  for (const char* text : {kName, "别名标记", "丙标记"}) {
    EXPECT_THAT(dump(*disk), Each(Not(HasSubstr(text))));
  }
  const auto found = verify(**plain, [](std::uint64_t) {});
  EXPECT_EQ(found->faults, 0U) << (found->faults > 0 ? found->first_faults[0] : "");
  const auto conflicts = list_conflicts(**plain, {}, [](std::string_view) { return true; });
  EXPECT_THAT(conflicts->items, HasSubstr("标记"));
}

}  // namespace
}  // namespace waystation::testing

// What the one writer promises: no acknowledged op is lost, none is applied twice, none blocks the
// queue.
#include "storage/applier.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/keys.h"
#include "sync/limits.h"
#include "tests/support/json.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

using ::testing::HasSubstr;

OpText cup(std::uint64_t n) { return op(n).does(R"("inc":{"cups":1})"); }

class TheWriter : public ::testing::Test {
 protected:
  TheWriter() : phone(world.enroll({"t"})), tablet(world.enroll({"t"})) {}
  World world;
  std::uint64_t phone;
  std::uint64_t tablet;
};

// --- exactly once -----------------------------------------------------------------------------

TEST_F(TheWriter, GivesARepeatedOpItsFirstVerdictWordForWord) {
  const Answer first = world.push(phone, {cup(1), op(2).in("nowhere"), cup(3)});
  ASSERT_EQ(first.codes(), "ok scope.forbidden ok");
  world.now += 60'000;
  const Answer again = world.push(phone, {cup(1), op(2).in("nowhere"), cup(3)});
  EXPECT_EQ(again.verdicts, first.verdicts);
  EXPECT_EQ(again.applied, 3U);
  EXPECT_EQ(world.visible(), R"({"cups":2})");
  EXPECT_EQ(world.quarantine().size(), 1U);
  EXPECT_EQ(world.state(phone)->refused, 1U);
}

TEST_F(TheWriter, GivesItAlsoWithinOneGroup) {
  const auto answers = world.push_together({{phone, {received(cup(1)), received(cup(2))}},
                                            {phone, {received(cup(1)), received(cup(2))}},
                                            {phone, {received(cup(2)), received(cup(3))}}});
  EXPECT_EQ(answers[1].verdicts, answers[0].verdicts);
  EXPECT_EQ(answers[2].verdicts[0], answers[0].verdicts[1]);
  EXPECT_EQ(answers[2].codes(), "ok ok");
  EXPECT_EQ(world.visible(), R"({"cups":3})");
}

TEST_F(TheWriter, GivesItAlsoWithinOnePush) {
  const Answer answer = world.push(phone, {cup(1), cup(1), cup(2), cup(1)});
  ASSERT_EQ(answer.codes(), "ok ok ok ok");
  EXPECT_EQ(answer.verdicts[1], answer.verdicts[0]);
  EXPECT_EQ(answer.verdicts[3], answer.verdicts[0]);
  EXPECT_EQ(world.visible(), R"({"cups":2})");
}

TEST_F(TheWriter, GivesItAlsoAfterARestart) {
  const Answer first = world.push(phone, {cup(1), cup(2)});
  world.push(phone, {cup(3)});
  world.reopen();
  EXPECT_EQ(world.push(phone, {cup(1), cup(2)}).verdicts, first.verdicts);
  EXPECT_EQ(world.push(phone, {cup(2)}).verdicts[0], first.verdicts[1]);
  EXPECT_EQ(world.visible(), R"({"cups":3})");
}

TEST_F(TheWriter, GivesItAlsoToADeviceWhoseScopesWereTaken) {
  const Answer first = world.push(phone, {cup(1)});
  ASSERT_TRUE(world.set_scopes(phone, {}).ok());
  world.now += 60'000;
  EXPECT_EQ(world.push(phone, {cup(1)}).verdicts, first.verdicts);
}

TEST_F(TheWriter, TakesAnOpForTheSameHoweverItIsWritten) {
  const Answer first = world.push_json(
      phone,
      {R"({"n":1,"scope":"t","coll":"note","id":"n1","wall":1,"mono":2,"boot":"b","inc":{"cups":1}})"});
  const Answer again = world.push_json(
      phone,
      {R"( { "inc":{"cups":1.0},"boot":"\u0062","mono":2,"wall":1e0,"id":"n1","coll":"note","scope":"t","n":1 } )"});
  EXPECT_EQ(again.verdicts, first.verdicts);
}

TEST_F(TheWriter, TellsOneDevicesNumbersFromAnothers) {
  EXPECT_EQ(world.push(phone, {cup(1)}).codes(), "ok");
  EXPECT_EQ(world.push(tablet, {cup(1)}).codes(), "ok");
  EXPECT_EQ(world.visible(), R"({"cups":2})");
}

TEST_F(TheWriter, KeepsTheFirstVerdictWhenANumberIsUsedAgain) {
  const Answer first = world.push(phone, {op(1).does(R"("set":{"text":"first"})")});
  const OpText other = op(1).does(R"("set":{"text":"other"})");
  const Answer reused = world.push(phone, {other, cup(2)});
  EXPECT_EQ(reused.codes(), "op.reused ok");
  EXPECT_EQ(reused.applied, 2U);
  EXPECT_EQ(world.visible(), R"({"cups":1,"text":"first"})");
  EXPECT_EQ(world.push(phone, {op(1).does(R"("set":{"text":"first"})")}).verdicts, first.verdicts);

  const auto kept = world.quarantine();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].n, 1U);
  EXPECT_NE(kept[0].variant, 0U);
  EXPECT_EQ(kept[0].row.code, "op.reused");
  EXPECT_THAT(kept[0].row.op, HasSubstr(R"("text":"other")"));
}

TEST_F(TheWriter, KeepsEachContentOfAReusedNumberOnce) {
  world.push(phone, {op(1).in("nowhere")});
  const OpText other = op(1).does(R"("set":{"text":"other"})");
  const OpText third = op(1).does(R"("set":{"text":"third"})");
  const Answer one = world.push(phone, {other, third});
  const Answer two = world.push(phone, {other});
  EXPECT_EQ(one.codes(), "op.reused op.reused");
  EXPECT_EQ(two.verdicts[0], one.verdicts[0]);
  EXPECT_EQ(world.quarantine().size(), 3U);  // with the first, which was refused
}

TEST_F(TheWriter, SeesAReusedNumberWithinOneGroupToo) {
  const auto answers = world.push_together(
      {{phone, {received(cup(1))}}, {phone, {received(op(1)), received(cup(2))}}});
  EXPECT_EQ(answers[1].codes(), "op.reused ok");
  EXPECT_EQ(world.visible(), R"({"cups":2})");
}

TEST_F(TheWriter, KeepsAReusedContentEvenIfItIsMalformed) {
  world.push(phone, {cup(1)});
  const Answer answer = world.push_json(phone, {R"({"n":1,"what":"ever"})"});
  EXPECT_EQ(answer.codes(), "op.reused");
  ASSERT_EQ(world.quarantine().size(), 1U);
  EXPECT_EQ(world.quarantine()[0].row.op, R"({"n":1,"what":"ever"})");
}

// --- gaps -------------------------------------------------------------------------------------

TEST_F(TheWriter, SaysWhichOpMustComeNextAfterAGap) {
  const Answer answer = world.push(phone, {cup(1), cup(3), cup(4)});
  EXPECT_EQ(answer.codes(), "ok");
  EXPECT_EQ(answer.applied, 1U);
  EXPECT_EQ(answer.expected, 2U);
  EXPECT_EQ(world.visible(), R"({"cups":1})");
  EXPECT_TRUE(world.quarantine().empty());
  EXPECT_EQ(world.push(phone, {cup(2), cup(3), cup(4)}).codes(), "ok ok ok");
}

TEST_F(TheWriter, SaysItToADeviceThatStartsTooHigh) {
  const Answer answer = world.push(phone, {cup(7)});
  EXPECT_TRUE(answer.verdicts.empty());
  EXPECT_EQ(answer.applied, 0U);
  EXPECT_EQ(answer.expected, 1U);
  EXPECT_EQ(world.visible(), "nothing");
}

TEST_F(TheWriter, SaysNothingWhereThereIsNoGap) {
  EXPECT_EQ(world.push(phone, {cup(1)}).expected, 0U);
  EXPECT_EQ(world.push(phone, {}).expected, 0U);
  EXPECT_EQ(world.push(phone, {}).applied, 1U);
}

// --- refusals ---------------------------------------------------------------------------------

TEST_F(TheWriter, KeepsARefusedOpWholeAndGoesOn) {
  const OpText bad = op(2).does(R"("set":{"done":"yes"})");
  const Answer answer = world.push(phone, {cup(1), bad, cup(3)});
  EXPECT_EQ(answer.codes(), "ok field.type ok");
  EXPECT_EQ(answer.applied, 3U);
  EXPECT_EQ(world.visible(), R"({"cups":2})");
  const auto kept = world.quarantine();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].device, phone);
  EXPECT_EQ(kept[0].n, 2U);
  EXPECT_EQ(kept[0].variant, 0U);
  EXPECT_EQ(kept[0].row.code, "field.type");
  EXPECT_EQ(kept[0].row.received_ms, world.now);
  EXPECT_EQ(kept[0].row.op, received(bad).canonical);
}

TEST_F(TheWriter, WritesTheLogWithEveryOpInItsOrder) {
  world.push(phone, {cup(1), op(2).in("nowhere"), cup(3)});
  const auto log = world.log(phone);
  ASSERT_EQ(log.size(), 3U);
  EXPECT_EQ(log[0].op, received(cup(1)).canonical);
  EXPECT_GT(log[0].stamp, 0);
  EXPECT_EQ(log[1].stamp, 0);
  EXPECT_THAT(log[1].verdict, HasSubstr("scope.forbidden"));
}

TEST_F(TheWriter, ShortensADetailWithoutCuttingACharacter) {
  std::string choice;
  for (int i = 0; i < 1000; ++i) choice += "水";
  const Answer answer = world.push(
      phone, {op(1).on("event", "e1").does(fmt::format(R"("set":{{"state":"{}"}})", choice))});
  EXPECT_EQ(answer.codes(), "field.limit");
  EXPECT_LT(answer.verdicts[0].size(), 400U);
}

TEST_F(TheWriter, AnswersADeviceThatItDoesNotKnow) {
  const Answer answer = world.push(999, {cup(1)});
  EXPECT_EQ(answer.error, Code::kAuthUnknownDevice);
}

// A record on the disk is damaged: what cannot be judged has no verdict, and so no number.
TEST_F(TheWriter, CountsNoOpThatItCouldNotJudge) {
  ASSERT_EQ(world.push(phone, {op(1).on("note", "damaged")}).codes(), "ok");
  Batch damage;
  damage.put(Column::kRecords, keys::record("t", "note", "damaged"), "x");
  ASSERT_TRUE(world.disk().write(damage, Durability::kSynced).ok());
  world.reopen();
  const auto answers =
      world.push_together({{phone, {received(cup(2)), received(op(3).on("note", "damaged"))}},
                           {phone, {received(cup(4))}}});
  EXPECT_EQ(answers[0].error, Code::kStoreCorrupt);
  EXPECT_EQ(world.state(phone)->applied, world.log(phone).size());
  EXPECT_EQ(world.push(phone, {cup(2)}).codes(), "ok");
}

// What readers are shown is on the disk, also when the push that brought it broke off.
TEST_F(TheWriter, SyncsWhatCameBeforeAnUnreadableRecord) {
  Batch damage;
  damage.put(Column::kRecords, keys::record("t", "note", "n2"), "damaged");
  ASSERT_TRUE(world.disk().write(damage, Durability::kSynced).ok());
  world.reopen();
  EXPECT_EQ(world.push(phone, {op(1), op(2).on("note", "n2")}).error, Code::kStoreCorrupt);
  EXPECT_EQ(world.visible(), R"({"text":"a"})");
  world.disk().crash();
  world.reopen();
  EXPECT_EQ(world.visible(), R"({"text":"a"})");
  EXPECT_EQ(world.state(phone)->applied, 1U);
}

// --- seqs, digests, conflicts -----------------------------------------------------------------

TEST_F(TheWriter, GivesEachAppliedOpTheNextSeq) {
  world.now = kStart + 1000;
  const Answer answer = world.push(phone, {cup(1), cup(2)});
  EXPECT_EQ(answer.seq(0), seq_from_ms(world.now));
  EXPECT_EQ(answer.seq(1), answer.seq(0) + 1);
  EXPECT_EQ(world.position(), answer.seq(1));
}

TEST_F(TheWriter, NeverGoesBackWhenTheClockDoes) {
  const Seq before = world.push(phone, {cup(1)}).seq();
  world.now -= 86'400'000;
  const Answer answer = world.push(phone, {cup(2)});
  EXPECT_EQ(answer.seq(), before + 1);
  world.reopen();
  EXPECT_EQ(world.push(phone, {cup(3)}).seq(), before + 2);
}

TEST_F(TheWriter, HasOneEntryInTheChangeIndexForEachRecord) {
  world.push(phone, {cup(1), cup(2), op(3).on("note", "n2")});
  world.push(tablet, {cup(1)});
  world.reopen();
  world.push(tablet, {cup(2)});
  std::size_t entries = 0;
  auto rows = world.disk().iterate(Column::kChanges, nullptr, {});
  for (rows->seek(""); rows->valid(); rows->next()) ++entries;
  EXPECT_EQ(entries, 3U);  // two notes and the scope's own record
}

TEST_F(TheWriter, KeepsTheDigestInStepWithTheRecords) {
  world.push(phone, {cup(1), op(2).on("note", "n2"), op(3).does(R"("del":true)")});
  EXPECT_EQ(world.digest(), world.recomputed_digest());
  world.reopen();
  world.push(tablet, {op(1), op(2).on("note", "n2").does(R"("del":true)")});
  EXPECT_EQ(world.digest(), world.recomputed_digest());
}

TEST_F(TheWriter, TakesBackAConflictWhoseAuthorWritesAgain) {
  world.now += 60'000;
  world.push(phone, {op(1).written(kStart + 9000).does(R"("set":{"text":"p"})")});
  world.push(tablet, {op(1).written(kStart + 5000).does(R"("set":{"text":"t"})")});
  ASSERT_EQ(world.conflicts().size(), 1U);
  EXPECT_EQ(world.conflicts()[0].value, R"("t")");
  world.push(tablet, {op(2).written(kStart + 20'000).does(R"("set":{"text":"t2"})")});
  ASSERT_EQ(world.conflicts().size(), 1U);
  EXPECT_EQ(world.conflicts()[0].value, R"("p")");
}

TEST_F(TheWriter, CountsWhatStillWaitsOnADevice) {
  ExchangeRequest request;
  request.device = phone;
  request.hello = Hello{};
  request.hello->clock = {world.now, 0, "b1"};
  request.hello->queued = 3;
  request.hello->oldest_ms = kStart;
  request.push = Push{{received(cup(1)), received(cup(2))}};
  request.done = [](const auto&) {};
  std::vector<Request> group;
  group.emplace_back(std::move(request));
  world.apply(group);
  EXPECT_EQ(world.state(phone)->queued, 1U);
  EXPECT_EQ(world.state(phone)->oldest_ms, kStart);
  world.push(phone, {cup(3)});
  EXPECT_EQ(world.state(phone)->queued, 0U);
  EXPECT_EQ(world.state(phone)->oldest_ms, 0);
}

// The clocks of a hello and the time that the welcome tells are of one moment, however long the
// hello waits for its group.
TEST_F(TheWriter, TellsTheTimeAtWhichItReadTheClocks) {
  const std::int64_t read_ms = world.now;
  world.now += 5;
  ExchangeRequest request;
  request.device = phone;
  request.hello = Hello{};
  request.hello->clock = {1'000, 2'000, "b1"};
  request.hello->received_ms = read_ms;
  std::string welcome;
  request.done = [&](const auto& reply) { welcome = reply->welcome; };
  std::vector<Request> group;
  group.emplace_back(std::move(request));
  world.apply(group);
  EXPECT_THAT(welcome, HasSubstr(fmt::format(R"("time":{})", read_ms)));
}

TEST_F(TheWriter, WelcomesADeviceWithItsNumberAndScopes) {
  world.push(phone, {cup(1)});
  const Answer answer = world.hello(phone, {world.now, 0, "b1"});
  const JsonText text(answer.welcome);
  const dom::element welcome = text.root()["welcome"];
  EXPECT_EQ(std::int64_t(welcome["applied"]), 1);
  EXPECT_EQ(std::string_view(welcome["server"]["incarnation"]), kIncarnation);
  EXPECT_EQ(std::int64_t(welcome["server"]["time"]), world.now);
  EXPECT_EQ(simdjson::minify(welcome["scopes"].value()), R"(["t"])");
  EXPECT_EQ(answer.receipt, "");
}

TEST_F(TheWriter, TellsWhoWatchesWhatChanged) {
  world.have_scope("u");
  std::vector<Request> group;
  ExchangeRequest request;
  request.device = phone;
  request.push = Push{{received(cup(1)), received(op(2).in("nowhere"))}};
  request.done = [](const auto&) {};
  group.emplace_back(std::move(request));
  const GroupOutcome outcome = world.apply(group);
  // The office hears of what was refused.
  EXPECT_EQ(outcome.scopes, (std::vector<std::string>{"t", "system:office"}));
  EXPECT_EQ(outcome.ops, 2U);
  EXPECT_EQ(outcome.refused, 1U);
  EXPECT_EQ(outcome.position, world.position());
}

// --- durability -------------------------------------------------------------------------------

TEST_F(TheWriter, SyncsOnceForAllThatWaited) {
  const std::size_t before = world.disk().synced_writes();
  const auto answers = world.push_together({{phone, {received(cup(1))}},
                                            {tablet, {received(cup(1)), received(cup(2))}},
                                            {phone, {received(cup(2))}},
                                            {kOffice, {}}});
  EXPECT_EQ(world.disk().synced_writes(), before + 1);
  for (const Answer& answer : answers) EXPECT_FALSE(answer.error);
}

TEST_F(TheWriter, AnswersOnlyAfterTheSync) {
  const std::size_t before = world.disk().synced_writes();
  std::vector<std::size_t> when_answered;
  std::vector<Request> group;
  for (const std::uint64_t device : {phone, tablet}) {
    ExchangeRequest request;
    request.device = device;
    request.push = Push{{received(cup(1))}};
    request.done = [&](const auto& reply) {
      ASSERT_TRUE(reply.ok());
      when_answered.push_back(world.disk().synced_writes());
    };
    group.emplace_back(std::move(request));
  }
  world.apply(group);
  EXPECT_EQ(when_answered, (std::vector<std::size_t>{before + 1, before + 1}));
}

TEST_F(TheWriter, DoesNotSyncForAGreeting) {
  const std::size_t before = world.disk().synced_writes();
  EXPECT_FALSE(world.hello(phone, {world.now, 0, "b1"}).error);
  EXPECT_EQ(world.disk().synced_writes(), before);
}

TEST_F(TheWriter, AcknowledgesNothingWhenTheSyncFails) {
  const auto before = dump(world.disk());
  world.disk().fail_after(0);
  std::vector<Answer> answers = world.push_together(
      {{phone, {received(cup(1))}}, {tablet, {received(cup(1)), received(op(2).in("nowhere"))}}});
  for (const Answer& answer : answers) {
    EXPECT_EQ(answer.error, Code::kStoreReadOnly);
    EXPECT_EQ(answer.receipt, "");
  }
  EXPECT_TRUE(world.store().read_only());
  EXPECT_THAT(world.store().read_only_reason(), HasSubstr("the disk failed"));
  EXPECT_EQ(dump(world.disk()), before);
}

TEST_F(TheWriter, TakesNothingMoreAfterAFailedSync) {
  world.disk().fail_after(0);
  world.push(phone, {cup(1)});
  world.disk().crash();  // the disk would work again, but who knows what is on it
  const auto before = dump(world.disk());
  EXPECT_EQ(world.push(phone, {cup(1)}).error, Code::kStoreReadOnly);
  EXPECT_EQ(world.push(tablet, {cup(1)}).error, Code::kStoreReadOnly);
  EXPECT_EQ(world.hello(tablet, {world.now, 0, "b1"}).error, Code::kStoreReadOnly);
  EXPECT_EQ(world.set_scopes(tablet, {}).error().code, Code::kStoreReadOnly);
  EXPECT_EQ(world.revoke(tablet).error().code, Code::kStoreReadOnly);
  EXPECT_EQ(world.make_code("c", {{"*"}, "", 1, world.now + 1}).error().code, Code::kStoreReadOnly);
  EXPECT_EQ(dump(world.disk()), before);
}

TEST_F(TheWriter, HasAfterACrashExactlyWhatHadAVerdict) {
  const Answer first = world.push(phone, {cup(1), cup(2)});
  const auto before = dump(world.disk());
  world.disk().fail_after(0);
  EXPECT_EQ(world.push(phone, {cup(3)}).error, Code::kStoreReadOnly);
  world.disk().crash();
  world.reopen();
  EXPECT_EQ(dump(world.disk()), before);
  EXPECT_EQ(world.visible(), R"({"cups":2})");
  const Answer again = world.push(phone, {cup(1), cup(2), cup(3)});
  EXPECT_EQ(again.codes(), "ok ok ok");
  EXPECT_EQ(again.verdicts[0], first.verdicts[0]);
  EXPECT_EQ(again.verdicts[1], first.verdicts[1]);
  EXPECT_EQ(world.visible(), R"({"cups":3})");
}

TEST_F(TheWriter, LosesNoVerdictWhicheverWriteFails) {
  for (std::size_t good = 0; good < 8; ++good) {
    const auto other = world.fork();
    other->disk().fail_after(good);
    std::vector<std::string> told;  // verdicts of the phone
    for (std::uint64_t n = 1; n <= 5; ++n) {
      const Answer answer = other->push(phone, {n == 3 ? op(n).in("nowhere") : cup(n)});
      if (!answer.error) told.push_back(answer.verdicts[0]);
      (void)other->hello(tablet, {other->now, 0, "b1"});
    }
    other->disk().crash();
    other->reopen();
    const auto log = other->log(phone);
    ASSERT_EQ(log.size(), told.size());
    for (std::size_t i = 0; i < told.size(); ++i) EXPECT_EQ(log[i].verdict, told[i]);
    EXPECT_EQ(other->digest(), other->recomputed_digest());
  }
}

TEST_F(TheWriter, MayForgetAGreetingInACrashButNothingElse) {
  world.push(phone, {cup(1)});
  world.hello(phone, {world.now + 86'400'000, 0, "b1"});
  world.disk().crash();
  world.reopen();
  EXPECT_EQ(world.state(phone)->applied, 1U);
  EXPECT_FALSE(world.state(phone)->greeted);
}

TEST_F(TheWriter, WritesABufferedGreetingWithTheNextSync) {
  world.hello(phone, {world.now, 0, "b1"});
  world.push(tablet, {cup(1)});
  world.disk().crash();
  world.reopen();
  EXPECT_TRUE(world.state(phone)->greeted);
}

}  // namespace
}  // namespace waystation::testing

// What the server decides and does by itself: quotas, refused ops, open sign-ins, duplicates, the
// horizon. docs/merge-rules.md.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "storage/keys.h"
#include "storage/pull.h"
#include "storage/verify.h"
#include "sync/cursor.h"
#include "sync/device_id.h"
#include "sync/limits.h"
#include "tests/support/json.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kDay = 24 * kHour;

class OwnOps : public ::testing::Test {
 protected:
  ~OwnOps() override {
    const auto report = verify(world.store(), [](std::uint64_t) {});
    EXPECT_TRUE(report.ok());
    EXPECT_EQ(report->faults, 0U) << (report->faults > 0 ? report->first_faults[0] : "");
    EXPECT_EQ(world.digest(), world.recomputed_digest());
  }

  static OpText places(std::uint64_t n, const std::string& what) {
    return op(n).on("quota", "gifts").does(what);
  }
  std::string quota() const {
    const JsonText shown(world.visible("quota", "gifts"));
    return simdjson::minify(shown.root()["places"].value());
  }
  // free, leased (without the expiries), spent
  std::string sums() const {
    const JsonText shown(world.visible("quota", "gifts"));
    const auto field = shown.root()["places"];
    std::int64_t leased = 0;
    for (const auto lease : simdjson::dom::object(field["leases"])) {
      leased += std::int64_t(lease.value["left"]);
    }
    return fmt::format("{} free, {} leased, {} spent", std::int64_t(field["free"]), leased,
                       std::int64_t(field["spent"]));
  }
  std::string ledger(std::uint64_t device, std::uint64_t n) const {
    const std::string shown =
        world.visible("ledger", fmt::format("{}~{}", format_device_id(device), n));
    if (shown == "nothing") return shown;
    const JsonText entry(shown);
    return fmt::format("{} {} {}", std::string_view(entry.root()["kind"]),
                       std::int64_t(entry.root()["amount"]), bool(entry.root()["valid"]));
  }
  std::string refused(std::uint64_t device, std::uint64_t n, const std::string& field) const {
    const std::string shown = world.visible(
        "refused", fmt::format("{}~{}", format_device_id(device), n), "system:office");
    if (shown == "nothing") return shown;
    const JsonText entry(shown);
    return simdjson::minify(entry.root()[field].value());
  }

  World world;
  std::uint64_t a = world.enroll({"t"});
  std::uint64_t b = world.enroll({"t"});
};

// --- quotas -----------------------------------------------------------------------------------

TEST_F(OwnOps, AQuotaIsGrantedLeasedSpentAndReturned) {
  EXPECT_EQ(world.push(a, {places(1, R"("grant":{"places":400})")}).codes(), "ok");
  EXPECT_EQ(sums(), "400 free, 0 leased, 0 spent");
  const Answer leased = world.push(a, {places(2, R"("lease":{"places":20})")});
  EXPECT_NE(leased.verdicts[0].find(R"("leased":{"places":20})"), std::string::npos)
      << leased.verdicts[0];
  EXPECT_EQ(quota(), fmt::format(R"({{"free":380,"granted":400,"leases":{{"{}":{{"expires":{},)"
                                 R"("left":20}}}},"spent":0}})",
                                 format_device_id(a), world.now + kDay));
  EXPECT_EQ(world.push(a, {places(3, R"("spend":{"places":2})")}).codes(), "ok");
  EXPECT_EQ(world.push(a, {places(4, R"("return":{"places":8})")}).codes(), "ok");
  EXPECT_EQ(sums(), "388 free, 10 leased, 2 spent");
  EXPECT_EQ(ledger(a, 1), "grant 400 true");
  EXPECT_EQ(ledger(a, 2), "lease 20 true");
  EXPECT_EQ(ledger(a, 3), "spend 2 true");
  EXPECT_EQ(ledger(a, 4), "return 8 true");
}

TEST_F(OwnOps, ALeaseGivesWhatIsFreeAndNeverMore) {
  world.push(a, {places(1, R"("grant":{"places":12})"), places(2, R"("lease":{"places":10})")});
  EXPECT_NE(world.push(b, {places(1, R"("lease":{"places":10})")})
                .receipt.find(R"("leased":{"places":2})"),
            std::string::npos);
  EXPECT_EQ(world.push(b, {places(2, R"("lease":{"places":1})")}).codes(), "quota.exhausted");
  EXPECT_EQ(sums(), "0 free, 12 leased, 0 spent");
}

// F20: a balance goes below zero. The fact is kept, that it was not valid too (F19).
TEST_F(OwnOps, F20_ASpendBeyondTheLeaseIsRefusedAndKeptAsAFact) {
  world.push(a, {places(1, R"("grant":{"places":400})"), places(2, R"("lease":{"places":2})")});
  EXPECT_EQ(world.push(a, {places(3, R"("spend":{"places":3})")}).codes(), "quota.exceeded");
  EXPECT_EQ(world.push(b, {places(1, R"("spend":{"places":1})")}).codes(), "quota.exceeded");
  EXPECT_EQ(ledger(a, 3), "spend 3 false");
  EXPECT_EQ(ledger(b, 1), "spend 1 false");
  EXPECT_EQ(refused(a, 3, "code"), R"("quota.exceeded")");
  EXPECT_EQ(world.quarantine().size(), 2U);
  EXPECT_EQ(sums(), "398 free, 2 leased, 0 spent");
}

// F20: a retry doubles the points.
TEST_F(OwnOps, F20_ARepeatedSpendIsCountedOnceAndHasOneLedgerEntry) {
  world.push(a, {places(1, R"("grant":{"places":9})"), places(2, R"("lease":{"places":9})")});
  const Answer once = world.push(a, {places(3, R"("spend":{"places":4})")});
  const Answer twice = world.push(a, {places(3, R"("spend":{"places":4})")});
  EXPECT_EQ(once.verdicts, twice.verdicts);
  EXPECT_EQ(sums(), "0 free, 5 leased, 4 spent");
  EXPECT_EQ(ledger(a, 3), "spend 4 true");
}

TEST_F(OwnOps, TheGrantOfWhatIsSpentOrLeasedCannotBeTakenBack) {
  world.push(a, {places(1, R"("grant":{"places":10})"), places(2, R"("lease":{"places":4})"),
                 places(3, R"("spend":{"places":1})")});
  EXPECT_EQ(world.push(b, {places(1, R"("grant":{"places":-7})")}).codes(), "quota.exhausted");
  EXPECT_EQ(world.push(b, {places(2, R"("grant":{"places":-6})")}).codes(), "ok");
  EXPECT_EQ(sums(), "0 free, 3 leased, 1 spent");
}

// Refused ops are read by people who may not read the quota.
TEST_F(OwnOps, TheRefusalOfAMoveTellsNoAmounts) {
  world.push(a, {places(1, R"("grant":{"places":10})"), places(2, R"("lease":{"places":10})")});
  const std::string reclaim = fmt::format(R"("reclaim":{{"places":"{}"}})", format_device_id(a));
  EXPECT_EQ(
      world
          .push(b, {places(1, R"("lease":{"places":1})"), places(2, R"("spend":{"places":1})"),
                    places(3, R"("grant":{"places":-1})"), places(4, reclaim),
                    places(5, R"("grant":{"places":1000000})")})
          .codes(),
      "quota.exhausted quota.exceeded quota.exhausted quota.held field.limit");
  for (const Quarantined& refusal : world.quarantine()) {
    const std::string& detail = refusal.row.detail;
    EXPECT_EQ(detail.rfind("places: ", 0), 0U) << detail;
    if (refusal.row.code == "field.limit") continue;  // names the schema's limit
    EXPECT_EQ(detail.find_first_of("0123456789"), std::string::npos) << detail;
  }
}

TEST_F(OwnOps, ALostDevicesLeaseComesBackByItselfAndALateSpendIsAConflict) {
  world.push(a, {places(1, R"("grant":{"places":20})"), places(2, R"("lease":{"places":20})")});
  world.push(b, {places(1, R"("lease":{"places":5})")});
  EXPECT_EQ(
      world.push(b, {places(2, fmt::format(R"("reclaim":{{"places":"{}"}})", format_device_id(a)))})
          .codes(),
      "quota.held");
  world.pass(kDay + 336 * kHour - 1);
  EXPECT_EQ(sums(), "0 free, 20 leased, 0 spent");
  world.pass(1);
  EXPECT_EQ(sums(), "20 free, 0 leased, 0 spent");
  EXPECT_EQ(ledger(kServerDevice, world.state(kServerDevice)->applied - 1), "reclaim 20 true");

  const Answer late = world.push(a, {places(3, R"("spend":{"places":2})")});
  EXPECT_EQ(late.codes(), "ok");
  EXPECT_EQ(late.lost(), std::vector<std::string>{"places"});
  EXPECT_EQ(sums(), "20 free, 0 leased, 0 spent");
  EXPECT_EQ(ledger(a, 3), "spend 2 false");
  ASSERT_EQ(world.conflicts("quota", "gifts").size(), 1U);
  EXPECT_EQ(world.conflicts("quota", "gifts")[0].kind, "late");
  EXPECT_EQ(world.conflicts("quota", "gifts")[0].value, "2");
  // What was reclaimed covers so much and no more.
  EXPECT_EQ(world.push(a, {places(4, R"("spend":{"places":19})")}).codes(), "quota.exceeded");
}

TEST_F(OwnOps, ALeaseIsReservedUntilItIsReclaimedWhateverAnyClockSays) {
  world.push(a, {places(1, R"("grant":{"places":3})"), places(2, R"("lease":{"places":3})")});
  world.pass(10 * kDay);
  EXPECT_EQ(
      world.push(a, {places(3, R"("spend":{"places":1})").written(kStart + 400 * kDay)}).codes(),
      "ok");
}

TEST_F(OwnOps, AnOpMovesOneQuotaByAWholeAmount) {
  for (const char* wrong :
       {R"("spend":{"places":0})", R"("spend":{"places":-1})", R"("lease":{"places":1.5})",
        R"("lease":{"places":"3"})", R"("grant":{"places":0})", R"("grant":{"places":1000001})",
        R"("reclaim":{"places":"nobody"})", R"("spend":{"title":1})", R"("set":{"places":4})",
        R"("spend":{"unheard_of":1})", R"("lease":{"places":1},"spend":{"places":1})"}) {
    const auto n = world.state(a) ? world.state(a)->applied + 1 : 1;
    EXPECT_NE(world.push(a, {places(n, wrong)}).codes(), "ok") << wrong;
  }
}

TEST_F(OwnOps, TheLedgerIsWrittenByTheServerAlone) {
  const auto forged = op(1)
                          .on("ledger", fmt::format("{}~9", format_device_id(a)))
                          .does(R"("set":{"account":"x","field":"f","device":"d","kind":"spend",)"
                                R"("amount":1,"valid":true,"at_ms":1})");
  EXPECT_EQ(world.push(a, {forged}).codes(), "collection.derived");
}

// --- settling ---------------------------------------------------------------------------------

class Settling : public OwnOps {
 protected:
  Settling() {
    const Seq seen = world.push(a, {op(1).does(R"("set":{"text":"A"})")}).seq();
    world.now += 1000;
    world.push(b, {op(1).having_seen(seen).written(world.now - 10).does(R"("set":{"text":"C"})")});
    world.push(a, {op(2).having_seen(seen).written(world.now).does(R"("set":{"text":"B"})")});
    EXPECT_EQ(world.visible(), R"({"text":"B"})");
    EXPECT_EQ(world.conflict_count(), 1U);
    shown = world.record("note", "n1")->seq;
    world.now += 1000;
  }
  OpText settle(std::uint64_t n, const std::string& word, const std::string& more = "") {
    return op(n).having_seen(shown).written(world.now).does(
        fmt::format(R"("{}":[{{"field":"text","by":"{}","n":1,"part":0}}]{})", word,
                    format_device_id(b), more));
  }
  Seq shown = 0;
};

TEST_F(Settling, KeepsWhatIsOnShowAndCanBeUndone) {
  EXPECT_EQ(world.push(a, {settle(3, "settle")}).codes(), "ok");
  EXPECT_EQ(world.conflict_count(), 0U);
  EXPECT_TRUE(world.conflicts().empty());
  EXPECT_EQ(world.visible(), R"({"text":"B"})");
  world.now += 1;
  EXPECT_EQ(world.push(a, {settle(4, "reopen")}).codes(), "ok");
  EXPECT_EQ(world.conflict_count(), 1U);
  ASSERT_EQ(world.conflicts().size(), 1U);
  EXPECT_EQ(world.conflicts()[0].value, R"("C")");
}

TEST_F(Settling, TakesTheOther) {
  EXPECT_EQ(world.push(a, {settle(3, "settle", R"(,"set":{"text":"C"})")}).codes(), "ok");
  EXPECT_EQ(world.visible(), R"({"text":"C"})");
  EXPECT_EQ(world.conflict_count(), 0U);
}

TEST_F(Settling, WritesAThird) {
  EXPECT_EQ(world.push(a, {settle(3, "settle", R"(,"set":{"text":"D"})")}).codes(), "ok");
  EXPECT_EQ(world.visible(), R"({"text":"D"})");
  EXPECT_EQ(world.conflict_count(), 0U);
}

TEST_F(Settling, OfSeveralWordsTheLatestCountsWhateverTheOrder) {
  const OpText keep = settle(3, "settle").written(world.now);
  const OpText again = settle(2, "reopen").written(world.now - 500);
  const auto other = world.fork();
  world.push(a, {keep});
  world.push(b, {again});
  other->push(b, {again});
  other->push(a, {keep});
  EXPECT_EQ(world.conflict_count(), 0U);
  EXPECT_EQ(other->conflict_count(), 0U);
}

TEST_F(Settling, OfAValueThatIsStillOnShowCountsOnceItLoses) {
  EXPECT_EQ(world
                .push(b, {op(2).having_seen(0).written(world.now).does(fmt::format(
                             R"("settle":[{{"field":"text","by":"{}","n":2,"part":0}}])",
                             format_device_id(a)))})
                .codes(),
            "ok");
  world.now += 1000;
  EXPECT_EQ(world.push(b, {op(3).having_seen(0).written(world.now).does(R"("set":{"text":"E"})")})
                .codes(),
            "ok");
  EXPECT_EQ(world.visible(), R"({"text":"E"})");
  EXPECT_EQ(world.conflict_count(), 0U);
  EXPECT_TRUE(world.conflicts().empty());
}

TEST_F(Settling, OfADeletedRecordDoesNotBringItBack) {
  const Seq deleted = world.push(a, {op(3).having_seen(shown).does(R"("del":true)")}).seq();
  EXPECT_EQ(world.push(a, {settle(4, "settle").having_seen(deleted)}).codes(), "ok");
  EXPECT_EQ(world.visible(), "deleted");
}

TEST_F(Settling, OfWhatIsNotThereIsPassedOver) {
  EXPECT_EQ(world
                .push(a, {op(3).having_seen(shown).does(
                             R"("settle":[{"field":"about","by":"0000000009","n":9}])")})
                .codes(),
            "ok");
  EXPECT_EQ(world.conflict_count(), 1U);
  EXPECT_EQ(world
                .push(a, {op(4)
                              .on("note", "n7")
                              .does(R"("settle":[{"field":"text","by":"0000000009","n":9}])")})
                .codes(),
            "op.invalid");
}

// --- refused ops ------------------------------------------------------------------------------

// F2: refused documents are kept nowhere.
TEST_F(OwnOps, F2_ARefusedOpIsARecordThatTheOfficeSeesDismissesAndTakesUpAgain) {
  world.push(a, {op(1).does(R"("set":{"text":7})")});
  EXPECT_EQ(refused(a, 1, "state"), R"("open")");
  EXPECT_EQ(refused(a, 1, "code"), R"("field.type")");
  EXPECT_EQ(refused(a, 1, "record"), R"("n1")");
  const auto n = world.state(kOffice)->applied;
  const auto about = [&](std::uint64_t k, const char* what) {
    return op(n + k)
        .in("system:office")
        .on("refused", fmt::format("{}~1", format_device_id(a)))
        .having_seen(world.position())
        .does(what);
  };
  EXPECT_EQ(
      world.push(kOffice, {about(1, R"("set":{"state":"dismissed","reason":"a test"})")}).codes(),
      "ok");
  EXPECT_EQ(refused(a, 1, "state"), R"("dismissed")");
  EXPECT_EQ(world.push(kOffice, {about(2, R"("set":{"state":"open"})")}).codes(), "ok");
  EXPECT_EQ(refused(a, 1, "state"), R"("open")");
  EXPECT_EQ(world.push(kOffice, {about(3, R"("set":{"code":"ok"})")}).codes(), "field.derived");
}

// The answer was lost, and the device hands in the same once more.
TEST_F(OwnOps, ARepeatedReuseOfANumberLeavesWhatTheOfficeMadeOfIt) {
  world.push(a, {op(1)});
  const OpText other = op(1).does(R"("set":{"text":"other"})");
  EXPECT_EQ(world.push(a, {other}).codes(), "op.reused");
  const std::uint64_t variant = world.quarantine().at(0).variant;
  const std::string id = fmt::format("{}~1~{:x}", format_device_id(a), variant);
  EXPECT_EQ(world
                .push(kOffice, {op(world.state(kOffice)->applied + 1)
                                    .in("system:office")
                                    .on("refused", id)
                                    .having_seen(world.position())
                                    .does(R"("set":{"state":"dismissed"})")})
                .codes(),
            "ok");
  const std::uint64_t said = world.state(kServerDevice)->applied;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(world.push(a, {other}).codes(), "op.reused");
  EXPECT_NE(world.visible("refused", id, "system:office").find("dismissed"), std::string::npos);
  EXPECT_EQ(world.state(kServerDevice)->applied, said);
}

TEST_F(OwnOps, ARefusedOpIsCorrectedAndReplayed) {
  world.push(a, {op(1).does(R"("set":{"text":7})")});
  const auto n = world.state(kOffice)->applied + 1;
  const std::string replays =
      fmt::format(R"("replays":{{"device":"{}","n":1}})", format_device_id(a));
  EXPECT_EQ(world.push(kOffice, {op(n).does(R"("set":{"text":"7"},)" + replays)}).codes(), "ok");
  EXPECT_EQ(world.visible(), R"({"text":"7"})");
  EXPECT_EQ(refused(a, 1, "state"), R"("replayed")");
  EXPECT_EQ(refused(a, 1, "replayed_by"), fmt::format(R"("{}~{}")", format_device_id(kOffice), n));
  // Once: a second correction of the same op would count twice what it adds.
  const auto again = [&](std::uint64_t number) {
    return world.push(kOffice, {op(number).does(R"("set":{"text":"8"},)" + replays)}).codes();
  };
  EXPECT_EQ(again(n + 1), "op.replayed");
  EXPECT_EQ(world.visible(), R"({"text":"7"})");
  // Not by another phone, and not what was never refused.
  EXPECT_EQ(world.push(b, {op(1).does(R"("set":{"text":"x"},)" + replays)}).codes(),
            "scope.forbidden");
  EXPECT_EQ(
      world
          .push(a,
                {op(2).does(fmt::format(R"("set":{{"text":"x"}},"replays":{{"device":"{}","n":2}})",
                                        format_device_id(a)))})
          .codes(),
      "op.invalid");
}

// --- a record that is full --------------------------------------------------------------------

// Fields that no schema names may be filled by anybody: what takes away goes on all the same.
TEST_F(OwnOps, AFullRecordCanStillBeSpentFromAndEmptied) {
  world.push(a, {places(1, R"("grant":{"places":10})"), places(2, R"("lease":{"places":5})")});
  std::string many;
  for (int i = 0; i < 1000; ++i) many += fmt::format("{}{}", i == 0 ? "" : ",", i);
  std::uint64_t n = 0;
  for (const char* field : {"w", "x", "y", "z"}) {
    EXPECT_EQ(
        world.push(b, {places(++n, fmt::format(R"("add":{{"{}":[{}]}})", field, many))}).codes(),
        "ok");
  }
  EXPECT_EQ(world.push(b, {places(++n, R"("add":{"v":[1]})")}).codes(), "record.too_large");
  EXPECT_EQ(world.push(a, {places(3, R"("spend":{"places":2})")}).codes(), "ok");
  EXPECT_EQ(world.push(a, {places(4, R"("return":{"places":3})")}).codes(), "ok");
  EXPECT_EQ(sums(), "8 free, 0 leased, 2 spent");
  EXPECT_EQ(world.push(b, {places(++n, fmt::format(R"("remove":{{"w":[{}]}})", many))}).codes(),
            "ok");
  EXPECT_EQ(world.push(b, {places(++n, R"("add":{"v":[1]})")}).codes(), "ok");
}

TEST_F(OwnOps, WhoHasDeletedARecordMayDeleteItAgainHoweverManyOthersHave) {
  world.push(a, {op(1)});
  std::vector<std::uint64_t> devices;
  for (std::size_t i = 0; i < limits::kDeletersPerRecord; ++i)
    devices.push_back(world.enroll({"t"}));
  for (const std::uint64_t device : devices) {
    ASSERT_EQ(world.push(device, {op(1).does(R"("del":true)")}).codes(), "ok");
  }
  EXPECT_EQ(world.push(b, {op(1).does(R"("del":true)")}).codes(), "field.full");
  EXPECT_EQ(world.push(devices[0], {op(2).does(R"("del":true)")}).codes(), "ok");
}

// --- open sign-ins ----------------------------------------------------------------------------

constexpr std::string_view kEightLocal = "2026-01-01T08:00:00+08:00";  // kStart

class OpenSignIns : public OwnOps {
 protected:
  void SetUp() override {
    world.push(a, {op(1).on("event", "e1").does(R"("set":{"ends":"2026-01-01T10:00:00+08:00"})")});
  }
  static OpText sign(std::uint64_t n, const std::string& event, const std::string& set) {
    return op(n)
        .on("attendance", event + "~v1")
        .does(fmt::format(R"("set":{{"event":"{}","volunteer":"v1",{}}})", event, set));
  }
  std::string closed(const std::string& event) const {
    const JsonText shown(world.visible("attendance", event + "~v1"));
    if (!has(shown.root(), "closed_at")) return "open";
    return simdjson::minify(shown.root()["closed_at"].value());
  }
};

// F23: nobody signs out: hours run into days.
TEST_F(OpenSignIns, F23_AreClosedAnHourAfterTheEventAndCountToItsEnd) {
  world.push(a, {sign(2, "e1", fmt::format(R"("signed_in":"{}")", kEightLocal))});
  world.pass(3 * kHour - 1);
  EXPECT_EQ(closed("e1"), "open");
  world.pass(1);
  EXPECT_EQ(closed("e1"), R"("2026-01-01T10:00:00+08:00")");
}

TEST_F(OpenSignIns, AreClosedAlsoWhereTheEventComesInOnlyLater) {
  world.push(a, {sign(2, "e3", fmt::format(R"("signed_in":"{}")", kEightLocal))});
  world.pass(kHour);
  world.push(b, {op(1).on("event", "e3").does(R"("set":{"ends":"2026-01-01T10:00:00+08:00"})")});
  world.pass(3 * kHour);
  EXPECT_EQ(closed("e3"), R"("2026-01-01T10:00:00+08:00")");
}

TEST_F(OpenSignIns, OfAnEventWithoutEndAreClosedAfterTwelveHours) {
  world.push(a, {sign(2, "e2", fmt::format(R"("signed_in":"{}")", kEightLocal))});
  world.pass(12 * kHour);
  EXPECT_EQ(closed("e2"), R"("2026-01-01T20:00:00+08:00")");
}

TEST_F(OpenSignIns, ThatAreSignedOutAreLeftAlone) {
  world.push(a, {sign(2, "e1",
                      fmt::format(R"("signed_in":"{}","signed_out":"2026-01-01T09:00:00+08:00")",
                                  kEightLocal))});
  world.pass(30 * kDay);
  EXPECT_EQ(closed("e1"), "open");
}

TEST_F(OpenSignIns, ThatArriveLateAreClosedAtOnceAndALateSignOutCounts) {
  world.pass(5 * kDay);
  world.push(a, {sign(2, "e1", fmt::format(R"("signed_in":"{}")", kEightLocal)).written(kStart)});
  world.pass(1);
  EXPECT_EQ(closed("e1"), R"("2026-01-01T10:00:00+08:00")");
  world.push(a, {sign(3, "e1", R"("signed_out":"2026-01-01T09:30:00+08:00")")});
  EXPECT_NE(world.visible("attendance", "e1~v1").find("T09:30"), std::string::npos);
  EXPECT_EQ(world.conflict_count("attendance", "e1~v1"), 0U);
}

TEST_F(OpenSignIns, OfAClockIn2099AreClosedToo) {
  world.push(a, {sign(2, "e2", R"("signed_in":"2099-01-01T08:00:00+08:00")")});
  world.pass(12 * kHour + 1000);
  EXPECT_NE(closed("e2"), "open");
}

TEST_F(OpenSignIns, AreClosedByTheServerAlone) {
  OpText forged = sign(2, "e1", R"("closed_at":"2026-01-01T09:30:00+08:00")");
  forged.schema = 2;
  EXPECT_EQ(world.push(a, {forged}).codes(), "field.derived");
}

// --- duplicates -------------------------------------------------------------------------------

// F27: one person registered twice on two phones.
TEST_F(OwnOps, F27_OnePersonEnteredTwiceIsACandidateAndTheMergeCanBeUndone) {
  const auto person = [](std::uint64_t n, const char* id, const char* set) {
    return op(n).on("volunteer", id).does(set);
  };
  world.push(a, {person(1, "v2", R"("set":{"name":"陈 伟","phone_tail":"8888"})")});
  world.push(b, {person(1, "v1", R"("set":{"name":"陈伟","phone_tail":"8888"})")});
  const JsonText candidate(world.visible("duplicate", "v1~v2"));
  EXPECT_EQ(std::string_view(candidate.root()["state"]), "open");
  EXPECT_EQ(std::string_view(candidate.root()["why"]), "name, phone_tail");
  const auto seen = world.position();
  OpText merge = person(2, "v2", R"("set":{"merged_into":"v1"})").having_seen(seen);
  merge.schema = 2;
  EXPECT_EQ(world
                .push(a, {merge, op(3)
                                     .on("duplicate", "v1~v2")
                                     .having_seen(seen)
                                     .does(R"("set":{"state":"merged"})")})
                .codes(),
            "ok ok");
  EXPECT_NE(world.visible("volunteer", "v2").find(R"("merged_into":"v1")"), std::string::npos);
  OpText undo = person(4, "v2", R"("set":{"merged_into":null})").having_seen(world.position());
  undo.schema = 2;
  EXPECT_EQ(world.push(a, {undo}).codes(), "ok");
  EXPECT_EQ(world.visible("volunteer", "v2").find("merged_into"), std::string::npos);
}

TEST_F(OwnOps, OtherPhonesOtherScopesAndLongTimesApartAreNoDuplicates) {
  world.have_scope("u");
  const std::uint64_t c = world.enroll({"u"});
  const auto person = [](std::uint64_t n, const char* id, const char* tail) {
    return op(n)
        .on("volunteer", id)
        .does(fmt::format(R"("set":{{"name":"陈伟","phone_tail":"{}"}})", tail));
  };
  world.push(a, {person(1, "v1", "8888"), person(2, "v2", "7777")});
  world.push(c, {person(1, "v3", "8888").in("u")});
  world.now += 169 * kHour;
  world.push(b, {person(1, "v4", "8888")});
  for (const char* pair : {"v1~v2", "v1~v3", "v1~v4", "v2~v4", "v3~v4"}) {
    EXPECT_EQ(world.visible("duplicate", pair), "nothing") << pair;
  }
}

// Limits of devices do not count what the server writes because of them.
TEST_F(OwnOps, ARecordIsACandidateWithThreeOthersAtMost) {
  const auto before = world.state(kServerDevice) ? world.state(kServerDevice)->applied : 0;
  std::vector<OpText> ops;
  for (std::uint64_t n = 1; n <= 12; ++n) {
    ops.push_back(op(n)
                      .on("volunteer", fmt::format("v{:02}", n))
                      .does(R"("set":{"name":"陈伟","phone_tail":"8888"})"));
  }
  for (const OpText& one : ops) ASSERT_EQ(world.push(a, {one}).codes(), "ok");
  EXPECT_EQ(world.state(kServerDevice)->applied - before, 1U + 2U + 9U * 3U);
  EXPECT_NE(world.visible("duplicate", "v01~v12"), "nothing") << "all hang together";
  // Written again, it makes no more of them.
  ASSERT_EQ(
      world.push(a, {op(13).on("volunteer", "v12").does(R"("set":{"phone_tail":"8888"})")}).codes(),
      "ok");
  EXPECT_EQ(world.state(kServerDevice)->applied - before, 1U + 2U + 9U * 3U);
}

// --- the horizon ------------------------------------------------------------------------------

class Horizon : public OwnOps {
 protected:
  Horizon() {
    world.offline_ms = 10 * kDay;
    world.reopen();
  }
  // Pulls all from nothing, and says hello with what it has.
  std::string cursor_of(std::uint64_t device, const std::string& from = "") {
    const auto page = pull(world.store(), device, from, 1000);
    EXPECT_TRUE(page.ok());
    EXPECT_FALSE(page->head.more);
    reset = page->head.reset;
    items = page->items;
    return page->head.cursor;
  }
  void hello(std::uint64_t device, const std::string& cursor) {
    std::vector<Request> group;
    ExchangeRequest request;
    request.device = device;
    request.hello = Hello{};
    request.hello->cursor = cursor;
    request.done = [](const auto&) {};
    group.emplace_back(std::move(request));
    world.apply(group);
  }
  bool buried() const { return world.record("note", "n1")->buried; }

  bool reset = false;
  std::string items;
};

// E18: tombstones were collected by age. F16: a deleted thing comes back.
TEST_F(Horizon, E18_ATombstoneOutlivesTheLeasesOfAllDevices) {
  world.push(a, {op(1)});
  const std::string before = cursor_of(b);
  hello(b, before);
  world.push(a, {op(2).having_seen(world.position()).does(R"("del":true)")});
  hello(a, cursor_of(a));
  // b is within its time, and has not pulled: it holds the tombstone for a long while.
  for (int day = 0; day < 30; ++day) {
    world.pass(kDay);
    hello(b, before);
    hello(a, cursor_of(a));
  }
  EXPECT_FALSE(buried());
  (void)cursor_of(b, before);
  EXPECT_FALSE(reset);
  EXPECT_NE(items.find(R"("deleted":true)"), std::string::npos);
  // Now it is away for longer than it may.
  for (int day = 0; day < 12; ++day) {
    world.pass(kDay);
    hello(a, cursor_of(a));
  }
  EXPECT_TRUE(buried());
}

TEST_F(Horizon, F16_ADeviceBeyondItStartsFreshOnceAndItsLateEditsMeetTheDeletion) {
  world.push(a, {op(1)});
  const Seq seen = world.position();
  const std::string old = cursor_of(b);
  hello(b, old);
  world.push(a, {op(2).having_seen(seen).does(R"("del":true)")});
  for (int day = 0; day < 30; ++day) {
    world.pass(kDay);
    hello(a, cursor_of(a));
  }
  ASSERT_TRUE(buried());
  const std::string fresh = cursor_of(b, old);
  EXPECT_TRUE(reset);
  EXPECT_EQ(items.find("n1"), std::string::npos);
  (void)cursor_of(b, fresh);
  EXPECT_FALSE(reset) << "once, not for ever (E13)";
  // Written before it was told: hidden, and a conflict.
  EXPECT_EQ(
      world
          .push(b,
                {op(1).having_seen(seen).written(kStart + kDay).does(R"("set":{"text":"late"})")})
          .lost(),
      std::vector<std::string>{"text"});
  EXPECT_EQ(world.visible(), "deleted");
  EXPECT_EQ(world.conflict_count(), 1U);
  // Written by somebody who knows that it is not there.
  EXPECT_EQ(
      world.push(b, {op(2).having_seen(world.position()).does(R"("set":{"text":"new"})")}).codes(),
      "ok");
  EXPECT_EQ(world.visible(), R"({"text":"new"})");
}

// --- backups ----------------------------------------------------------------------------------

TEST_F(OwnOps, WhatIsBackedUpIsToldOnceThereIsABackup) {
  EXPECT_NE(world.push(a, {op(1)}).receipt.find(R"("backed_up":null)"), std::string::npos);
  std::vector<Request> group;
  Status done = Error{Code::kInternal, "never answered"};
  std::shared_ptr<MemoryKv> copy;
  group.emplace_back(BackupRequest{[&] {
                                     copy = copy_of(world.disk());
                                     return Status{};
                                   },
                                   [&](const Status& status) { done = status; }});
  world.apply(group);
  EXPECT_TRUE(done.ok());
  EXPECT_NE(world.push(a, {op(2)}).receipt.find(R"("backed_up":1)"), std::string::npos);
  world.reopen();
  EXPECT_NE(world.push(a, {op(3)}).receipt.find(R"("backed_up":1)"), std::string::npos);
}

TEST_F(OwnOps, AFailedBackupCoversNothing) {
  world.push(a, {op(1)});
  std::vector<Request> group;
  Status done;
  group.emplace_back(BackupRequest{[] {
                                     return Status(Error{Code::kIo, "no room"});
                                   },
                                   [&](const Status& status) { done = status; }});
  world.apply(group);
  EXPECT_FALSE(done.ok());
  EXPECT_EQ(world.push(a, {op(2)}).receipt.find(R"("backed_up":1)"), std::string::npos);
}

// A device whose state cannot be read fails the backup, and harms no other's log.
TEST_F(OwnOps, AFailedBackupLeavesTheLogsOfAllDevicesInUse) {
  world.push(a, {op(1)});
  const std::string other = keys::device_state(b);
  std::string good;
  const Kv& disk = world.disk();
  ASSERT_TRUE(disk.get(Column::kDevices, other, good).value());
  const auto write = [&](const std::string& bytes) {
    Batch batch;
    batch.put(Column::kDevices, other, bytes);
    ASSERT_TRUE(world.disk().write(batch, Durability::kSynced).ok());
  };
  world.reopen();
  write("damaged");
  std::vector<Request> group;
  Status done;
  group.emplace_back(BackupRequest{[] { return Status{}; }, [&](const Status& s) { done = s; }});
  world.apply(group);
  EXPECT_FALSE(done.ok());
  write(good);
  world.push(a, {op(2)});
  world.reopen();
  EXPECT_EQ(world.log(a).size(), 2U);
  EXPECT_EQ(world.state(a)->applied, 2U);
}

}  // namespace
}  // namespace waystation::testing

// What is counted as ops are applied: each rule of docs/reports.md.
#include "storage/projections.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "storage/keys.h"
#include "storage/schema_files.h"
#include "storage/sums.h"
#include "storage/verify.h"
#include "tests/support/counted.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

constexpr const char* kNoon = "2026-01-01T12:00:00+08:00";

// Remembers what is written to it, in order.
class Watched final : public Kv {
 public:
  Watched(std::unique_ptr<Kv> kv, std::vector<std::pair<Batch, Durability>>& written)
      : kv_(std::move(kv)), written_(written) {}

  Result<bool> get(Column column, std::string_view key, std::string& value,
                   const Snapshot* snapshot) const override {
    return kv_->get(column, key, value, snapshot);
  }
  std::unique_ptr<KvIterator> iterate(Column column, const Snapshot* snapshot,
                                      std::string upper) const override {
    return kv_->iterate(column, snapshot, std::move(upper));
  }
  std::unique_ptr<Snapshot> snapshot() const override { return kv_->snapshot(); }
  Status write(const Batch& batch, Durability durability) override {
    written_.emplace_back(batch, durability);
    return kv_->write(batch, durability);
  }

 private:
  std::unique_ptr<Kv> kv_;
  std::vector<std::pair<Batch, Durability>>& written_;
};

class Counting : public ::testing::Test {
 protected:
  World world;
  std::uint64_t phone = world.enroll({"t"});
  std::uint64_t n = 0;

  OpText next() { return op(++n); }
  // A visit under version 2 of its schema.
  std::string come(const std::string& id, const std::string& fields = "", const char* at = kNoon) {
    OpText text =
        next()
            .on("visit", id)
            .does(fmt::format(R"("set":{{"visitor":"courier","at":"{}"{}}})", at, fields));
    text.schema = 2;
    return world.push(phone, {text}).codes();
  }
  std::string attend(const std::string& person, const std::string& fields,
                     const std::string& event = "e1") {
    OpText text = next()
                      .on("attendance", event + "~" + person)
                      .does(fmt::format(R"("set":{{"event":"{}","volunteer":"{}"{}}})", event,
                                        person, fields));
    text.schema = 2;
    return world.push(phone, {text}).codes();
  }
  std::string does(const std::string& coll, const std::string& id, const std::string& what) {
    OpText text = next().on(coll, id).does(what).having_seen(world.position());
    text.schema = coll == "event" ? 1 : 2;
    return world.push(phone, {text}).codes();
  }
  [[nodiscard]] Counted visits() const {
    expect_right();
    return of_projection(kept_rows(world.store()), "visits_day");
  }
  [[nodiscard]] Counted rows(const std::string& projection) const {
    expect_right();
    return of_projection(kept_rows(world.store()), projection);
  }
  void expect_right() const {
    EXPECT_EQ(kept_rows(world.store()), recounted_rows(world.store(), *projections()));
  }
};

TEST_F(Counting, AVisitCountsItselfAndItsHeads) {
  ASSERT_EQ(come("v1"), "ok");
  ASSERT_EQ(come("v2", R"(,"party_size":3)"), "ok");
  EXPECT_EQ(visits(), (Counted{{"2026-01-01 t courier", "2 4"}}));
}

TEST_F(Counting, ADayBeginsAtMidnightOfTheLocalZone) {
  ASSERT_EQ(come("v1", "", "2026-01-01T23:59:59+08:00"), "ok");
  ASSERT_EQ(come("v2", "", "2026-01-02T00:00:00+08:00"), "ok");
  ASSERT_EQ(come("v3", "", "2026-01-01T16:00:00Z"), "ok");       // the same instant as v2
  ASSERT_EQ(come("v4", "", "2026-01-01T20:30:00-05:00"), "ok");  // 09:30 there on the 2nd
  EXPECT_EQ(visits(), (Counted{{"2026-01-01 t courier", "1 1"}, {"2026-01-02 t courier", "3 3"}}));
  EXPECT_EQ(rows("visits_hour"), (Counted{{"2026-01-01T23 t courier", "1 1"},
                                          {"2026-01-02T00 t courier", "2 2"},
                                          {"2026-01-02T09 t courier", "1 1"}}));
  EXPECT_EQ(rows("visits_city_hour"), (Counted{{"2026-01-01T23 courier", "1 1"},
                                               {"2026-01-02T00 courier", "2 2"},
                                               {"2026-01-02T09 courier", "1 1"}}));
}

TEST_F(Counting, EachServiceUsedCounts) {
  OpText text =
      next()
          .on("visit", "v1")
          .does(
              R"("set":{"visitor":"courier","at":"2026-01-01T12:00:00+08:00"},"add":{"services":["water","rest"]})");
  text.schema = 2;
  ASSERT_EQ(world.push(phone, {text}).codes(), "ok");
  ASSERT_EQ(does("visit", "v1", R"("add":{"services":["wifi","rest"]})"), "ok");
  EXPECT_EQ(rows("services_day"), (Counted{{"2026-01-01 t rest", "1 1"},
                                           {"2026-01-01 t water", "1 1"},
                                           {"2026-01-01 t wifi", "1 1"}}));
}

TEST_F(Counting, ACorrectionStandsInThePlaceOfWhatItCorrects) {
  ASSERT_EQ(come("v1", R"(,"party_size":5)"), "ok");
  ASSERT_EQ(come("v2", R"(,"party_size":2,"corrects":"v1")", "2026-01-02T12:00:00+08:00"), "ok");
  EXPECT_EQ(visits(), (Counted{{"2026-01-02 t courier", "1 2"}}));
}

TEST_F(Counting, WhatIsNoIdCorrectsNothingInWhateverOrderItComes) {
  ASSERT_EQ(come("v1"), "ok");
  ASSERT_EQ(come("v2", R"(,"corrects":"v1\u0000x")"), "ok");
  ASSERT_EQ(come("v3", R"(,"party_size":3,"corrects":"v1")"), "ok");
  EXPECT_EQ(visits(), (Counted{{"2026-01-01 t courier", "2 4"}}));
}

TEST_F(Counting, ACorrectionOfACorrectionCountsAlone) {
  ASSERT_EQ(come("v1"), "ok");
  ASSERT_EQ(come("v2", R"(,"party_size":2,"corrects":"v1")"), "ok");
  ASSERT_EQ(come("v3", R"(,"party_size":7,"corrects":"v2")"), "ok");
  EXPECT_EQ(visits(), (Counted{{"2026-01-01 t courier", "1 7"}}));
}

TEST_F(Counting, OfTwoCorrectionsOneCounts) {
  ASSERT_EQ(come("v1"), "ok");
  ASSERT_EQ(come("v3", R"(,"party_size":3,"corrects":"v1")"), "ok");
  ASSERT_EQ(come("v2", R"(,"party_size":2,"corrects":"v1")"), "ok");
  EXPECT_EQ(visits(), (Counted{{"2026-01-01 t courier", "1 3"}}));
  ASSERT_EQ(come("v4", R"(,"void":true,"corrects":"v1")"), "ok");
  EXPECT_EQ(visits(), Counted{});
}

TEST_F(Counting, AVoidTakesBackAndDoesNotCount) {
  ASSERT_EQ(come("v1"), "ok");
  ASSERT_EQ(come("v2"), "ok");
  ASSERT_EQ(come("v3", R"(,"corrects":"v1","void":true)"), "ok");
  EXPECT_EQ(visits(), (Counted{{"2026-01-01 t courier", "1 1"}}));
}

TEST_F(Counting, ACorrectionThatArrivesFirstWaitsForWhatItCorrects) {
  ASSERT_EQ(come("v2", R"(,"corrects":"v1","void":true)"), "ok");
  world.reopen();
  ASSERT_EQ(come("v1"), "ok");
  EXPECT_EQ(visits(), Counted{});
}

TEST_F(Counting, CorrectionsOfOneGroupCountOnce) {
  std::vector<OpText> ops;
  for (const auto& [id, more] :
       {std::pair("a", ""), std::pair("b", R"(,"corrects":"a","party_size":2)"),
        std::pair("c", R"(,"corrects":"b","party_size":3)"),
        std::pair("d", R"(,"corrects":"d")")}) {
    ops.push_back(
        next()
            .on("visit", id)
            .does(fmt::format(R"("set":{{"visitor":"courier","at":"{}"{}}})", kNoon, more)));
    ops.back().schema = 2;
  }
  ASSERT_EQ(world.push(phone, ops).codes(), "ok ok ok ok");
  EXPECT_EQ(visits(), (Counted{{"2026-01-01 t courier", "2 4"}}));  // c, and d corrects nobody
}

TEST_F(Counting, HoursAreWhatIsConfirmedElseTheTimeBetween) {
  ASSERT_EQ(attend("p1", R"(,"signed_in":"2026-01-01T08:00:00+08:00")"), "ok");
  EXPECT_EQ(rows("events_day"), (Counted{{"2026-01-01 e1", "1 0 0 1 0"}}));
  ASSERT_EQ(attend("p1", R"(,"signed_out":"2026-01-01T10:30:20+08:00")"), "ok");
  EXPECT_EQ(rows("events_day"), (Counted{{"2026-01-01 e1", "1 150 0 0 0"}}));
  ASSERT_EQ(does("attendance", "e1~p1", R"("set":{"minutes":120,"points":4})"), "ok");
  EXPECT_EQ(rows("events_day"), (Counted{{"2026-01-01 e1", "1 120 4 0 0"}}));
}

TEST_F(Counting, AClockThatIsWrongByYearsCountsAsLongAsAnythingStaysOpen) {
  ASSERT_EQ(attend("p1", R"(,"signed_in":"2026-01-01T08:00:00+08:00")"
                         R"(,"signed_out":"2036-01-01T08:00:00+08:00")"),
            "ok");
  EXPECT_EQ(rows("events_day"), (Counted{{"2026-01-01 e1", "1 720 0 0 0"}}));
}

TEST_F(Counting, WhoDidNotSignInDoesNotCount) {
  ASSERT_EQ(attend("p1", R"(,"role":"cook")"), "ok");
  EXPECT_EQ(rows("events_day"), Counted{});
}

TEST_F(Counting, ASignInThatMovesToAnotherDayMovesItsNumbers) {
  ASSERT_EQ(attend("p1", R"(,"signed_in":"2026-01-01T08:00:00+08:00")"), "ok");
  ASSERT_EQ(does("attendance", "e1~p1", R"("set":{"signed_in":"2026-01-02T08:00:00+08:00"})"),
            "ok");
  EXPECT_EQ(rows("events_day"), (Counted{{"2026-01-02 e1", "1 0 0 1 0"}}));
}

TEST_F(Counting, WhatAnAttendanceDoesNotSayIsReadFromItsId) {
  ASSERT_EQ(does("attendance", "e1~p1",
                 R"("set":{"signed_in":"2026-01-01T08:00:00+08:00","minutes":60})"),
            "ok");
  EXPECT_EQ(rows("events_day"), (Counted{{"2026-01-01 e1", "1 60 0 1 0"}}));
  EXPECT_EQ(rows("attendances"), (Counted{{"2026-01-01 e1 p1 t e1~p1", "1 60 0 1 0"}}));
  // Said later, it is the same.
  ASSERT_EQ(does("attendance", "e1~p1", R"("set":{"event":"e1","volunteer":"p1"})"), "ok");
  EXPECT_EQ(rows("attendances"), (Counted{{"2026-01-01 e1 p1 t e1~p1", "1 60 0 1 0"}}));
}

TEST_F(Counting, WhatIsDeletedKeepsItsPlaceAmongThoseOfItsId) {
  ASSERT_EQ(does("volunteer", "p1", R"("set":{"name":"A","team":"red"})"), "ok");
  ASSERT_EQ(does("volunteer", "p1", R"("del":true)"), "ok");
  const Counted kept = of_projection(kept_rows(world.store()), "kvolunteer");
  ASSERT_TRUE(kept.contains("p1 t"));
  EXPECT_TRUE(kept.at("p1 t").starts_with("deleted born ")) << kept.at("p1 t");
  expect_right();
}

TEST_F(Counting, WhatIsDeletedCountsNoMore) {
  ASSERT_EQ(attend("p1", R"(,"signed_in":"2026-01-01T08:00:00+08:00")"), "ok");
  ASSERT_EQ(does("attendance", "e1~p1", R"("del":true)"), "ok");
  EXPECT_EQ(rows("events_day"), Counted{});
  // And does once it is there again.
  ASSERT_EQ(
      does("attendance", "e1~p1",
           R"("set":{"event":"e1","volunteer":"p1","signed_in":"2026-01-01T09:00:00+08:00"})"),
      "ok");
  EXPECT_EQ(rows("events_day"), (Counted{{"2026-01-01 e1", "1 0 0 1 0"}}));
}

TEST_F(Counting, WhatTheServerClosesIsCountedAsClosed) {
  ASSERT_EQ(does("event", "e1", R"("set":{"title":"x","ends":"2026-01-01T12:00:00+08:00"})"), "ok");
  ASSERT_EQ(attend("p1", R"(,"signed_in":"2026-01-01T08:00:00+08:00")"), "ok");
  world.pass(std::int64_t{24} * 3'600'000);
  EXPECT_EQ(rows("events_day"), (Counted{{"2026-01-01 e1", "1 240 0 0 1"}}));
}

TEST_F(Counting, ARepeatCountsOnce) {
  ASSERT_EQ(come("v1"), "ok");
  --n;
  ASSERT_EQ(come("v1"), "ok");
  EXPECT_EQ(visits(), (Counted{{"2026-01-01 t courier", "1 1"}}));
}

TEST_F(Counting, WhatIsRefusedDoesNotCount) {
  ASSERT_EQ(come("v1"), "ok");
  EXPECT_EQ(does("visit", "v1", R"("del":true)"), "delete.forbidden");
  EXPECT_EQ(does("visit", "v1", R"("set":{"party_size":9})"), "facts.immutable");
  EXPECT_EQ(visits(), (Counted{{"2026-01-01 t courier", "1 1"}}));
}

TEST_F(Counting, OfTwoValuesWrittenUnseenTheOneOnShowCounts) {
  ASSERT_EQ(attend("p1", R"(,"signed_in":"2026-01-01T08:00:00+08:00","minutes":60)"), "ok");
  const std::uint64_t other = world.enroll({"t"});
  OpText text = op(1)
                    .on("attendance", "e1~p1")
                    .written(kStart + 1000)
                    .does(R"("set":{"event":"e1","volunteer":"p1","minutes":90})");
  text.schema = 2;
  world.now += 5000;
  ASSERT_EQ(world.push(other, {text}).codes(), "ok");
  ASSERT_GT(world.conflict_count("attendance", "e1~p1"), 0U);
  EXPECT_EQ(rows("events_day"), (Counted{{"2026-01-01 e1", "1 90 0 1 0"}}));
  // The office decides for the other one.
  ASSERT_EQ(does("attendance", "e1~p1", R"("set":{"minutes":60})"), "ok");
  EXPECT_EQ(rows("events_day"), (Counted{{"2026-01-01 e1", "1 60 0 1 0"}}));
}

TEST_F(Counting, WhoWasMergedIsKeptWithWhereItLeadsAndTheUndoToo) {
  ASSERT_EQ(does("volunteer", "p1", R"("set":{"name":"A","team":"red"})"), "ok");
  ASSERT_EQ(does("volunteer", "p2", R"("set":{"name":"B"})"), "ok");
  ASSERT_EQ(does("volunteer", "p2", R"("set":{"merged_into":"p1"})"), "ok");
  EXPECT_EQ(of_projection(kept_rows(world.store()), "mvolunteer"), (Counted{{"p2 t", "p1"}}));
  ASSERT_EQ(does("volunteer", "p2", R"("set":{"merged_into":null})"), "ok");
  EXPECT_EQ(of_projection(kept_rows(world.store()), "mvolunteer"), Counted{});
  expect_right();
}

TEST_F(Counting, AnErasedPersonsNumbersStay) {
  ASSERT_EQ(does("volunteer", "p1", R"("set":{"name":"A","team":"red"})"), "ok");
  ASSERT_EQ(attend("p1", R"(,"signed_in":"2026-01-01T08:00:00+08:00","minutes":60)"), "ok");
  const Counted before = kept_rows(world.store());
  ASSERT_TRUE(world.erase("p1").ok());
  EXPECT_EQ(kept_rows(world.store()), before);
  expect_right();
}

TEST_F(Counting, AnOlderStoreIsCountedWhenItIsOpened) {
  ASSERT_EQ(come("v1"), "ok");
  ASSERT_EQ(come("v2", R"(,"corrects":"v1")"), "ok");
  const Counted before = kept_rows(world.store());
  Batch batch;  // as a server of before has left it
  batch.erase(Column::kMeta, std::string(keys::kProjections));
  {
    const auto rows = world.store().kv().iterate(Column::kProjections);
    for (rows->seek(""); rows->valid(); rows->next()) {
      batch.erase(Column::kProjections, std::string(rows->key()));
    }
  }
  ASSERT_TRUE(world.disk().write(batch, Durability::kSynced).ok());
  world.reopen();
  EXPECT_EQ(kept_rows(world.store()), before);
}

TEST_F(Counting, AnotherDeclarationIsCountedAnewAndAnotherTitleIsNot) {
  ASSERT_EQ(come("v1", R"(,"party_size":4)"), "ok");
  const auto declared = [](const char* zh, const char* measure) {
    auto made = Projections::parse(
        {{"p.json",
          fmt::format(
              R"({{"projection":"p","title":{{"zh":"{}","en":"P"}},"collection":"visit",)"
              R"("by":[{{"name":"station","scope":true}}],"measures":[{{"name":"m",{}}}]}})",
              zh, measure)}},
        schemas(), Zone{});
    return std::make_shared<const Projections>(std::move(*made));
  };
  const auto a = declared("a", R"("count":true)");
  const auto b = declared("b", R"("count":true)");
  const auto c = declared("a", R"("sum":"party_size")");
  EXPECT_EQ(a->fingerprint(), b->fingerprint());
  EXPECT_NE(a->fingerprint(), c->fingerprint());
  world.count_by(a);
  EXPECT_EQ(kept_rows(world.store()), (Counted{{"p t", "1"}}));
  world.count_by(c);
  EXPECT_EQ(kept_rows(world.store()), (Counted{{"p t", "4"}}));
}

TEST_F(Counting, IsSaidToBeCompleteBehindAllThatWasCounted) {
  ASSERT_EQ(come("v1"), "ok");
  std::vector<std::pair<Batch, Durability>> written;
  auto kv = std::make_unique<MemoryKv>();
  auto empty = Store::open(std::make_unique<Watched>(std::move(kv), written), std::string(32, 'a'));
  ASSERT_TRUE(empty.ok());
  Batch records;
  const auto rows = world.store().kv().iterate(Column::kRecords);
  for (rows->seek(""); rows->valid(); rows->next()) {
    records.put(Column::kRecords, std::string(rows->key()), std::string(rows->value()));
  }
  ASSERT_TRUE((*empty)->kv().write(records, Durability::kSynced).ok());
  ASSERT_TRUE(adopt_projections(**empty, projections()).ok());
  const auto& [last, durability] = written.back();
  ASSERT_EQ(last.mutations().size(), 1U);
  EXPECT_EQ(last.mutations()[0].key, keys::kProjections);
  EXPECT_EQ(durability, Durability::kSynced);
}

TEST_F(Counting, AnotherZoneHasOtherDays) {
  ASSERT_EQ(come("v1", "", "2026-01-02T00:30:00+08:00"), "ok");
  world.count_by(*load_projections(WS_SOURCE_DIR "/schemas", schemas(), *parse_zone("UTC")));
  EXPECT_EQ(of_projection(kept_rows(world.store()), "visits_day"),
            (Counted{{"2026-01-01 t courier", "1 1"}}));
}

TEST_F(Counting, VerifyFindsARowThatWasChanged) {
  ASSERT_EQ(come("v1"), "ok");
  const auto check = [&] {
    return *verify(
        world.store(), [](std::uint64_t) {}, {}, {}, projections().get());
  };
  EXPECT_EQ(check().faults, 0U);
  EXPECT_TRUE(check().projections_checked);
  EXPECT_GT(check().projected, 0U);
  Batch batch;
  batch.add(Column::kProjections,
            keys::sums(row_name("visits_day", {"2026-01-01", "t", "courier"})),
            encode_sums({1, 0}));
  batch.add(Column::kProjections, keys::sums(row_name("visits_day", {"2026-01-05", "t", "other"})),
            encode_sums({1, 1}));
  ASSERT_TRUE(world.disk().write(batch, Durability::kSynced).ok());
  const VerifyReport report = check();
  EXPECT_EQ(report.faults, 2U);
  EXPECT_EQ(report.first_faults.at(0),
            "projection row visits_day/2026-01-01/t/courier says 2, 1, its records say 1, 1");
  EXPECT_EQ(report.first_faults.at(1),
            "projection row visits_day/2026-01-05/t/other says 1, 1, its records say nothing");
  ASSERT_TRUE(adopt_projections(world.store(), projections(), {}, true).ok());
  EXPECT_EQ(check().faults, 0U);
}

TEST(Sums, OfWhatIsDamagedStaysDamagedAndIsFound) {
  EXPECT_EQ(*decode_sums(added(encode_sums({1, -2}), encode_sums({5, 1, 9}))), (Sums{6, -1, 9}));
  EXPECT_FALSE(decode_sums("\x02").ok());
  EXPECT_FALSE(decode_sums(added("\x01\x01", encode_sums({1}))).ok());
  EXPECT_FALSE(decode_sums(added(added("nonsense", encode_sums({1})), encode_sums({1}))).ok());
}

}  // namespace
}  // namespace waystation::testing

// The slow model against docs/merge-rules.md, section by section: what the page says of its
// examples must come out. Devices are letters, seqs and stamps small numbers.
#include "tools/simulate/model.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sync/device_id.h"
#include "sync/wire.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

using simulate::Collections;
using simulate::LoggedOp;
using simulate::ModelConflict;
using simulate::ModelRecord;
using simulate::PlacedOp;
using simulate::RecordName;

std::uint64_t device_of(char by) { return static_cast<std::uint64_t>(by); }
std::string id_of(char by) { return format_device_id(device_of(by)); }

constexpr std::int64_t kHour = 3'600'000;

// One collection with a quota of places, as the page's example wants it.
Collections collections() {
  Collections all = schemas().collections();
  Collection gift;
  gift.name = "gift";
  gift.deletable = false;
  FieldSpec places;
  places.name = "places";
  places.merge = MergeType::kQuota;
  places.type = FieldType::kInteger;
  places.max = 1000;
  places.max_lease = 50;
  places.lease_ms = 12 * kHour;
  places.reclaim_after_ms = 24 * kHour;
  gift.fields.push_back(places);
  all.emplace(gift.name, gift);
  return all;
}

// What the server has in its log: an op each, about note n1 unless told otherwise.
class Log {
 public:
  struct When {
    Seq seq = 0;
    Stamp stamp = 0;
    Seq base = 0;
  };

  Log& write(char by, When when, const std::string& edits) {
    const OpText text = op(next(by)).on(coll_, id_).having_seen(when.base).does(edits);
    auto decoded = decode_op(text.json());
    EXPECT_TRUE(decoded.ok() && !decoded->refusal) << edits;
    return place(by, when, std::move(*decoded));
  }
  // As write(), with a set of `text` that is a default.
  Log& take_default(char by, When when, const std::string& edits, const std::string& text) {
    write(by, when, edits);
    Edit edit = decode_op(op(1).does(R"("set":{"text":)" + text + "}").json())->edits[0];
    edit.weak = true;
    ops_.back().op.edits.push_back(std::move(edit));
    return *this;
  }
  Log& move(char by, Seq seq, EditKind kind, std::int64_t amount) {
    Value value{ValueType::kInteger, std::to_string(amount), amount, static_cast<double>(amount),
                0};
    return place(by, {seq, seq, 0}, bare(by, Edit{kind, "places", {std::move(value)}, false}));
  }
  Log& reclaim(char by, Seq seq, char lost) {
    Value value{ValueType::kString, fmt::format("\"{}\"", id_of(lost)), 0, 0, 10};
    return place(by, {seq, seq, 0},
                 bare(by, Edit{EditKind::kReclaim, "places", {std::move(value)}, false}));
  }
  Log& settle(char by, When when, Settlement settlement, const std::string& edits = "") {
    if (edits.empty()) {
      place(by, when, bare(by, std::nullopt));
      ops_.back().op.base = when.base;
    } else {
      write(by, when, edits);
    }
    ops_.back().op.settlements.push_back(std::move(settlement));
    return *this;
  }

  Log& on(std::string coll, std::string id) {
    coll_ = std::move(coll);
    id_ = std::move(id);
    return *this;
  }

  [[nodiscard]] ModelRecord outcome() const {
    return simulate::slow_model(ops_, collections()).at(RecordName{"t", coll_, id_});
  }
  [[nodiscard]] std::string visible() const { return outcome().visible; }
  // "field by P/1.0 kind value", joined by "; ".
  [[nodiscard]] std::string conflicts() const {
    std::string all;
    for (const ModelConflict& c : outcome().conflicts) {
      all += fmt::format("{}{} by {}/{}.{} {} {}", all.empty() ? "" : "; ", c.field,
                         static_cast<char>(c.device), c.n, c.part, c.kind, c.value);
    }
    return all;
  }

 private:
  std::uint64_t next(char by) { return ++last_n_[by]; }

  Op bare(char by, std::optional<Edit> edit) {
    Op made;
    made.n = next(by);
    made.scope = "t";
    made.coll = coll_;
    made.id = id_;
    if (edit) made.edits.push_back(std::move(*edit));
    return made;
  }

  Log& place(char by, When when, Op placed) {
    ops_.push_back(PlacedOp{device_of(by), when.seq, when.stamp, std::move(placed)});
    return *this;
  }

  std::string coll_ = "note";
  std::string id_ = "n1";
  std::map<char, std::uint64_t> last_n_;
  std::vector<PlacedOp> ops_;
};

Settlement settlement(char by, std::uint64_t n, bool reopen = false,
                      const std::string& field = "text") {
  return Settlement{field, Dot{device_of(by), n}, 0, reopen};
}

std::string text(const std::string& value) { return R"("set":{"text":")" + value + "\"}"; }

// --- the types --------------------------------------------------------------------------------

TEST(ModelRegister, ShowsTheLatestOfTwoConcurrentValuesWhicheverArrivesFirst) {
  const auto b_first = Log()
                           .write('S', {100, 100}, text("A"))
                           .write('P', {300, 210, 100}, text("B"))
                           .write('Q', {301, 205, 100}, text("C"));
  const auto c_first = Log()
                           .write('S', {100, 100}, text("A"))
                           .write('Q', {300, 205, 100}, text("C"))
                           .write('P', {301, 210, 100}, text("B"));
  for (const Log& log : {b_first, c_first}) {
    EXPECT_EQ(log.visible(), R"({"text":"B"})");
    EXPECT_EQ(log.conflicts(), R"(text by Q/1.0 concurrent "C")");
  }
}

TEST(ModelRegister, ForgetsALostValueThatItsAuthorReplaced) {
  const auto log = Log()
                       .write('S', {100, 100}, text("A"))
                       .write('P', {300, 210, 100}, text("B"))
                       .write('Q', {301, 205, 100}, text("C"))
                       .write('Q', {302, 220, 100}, text("D"));
  EXPECT_EQ(log.visible(), R"({"text":"D"})");
  EXPECT_EQ(log.conflicts(), R"(text by P/1.0 concurrent "B")");
}

TEST(ModelRegister, KeepsALostValueThatNobodyHasLookedAt) {
  const auto log = Log()
                       .write('S', {100, 100}, text("A"))
                       .write('P', {300, 210, 100}, text("B"))
                       .write('Q', {301, 205, 100}, text("C"))
                       .write('Q', {302, 220, 100}, text("D"))
                       .write('R', {400, 350, 302}, text("E"));
  EXPECT_EQ(log.visible(), R"({"text":"E"})");
  EXPECT_EQ(log.conflicts(), R"(text by P/1.0 concurrent "B")");
}

TEST(ModelRegister, ForgetsABeatenValueWhenSomebodyWritesWhoHadItOnShow) {
  // R had B before it was beaten.
  const auto log = Log()
                       .write('P', {200, 110}, text("B"))
                       .write('Q', {201, 120}, text("C"))
                       .write('R', {300, 210, 200}, text("E"));
  EXPECT_EQ(log.visible(), R"({"text":"E"})");
  EXPECT_EQ(log.conflicts(), R"(text by Q/1.0 concurrent "C")");
}

TEST(ModelRegister, IsAbsentWhenItWasClearedAndTheClearingCompetes) {
  const auto log = Log()
                       .write('S', {100, 100}, text("A"))
                       .write('P', {300, 210, 100}, R"("set":{"text":null})")
                       .write('Q', {301, 205, 100}, text("C"));
  EXPECT_EQ(log.visible(), "{}");
  EXPECT_EQ(log.conflicts(), R"(text by Q/1.0 concurrent "C")");
  const auto lost = Log()
                        .write('S', {100, 100}, text("A"))
                        .write('P', {300, 200, 100}, R"("set":{"text":null})")
                        .write('Q', {301, 205, 100}, text("C"));
  EXPECT_EQ(lost.conflicts(), "text by P/1.0 concurrent null");
}

TEST(ModelRegister, DoesNotCountALostValueThatEqualsTheOneOnShow) {
  auto log = Log().write('P', {200, 110}, text("B")).write('Q', {201, 120}, text("B"));
  EXPECT_EQ(log.conflicts(), "");
  // It shows up again when another value is on show.
  log.write('Q', {300, 250}, text("C"));
  EXPECT_EQ(log.conflicts(), R"(text by P/1.0 concurrent "B")");
}

TEST(ModelRegister, ComparesEqualStampsByDevice) {
  const auto log = Log().write('Q', {200, 110}, text("q")).write('P', {201, 110}, text("p"));
  EXPECT_EQ(log.visible(), R"({"text":"q"})");
}

TEST(ModelRegister, TakesABaseFromTheFutureAsTheOpBefore) {
  const auto log = Log()
                       .write('P', {200, 110}, text("B"))
                       .write('Q', {201, 120, 9999}, text("C"))
                       .write('R', {202, 115}, text("D"));
  EXPECT_EQ(log.visible(), R"({"text":"C"})");
  EXPECT_EQ(log.conflicts(), R"(text by R/1.0 concurrent "D")");
}

TEST(ModelCounter, IsTheSum) {
  const auto log = Log()
                       .write('P', {200, 110}, R"("inc":{"cups":3})")
                       .write('Q', {201, 110, 200}, R"("inc":{"cups":-5,"plates":0})");
  EXPECT_EQ(log.visible(), R"({"cups":-2,"plates":0})");
  EXPECT_EQ(log.conflicts(), "");
}

TEST(ModelSet, LetsAnAddWinOverAConcurrentRemove) {
  const auto log = Log()
                       .write('S', {100, 100}, R"("add":{"tags":["x","y"]})")
                       .write('P', {200, 150, 100}, R"("remove":{"tags":["x"]})")
                       .write('Q', {201, 120, 100}, R"("add":{"tags":["x"]})");
  EXPECT_EQ(log.visible(), R"({"tags":["x","y"]})");
}

TEST(ModelSet, LetsAnAddWinOverARemoveInTheSameOp) {
  const auto log = Log().write('P', {200, 110}, R"("add":{"tags":["x"]},"remove":{"tags":["x"]})");
  EXPECT_EQ(log.visible(), R"({"tags":["x"]})");
}

TEST(ModelSet, RemovesWhatTheRemoverHadSeenAndShowsTheRestInTheOrderOfBytes) {
  const auto log = Log()
                       .write('S', {100, 100}, R"("add":{"tags":["水","b","a"]})")
                       .write('P', {200, 150, 100}, R"("remove":{"tags":["b"]})")
                       .write('Q', {201, 120}, R"("remove":{"tags":["a"]})");
  EXPECT_EQ(log.visible(), R"({"tags":["a","水"]})");
}

TEST(ModelLog, HoldsAllEntriesByStamp) {
  const auto log = Log()
                       .write('P', {20'000, 9000}, R"("append":{"story":["late"]})")
                       .write('Q', {20'001, 5000}, R"("append":{"story":["early",1]})");
  EXPECT_EQ(log.visible(), fmt::format(R"({{"story":[{{"at":{1},"by":"{0}","v":"early"}},)"
                                       R"({{"at":{1},"by":"{0}","v":1}},)"
                                       R"({{"at":{3},"by":"{2}","v":"late"}}]}})",
                                       id_of('Q'), kEpochMs + 1, id_of('P'), kEpochMs + 2));
}

// --- deletes ----------------------------------------------------------------------------------

TEST(ModelDelete, BeatsAConcurrentEditWhicheverArrivesFirst) {
  const auto delete_first = Log()
                                .write('S', {100, 100}, text("A"))
                                .write('P', {120, 110, 100}, R"("del":true)")
                                .write('Q', {130, 125, 100}, text("B"));
  const auto edit_first = Log()
                              .write('S', {100, 100}, text("A"))
                              .write('Q', {120, 115, 100}, text("B"))
                              .write('P', {130, 110, 100}, R"("del":true)");
  for (const Log& log : {delete_first, edit_first}) {
    EXPECT_EQ(log.visible(), "");
    EXPECT_EQ(log.conflicts(), R"(text by Q/1.0 deleted "B")");
  }
}

TEST(ModelDelete, LetsTheRecordBackBySomebodyWhoHadSeenIt) {
  const auto log = Log()
                       .write('S', {100, 100}, R"("set":{"about":"x","text":"A"})")
                       .write('P', {120, 110, 100}, R"("del":true)")
                       .write('Q', {130, 125, 100}, text("B"))
                       .write('Q', {140, 135, 130}, text("B"));
  EXPECT_EQ(log.visible(), R"({"text":"B"})") << "and what the deleter knew stays gone";
  EXPECT_EQ(log.conflicts(), "");
}

TEST(ModelDelete, TakesWhatItHadSeenWithoutAWord) {
  const auto log = Log()
                       .write('S', {100, 100}, R"("set":{"text":"A"},"inc":{"cups":1})")
                       .write('P', {120, 110, 100}, R"("del":true)");
  EXPECT_EQ(log.visible(), "");
  EXPECT_EQ(log.conflicts(), "");
}

TEST(ModelDelete, DoesNotConflictWithAnother) {
  const auto log = Log()
                       .write('S', {100, 100}, text("A"))
                       .write('P', {120, 110, 100}, R"("del":true)")
                       .write('Q', {130, 115, 100}, R"("del":true)")
                       // Had seen one of them only.
                       .write('R', {140, 135, 120}, text("B"));
  EXPECT_EQ(log.visible(), "");
  EXPECT_EQ(log.conflicts(), R"(text by R/1.0 deleted "B")");
}

TEST(ModelDelete, FindsEachHiddenValueOfEachTypeAmongTheConflicts) {
  const auto log = Log()
                       .write('P', {120, 110}, R"("del":true)")
                       .write('Q', {130, 115},
                              R"("set":{"text":null},"inc":{"cups":2},"add":{"tags":["x","y"]},)"
                              R"("append":{"story":["s"]})");
  EXPECT_EQ(log.conflicts(),
            "cups by Q/1.0 deleted 2; story by Q/1.0 deleted \"s\"; tags by Q/1.0 deleted \"x\"; "
            "tags by Q/1.1 deleted \"y\"; text by Q/1.0 deleted null");
}

TEST(ModelDelete, DoesNotCountAHiddenElementThatIsPresentAndCountsEveryHiddenInc) {
  const auto log = Log()
                       .write('P', {120, 110}, R"("del":true)")
                       .write('Q', {130, 115}, R"("add":{"tags":["x"]},"inc":{"cups":2})")
                       .write('R', {140, 135, 130}, R"("add":{"tags":["x"]},"inc":{"cups":2})");
  EXPECT_EQ(log.visible(), R"({"cups":2,"tags":["x"]})");
  EXPECT_EQ(log.conflicts(), "cups by Q/1.0 deleted 2");
}

TEST(ModelDelete, TurnsAConflictThatStoodBeforeIntoADeletedOne) {
  const auto log = Log()
                       .write('P', {200, 110}, text("B"))
                       .write('Q', {201, 120}, text("C"))
                       .write('R', {300, 210, 201}, R"("del":true)");
  EXPECT_EQ(log.visible(), "");
  EXPECT_EQ(log.conflicts(), R"(text by P/1.0 deleted "B")");
}

TEST(ModelDelete, IsNotUndoneByAReviewOfItsConflicts) {
  const auto log = Log()
                       .write('P', {120, 110}, R"("del":true)")
                       .write('Q', {130, 115}, text("B"))
                       .settle('R', {200, 150, 130}, settlement('Q', 1));
  EXPECT_EQ(log.visible(), "");
  EXPECT_EQ(log.conflicts(), "");
}

// --- quotas -----------------------------------------------------------------------------------

std::string lease_text(char by, Seq leased_at, int left) {
  return fmt::format(R"("{}":{{"expires":{},"left":{}}})", id_of(by),
                     ms_from_seq(leased_at) + 12 * kHour, left);
}

Log tablets() {
  return Log()
      .on("gift", "g1")
      .move('S', 100, EditKind::kGrant, 400)
      .move('A', 200, EditKind::kLease, 20)
      .move('B', 300, EditKind::kLease, 20);
}

TEST(ModelQuota, FollowsTheWorkedExample) {
  Log log = tablets();
  EXPECT_EQ(log.visible(),
            fmt::format(R"({{"places":{{"free":360,"granted":400,"leases":{{{},{}}},"spent":0}}}})",
                        lease_text('A', 200, 20), lease_text('B', 300, 20)));
  log.move('A', 400, EditKind::kSpend, 3);
  EXPECT_EQ(log.visible(),
            fmt::format(R"({{"places":{{"free":360,"granted":400,"leases":{{{},{}}},"spent":3}}}})",
                        lease_text('A', 200, 17), lease_text('B', 300, 20)));
  log.reclaim('S', 500, 'B');
  log.move('B', 600, EditKind::kSpend, 1).move('B', 601, EditKind::kSpend, 1);
  EXPECT_EQ(log.visible(),
            fmt::format(R"({{"places":{{"free":380,"granted":400,"leases":{{{}}},"spent":3}}}})",
                        lease_text('A', 200, 17)));
  EXPECT_EQ(log.conflicts(), "places by B/2.0 late 1; places by B/3.0 late 1");
}

TEST(ModelQuota, GivesWhatIsFreeOrAtMostWhatOneLeaseMayHold) {
  const Log log = Log()
                      .on("gift", "g1")
                      .move('S', 100, EditKind::kGrant, 60)
                      .move('A', 200, EditKind::kLease, 400)
                      .move('B', 300, EditKind::kLease, 20);
  EXPECT_EQ(log.visible(),
            fmt::format(R"({{"places":{{"free":0,"granted":60,"leases":{{{},{}}},"spent":0}}}})",
                        lease_text('A', 200, 50), lease_text('B', 300, 10)));
}

TEST(ModelQuota, TakesBackWhatIsReturnedAndLeavesEmptyLeasesOut) {
  const Log log = tablets()
                      .move('A', 400, EditKind::kReturn, 20)
                      .move('B', 401, EditKind::kSpend, 20)
                      .move('S', 402, EditKind::kGrant, -380);
  EXPECT_EQ(log.visible(), R"({"places":{"free":0,"granted":20,"leases":{},"spent":20}})");
}

TEST(ModelQuota, AddsToALeaseAndSetsItsExpiryAnew) {
  const Log log = Log()
                      .on("gift", "g1")
                      .move('S', 100, EditKind::kGrant, 60)
                      .move('A', Seq{5} << kCounterBits, EditKind::kLease, 2)
                      .move('A', Seq{9} << kCounterBits, EditKind::kLease, 3);
  EXPECT_EQ(log.visible(),
            fmt::format(R"({{"places":{{"free":55,"granted":60,"leases":{{{}}},"spent":0}}}})",
                        lease_text('A', Seq{9} << kCounterBits, 5)));
}

TEST(ModelQuota, ForgetsWhatWasReclaimedWhenTheDeviceLeasesAgain) {
  Log log = tablets().reclaim('S', 500, 'B').move('B', 501, EditKind::kLease, 5);
  // The lease holds less, and of what was reclaimed nothing is left: refused, so it is never here.
  log.move('B', 502, EditKind::kSpend, 6).move('B', 503, EditKind::kSpend, 5);
  EXPECT_EQ(log.conflicts(), "");
  EXPECT_EQ(log.visible(),
            fmt::format(R"({{"places":{{"free":375,"granted":400,"leases":{{{}}},"spent":5}}}})",
                        lease_text('A', 200, 20)));
}

TEST(ModelQuota, LetsTheOfficeSettleALateSpend) {
  Log log = tablets().reclaim('S', 500, 'B').move('B', 501, EditKind::kSpend, 4);
  EXPECT_EQ(log.conflicts(), "places by B/2.0 late 4");
  log.settle('R', {600, 600, 501}, settlement('B', 2, false, "places"));
  EXPECT_EQ(log.conflicts(), "");
}

TEST(ModelQuota, NeverLosesAPlace) {
  // granted = free + leased + spent after every move, late spends included.
  Log log =
      tablets().move('B', 400, EditKind::kSpend, 3).reclaim('S', 500, 'B').reclaim('S', 501, 'B');
  log.move('B', 600, EditKind::kSpend, 17).move('B', 601, EditKind::kSpend, 1);
  EXPECT_EQ(log.visible(),
            fmt::format(R"({{"places":{{"free":377,"granted":400,"leases":{{{}}},"spent":3}}}})",
                        lease_text('A', 200, 20)));
  EXPECT_EQ(log.conflicts(), "places by B/3.0 late 17") << "17 were reclaimed, and no more";
}

// --- settling ---------------------------------------------------------------------------------

Log conflict() {
  return Log()
      .write('S', {100, 100}, text("A"))
      .write('P', {200, 120, 100}, text("B"))
      .write('Q', {201, 110, 100}, text("C"));
}

TEST(ModelSettling, EndsTheReviewAndKeepsWhatIsOnShow) {
  const Log log = conflict().settle('R', {300, 250, 201}, settlement('Q', 1));
  EXPECT_EQ(log.visible(), R"({"text":"B"})");
  EXPECT_EQ(log.conflicts(), "");
}

TEST(ModelSettling, TakesTheOther) {
  const Log log = conflict().settle('R', {300, 250, 201}, settlement('Q', 1), text("C"));
  EXPECT_EQ(log.visible(), R"({"text":"C"})");
  EXPECT_EQ(log.conflicts(), "");
  Log later = log;
  later.write('R', {400, 350, 300}, text("D"));
  EXPECT_EQ(later.conflicts(), "") << "it was settled, not only equal";
}

TEST(ModelSettling, WritesAThird) {
  const Log log = conflict().settle('R', {300, 250, 201}, settlement('Q', 1), text("D"));
  EXPECT_EQ(log.visible(), R"({"text":"D"})");
  EXPECT_EQ(log.conflicts(), "");
}

TEST(ModelSettling, IsUndoneByReopening) {
  Log log = conflict().settle('R', {300, 250, 201}, settlement('Q', 1));
  log.settle('R', {400, 350, 300}, settlement('Q', 1, true));
  EXPECT_EQ(log.conflicts(), R"(text by Q/1.0 concurrent "C")");
}

TEST(ModelSettling, CountsTheLatestByStampWhateverTheOrderOfArrival) {
  Log reopened = conflict().settle('R', {300, 280, 201}, settlement('Q', 1, true));
  reopened.settle('T', {301, 270, 201}, settlement('Q', 1));
  EXPECT_EQ(reopened.conflicts(), R"(text by Q/1.0 concurrent "C")");
  Log settled = conflict().settle('R', {300, 270, 201}, settlement('Q', 1, true));
  settled.settle('T', {301, 280, 201}, settlement('Q', 1));
  EXPECT_EQ(settled.conflicts(), "");
}

TEST(ModelSettling, PassesOverWhatIsNoConflict) {
  Log log = conflict().write('Q', {250, 240, 100}, text("D"));
  log.settle('R', {300, 280, 201}, settlement('Q', 1));
  EXPECT_EQ(log.visible(), R"({"text":"D"})");
  EXPECT_EQ(log.conflicts(), R"(text by P/1.0 concurrent "B")");
}

// --- schema versions --------------------------------------------------------------------------

TEST(ModelDefault, StandsWhereNobodyWroteTheField) {
  const Log log = Log().take_default('P', {200, 110}, R"("set":{"about":"x"})", R"("none")");
  EXPECT_EQ(log.visible(), R"({"about":"x","text":"none"})");
}

TEST(ModelDefault, GivesWayToAnyOtherWriteWithoutAWord) {
  const Log earlier = Log()
                          .write('Q', {199, 120}, text("B"))
                          .take_default('P', {200, 150}, R"("set":{"about":"x"})", R"("none")");
  const Log later = Log()
                        .take_default('P', {200, 150}, R"("set":{"about":"x"})", R"("none")")
                        .write('Q', {201, 120}, text("B"));
  for (const Log& log : {earlier, later}) {
    EXPECT_EQ(log.visible(), R"({"about":"x","text":"B"})");
    EXPECT_EQ(log.conflicts(), "");
  }
}

TEST(ModelDefault, DoesNotReplaceWhatItsAuthorWroteBefore) {
  const Log log = Log()
                      .write('P', {199, 120}, text("B"))
                      .take_default('P', {200, 150}, R"("set":{"about":"x"})", R"("none")");
  EXPECT_EQ(log.visible(), R"({"about":"x","text":"B"})");
}

TEST(ModelDefault, DoesNotComeBackWhenTheOtherWriteIsHidden) {
  // R had seen the delete and the default comes with it; Q's text is hidden.
  const Log log = Log()
                      .write('S', {100, 100}, R"("set":{"about":"a"})")
                      .write('S', {110, 110, 100}, R"("del":true)")
                      .write('Q', {120, 115}, text("B"))
                      .take_default('R', {130, 125, 120}, R"("set":{"about":"x"})", R"("none")");
  EXPECT_EQ(log.visible(), R"({"about":"x"})");
  EXPECT_EQ(log.conflicts(), R"(text by Q/1.0 deleted "B")");
}

// --- the log ----------------------------------------------------------------------------------

TEST(Model, ReadsTheLogAndKeepsRecordsApart) {
  const std::string of_n1 = op(1).does(text("A")).json();
  const std::string of_n2 = op(1).on("note", "n2").does(text("B")).json();
  const std::string elsewhere = op(2).in("u").does(text("C")).json();
  const auto records = simulate::slow_model(
      {LoggedOp{device_of('Q'), 2, 300, 130, elsewhere},
       LoggedOp{device_of('P'), 1, 200, 110, of_n1}, LoggedOp{device_of('Q'), 1, 201, 120, of_n2}},
      schemas());
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records.at(RecordName{"t", "note", "n1"}).visible, R"({"text":"A"})");
  EXPECT_EQ(records.at(RecordName{"t", "note", "n2"}).visible, R"({"text":"B"})");
  EXPECT_EQ(records.at(RecordName{"u", "note", "n1"}).visible, R"({"text":"C"})");
}

TEST(Model, HoldsNothingWhereNothingWasApplied) {
  EXPECT_TRUE(simulate::slow_model(std::vector<LoggedOp>{}, schemas()).empty());
}

}  // namespace
}  // namespace waystation::testing

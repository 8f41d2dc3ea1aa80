// What the office looks at: conflicts in full, histories, records that were merged.
#include "storage/review.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "storage/lists.h"
#include "sync/device_id.h"
#include "tests/support/json.h"
#include "tests/support/watched_kv.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

class Reviewing : public ::testing::Test {
 protected:
  static OpText text(std::uint64_t n, const std::string& value) {
    return op(n).does(fmt::format(R"("set":{{"text":"{}"}})", value));
  }
  [[nodiscard]] static ConflictName lost(std::uint64_t device, std::uint64_t n,
                                         const std::string& field = "text",
                                         std::uint32_t part = 0) {
    return ConflictName{"t", "note", "n1", field, Dot{device, n}, part};
  }
  std::string show(const ConflictName& name) {
    const auto shown = show_conflict(world.store(), schemas(), name);
    return shown ? *shown : std::string(waystation::name(shown.error().code));
  }
  // A member of the answer by its path, as JSON.
  std::string at(const std::string& json, const std::string& pointer) {
    if (json.empty() || (json[0] != '{' && json[0] != '[')) return json;
    const JsonText parsed(json);
    auto found = parsed.root().at_pointer(pointer);
    return found.error() != simdjson::SUCCESS ? "nothing" : simdjson::minify(found.value());
  }
  std::string list(bool settled = false, const std::string& scope = "t") {
    ConflictQuery query;
    query.scope = scope;
    query.settled = settled;
    const auto page = list_conflicts(world.store(), query, [](std::string_view) { return true; });
    EXPECT_TRUE(page.ok());
    return page.ok() ? page->items : std::string();
  }
  std::string settle(std::uint64_t device, std::uint64_t n, const char* key = "settle") {
    return fmt::format(R"("{}":[{{"field":"text","by":"{}","n":{},"part":0}}])", key,
                       format_device_id(device), n);
  }

  World world;
  std::uint64_t p = world.enroll({"t"});
  std::uint64_t q = world.enroll({"t"});
};

TEST_F(Reviewing, AConflictTellsWhoWroteWhatHavingSeenWhat) {
  const Seq a = world.push(p, {text(1, "A")}).seq();
  world.now += 1000;
  ASSERT_EQ(world.push(q, {text(1, "C").having_seen(a).written(world.now - 500)}).codes(), "ok");
  world.now += 1000;
  ASSERT_EQ(world.push(p, {text(2, "B").having_seen(a).written(world.now)}).codes(), "ok");

  const std::string shown = show(lost(q, 1));
  EXPECT_EQ(at(shown, "/state"), R"("open")");
  EXPECT_EQ(at(shown, "/kind"), R"("concurrent")");
  EXPECT_EQ(at(shown, "/merge"), R"("register")");
  EXPECT_EQ(at(shown, "/value"), R"("C")");
  EXPECT_EQ(at(shown, "/lost/by"), fmt::format("\"{}\"", format_device_id(q)));
  EXPECT_EQ(at(shown, "/lost/wall"), std::to_string(world.now - 1500));
  EXPECT_EQ(at(shown, "/lost/received"), std::to_string(world.now - 1000));
  EXPECT_EQ(at(shown, "/lost/saw"), R"({"record":"live","value":"A"})");
  EXPECT_EQ(at(shown, "/winner/value"), R"("B")");
  EXPECT_EQ(at(shown, "/winner/n"), "2");
  EXPECT_EQ(at(shown, "/winner/saw"), R"({"record":"live","value":"A"})");
  EXPECT_EQ(at(shown, "/review"), "nothing");
}

TEST_F(Reviewing, AnAuthorSawTheOwnOpsThatItsBaseDoesNotCover) {
  const Seq a = world.push(p, {text(1, "A")}).seq();
  world.now += 1000;
  ASSERT_EQ(world.push(p, {text(2, "B").having_seen(a).written(world.now)}).codes(), "ok");
  // Offline: C, then D over it, then E. Of the three the last alone is a conflict.
  ASSERT_EQ(world
                .push(q, {text(1, "C").having_seen(a).written(world.now - 900),
                          text(2, "D").having_seen(a).written(world.now - 800)})
                .codes(),
            "ok ok");
  EXPECT_EQ(at(show(lost(q, 2)), "/lost/saw"), R"({"record":"live","value":"C"})");
  EXPECT_EQ(show(lost(q, 1)), "http.not_found") << "its author has written the field again";
}

TEST_F(Reviewing, AnAuthorMayHaveSeenNothingOrADeletion) {
  const Seq a = world.push(p, {text(1, "A")}).seq();
  world.now += 1000;
  ASSERT_EQ(world.push(q, {text(1, "C").written(world.now - 990)}).codes(), "ok");
  const std::string shown =
      show(at(show(lost(q, 1)), "/state") == R"("open")" ? lost(q, 1) : lost(p, 1));
  EXPECT_EQ(at(shown, "/lost/saw"), R"({"record":"unknown"})");

  // P deletes what it holds; Q, who has not seen that, edits.
  const Seq gone = world.push(p, {op(2).having_seen(a).does(R"("del":true)")}).seq();
  ASSERT_EQ(world.push(q, {text(2, "D").having_seen(a)}).codes(), "ok");
  const std::string hidden = show(lost(q, 2));
  EXPECT_EQ(at(hidden, "/kind"), R"("deleted")");
  EXPECT_EQ(at(hidden, "/winner/deleted"), "true");
  EXPECT_EQ(at(hidden, "/winner/n"), "2");
  // A third brings the record back, having seen the deletion.
  ASSERT_EQ(
      world.push(kOffice, {text(world.state(kOffice)->applied + 1, "E").having_seen(gone)}).codes(),
      "ok");
  EXPECT_EQ(at(show(lost(q, 2)), "/winner/saw"), R"({"record":"deleted"})");
}

TEST_F(Reviewing, ASettledConflictIsListedAmongTheSettledAndAReopenedOneAmongTheOpen) {
  const Seq a = world.push(p, {text(1, "A")}).seq();
  ASSERT_EQ(world.push(q, {text(1, "C").having_seen(a)}).codes(), "ok");
  ASSERT_EQ(world.push(p, {text(2, "B").having_seen(a).written(kStart + 5)}).codes(), "ok");
  const std::uint64_t loser =
      at(list(), "/by") == fmt::format("\"{}\"", format_device_id(q)) ? q : p;
  const std::uint64_t n = loser == q ? 1 : 2;
  ASSERT_NE(list(), "");
  EXPECT_EQ(list(true), "");

  const std::uint64_t next = world.state(kOffice)->applied + 1;
  world.now += 1000;
  ASSERT_EQ(world.push(kOffice, {op(next).does(settle(loser, n)).written(world.now)}).codes(),
            "ok");
  EXPECT_EQ(list(), "");
  EXPECT_EQ(at(list(true), "/review/by"), fmt::format("\"{}\"", format_device_id(kOffice)));
  EXPECT_EQ(at(list(true), "/review/n"), std::to_string(next));
  EXPECT_EQ(at(show(lost(loser, n)), "/state"), R"("settled")");
  EXPECT_EQ(at(show(lost(loser, n)), "/review/settled"), "true");

  world.now += 1000;
  ASSERT_EQ(world.push(kOffice, {op(next + 1).does(settle(loser, n, "reopen")).written(world.now)})
                .codes(),
            "ok");
  EXPECT_NE(list(), "");
  EXPECT_EQ(list(true), "");
  EXPECT_EQ(at(show(lost(loser, n)), "/state"), R"("open")");
  EXPECT_EQ(at(show(lost(loser, n)), "/review/settled"), "false");
}

TEST_F(Reviewing, ElementsAndEntriesAreNamedByTheirPart) {
  const Seq a = world.push(p, {text(1, "A")}).seq();
  ASSERT_EQ(world.push(p, {op(2).having_seen(a).does(R"("del":true)")}).codes(), "ok");
  ASSERT_EQ(world.push(q, {op(1).having_seen(a).does(R"("add":{"tags":["x","y"]})")}).codes(),
            "ok");
  EXPECT_NE(list().find(R"("part":1)"), std::string::npos) << list();
  EXPECT_EQ(list().find(R"("part":0)"), std::string::npos) << list();
  EXPECT_EQ(at(show(lost(q, 1, "tags", 1)), "/value"), R"("y")");
  EXPECT_EQ(at(show(lost(q, 1, "tags", 1)), "/merge"), R"("set")");
  EXPECT_EQ(show(lost(q, 1, "tags", 2)), "http.not_found");
  EXPECT_EQ(show(lost(q, 7)), "http.not_found");
}

TEST_F(Reviewing, ALateSpendIsShownAsWhatItIs) {
  const auto places = [](std::uint64_t n, const std::string& what) {
    return op(n).on("quota", "gifts").does(what);
  };
  ASSERT_EQ(
      world.push(p, {places(1, R"("grant":{"places":40})"), places(2, R"("lease":{"places":5})")})
          .codes(),
      "ok ok");
  world.pass(std::int64_t{400} * 86'400'000);  // the lease has been taken back
  ASSERT_EQ(world.push(p, {places(3, R"("spend":{"places":2})")}).codes(), "ok");
  ConflictName name{"t", "quota", "gifts", "places", Dot{p, 3}, 0};
  const std::string shown = show(name);
  EXPECT_EQ(at(shown, "/kind"), R"("late")") << shown;
  EXPECT_EQ(at(shown, "/merge"), R"("quota")");
  EXPECT_EQ(at(shown, "/value"), "2");
  EXPECT_EQ(at(shown, "/winner"), "nothing");
}

TEST_F(Reviewing, AHistoryTellsWhoChangedWhatInPages) {
  ASSERT_EQ(world.push(p, {text(1, "A")}).codes(), "ok");
  ASSERT_EQ(world.push(q, {text(1, "B"), op(2).on("note", "n2"), text(3, "C")}).codes(),
            "ok ok ok");
  const auto page = [&](const std::string& after, std::size_t limit) {
    const auto listed =
        list_history(world.store(), schemas(), HistoryQuery{"t", "note", "n1", after, limit});
    EXPECT_TRUE(listed.ok());
    return listed.ok() ? *listed : ListPage{};
  };
  const std::string all = "[" + page("", 100).items + "]";
  EXPECT_EQ(page("", 100).next, "");
  EXPECT_EQ(at(all, "/0/device"), fmt::format("\"{}\"", format_device_id(p)));
  EXPECT_EQ(at(all, "/1/op/set"), R"({"text":"B"})");
  EXPECT_EQ(at(all, "/2/n"), "3");
  EXPECT_EQ(at(all, "/3"), "nothing");

  const ListPage first = page("", 2);
  EXPECT_EQ(at("[" + first.items + "]", "/1/op/set"), R"({"text":"B"})");
  ASSERT_NE(first.next, "");
  const ListPage second = page(first.next, 2);
  EXPECT_EQ(at("[" + second.items + "]", "/0/n"), "3");
  EXPECT_EQ(second.next, "");
  for (const char* damaged : {"x", "1x", "-1", "99999999999999999999"}) {
    const auto listed =
        list_history(world.store(), schemas(), HistoryQuery{"t", "note", "n1", damaged, 2});
    ASSERT_FALSE(listed.ok()) << damaged;
    EXPECT_EQ(listed.error().code, Code::kCursorInvalid);
  }
}

TEST_F(Reviewing, AMergedRecordAnswersWithTheOneItLeadsTo) {
  const auto person = [](std::uint64_t n, const std::string& id, const std::string& what) {
    OpText text = op(n).on("volunteer", id).does(what);
    text.schema = 2;
    return text;
  };
  ASSERT_EQ(world
                .push(p, {person(1, "v1", R"("set":{"name":"一","merged_into":"v2"})"),
                          person(2, "v2", R"("set":{"name":"二","merged_into":"v3"})"),
                          person(3, "v3", R"("set":{"name":"三"})"),
                          person(4, "v4", R"("set":{"name":"四","merged_into":"nobody"})")})
                .codes(),
            "ok ok ok ok");
  const auto follow = [&](const std::string& id) {
    RecordQuery query;
    query.scope = "t";
    query.coll = "volunteer";
    query.id = id;
    const auto page = follow_record(world.store(), schemas(), query);
    EXPECT_TRUE(page.ok());
    return page.ok() ? page->items : std::string();
  };
  EXPECT_EQ(at(follow("v1"), "/id"), R"("v3")");
  EXPECT_EQ(at(follow("v1"), "/redirected_from"), R"(["v1","v2"])");
  EXPECT_EQ(at(follow("v3"), "/redirected_from"), "nothing");
  EXPECT_EQ(at(follow("v4"), "/id"), R"("v4")");
  EXPECT_EQ(follow("nobody"), "");
}

TEST_F(Reviewing, ACollectionIsListedOverAllScopesThatMayBeSeen) {
  for (const char* scope : {"a", "t/u", "z"}) {
    world.have_scope(scope);
    const std::uint64_t next = world.state(kOffice)->applied + 1;
    ASSERT_EQ(
        world.push(kOffice, {op(next).in(scope), op(next + 1).in(scope).on("visit", "x")}).code(0),
        "ok");
  }
  RecordQuery query;
  query.coll = "note";
  query.limit = 1;
  std::vector<std::string> scopes;
  do {
    const auto page =
        list_records(world.store(), query, [](std::string_view scope) { return scope != "t/u"; });
    ASSERT_TRUE(page.ok());
    if (!page->items.empty()) scopes.push_back(at(page->items, "/scope"));
    query.after = page->next;
  } while (!query.after.empty());
  EXPECT_EQ(scopes, (std::vector<std::string>{R"("a")", R"("z")"}));
}

// A conflict of a note that was written that often, in pushes of 1,000.
class ReviewingLongHistory : public Reviewing {
 protected:
  void write_often(std::uint64_t times) {
    Seq seen = 0;
    for (std::uint64_t n = 1; n <= times; n += 1000) {
      std::vector<OpText> ops;
      for (std::uint64_t i = n; i < n + 1000; ++i) {
        ops.push_back(text(i, fmt::format("text {}", i)).written(world.now).having_seen(seen));
      }
      const Answer answer = world.push(p, ops);
      ASSERT_EQ(answer.code(999), "ok");
      last = seen = answer.seq(999);
      world.now += 1000;
    }
    ASSERT_EQ(world.push(q, {text(1, "lost").written(world.now - 5000)}).lost(),
              std::vector<std::string>{"text"});
  }
  // And what it read of the device logs.
  std::pair<std::string, std::uint64_t> show_counted() {
    const auto watch = std::make_shared<WatchedKv::Watch>();
    const auto store = Store::open(std::make_unique<WatchedKv>(world.disk(), watch), {});
    EXPECT_TRUE(store.ok());
    watch->reads = {};
    const auto shown = show_conflict(**store, schemas(), lost(q, 1));
    EXPECT_TRUE(shown.ok());
    return {shown ? *shown : std::string(), watch->of(Column::kDeviceLog)};
  }

  Seq last = 0;  // of the note's author
};

TEST_F(ReviewingLongHistory, ReadsEachChunkOfALogOnce) {
  write_often(5000);
  const auto [shown, reads] = show_counted();
  EXPECT_EQ(at(shown, "/lost/saw"), R"({"record":"unknown"})");
  EXPECT_EQ(at(shown, "/winner/saw/value"), R"("text 4999")");
  EXPECT_EQ(reads, 6U);
}

TEST_F(ReviewingLongHistory, LeavesOutWhatTheAuthorsSawWhereItWouldTakeTooMuch) {
  write_often(11'000);
  const auto [shown, reads] = show_counted();
  EXPECT_EQ(at(shown, "/lost/saw"), "nothing");
  EXPECT_EQ(at(shown, "/winner/saw"), "nothing");
  EXPECT_EQ(at(shown, "/winner/value"), R"("text 11000")");
  EXPECT_EQ(at(shown, "/winner/seq"), std::to_string(last));
  EXPECT_EQ(at(shown, "/lost/received"), std::to_string(world.now));
  EXPECT_EQ(at(shown, "/lost/wall"), std::to_string(world.now - 5000));
  EXPECT_LE(reads, 14U);
}

}  // namespace
}  // namespace waystation::testing

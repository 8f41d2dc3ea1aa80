// Lists from memory against the records as they lie in the store, after whatever was done to them.
#include "storage/list_table.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "storage/list_tables.h"
#include "storage/lists.h"
#include "storage/scope_tree.h"
#include "sync/time_text.h"
#include "tests/support/personal.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

using Json = nlohmann::json;

const View kEverything;

struct Row {
  std::string scope;
  std::string id;
  std::int64_t seq = 0;
  Json fields;  // null: deleted
};

class Lists : public ::testing::Test {
 protected:
  void fill(std::size_t ops) {
    for (const char* scope : {"a", "a/b", "c"}) {
      std::string set = R"("set":{"title":"t")";
      if (std::string(scope) == "a/b") set += R"(,"parent":"a")";
      push({fmt::format(R"("scope":"{}","coll":"scope","id":"{}",{}}})", scope,
                        scope_record_id(scope), set)});
    }
    change(ops);
  }

  void push(const std::vector<std::string>& inside) {
    std::vector<std::string> ops;
    for (const std::string& one : inside) {
      ops.push_back(fmt::format(R"({{"n":{},"wall":{},"mono":0,"boot":"b","base":{},{}}})", ++n,
                                world.now, world.position(), one));
    }
    const Answer answer = world.push_json(device, ops);
    EXPECT_EQ(answer.verdicts.size(), ops.size()) << answer.error_context;
    world.now += 1;
  }

  std::size_t below(std::size_t end) { return random() % end; }

  void change(std::size_t ops) {
    static const std::vector<std::string> kTitles{"清扫 Cleaning", "cleaning \\\"quick\\\"", "义诊",
                                                  "Talk", ""};
    std::vector<std::string> inside;
    for (std::size_t i = 0; i < ops; ++i) {
      const char* scope = std::array{"a", "a/b", "c"}[below(3)];
      const std::string head =
          fmt::format(R"("scope":"{}","coll":"event","id":"e{}")", scope, below(40));
      switch (below(6)) {
        case 0: inside.push_back(head + R"(,"del":true)"); break;
        case 1:
          inside.push_back(head + fmt::format(R"(,"set":{{"headcount":{}}})", below(9)));
          break;
        case 2: inside.push_back(head + R"(,"set":{"headcount":null})"); break;
        case 3:
          inside.push_back(head +
                           fmt::format(R"(,"set":{{"starts":"2026-01-0{}T08:00:00+0{}:00"}})",
                                       1 + below(5), below(2) == 0 ? 0 : 8));
          break;
        default:
          inside.push_back(
              head + fmt::format(R"(,"set":{{"title":"{}"}})", kTitles[below(kTitles.size())]));
      }
      if (inside.size() == 20) {
        push(inside);
        inside.clear();
      }
    }
    if (!inside.empty()) push(inside);
  }

  std::vector<Row> records() {
    std::vector<Row> rows;
    RecordQuery query;
    query.coll = "event";
    query.limit = 1000;
    const auto page = list_records(world.store(), query, [](std::string_view) { return true; });
    EXPECT_TRUE(page.ok());
    EXPECT_TRUE(page->next.empty());
    for (const Json& one : Json::parse("[" + page->items + "]")) {
      rows.push_back(
          {one["scope"], one["id"], one["seq"], one.contains("fields") ? one["fields"] : Json()});
    }
    return rows;
  }

  Json ask(const ListQuery& query, const std::string& under = {}) {
    ListAsk one;
    one.query = query;
    one.query.coll = "event";
    one.under = under;
    one.view = &kEverything;
    for (int attempt = 0; attempt < 100; ++attempt) {
      const auto reply = tables->ask(one);
      EXPECT_TRUE(reply.ok()) << reply.error().context;
      if (!reply.ok()) return {};
      if (!reply->text.empty()) return Json::parse(reply->text);
      while (tables->step()) {
      }
    }
    ADD_FAILURE() << "the table is never ready";
    return {};
  }

  static std::vector<std::string> names(const ListTable::Page& page) {
    std::vector<std::string> out;
    for (const ListTable::Name& row : page.rows) out.push_back(row.scope + "/" + row.id);
    return out;
  }
  static std::vector<std::string> names(const Json& reply) {
    std::vector<std::string> out;
    for (const Json& row : reply["rows"])
      out.push_back(row["scope"].get<std::string>() + "/" + row["id"].get<std::string>());
    return out;
  }

  // By the records themselves, and by nothing that the table does.
  std::vector<std::string> expected(const ListQuery& query, std::size_t& matching) {
    std::vector<Row> found;
    for (Row& row : records()) {
      if (row.fields.is_null() != query.deleted) continue;
      if (!query.scope.empty() && row.scope != query.scope) continue;
      if (matches(row, query)) found.push_back(std::move(row));
    }
    std::sort(found.begin(), found.end(), [&](const Row& a, const Row& b) {
      const auto one = key(a, query.sort);
      const auto other = key(b, query.sort);
      if (one.is_null() != other.is_null()) return other.is_null();
      if (one != other) return (one < other) != query.descending;
      return std::pair(a.scope, a.id) < std::pair(b.scope, b.id);
    });
    matching = found.size();
    std::vector<std::string> out;
    for (std::size_t i = query.offset; i < found.size() && out.size() < query.limit; ++i) {
      out.push_back(found[i].scope + "/" + found[i].id);
    }
    return out;
  }

  static Json key(const Row& row, const std::string& sort) {
    if (sort == "seq") return row.seq;
    if (sort == "id") return row.id;
    if (sort == "scope") return row.scope;
    if (!row.fields.contains(sort) || row.fields[sort].is_null()) return {};
    if (sort == "starts") return parse_time(row.fields[sort].get<std::string>())->ms;
    return row.fields[sort];
  }

  static std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
  }

  static bool matches(const Row& row, const ListQuery& query) {
    for (const ListFilter& filter : query.filters) {
      const Json value = key(row, filter.field);
      if (filter.kind == ListFilter::Kind::kEquals) {
        if (filter.value.empty()
                ? !value.is_null() && value != Json("")
                : value.is_null() || (value.is_string() ? value.get<std::string>() != filter.value
                                                        : value.dump() != filter.value)) {
          return false;
        }
        continue;
      }
      const std::int64_t bound =
          filter.field == "starts" ? parse_time(filter.value)->ms : std::stoll(filter.value);
      if (value.is_null()) return false;
      if (filter.kind == ListFilter::Kind::kFrom && value.get<std::int64_t>() < bound) return false;
      if (filter.kind == ListFilter::Kind::kTo && value.get<std::int64_t>() > bound) return false;
    }
    if (query.text.empty()) return true;
    if (lower(row.id).find(lower(query.text)) != std::string::npos) return true;
    for (const auto& [name, value] : row.fields.items()) {
      if (value.is_string() && lower(value).find(lower(query.text)) != std::string::npos) {
        return true;
      }
    }
    return false;
  }

  ListQuery any_query() {
    ListQuery query;
    query.sort = std::array{"seq", "id", "scope", "title", "headcount", "starts"}[below(6)];
    query.descending = below(2) == 0;
    query.deleted = below(5) == 0;
    if (below(3) == 0) query.scope = std::array{"a", "a/b", "c"}[below(3)];
    if (below(3) == 0) query.text = std::array{"CLEAN", "义", "e1", "\"quick", "zzz"}[below(5)];
    if (below(3) == 0) {
      query.filters.push_back(
          {"title", ListFilter::Kind::kEquals, std::array{"Talk", "", "义诊"}[below(3)]});
    }
    if (below(3) == 0) {
      query.filters.push_back({"headcount",
                               below(2) == 0 ? ListFilter::Kind::kFrom : ListFilter::Kind::kTo,
                               std::to_string(below(9))});
    }
    if (below(4) == 0) {
      query.filters.push_back({"starts",
                               below(2) == 0 ? ListFilter::Kind::kFrom : ListFilter::Kind::kTo,
                               fmt::format("2026-01-0{}T00:00:00Z", 1 + below(5))});
    }
    query.offset = below(3) == 0 ? below(30) : 0;
    query.limit = 1 + below(50);
    return query;
  }

  void limit(std::size_t bytes) {
    tables = std::make_unique<ListTables>(world.store(), schemas(), bytes, Threads::kStepped,
                                          [this] { return clock; });
  }
  // What comes of it when somebody asks for it and it is read.
  std::string read(const std::string& coll) {
    const auto looked = tables->look(coll);
    while (tables->step()) {
    }
    const auto after = looked.ok() ? tables->look(coll) : looked;
    if (!after.ok()) return std::string(name(after.error().code));
    return after->done == 1 ? "ready" : "being read";
  }

  std::int64_t clock = 0;
  World world;
  std::uint64_t device = world.enroll({"*"});
  std::uint64_t n = 0;
  std::mt19937 random{7};
  std::unique_ptr<ListTables> tables = std::make_unique<ListTables>(
      world.store(), schemas(), std::size_t{64} << 20U, Threads::kStepped);
};

TEST_F(Lists, SayWhatTheRecordsSayAfterWhateverWasDone) {
  fill(60);
  for (int round = 0; round < 150; ++round) {
    const ListQuery query = any_query();
    SCOPED_TRACE(fmt::format("round {}: sort {} descending {} q {} deleted {}", round, query.sort,
                             query.descending, query.text, query.deleted));
    std::size_t matching = 0;
    const auto rows = expected(query, matching);
    const Json reply = ask(query);
    ASSERT_EQ(names(reply), rows);
    ASSERT_EQ(reply["matching"], matching);
    if (below(3) == 0) change(1 + below(30));
  }
}

TEST_F(Lists, AreReadAnewWhereMoreHasChangedThanTheyCatchUpWith) {
  fill(20);
  (void)ask({});
  world.now += 1000;
  for (int i = 0; i < 12; ++i) {
    std::vector<std::string> ops;
    for (int k = 0; k < 1000; ++k) {
      ops.push_back(fmt::format(
          R"("scope":"c","coll":"event","id":"m{}-{}","set":{{"title":"many"}})", i, k));
    }
    push(ops);
  }
  ListAsk one;
  one.query.coll = "event";
  one.view = &kEverything;
  const auto behind = tables->ask(one);
  ASSERT_TRUE(behind.ok());
  EXPECT_TRUE(behind->text.empty()) << "it said something while it was 12,000 records behind";
  ListQuery query;
  query.text = "many";
  EXPECT_EQ(ask(query)["matching"], 12'000);
}

TEST_F(Lists, UnderAScopeHoldWhatLiesBelowItAsTheTreeIsNow) {
  fill(0);
  push({R"("scope":"a","coll":"event","id":"one","set":{"title":"x"})",
        R"("scope":"a/b","coll":"event","id":"two","set":{"title":"x"})",
        R"("scope":"c","coll":"event","id":"three","set":{"title":"x"})"});
  ListQuery query;
  query.sort = "id";
  query.descending = false;
  EXPECT_EQ(names(ask(query, "a")), (std::vector<std::string>{"a/one", "a/b/two"}));
  push({R"("scope":"a/b","coll":"scope","id":"a-b","set":{"parent":"c"})"});
  EXPECT_EQ(names(ask(query, "a")), (std::vector<std::string>{"a/one"}));
  EXPECT_EQ(names(ask(query, "c")), (std::vector<std::string>{"c/three", "a/b/two"}));
}

TEST_F(Lists, GiveNoMoreMemoryThanTheyMayHaveAndSaySo) {
  fill(20);
  tables = std::make_unique<ListTables>(world.store(), schemas(), 1000, Threads::kStepped);
  ASSERT_TRUE(tables->look("event").ok());
  while (tables->step()) {
  }
  const auto reply = tables->look("event");
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, Code::kListTooLarge);
}

// Room for one table of so few rows, and not for two.
constexpr std::size_t kRoomForOne = std::size_t{3} << 19U;

TEST_F(Lists, MakeRoomByDroppingTheOneLongestUnused) {
  fill(20);
  limit(kRoomForOne);
  for (const char* coll : {"event", "scope", "event"}) {
    EXPECT_EQ(read(coll), "ready") << coll;
    clock += 31'000;
  }
}

TEST_F(Lists, OfTwoThatDoNotFitTogetherTheOneThatIsLookedAtStays) {
  fill(20);
  limit(kRoomForOne);
  ASSERT_EQ(read("event"), "ready");
  for (int second = 0; second < 100; ++second) {
    clock += 1000;
    EXPECT_EQ(tables->look("event")->done, 1) << second;
    EXPECT_NE(read("scope"), "ready") << second;
  }
}

TEST_F(Lists, ThatWereTooLargeAreTriedAgainAfterATimeThatGrows) {
  fill(20);
  limit(kRoomForOne);
  ASSERT_EQ(read("event"), "ready");
  ASSERT_EQ(read("scope"), "list.too_large");
  clock += 29'000;
  (void)tables->look("event");
  EXPECT_FALSE(tables->look("scope").ok());
  clock += 2'000;
  EXPECT_TRUE(tables->look("scope").ok()) << "half a minute is over";
  EXPECT_EQ(read("scope"), "list.too_large") << "the other is in use";
  clock += 31'000;
  EXPECT_FALSE(tables->look("scope").ok());
  clock += 30'000;
  EXPECT_EQ(read("scope"), "ready") << "nobody looks at the other any more";
}

TEST_F(Lists, ThatWereTooLargeAreTriedAgainWhenOthersHaveMadeRoom) {
  fill(20);
  for (int i = 0; i < 40; ++i) {
    std::vector<std::string> ops;
    for (int k = 0; k < 40; ++k) {
      ops.push_back(fmt::format(R"("scope":"c","coll":"note","id":"n{}-{}","set":{{"text":"{}"}})",
                                i, k, std::string(1'500, 'x')));
    }
    push(ops);
  }
  limit(std::size_t{4} << 20U);
  ASSERT_EQ(read("note"), "ready");
  ASSERT_EQ(read("scope"), "list.too_large");
  clock += 31'000;
  (void)tables->look("note");
  ASSERT_EQ(read("scope"), "list.too_large");
  clock += 31'000;
  EXPECT_FALSE(tables->look("scope").ok());
  ASSERT_EQ(read("event"), "ready") << "in place of the notes";
  EXPECT_EQ(read("scope"), "ready") << "a minute is not over, but there is room";
}

TEST_F(Lists, StayWithinTheirMemoryWhileRecordsCome) {
  fill(20);
  limit(std::size_t{5} << 19U);
  ASSERT_EQ(read("event"), "ready");
  ASSERT_EQ(read("scope"), "ready");
  for (int i = 0; i < 30; ++i) {
    std::vector<std::string> ops;
    for (int k = 0; k < 1000; ++k) {
      ops.push_back(fmt::format(
          R"("scope":"c","coll":"event","id":"m{}-{}","set":{{"title":"many of them"}})", i, k));
    }
    push(ops);
    clock += 1000;
    ListAsk one;
    one.query.coll = "event";
    one.view = &kEverything;
    (void)tables->ask(one);
    tables->keep_up();
    EXPECT_LE(tables->bytes(), tables->most_bytes()) << i;
  }
}

TEST_F(Lists, APageThatLiesDeepIsThereOnceItsOrderIsMade) {
  fill(0);
  for (int i = 0; i < 12; ++i) {
    std::vector<std::string> ops;
    for (int k = 0; k < 1000; ++k) {
      ops.push_back(fmt::format(
          R"("scope":"c","coll":"event","id":"m{:02}-{:03}","set":{{"title":"many"}})", i, k));
    }
    push(ops);
  }
  ListAsk deep;
  deep.query.coll = "event";
  deep.query.sort = "id";
  deep.query.descending = false;
  deep.view = &kEverything;
  (void)ask(deep.query);
  deep.query.offset = ListTable::kPicked;
  deep.query.limit = 2;
  const auto first = tables->ask(deep);
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(first->text.empty()) << "a reader's thread has sorted it all";
  EXPECT_GT(first->done, 0.9);
  ASSERT_TRUE(tables->step());
  EXPECT_FALSE(tables->step());
  const auto second = tables->ask(deep);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(names(Json::parse(second->text)), (std::vector<std::string>{"c/m10-000", "c/m10-001"}));
}

// The same table twice, one with orders that were made while others wrote: both say the same.
TEST_F(Lists, AnOrderIsRightHoweverMuchChangedWhileItWasMade) {
  const Collection& event = *schemas().find("event");
  ListTable ordered(event);
  ListTable plain(event);
  Seq seq = 0;
  const auto put = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string scope(1, static_cast<char>('a' + below(6)));
      const std::string id = fmt::format("e{}", below(60));
      const std::string title(below(20), static_cast<char>('a' + below(3)));
      std::string fields =
          fmt::format(R"({{"headcount":{},"title":"{}"}})", static_cast<int>(below(9)) - 4, title);
      if (below(5) == 0) fields.clear();
      ++seq;
      ASSERT_TRUE(ordered.put(scope, id, seq, fields).ok());
      ASSERT_TRUE(plain.put(scope, id, seq, fields).ok());
    }
    ordered.settle_orders();
    plain.settle_orders();
  };
  for (int round = 0; round < 200; ++round) {
    put(below(40));
    ListQuery query;
    query.sort = std::array{"seq", "id", "scope", "title", "headcount"}[below(5)];
    query.descending = below(2) == 0;
    query.limit = 1000;
    if (!ordered.has_order(query.sort, query.descending)) {
      ordered.begin_order(query.sort, query.descending);
      put(below(20));
      for (bool gathered = false; !gathered;) {
        gathered = ordered.gather_keys(1 + below(50));
        put(below(5));
      }
      ordered.sort_keys();
      put(below(20));
      if (below(5) == 0) {
        ordered.drop_order();
        continue;
      }
      ordered.adopt_order(3);
      ASSERT_LE(ordered.orders(), 3U);
      ASSERT_TRUE(ordered.has_order(query.sort, query.descending));
    }
    const auto one = ordered.select(query, {}, {});
    const auto other = plain.select(query, {}, {});
    ASSERT_FALSE(one.rows.empty() && one.matching > 0);
    ASSERT_EQ(names(one), names(other)) << query.sort << " " << query.descending << " " << round;
  }
}

TEST_F(Lists, TheFieldsOfAQueryAreThoseOfTheCollection) {
  const Collection& event = *schemas().find("event");
  const auto code = [&](const ListQuery& query, const Sight& sight = {}) {
    const Status checked = check_list_query(event, sight, query);
    return checked.ok() ? std::string("ok") : std::string(name(checked.error().code));
  };
  ListQuery query;
  EXPECT_EQ(code(query), "ok");
  query.sort = "remarks";  // a log
  EXPECT_EQ(code(query), "list.field");
  query.sort = "nothing";
  EXPECT_EQ(code(query), "list.field");
  query.sort = "lead";
  EXPECT_EQ(code(query, Sight{true, {"lead"}}), "access.denied");
  query.sort = "seq";
  query.filters = {{"lead", ListFilter::Kind::kEquals, "x"}};
  EXPECT_EQ(code(query), "ok");
  EXPECT_EQ(code(query, Sight{true, {"lead"}}), "access.denied");
  query.filters = {{"lead", ListFilter::Kind::kFrom, "x"}};
  EXPECT_EQ(code(query), "list.field");
  query.filters = {{"headcount", ListFilter::Kind::kFrom, "many"}};
  EXPECT_EQ(code(query), "list.field");
  query.filters = {{"starts", ListFilter::Kind::kTo, "2026-01-01"}};
  EXPECT_EQ(code(query), "list.field");
}

TEST_F(Lists, DoNotSearchWhatTheAskerDoesNotSee) {
  fill(0);
  push({R"("scope":"a","coll":"event","id":"one","set":{"title":"x","lead":"secret"})"});
  ListQuery query;
  query.text = "secret";
  EXPECT_EQ(ask(query)["matching"], 1);
  ListTable table(*schemas().find("event"));
  ASSERT_TRUE(table.put("a", "one", 1, R"({"lead":"secret","title":"x"})").ok());
  table.settle_orders();
  EXPECT_EQ(table.select(query, Sight{true, {"lead"}}, {}).matching, 0U);
}

}  // namespace
}  // namespace waystation::testing

// Lists over many scopes: whoever asks reads what lies in its own scopes, and a page has an end.
#include "storage/lists.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "storage/keys.h"
#include "storage/page_token.h"
#include "sync/limits.h"
#include "tests/support/json.h"
#include "tests/support/watched_kv.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

// Scopes "a" and "c" may be seen, "b" lies between them.
class Lists : public ::testing::Test {
 protected:
  Lists() {
    for (const char* scope : {"a", "b", "c"}) {
      world.have_scope(scope);
      const std::uint64_t n = world.state(kOffice)->applied + 1;
      world.push(kOffice, {op(n).in(scope)});
    }
  }

  // Lost values of the scope's note, as the writer keeps them.
  void have_conflicts(const std::string& scope, std::uint64_t count, bool settled) {
    Batch batch;
    const ConflictRow row{ConflictKind::kConcurrent, 1, R"("lost")", {settled, 2, Dot{kOffice, 1}}};
    for (std::uint64_t n = 1; n <= count; ++n) {
      const Dot dot{settled ? 8U : 9U, n};
      batch.put(Column::kConflicts, keys::conflict(scope, "note", "n1", "text", dot, 0),
                encode_conflict(row));
    }
    ASSERT_TRUE(world.disk().write(batch, Durability::kSynced).ok());
  }
  // Many records like the scope's note.
  void have_records(const std::string& scope, const std::string& coll, int count) {
    std::string bytes;
    ASSERT_TRUE(
        world.disk().get(Column::kRecords, keys::record(scope, "note", "n1"), bytes, nullptr).ok());
    Batch batch;
    for (int i = 0; i < count; ++i) {
      batch.put(Column::kRecords, keys::record(scope, coll, fmt::format("x{:06}", i)), bytes);
    }
    ASSERT_TRUE(world.disk().write(batch, Durability::kSynced).ok());
  }

  static bool may_see(std::string_view scope) { return scope == "a" || scope == "c"; }

  struct Listed {
    std::vector<std::string> scopes;  // of the items
    std::size_t pages = 0;
    std::uint64_t most_reads = 0;  // of a page
    std::string tokens;
  };
  // All pages.
  template <typename Ask>
  Listed all(Ask ask) {
    auto store = Store::open(std::make_unique<WatchedKv>(world.disk(), watch), {});
    EXPECT_TRUE(store.ok());
    Listed listed;
    std::string after;
    do {
      watch->reads = {};
      const Result<ListPage> page = ask(**store, after);
      EXPECT_TRUE(page.ok());
      if (!page) break;
      listed.most_reads = std::max(listed.most_reads, watch->all());
      ++listed.pages;
      const JsonText items("[" + page->items + "]");
      for (const dom::element item : dom::array(items.root())) {
        listed.scopes.push_back(text_of(item, "scope"));
      }
      listed.tokens += page->next + " ";
      after = page->next;
    } while (!after.empty() && listed.pages < 10'000);
    return listed;
  }
  Listed conflicts(bool settled, std::size_t limit, const std::string& scope = "") {
    return all([&](const Store& store, const std::string& after) {
      return list_conflicts(store, {scope, settled, after, limit}, may_see);
    });
  }
  Listed collection(const std::string& coll, std::size_t limit) {
    return all([&](const Store& store, const std::string& after) {
      return list_records(store, {"", coll, "", after, limit}, may_see);
    });
  }

  World world;
  std::shared_ptr<WatchedKv::Watch> watch = std::make_shared<WatchedKv::Watch>();
};

using Scopes = std::vector<std::string>;

TEST_F(Lists, OfConflictsCostADeviceNothingOfOtherScopes) {
  for (const bool settled : {true, false}) {
    have_conflicts("b", 100'000, settled);
    have_conflicts("a", 1, settled);
    have_conflicts("c", 1, settled);
  }
  for (const bool settled : {true, false}) {
    const Listed one_by_one = conflicts(settled, 1);
    EXPECT_EQ(one_by_one.scopes, (Scopes{"a", "c"}));
    EXPECT_LE(one_by_one.most_reads, 20U);
    EXPECT_LE(one_by_one.pages, 3U);
    const Listed together = conflicts(settled, 1000);
    EXPECT_EQ(together.scopes, (Scopes{"a", "c"}));
    EXPECT_LE(together.most_reads, 20U);
    EXPECT_EQ(together.pages, 1U);
  }
}

TEST_F(Lists, OfConflictsEndAPageThatFindsNothingAndGoOnFromThere) {
  have_conflicts("a", 30'000, true);
  have_conflicts("c", 3, false);
  for (const char* scope : {"", "a"}) {
    const Listed open = conflicts(false, 100, scope);
    EXPECT_EQ(open.scopes, *scope == 'a' ? Scopes{} : Scopes(3, "c"));
    EXPECT_LE(open.most_reads, 1000U);
    EXPECT_GT(open.pages, 20U);
  }
  const Listed settled = conflicts(true, 1000);
  EXPECT_EQ(settled.scopes, Scopes(30'000, "a"));
  EXPECT_LE(settled.most_reads, 2 * limits::kPageRecords);
}

TEST_F(Lists, OfACollectionCostADeviceNothingOfOtherScopes) {
  have_records("b", "visit", 20'000);
  have_records("b", "aaa", 20'000);
  have_records("a", "aaa", 20'000);  // before the collection, and of no interest
  have_records("a", "visit", 1);
  have_records("c", "visit", 2);
  for (const std::size_t limit : {1U, 1000U}) {
    const Listed visits = collection("visit", limit);
    EXPECT_EQ(visits.scopes, (Scopes{"a", "c", "c"}));
    EXPECT_LE(visits.most_reads, 20U);
    EXPECT_LE(visits.pages, 4U);
  }
  EXPECT_EQ(collection("nothing", 1000).pages, 1U);
}

// A page may have to end at a row that its caller does not see.
TEST_F(Lists, TellNoKeyByWhereTheyGoOn) {
  have_conflicts("b", 5000, true);
  for (const char* scope : {"a", "c"}) have_conflicts(scope, 2000, false);
  const View blind(Sight{}, {{"note", Sight{true, {"text"}}}});
  const Listed hidden = all([&](const Store& store, const std::string& after) {
    return list_conflicts(store, {"", false, after, 1, &blind}, may_see);
  });
  EXPECT_EQ(hidden.scopes, Scopes{});
  EXPECT_GT(hidden.pages, 5U);
  for (const std::string& tokens : {hidden.tokens, conflicts(false, 1000).tokens}) {
    for (const char* name : {"text", "74657874", "dGV4d", "RleH", "0ZXh0"}) {  // hex and base64
      EXPECT_EQ(tokens.find(name), std::string::npos) << name;
    }
  }
}

TEST_F(Lists, GoOnFromTheirOwnTokensAlone) {
  have_conflicts("a", 3, false);
  const auto ask = [&](const std::string& after) {
    return list_conflicts(world.store(), {"", false, after, 1}, may_see);
  };
  const std::string token = ask("")->next;
  EXPECT_TRUE(ask(token).ok());
  std::string altered = token;
  altered[altered.size() / 2] = altered[altered.size() / 2] == 'A' ? 'B' : 'A';
  const std::string foreign = page_token(PersonKey{9}, "a");
  for (const std::string& wrong : {altered, foreign, token + "A", token.substr(1), token + "\"",
                                   std::string("6100"), std::string("x"), std::string("\"")}) {
    const auto refused = ask(wrong);
    ASSERT_FALSE(refused.ok()) << wrong;
    EXPECT_EQ(refused.error().code, Code::kCursorInvalid);
  }
}

TEST_F(Lists, OverManyScopesThatHoldNothingOfItEndEachPage) {
  std::vector<OpText> ops;
  const std::uint64_t n = world.state(kOffice)->applied + 1;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    const std::string scope = fmt::format("s{:06}", i);
    ops.push_back(op(n + i).in(scope).on("scope", scope).does(R"("set":{"title":"a"})"));
  }
  ASSERT_EQ(world.push(kOffice, ops).code(4999), "ok");
  const Listed listed = all([&](const Store& store, const std::string& after) {
    return list_records(store, {"", "visit", "", after, 100}, {});
  });
  EXPECT_EQ(listed.scopes, Scopes{});
  EXPECT_LE(listed.most_reads, 1000U);
  EXPECT_GT(listed.pages, 5U);
}

}  // namespace
}  // namespace waystation::testing

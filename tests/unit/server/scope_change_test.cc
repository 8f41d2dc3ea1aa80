// A change of scopes that meets a pull, or a device that goes live, halfway.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "server/fanout.h"
#include "storage/applier.h"
#include "storage/pull.h"
#include "tests/support/watched_kv.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Sink final : public LiveSink {
 public:
  void deliver(Frame frame, std::uint64_t) override { received += *frame; }
  void shut_out(Code) override {}
  std::string received;
};

class ScopeChange : public ::testing::Test {
 protected:
  ScopeChange() {
    for (const char* scope : {"a", "z"}) {
      world.have_scope(scope);
      world.push(kOffice, {note_in(scope, "n1")});
    }
    phone = world.enroll({"a"});
    // From here on over the watched store.
    store = std::move(
        Store::open(std::make_unique<WatchedKv>(world.disk(), watch), std::string(kIncarnation))
            .value());
    applier.emplace(*store, schemas());
    EXPECT_TRUE(applier->start().ok());
    held = page("").head.cursor;
  }

  OpText note_in(const std::string& scope, const std::string& id) {
    return op(world.state(kOffice)->applied + 1).in(scope).on("note", id);
  }
  GroupOutcome apply(Request request) {
    std::vector<Request> group;
    group.push_back(std::move(request));
    return applier->apply(group, ++world.now);
  }
  GroupOutcome set_scopes(const std::vector<std::string>& scopes) {
    return apply(ScopesRequest{phone, scopes, [](const Result<AccountPtr>&) {}});
  }
  GroupOutcome write(const OpText& text) {
    ExchangeRequest request;
    request.device = kOffice;
    request.push = Push{{received(text)}};
    request.done = [](const auto& reply) { EXPECT_TRUE(reply.ok()); };
    return apply(std::move(request));
  }
  PullPage page(const std::string& cursor) {
    auto got = pull(*store, phone, cursor, 1000);
    EXPECT_TRUE(got.ok());
    return std::move(*got);
  }
  static void expect_the_change(const PullPage& page) {
    EXPECT_THAT(page.head.left, ElementsAre("a"));
    EXPECT_THAT(page.items, HasSubstr(R"("scope":"z","coll":"note","id":"n1")"));
    EXPECT_THAT(page.items, Not(HasSubstr(R"("scope":"a")")));
  }

  World world;
  std::uint64_t phone = 0;
  std::shared_ptr<WatchedKv::Watch> watch = std::make_shared<WatchedKv::Watch>();
  std::unique_ptr<Store> store;
  std::optional<Applier> applier;
  std::string held;
};

TEST_F(ScopeChange, RightBeforeAPullLooksComesWithThatPull) {
  watch->before_snapshot = [this] { set_scopes({"z"}); };
  expect_the_change(page(held));
}

TEST_F(ScopeChange, ThatIsCommittedAndNotYetPublishedComesWithThePull) {
  std::optional<PullPage> got;
  watch->after_write = [&] {
    EXPECT_TRUE(store->accounts().find(phone)->holds("a"));
    got = page(held);
  };
  set_scopes({"z"});
  ASSERT_TRUE(got.has_value());
  expect_the_change(*got);
  EXPECT_TRUE(store->accounts().find(phone)->holds("z"));
  EXPECT_THAT(page(got->head.cursor).head.left, IsEmpty());
}

TEST_F(ScopeChange, OfADeviceThatGoesLiveMeanwhileIsWhatItIsSentFromThenOn) {
  Fanout fanout(*store, Threads::kStepped);
  const auto sink = std::make_shared<Sink>();
  const Fanout::Id id = fanout.attach(sink, phone);
  watch->after_write = [&] { fanout.go_live(id, page(held).next.base, 1); };
  const auto tell = [&](const GroupOutcome& outcome) {
    fanout.committed(outcome);
    while (fanout.step()) {
    }
  };
  tell(set_scopes({"z"}));
  tell(write(note_in("z", "gained")));
  EXPECT_THAT(sink->received, HasSubstr(R"("scope":"z","coll":"note","id":"gained")"));
  fanout.written(id);
  tell(write(note_in("a", "left")));
  EXPECT_THAT(sink->received, Not(HasSubstr(R"("scope":"a")")));
}

TEST_F(ScopeChange, ThatFailsIsNotServed) {
  world.disk().fail_after(0);
  set_scopes({"z"});
  EXPECT_TRUE(store->read_only());
  EXPECT_EQ(store->accounts().find(phone)->scopes(), std::vector<std::string>{"a"});
  for (const std::string& cursor : {held, std::string()}) {
    const PullPage got = page(cursor);
    EXPECT_THAT(got.head.left, IsEmpty());
    EXPECT_THAT(got.items, Not(HasSubstr(R"("scope":"z")")));
  }
}

TEST_F(ScopeChange, IsLookedForAtTheCostOfOneRead) {
  watch->reads = {};
  (void)page(held);
  EXPECT_EQ(watch->of(Column::kMeta), 1U);
  EXPECT_EQ(watch->of(Column::kDevices), 1U);
  EXPECT_EQ(watch->all(), 2U);
}

}  // namespace
}  // namespace waystation::testing

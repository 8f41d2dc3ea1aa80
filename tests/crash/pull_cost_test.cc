// What a pull reads follows what changed, not what there is: counted at two sizes of one scope.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "storage/applier.h"
#include "storage/pull.h"
#include "storage/schema_files.h"
#include "storage/verify.h"
#include "sync/limits.h"
#include "tests/process/message_schemas.h"
#include "tests/process/test_server.h"

namespace waystation::testing {
namespace {

constexpr std::size_t kSmall = 10'000;
constexpr std::size_t kLarge = 300'000;
constexpr std::size_t kChanged = 30;
constexpr std::size_t kTimes = 50;
constexpr std::size_t kGroup = 4000;
constexpr std::uint64_t kOffice = 1;
constexpr std::uint64_t kAway = 2;

struct Cost {
  std::size_t changes = 0;
  std::size_t pages = 0;
  PullWork work;
  std::string cursor;
};

class PullCost : public ::testing::Test {
 protected:
  PullCost() {
    auto kv = open_rocks(folder_.path() + "/store", OpenMode::kReadWrite);
    store_ = std::move(Store::open(std::move(kv.value()), std::string(32, 'a')).value());
    schemas_ = load_schemas(WS_SOURCE_DIR "/schemas").value();
    applier_ = std::make_unique<Applier>(*store_, schemas_);
    EXPECT_TRUE(applier_->start().ok());
    enroll(kOffice, "*");
    write("scope", "s", R"("set":{"title":"范围"})");
    finish_group();
    enroll(kAway, "s");
  }

  void enroll(std::uint64_t device, const std::string& scope) {
    std::vector<Request> group;
    CodeRequest code;
    code.code_hash = fmt::format("code {}", device);
    code.code = CodeRow{{scope}, "", 1, now_ms_ + 1'000'000'000};
    code.done = [](const Status& done) { EXPECT_TRUE(done.ok()); };
    EnrollRequest request;
    request.code_hash = code.code_hash;
    request.new_device = device;
    request.done = [](const auto& done) { EXPECT_TRUE(done.ok()); };
    group.emplace_back(std::move(code));
    group.emplace_back(std::move(request));
    applier_->apply(group, ++now_ms_);
  }

  void write(const std::string& coll, const std::string& id, const std::string& edits) {
    auto op = decode_op(fmt::format(
        R"({{"n":{},"scope":"s","coll":"{}","id":"{}","wall":1,"mono":1,"boot":"b",{}}})",
        next_n_++, coll, id, edits));
    schemas_.admit(*op);
    ops_.push_back(std::move(op.value()));
    if (ops_.size() == kGroup) finish_group();
  }

  void finish_group() {
    if (ops_.empty()) return;
    const std::size_t expected = ops_.size();
    std::vector<Request> group;
    ExchangeRequest request;
    request.device = kOffice;
    request.push.emplace(Push{std::move(ops_)});
    request.done = [](const auto& done) { EXPECT_TRUE(done.ok()); };
    group.emplace_back(std::move(request));
    const GroupOutcome outcome = applier_->apply(group, ++now_ms_);
    ASSERT_EQ(outcome.ops, expected);
    ASSERT_EQ(outcome.refused, 0U);
    ops_.clear();
  }

  // From what there is to so many notes. The scope's own record is one of them.
  void grow_to(std::size_t records) {
    for (; records_ < records; ++records_) {
      write("note", fmt::format("n{:06}", records_), R"("set":{"text":"水不够"})");
    }
    finish_group();
  }

  // 30 records, spread over all, each changed 50 times.
  void change_some() {
    for (std::size_t time = 0; time < kTimes; ++time) {
      for (std::size_t i = 0; i < kChanged; ++i) {
        const std::size_t record = 1 + i * (records_ - 1) / kChanged;
        write("note", fmt::format("n{:06}", record),
              fmt::format(R"("set":{{"text":"{} {}"}})", records_, time));
      }
      if (time % 7 == 0) finish_group();
    }
    finish_group();
  }

  Cost pull_all(const std::string& cursor) {
    Cost cost;
    cost.cursor = cursor;
    while (true) {
      const auto page = pull(*store_, kAway, cost.cursor, limits::kPageRecords);
      EXPECT_TRUE(page.ok());
      if (!page) return cost;
      ++cost.pages;
      cost.changes += page->count;
      cost.work.index_entries += page->work.index_entries;
      cost.work.records += page->work.records;
      cost.cursor = page->head.cursor;
      for (const Json& change : Json::parse("[" + page->items + "]")) {
        seen_[change["id"]] = change["fields"].dump();
      }
      if (!page->head.more) return cost;
    }
  }

  // A device is away while some records change often; then it comes back.
  Cost absence() {
    const std::string cursor = pull_all("").cursor;
    change_some();
    seen_.clear();
    const Cost cost = pull_all(cursor);
    for (const auto& [id, fields] : seen_) {
      EXPECT_EQ(fields, fmt::format(R"({{"text":"{} {}"}})", records_, kTimes - 1)) << id;
    }
    return cost;
  }

  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
  Schemas schemas_;
  std::unique_ptr<Applier> applier_;
  std::vector<Op> ops_;
  std::uint64_t next_n_ = 1;
  std::int64_t now_ms_ = 1'767'225'600'000;
  std::size_t records_ = 1;  // with the scope's own
  std::map<std::string, std::string> seen_;
};

TEST_F(PullCost, OfADeviceThatWasAwayDependsOnWhatChangedAlone) {
  grow_to(kSmall);
  const Cost small = absence();
  EXPECT_EQ(small.changes, kChanged);
  EXPECT_EQ(small.pages, 1U);
  EXPECT_EQ(small.work.index_entries, kChanged);
  EXPECT_EQ(small.work.records, kChanged);

  grow_to(kLarge);
  const Cost large = absence();
  EXPECT_EQ(large.changes, small.changes);
  EXPECT_EQ(large.pages, small.pages);
  EXPECT_EQ(large.work.index_entries, small.work.index_entries);
  EXPECT_EQ(large.work.records, small.work.records);
}

TEST_F(PullCost, OfAFirstFillIsEachRecordOnce) {
  grow_to(kSmall);
  change_some();
  const Cost fill = pull_all("");
  EXPECT_EQ(fill.changes, kSmall);
  EXPECT_EQ(seen_.size(), kSmall);
  EXPECT_EQ(fill.work.records, kSmall);
  EXPECT_EQ(fill.work.index_entries, 0U);
  EXPECT_EQ(fill.pages, kSmall / limits::kPageRecords);
}

TEST_F(PullCost, OfNothingNewIsNothing) {
  grow_to(kSmall);
  const Cost fill = pull_all("");
  const Cost again = pull_all(fill.cursor);
  EXPECT_EQ(again.changes, 0U);
  EXPECT_EQ(again.work.index_entries, 0U);
  EXPECT_EQ(again.work.records, 0U);
}

TEST_F(PullCost, OfAFillInSmallPagesIsTheSame) {
  grow_to(500);
  std::set<std::string> ids;
  PullWork work;
  std::string cursor;
  for (bool more = true; more;) {
    const auto page = pull(*store_, kAway, cursor, 7);
    ASSERT_TRUE(page.ok());
    for (const Json& change : Json::parse("[" + page->items + "]")) {
      EXPECT_TRUE(ids.insert(change["id"]).second) << "twice: " << change["id"];
    }
    work.records += page->work.records;
    cursor = page->head.cursor;
    more = page->head.more;
  }
  EXPECT_EQ(ids.size(), 500U);
  EXPECT_EQ(work.records, 500U);
}

}  // namespace
}  // namespace waystation::testing

// The disk that fails as told: what it keeps, what a crash may leave, and each of its faults.
#include "tools/simulate/disk.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/store.h"

namespace waystation::testing {
namespace {

using simulate::share;
using simulate::SimDisk;

Batch puts(const std::string& key, const std::string& value = "v") {
  Batch batch;
  batch.put(Column::kMeta, key, value);
  return batch;
}

Status sync(Kv& disk, const std::string& key) { return disk.write(puts(key), Durability::kSynced); }
Status buffer(Kv& disk, const std::string& key) {
  return disk.write(puts(key), Durability::kBuffered);
}

// The keys that are there, in order: "a b c"; how the reading ended, where it failed.
std::string keys_of(const Kv& disk, const Snapshot* snapshot = nullptr, std::string upper = {},
                    std::string_view from = "") {
  std::string keys;
  auto rows = disk.iterate(Column::kMeta, snapshot, std::move(upper));
  for (rows->seek(from); rows->valid(); rows->next()) {
    keys += (keys.empty() ? "" : " ") + std::string(rows->key());
  }
  if (!rows->status().ok()) keys += " and then " + std::string(name(rows->status().error().code));
  return keys;
}

std::string value_of(const Kv& disk, const std::string& key, const Snapshot* snapshot = nullptr) {
  std::string value = "none";
  const auto found = disk.get(Column::kMeta, key, value, snapshot);
  return found.ok() ? value : std::string(name(found.error().code));
}

std::string code(const Status& status) {
  return status.ok() ? "ok" : std::string(name(status.error().code));
}

const std::string kFailed{name(Code::kIo)};

// --- what it keeps ----------------------------------------------------------------------------

TEST(SimDisk, TakesABatchInItsOrderIntoItsColumns) {
  SimDisk disk;
  Batch batch;
  batch.put(Column::kMeta, "a", "1");
  batch.put(Column::kMeta, "a", "2");
  batch.put(Column::kMeta, "b", "1");
  batch.erase(Column::kMeta, "b");
  batch.erase(Column::kMeta, "never there");
  batch.put(Column::kRecords, "c", "1");
  ASSERT_EQ(code(disk.write(batch, Durability::kSynced)), "ok");
  EXPECT_EQ(value_of(disk, "a"), "2");
  EXPECT_EQ(keys_of(disk), "a");
  std::string value = "unchanged";
  EXPECT_FALSE(*disk.get(Column::kMeta, "c", value));
  EXPECT_EQ(value, "unchanged");
}

TEST(SimDisk, IteratesInTheOrderOfBytesUpToTheBound) {
  SimDisk disk;
  for (const char* key : {"b", "a", "\xFF", "ab", "c"}) ASSERT_TRUE(sync(disk, key).ok());
  EXPECT_EQ(keys_of(disk), "a ab b c \xFF");
  EXPECT_EQ(keys_of(disk, nullptr, "c", "aa"), "ab b");
  EXPECT_EQ(keys_of(disk, nullptr, "", "\xFF\xFF"), "");
}

TEST(SimDisk, KeepsASnapshotAndAnIteratorAsTheyWere) {
  SimDisk disk;
  ASSERT_TRUE(disk.write(puts("a", "1"), Durability::kSynced).ok());
  const auto snapshot = disk.snapshot();
  const auto rows = disk.iterate(Column::kMeta);
  ASSERT_TRUE(disk.write(puts("a", "2"), Durability::kSynced).ok());
  ASSERT_TRUE(sync(disk, "b").ok());
  EXPECT_EQ(value_of(disk, "a", snapshot.get()), "1");
  EXPECT_EQ(keys_of(disk, snapshot.get()), "a");
  EXPECT_EQ(value_of(disk, "a"), "2");
  rows->seek("");
  EXPECT_EQ(rows->value(), "1");
}

TEST(SimDisk, CountsWhatItTook) {
  SimDisk disk;
  ASSERT_TRUE(disk.write(puts("key", "value"), Durability::kSynced).ok());
  ASSERT_TRUE(disk.write(puts("k", "v"), Durability::kBuffered).ok());
  disk.limit_room(0);
  EXPECT_FALSE(sync(disk, "x").ok());
  EXPECT_EQ(disk.synced_writes(), 1U);
  EXPECT_EQ(disk.buffered_writes(), 1U);
  EXPECT_EQ(disk.failed_writes(), 1U);
  EXPECT_EQ(disk.bytes_written(), 10U);
}

// --- crashes ----------------------------------------------------------------------------------

TEST(SimDisk, KeepsAPrefixOfWhatWasNotSynced) {
  for (std::size_t keep = 0; keep < 5; ++keep) {
    SimDisk disk;
    ASSERT_TRUE(buffer(disk, "a").ok());
    ASSERT_TRUE(sync(disk, "b").ok());
    for (const char* key : {"c", "d", "e"}) ASSERT_TRUE(buffer(disk, key).ok());
    ASSERT_EQ(disk.unsynced(), 3U);
    EXPECT_EQ(keys_of(disk), "a b c d e");
    disk.crash(keep);
    const std::array<const char*, 5> left{"a b", "a b c", "a b c d", "a b c d e", "a b c d e"};
    EXPECT_EQ(keys_of(disk), left.at(keep));
    // What is there after a crash stays.
    EXPECT_EQ(disk.unsynced(), 0U);
    disk.crash(0);
    EXPECT_EQ(keys_of(disk), left.at(keep));
  }
}

TEST(SimDisk, TearsAWriteAndLeavesItWhollyOrNotAtAll) {
  for (const bool there : {false, true}) {
    SimDisk disk;
    ASSERT_TRUE(sync(disk, "a").ok());
    ASSERT_TRUE(buffer(disk, "b").ok());
    disk.tear_next_write();
    Batch batch = puts("c");
    batch.put(Column::kMeta, "d", "v");
    batch.erase(Column::kMeta, "a");
    EXPECT_EQ(code(disk.write(batch, Durability::kSynced)), kFailed);
    // The power is off.
    EXPECT_EQ(value_of(disk, "a"), kFailed);
    EXPECT_EQ(keys_of(disk), " and then " + kFailed);
    EXPECT_EQ(code(sync(disk, "x")), kFailed);

    disk.crash(there ? disk.unsynced() : disk.unsynced() - 1);
    EXPECT_EQ(keys_of(disk), there ? "b c d" : "a b");
    EXPECT_EQ(code(sync(disk, "x")), "ok");
  }
}

TEST(SimDisk, FailsASyncAndMayHaveTheBatchAfterACrash) {
  for (const bool there : {false, true}) {
    SimDisk disk;
    ASSERT_TRUE(sync(disk, "a").ok());
    disk.fail_next_sync();
    EXPECT_EQ(code(buffer(disk, "b")), "ok") << "only a sync fails";
    EXPECT_EQ(code(sync(disk, "c")), kFailed);
    EXPECT_EQ(keys_of(disk), "a b") << "reads go on and do not see it";
    EXPECT_EQ(code(sync(disk, "d")), kFailed);
    EXPECT_EQ(code(buffer(disk, "d")), kFailed);

    disk.crash(there ? 2 : 1);
    EXPECT_EQ(keys_of(disk), there ? "a b c" : "a b");
    EXPECT_EQ(code(sync(disk, "x")), "ok");
  }
}

TEST(SimDisk, KeepsSnapshotsOverACrash) {
  SimDisk disk;
  ASSERT_TRUE(buffer(disk, "a").ok());
  const auto snapshot = disk.snapshot();
  disk.crash(0);
  ASSERT_TRUE(sync(disk, "b").ok());
  EXPECT_EQ(keys_of(disk, snapshot.get()), "a");
  EXPECT_EQ(keys_of(disk), "b");
}

TEST(SimDisk, ForgetsArmedFaultsInACrash) {
  SimDisk disk;
  disk.tear_next_write();
  disk.fail_read_after(0);
  disk.crash(0);
  EXPECT_EQ(code(sync(disk, "a")), "ok");
  EXPECT_EQ(value_of(disk, "a"), "v");
}

// --- room and reads ---------------------------------------------------------------------------

TEST(SimDisk, RefusesWhatDoesNotFitUntilThereIsRoom) {
  SimDisk disk;
  disk.limit_room(5);
  EXPECT_EQ(code(sync(disk, "abc")), "ok");  // 4 bytes
  EXPECT_EQ(code(sync(disk, "de")), kFailed);
  EXPECT_EQ(code(buffer(disk, "de")), kFailed);
  EXPECT_EQ(keys_of(disk), "abc");
  EXPECT_EQ(disk.unsynced(), 0U) << "nothing of it can come back";
  disk.crash(0);
  EXPECT_EQ(code(sync(disk, "de")), kFailed) << "a crash gives no room";
  disk.give_room();
  EXPECT_EQ(code(sync(disk, "de")), "ok");
  EXPECT_EQ(keys_of(disk), "abc de");
}

TEST(SimDisk, FailsOneReadWhenItsTimeComes) {
  SimDisk disk;
  for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(sync(disk, key).ok());
  disk.fail_read_after(1);
  EXPECT_EQ(value_of(disk, "a"), "v");
  EXPECT_EQ(value_of(disk, "a"), kFailed);
  EXPECT_EQ(value_of(disk, "a"), "v");
  disk.fail_read_after(2);  // a seek, a next
  EXPECT_EQ(keys_of(disk), "a b and then " + kFailed);
  EXPECT_EQ(keys_of(disk), "a b c");
}

// --- whose it is ------------------------------------------------------------------------------

TEST(SimDisk, GivesABackupOfWhatIsDurableThatGoesItsOwnWay) {
  SimDisk disk;
  ASSERT_TRUE(sync(disk, "a").ok());
  ASSERT_TRUE(buffer(disk, "b").ok());
  const auto backup = disk.copy();
  ASSERT_TRUE(sync(disk, "c").ok());
  ASSERT_TRUE(sync(*backup, "d").ok());
  EXPECT_EQ(keys_of(disk), "a b c");
  EXPECT_EQ(keys_of(*backup), "a d");
  EXPECT_EQ(backup->synced_writes(), 1U);
}

TEST(SimDisk, OutlivesAStoreAndEndsItsHandleWithACrash) {
  const auto disk = std::make_shared<SimDisk>();
  const std::string incarnation = "000102030405060708090a0b0c0d0e0f";
  {
    auto store = Store::open(share(disk), incarnation);
    ASSERT_TRUE(store.ok());
  }
  const auto left = share(disk);
  EXPECT_EQ(code(sync(*left, "a")), "ok");
  disk->crash(0);
  EXPECT_EQ(code(sync(*left, "b")), kFailed);
  EXPECT_EQ(code(sync(*share(disk), "c")), "ok");
  EXPECT_EQ(value_of(*disk, "a"), "v");
  EXPECT_EQ(value_of(*disk, "b"), "none");
  EXPECT_TRUE(Store::open(share(disk), incarnation).ok());
}

// --- against a plain map ----------------------------------------------------------------------

using Plain = std::map<std::string, std::string>;

std::string rows_of(const Plain& plain) {
  std::string all;
  for (const auto& [key, value] : plain) all += key + "=" + value + " ";
  return all;
}

std::string rows_of(const Kv& disk, const Snapshot* snapshot = nullptr) {
  std::string all;
  auto rows = disk.iterate(Column::kMeta, snapshot);
  for (rows->seek(""); rows->valid(); rows->next()) {
    all += std::string(rows->key()) + "=" + std::string(rows->value()) + " ";
  }
  return all;
}

struct Step {
  std::vector<std::pair<std::uint8_t, std::uint8_t>> rows;  // key, value; every third is an erase
  bool synced = false;
  bool looks = false;    // takes a snapshot first
  bool crashes = false;  // afterwards
  std::uint8_t keep = 0;
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  out << (step.looks ? "look, " : "") << (step.synced ? "sync" : "buffer");
  for (const auto& [key, value] : step.rows) {
    out << fmt::format(" {}={}", key % 64, value % 3 == 0 ? "gone" : std::to_string(value));
  }
  return out << (step.crashes ? fmt::format(", crash keeping {}", step.keep) : "");
}

rc::Gen<Step> steps() {
  return rc::gen::build<Step>(
      rc::gen::set(&Step::rows), rc::gen::set(&Step::synced), rc::gen::set(&Step::looks),
      rc::gen::set(&Step::crashes, rc::gen::weightedElement<bool>({{4, false}, {1, true}})),
      rc::gen::set(&Step::keep, rc::gen::inRange<std::uint8_t>(0, 4)));
}

RC_GTEST_PROP(SimDiskAndAMap, HoldTheSame, ()) {
  const auto drawn = *rc::gen::container<std::vector<Step>>(steps());
  SimDisk disk;
  Plain now;
  std::vector<Plain> may_stay{now};  // the durable state, then one after each unsynced batch
  std::vector<std::pair<std::unique_ptr<Snapshot>, std::string>> looks;
  for (const Step& step : drawn) {
    if (step.looks) looks.emplace_back(disk.snapshot(), rows_of(now));
    Batch batch;
    for (const auto& [number, value] : step.rows) {
      const std::string key = std::to_string(number % 64);
      if (value % 3 == 0) {
        batch.erase(Column::kMeta, key);
        now.erase(key);
      } else {
        batch.put(Column::kMeta, key, std::to_string(value));
        now[key] = std::to_string(value);
      }
    }
    RC_ASSERT(disk.write(batch, step.synced ? Durability::kSynced : Durability::kBuffered).ok());
    if (step.synced) may_stay.clear();
    may_stay.push_back(now);
    RC_ASSERT(rows_of(disk) == rows_of(now));
    RC_ASSERT(disk.unsynced() == may_stay.size() - 1);
    RC_ASSERT(rows_of(*disk.copy()) == rows_of(may_stay.front()));
    if (step.crashes) {
      disk.crash(step.keep);
      now = may_stay[std::min<std::size_t>(step.keep, may_stay.size() - 1)];
      may_stay = {now};
      RC_ASSERT(rows_of(disk) == rows_of(now));
    }
  }
  for (const auto& [snapshot, rows] : looks) RC_ASSERT(rows_of(disk, snapshot.get()) == rows);
}

}  // namespace
}  // namespace waystation::testing

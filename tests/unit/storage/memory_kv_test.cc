// The in-memory twin: what the other tests rely on.
#include "storage/memory_kv.h"

#include <gtest/gtest.h>

#include "tests/support/world.h"

namespace waystation::testing {
namespace {

Batch puts(const std::string& key, const std::string& value = "v") {
  Batch batch;
  batch.put(Column::kMeta, key, value);
  return batch;
}

std::string value_of(const MemoryKv& kv, const std::string& key,
                     const Snapshot* snapshot = nullptr) {
  std::string value = "none";
  const auto found = kv.get(Column::kMeta, key, value, snapshot);
  return found.ok() ? value : "failed";
}

TEST(MemoryKv, HoldsWhatWasPutInItsColumn) {
  MemoryKv kv;
  ASSERT_TRUE(kv.write(puts("a"), Durability::kSynced).ok());
  EXPECT_EQ(value_of(kv, "a"), "v");
  std::string value = "unchanged";
  EXPECT_FALSE(*kv.get(Column::kRecords, "a", value, nullptr));
  EXPECT_EQ(value, "unchanged");
}

TEST(MemoryKv, ForgetsWhatWasErased) {
  MemoryKv kv;
  ASSERT_TRUE(kv.write(puts("a"), Durability::kSynced).ok());
  ASSERT_TRUE(kv.write(puts("b"), Durability::kSynced).ok());
  Batch batch;
  batch.erase(Column::kMeta, "a");
  batch.erase_once(Column::kMeta, "b");
  batch.erase(Column::kMeta, "never there");
  ASSERT_TRUE(kv.write(batch, Durability::kSynced).ok());
  EXPECT_TRUE(dump(kv).empty());
}

TEST(MemoryKv, TakesABatchInItsOrder) {
  MemoryKv kv;
  Batch batch;
  batch.put(Column::kMeta, "a", "1");
  batch.put(Column::kMeta, "a", "2");
  batch.put(Column::kMeta, "b", "1");
  batch.erase(Column::kMeta, "b");
  ASSERT_TRUE(kv.write(batch, Durability::kSynced).ok());
  EXPECT_EQ(value_of(kv, "a"), "2");
  EXPECT_EQ(value_of(kv, "b"), "none");
}

TEST(MemoryKv, IteratesInTheOrderOfBytesUpToTheBound) {
  MemoryKv kv;
  for (const char* key : {"b", "a", "\xFF", "ab", "c"}) {
    ASSERT_TRUE(kv.write(puts(key), Durability::kBuffered).ok());
  }
  std::string seen;
  auto rows = kv.iterate(Column::kMeta, nullptr, "c");
  for (rows->seek("a"); rows->valid(); rows->next()) seen += std::string(rows->key()) + " ";
  EXPECT_EQ(seen, "a ab b ");
  EXPECT_TRUE(rows->status().ok());
}

TEST(MemoryKv, KeepsASnapshotAsItWas) {
  MemoryKv kv;
  ASSERT_TRUE(kv.write(puts("a", "1"), Durability::kSynced).ok());
  const auto snapshot = kv.snapshot();
  auto rows = kv.iterate(Column::kMeta, snapshot.get(), {});
  ASSERT_TRUE(kv.write(puts("a", "2"), Durability::kSynced).ok());
  EXPECT_EQ(value_of(kv, "a", snapshot.get()), "1");
  EXPECT_EQ(value_of(kv, "a"), "2");
  rows->seek("");
  EXPECT_EQ(rows->value(), "1");
}

TEST(MemoryKv, FailsTheNthWriteAndAllThatFollow) {
  MemoryKv kv;
  kv.fail_after(2);
  EXPECT_TRUE(kv.write(puts("a"), Durability::kSynced).ok());
  EXPECT_TRUE(kv.write(puts("b"), Durability::kBuffered).ok());
  for (const char* key : {"c", "d"}) {
    const Status failed = kv.write(puts(key), Durability::kSynced);
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().code, Code::kIo);
    EXPECT_EQ(value_of(kv, key), "none");
  }
  EXPECT_EQ(kv.synced_writes(), 1U);
}

TEST(MemoryKv, ForgetsWhatWasNotSyncedWhenItCrashes) {
  MemoryKv kv;
  ASSERT_TRUE(kv.write(puts("synced"), Durability::kSynced).ok());
  ASSERT_TRUE(kv.write(puts("buffered"), Durability::kBuffered).ok());
  EXPECT_EQ(value_of(kv, "buffered"), "v");
  kv.crash();
  EXPECT_EQ(value_of(kv, "synced"), "v");
  EXPECT_EQ(value_of(kv, "buffered"), "none");
}

TEST(MemoryKv, ASyncedWriteMakesTheBufferedOnesBeforeItDurable) {
  MemoryKv kv;
  ASSERT_TRUE(kv.write(puts("buffered"), Durability::kBuffered).ok());
  ASSERT_TRUE(kv.write(puts("synced"), Durability::kSynced).ok());
  kv.crash();
  EXPECT_EQ(value_of(kv, "buffered"), "v");
}

TEST(MemoryKv, CrashesMoreThanOnce) {
  MemoryKv kv;
  ASSERT_TRUE(kv.write(puts("a"), Durability::kSynced).ok());
  kv.crash();
  ASSERT_TRUE(kv.write(puts("b"), Durability::kBuffered).ok());
  kv.crash();
  EXPECT_EQ(value_of(kv, "a"), "v");
  EXPECT_EQ(value_of(kv, "b"), "none");
}

TEST(MemoryKv, TakesWritesAgainAfterACrash) {
  MemoryKv kv;
  kv.fail_after(0);
  EXPECT_FALSE(kv.write(puts("a"), Durability::kSynced).ok());
  kv.crash();
  EXPECT_TRUE(kv.write(puts("a"), Durability::kSynced).ok());
  EXPECT_TRUE(kv.write(puts("b"), Durability::kSynced).ok());
}

}  // namespace
}  // namespace waystation::testing

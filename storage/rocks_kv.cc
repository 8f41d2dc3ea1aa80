// The store on RocksDB. The only file that includes it.

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/merge_operator.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "storage/kv.h"
#include "storage/sums.h"

namespace waystation {
namespace {

constexpr std::array<const char*, kColumns> kColumnNames{
    "default",    "devices",      "device_log", "records", "changes",    "conflicts",
    "quarantine", "digests",      "history",    "timers",  "matches",    "office",
    "audit",      "view_digests", "persons",    "blobs",   "projections"};

constexpr std::size_t kBlockCacheBytes = 128U << 20U;
constexpr std::size_t kWriteBufferBytes = 32U << 20U;
constexpr std::size_t kMaxWalBytes = 256U << 20U;

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const rocksdb::Slice& text) { return {text.data(), text.size()}; }

Error to_error(const rocksdb::Status& status) {
  if (status.IsCorruption()) return Error{Code::kStoreCorrupt, status.ToString()};
  const std::string text = status.ToString();
  if (text.find("lock") != std::string::npos) {
    return Error{Code::kStoreLocked, "another process has the store open: " + text};
  }
  return Error{Code::kIo, text};
}

// Neighbours in the memtable are inserted one after the other, which saves most of each search.
// Stable: two mutations of one key stay in their order.
std::vector<const Batch::Mutation*> in_key_order(const Batch& batch) {
  std::vector<const Batch::Mutation*> order;
  order.reserve(batch.mutations().size());
  for (const Batch::Mutation& mutation : batch.mutations()) order.push_back(&mutation);
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return a->column != b->column ? a->column < b->column : a->key < b->key;
  });
  return order;
}

// Of kProjections. Its name is part of the store.
class AddSums final : public rocksdb::AssociativeMergeOperator {
 public:
  bool Merge(const rocksdb::Slice& /*key*/, const rocksdb::Slice* before,
             const rocksdb::Slice& change, std::string* after,
             rocksdb::Logger* /*log*/) const override {
    *after = added(before == nullptr ? std::string_view() : view(*before), view(change));
    return true;
  }
  [[nodiscard]] const char* Name() const override { return "waystation.sums"; }
};

class RocksSnapshot final : public Snapshot {
 public:
  explicit RocksSnapshot(rocksdb::DB& db) : db_(db), snapshot_(db.GetSnapshot()) {}
  ~RocksSnapshot() override { db_.ReleaseSnapshot(snapshot_); }
  RocksSnapshot(const RocksSnapshot&) = delete;
  RocksSnapshot& operator=(const RocksSnapshot&) = delete;
  [[nodiscard]] const rocksdb::Snapshot* get() const { return snapshot_; }

 private:
  rocksdb::DB& db_;
  const rocksdb::Snapshot* snapshot_;
};

const rocksdb::Snapshot* native(const Snapshot* snapshot) {
  return snapshot == nullptr ? nullptr : static_cast<const RocksSnapshot*>(snapshot)->get();
}

class RocksIterator final : public KvIterator {
 public:
  RocksIterator(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* column,
                const rocksdb::Snapshot* snapshot, std::string upper)
      : upper_(std::move(upper)), upper_slice_(upper_) {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    if (!upper_.empty()) options.iterate_upper_bound = &upper_slice_;
    iterator_.reset(db.NewIterator(options, column));
  }

  void seek(std::string_view key) override { iterator_->Seek(slice(key)); }
  void next() override { iterator_->Next(); }
  [[nodiscard]] bool valid() const override { return iterator_->Valid(); }
  [[nodiscard]] std::string_view key() const override { return view(iterator_->key()); }
  [[nodiscard]] std::string_view value() const override { return view(iterator_->value()); }
  [[nodiscard]] Status status() const override {
    const rocksdb::Status status = iterator_->status();
    return status.ok() ? Status{} : Status{to_error(status)};
  }

 private:
  std::string upper_;
  rocksdb::Slice upper_slice_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksKv final : public Kv {
 public:
  RocksKv(std::unique_ptr<rocksdb::DB> db, std::vector<rocksdb::ColumnFamilyHandle*> columns)
      : db_(std::move(db)), columns_(std::move(columns)) {}

  ~RocksKv() override {
    for (rocksdb::ColumnFamilyHandle* column : columns_) db_->DestroyColumnFamilyHandle(column);
    db_->Close();
  }
  RocksKv(const RocksKv&) = delete;
  RocksKv& operator=(const RocksKv&) = delete;

  Result<bool> get(Column column, std::string_view key, std::string& value,
                   const Snapshot* snapshot) const override {
    rocksdb::ReadOptions options;
    options.snapshot = native(snapshot);
    rocksdb::PinnableSlice pinned;
    const rocksdb::Status status = db_->Get(options, handle(column), slice(key), &pinned);
    if (status.IsNotFound()) return false;
    if (!status.ok()) return to_error(status);
    value.assign(pinned.data(), pinned.size());
    return true;
  }

  std::unique_ptr<KvIterator> iterate(Column column, const Snapshot* snapshot,
                                      std::string upper) const override {
    return std::make_unique<RocksIterator>(*db_, handle(column), native(snapshot),
                                           std::move(upper));
  }

  std::unique_ptr<Snapshot> snapshot() const override {
    return std::make_unique<RocksSnapshot>(*db_);
  }

  Status write(const Batch& batch, Durability durability) override {
    rocksdb::WriteBatch native_batch(batch.bytes() + batch.mutations().size() * 24);
    for (const Batch::Mutation* at : in_key_order(batch)) {
      const Batch::Mutation& mutation = *at;
      rocksdb::ColumnFamilyHandle* column = handle(mutation.column);
      rocksdb::Status status;
      switch (mutation.kind) {
        case Batch::Kind::kPut:
          status = native_batch.Put(column, mutation.key, mutation.value);
          break;
        case Batch::Kind::kErase: status = native_batch.Delete(column, mutation.key); break;
        case Batch::Kind::kEraseOnce:
          status = native_batch.SingleDelete(column, mutation.key);
          break;
        case Batch::Kind::kAdd:
          status = native_batch.Merge(column, mutation.key, mutation.value);
          break;
      }
      if (!status.ok()) return to_error(status);
    }
    rocksdb::WriteOptions options;
    options.sync = durability == Durability::kSynced;
    const rocksdb::Status status = db_->Write(options, &native_batch);
    return status.ok() ? Status{} : Status{to_error(status)};
  }

  // What lies in the log alone is written out first, so that the copy needs no log. Files that
  // never change again are linked where the folder is on the same disk, and copied elsewhere.
  Status checkpoint(const std::string& folder) override {
    rocksdb::Checkpoint* made = nullptr;
    rocksdb::Status status = rocksdb::Checkpoint::Create(db_.get(), &made);
    const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
    if (status.ok()) status = checkpoint->CreateCheckpoint(folder, 0);
    return status.ok() ? Status{} : Status{to_error(status)};
  }

  std::uint64_t written() const override { return db_->GetLatestSequenceNumber(); }

  // Writing out what lies in memory ends the log that it came from; compaction leaves the newest of
  // each key, and what a snapshot still sees.
  Result<bool> purge(Purge what, std::uint64_t written) override {
    std::uint64_t oldest = 0;  // stays where there is no snapshot
    if (!db_->GetIntProperty(rocksdb::DB::Properties::kOldestSnapshotSequence, &oldest) ||
        (oldest != 0 && oldest < written)) {
      return false;
    }
    rocksdb::Status status = db_->Flush(rocksdb::FlushOptions(), columns_);
    if (!status.ok()) return to_error(status);
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const auto column = static_cast<Column>(i);
      const bool keys = column == Column::kPersons || column == Column::kMatches;
      if (what == Purge::kKeys && !keys) continue;
      status = db_->CompactRange(options, columns_[i], nullptr, nullptr);
      if (!status.ok()) return to_error(status);
    }
    return true;
  }

 private:
  [[nodiscard]] rocksdb::ColumnFamilyHandle* handle(Column column) const {
    return columns_[static_cast<std::size_t>(column)];
  }

  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> columns_;
};

rocksdb::ColumnFamilyOptions column_options(const rocksdb::BlockBasedTableOptions& table,
                                            Column column) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = kWriteBufferBytes;
  options.compression = rocksdb::kLZ4Compression;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  if (column == Column::kChanges || column == Column::kTimers || column == Column::kMatches) {
    // A record that changes often leaves erased entries behind: compact where they pile up, so that
    // a pull does not walk over them.
    options.table_properties_collector_factories.push_back(
        rocksdb::NewCompactOnDeletionCollectorFactory(4096, 1024));
  }
  if (column == Column::kProjections) {
    options.merge_operator = std::make_shared<AddSums>();
  }
  return options;
}

rocksdb::DBOptions database_options(OpenMode mode) {
  rocksdb::DBOptions options;
  options.create_if_missing = mode != OpenMode::kReadOnly;
  options.create_missing_column_families = mode != OpenMode::kReadOnly;
  options.paranoid_checks = true;
  options.max_total_wal_size = kMaxWalBytes;
  options.bytes_per_sync = 1U << 20U;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.keep_log_file_num = 4;
  options.max_open_files = mode == OpenMode::kReadOnly ? -1 : 512;
  options.max_background_jobs = 2;
  // An unfinished write at the end is what power loss leaves, and was never acknowledged. Damage
  // before that would lose what was, so it is not passed over unless somebody decides to.
  options.wal_recovery_mode = mode == OpenMode::kRecover
                                  ? rocksdb::WALRecoveryMode::kPointInTimeRecovery
                                  : rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  return options;
}

}  // namespace

Result<std::unique_ptr<Kv>> open_rocks(const std::string& folder, OpenMode mode) {
  std::error_code ignored;
  if (mode != OpenMode::kReadOnly) {
    std::filesystem::create_directories(folder, ignored);
  } else if (!std::filesystem::exists(std::filesystem::path(folder) / "CURRENT", ignored)) {
    return Error{Code::kIo, fmt::format("{} holds no store", folder)};
  }
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  // In parts of a few KiB, read as they are needed: a whole one is some MiB for each file of a
  // large store, which no share of the cache can hold, and would be read anew for each look.
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (std::size_t i = 0; i < kColumns; ++i) {
    descriptors.emplace_back(kColumnNames.at(i), column_options(table, static_cast<Column>(i)));
  }
  rocksdb::DB* db = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> columns;
  const rocksdb::DBOptions options = database_options(mode);
  const rocksdb::Status status =
      mode == OpenMode::kReadOnly
          ? rocksdb::DB::OpenForReadOnly(options, folder, descriptors, &columns, &db)
          : rocksdb::DB::Open(options, folder, descriptors, &columns, &db);
  if (!status.ok() && mode == OpenMode::kReadOnly && status.IsInvalidArgument() &&
      status.ToString().find("olumn family not found") != std::string::npos) {
    return Error{Code::kStoreFormat, "the store has an older layout: start the server on it once"};
  }
  if (!status.ok()) return to_error(status);
  std::unique_ptr<Kv> kv =
      std::make_unique<RocksKv>(std::unique_ptr<rocksdb::DB>(db), std::move(columns));
  return kv;
}

}  // namespace waystation

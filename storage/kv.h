// The key-value store under everything, as one small interface, so that the engine runs on RocksDB
// in the field and on an in-memory twin that fails and forgets in tests and in the simulator.
//
// Threads: all const methods and iterate/snapshot from any thread; write() from one thread at a
// time. A Batch is atomic. After a failed write the store must not be written again (the caller
// goes read-only): what was written is then unknown.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sync/result.h"

namespace waystation {

// The columns of docs/storage-format.md, in the order of their creation. Never renumbered.
enum class Column : std::uint8_t {
  kMeta,
  kDevices,
  kDeviceLog,
  kRecords,
  kChanges,
  kConflicts,
  kQuarantine,
  kDigests,
  kHistory,
  kTimers,
  kMatches,
  kOffice,
  kAudit,
  kViewDigests,
  kPersons,
  kBlobs,
  kProjections,
};
inline constexpr std::size_t kColumns = 17;

class Batch {
 public:
  // kEraseOnce: the key was put exactly once since it was last absent (cheaper to forget).
  // kAdd, of kProjections alone: sums are added to what is there, which nobody reads for it.
  enum class Kind : std::uint8_t { kPut, kErase, kEraseOnce, kAdd };
  struct Mutation {
    Column column;
    Kind kind;
    std::string key;
    std::string value;
  };

  void put(Column column, std::string key, std::string value) {
    bytes_ += key.size() + value.size();
    mutations_.push_back({column, Kind::kPut, std::move(key), std::move(value)});
  }
  void add(Column column, std::string key, std::string sums) {
    bytes_ += key.size() + sums.size();
    mutations_.push_back({column, Kind::kAdd, std::move(key), std::move(sums)});
  }
  void erase(Column column, std::string key) {
    mutations_.push_back({column, Kind::kErase, std::move(key), {}});
  }
  void erase_once(Column column, std::string key) {
    mutations_.push_back({column, Kind::kEraseOnce, std::move(key), {}});
  }
  [[nodiscard]] const std::vector<Mutation>& mutations() const { return mutations_; }
  [[nodiscard]] bool empty() const { return mutations_.empty(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::vector<Mutation> mutations_;
  std::size_t bytes_ = 0;
};

// A fixed view. Iterators over it must end before it does.
class Snapshot {
 public:
  Snapshot() = default;
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  virtual ~Snapshot() = default;
};

class KvIterator {
 public:
  KvIterator() = default;
  KvIterator(const KvIterator&) = delete;
  KvIterator& operator=(const KvIterator&) = delete;
  virtual ~KvIterator() = default;

  virtual void seek(std::string_view key) = 0;  // to the first key at or after it
  virtual void next() = 0;
  [[nodiscard]] virtual bool valid() const = 0;
  [[nodiscard]] virtual std::string_view key() const = 0;    // until the next move
  [[nodiscard]] virtual std::string_view value() const = 0;  // until the next move
  [[nodiscard]] virtual Status status() const = 0;           // why it ended, when not at the end
};

enum class Durability : std::uint8_t { kSynced, kBuffered };
enum class Purge : std::uint8_t { kKeys, kAll };

class Kv {
 public:
  Kv() = default;
  Kv(const Kv&) = delete;
  Kv& operator=(const Kv&) = delete;
  virtual ~Kv() = default;

  // True and `value` filled when the key is there; `value` is unchanged otherwise.
  [[nodiscard]] virtual Result<bool> get(Column column, std::string_view key, std::string& value,
                                         const Snapshot* snapshot = nullptr) const = 0;
  // `upper` (may be empty): keys at or above it are not visited. Not positioned.
  [[nodiscard]] virtual std::unique_ptr<KvIterator> iterate(Column column,
                                                            const Snapshot* snapshot = nullptr,
                                                            std::string upper = {}) const = 0;
  [[nodiscard]] virtual std::unique_ptr<Snapshot> snapshot() const = 0;
  [[nodiscard]] virtual Status write(const Batch& batch, Durability durability) = 0;

  // A copy of all that has been written, synced, in a folder that is not there yet. From one thread
  // at a time, that of write(). Errors: kIo, also from a store that cannot.
  [[nodiscard]] virtual Status checkpoint(const std::string& folder) {
    return Error{Code::kIo, "this store makes no copies: " + folder};
  }

  // A mark of what has been written by now, for purge(). As write().
  [[nodiscard]] virtual std::uint64_t written() const { return 0; }
  // Gets what had been overwritten or erased by `written` off the disk: keys of persons and hashes
  // of names, or everything. False, and nothing is done: somebody reads an older state, so it has
  // to be asked for again later. As write(). Errors: kIo.
  [[nodiscard]] virtual Result<bool> purge(Purge what, std::uint64_t written) {
    (void)what;
    (void)written;
    return true;
  }
};

enum class OpenMode : std::uint8_t {
  kReadWrite,
  kReadOnly,  // beside a running server: a view of what it has flushed or logged by now
  kRecover,   // read-write, taking of a damaged log what comes before the damage
};

// RocksDB. Creates the folder when it opens for writing. A log that ends in an unfinished write
// (power loss) is fine, one that is damaged before its end is kStoreCorrupt: what was acknowledged
// would be missing. Errors: kStoreLocked, kStoreCorrupt, kIo.
[[nodiscard]] Result<std::unique_ptr<Kv>> open_rocks(const std::string& folder, OpenMode mode);

}  // namespace waystation

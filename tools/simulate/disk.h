// A disk that fails as told, behind the interface of storage/kv.h, for the simulator.
//
// What it holds is a row of versions, each a persistent tree (a write copies only the nodes on its
// way, and none while nobody else looks at them), so snapshots, backups and the memory of what was
// synced cost nothing. It is deterministic: the same calls give the same answers.
//
// Between the caller and the medium lies what was written and not synced, batch by batch. A crash
// keeps a prefix of it, as long as the caller says: never a part of a batch, never one without
// those before it. A batch whose write was not answered with "done" (torn, or its sync failed) is
// the last of that row: it may be there after the crash, and nobody was told.
//
// One thread. Snapshots and iterators may outlive a crash (they keep their version) but not the
// disk. share() gives a Kv over a disk that outlives it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/kv.h"

namespace waystation::simulate {

// One column: rows in the byte order of their keys. A value: a copy shares all nodes.
class Rows {
 public:
  struct Row {
    std::string key;
    std::string value;
  };
  struct Node;

  void put(std::string_view key, std::string_view value);
  void erase(std::string_view key);
  [[nodiscard]] const Row* find(std::string_view key) const;

 private:
  friend class RowCursor;
  std::shared_ptr<Node> root_;
};
using Version = std::array<Rows, kColumns>;

class SimDisk final : public Kv {
 public:
  SimDisk() = default;

  Result<bool> get(Column column, std::string_view key, std::string& value,
                   const Snapshot* snapshot = nullptr) const override;
  std::unique_ptr<KvIterator> iterate(Column column, const Snapshot* snapshot = nullptr,
                                      std::string upper = {}) const override;
  std::unique_ptr<Snapshot> snapshot() const override;
  // Errors: kIo, as armed below.
  Status write(const Batch& batch, Durability durability) override;

  // --- faults: each is armed once and strikes once, unless told otherwise ------------------------
  // The power goes during the next write: it is answered with kIo, and so is all that follows, also
  // reads, until crash().
  void tear_next_write() { fault_ = WriteFault::kTorn; }
  // The sync of the next synced write fails: it is answered with kIo, the batch is not seen by
  // reads, and every later write fails until crash(). Reads go on.
  void fail_next_sync() { fault_ = WriteFault::kSyncFails; }
  // There is room for that many more bytes of batches. A write that needs more is answered with
  // kIo and leaves nothing behind; a smaller one after it may still fit.
  void limit_room(std::size_t bytes) { room_ = bytes; }
  void give_room() { room_.reset(); }
  // After `reads` more reads, one fails with kIo. A get, a seek and a next are a read each.
  void fail_read_after(std::size_t reads) const { reads_left_ = reads; }

  // How many batches are not known to be on the medium: what crash() may keep.
  [[nodiscard]] std::size_t unsynced() const { return unsynced_.size(); }
  // The machine goes down and comes up again: of what was not synced the first `keep` batches are
  // there (all, where there are fewer). Ends every armed fault but the lack of room.
  void crash(std::size_t keep);

  [[nodiscard]] std::size_t crashes() const { return crashes_; }

  // A backup: another disk with what a crash would leave for certain. No faults, counts from zero.
  [[nodiscard]] std::shared_ptr<SimDisk> copy() const;

  // --- counts since it was made ------------------------------------------------------------------
  [[nodiscard]] std::size_t synced_writes() const { return synced_writes_; }
  [[nodiscard]] std::size_t buffered_writes() const { return buffered_writes_; }
  [[nodiscard]] std::size_t failed_writes() const { return failed_writes_; }
  // Of all batches that were taken: keys and values.
  [[nodiscard]] std::size_t bytes_written() const { return bytes_written_; }

 private:
  friend class SimIterator;
  enum class WriteFault : std::uint8_t { kNone, kTorn, kSyncFails };
  enum class Power : std::uint8_t { kOn, kReadOnly, kOff };

  [[nodiscard]] Status refuse(const char* why);
  [[nodiscard]] Status read_once() const;  // counts one read, which may be the one that fails

  Version current_;  // what reads see
  Version durable_;
  std::vector<Version> unsynced_;  // after each batch

  WriteFault fault_ = WriteFault::kNone;
  Power power_ = Power::kOn;
  std::optional<std::size_t> room_;
  mutable std::optional<std::size_t> reads_left_;

  std::size_t crashes_ = 0;
  std::size_t synced_writes_ = 0;
  std::size_t buffered_writes_ = 0;
  std::size_t failed_writes_ = 0;
  std::size_t bytes_written_ = 0;
};

// A Kv that lets the simulator keep the disk when the store over it is gone. A crash ends it: what
// is left of a store that wrote before the last crash() cannot write any more (kIo).
[[nodiscard]] std::unique_ptr<Kv> share(std::shared_ptr<SimDisk> disk);

}  // namespace waystation::simulate

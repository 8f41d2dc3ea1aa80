// A record and how ops change it: the merge rules of docs/merge-rules.md.
//
// apply() is a function of the record and the op alone: no clock, no randomness, no I/O. For any
// set of ops whose authors' knowledge is kept (base, and order of n for one device), every order of
// arrival ends in the same visible state and the same open conflicts.
// Plain values; one thread at a time for each record.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sync/op.h"
#include "sync/schema.h"
#include "sync/stamp.h"

namespace waystation {

inline constexpr Seq kStillShown = std::numeric_limits<Seq>::max();

// One write that still counts: on show (live), or lost and waiting for review.
struct Write {
  Dot dot;
  std::uint32_t part = 0;  // place within the op: element of an add, entry of an append
  Stamp stamp = 0;
  // On show for bases in [shown_from, shown_until); both 0: it never was.
  Seq shown_from = 0;
  Seq shown_until = 0;
  bool hidden = false;  // lost: a delete stands that its author had not seen
  std::uint64_t value_hash = 0;
  std::string value;  // canonical JSON; kept for live writes (lost ones lie among the conflicts)

  [[nodiscard]] WriteOrder order() const { return {stamp, dot.device, dot.n, part}; }
};

struct Field {
  std::string name;
  MergeType type = MergeType::kRegister;
  std::int64_t sum = 0;     // counter that is not itemised
  std::vector<Write> live;  // register: at most one; log: in order; itemised counter: incs
  std::vector<Write> lost;  // without their values
};

struct DeviceDelete {
  std::uint64_t device = 0;
  std::uint64_t n = 0;
  Seq seq = 0;
};

enum class ConflictKind : std::uint8_t { kConcurrent = 1, kDeleted = 2 };

// A value that lost to one written without seeing it.
struct Conflict {
  std::string field;
  Dot dot;
  std::uint32_t part = 0;
  ConflictKind kind = ConflictKind::kConcurrent;
  Stamp stamp = 0;
  std::string value;
};

// What an op did besides changing the record.
struct Effects {
  std::vector<Conflict> raised;
  std::vector<Conflict> withdrawn;       // only field, dot and part are set
  std::vector<std::string> lost_fields;  // of this op itself
};

struct OpPlace {
  std::uint64_t device = 0;
  Seq seq = 0;
  Stamp stamp = 0;
};

class Record {
 public:
  // What needs the record's state to be judged (facts, kinds of unknown fields, room). Nothing is
  // changed.
  [[nodiscard]] std::optional<Refusal> check(const Op& op, const Collection& collection) const;

  // Precondition: check() had nothing against it; ops of one device come in order of n; place.seq
  // is above every earlier seq of the record.
  void apply(const Op& op, const OpPlace& place, const Collection& collection, Effects& effects);

  [[nodiscard]] bool exists() const { return seq != 0; }
  [[nodiscard]] bool deleted() const { return deleted_; }

  // The canonical text of what a device sees; empty when deleted. Precondition: exists().
  [[nodiscard]] std::string visible() const;

  // Lost values that differ from the one on show.
  [[nodiscard]] std::size_t open_conflicts() const;
  // What is to be said of a lost value now; nothing when it equals the one on show. `kept` is what
  // was noted when it lost, for a value that is no longer tracked.
  [[nodiscard]] std::optional<ConflictKind> open_kind(std::string_view field, const Dot& dot,
                                                      std::uint32_t part, ConflictKind kept) const;

  [[nodiscard]] const Field* field(std::string_view name) const;
  // About how many bytes its state takes, besides what a device sees.
  [[nodiscard]] std::size_t weight() const;

  // State. Written by apply() and by the codec of storage/ only.
  Seq seq = 0;                        // of the latest applied op, also of one that lost
  std::vector<Field> fields;          // sorted by name
  std::vector<DeviceDelete> deletes;  // the latest of each device
  bool deleted_ = false;              // no visible edit since the latest delete
};

[[nodiscard]] std::uint64_t hash_value(std::string_view json);

}  // namespace waystation

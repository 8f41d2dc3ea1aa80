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
#include "sync/quota.h"
#include "sync/schema.h"
#include "sync/stamp.h"

namespace waystation {

inline constexpr Seq kStillShown = std::numeric_limits<Seq>::max();

// What was last said about a lost value's review; the latest counts. Nothing said: it is open.
struct Review {
  bool settled = false;
  Stamp stamp = 0;
  Dot by;

  [[nodiscard]] WriteOrder order() const { return {stamp, by.device, by.n, 0}; }
  friend bool operator==(const Review&, const Review&) = default;
};

// One write that still counts: on show (live), or lost and waiting for review.
struct Write {
  Dot dot;
  std::uint32_t part = 0;  // place within the op: element of an add, entry of an append
  Stamp stamp = 0;
  // On show for bases in [shown_from, shown_until); both 0: it never was.
  Seq shown_from = 0;
  Seq shown_until = 0;
  bool hidden = false;  // lost: a delete stands that its author had not seen
  // Not hidden: its author has written in its place since, or taken it away, by an edit that is.
  bool renounced = false;
  std::uint64_t value_hash = 0;
  Review review;      // of a lost one
  std::string value;  // canonical JSON; kept for live writes (lost ones lie among the conflicts)

  [[nodiscard]] WriteOrder order() const { return {stamp, dot.device, dot.n, part}; }
};

struct Field {
  std::string name;
  MergeType type = MergeType::kRegister;
  std::int64_t sum = 0;  // counter that is not itemised
  Quota quota;
  std::vector<Write> live;  // register: at most one; log: in order; itemised counter: incs
  std::vector<Write> lost;  // without their values
};

struct DeviceDelete {
  std::uint64_t device = 0;
  std::uint64_t n = 0;
  Seq seq = 0;
};

enum class ConflictKind : std::uint8_t {
  kConcurrent = 1,
  kDeleted = 2,
  kLate = 3,  // a spend from a lease that had been reclaimed
};

// A value that lost to one written without seeing it.
struct Conflict {
  std::string field;
  Dot dot;
  std::uint32_t part = 0;
  ConflictKind kind = ConflictKind::kConcurrent;
  Stamp stamp = 0;
  std::string value;
  Review review = {};  // said before it lost
};

// "concurrent", "deleted", "late".
[[nodiscard]] std::string_view word_for(ConflictKind kind);

struct Reviewed {
  std::string field;
  Dot dot;
  std::uint32_t part = 0;
  Review review;
};

// What an op did to a quota.
struct MovedField {
  std::string field;
  QuotaMove move;
  QuotaMoved done;
};

// What an op did besides changing the record.
struct Effects {
  std::vector<Conflict> raised;
  std::vector<Conflict> withdrawn;  // only field, dot and part are set
  std::vector<Reviewed> reviewed;
  std::vector<std::string> lost_fields;  // of this op itself
  std::optional<MovedField> moved;
};

struct OpPlace {
  std::uint64_t device = 0;
  Seq seq = 0;
  Stamp stamp = 0;
  // Of an op that has had its verdict: what the lease in it was given.
  std::optional<std::int64_t> leased = {};
};

class Record {
 public:
  // What needs the record's state to be judged (facts, kinds of unknown fields, room). Nothing is
  // changed.
  [[nodiscard]] std::optional<Refusal> check(const Op& op, const OpPlace& place,
                                             const Collection& collection) const;

  // Precondition: check() had nothing against it at this place; ops of one device come in order of
  // n; place.seq is above every earlier seq of the record.
  void apply(const Op& op, const OpPlace& place, const Collection& collection, Effects& effects);

  [[nodiscard]] bool exists() const { return seq != 0; }
  [[nodiscard]] bool deleted() const { return deleted_; }
  // Whether an edit of `device`, which has seen the log up to `base`, makes the record: it is not
  // there, or is deleted, and the author knows that. (An edit by whoever has not seen the delete
  // loses to it.)
  [[nodiscard]] bool made_by(std::uint64_t device, Seq base) const;

  // The canonical text of what a device sees; empty when deleted. Precondition: exists().
  [[nodiscard]] std::string visible() const;

  // Lost values that differ from the one on show and are not settled.
  [[nodiscard]] std::size_t open_conflicts() const;
  [[nodiscard]] static std::size_t open_conflicts(const Field& field);
  // What is to be said of a lost value now; nothing when it is settled or equals the one on show.
  // `kept` is what was noted when it lost, for a value that is no longer tracked.
  [[nodiscard]] std::optional<ConflictKind> open_kind(std::string_view field, const Dot& dot,
                                                      std::uint32_t part, ConflictKind kept) const;

  // What a device sees of one field, as canonical JSON; empty where it sees none.
  [[nodiscard]] std::string shown(std::string_view field) const;

  // The text of a register that shows a string, without escapes undone; nothing otherwise.
  [[nodiscard]] std::optional<std::string_view> shown_text(std::string_view field) const;

  // A tombstone that is no longer sent to anybody; the next op about it digs it out. Precondition:
  // deleted().
  void bury();

  [[nodiscard]] const Field* field(std::string_view name) const;
  // About how many bytes its state takes, besides what a device sees.
  [[nodiscard]] std::size_t weight() const;

  // State. Written by apply() and by the codec of storage/ only.
  Seq seq = 0;                        // of the latest applied op, also of one that lost
  Seq born = 0;                       // of the first
  std::vector<Field> fields;          // sorted by name
  std::vector<DeviceDelete> deletes;  // the latest of each device
  // What was said about values that are not lost: should one lose after all (the order of arrival
  // was another one where it was reviewed), it counts from then on. The latest ones.
  std::vector<Reviewed> early_reviews;
  bool deleted_ = false;    // no visible edit since the latest delete
  bool buried = false;      // a tombstone that is no longer sent
  std::int64_t due_ms = 0;  // when the server has to look at it; 0: never
  std::string match;        // what it is listed under among possible duplicates

 private:
  [[nodiscard]] std::optional<Refusal> check_weight(const Op& op, const OpPlace& place,
                                                    const Collection& collection) const;
};

[[nodiscard]] std::uint64_t hash_value(std::string_view json);

}  // namespace waystation

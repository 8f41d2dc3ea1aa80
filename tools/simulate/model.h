// The slow model: from the set of applied ops to what must be on show and among the conflicts.
//
// It is written from the words of docs/merge-rules.md and shares nothing with sync/record.cc, so
// that the two can judge each other. For the merged types no record is changed op by op: each value
// that was ever written is asked what became of it (hidden, beaten, replaced, or on show). Quotas
// are defined by the order of the log and are played in it. The cost of a record is about the
// square of its number of ops.
//
// Pure; any thread. A broken precondition gives some answer that need not make sense.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "sync/op.h"
#include "sync/schema.h"
#include "sync/stamp.h"

namespace waystation::simulate {

struct RecordName {
  std::string scope;
  std::string coll;
  std::string id;
  friend auto operator<=>(const RecordName&, const RecordName&) = default;
};
std::ostream& operator<<(std::ostream& out, const RecordName& name);

// An op that was accepted, as the device log keeps it.
struct LoggedOp {
  std::uint64_t device = 0;  // 0: the server itself
  std::uint64_t n = 0;
  Seq seq = 0;
  Stamp stamp = 0;
  std::string op;  // canonical JSON as received
};

// The same, decoded and carried forward to the current schemas.
struct PlacedOp {
  std::uint64_t device = 0;
  Seq seq = 0;
  Stamp stamp = 0;
  Op op;  // op.n names it; op.base as received
};

struct ModelConflict {
  std::string field;
  std::uint64_t device = 0;  // who wrote the value, and in which op
  std::uint64_t n = 0;
  std::uint32_t part = 0;
  std::string kind;   // concurrent, deleted, late
  std::string value;  // canonical JSON
  friend auto operator<=>(const ModelConflict&, const ModelConflict&) = default;
};
std::ostream& operator<<(std::ostream& out, const ModelConflict& conflict);

struct ModelRecord {
  std::string visible;                   // canonical JSON of the fields; empty when deleted
  std::vector<ModelConflict> conflicts;  // open ones, sorted
  friend bool operator==(const ModelRecord&, const ModelRecord&) = default;
};
std::ostream& operator<<(std::ostream& out, const ModelRecord& record);

using ModelRecords = std::map<RecordName, ModelRecord>;
using Collections = std::map<std::string, Collection, std::less<>>;

// Every record that an op was about, also deleted ones. `ops` in any order.
// Preconditions: all were accepted by a server; each (device, n) and each seq once; a device's seqs
// and stamps rise with n; a stamp is above the op's base and not above its seq. Moves of quotas
// stand on fields that the collection knows. Lost values are followed without a bound
// (limits::kLostPerField).
[[nodiscard]] ModelRecords slow_model(const std::vector<LoggedOp>& ops, const Schemas& schemas);
[[nodiscard]] ModelRecords slow_model(std::vector<PlacedOp> ops, const Collections& collections);

}  // namespace waystation::simulate

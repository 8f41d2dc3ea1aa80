// An op: one edit by one device, decoded and not yet judged.
// Plain values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sync/errors.h"
#include "sync/stamp.h"

namespace waystation {

enum class ValueType : std::uint8_t { kNull, kBool, kInteger, kNumber, kString, kArray, kObject };

// A JSON value: its canonical text (RFC 8785), which is also its identity, and what limits look at.
struct Value {
  ValueType type = ValueType::kNull;
  std::string json;
  std::int64_t integer = 0;         // kInteger
  double number = 0;                // kInteger and kNumber
  std::uint32_t length_points = 0;  // kString: Unicode code points
};

enum class EditKind : std::uint8_t {
  kSet,
  kInc,
  kAdd,
  kRemove,
  kAppend,
  // Moves of a quota: an amount, but for kReclaim, which names a device.
  kGrant,
  kLease,
  kSpend,
  kReturn,
  kReclaim,
};

struct Edit {
  EditKind kind = EditKind::kSet;
  std::string field;
  std::vector<Value> values;  // exactly one for kSet, kInc and moves of a quota
  bool weak = false;          // a default: gives way to any other write, without a word
};

struct Refusal {
  Code code = Code::kInternal;
  std::string detail;  // for people
};

// The end of a conflict's review, or its beginning anew: names the lost value.
struct Settlement {
  std::string field;
  Dot dot;
  std::uint32_t part = 0;
  bool reopen = false;
};

// A refused op, named by who sent it.
struct RefusedName {
  std::uint64_t device = 0;
  std::uint64_t n = 0;
};

struct Op {
  std::uint64_t n = 0;
  std::string scope;
  std::string coll;
  std::string id;
  std::int64_t wall_ms = 0;
  std::int64_t mono_ms = 0;
  std::string boot;
  std::uint32_t schema = 1;
  Seq base = 0;
  std::vector<Edit> edits;
  std::vector<Settlement> settlements;
  std::optional<RefusedName> replays;  // this op is its corrected form
  bool del = false;

  std::string canonical;           // the op as received, as canonical JSON where it has one
  std::optional<Refusal> refusal;  // what decoding or the schema found; the op is kept all the same
  // Refused as it was decoded: of what it holds, its header alone can be told apart (scope, coll
  // and id as far as they are there).
  bool unreadable = false;
};

}  // namespace waystation

// A record as it was: its ops, taken from the device logs in the order of their seqs and applied
// again. For "what did the author see", for the list of who changed what, and for records whose
// schema has a new version. Cost follows the record's history. Const on the store; any thread.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store.h"
#include "sync/record.h"
#include "sync/schema.h"

namespace waystation {

struct PastOp {
  Dot dot;
  Seq seq = 0;
  Stamp stamp = 0;
  std::int64_t received_ms = 0;
  std::string received;                // the op as it came: canonical JSON
  std::optional<std::int64_t> leased;  // what its verdict said that it was given
  Op op;                               // carried forward to the current schema
};

struct PastRange {
  Seq after = 0;  // seqs above it
  std::size_t most = std::numeric_limits<std::size_t>::max();
  // Of the ops as they came. What goes beyond it, by one op, is not followed by more.
  std::size_t bytes = std::numeric_limits<std::size_t>::max();
};

// The applied ops of a record in the order of their seqs, also those written when its collection
// had another name. Errors: kStoreCorrupt, kIo.
[[nodiscard]] Result<std::vector<PastOp>> past_of(const Store& store, const Snapshot& snapshot,
                                                  const Schemas& schemas, std::string_view scope,
                                                  std::string_view coll, std::string_view id,
                                                  const PastRange& range = {});

// One applied op alone. Errors: as past_of.
[[nodiscard]] Result<PastOp> past_op(const Store& store, const Snapshot& snapshot,
                                     const Schemas& schemas, const Dot& dot);

// The record after all of `past` with a seq of at most `until`. What a lease was given stays what
// the device was told; until when it may be spent is reckoned with the collection as it is now.
// `each` is told of the effects of every op.
[[nodiscard]] Record replay(const std::vector<PastOp>& past, const Collection& collection,
                            Seq until,
                            const std::function<void(const PastOp&, const Effects&)>& each = {});

}  // namespace waystation

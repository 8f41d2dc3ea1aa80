// The projections of a store: made, kept beside the records they are counted from, and held against
// a recount. The applier keeps them (storage/counting.cc), in the same batch as the records.
// docs/reports.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "storage/keys.h"
#include "storage/store.h"
#include "sync/projection.h"

namespace waystation {

// --- the rows, as the column has them -----------------------------------------------------------
[[nodiscard]] std::string encode_kept(const KeptRow& row);
[[nodiscard]] Result<KeptRow> decode_kept(std::string_view bytes);
// The kept rows whose keys begin with `prefix`, in their order, until `each` returns false. Errors:
// kStoreCorrupt, kIo.
[[nodiscard]] Status each_kept(const Kv& kv, const Snapshot& snapshot, const std::string& prefix,
                               const std::function<bool(const keys::KeptKey&, KeptRow)>& each);

// Who gets what a recount finds.
class RecountSink {
 public:
  RecountSink() = default;
  RecountSink(const RecountSink&) = delete;
  RecountSink& operator=(const RecountSink&) = delete;
  virtual ~RecountSink() = default;
  [[nodiscard]] virtual Status sums(const std::string& key, const Sums& sums) = 0;  // to be added
  [[nodiscard]] virtual Status row(const std::string& key, const std::string& value) = 0;
};
// Counts all records of a snapshot anew. `progress` is called with each. Errors: kStoreCorrupt,
// kIo, what the sink fails with.
[[nodiscard]] Status recount(const Store& store, const Snapshot& snapshot,
                             const Projections& projections, RecountSink& sink,
                             const std::function<void()>& progress);

struct ProjectionReport {
  bool made = false;          // anew; else they stood
  std::uint64_t records = 0;  // read for it
};
using RecountProgress = std::function<void(std::uint64_t records)>;

// From now on they are kept, and read. They are made anew where what is declared has changed, where
// records were changed past the applier, and with `anew`. Cut off, it is done again. Before the
// applier starts; one thread. Errors: kStoreCorrupt, kIo.
[[nodiscard]] Result<ProjectionReport> adopt_projections(
    Store& store, std::shared_ptr<const Projections> projections,
    const RecountProgress& progress = {}, bool anew = false);

// Whether what is kept is by these declarations. Without: it is made when the server next starts.
[[nodiscard]] Result<bool> projections_stand(const Kv& kv, const Projections& projections,
                                             const Snapshot* snapshot = nullptr);

// Holds what is kept against a recount, at constant memory: `fault` is told of rows that differ, of
// the first ones by name. Returns the number of rows. Errors: as recount().
[[nodiscard]] Result<std::uint64_t> check_projections(
    const Store& store, const Snapshot& snapshot, const Projections& projections,
    const std::function<void(const std::string&)>& fault, const std::function<void()>& progress);

}  // namespace waystation

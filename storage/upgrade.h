// Brings the records of a store to the schemas it is opened with. docs/merge-rules.md, "Schema
// versions". Run before the applier starts; one thread.
#pragma once

#include <cstdint>
#include <functional>

#include "storage/store.h"
#include "sync/schema.h"

namespace waystation {

struct UpgradeReport {
  std::uint64_t collections = 0;  // whose version has changed
  std::uint64_t records = 0;      // made anew
};

// Records of a collection whose schema has migrations since the version they are in are made anew
// from their ops and get new seqs. A run that was cut off is done again. Errors: kSchemaInvalid
// (the schemas are older than the store), kStoreCorrupt, kIo.
[[nodiscard]] Result<UpgradeReport> upgrade(Store& store, const Schemas& schemas,
                                            std::int64_t now_ms);

}  // namespace waystation

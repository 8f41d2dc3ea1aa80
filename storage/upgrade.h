// Brings the records of a store to the schemas it is opened with. docs/merge-rules.md, "Schema
// versions". Run before the applier starts; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "storage/sealed.h"
#include "storage/store.h"
#include "sync/schema.h"

namespace waystation {

struct UpgradeReport {
  std::uint64_t collections = 0;  // whose version has changed
  std::uint64_t records = 0;      // made anew
  std::uint64_t sealed = 0;       // ops whose personal values lay there readable
};

// Records of a collection whose schema has migrations since the version they are in are made anew
// from their ops and get new seqs; so are those of a collection whose personal fields are not the
// ones that were sealed, once its ops are (storage/sealing.h), and then nothing readable stays on
// the disk. A run that was cut off is done again. Errors: kSchemaInvalid (the schemas are older
// than the store), kStoreCorrupt, kIo, kMasterKey.
[[nodiscard]] Result<UpgradeReport> upgrade(
    Store& store, const Schemas& schemas, std::int64_t now_ms,
    const std::function<void(std::span<unsigned char>)>& random = secure_random);

}  // namespace waystation

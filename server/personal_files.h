// The files that personal data depends on and that lie beside the store, not in it: the master key
// and the list of erasures. docs/personal-data.md. One thread; no function throws.
#pragma once

#include <string>

#include "server/config.h"
#include "server/surroundings.h"
#include "storage/keyring.h"
#include "storage/kv.h"

namespace waystation {

// The key for this store. Where it is missing it is made, unless the store has keys that are
// wrapped by it; a rotation that was cut off is ended. Errors: kMasterKey (missing, or another),
// kIo.
[[nodiscard]] Result<MasterKey> open_master_key(const Kv& kv, const Config& config);
// The key as it is, for who only looks. Errors: kMasterKey.
[[nodiscard]] Result<MasterKey> find_master_key(const Kv& kv, const Config& config);

// Where a rotation puts the new key before the store is wrapped by it.
[[nodiscard]] std::string next_master_key_file(const std::string& file);

// In the data folder, and where the configuration says besides.
[[nodiscard]] ErasureJournal erasure_lists(const Config& config);

}  // namespace waystation

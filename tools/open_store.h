// Opening the store of a data folder to look at it, also beside a running server.
#pragma once

#include <memory>

#include "server/config.h"
#include "storage/store.h"
#include "sync/result.h"

namespace waystation {

// The store as it is now: all that the server has acknowledged by this moment; what comes later is
// not seen. Nothing is written; what is sealed can be opened. Errors: as Store::open, kMasterKey.
[[nodiscard]] Result<std::unique_ptr<Store>> open_to_read(const Config& config);

}  // namespace waystation

// A device that a tool uses for the ops that it hands in: enrolled for all scopes at the first use,
// kept in a file of the data folder. One thread.
#pragma once

#include <memory>
#include <string>

#include "tools/client/exchange.h"
#include "tools/client/pusher.h"
#include "tools/client/saved_device.h"

namespace waystation {

// Greets as the saved device, or enrols one under `name` where there is none or the store is
// another. Both outlive what comes back. Errors: kAuthRevoked, kIo, …
[[nodiscard]] Result<std::unique_ptr<Pusher>> greet_as(Exchange& exchange, SavedDevice& saved,
                                                       const std::string& name,
                                                       const std::string& app);

}  // namespace waystation

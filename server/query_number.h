// Whole numbers in the query of a request: from 0 to limits::kMaxInteger. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/service.h"

namespace waystation {

// Nothing: it is not there, or is no such number.
[[nodiscard]] std::optional<std::uint64_t> query_number(const ApiRequest& request,
                                                        const std::string& key);
// `otherwise` where it is not there.
[[nodiscard]] std::optional<std::uint64_t> query_number(const ApiRequest& request,
                                                        const std::string& key,
                                                        std::uint64_t otherwise);

}  // namespace waystation

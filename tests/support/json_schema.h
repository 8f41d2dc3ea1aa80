// Files of the source tree against their JSON Schema (draft-07). Any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace waystation::testing {

// Whether the schema at `path` (from the root of the source tree) has nothing against `file`.
[[nodiscard]] bool fits_schema(const std::string& path, const nlohmann::json& file);

}  // namespace waystation::testing

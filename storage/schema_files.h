// The schema files of a folder, read and checked as one set. Any thread.
#pragma once

#include <string>

#include "sync/result.h"
#include "sync/schema.h"

namespace waystation {

// Reads `folder`/collections/*.json. Errors: kSchemaInvalid (with file, path and reason), kIo.
[[nodiscard]] Result<Schemas> load_schemas(const std::string& folder);

}  // namespace waystation

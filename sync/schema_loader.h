// Reads schema files: each for itself (schema_loader.cc), then what they say of each other
// (schema_versions.cc). Internal to sync/. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sync/result.h"
#include "sync/schema.h"

namespace waystation {

// One file. Errors: kSchemaInvalid, with the file, the path in it and the reason.
[[nodiscard]] Result<Collection> load_collection(const SchemaFile& file);

// All versions of what is one collection, in order and without a gap: versions[i].version is i + 1.
// Where records moved, the versions before the move have the name of the collection before it.
using Versions = std::vector<Collection>;

struct LoadedFile {
  std::string name;
  Collection collection;
};

// Errors: as above.
[[nodiscard]] Result<std::vector<Versions>> link_versions(std::vector<LoadedFile> files);

[[nodiscard]] Error schema_error(std::string_view file, std::string_view path,
                                 std::string_view reason);

}  // namespace waystation

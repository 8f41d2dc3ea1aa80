// The schemas of a simulation: those first released, and the newest. Immutable; any thread.
#pragma once

#include <memory>
#include <string>

#include "sync/projection.h"
#include "sync/result.h"
#include "sync/schema.h"

namespace waystation::simulate {

struct SchemaSets {
  std::shared_ptr<const Schemas> first;  // of each collection version 1 alone
  std::shared_ptr<const Schemas> newest;
  // Those of the shipped ones that go with the schemas.
  std::shared_ptr<const Projections> first_counts;
  std::shared_ptr<const Projections> newest_counts;
};

// Reads `folder`/collections and `folder`/projections. Errors: kSchemaInvalid, kIo.
[[nodiscard]] Result<SchemaSets> load_schema_sets(const std::string& folder);

}  // namespace waystation::simulate

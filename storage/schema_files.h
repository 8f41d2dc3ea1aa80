// The schema files of a folder, read and checked as one set, and the policy file. Any thread.
#pragma once

#include <memory>
#include <string>

#include "sync/policy.h"
#include "sync/projection.h"
#include "sync/report.h"
#include "sync/result.h"
#include "sync/schema.h"

namespace waystation {

// Reads `folder`/collections/*.json. Errors: kSchemaInvalid (with file, path and reason), kIo.
[[nodiscard]] Result<Schemas> load_schemas(const std::string& folder);

// Reads `folder`/projections/*.json; without that folder nothing is counted. Errors: as above.
[[nodiscard]] Result<std::shared_ptr<const Projections>> load_projections(const std::string& folder,
                                                                          const Schemas& schemas,
                                                                          const Zone& zone);

// Reads `folder`/reports/*.json; without that folder there are none. Errors: as above.
[[nodiscard]] Result<Reports> load_reports(const std::string& folder, const Schemas& schemas,
                                           const Projections& projections);

// Errors: kPolicyInvalid (with file, path and reason), kIo.
// What stands in for a policy file beside schemas of one's own that has not been written yet:
// leads, the office and administrators see and write everything, the others nothing.
[[nodiscard]] std::shared_ptr<const Policy> policy_without_file(const Schemas& schemas);
[[nodiscard]] Result<std::shared_ptr<const Policy>> load_policy(const std::string& path,
                                                                const Schemas& schemas);

}  // namespace waystation

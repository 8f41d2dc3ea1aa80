// Why a device may or may not read and write a record, field by field: what the administrator asks
// when somebody does not see what they expected. Const on the store; any thread.
#pragma once

#include <string>

#include "storage/store.h"
#include "sync/result.h"
#include "sync/schema.h"

namespace waystation {

struct AccessQuery {
  std::uint64_t device = 0;
  std::string scope;
  std::string coll;
  std::string id;
};

// {device, name, role, earlier, left, scope, coll, id, exists, read, write, delete, fields:
// [{field, read, write}]}; each decision is {allowed, reason, code, about}, that of a field's write
// with `does`. `code` is the reason for programs: "policy" (about: place, rule), "no_policy",
// "scope_not_held" (scope), "system_scope" (role), "shut_out", "ended", "server_only", or the code
// of the refusal that an op would get (detail). As of now, and as the verdict of an op written now
// would be: what was written before `earlier` ended, or before `left` (ms since 1970, or null), is
// judged by what the device held then. Errors: kHttpNotFound (no such device), kCollectionUnknown,
// kStoreCorrupt, kIo.
[[nodiscard]] Result<std::string> explain_access(const Store& store, const Schemas& schemas,
                                                 const AccessQuery& query);

}  // namespace waystation

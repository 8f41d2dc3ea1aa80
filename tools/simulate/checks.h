// The checkers of whole states, by law. Each looks at the store and at what devices hold, past the
// code that serves them. They are run at the end, and now and then on the way. One thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store.h"
#include "tools/simulate/device.h"
#include "tools/simulate/findings.h"
#include "tools/simulate/policy_model.h"
#include "tools/simulate/witness.h"

namespace waystation::simulate {

// Who was erased: of them devices and the witness know what the store cannot tell any more.
struct Erased {
  const Schemas* schemas = nullptr;
  std::set<std::string> asked;  // persons: it may have been done
  std::set<std::string> done;   // it was answered

  [[nodiscard]] bool about(std::string_view coll, std::string_view id) const;
  [[nodiscard]] bool about(std::string_view op) const;  // as JSON
};

// Law 13 (check_persons.cc): what is personal is sealed, and of the erased nothing is shown.
void check_persons(const Store& store, const Schemas& schemas, const Erased& erased,
                   Findings& findings);

// Laws 1, 2, 12 (check_log.cc): the logs against what was said; no edit twice; each number once;
// what devices held at a restore has come back.
void check_log(const Store& store, const Witness& witness,
               const std::vector<std::string>& must_return, const Erased& erased,
               Findings& findings);

// Laws 3 and 4 (check_merge.cc): what is stored is what the slow model says, conflicts too;
// digests; nothing that `waystation verify` objects to.
void check_merge(const Store& store, const Schemas& schemas, const Erased& erased,
                 Findings& findings);

// Law 10 (check_versions.cc): nothing is on show under a name that only an older version knew.
void check_versions(const Store& store, const Schemas& newest, Findings& findings);

// Law 4 (check_quarantine.cc): every refused op, and every other content under a used number.
void check_quarantine(const Store& store, const Witness& witness, const Erased& erased,
                      Findings& findings);

// Law 7 (check_scopes.cc): each account holds what lies below its branches, by a plain
// recomputation from the records of scopes.
void check_scopes(const Store& store, Findings& findings);

// Laws 3, 5 and 7 (check_device.cc): a device that has caught up holds the live records of its
// scopes, and no others.
void check_device(const Store& store, const PolicyModel& policy, const Device& device,
                  Findings& findings);

// Law 7 (check_scopes.cc): every op that was taken was allowed by a role that its device had.
void check_writes(const Store& store, const Witness& witness, Findings& findings);

// Laws 8 and 9 (check_bounds.cc): stamps, and sums of leases. `latest_ms`: as late as the server's
// clock has ever been.
void check_bounds(const Store& store, const Schemas& schemas, std::int64_t latest_ms,
                  Findings& findings);

// Law 11 (check_bounds.cc): what a connection and a device hold.
void check_queues(const Device& device, Findings& findings);

}  // namespace waystation::simulate

// What people do on their devices: edits over all merge types, on few records, so that they
// collide; and edits that the server must refuse. Drawn from the schemas, so that a new field or
// collection is used without a word here. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sync/replica.h"
#include "sync/schema.h"
#include "tools/simulate/plan.h"
#include "tools/simulate/random.h"

namespace waystation::simulate {

class Workload {
 public:
  // Draws which collections are used, and which of their fields. `schemas`: the newest.
  Workload(const Plan& plan, const Schemas& schemas, Random& random);

  // An edit in one of `scopes` (not empty), as an app with these schemas would make it.
  [[nodiscard]] Draft edit(const Replica& replica, const std::vector<std::string>& scopes,
                           const Schemas& schemas);
  // One that is to be refused, or at least looks odd. `elsewhere`: a scope that exists.
  [[nodiscard]] Draft bad_edit(const Replica& replica, const std::vector<std::string>& scopes,
                               const Schemas& schemas, const std::string& elsewhere);

 private:
  [[nodiscard]] std::string record_id(const Collection& collection);
  [[nodiscard]] std::string value_of(const FieldSpec& field);
  [[nodiscard]] std::string field_edit(const FieldSpec& field, const Replica& replica, bool fresh,
                                       std::string& kind);
  [[nodiscard]] std::string edits_of(const Collection& collection, const std::string& id,
                                     const Replica& replica, bool fresh);

  const Plan& plan_;
  Random& random_;
  std::vector<std::string> collections_;
  std::map<std::string, std::vector<std::string>> fields_;  // few of each, so that edits meet
};

}  // namespace waystation::simulate

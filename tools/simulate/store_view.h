// Reading a store as the checkers do: straight from the keys and values, past what serves devices.
// What is sealed is opened.
// One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/codec.h"
#include "storage/keys.h"
#include "storage/store.h"
#include "tools/simulate/model.h"
#include "tools/simulate/policy_model.h"

namespace waystation::simulate {

struct Logged {
  std::uint64_t device = 0;
  std::uint64_t n = 0;
  LogEntry entry;
};
// Every op of every device log, by device and n. Chunks that do not decode are passed over: verify
// tells of those.
void for_each_logged(const Store& store, const std::function<void(const Logged&)>& each);

struct StoredRecord {
  Seq seq = 0;
  std::string visible;  // empty: deleted
};
[[nodiscard]] std::map<RecordName, StoredRecord> stored_records(const Store& store);
// Conflicts as the index has them, also those whose value equals the one on show.
[[nodiscard]] std::map<RecordName, std::vector<ModelConflict>> stored_conflicts(const Store& store);

// What the device may hold of a live record by its scopes and its role, found out the slow way;
// nothing: none of it.
[[nodiscard]] std::optional<std::string> shown_to(const PolicyModel& policy, const Account& account,
                                                  const RecordName& name,
                                                  const std::string& visible);

// The seq of an accepted op's verdict; 0: refused.
[[nodiscard]] Seq seq_of_verdict(const std::string& verdict);
[[nodiscard]] std::string code_of_verdict(const std::string& verdict);  // empty: accepted

}  // namespace waystation::simulate

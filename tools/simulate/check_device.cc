#include <fmt/format.h>

#include "tools/simulate/checks.h"
#include "tools/simulate/store_view.h"

namespace waystation::simulate {

void check_device(const Store& store, const PolicyModel& policy, const Device& device,
                  Findings& findings) {
  const AccountPtr account = store.accounts().find(device.id());
  if (account == nullptr || !account->active()) return;
  const auto name_of = [](const RecordName& name) {
    return fmt::format("{}/{}/{}", name.scope, name.coll, name.id);
  };
  const auto records = stored_records(store);
  for (const auto& [name, record] : records) {
    if (record.visible.empty()) continue;
    const auto shown = shown_to(policy, *account, name, record.visible);
    if (!shown) continue;
    const HeldRecord* held = device.replica.find({name.scope, name.coll, name.id});
    if (held == nullptr) {
      findings.report(
          5, fmt::format("{} has caught up and holds {} {}", device.name(), name_of(name), *shown),
          "it does not");
    } else if (held->fields != *shown || held->seq != record.seq) {
      findings.report(
          5,
          fmt::format("{} holds {} as {} at {}", device.name(), name_of(name), *shown, record.seq),
          fmt::format("{} at {}", held->fields, held->seq));
    }
  }
  for (const auto& [key, held] : device.replica.records()) {
    const auto& [scope, coll, id] = key;
    if (held.fields.empty()) continue;
    if (!account->holds(scope) || !policy.enters(account->role(), scope) ||
        !policy.sees(account->role(), coll)) {
      findings.report(7,
                      fmt::format("{} keeps nothing of {} in {}, which it does not see by now",
                                  device.name(), coll, scope),
                      fmt::format("{}/{} {}", coll, id, held.fields));
      continue;
    }
    const auto at = records.find(RecordName{scope, coll, id});
    if (at == records.end() || at->second.visible.empty()) {
      findings.report(
          5,
          fmt::format("{} does not hold {}/{}/{}, which is gone", device.name(), scope, coll, id),
          held.fields);
    }
  }
}

}  // namespace waystation::simulate

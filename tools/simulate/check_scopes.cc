#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "storage/scope_tree.h"
#include "sync/device_id.h"
#include "tools/simulate/checks.h"
#include "tools/simulate/store_view.h"

namespace waystation::simulate {
namespace {

using Parents = std::map<std::string, std::string>;  // of every scope; empty: none

Parents parents_of(const Store& store) {
  Parents parents;
  const auto rows = store.kv().iterate(Column::kDigests);
  for (rows->seek(""); rows->valid(); rows->next()) parents[std::string(rows->key())];
  for (const auto& [name, record] : stored_records(store)) {
    constexpr std::string_view kMember = "\"parent\":\"";
    if (name.coll != "scope" || name.id != scope_record_id(name.scope)) continue;
    const std::size_t at = record.visible.find(kMember);
    if (at == std::string::npos) continue;
    const std::size_t from = at + kMember.size();
    parents[name.scope] = record.visible.substr(from, record.visible.find('"', from) - from);
  }
  return parents;
}

bool in_cycle(const Parents& parents, const std::string& scope) {
  std::set<std::string> passed;
  std::string at = parents.at(scope);
  while (at != scope && parents.count(at) != 0 && passed.insert(at).second) at = parents.at(at);
  return at == scope;
}

// Upwards until a branch is met or the way ends; in a cycle each scope stands for itself.
bool covered_by(const Account& account, const Parents& parents, std::string scope) {
  for (; parents.count(scope) != 0; scope = parents.at(scope)) {
    if (account.has_branch(scope)) return true;
    if (in_cycle(parents, scope)) return false;
  }
  return false;
}

}  // namespace

void check_scopes(const Store& store, Findings& findings) {
  const Parents parents = parents_of(store);
  for (const AccountPtr& account : store.accounts().all()) {
    std::vector<std::string> due;
    for (const auto& [scope, parent] : parents) {
      if (covered_by(*account, parents, scope)) due.push_back(scope);
    }
    if (account->has_branch("*")) due = {"*"};
    if (account->scopes() == due) continue;
    findings.report(
        7,
        fmt::format("{} holds what lies below {}: {}", format_device_id(account->device),
                    fmt::join(account->branches, " "), fmt::join(due, " ")),
        fmt::format("{}", fmt::join(account->scopes(), " ")));
  }
}

void check_writes(const Store& store, const Witness& witness, Findings& findings) {
  for_each_logged(store, [&](const Logged& op) {
    if (op.device == 0 || seq_of_verdict(op.entry.verdict) == 0) return;
    if (witness.allowed(op.device, op.entry.op)) return;
    findings.report(
        7, fmt::format("{} writes only what a role of its allows", format_device_id(op.device)),
        op.entry.op);
  });
}

}  // namespace waystation::simulate

// Which scopes an account holds, worked out from the branches that it was granted and the tree of
// scopes. A grant on a branch covers what lies below it; a scope that comes to lie below is
// granted, one that no longer does is left, each at the place in the log where that was decided.
// Pure; the writer's thread alone uses it.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/codec.h"
#include "storage/scope_tree.h"

namespace waystation {

// An entry in the log that changes what accounts hold.
struct Place {
  Seq seq = 0;
  std::int64_t ms = 0;
};

// All scopes below the branches, by id; ["*"] for an account with "*".
[[nodiscard]] std::vector<std::string> covered(const std::vector<std::string>& branches,
                                               const ScopeTree& tree);

// Brings the grants of an account in line with its branches: all of them, or those for `scopes`
// alone. Returns whether anything changed. At most limits::kScopesHeld are held: what goes beyond
// is not granted and the account says that it is full.
bool hold_all(Account& account, const ScopeTree& tree, const Place& place);
// Whether there is nothing to be brought in line for `scopes`.
[[nodiscard]] bool in_line(const Account& account, const std::vector<std::string>& scopes,
                           const ScopeTree& tree);
bool hold(Account& account, const std::vector<std::string>& scopes, const ScopeTree& tree,
          const Place& place);

// Which accounts have which branch.
class BranchHolders {
 public:
  void put(std::uint64_t device, const std::vector<std::string>& before,
           const std::vector<std::string>& after);
  // Of the accounts with a branch among `scopes`.
  [[nodiscard]] std::set<std::uint64_t> of(const std::set<std::string>& scopes) const;

 private:
  std::unordered_map<std::string, std::set<std::uint64_t>> holders_;
};

}  // namespace waystation

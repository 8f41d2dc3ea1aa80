#include "storage/membership.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "sync/limits.h"

namespace waystation {
namespace {

using GrantAt = std::vector<Grant>::iterator;

// The grants of one scope lie side by side, the latest last.
std::pair<GrantAt, GrantAt> grants_of(Account& account, const std::string& scope) {
  const auto first =
      std::lower_bound(account.grants.begin(), account.grants.end(), scope,
                       [](const Grant& grant, const std::string& id) { return grant.scope < id; });
  auto last = first;
  while (last != account.grants.end() && last->scope == scope) ++last;
  return {first, last};
}

std::size_t count_held(const Account& account) {
  return static_cast<std::size_t>(
      std::count_if(account.grants.begin(), account.grants.end(),
                    [](const Grant& grant) { return grant.left == 0; }));
}

bool covers(const Account& account, const std::string& scope, const ScopeTree& tree) {
  const std::vector<std::string> chain = tree.chain(scope);
  return std::any_of(chain.begin(), chain.end(),
                     [&](const std::string& above) { return account.has_branch(above); });
}

void leave(Account& account, Grant& grant, const Place& place) {
  grant.left = place.seq;
  grant.left_ms = place.ms;
  if (grant.scope == "*") account.reset = place.seq;
}

// A device that has not been told yet of what is forgotten here starts from nothing.
void forget_oldest_left(Account& account) {
  std::vector<Seq> left;
  for (const Grant& grant : account.grants) {
    if (grant.left != 0) left.push_back(grant.left);
  }
  if (left.size() <= limits::kScopesLeft) return;
  const auto last = left.begin() + static_cast<std::ptrdiff_t>(left.size() - limits::kScopesLeft);
  std::nth_element(left.begin(), last, left.end());
  const Seq keep_from = *last;
  Seq forgotten = 0;
  std::erase_if(account.grants, [&](const Grant& grant) {
    if (grant.left == 0 || grant.left >= keep_from) return false;
    forgotten = std::max(forgotten, grant.left);
    return true;
  });
  account.reset = std::max(account.reset, forgotten);
}

}  // namespace

std::vector<std::string> covered(const std::vector<std::string>& branches, const ScopeTree& tree) {
  std::set<std::string> all;
  for (const std::string& branch : branches) {
    if (branch == "*") return {"*"};
    for (std::string& scope : tree.below(branch)) all.insert(std::move(scope));
  }
  return {all.begin(), all.end()};
}

bool hold_all(Account& account, const ScopeTree& tree, const Place& place) {
  const std::vector<std::string> wanted = covered(account.branches, tree);
  std::vector<std::string> held;
  bool changed = false;
  for (Grant& grant : account.grants) {
    if (grant.left != 0) continue;
    if (std::binary_search(wanted.begin(), wanted.end(), grant.scope)) {
      held.push_back(grant.scope);
    } else {
      leave(account, grant, place);
      changed = true;
    }
  }
  std::vector<std::string> missing;
  std::set_difference(wanted.begin(), wanted.end(), held.begin(), held.end(),
                      std::back_inserter(missing));
  const std::size_t room = limits::kScopesHeld - held.size();
  const bool full = missing.size() > room;
  if (full) missing.resize(room);
  changed = changed || !missing.empty() || full != account.full;
  account.full = full;
  for (std::string& scope : missing) {
    account.grants.push_back(Grant{std::move(scope), place.seq, 0, 0});
  }
  std::sort(account.grants.begin(), account.grants.end(), [](const Grant& a, const Grant& b) {
    return std::tie(a.scope, a.granted) < std::tie(b.scope, b.granted);
  });
  if (changed) {
    account.changed = place.seq;
    forget_oldest_left(account);
  }
  return changed;
}

bool in_line(const Account& account, const std::vector<std::string>& scopes,
             const ScopeTree& tree) {
  if (account.has_branch("*")) return true;
  return std::all_of(scopes.begin(), scopes.end(), [&](const std::string& scope) {
    const bool wanted = covers(account, scope, tree);
    return account.holds(scope) == wanted || (wanted && account.full);
  });
}

bool hold(Account& account, const std::vector<std::string>& scopes, const ScopeTree& tree,
          const Place& place) {
  if (in_line(account, scopes, tree)) return false;
  std::size_t held = count_held(account);
  bool left = false;
  for (const std::string& scope : scopes) {
    const auto [first, last] = grants_of(account, scope);
    const bool holds = first != last && std::prev(last)->left == 0;
    const bool wanted = covers(account, scope, tree);
    if (holds == wanted) continue;
    if (holds) {
      leave(account, *std::prev(last), place);
      --held;
      left = true;
    } else if (held < limits::kScopesHeld) {
      account.grants.insert(last, Grant{scope, place.seq, 0, 0});
      ++held;
    } else {
      account.full = true;
    }
  }
  account.changed = place.seq;
  forget_oldest_left(account);
  // What became free goes to what had no room.
  if (left && account.full) hold_all(account, tree, place);
  return true;
}

void BranchHolders::put(std::uint64_t device, const std::vector<std::string>& before,
                        const std::vector<std::string>& after) {
  for (const std::string& branch : before) {
    const auto at = holders_.find(branch);
    if (at == holders_.end()) continue;
    at->second.erase(device);
    if (at->second.empty()) holders_.erase(at);
  }
  for (const std::string& branch : after) holders_[branch].insert(device);
}

std::set<std::uint64_t> BranchHolders::of(const std::set<std::string>& scopes) const {
  std::set<std::uint64_t> devices;
  for (const std::string& scope : scopes) {
    const auto at = holders_.find(scope);
    if (at != holders_.end()) devices.insert(at->second.begin(), at->second.end());
  }
  return devices;
}

}  // namespace waystation

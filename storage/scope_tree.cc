#include "storage/scope_tree.h"

#include <algorithm>

namespace waystation {

std::string scope_record_id(std::string scope) {
  std::replace(scope.begin(), scope.end(), '/', '-');
  return scope;
}

void ScopeTree::set(const std::string& scope, const std::string& parent) {
  const auto old = parents_.find(scope);
  if (old != parents_.end()) {
    if (old->second == parent) return;
    if (const auto at = children_.find(old->second); at != children_.end()) {
      at->second.erase(scope);
      if (at->second.empty()) children_.erase(at);
    }
  }
  parents_[scope] = parent;
  if (!parent.empty()) children_[parent].insert(scope);
}

std::string ScopeTree::parent(const std::string& scope) const {
  const auto at = parents_.find(scope);
  return at == parents_.end() ? std::string() : at->second;
}

std::vector<std::string> ScopeTree::chain(const std::string& scope) const {
  std::vector<std::string> chain{scope};
  auto at = parents_.find(scope);
  while (at != parents_.end() && chain.size() < kDepth) {
    at = parents_.find(at->second);
    if (at == parents_.end()) break;
    const auto passed = std::find(chain.begin(), chain.end(), at->first);
    if (passed != chain.end()) {
      chain.erase(passed + 1, chain.end());
      break;
    }
    chain.push_back(at->first);
  }
  return chain;
}

std::vector<std::string> ScopeTree::hanging_on(const std::string& scope) const {
  std::set<std::string> found{scope};
  std::vector<std::string> level{scope};
  for (std::size_t depth = 1; depth < kDepth && !level.empty(); ++depth) {
    std::vector<std::string> next;
    for (const std::string& above : level) {
      const auto at = children_.find(above);
      if (at == children_.end()) continue;
      for (const std::string& child : at->second) {
        if (found.insert(child).second) next.push_back(child);
      }
    }
    level = std::move(next);
  }
  return {found.begin(), found.end()};
}

std::vector<std::string> ScopeTree::below(const std::string& branch) const {
  std::vector<std::string> scopes = hanging_on(branch);
  std::erase_if(scopes, [&](const std::string& scope) {
    const std::vector<std::string> above = chain(scope);
    return std::find(above.begin(), above.end(), branch) == above.end();
  });
  return scopes;
}

}  // namespace waystation

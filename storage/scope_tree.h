// Which scope hangs below which: the `parent` registers of the records of scopes, in memory. Pure;
// the writer's thread alone uses it.
//
// A scope is covered by a branch when the branch lies on its chain: the scope itself, its parent,
// and so on. The chain ends at a scope without a parent, at a parent that does not exist (it goes
// on once that is born), at the first scope of a cycle, so that there each scope stands for itself,
// and after kDepth scopes, so that no chain costs more than that.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace waystation {

// The id of a scope's own record: the scope's with "/" written as "-".
[[nodiscard]] std::string scope_record_id(std::string scope);

class ScopeTree {
 public:
  static constexpr std::size_t kDepth = 32;

  // The scope exists, with this parent; empty: with none.
  void set(const std::string& scope, const std::string& parent);
  [[nodiscard]] bool exists(const std::string& scope) const { return parents_.count(scope) != 0; }
  // Empty: none. As it was set, whether that exists or not.
  [[nodiscard]] std::string parent(const std::string& scope) const;

  // The scope itself first. Of a scope that does not exist: the scope alone.
  [[nodiscard]] std::vector<std::string> chain(const std::string& scope) const;
  // All scopes that have `branch` in their chain, with itself; by id.
  [[nodiscard]] std::vector<std::string> below(const std::string& branch) const;
  // All scopes whose chain a new parent of `scope` can change, with itself; by id.
  [[nodiscard]] std::vector<std::string> hanging_on(const std::string& scope) const;

 private:
  std::unordered_map<std::string, std::string> parents_;  // of each scope that exists
  // Also of a parent that does not exist yet.
  std::unordered_map<std::string, std::set<std::string>> children_;
};

}  // namespace waystation

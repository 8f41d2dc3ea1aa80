// What an account says about scopes: storage/codec.h. The grants are sorted, those of one scope lie
// side by side.
#include <algorithm>

#include "storage/codec.h"

namespace waystation {
namespace {

// Whether any grant of exactly this name is as wanted.
template <typename Wanted>
bool any_of(const std::vector<Grant>& grants, std::string_view scope, Wanted wanted) {
  auto at = std::lower_bound(
      grants.begin(), grants.end(), scope,
      [](const Grant& grant, std::string_view id) { return std::string_view(grant.scope) < id; });
  for (; at != grants.end() && at->scope == scope; ++at) {
    if (wanted(*at)) return true;
  }
  return false;
}

bool is_held(const Grant& grant) { return grant.left == 0; }

}  // namespace

std::string_view name(Standing standing) {
  switch (standing) {
    case Standing::kActive: return "active";
    case Standing::kDraining: return "draining";
    case Standing::kClosed: return "closed";
  }
  return "closed";
}

bool Account::has_branch(std::string_view scope) const {
  const auto at = std::lower_bound(
      branches.begin(), branches.end(), scope,
      [](const std::string& branch, std::string_view id) { return std::string_view(branch) < id; });
  return at != branches.end() && *at == scope;
}

bool Account::holds(std::string_view scope) const {
  return any_of(grants, scope, is_held) || holds_all();
}

bool Account::holds_all() const { return any_of(grants, "*", is_held); }

bool Account::may_write(std::string_view scope, std::int64_t authored_ms) const {
  const auto may = [authored_ms](const Grant& grant) {
    return grant.left == 0 || authored_ms <= grant.left_ms;
  };
  return any_of(grants, scope, may) || any_of(grants, "*", may);
}

std::vector<std::string> Account::scopes() const {
  std::vector<std::string> held;
  for (const Grant& grant : grants) {
    if (grant.left == 0) held.push_back(grant.scope);
  }
  return held;
}

}  // namespace waystation

// What an account says about scopes: storage/codec.h. The grants are sorted, those of one scope lie
// side by side.
#include <algorithm>

#include "storage/codec.h"
#include "sync/limits.h"
#include "sync/policy.h"

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

// Of a grant or a term of a role: held, or left after that was written.
template <typename Term>
bool not_left(const Term& term, const Written& written) {
  return term.left == 0 || (written.ms <= term.left_ms && written.base < term.left);
}

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

bool Account::reaches_system() const {
  return holds_all() || std::any_of(grants.begin(), grants.end(), [](const Grant& grant) {
           return is_held(grant) && is_system_scope(grant.scope);
         });
}

bool Account::may_write(std::string_view scope, const Written& written) const {
  const auto may = [&written](const Grant& grant) { return not_left(grant, written); };
  return any_of(grants, scope, may) || any_of(grants, "*", may);
}

std::string_view Account::role() const {
  const auto held =
      std::find_if(roles.begin(), roles.end(), [](const RoleTerm& term) { return term.left == 0; });
  return held == roles.end() ? std::string_view() : std::string_view(held->role);
}

std::vector<std::string_view> Account::roles_in(std::string_view scope,
                                                const Written& written) const {
  std::vector<std::string_view> judged_by;
  for (const RoleTerm& term : roles) {
    if (!not_left(term, written)) continue;
    // A role and a scope that were never held at one time do not add up.
    const auto together = [&](const Grant& grant) {
      if (!not_left(grant, written)) return false;
      return (grant.left == 0 && term.left == 0) ||
             written.ms >= std::max(grant.granted_ms, term.since_ms);
    };
    if (!any_of(grants, scope, together) && !any_of(grants, "*", together)) continue;
    judged_by.insert(term.left == 0 ? judged_by.begin() : judged_by.end(), term.role);
  }
  return judged_by;
}

void Account::take_role(std::string_view role, Seq seq, std::int64_t now_ms) {
  for (RoleTerm& term : roles) {
    if (term.left != 0) continue;
    term.left = seq;
    term.left_ms = now_ms;
  }
  if (roles.size() >= limits::kRoleTerms) {
    roles.erase(std::min_element(
        roles.begin(), roles.end(),
        [](const RoleTerm& one, const RoleTerm& other) { return one.left < other.left; }));
  }
  roles.push_back(RoleTerm{std::string(role), 0, 0, now_ms});
}

std::vector<std::string> Account::scopes() const {
  std::vector<std::string> held;
  for (const Grant& grant : grants) {
    if (grant.left == 0) held.push_back(grant.scope);
  }
  return held;
}

}  // namespace waystation

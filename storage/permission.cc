#include "storage/permission.h"

#include <fmt/format.h>

#include <utility>

#include "storage/scope_tree.h"
#include "sync/broken.h"
#include "sync/wire.h"

namespace waystation {

std::optional<Refusal> check_standing(const Account& account, const Written& written) {
  if (account.wrote_before(written.ms)) return std::nullopt;
  return Refusal{Code::kDeviceDraining,
                 "the office had ended this device's work when this was written"};
}

std::optional<Refusal> check_scope(const Account& account, const Op& op, const Written& written,
                                   bool there) {
  if (!valid_scope_id(op.scope)) {
    return Refusal{Code::kScopeUnknown, "that is not a scope id"};
  }
  const bool births = op.coll == "scope";
  if (births && op.id != scope_record_id(op.scope)) {
    return Refusal{Code::kRecordKey, fmt::format("the record of scope {} has the id {}", op.scope,
                                                 scope_record_id(op.scope))};
  }
  // Before whether it is there: who does not hold a scope is not told.
  const bool allowed = births ? account.holds_all() : account.may_write(op.scope, written);
  if (!allowed) {
    return Refusal{
        Code::kScopeForbidden,
        births
            ? "only a device that holds all scopes writes the record of a scope"
            : fmt::format("the device did not hold scope \"{}\" when this was written", op.scope)};
  }
  if (!births && !there) {
    return Refusal{Code::kScopeUnknown, fmt::format("scope \"{}\" does not exist", op.scope)};
  }
  return std::nullopt;
}

std::optional<Refusal> check_policy(const Policy& policy, const Account& account, const Op& op,
                                    const Written& written, bool makes_it) {
  if (broken(Broken::kWriteWallSkipped)) return std::nullopt;
  std::optional<Refusal> refusal{Refusal{Code::kAccessDenied, "no role was held with the scope"}};
  bool said = false;
  for (const std::string_view role : account.roles_in(op.scope, written)) {
    auto against = policy.against(role, op);
    const bool birth = !op.edits.empty() && (makes_it || !policy.sees(role, op.coll));
    if (!against && birth) against = policy.against_birth(role, op.coll);
    if (!against) return std::nullopt;
    if (std::exchange(said, true)) continue;  // the role of now says why
    refusal =
        Refusal{Code::kAccessDenied, fmt::format("the role \"{}\" may not: {}", role, *against)};
  }
  return refusal;
}

}  // namespace waystation

#include "sync/quota.h"

#include <fmt/format.h>

#include <algorithm>

#include "sync/broken.h"
#include "sync/device_id.h"
#include "sync/limits.h"
#include "sync/result.h"

namespace waystation {
namespace {

std::vector<Lease>::iterator place_of(std::vector<Lease>& leases, std::uint64_t device) {
  return std::lower_bound(leases.begin(), leases.end(), device,
                          [](const Lease& lease, std::uint64_t id) { return lease.device < id; });
}

std::int64_t held(const Lease* lease) { return lease == nullptr ? 0 : lease->left; }

// Room for one more lease: one that holds nothing is forgotten, the one that expired first.
void make_room(std::vector<Lease>& leases) {
  if (leases.size() < limits::kLeasesPerField) return;
  auto oldest = leases.end();
  for (auto at = leases.begin(); at != leases.end(); ++at) {
    if (at->left != 0) continue;
    if (oldest == leases.end() || at->expires_ms < oldest->expires_ms) oldest = at;
  }
  WS_CHECK(oldest != leases.end());
  leases.erase(oldest);
}

// Refusals are read by people who may not read the quota: they tell no amounts.
std::optional<Refusal> check_lease(const Quota& quota, const FieldSpec& spec,
                                   const QuotaMove& move) {
  if (quota.free() <= 0) {
    return Refusal{Code::kQuotaExhausted, fmt::format("{}: all is spent or leased", spec.name)};
  }
  const bool full = quota.leases.size() >= limits::kLeasesPerField &&
                    std::all_of(quota.leases.begin(), quota.leases.end(),
                                [](const Lease& lease) { return lease.left != 0; });
  if (full && quota.lease(move.device) == nullptr) {
    return Refusal{Code::kFieldFull, fmt::format("{}: at most {} devices hold a lease", spec.name,
                                                 limits::kLeasesPerField)};
  }
  return std::nullopt;
}

}  // namespace

std::int64_t Quota::leased() const {
  std::int64_t sum = 0;
  for (const Lease& lease : leases) sum += lease.left;
  return sum;
}

const Lease* Quota::lease(std::uint64_t device) const {
  const auto at = place_of(const_cast<std::vector<Lease>&>(leases), device);  // NOLINT: reads only
  return at != leases.end() && at->device == device ? &*at : nullptr;
}

QuotaMove quota_move(const Edit& edit, std::uint64_t author, std::int64_t now_ms) {
  const Value& value = edit.values.at(0);
  if (edit.kind != EditKind::kReclaim) return {edit.kind, author, value.integer, now_ms};
  const auto device =
      parse_device_id(std::string_view(value.json).substr(1, value.json.size() - 2));
  WS_CHECK(device.has_value());
  return {edit.kind, *device, 0, now_ms};
}

std::optional<Refusal> check_move(const Quota& quota, const FieldSpec& spec,
                                  const QuotaMove& move) {
  const Lease* lease = quota.lease(move.device);
  switch (move.kind) {
    case EditKind::kGrant:
      if (move.amount < 0 && quota.free() + move.amount < 0) {
        return Refusal{Code::kQuotaExhausted, fmt::format("{}: less than that is free", spec.name)};
      }
      if (static_cast<double>(quota.granted + move.amount) > spec.max) {
        return Refusal{Code::kFieldLimit,
                       fmt::format("{}: at most {} may be granted", spec.name, spec.max)};
      }
      return std::nullopt;
    case EditKind::kLease: return check_lease(quota, spec, move);
    case EditKind::kSpend:
      if (move.amount <= held(lease)) return std::nullopt;
      if (lease != nullptr && move.amount <= lease->left + lease->reclaimed) return std::nullopt;
      [[fallthrough]];
    case EditKind::kReturn:
      if (move.amount <= held(lease)) return std::nullopt;
      return Refusal{Code::kQuotaExceeded,
                     fmt::format("{}: the device's lease holds less", spec.name)};
    case EditKind::kReclaim:
      if (held(lease) > 0 && move.now_ms < lease->expires_ms + spec.reclaim_after_ms) {
        return Refusal{Code::kQuotaHeld,
                       fmt::format("{}: its device may still spend it", spec.name)};
      }
      return std::nullopt;
    default: WS_CHECK(false);
  }
}

QuotaMoved apply_move(Quota& quota, const FieldSpec& spec, const QuotaMove& move) {
  if (move.kind == EditKind::kGrant) {
    quota.granted += move.amount;
    return {move.amount, false};
  }
  auto at = place_of(quota.leases, move.device);
  bool known = at != quota.leases.end() && at->device == move.device;
  if (move.kind == EditKind::kLease) {
    const std::int64_t free = broken(Broken::kLeaseNotCounted) ? spec.max_lease : quota.free();
    const std::int64_t given =
        move.given ? *move.given : std::min({move.amount, free, spec.max_lease});
    if (!known) {
      make_room(quota.leases);
      at = quota.leases.insert(place_of(quota.leases, move.device), Lease{move.device, 0, 0, 0});
    }
    at->left += given;
    at->reclaimed = 0;
    at->expires_ms = move.now_ms + spec.lease_ms;
    return {given, false};
  }
  if (!known) return {0, false};  // nothing to take back
  switch (move.kind) {
    case EditKind::kSpend:
      if (move.amount <= at->left) {
        at->left -= move.amount;
        quota.spent += move.amount;
        return {move.amount, false};
      }
      at->reclaimed -= std::min(at->reclaimed, move.amount);
      return {move.amount, true};
    case EditKind::kReturn: at->left -= move.amount; return {move.amount, false};
    case EditKind::kReclaim: {
      const std::int64_t taken = at->left;
      at->left = 0;
      at->reclaimed += taken;
      return {taken, false};
    }
    default: WS_CHECK(false);
  }
}

std::optional<std::int64_t> reclaim_due_ms(const Quota& quota, const FieldSpec& spec) {
  std::optional<std::int64_t> due;
  for (const Lease& lease : quota.leases) {
    if (lease.left == 0) continue;
    const std::int64_t at = lease.expires_ms + spec.reclaim_after_ms;
    due = due ? std::min(*due, at) : at;
  }
  return due;
}

std::vector<std::uint64_t> reclaimable(const Quota& quota, const FieldSpec& spec,
                                       std::int64_t now_ms) {
  std::vector<std::uint64_t> devices;
  for (const Lease& lease : quota.leases) {
    if (lease.left > 0 && lease.expires_ms + spec.reclaim_after_ms <= now_ms) {
      devices.push_back(lease.device);
    }
  }
  return devices;
}

void append_quota(std::string& out, const Quota& quota) {
  out += fmt::format(R"({{"free":{},"granted":{},"leases":{{)", quota.free(), quota.granted);
  bool first = true;
  for (const Lease& lease : quota.leases) {
    if (lease.left == 0) continue;
    out += fmt::format(R"({}"{}":{{"expires":{},"left":{}}})", first ? "" : ",",
                       format_device_id(lease.device), lease.expires_ms, lease.left);
    first = false;
  }
  out += fmt::format(R"(}},"spent":{}}})", quota.spent);
}

}  // namespace waystation

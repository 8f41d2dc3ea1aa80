// A quota and its leases: what is granted is free, leased or spent, and never goes below zero (law
// 9). docs/merge-rules.md, "Quotas and leases"; the idea is that of escrow (O'Neil, "The Escrow
// Transactional Method", 1986). Pure values; one thread at a time for each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sync/op.h"
#include "sync/schema.h"

namespace waystation {

struct Lease {
  std::uint64_t device = 0;
  std::int64_t left = 0;
  std::int64_t reclaimed = 0;   // taken back from it and not yet spent late
  std::int64_t expires_ms = 0;  // since 1970
};

struct Quota {
  std::int64_t granted = 0;
  std::int64_t spent = 0;
  std::vector<Lease> leases;  // by device

  [[nodiscard]] std::int64_t leased() const;
  [[nodiscard]] std::int64_t free() const { return granted - spent - leased(); }
  [[nodiscard]] const Lease* lease(std::uint64_t device) const;
};

// One move as it has its place in the log.
struct QuotaMove {
  EditKind kind = EditKind::kGrant;
  std::uint64_t device = 0;  // whose lease
  std::int64_t amount = 0;   // not for kReclaim
  std::int64_t now_ms = 0;   // when the server takes it in
  // Of a lease that was decided before: what the device was told then.
  std::optional<std::int64_t> given = {};
};

// The move that an edit asks for, not decided yet. Precondition: the edit is one of a quota, and
// its schema had nothing against it.
[[nodiscard]] QuotaMove quota_move(const Edit& edit, std::uint64_t author, std::int64_t now_ms);

[[nodiscard]] std::optional<Refusal> check_move(const Quota& quota, const FieldSpec& spec,
                                                const QuotaMove& move);

struct QuotaMoved {
  std::int64_t amount = 0;  // given, spent, returned, taken back
  bool late = false;        // a spend from a lease that has been reclaimed: not counted
};
// Precondition: check_move() had nothing against it when it was first decided.
QuotaMoved apply_move(Quota& quota, const FieldSpec& spec, const QuotaMove& move);

// When the first lease that still holds something may be reclaimed; nothing when there is none.
[[nodiscard]] std::optional<std::int64_t> reclaim_due_ms(const Quota& quota, const FieldSpec& spec);
// The devices whose leases may be reclaimed at now_ms.
[[nodiscard]] std::vector<std::uint64_t> reclaimable(const Quota& quota, const FieldSpec& spec,
                                                     std::int64_t now_ms);

// The canonical text of what a device sees.
void append_quota(std::string& out, const Quota& quota);

}  // namespace waystation

// Checks a store from end to end: every value decodes; each record has exactly one change entry, at
// its seq, and each entry its record; what a device sees equals what the merge state says; digests,
// those of views too; conflicts; device logs without gaps, with a verdict for each op; refused ops
// in the quarantine; the chain of the audit log; the names of blobs, and, where their folder is
// given, that each that is said to be present is there; projections. Reads one snapshot at constant
// memory. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "storage/blobs.h"
#include "storage/store.h"
#include "sync/result.h"

namespace waystation {

struct VerifyReport {
  std::uint64_t records = 0;
  std::uint64_t tombstones = 0;
  std::uint64_t changes = 0;
  std::uint64_t scopes = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t devices = 0;
  std::uint64_t ops = 0;
  std::uint64_t refused = 0;
  std::uint64_t quarantined = 0;
  std::uint64_t audited = 0;
  std::uint64_t photos = 0;          // records that name a blob
  std::uint64_t projected = 0;       // rows of projections
  bool projections_checked = false;  // else they wait to be made anew, or were not asked for
  std::uint64_t faults = 0;
  std::vector<std::string> first_faults;  // at most 20, for people
};

struct BlobCheck {
  const Blobs* blobs = nullptr;  // null: not looked at
  bool hashes = false;           // reads every file that is named, and hashes it
};

// `progress` is called now and then with the number of keys read so far.
// `projections`: what is kept of them is held against a recount; null: it is not.
// `known_heads`: of the audit log, noted earlier; they must lie on its chain.
[[nodiscard]] Result<VerifyReport> verify(const Store& store,
                                          const std::function<void(std::uint64_t)>& progress,
                                          const std::vector<AuditHead>& known_heads = {},
                                          const BlobCheck& blobs = {},
                                          const Projections* projections = nullptr);

}  // namespace waystation

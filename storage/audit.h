// The audit log: who did what, when, on what. Append-only, written in the batch of the act itself,
// each entry chained to the one before by SHA-256, so that any later change of an entry shows. What
// the chain covers is canonical JSON, so that an exported log can be checked by any program
// (docs/office-access.md). Pure but for what reads a store; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/kv.h"
#include "sync/result.h"

namespace waystation {

// What an act says of itself. Holds no secret and, but for the account in `who` and `on`, nothing
// about a person.
struct AuditNote {
  std::string who;  // "device 7K3M…", "office limei", "administrator's token"
  std::string what;
  std::string on;
  std::string details = "{}";  // canonical JSON
};

struct AuditEntry {
  std::uint64_t n = 0;  // 1, 2, 3 …
  std::int64_t time_ms = 0;
  AuditNote note;
  std::string hash;  // 64 hex digits
};

// The last entry. Of an empty log: n 0 and 64 zeros.
struct AuditHead {
  std::uint64_t n = 0;
  std::string hash = std::string(64, '0');
  friend bool operator==(const AuditHead&, const AuditHead&) = default;
};

// Members of a JSON object, written in canonical order.
class AuditDetails {
 public:
  AuditDetails& text(const std::string& name, std::string_view value);
  AuditDetails& number(const std::string& name, std::int64_t value);
  AuditDetails& flag(const std::string& name, bool value);
  // The first twenty, and under "<name>_count" how many there are where that is more.
  AuditDetails& list(const std::string& name, const std::vector<std::string>& items);
  [[nodiscard]] std::string json() const;

 private:
  std::map<std::string, std::string> members_;
};

// {"details":…,"n":…,"on":…,"time":…,"what":…,"who":…}; `with_hash` adds "hash".
[[nodiscard]] std::string audit_json(const AuditEntry& entry, bool with_hash);
// SHA-256, in hex, over the hash before it, a line feed, and audit_json without the hash.
[[nodiscard]] std::string audit_hash(const std::string& before, const AuditEntry& entry);
// The entry that comes after `head`: overlong parts are cut.
[[nodiscard]] AuditEntry next_audit_entry(const AuditHead& head, std::int64_t now_ms,
                                          AuditNote note);

[[nodiscard]] std::string audit_key(std::uint64_t n);
[[nodiscard]] std::string encode_audit(const AuditEntry& entry);
[[nodiscard]] Result<AuditEntry> decode_audit(std::string_view key, std::string_view bytes);
[[nodiscard]] std::string encode_audit_head(const AuditHead& head);
[[nodiscard]] Result<AuditHead> decode_audit_head(std::string_view bytes);

// "12:<64 hex digits>", as `waystation audit --head` prints it. Errors: kInputInvalid.
[[nodiscard]] std::string format_audit_head(const AuditHead& head);
[[nodiscard]] Result<AuditHead> parse_audit_head(std::string_view text);

[[nodiscard]] Result<AuditHead> read_audit_head(const Kv& kv, const Snapshot* snapshot = nullptr);

// The entries after number `after`, in order, until `visit` says false. Errors: kStoreCorrupt, kIo.
[[nodiscard]] Status for_each_audit(const Kv& kv, const Snapshot* snapshot, std::uint64_t after,
                                    const std::function<bool(const AuditEntry&)>& visit);

struct AuditCheck {
  std::uint64_t entries = 0;
  std::vector<std::string> faults;  // each names the number where the chain breaks; at most 20
};
// Follows the chain from its first entry to the head. `known`: heads that somebody noted earlier
// and that must lie on it, so that a log that was cut off and closed again shows.
[[nodiscard]] Result<AuditCheck> check_audit(const Kv& kv, const Snapshot* snapshot,
                                             const std::vector<AuditHead>& known = {});

}  // namespace waystation

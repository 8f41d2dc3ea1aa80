// The values of each column: one versioned binary layout each. docs/storage-format.md.
//
// Every decoder is total: any bytes give a value or kStoreCorrupt, and what it accepts of the
// newest layout it encodes back to the same bytes. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sync/clock.h"
#include "sync/digest.h"
#include "sync/policy.h"
#include "sync/record.h"
#include "sync/result.h"
#include "sync/stamp.h"
#include "sync/view.h"

namespace waystation {

// --- records ----------------------------------------------------------------------------------
// The head holds what a pull needs, so that it never decodes the rest.
struct RecordHead {
  Seq seq = 0;
  std::size_t conflicts = 0;  // open ones
  std::string_view visible;   // canonical JSON; empty: deleted
  bool buried = false;        // a tombstone that is no longer sent
};
[[nodiscard]] std::string encode_record(const Record& record, std::string_view visible);
[[nodiscard]] Result<RecordHead> decode_record_head(std::string_view bytes);  // views into bytes
[[nodiscard]] Result<Record> decode_record(std::string_view bytes);

// --- devices ----------------------------------------------------------------------------------
struct Grant {
  std::string scope;  // "*": all
  Seq granted = 0;    // the entry in the log that gave it
  Seq left = 0;       // the entry that took it away; 0: held
  std::int64_t left_ms = 0;
  std::int64_t granted_ms = 0;
  friend bool operator==(const Grant&, const Grant&) = default;
};

// That an account has, or had, a role, each time anew; the last limits::kRoleTerms of them.
struct RoleTerm {
  std::string role;
  Seq left = 0;  // the entry in the log that took it away; 0: held
  std::int64_t left_ms = 0;
  std::int64_t since_ms = 0;
  friend bool operator==(const RoleTerm&, const RoleTerm&) = default;
};

// When an op was written: the corrected time, and what its author had seen. Whoever has seen the
// log up to `base` writes after it, whatever the clock says.
struct Written {
  std::int64_t ms = 0;
  Seq base = 0;
};

// Active: as its grants say. Draining: it hands in what it wrote before and is told the verdicts,
// and nothing else. Closed: it is not heard.
enum class Standing : std::uint8_t { kActive, kDraining, kClosed };
[[nodiscard]] std::string_view name(Standing standing);

// What the office decides about a device.
struct Account {
  std::uint64_t device = 0;
  std::string name;
  std::string token_hash;  // SHA-256 of the secret
  std::int64_t enrolled_ms = 0;
  std::string code_hash;  // the code and request that enrolled it, for a repeated enrolment
  std::string request_hash;
  // What it holds scope by scope: what lies below its branches, and what it has left. By scope,
  // then by granted; at most one of a scope is held.
  std::vector<Grant> grants;
  Seq reset = 0;    // a cursor below it starts from nothing
  Seq changed = 0;  // the latest entry in the log that concerns this account

  std::vector<RoleTerm> roles;  // one of them is held

  [[nodiscard]] std::string_view role() const;  // empty: none
  // The roles by which an op on `scope` is judged: the one that is held, where the scope is held
  // too; and each that was in force together with the scope when the op was written. The one that
  // is held comes first; none: the scope may not be written either.
  [[nodiscard]] std::vector<std::string_view> roles_in(std::string_view scope,
                                                       const Written& written) const;
  // Takes the place of the role that is held.
  void take_role(std::string_view role, Seq seq, std::int64_t now_ms);

  // --- standing, branches, wipe, predecessor
  Standing standing = Standing::kActive;
  std::int64_t inactive_ms = 0;       // since when it is not active; 0: it is
  std::vector<std::string> branches;  // what the office granted, sorted; "*": all
  bool full = false;                  // more lies below its branches than an account may hold
  std::int64_t wipe_ordered_ms = 0;   // 0: never, or taken back
  bool wipe_now = false;              // without handing in what waits on it
  std::int64_t wiped_ms = 0;          // when it confirmed; 0: not yet
  std::uint64_t wipe_discarded = 0;   // ops that it gave up unsent, as it said
  std::uint64_t predecessor = 0;      // the device that it replaced; 0: none
  std::uint64_t successor = 0;        // the device that replaced it

  [[nodiscard]] bool active() const { return standing == Standing::kActive; }
  [[nodiscard]] bool closed() const { return standing == Standing::kClosed; }
  [[nodiscard]] bool wipe_due() const { return wipe_ordered_ms != 0 && wiped_ms == 0; }
  // Draining: whether what it wrote at authored_ms comes from before that.
  [[nodiscard]] bool wrote_before(std::int64_t authored_ms) const {
    return active() || authored_ms <= inactive_ms;
  }
  [[nodiscard]] bool has_branch(std::string_view scope) const;
  [[nodiscard]] bool holds(std::string_view scope) const;
  [[nodiscard]] bool holds_all() const;
  // Whether it holds scopes that a role enters only where the policy says so.
  [[nodiscard]] bool reaches_system() const;
  // Whether an op may be taken: the scope is held now, or was left after it was written.
  [[nodiscard]] bool may_write(std::string_view scope, const Written& written) const;
  [[nodiscard]] std::vector<std::string> scopes() const;  // held, by id
};
[[nodiscard]] std::string encode_account(const Account& account);
[[nodiscard]] Result<Account> decode_account(std::string_view bytes);

// What the device's own traffic tells. Written with its ops.
struct DeviceState {
  std::uint64_t applied = 0;
  std::uint64_t refused = 0;
  Stamp last_stamp = 0;
  std::int64_t last_seen_ms = 0;
  std::uint64_t queued = 0;
  std::int64_t oldest_ms = 0;
  std::string app;
  bool greeted = false;  // has said hello at least once
  DeviceClock clock;
  Seq pulled = 0;               // what it held, by the cursor of its last hello
  std::uint64_t backed_up = 0;  // the highest n that is in a backup
};
[[nodiscard]] std::string encode_device_state(const DeviceState& state);
[[nodiscard]] Result<DeviceState> decode_device_state(std::string_view bytes);

struct CodeRow {
  std::vector<std::string> scopes;
  std::string name;
  std::uint64_t uses_left = 0;
  std::int64_t expires_ms = 0;
  // What devices enrol as; empty for one that replaces, which takes it over.
  std::string role = std::string(kRoleVolunteer);
  std::int64_t created_ms = 0;
  std::uint64_t replaces = 0;  // the device that the new one replaces; then `scopes` is empty
};
// The first hex digits of a code's hash name it for the office.
inline constexpr std::size_t kCodeIdChars = 12;
[[nodiscard]] std::string code_id(std::string_view code_hash);
// As JSON.
[[nodiscard]] std::string role_or_null(const CodeRow& code);
[[nodiscard]] std::string encode_code(const CodeRow& code);
[[nodiscard]] Result<CodeRow> decode_code(std::string_view bytes);

// --- the device log ---------------------------------------------------------------------------
struct LogEntry {
  std::string op;       // canonical JSON as received
  std::string verdict;  // as sent
  Stamp stamp = 0;      // 0: refused
};
struct LogChunk {
  std::uint64_t first_n = 0;
  std::int64_t received_ms = 0;
  std::vector<LogEntry> entries;
};
[[nodiscard]] std::string encode_log_chunk(const LogChunk& chunk);
[[nodiscard]] Result<LogChunk> decode_log_chunk(std::string_view bytes);

// --- conflicts and quarantine -----------------------------------------------------------------
struct ConflictRow {
  ConflictKind kind = ConflictKind::kConcurrent;
  Stamp stamp = 0;
  std::string value;  // canonical JSON
  Review review = {};
};
[[nodiscard]] std::string encode_conflict(const ConflictRow& row);
[[nodiscard]] Result<ConflictRow> decode_conflict(std::string_view bytes);

struct QuarantineRow {
  std::string code;
  std::string detail;
  std::int64_t received_ms = 0;
  std::string op;
};
[[nodiscard]] std::string encode_quarantine(const QuarantineRow& row);
[[nodiscard]] Result<QuarantineRow> decode_quarantine(std::string_view bytes);

// --- history and matches ----------------------------------------------------------------------
// Which op stands behind a seq of a record; the op itself lies in the device log.
[[nodiscard]] std::string encode_history(const Dot& dot);
[[nodiscard]] Result<Dot> decode_history(std::string_view bytes);

// A record among possible duplicates.
struct MatchRow {
  Seq born = 0;      // of the record
  std::string like;  // the text that must be equal where both have one
};
[[nodiscard]] std::string encode_match(const MatchRow& row);
[[nodiscard]] Result<MatchRow> decode_match(std::string_view bytes);

// --- views -----------------------------------------------------------------------------------
// What a role saw, for a comparison with what it sees by another policy.
struct RoleView {
  std::string role;
  std::string view;  // name of the view; empty: everything
  bool system = true;
  friend bool operator==(const RoleView&, const RoleView&) = default;
};
[[nodiscard]] std::string encode_role_views(const std::vector<RoleView>& views);
[[nodiscard]] Result<std::vector<RoleView>> decode_role_views(std::string_view bytes);

// The views whose digests are kept, by their texts.
[[nodiscard]] std::string encode_views(const std::vector<View>& views);
[[nodiscard]] Result<std::vector<View>> decode_views(std::string_view bytes);

// --- digests ----------------------------------------------------------------------------------
struct DigestRow {
  Seq newest = 0;
  Digest digest;
};
[[nodiscard]] std::string encode_digest(const DigestRow& row);
[[nodiscard]] Result<DigestRow> decode_digest(std::string_view bytes);

[[nodiscard]] std::string encode_seq(Seq seq);
[[nodiscard]] Result<Seq> decode_seq(std::string_view bytes);

}  // namespace waystation

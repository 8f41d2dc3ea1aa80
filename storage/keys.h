// The keys of each column. They sort by scope, so that a scope is one range. Ids hold no byte 0
// (sync/wire.h checks them), which therefore ends each part. docs/storage-format.md. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sync/stamp.h"

namespace waystation::keys {

inline constexpr std::string_view kFormat = "format";
inline constexpr std::string_view kIncarnation = "incarnation";
inline constexpr std::string_view kPosition = "position";
inline constexpr std::string_view kHorizon = "horizon";
inline constexpr std::string_view kBackup = "backup";  // there once a backup was made
inline constexpr std::string_view kAuditHead = "audit";
inline constexpr std::string_view kPolicy = "policy";  // what each role saw when last started
inline constexpr std::string_view kPolicyFile = "policy file";  // there: one was in force
// By which declarations kProjections is right; not there: it has to be made anew.
inline constexpr std::string_view kProjections = "projections";
inline constexpr std::string_view kViews = "views";  // those whose digests are kept and right
// There while what was destroyed may lie on the disk: keys, or (kPurgeAll) values anywhere.
inline constexpr std::string_view kPurge = "purge";
inline constexpr std::string_view kPurgeAll = "all";

[[nodiscard]] std::string account(std::uint64_t device);
[[nodiscard]] std::string device_state(std::uint64_t device);
[[nodiscard]] std::string code(std::string_view code_hash);
inline constexpr std::string_view kAccountPrefix = "a";
inline constexpr std::string_view kCodePrefix = "c";
// The device of an account or state key; nothing if it is neither.
[[nodiscard]] std::optional<std::uint64_t> device_of(std::string_view key);

// A chunk of the device log lies under the n of its last op.
[[nodiscard]] std::string log_chunk(std::uint64_t device, std::uint64_t last_n);
struct LogKey {
  std::uint64_t device;
  std::uint64_t last_n;
};
[[nodiscard]] std::optional<LogKey> parse_log_chunk(std::string_view key);

[[nodiscard]] std::string record(std::string_view scope, std::string_view coll,
                                 std::string_view id);
struct RecordKey {
  std::string_view scope;
  std::string_view coll;
  std::string_view id;
};
[[nodiscard]] std::optional<RecordKey> parse_record(std::string_view key);

[[nodiscard]] std::string change(std::string_view scope, Seq seq);
struct ChangeKey {
  std::string_view scope;
  Seq seq;
};
[[nodiscard]] std::optional<ChangeKey> parse_change(std::string_view key);

[[nodiscard]] std::string conflict(std::string_view scope, std::string_view coll,
                                   std::string_view id, std::string_view field, const Dot& dot,
                                   std::uint32_t part);
struct ConflictKey {
  RecordKey record;
  std::string_view field;
  Dot dot;
  std::uint32_t part;
};
[[nodiscard]] std::optional<ConflictKey> parse_conflict(std::string_view key);

// `variant` 0 is the first content under that n; others are contents that reused the number.
[[nodiscard]] std::string quarantine(std::uint64_t device, std::uint64_t n, std::uint64_t variant);
struct QuarantineKey {
  std::uint64_t device;
  std::uint64_t n;
  std::uint64_t variant;
};
[[nodiscard]] std::optional<QuarantineKey> parse_quarantine(std::string_view key);

// `record_key` is that of record().
[[nodiscard]] std::string history(std::string_view record_key, Seq seq);
struct HistoryKey {
  RecordKey record;
  Seq seq;
};
[[nodiscard]] std::optional<HistoryKey> parse_history(std::string_view key);

// When the server has to look at a record. Sorts by time.
[[nodiscard]] std::string timer(std::int64_t due_ms, std::string_view record_key);
struct TimerKey {
  std::int64_t due_ms;
  std::string_view record_key;
};
[[nodiscard]] std::optional<TimerKey> parse_timer(std::string_view key);

// Records of one scope and collection that match lie side by side. `match` holds no byte 0.
[[nodiscard]] std::string match_prefix(std::string_view scope, std::string_view coll,
                                       std::string_view match);
[[nodiscard]] std::string match(std::string_view scope, std::string_view coll,
                                std::string_view match, std::string_view id);
struct MatchKey {
  std::string_view scope;
  std::string_view coll;
  std::string_view match;
  std::string_view id;
};
[[nodiscard]] std::optional<MatchKey> parse_match(std::string_view key);

[[nodiscard]] std::string view_digest(std::string_view scope, std::string_view view_name);
struct ViewDigestKey {
  std::string_view scope;
  std::string_view view_name;
};
[[nodiscard]] std::optional<ViewDigestKey> parse_view_digest(std::string_view key);

// That a record names a blob: its hash (64 hex digits), then the key of record().
[[nodiscard]] std::string blob_prefix(std::string_view hash);
[[nodiscard]] std::string blob(std::string_view hash, std::string_view record_key);
struct BlobKey {
  std::string_view hash;
  std::string_view record_key;
};
[[nodiscard]] std::optional<BlobKey> parse_blob(std::string_view key);

// kProjections. The sums of a row (sync/projection.h, row_name()).
inline constexpr std::string_view kSumsPrefix = "s";
[[nodiscard]] std::string sums(std::string_view row);
// That `id` corrects `corrected`, of the same scope and collection.
inline constexpr std::string_view kCorrectionPrefix = "c";
[[nodiscard]] std::string correction_prefix(std::string_view scope, std::string_view coll,
                                            std::string_view corrected);
[[nodiscard]] std::string correction(std::string_view scope, std::string_view coll,
                                     std::string_view corrected, std::string_view id);
// Fields of a record that are kept beside the sums, and where a merged one leads.
[[nodiscard]] std::string kept_prefix(std::string_view coll);
[[nodiscard]] std::string kept(std::string_view coll, std::string_view id, std::string_view scope);
[[nodiscard]] std::string merged_prefix(std::string_view coll);
[[nodiscard]] std::string merged(std::string_view coll, std::string_view id,
                                 std::string_view scope);
struct KeptKey {
  std::string_view coll;
  std::string_view id;
  std::string_view scope;
};
// Of either.
[[nodiscard]] std::optional<KeptKey> parse_kept(std::string_view key);

// All keys of a collection of a scope in kRecords start with this.
[[nodiscard]] std::string collection_prefix(std::string_view scope, std::string_view coll);
// All keys of a scope in kRecords, kChanges and kConflicts start with this.
[[nodiscard]] std::string scope_prefix(std::string_view scope);
// The first key after all that start with `prefix`; empty when there is none.
[[nodiscard]] std::string prefix_end(std::string prefix);

}  // namespace waystation::keys

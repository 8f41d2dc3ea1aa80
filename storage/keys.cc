#include "storage/keys.h"

#include "sync/bytes.h"

namespace waystation::keys {
namespace {

constexpr char kEnd = '\0';

std::string tagged(char tag, std::uint64_t number) {
  std::string key(1, tag);
  put_u64_be(key, number);
  return key;
}

// Cuts off the part before the next kEnd.
std::optional<std::string_view> take_part(std::string_view& rest) {
  const std::size_t end = rest.find(kEnd);
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return part;
}

}  // namespace

std::string account(std::uint64_t device) { return tagged('a', device); }
std::string device_state(std::uint64_t device) { return tagged('s', device); }

std::string code(std::string_view code_hash) {
  std::string key(kCodePrefix);
  key += code_hash;
  return key;
}

std::optional<std::uint64_t> device_of(std::string_view key) {
  if (key.size() != 9 || (key[0] != 'a' && key[0] != 's')) return std::nullopt;
  return ByteReader(key.substr(1)).u64_be();
}

std::string log_chunk(std::uint64_t device, std::uint64_t last_n) {
  std::string key;
  put_u64_be(key, device);
  put_u64_be(key, last_n);
  return key;
}

std::optional<LogKey> parse_log_chunk(std::string_view key) {
  ByteReader reader(key);
  LogKey parsed{reader.u64_be(), reader.u64_be()};
  return reader.done() ? std::optional(parsed) : std::nullopt;
}

std::string record(std::string_view scope, std::string_view coll, std::string_view id) {
  std::string key;
  key.reserve(scope.size() + coll.size() + id.size() + 2);
  key += scope;
  key += kEnd;
  key += coll;
  key += kEnd;
  key += id;
  return key;
}

std::optional<RecordKey> parse_record(std::string_view key) {
  std::string_view rest = key;
  const auto scope = take_part(rest);
  if (!scope) return std::nullopt;
  const auto coll = take_part(rest);
  if (!coll || rest.empty() || rest.find(kEnd) != std::string_view::npos) return std::nullopt;
  return RecordKey{*scope, *coll, rest};
}

std::string change(std::string_view scope, Seq seq) {
  std::string key = scope_prefix(scope);
  put_u64_be(key, static_cast<std::uint64_t>(seq));
  return key;
}

std::optional<ChangeKey> parse_change(std::string_view key) {
  std::string_view rest = key;
  const auto scope = take_part(rest);
  if (!scope) return std::nullopt;
  ByteReader reader(rest);
  const auto seq = static_cast<Seq>(reader.u64_be());
  if (!reader.done() || seq < 0) return std::nullopt;
  return ChangeKey{*scope, seq};
}

std::string conflict(std::string_view scope, std::string_view coll, std::string_view id,
                     std::string_view field, const Dot& dot, std::uint32_t part) {
  std::string key = record(scope, coll, id);
  key += kEnd;
  key += field;
  key += kEnd;
  put_u64_be(key, dot.device);
  put_u64_be(key, dot.n);
  put_u64_be(key, part);
  return key;
}

std::optional<ConflictKey> parse_conflict(std::string_view key) {
  std::string_view rest = key;
  const auto scope = take_part(rest);
  if (!scope) return std::nullopt;
  const auto coll = take_part(rest);
  if (!coll) return std::nullopt;
  const auto id = take_part(rest);
  if (!id) return std::nullopt;
  const auto field = take_part(rest);
  if (!field) return std::nullopt;
  ByteReader reader(rest);
  Dot dot;
  dot.device = reader.u64_be();
  dot.n = reader.u64_be();
  const std::uint64_t part = reader.u64_be();
  if (!reader.done() || part > 0xFFFFFFFFU) return std::nullopt;
  return ConflictKey{RecordKey{*scope, *coll, *id}, *field, dot, static_cast<std::uint32_t>(part)};
}

std::string quarantine(std::uint64_t device, std::uint64_t n, std::uint64_t variant) {
  std::string key;
  put_u64_be(key, device);
  put_u64_be(key, n);
  put_u64_be(key, variant);
  return key;
}

std::optional<QuarantineKey> parse_quarantine(std::string_view key) {
  ByteReader reader(key);
  QuarantineKey parsed{reader.u64_be(), reader.u64_be(), reader.u64_be()};
  return reader.done() ? std::optional(parsed) : std::nullopt;
}

std::string history(std::string_view record_key, Seq seq) {
  std::string key(record_key);
  key += kEnd;
  put_u64_be(key, static_cast<std::uint64_t>(seq));
  return key;
}

std::optional<HistoryKey> parse_history(std::string_view key) {
  constexpr std::size_t kTail = 1 + sizeof(std::uint64_t);
  if (key.size() < kTail || key[key.size() - kTail] != kEnd) return std::nullopt;
  const auto record = parse_record(key.substr(0, key.size() - kTail));
  const auto seq = static_cast<Seq>(ByteReader(key.substr(key.size() - kTail + 1)).u64_be());
  if (!record || seq < 0) return std::nullopt;
  return HistoryKey{*record, seq};
}

std::string timer(std::int64_t due_ms, std::string_view record_key) {
  std::string key;
  put_u64_be(key, static_cast<std::uint64_t>(due_ms));
  key += record_key;
  return key;
}

std::optional<TimerKey> parse_timer(std::string_view key) {
  if (key.size() < sizeof(std::uint64_t)) return std::nullopt;
  const auto due_ms = static_cast<std::int64_t>(ByteReader(key.substr(0, 8)).u64_be());
  const std::string_view record_key = key.substr(8);
  if (due_ms < 0 || !parse_record(record_key)) return std::nullopt;
  return TimerKey{due_ms, record_key};
}

std::string match_prefix(std::string_view scope, std::string_view coll, std::string_view match) {
  std::string key = record(scope, coll, match);
  key += kEnd;
  return key;
}

std::string match(std::string_view scope, std::string_view coll, std::string_view match,
                  std::string_view id) {
  std::string key = match_prefix(scope, coll, match);
  key += id;
  return key;
}

std::optional<MatchKey> parse_match(std::string_view key) {
  std::string_view rest = key;
  const auto scope = take_part(rest);
  if (!scope) return std::nullopt;
  const auto coll = take_part(rest);
  if (!coll) return std::nullopt;
  const auto match = take_part(rest);
  if (!match || rest.empty() || rest.find(kEnd) != std::string_view::npos) return std::nullopt;
  return MatchKey{*scope, *coll, *match, rest};
}

std::string view_digest(std::string_view scope, std::string_view view_name) {
  std::string key = scope_prefix(scope);
  key += view_name;
  return key;
}

std::optional<ViewDigestKey> parse_view_digest(std::string_view key) {
  std::string_view rest = key;
  const auto scope = take_part(rest);
  if (!scope || rest.empty() || rest.find(kEnd) != std::string_view::npos) return std::nullopt;
  return ViewDigestKey{*scope, rest};
}

std::string scope_prefix(std::string_view scope) {
  std::string key(scope);
  key += kEnd;
  return key;
}

std::string blob_prefix(std::string_view hash) {
  std::string key(hash);
  key += '\0';
  return key;
}

std::string blob(std::string_view hash, std::string_view record_key) {
  return blob_prefix(hash) += record_key;
}

std::optional<BlobKey> parse_blob(std::string_view key) {
  const std::size_t end = key.find('\0');
  if (end == std::string_view::npos || !parse_record(key.substr(end + 1))) return std::nullopt;
  return BlobKey{key.substr(0, end), key.substr(end + 1)};
}

std::string sums(std::string_view row) {
  std::string key(kSumsPrefix);
  key += row;
  return key;
}

std::string correction_prefix(std::string_view scope, std::string_view coll,
                              std::string_view corrected) {
  std::string key(kCorrectionPrefix);
  key += record(scope, coll, corrected);
  key += kEnd;
  return key;
}

std::string correction(std::string_view scope, std::string_view coll, std::string_view corrected,
                       std::string_view id) {
  return correction_prefix(scope, coll, corrected) += id;
}

namespace {

constexpr char kKept = 'k';
constexpr char kMerged = 'm';

std::string of_collection(char kind, std::string_view coll) {
  std::string key(1, kind);
  key += coll;
  key += kEnd;
  return key;
}

std::string of_record(char kind, std::string_view coll, std::string_view id,
                      std::string_view scope) {
  std::string key = of_collection(kind, coll);
  key += id;
  key += kEnd;
  key += scope;
  return key;
}

}  // namespace

std::string kept_prefix(std::string_view coll) { return of_collection(kKept, coll); }
std::string kept(std::string_view coll, std::string_view id, std::string_view scope) {
  return of_record(kKept, coll, id, scope);
}
std::string merged_prefix(std::string_view coll) { return of_collection(kMerged, coll); }
std::string merged(std::string_view coll, std::string_view id, std::string_view scope) {
  return of_record(kMerged, coll, id, scope);
}

std::optional<KeptKey> parse_kept(std::string_view key) {
  if (key.empty() || (key.front() != kKept && key.front() != kMerged)) return std::nullopt;
  const auto parts = parse_record(key.substr(1));
  if (!parts) return std::nullopt;
  return KeptKey{parts->scope, parts->coll, parts->id};
}

std::string collection_prefix(std::string_view scope, std::string_view coll) {
  std::string key = scope_prefix(scope);
  key += coll;
  key += kEnd;
  return key;
}

std::string prefix_end(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

}  // namespace waystation::keys

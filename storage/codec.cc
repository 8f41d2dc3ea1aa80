#include "storage/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "sync/bytes.h"
#include "sync/limits.h"

namespace waystation {
namespace {

// Each layout's first byte. A new layout gets a new number; old ones, from 1, stay readable for
// ever.
constexpr std::uint8_t kRecordV2 = 2;   // with quotas, reviews, burial, dues and matches
constexpr std::uint8_t kAccountV2 = 2;  // with standing, branches, wipe and predecessor
constexpr std::uint8_t kStateV2 = 2;    // with what it has pulled and what is backed up
constexpr std::uint8_t kCodeV2 = 2;     // with its time and what it replaces
constexpr std::uint8_t kChunkV1 = 1;
constexpr std::uint8_t kConflictV2 = 2;  // with its review
constexpr std::uint8_t kQuarantineV1 = 1;
constexpr std::uint8_t kDigestV1 = 1;
constexpr std::uint8_t kHistoryV1 = 1;
constexpr std::uint8_t kMatchV1 = 1;

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
}
std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
}

void put_signed(std::string& out, std::int64_t value) { put_varint(out, zigzag(value)); }
void put_version(std::string& out, std::uint8_t version) { out += static_cast<char>(version); }

class Decoder : public ByteReader {
 public:
  // Reads layouts from 1 to `newest`.
  Decoder(std::string_view bytes, std::uint8_t newest) : ByteReader(bytes), layout_(byte()) {
    if (layout_ == 0 || layout_ > newest) fail();
  }
  [[nodiscard]] std::uint8_t layout() const { return layout_; }
  std::int64_t signed_varint() { return unzigzag(varint()); }
  Seq seq() {
    const std::uint64_t value = varint();
    if (value > static_cast<std::uint64_t>(limits::kMaxInteger)) fail();
    return static_cast<Seq>(value);
  }
  std::string text() { return std::string(string()); }
  bool flag() {
    const std::uint8_t value = byte();
    if (value > 1) fail();
    return value == 1;
  }

 private:
  std::uint8_t layout_;
};

template <typename T>
Result<T> finish(const ByteReader& reader, T value, const char* what) {
  if (!reader.done()) return Error{Code::kStoreCorrupt, std::string("a damaged value: ") + what};
  return value;
}

void put_review(std::string& out, const Review& review) {
  out += static_cast<char>(review.settled ? 1 : 0);
  put_varint(out, static_cast<std::uint64_t>(review.stamp));
  put_varint(out, review.by.device);
  put_varint(out, review.by.n);
}

Review take_review(Decoder& in) {
  Review review;
  review.settled = in.flag();
  review.stamp = in.seq();
  review.by.device = in.varint();
  review.by.n = in.varint();
  return review;
}

void put_quota(std::string& out, const Quota& quota) {
  put_signed(out, quota.granted);
  put_signed(out, quota.spent);
  put_varint(out, quota.leases.size());
  for (const Lease& lease : quota.leases) {
    put_varint(out, lease.device);
    put_signed(out, lease.left);
    put_signed(out, lease.reclaimed);
    put_signed(out, lease.expires_ms);
  }
}

Quota take_quota(Decoder& in) {
  Quota quota;
  quota.granted = in.signed_varint();
  quota.spent = in.signed_varint();
  const std::size_t leases = in.count();
  for (std::size_t i = 0; i < leases && !in.failed(); ++i) {
    Lease lease;
    lease.device = in.varint();
    lease.left = in.signed_varint();
    lease.reclaimed = in.signed_varint();
    lease.expires_ms = in.signed_varint();
    if (i > 0 && quota.leases.back().device >= lease.device) in.fail();
    quota.leases.push_back(lease);
  }
  return quota;
}

// Beside the part, which has 32 bits.
constexpr std::uint64_t kRenounced = std::uint64_t{1} << 32;

// shown_until is open-ended for what is still on show.
void put_write(std::string& out, const Write& write, bool live) {
  put_varint(out, write.dot.device);
  put_varint(out, write.dot.n);
  put_varint(out, write.part + (write.renounced ? kRenounced : 0));
  put_varint(out, static_cast<std::uint64_t>(write.stamp));
  put_varint(out, static_cast<std::uint64_t>(write.shown_from));
  if (live) {
    put_string(out, write.value);
  } else {
    put_varint(out, static_cast<std::uint64_t>(write.shown_until));
    out += static_cast<char>(write.hidden ? 1 : 0);
    put_u64_be(out, write.value_hash);
    put_review(out, write.review);
  }
}

Write take_write(Decoder& in, bool live) {
  Write write;
  write.dot.device = in.varint();
  write.dot.n = in.varint();
  const std::uint64_t part = in.varint();
  if (part > (kRenounced | 0xFFFFFFFFU)) in.fail();
  write.part = static_cast<std::uint32_t>(part);
  write.renounced = (part & kRenounced) != 0;
  write.stamp = in.seq();
  write.shown_from = in.seq();
  if (live) {
    write.value = in.text();
    write.value_hash = hash_value(write.value);
    write.shown_until = kStillShown;
  } else {
    write.shown_until = in.seq();
    write.hidden = in.flag();
    write.value_hash = in.u64_be();
    if (in.layout() >= kRecordV2) write.review = take_review(in);
  }
  return write;
}

void put_field(std::string& out, const Field& field) {
  put_string(out, field.name);
  out += static_cast<char>(field.type);
  put_signed(out, field.sum);
  put_varint(out, field.live.size());
  for (const Write& write : field.live) put_write(out, write, true);
  put_varint(out, field.lost.size());
  for (const Write& write : field.lost) put_write(out, write, false);
  if (field.type == MergeType::kQuota) put_quota(out, field.quota);
}

Field take_field(Decoder& in) {
  Field field;
  field.name = in.text();
  const std::uint8_t type = in.byte();
  const auto last = in.layout() >= kRecordV2 ? MergeType::kQuota : MergeType::kLog;
  if (type > static_cast<std::uint8_t>(last)) in.fail();
  field.type = static_cast<MergeType>(type);
  field.sum = in.signed_varint();
  const std::size_t live = in.count();
  for (std::size_t i = 0; i < live && !in.failed(); ++i) field.live.push_back(take_write(in, true));
  const std::size_t lost = in.count();
  for (std::size_t i = 0; i < lost && !in.failed(); ++i)
    field.lost.push_back(take_write(in, false));
  if (field.type == MergeType::kQuota) field.quota = take_quota(in);
  if (field.type == MergeType::kRegister && field.live.size() > 1) in.fail();
  return field;
}

void put_clock(std::string& out, const DeviceClock& clock) {
  put_signed(out, clock.enrolled_ms);
  put_signed(out, clock.skew_ms);
  put_varint(out, clock.boots.size());
  for (const BootClock& boot : clock.boots) {
    put_string(out, boot.boot);
    put_signed(out, boot.server_ms);
    put_signed(out, boot.mono_ms);
  }
}

DeviceClock take_clock(Decoder& in) {
  DeviceClock clock;
  clock.enrolled_ms = in.signed_varint();
  clock.skew_ms = in.signed_varint();
  const std::size_t boots = in.count();
  for (std::size_t i = 0; i < boots && !in.failed(); ++i) {
    BootClock boot;
    boot.boot = in.text();
    boot.server_ms = in.signed_varint();
    boot.mono_ms = in.signed_varint();
    clock.boots.push_back(std::move(boot));
  }
  return clock;
}

}  // namespace

std::string encode_record(const Record& record, std::string_view visible) {
  std::string out;
  out.reserve(visible.size() * 2 + 64 * record.fields.size() + 32);
  put_version(out, kRecordV2);
  put_varint(out, static_cast<std::uint64_t>(record.seq));
  put_varint(out, record.open_conflicts());
  put_string(out, visible);
  out += static_cast<char>(record.buried ? 1 : 0);
  put_varint(out, static_cast<std::uint64_t>(record.born));
  put_signed(out, record.due_ms);
  put_string(out, record.match);
  put_varint(out, record.fields.size());
  for (const Field& field : record.fields) put_field(out, field);
  put_varint(out, record.deletes.size());
  for (const DeviceDelete& d : record.deletes) {
    put_varint(out, d.device);
    put_varint(out, d.n);
    put_varint(out, static_cast<std::uint64_t>(d.seq));
  }
  put_varint(out, record.early_reviews.size());
  for (const Reviewed& early : record.early_reviews) {
    put_string(out, early.field);
    put_varint(out, early.dot.device);
    put_varint(out, early.dot.n);
    put_varint(out, early.part);
    put_review(out, early.review);
  }
  return out;
}

Result<RecordHead> decode_record_head(std::string_view bytes) {
  Decoder in(bytes, kRecordV2);
  RecordHead head;
  head.seq = in.seq();
  head.conflicts = in.varint();
  head.visible = in.string();
  if (in.layout() >= kRecordV2) head.buried = in.flag();
  if (in.failed()) return Error{Code::kStoreCorrupt, "a damaged value: record"};
  return head;
}

Result<Record> decode_record(std::string_view bytes) {
  Decoder in(bytes, kRecordV2);
  Record record;
  record.seq = in.seq();
  const std::uint64_t conflicts = in.varint();
  const std::string_view visible = in.string();
  record.deleted_ = visible.empty();
  if (in.layout() >= kRecordV2) {
    record.buried = in.flag();
    record.born = in.seq();
    record.due_ms = in.signed_varint();
    record.match = in.text();
    if (record.buried && !record.deleted_) in.fail();
  }
  const std::size_t fields = in.count();
  for (std::size_t i = 0; i < fields && !in.failed(); ++i) {
    record.fields.push_back(take_field(in));
    if (i > 0 && record.fields[i - 1].name >= record.fields[i].name) in.fail();
  }
  const std::size_t deletes = in.count();
  for (std::size_t i = 0; i < deletes && !in.failed(); ++i) {
    DeviceDelete d;
    d.device = in.varint();
    d.n = in.varint();
    d.seq = in.seq();
    record.deletes.push_back(d);
  }
  const std::size_t reviews = in.layout() >= kRecordV2 ? in.count() : 0;
  for (std::size_t i = 0; i < reviews && !in.failed(); ++i) {
    Reviewed early;
    early.field = in.text();
    early.dot.device = in.varint();
    early.dot.n = in.varint();
    const std::uint64_t part = in.varint();
    if (part > 0xFFFFFFFFU) in.fail();
    early.part = static_cast<std::uint32_t>(part);
    early.review = take_review(in);
    record.early_reviews.push_back(std::move(early));
  }
  // The head repeats what the rest says; a value where they differ is damaged.
  if (record.seq == 0 || !in.done() || conflicts != record.open_conflicts()) in.fail();
  return finish(in, std::move(record), "record");
}

namespace {

void put_standing(std::string& out, const Account& account) {
  out += static_cast<char>(account.standing);
  put_signed(out, account.inactive_ms);
  put_varint(out, account.branches.size());
  for (const std::string& branch : account.branches) put_string(out, branch);
  out += static_cast<char>(account.full ? 1 : 0);
  put_signed(out, account.wipe_ordered_ms);
  out += static_cast<char>(account.wipe_now ? 1 : 0);
  put_signed(out, account.wiped_ms);
  put_varint(out, account.wipe_discarded);
  put_varint(out, account.predecessor);
  put_varint(out, account.successor);
}

void take_standing(Decoder& in, Account& account) {
  const std::uint8_t standing = in.byte();
  if (standing > static_cast<std::uint8_t>(Standing::kClosed)) in.fail();
  account.standing = static_cast<Standing>(standing);
  account.inactive_ms = in.signed_varint();
  const std::size_t branches = in.count();
  for (std::size_t i = 0; i < branches && !in.failed(); ++i) {
    account.branches.push_back(in.text());
    if (i > 0 && account.branches[i - 1] >= account.branches[i]) in.fail();
  }
  account.full = in.flag();
  account.wipe_ordered_ms = in.signed_varint();
  account.wipe_now = in.flag();
  account.wiped_ms = in.signed_varint();
  account.wipe_discarded = in.varint();
  account.predecessor = in.varint();
  account.successor = in.varint();
}

bool before(const Grant& a, const Grant& b) {
  return std::tie(a.scope, a.granted) < std::tie(b.scope, b.granted);
}

}  // namespace

std::string encode_account(const Account& account) {
  std::string out;
  put_version(out, kAccountV2);
  put_varint(out, account.device);
  put_string(out, account.name);
  put_string(out, account.token_hash);
  put_signed(out, account.enrolled_ms);
  put_string(out, account.code_hash);
  put_string(out, account.request_hash);
  put_varint(out, account.grants.size());
  for (const Grant& grant : account.grants) {
    put_string(out, grant.scope);
    put_varint(out, static_cast<std::uint64_t>(grant.granted));
    put_varint(out, static_cast<std::uint64_t>(grant.left));
    put_signed(out, grant.left_ms);
  }
  put_varint(out, static_cast<std::uint64_t>(account.reset));
  put_varint(out, static_cast<std::uint64_t>(account.changed));
  put_standing(out, account);
  return out;
}

Result<Account> decode_account(std::string_view bytes) {
  Decoder in(bytes, kAccountV2);
  Account account;
  account.device = in.varint();
  account.name = in.text();
  account.token_hash = in.text();
  account.enrolled_ms = in.signed_varint();
  account.code_hash = in.text();
  account.request_hash = in.text();
  const std::size_t grants = in.count();
  for (std::size_t i = 0; i < grants && !in.failed(); ++i) {
    Grant grant;
    grant.scope = in.text();
    grant.granted = in.seq();
    grant.left = in.seq();
    grant.left_ms = in.signed_varint();
    account.grants.push_back(std::move(grant));
  }
  account.reset = in.seq();
  account.changed = in.seq();
  if (in.layout() >= kAccountV2) {
    take_standing(in, account);
    if (!std::is_sorted(account.grants.begin(), account.grants.end(), before)) in.fail();
  } else {
    account.standing = in.flag() ? Standing::kClosed : Standing::kActive;
    account.inactive_ms = in.signed_varint();
    std::stable_sort(account.grants.begin(), account.grants.end(), before);
    account.branches = account.scopes();  // each was granted by itself
    account.branches.erase(std::unique(account.branches.begin(), account.branches.end()),
                           account.branches.end());
  }
  return finish(in, std::move(account), "account");
}

std::string encode_device_state(const DeviceState& state) {
  std::string out;
  put_version(out, kStateV2);
  put_varint(out, state.applied);
  put_varint(out, state.refused);
  put_varint(out, static_cast<std::uint64_t>(state.last_stamp));
  put_signed(out, state.last_seen_ms);
  put_varint(out, state.queued);
  put_signed(out, state.oldest_ms);
  put_string(out, state.app);
  out += static_cast<char>(state.greeted ? 1 : 0);
  put_clock(out, state.clock);
  put_varint(out, static_cast<std::uint64_t>(state.pulled));
  put_varint(out, state.backed_up);
  return out;
}

Result<DeviceState> decode_device_state(std::string_view bytes) {
  Decoder in(bytes, kStateV2);
  DeviceState state;
  state.applied = in.varint();
  state.refused = in.varint();
  state.last_stamp = in.seq();
  state.last_seen_ms = in.signed_varint();
  state.queued = in.varint();
  state.oldest_ms = in.signed_varint();
  state.app = in.text();
  state.greeted = in.flag();
  state.clock = take_clock(in);
  if (in.layout() >= kStateV2) {
    state.pulled = in.seq();
    state.backed_up = in.varint();
  }
  return finish(in, std::move(state), "device state");
}

std::string code_id(std::string_view code_hash) {
  std::string id;
  for (std::size_t i = 0; i * 2 < kCodeIdChars && i < code_hash.size(); ++i) {
    id += fmt::format("{:02x}", static_cast<unsigned char>(code_hash[i]));
  }
  return id;
}

std::string encode_code(const CodeRow& code) {
  std::string out;
  put_version(out, kCodeV2);
  put_varint(out, code.scopes.size());
  for (const std::string& scope : code.scopes) put_string(out, scope);
  put_string(out, code.name);
  put_varint(out, code.uses_left);
  put_signed(out, code.expires_ms);
  put_signed(out, code.created_ms);
  put_varint(out, code.replaces);
  return out;
}

Result<CodeRow> decode_code(std::string_view bytes) {
  Decoder in(bytes, kCodeV2);
  CodeRow code;
  const std::size_t scopes = in.count();
  for (std::size_t i = 0; i < scopes && !in.failed(); ++i) code.scopes.push_back(in.text());
  code.name = in.text();
  code.uses_left = in.varint();
  code.expires_ms = in.signed_varint();
  if (in.layout() >= kCodeV2) {
    code.created_ms = in.signed_varint();
    code.replaces = in.varint();
  }
  return finish(in, std::move(code), "enrolment code");
}

std::string encode_log_chunk(const LogChunk& chunk) {
  std::size_t size = 32;
  for (const LogEntry& entry : chunk.entries) size += entry.op.size() + entry.verdict.size() + 20;
  std::string out;
  out.reserve(size);
  put_version(out, kChunkV1);
  put_varint(out, chunk.first_n);
  put_signed(out, chunk.received_ms);
  put_varint(out, chunk.entries.size());
  for (const LogEntry& entry : chunk.entries) {
    put_string(out, entry.op);
    put_string(out, entry.verdict);
    put_varint(out, static_cast<std::uint64_t>(entry.stamp));
  }
  return out;
}

Result<LogChunk> decode_log_chunk(std::string_view bytes) {
  Decoder in(bytes, kChunkV1);
  LogChunk chunk;
  chunk.first_n = in.varint();
  chunk.received_ms = in.signed_varint();
  const std::size_t entries = in.count();
  chunk.entries.reserve(entries);
  for (std::size_t i = 0; i < entries && !in.failed(); ++i) {
    LogEntry entry;
    entry.op = in.text();
    entry.verdict = in.text();
    entry.stamp = in.seq();
    chunk.entries.push_back(std::move(entry));
  }
  return finish(in, std::move(chunk), "device log");
}

std::string encode_conflict(const ConflictRow& row) {
  std::string out;
  put_version(out, kConflictV2);
  out += static_cast<char>(row.kind);
  put_varint(out, static_cast<std::uint64_t>(row.stamp));
  put_string(out, row.value);
  put_review(out, row.review);
  return out;
}

Result<ConflictRow> decode_conflict(std::string_view bytes) {
  Decoder in(bytes, kConflictV2);
  ConflictRow row;
  const std::uint8_t kind = in.byte();
  if (kind < 1 || kind > 3) in.fail();
  row.kind = static_cast<ConflictKind>(kind);
  row.stamp = in.seq();
  row.value = in.text();
  if (in.layout() >= kConflictV2) row.review = take_review(in);
  return finish(in, std::move(row), "conflict");
}

std::string encode_quarantine(const QuarantineRow& row) {
  std::string out;
  put_version(out, kQuarantineV1);
  put_string(out, row.code);
  put_string(out, row.detail);
  put_signed(out, row.received_ms);
  put_string(out, row.op);
  return out;
}

Result<QuarantineRow> decode_quarantine(std::string_view bytes) {
  Decoder in(bytes, kQuarantineV1);
  QuarantineRow row;
  row.code = in.text();
  row.detail = in.text();
  row.received_ms = in.signed_varint();
  row.op = in.text();
  return finish(in, std::move(row), "quarantine");
}

std::string encode_digest(const DigestRow& row) {
  std::string out;
  put_version(out, kDigestV1);
  put_varint(out, static_cast<std::uint64_t>(row.newest));
  for (std::size_t i = 0; i < row.digest.lanes.size(); i += 2) {
    put_u64_be(out, std::uint64_t{row.digest.lanes[i]} << 32U | row.digest.lanes[i + 1]);
  }
  return out;
}

Result<DigestRow> decode_digest(std::string_view bytes) {
  Decoder in(bytes, kDigestV1);
  DigestRow row;
  row.newest = in.seq();
  for (std::size_t i = 0; i < row.digest.lanes.size(); i += 2) {
    const std::uint64_t two = in.u64_be();
    row.digest.lanes[i] = static_cast<std::uint32_t>(two >> 32U);
    row.digest.lanes[i + 1] = static_cast<std::uint32_t>(two);
  }
  return finish(in, row, "digest");
}

std::string encode_history(const Dot& dot) {
  std::string out;
  put_version(out, kHistoryV1);
  put_varint(out, dot.device);
  put_varint(out, dot.n);
  return out;
}

Result<Dot> decode_history(std::string_view bytes) {
  Decoder in(bytes, kHistoryV1);
  Dot dot;
  dot.device = in.varint();
  dot.n = in.varint();
  return finish(in, dot, "history");
}

std::string encode_match(const MatchRow& row) {
  std::string out;
  put_version(out, kMatchV1);
  put_varint(out, static_cast<std::uint64_t>(row.born));
  put_string(out, row.like);
  return out;
}

Result<MatchRow> decode_match(std::string_view bytes) {
  Decoder in(bytes, kMatchV1);
  MatchRow row;
  row.born = in.seq();
  row.like = in.text();
  return finish(in, std::move(row), "match");
}

std::string encode_seq(Seq seq) {
  std::string out;
  put_u64_be(out, static_cast<std::uint64_t>(seq));
  return out;
}

Result<Seq> decode_seq(std::string_view bytes) {
  ByteReader in(bytes);
  const auto seq = static_cast<Seq>(in.u64_be());
  if (!in.done() || seq < 0) return Error{Code::kStoreCorrupt, "a damaged value: seq"};
  return seq;
}

}  // namespace waystation

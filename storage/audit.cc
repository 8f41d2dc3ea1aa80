#include "storage/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "storage/keys.h"
#include "sync/bytes.h"
#include "sync/canonical.h"
#include "sync/digest.h"

namespace waystation {
namespace {

constexpr std::uint8_t kAuditV1 = 1;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kWordBytes = 300;
constexpr std::size_t kDetailsBytes = 4096;
constexpr std::size_t kItemsListed = 20;
constexpr std::size_t kFaultsShown = 20;

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// Nothing but 64 lower-case digits makes a hash.
std::string from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    unsigned value = 0;
    std::from_chars(hex.data() + at, hex.data() + at + 2, value, 16);
    out += static_cast<char>(value);
  }
  return out;
}

void cut(std::string& text, std::size_t most) {
  if (text.size() <= most) return;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
}

}  // namespace

AuditDetails& AuditDetails::text(const std::string& name, std::string_view value) {
  members_[name] = quoted(value);
  return *this;
}

AuditDetails& AuditDetails::number(const std::string& name, std::int64_t value) {
  members_[name] = std::to_string(value);
  return *this;
}

AuditDetails& AuditDetails::flag(const std::string& name, bool value) {
  members_[name] = value ? "true" : "false";
  return *this;
}

AuditDetails& AuditDetails::list(const std::string& name, const std::vector<std::string>& items) {
  std::string out = "[";
  for (std::size_t i = 0; i < std::min(items.size(), kItemsListed); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, items[i]);
  }
  members_[name] = out + "]";
  if (items.size() > kItemsListed) {
    members_[name + "_count"] = std::to_string(items.size());
  }
  return *this;
}

std::string AuditDetails::json() const {
  std::string out = "{";
  for (const auto& [name, value] : members_) {
    if (out.size() > 1) out += ',';
    out += quoted(name) + ":" + value;
  }
  return out + "}";
}

std::string audit_json(const AuditEntry& entry, bool with_hash) {
  const std::string hash = with_hash ? fmt::format(R"("hash":"{}",)", entry.hash) : std::string();
  return fmt::format(R"({{"details":{},{}"n":{},"on":{},"time":{},"what":{},"who":{}}})",
                     entry.note.details, hash, entry.n, quoted(entry.note.on), entry.time_ms,
                     quoted(entry.note.what), quoted(entry.note.who));
}

std::string audit_hash(const std::string& before, const AuditEntry& entry) {
  return hex_of(sha256(before + "\n" + audit_json(entry, false)));
}

AuditEntry next_audit_entry(const AuditHead& head, std::int64_t now_ms, AuditNote note) {
  cut(note.who, kWordBytes);
  cut(note.what, kWordBytes);
  cut(note.on, kWordBytes);
  if (note.details.size() > kDetailsBytes) note.details = R"({"cut":true})";
  AuditEntry entry{head.n + 1, std::max<std::int64_t>(now_ms, 0), std::move(note), {}};
  entry.hash = audit_hash(head.hash, entry);
  return entry;
}

std::string audit_key(std::uint64_t n) {
  std::string key;
  put_u64_be(key, n);
  return key;
}

std::string encode_audit(const AuditEntry& entry) {
  std::string out(1, static_cast<char>(kAuditV1));
  put_varint(out, static_cast<std::uint64_t>(entry.time_ms));
  for (const std::string* part :
       {&entry.note.who, &entry.note.what, &entry.note.on, &entry.note.details}) {
    put_string(out, *part);
  }
  put_string(out, from_hex(entry.hash));
  return out;
}

Result<AuditEntry> decode_audit(std::string_view key, std::string_view bytes) {
  AuditEntry entry;
  ByteReader at(key);
  entry.n = at.u64_be();
  ByteReader in(bytes);
  if (in.byte() != kAuditV1) in.fail();
  const std::uint64_t time = in.varint();
  if (time > static_cast<std::uint64_t>(INT64_MAX)) in.fail();
  entry.time_ms = static_cast<std::int64_t>(time);
  for (std::string* part :
       {&entry.note.who, &entry.note.what, &entry.note.on, &entry.note.details}) {
    *part = std::string(in.string());
  }
  const std::string_view hash = in.string();
  if (hash.size() != kHashBytes) in.fail();
  entry.hash = hex_of(hash);
  if (!at.done() || !in.done()) {
    return Error{Code::kStoreCorrupt, "a damaged value: audit entry"};
  }
  return entry;
}

std::string encode_audit_head(const AuditHead& head) {
  std::string out(1, static_cast<char>(kAuditV1));
  put_varint(out, head.n);
  put_string(out, from_hex(head.hash));
  return out;
}

Result<AuditHead> decode_audit_head(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.byte() != kAuditV1) in.fail();
  AuditHead head;
  head.n = in.varint();
  const std::string_view hash = in.string();
  if (hash.size() != kHashBytes) in.fail();
  head.hash = hex_of(hash);
  if (!in.done()) return Error{Code::kStoreCorrupt, "a damaged value: head of the audit log"};
  return head;
}

std::string format_audit_head(const AuditHead& head) {
  return fmt::format("{}:{}", head.n, head.hash);
}

Result<AuditHead> parse_audit_head(std::string_view text) {
  AuditHead head;
  const std::size_t colon = text.find(':');
  const char* end = text.data() + std::min(colon, text.size());
  const auto parsed = std::from_chars(text.data(), end, head.n);
  if (colon != std::string_view::npos) head.hash = std::string(text.substr(colon + 1));
  const bool hex = std::all_of(head.hash.begin(), head.hash.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  if (colon == std::string_view::npos || parsed.ec != std::errc() || parsed.ptr != end ||
      head.hash.size() != 2 * kHashBytes || !hex) {
    return Error{Code::kInputInvalid,
                 "a head is written as NUMBER:HASH, the hash in 64 hex digits"};
  }
  return head;
}

Result<AuditHead> read_audit_head(const Kv& kv, const Snapshot* snapshot) {
  std::string value;
  const auto found = kv.get(Column::kMeta, keys::kAuditHead, value, snapshot);
  if (!found) return found.error();
  return *found ? decode_audit_head(value) : Result<AuditHead>(AuditHead{});
}

Status for_each_audit(const Kv& kv, const Snapshot* snapshot, std::uint64_t after,
                      const std::function<bool(const AuditEntry&)>& visit) {
  if (after == UINT64_MAX) return {};
  const auto rows = kv.iterate(Column::kAudit, snapshot);
  for (rows->seek(audit_key(after + 1)); rows->valid(); rows->next()) {
    const auto entry = decode_audit(rows->key(), rows->value());
    if (!entry) return entry.error();
    if (!visit(*entry)) return {};
  }
  return rows->status();
}

Result<AuditCheck> check_audit(const Kv& kv, const Snapshot* snapshot,
                               const std::vector<AuditHead>& known) {
  AuditCheck check;
  const auto fault = [&check](std::string text) {
    if (check.faults.size() < kFaultsShown) check.faults.push_back(std::move(text));
  };
  std::vector<bool> met(known.size(), false);
  AuditHead at;
  const auto rows = kv.iterate(Column::kAudit, snapshot);
  for (rows->seek(""); rows->valid(); rows->next()) {
    const auto entry = decode_audit(rows->key(), rows->value());
    if (!entry) {
      fault(fmt::format("audit: the entry after {} cannot be decoded", at.n));
      ++at.n;
      continue;
    }
    ++check.entries;
    if (entry->n != at.n + 1) {
      fault(fmt::format("audit: number {} follows {}", entry->n, at.n));
    } else if (audit_hash(at.hash, *entry) != entry->hash) {
      fault(fmt::format("audit: the chain breaks at {}", entry->n));
    }
    at = AuditHead{entry->n, entry->hash};
    for (std::size_t i = 0; i < known.size(); ++i) met[i] = met[i] || known[i] == at;
  }
  if (!rows->status()) return rows->status().error();
  const auto head = read_audit_head(kv, snapshot);
  if (!head && head.error().code != Code::kStoreCorrupt) return head.error();
  if (!head) {
    fault("audit: the head cannot be decoded");
  } else if (!(*head == at)) {
    fault(fmt::format("audit: the head names {}, the log ends with {}", head->n, at.n));
  }
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (!met[i] && known[i].n != 0) {
      fault(fmt::format("audit: entry {} is not the one that was noted", known[i].n));
    }
  }
  return check;
}

}  // namespace waystation

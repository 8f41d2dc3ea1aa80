#include "storage/lists.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/codec.h"
#include "storage/keys.h"
#include "sync/canonical.h"
#include "sync/device_id.h"
#include "sync/limits.h"
#include "sync/wire.h"

namespace waystation {
namespace {

std::string to_hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

Result<std::string> from_hex(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::string out;
  if (text.size() % 2 != 0) return Error{Code::kCursorInvalid, "after: not one of ours"};
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return Error{Code::kCursorInvalid, "after: not one of ours"};
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

// Walks one column from `start` (or behind `after`) and lets `visit` append items. `visit` returns
// whether it appended one.
template <typename Visit>
Result<ListPage> walk(const Store& store, const Snapshot& snapshot, Column column,
                      const std::string& prefix, const std::string& after, std::size_t limit,
                      Visit visit) {
  auto resume = from_hex(after);
  if (!resume) return resume.error();
  limit = std::clamp<std::size_t>(limit, 1, limits::kPageRecords);
  auto rows = store.kv().iterate(column, &snapshot, keys::prefix_end(prefix));
  rows->seek(std::max(prefix, *resume));
  if (!resume->empty() && rows->valid() && rows->key() == *resume) rows->next();
  ListPage page;
  std::size_t count = 0;
  std::string last;
  for (; rows->valid(); rows->next()) {
    if (count >= limit || page.items.size() >= limits::kPageBytes) {
      page.next = to_hex(last);
      break;
    }
    const std::size_t before = page.items.size();
    if (before > 0) page.items += ',';
    const Result<bool> appended = visit(rows->key(), rows->value(), page.items);
    if (!appended) return appended.error();
    if (*appended) {
      ++count;
    } else {
      page.items.resize(before);
    }
    last = std::string(rows->key());
  }
  if (!rows->status()) return rows->status().error();
  return page;
}

void append_conflict(std::string& out, const keys::ConflictKey& key, const ConflictRow& row,
                     ConflictKind kind, const Record& record) {
  out += fmt::format(R"({{"scope":"{}","coll":"{}","id":"{}","field":"{}","kind":"{}","value":)",
                     key.record.scope, key.record.coll, key.record.id, key.field, word_for(kind));
  out += row.value;
  out += fmt::format(R"(,"by":"{}","n":{})", format_device_id(key.dot.device), key.dot.n);
  if (key.part != 0) out += fmt::format(R"(,"part":{})", key.part);
  out += fmt::format(R"(,"stamp":{})", ms_from_seq(row.stamp));
  const Field* field = record.field(key.field);
  if (field != nullptr && field->type == MergeType::kRegister && !field->live.empty()) {
    out += R"(,"winner":{"value":)";
    out += field->live[0].value;
    out += fmt::format(R"(,"by":"{}"}})", format_device_id(field->live[0].dot.device));
  }
  if (row.review.settled) {
    out += fmt::format(R"(,"review":{{"by":"{}","n":{},"stamp":{}}})",
                       format_device_id(row.review.by.device), row.review.by.n,
                       ms_from_seq(row.review.stamp));
  }
  out += '}';
}

// The first key that may hold a record of `coll`, at or behind the key of one that is none.
std::string next_of_collection(const keys::RecordKey& at, std::string_view coll) {
  // Records sort by collection within a scope: the others are jumped over.
  std::string next(at.scope);
  next += '\0';
  if (at.coll < coll) {
    next += coll;
    next += '\0';
  } else {
    next.back() = '\x01';
  }
  return next;
}

// A page as it leaves the store.
Result<ListPage> opened(const Store& store, Result<ListPage> page, Gone gone) {
  if (!page) return page;
  if (auto done = store.make_plain(page->items, gone); !done) return done.error();
  return page;
}

Result<ListPage> list_collection(const Store& store, const RecordQuery& query,
                                 const ScopeFilter& allowed) {
  const auto resume = from_hex(query.after);
  if (!resume) return resume.error();
  const std::size_t limit = std::clamp<std::size_t>(query.limit, 1, limits::kPageRecords);
  const auto snapshot = store.kv().snapshot();
  auto rows = store.kv().iterate(Column::kRecords, snapshot.get());
  rows->seek(*resume);
  if (!resume->empty() && rows->valid() && rows->key() == *resume) rows->next();
  ListPage page;
  std::string last;
  for (std::size_t count = 0; rows->valid();) {
    const auto key = keys::parse_record(rows->key());
    if (!key) return Error{Code::kStoreCorrupt, "a damaged record key"};
    if (key->coll != query.coll) {
      rows->seek(next_of_collection(*key, query.coll));
      continue;
    }
    if (!allowed || allowed(key->scope)) {
      if (count == limit || page.items.size() >= limits::kPageBytes) {
        page.next = to_hex(last);
        break;
      }
      const auto head = decode_record_head(rows->value());
      if (!head) return head.error();
      if (count++ > 0) page.items += ',';
      append_change(page.items, key->scope, key->coll, key->id, head->seq, head->visible,
                    head->conflicts);
      last = std::string(rows->key());
    }
    rows->next();
  }
  if (!rows->status()) return rows->status().error();
  return page;
}

}  // namespace

namespace {

Result<ListPage> list_sealed(const Store& store, const RecordQuery& query,
                             const ScopeFilter& allowed) {
  if (query.scope.empty()) return list_collection(store, query, allowed);
  const auto snapshot = store.kv().snapshot();
  std::string prefix = keys::scope_prefix(query.scope);
  if (!query.coll.empty()) prefix += query.coll + '\0';
  if (!query.id.empty()) {
    std::string value;
    const auto found = store.kv().get(
        Column::kRecords, keys::record(query.scope, query.coll, query.id), value, snapshot.get());
    if (!found) return found.error();
    ListPage page;
    if (!*found) return page;
    const auto head = decode_record_head(value);
    if (!head) return head.error();
    append_change(page.items, query.scope, query.coll, query.id, head->seq, head->visible,
                  head->conflicts);
    return page;
  }
  return walk(store, *snapshot, Column::kRecords, prefix, query.after, query.limit,
              [](std::string_view key, std::string_view value, std::string& out) -> Result<bool> {
                const auto parts = keys::parse_record(key);
                const auto head = decode_record_head(value);
                if (!parts || !head) return Error{Code::kStoreCorrupt, "a damaged record"};
                append_change(out, parts->scope, parts->coll, parts->id, head->seq, head->visible,
                              head->conflicts);
                return true;
              });
}

}  // namespace

Result<ListPage> list_records(const Store& store, const RecordQuery& query,
                              const ScopeFilter& allowed) {
  return opened(store, list_sealed(store, query, allowed), Gone::kLeftOut);
}

Result<ListPage> list_conflicts(const Store& store, const ConflictQuery& query,
                                const ScopeFilter& allowed) {
  const auto snapshot = store.kv().snapshot();
  const std::string prefix = query.scope.empty() ? std::string() : keys::scope_prefix(query.scope);
  const auto visit = [&](std::string_view key, std::string_view value,
                         std::string& out) -> Result<bool> {
    const auto parts = keys::parse_conflict(key);
    const auto row = decode_conflict(value);
    if (!parts || !row) return Error{Code::kStoreCorrupt, "a damaged conflict"};
    if (row->review.settled != query.settled || !allowed(parts->record.scope)) return false;
    std::string bytes;
    const auto found = store.kv().get(
        Column::kRecords, keys::record(parts->record.scope, parts->record.coll, parts->record.id),
        bytes, snapshot.get());
    if (!found) return found.error();
    auto record = decode_record(bytes);
    if (!*found || !record) return Error{Code::kStoreCorrupt, "a conflict without its record"};
    const auto kind = record->open_kind(parts->field, parts->dot, parts->part, row->kind);
    if (!kind && !query.settled) return false;
    append_conflict(out, *parts, *row, kind.value_or(row->kind), *record);
    return true;
  };
  return opened(store,
                walk(store, *snapshot, Column::kConflicts, prefix, query.after, query.limit, visit),
                Gone::kNull);
}

Result<ListPage> list_quarantine(const Store& store, const QuarantineQuery& query) {
  const auto snapshot = store.kv().snapshot();
  const std::string prefix =
      query.device ? keys::log_chunk(*query.device, 0).substr(0, 8) : std::string();
  const auto visit = [](std::string_view key, std::string_view value,
                        std::string& out) -> Result<bool> {
    const auto parts = keys::parse_quarantine(key);
    const auto row = decode_quarantine(value);
    if (!parts || !row) return Error{Code::kStoreCorrupt, "a damaged quarantine entry"};
    out +=
        fmt::format(R"({{"device":"{}","n":{},"code":)", format_device_id(parts->device), parts->n);
    append_json_string(out, row->code);
    out += ",\"detail\":";
    append_json_string(out, row->detail);
    out += fmt::format(R"(,"received":{},"op":)", row->received_ms);
    out += row->op;
    out += '}';
    return true;
  };
  return opened(
      store, walk(store, *snapshot, Column::kQuarantine, prefix, query.after, query.limit, visit),
      Gone::kNull);
}

Result<std::string> describe_device(const Store& store, const Account& account) {
  std::string value;
  const auto found = store.kv().get(Column::kDevices, keys::device_state(account.device), value);
  if (!found) return found.error();
  DeviceState state;
  if (*found) {
    auto decoded = decode_device_state(value);
    if (!decoded) return decoded.error();
    state = std::move(*decoded);
  }
  std::string out = fmt::format(R"({{"device":"{}","name":)", format_device_id(account.device));
  append_json_string(out, account.name);
  out += ",\"app\":";
  append_json_string(out, state.app);
  out += ",\"scopes\":";
  append_string_array(out, account.scopes());
  out += fmt::format(
      R"(,"applied":{},"refused":{},"revoked":{},"enrolled":{},"last_seen":{},"queued":{},)"
      R"("oldest":{},"skew_ms":{},"clock_wrong":{}}})",
      state.applied, state.refused, account.revoked, account.enrolled_ms,
      state.last_seen_ms == 0 ? std::string("null") : std::to_string(state.last_seen_ms),
      state.queued, state.oldest_ms, state.clock.skew_ms, state.clock.wrong());
  return out;
}

Status for_each_record(
    const Store& store, std::string_view coll, std::string_view scope,
    const std::function<bool(std::string_view, std::string_view, std::string_view)>& each) {
  const auto snapshot = store.kv().snapshot();
  const std::string prefix = scope.empty() ? std::string() : keys::scope_prefix(scope);
  auto rows = store.kv().iterate(Column::kRecords, snapshot.get(), keys::prefix_end(prefix));
  rows->seek(prefix);
  std::string room;
  while (rows->valid()) {
    const auto key = keys::parse_record(rows->key());
    if (!key) return Error{Code::kStoreCorrupt, "a damaged record key"};
    if (key->coll != coll) {
      rows->seek(next_of_collection(*key, coll));
      continue;
    }
    const auto head = decode_record_head(rows->value());
    if (!head) return head.error();
    const auto visible = store.plain(head->visible, room, Gone::kLeftOut);
    if (!visible) return visible.error();
    if (!visible->empty() && !each(key->scope, key->id, *visible)) return {};
    rows->next();
  }
  return rows->status();
}

}  // namespace waystation

#include "storage/lists.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/codec.h"
#include "storage/keys.h"
#include "storage/page_token.h"
#include "storage/views.h"
#include "sync/canonical.h"
#include "sync/device_id.h"
#include "sync/limits.h"
#include "sync/wire.h"

namespace waystation {
namespace {

// A page ends after this many reads for each item that it may hold even when they give nothing, so
// that no page holds its thread for long; a small one may look at a few rows more.
constexpr std::size_t kReadsPerItem = 4;
constexpr std::size_t kLeastItems = 100;

// What a page may still read.
class Reads {
 public:
  explicit Reads(std::size_t items) : left_(std::max(items, kLeastItems) * kReadsPerItem) {}
  void take() { left_ -= std::min<std::size_t>(left_, 1); }
  [[nodiscard]] bool used_up() const { return left_ == 0; }

 private:
  std::size_t left_;
};

struct Stretch {
  Column column;
  std::string prefix;  // of all keys
  std::string start;   // at or above prefix
};

// For a row that is of no interest: the key to go on from; empty: nothing of interest follows.
using Jump = std::function<Result<std::optional<std::string>>(std::string_view key)>;

// Walks a stretch from its start, or behind `after`, and lets `visit(key, value, out, reads)`
// append items. `visit` returns whether it appended one.
template <typename Visit>
Result<ListPage> walk(const Store& store, const Snapshot& snapshot, const Stretch& stretch,
                      const std::string& after, std::size_t limit, Visit visit,
                      const Jump& jump = {}) {
  auto resume = after.empty() ? Result<std::string>("") : place_of_token(store.page_key(), after);
  if (!resume) return resume.error();
  limit = std::clamp<std::size_t>(limit, 1, limits::kPageRecords);
  auto rows = store.kv().iterate(stretch.column, &snapshot, keys::prefix_end(stretch.prefix));
  rows->seek(std::max(stretch.start, *resume));
  if (!resume->empty() && rows->valid() && rows->key() == *resume) rows->next();
  ListPage page;
  Reads reads(limit);
  std::size_t count = 0;
  std::string at;  // where the next page goes on
  while (rows->valid()) {
    if (count >= limit || page.items.size() >= limits::kPageBytes || reads.used_up()) {
      page.next = page_token(store.page_key(), at);
      break;
    }
    reads.take();
    if (jump) {
      auto to = jump(rows->key());
      if (!to) return to.error();
      if (*to) {
        if ((*to)->empty()) break;
        at = std::move(**to);
        rows->seek(at);
        continue;
      }
    }
    const std::size_t before = page.items.size();
    if (before > 0) page.items += ',';
    const Result<bool> appended = visit(rows->key(), rows->value(), page.items, reads);
    if (!appended) return appended.error();
    if (*appended) {
      ++count;
    } else {
      page.items.resize(before);
    }
    at = std::string(rows->key());
    rows->next();
  }
  if (!rows->status()) return rows->status().error();
  return page;
}

// The scopes that a caller may see, in the order of keys. In memory: what lies between them costs
// no read. The snapshot comes before it: what that holds, this knows (ScopeTable).
class SeenScopes {
 public:
  SeenScopes(const Store& store, const ScopeFilter& allowed)
      : names_(store.scopes().newer_than(0)), allowed_(allowed) {}

  [[nodiscard]] bool has(std::string_view scope) {
    if (!allowed_) return true;
    if (scope != asked_ || scope.empty()) {
      asked_ = scope;
      answer_ = allowed_(scope);
    }
    return answer_;
  }
  // The first one behind `scope`; empty: there is none.
  [[nodiscard]] std::string_view behind(std::string_view scope) {
    auto at = std::upper_bound(names_.begin(), names_.end(), scope);
    while (at != names_.end() && !has(*at)) ++at;
    return at == names_.end() ? std::string_view() : std::string_view(*at);
  }
  [[nodiscard]] std::string_view first() { return behind({}); }

 private:
  std::vector<std::string> names_;  // sorted
  const ScopeFilter& allowed_;
  std::string asked_;  // the last one, for rows of one scope follow each other
  bool answer_ = false;
};

Error damaged_key() { return Error{Code::kStoreCorrupt, "a damaged record key"}; }

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

std::string collection_key(std::string_view scope, std::string_view coll) {
  return scope.empty() ? std::string() : keys::collection_prefix(scope, coll);
}

// The first key that may hold a record of `coll`, at or behind the key of one that is none.
std::string next_of_collection(const keys::RecordKey& at, std::string_view coll) {
  // Records sort by collection within a scope: the others are jumped over.
  if (at.coll < coll) return collection_key(at.scope, coll);
  std::string next(at.scope);
  next += '\x01';
  return next;
}

template <typename Query>
const View& view_of(const Query& query) {
  static const View kEverything;
  return query.view == nullptr ? kEverything : *query.view;
}

// A page as it leaves the store. Only of one that holds nothing but records' and ops' own texts:
// those have been taken in, and none of them passes for a sealed value.
Result<ListPage> opened(const Store& store, Result<ListPage> page, Gone gone = Gone::kNull) {
  if (!page) return page;
  if (auto done = store.make_plain(page->items, gone); !done) return done.error();
  return page;
}

// Over the collections that the view does not show, in a column whose keys begin with scope and
// collection.
Jump over_unseen(const View& view) {
  if (view.whole()) return {};
  return [&view](std::string_view at) -> Result<std::optional<std::string>> {
    const std::size_t scope_end = at.find('\0');
    const std::size_t coll_end =
        scope_end == std::string_view::npos ? scope_end : at.find('\0', scope_end + 1);
    if (coll_end == std::string_view::npos) return damaged_key();
    if (view.of(at.substr(scope_end + 1, coll_end - scope_end - 1)).seen) {
      return std::optional<std::string>();
    }
    return std::optional(keys::prefix_end(std::string(at.substr(0, coll_end + 1))));
  };
}

auto append_records(const View& view) {
  return [&view](std::string_view key, std::string_view value, std::string& out,
                 const Reads&) -> Result<bool> {
    const auto parts = keys::parse_record(key);
    const auto head = decode_record_head(value);
    if (!parts || !head) return Error{Code::kStoreCorrupt, "a damaged record"};
    return append_seen(out, view, parts->scope, parts->coll, parts->id, *head, value);
  };
}

Result<ListPage> list_collection(const Store& store, const RecordQuery& query,
                                 const ScopeFilter& allowed) {
  const View& view = view_of(query);
  if (!view.of(query.coll).seen) return ListPage{};
  const auto snapshot = store.kv().snapshot();
  SeenScopes seen(store, allowed);
  const std::string first = collection_key(seen.first(), query.coll);
  if (first.empty()) return ListPage{};
  const auto jump = [&](std::string_view at) -> Result<std::optional<std::string>> {
    const auto key = keys::parse_record(at);
    if (!key) return damaged_key();
    if (!seen.has(key->scope) || key->coll > query.coll) {
      return std::optional(collection_key(seen.behind(key->scope), query.coll));
    }
    if (key->coll < query.coll) return std::optional(collection_key(key->scope, query.coll));
    return std::optional<std::string>();
  };
  return walk(store, *snapshot, {Column::kRecords, {}, first}, query.after, query.limit,
              append_records(view), jump);
}

// What a role is told of a refused op; nothing where that is nothing. One that is no op at all is
// shown to those alone who see everything.
std::optional<std::string> op_told(const Role* role, const std::string& text) {
  if (role == nullptr) return text;
  const auto op = decode_op(text);
  if (!op || (is_system_scope(op->scope) && !role->system)) return std::nullopt;
  const CollectionRule& rule = role->rule(op->coll);
  if (!rule.read.seen) return std::nullopt;
  auto told = op_without(text, rule.not_told);
  return told ? std::optional(std::move(*told)) : std::nullopt;
}

}  // namespace

namespace {

Result<ListPage> list_sealed(const Store& store, const RecordQuery& query,
                             const ScopeFilter& allowed) {
  if (query.scope.empty()) return list_collection(store, query, allowed);
  const View& view = view_of(query);
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
    const auto seen =
        append_seen(page.items, view, query.scope, query.coll, query.id, *head, value);
    if (!seen) return seen.error();
    return page;
  }
  return walk(store, *snapshot, {Column::kRecords, prefix, prefix}, query.after, query.limit,
              append_records(view), over_unseen(view));
}

}  // namespace

Result<ListPage> list_records(const Store& store, const RecordQuery& query,
                              const ScopeFilter& allowed) {
  return opened(store, list_sealed(store, query, allowed), Gone::kLeftOut);
}

Result<ListPage> list_conflicts(const Store& store, const ConflictQuery& query,
                                const ScopeFilter& allowed) {
  const View& view = view_of(query);
  const Jump over = over_unseen(view);
  const auto snapshot = store.kv().snapshot();
  // The conflicts of one record lie side by side: it is read once for all of them.
  std::string record_key;
  std::optional<Record> record;
  const auto visit = [&](std::string_view key, std::string_view value, std::string& out,
                         Reads& reads) -> Result<bool> {
    const auto parts = keys::parse_conflict(key);
    const auto row = decode_conflict(value);
    if (!parts || !row) return Error{Code::kStoreCorrupt, "a damaged conflict"};
    if (row->review.settled != query.settled) return false;
    if (!view.of(parts->record.coll).shows(parts->field)) return false;
    std::string of = keys::record(parts->record.scope, parts->record.coll, parts->record.id);
    if (!record || of != record_key) {
      reads.take();
      std::string bytes;
      const auto found = store.kv().get(Column::kRecords, of, bytes, snapshot.get());
      if (!found) return found.error();
      auto decoded = decode_record(bytes);
      if (!*found || !decoded) return Error{Code::kStoreCorrupt, "a conflict without its record"};
      record = std::move(*decoded);
      record_key = std::move(of);
    }
    const auto kind = record->open_kind(parts->field, parts->dot, parts->part, row->kind);
    if (!kind && !query.settled) return false;
    append_conflict(out, *parts, *row, kind.value_or(row->kind), *record);
    return true;
  };
  if (!query.scope.empty()) {
    if (!allowed(query.scope)) return ListPage{};
    const std::string prefix = keys::scope_prefix(query.scope);
    return opened(store, walk(store, *snapshot, {Column::kConflicts, prefix, prefix}, query.after,
                              query.limit, visit, over));
  }
  SeenScopes seen(store, allowed);
  if (seen.first().empty()) return ListPage{};
  const auto jump = [&](std::string_view at) -> Result<std::optional<std::string>> {
    const auto key = keys::parse_conflict(at);
    if (!key) return Error{Code::kStoreCorrupt, "a damaged conflict"};
    if (seen.has(key->record.scope)) {
      return over ? over(at) : Result<std::optional<std::string>>(std::optional<std::string>());
    }
    const std::string_view next = seen.behind(key->record.scope);
    return std::optional(next.empty() ? std::string() : keys::scope_prefix(next));
  };
  return opened(store,
                walk(store, *snapshot, {Column::kConflicts, {}, keys::scope_prefix(seen.first())},
                     query.after, query.limit, visit, jump));
}

Result<ListPage> list_quarantine(const Store& store, const QuarantineQuery& query) {
  const auto snapshot = store.kv().snapshot();
  const std::string prefix =
      query.device ? keys::log_chunk(*query.device, 0).substr(0, 8) : std::string();
  const auto visit = [&](std::string_view key, std::string_view value, std::string& out,
                         const Reads&) -> Result<bool> {
    const auto parts = keys::parse_quarantine(key);
    const auto row = decode_quarantine(value);
    if (!parts || !row) return Error{Code::kStoreCorrupt, "a damaged quarantine entry"};
    auto op = op_told(query.role, row->op);
    if (!op) return false;
    if (auto plain = store.make_plain(*op); !plain) return plain.error();
    out +=
        fmt::format(R"({{"device":"{}","n":{},"code":)", format_device_id(parts->device), parts->n);
    append_json_string(out, row->code);
    out += ",\"detail\":";
    append_json_string(out, row->detail);
    out += fmt::format(R"(,"received":{},"op":)", row->received_ms);
    out += *op;
    out += '}';
    return true;
  };
  return walk(store, *snapshot, {Column::kQuarantine, prefix, prefix}, query.after, query.limit,
              visit);
}

namespace {

std::string time_or_null(std::int64_t ms) { return ms == 0 ? "null" : std::to_string(ms); }

std::string device_or_null(std::uint64_t device) {
  return device == 0 ? "null" : fmt::format("\"{}\"", format_device_id(device));
}

void append_standing(std::string& out, const Account& account) {
  out += fmt::format(R"(,"state":"{}","since":{},"branches":)", name(account.standing),
                     time_or_null(account.inactive_ms));
  append_string_array(out, account.branches);
  out += fmt::format(R"(,"full":{},"replaces":{},"replaced_by":{},"wipe":)", account.full,
                     device_or_null(account.predecessor), device_or_null(account.successor));
  if (account.wipe_ordered_ms == 0) {
    out += "null";
  } else {
    out += fmt::format(R"({{"ordered":{},"now":{},"confirmed":{},"discarded":{}}})",
                       account.wipe_ordered_ms, account.wipe_now, time_or_null(account.wiped_ms),
                       account.wipe_discarded);
  }
}

}  // namespace

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
  out += ",\"role\":";
  append_json_string(out, account.role());
  out += ",\"scopes\":";
  append_string_array(out, account.scopes());
  out += fmt::format(
      R"(,"applied":{},"refused":{},"revoked":{},"enrolled":{},"last_seen":{},"queued":{},)"
      R"("oldest":{},"skew_ms":{},"clock_wrong":{})",
      state.applied, state.refused, account.closed(), account.enrolled_ms,
      time_or_null(state.last_seen_ms), state.queued, state.oldest_ms, state.clock.skew_ms,
      state.clock.wrong());
  append_standing(out, account);
  out += '}';
  return out;
}

Result<std::string> list_codes(const Store& store, std::int64_t now_ms) {
  const auto snapshot = store.kv().snapshot();
  const auto end = keys::prefix_end(std::string(keys::kCodePrefix));
  auto rows = store.kv().iterate(Column::kDevices, snapshot.get(), end);
  std::string out = R"({"codes":[)";
  const std::size_t start = out.size();
  for (rows->seek(keys::kCodePrefix); rows->valid(); rows->next()) {
    const auto code = decode_code(rows->value());
    if (!code) return code.error();
    if (code->uses_left == 0 || code->expires_ms <= now_ms) continue;
    if (out.size() > start) out += ',';
    out += fmt::format(R"({{"id":"{}","name":)",
                       code_id(rows->key().substr(keys::kCodePrefix.size())));
    append_json_string(out, code->name);
    out += ",\"scopes\":";
    append_string_array(out, code->scopes);
    out += fmt::format(R"(,"role":{},"replaces":{},"uses":{},"created":{},"expires":{}}})",
                       role_or_null(*code), device_or_null(code->replaces), code->uses_left,
                       time_or_null(code->created_ms), code->expires_ms);
  }
  if (!rows->status()) return rows->status().error();
  return out + "]}";
}

Status for_each_record_key(const Store& store, std::string_view coll,
                           const std::function<void(const keys::RecordKey&)>& each) {
  const auto snapshot = store.kv().snapshot();
  auto rows = store.kv().iterate(Column::kRecords, snapshot.get());
  rows->seek("");
  while (rows->valid()) {
    const auto key = keys::parse_record(rows->key());
    if (!key) return damaged_key();
    if (key->coll != coll) {
      rows->seek(next_of_collection(*key, coll));
      continue;
    }
    each(*key);
    rows->next();
  }
  return rows->status();
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
    if (!key) return damaged_key();
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

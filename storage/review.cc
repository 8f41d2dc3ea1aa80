#include "storage/review.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "storage/codec.h"
#include "storage/keys.h"
#include "storage/replay.h"
#include "sync/canonical.h"
#include "sync/device_id.h"
#include "sync/limits.h"
#include "sync/redirect.h"
#include "sync/wire.h"

namespace waystation {
namespace {

// What is read to tell what the authors of a conflict saw; where a record's history is longer it is
// not told.
constexpr std::size_t kReviewOps = 10'000;
constexpr std::size_t kReviewBytes = std::size_t{16} * 1024 * 1024;

using Past = std::vector<PastOp>;

// Opens values one by one, for a text that also holds names: those may begin as they like.
class Opener {
 public:
  explicit Opener(const Store& store) : store_(store) {}
  std::string operator()(std::string json) {
    const Status opened = store_.make_plain(json);
    if (!opened && failed_) failed_ = opened;
    return json;
  }
  [[nodiscard]] const Status& failed() const { return failed_; }

 private:
  const Store& store_;
  Status failed_;
};

std::string account_name(const Store& store, std::uint64_t device) {
  const AccountPtr account = store.accounts().find(device);
  return account == nullptr ? std::string() : account->name;
}

const PastOp* find_op(const Past& past, const Dot& dot) {
  const auto at =
      std::find_if(past.begin(), past.end(), [&](const PastOp& op) { return op.dot == dot; });
  return at == past.end() ? nullptr : &*at;
}

// The ops that an author had seen. Of others' the field alone has to come out right, and a quota is
// decided in the log's order: there the author's own later moves do not stand alone.
Past seen_by(const Past& past, const PastOp& author, bool quota) {
  Past seen;
  for (const PastOp& op : past) {
    const bool own = op.dot.device == author.dot.device && op.dot.n < author.dot.n;
    if (op.seq > author.op.base && (quota || !own)) continue;
    seen.push_back(op);
    if (quota) continue;
    auto& edits = seen.back().op.edits;
    edits.erase(std::remove_if(
                    edits.begin(), edits.end(),
                    [](const Edit& edit) { return merge_type_of(edit.kind) == MergeType::kQuota; }),
                edits.end());
  }
  return seen;
}

// {"record":"unknown" | "deleted" | "live","value":…}
std::string what_was_seen(const Past& past, const PastOp& author, const Collection& collection,
                          const std::string& field) {
  const FieldSpec* spec = collection.field(field);
  const bool quota = spec != nullptr && spec->merge == MergeType::kQuota;
  const Record record = replay(seen_by(past, author, quota), collection, author.seq);
  if (!record.exists()) return R"({"record":"unknown"})";
  if (record.deleted()) return R"({"record":"deleted"})";
  const std::string value = record.shown(field);
  return fmt::format(R"({{"record":"live","value":{}}})", value.empty() ? "null" : value);
}

// "by":…,"name":…,"n":… and, where the log still tells, when and what its author saw.
std::string authorship(const Store& store, const Past& past, const Dot& dot,
                       const Collection* collection, const std::string& field, Opener& open) {
  std::string out = fmt::format(R"("by":"{}","name":)", format_device_id(dot.device));
  append_json_string(out, account_name(store, dot.device));
  out += fmt::format(R"(,"n":{})", dot.n);
  const PastOp* op = find_op(past, dot);
  if (op == nullptr) return out;
  out += fmt::format(R"(,"seq":{},"stamp":{},"wall":{},"received":{})", op->seq,
                     ms_from_seq(op->stamp), op->op.wall_ms, op->received_ms);
  if (collection != nullptr) {
    out += ",\"saw\":";
    out += open(what_was_seen(past, *op, *collection, field));
  }
  return out;
}

// What the lost value is up against: the register's value on show, or the latest delete.
struct Winner {
  std::string what;  // its members but the authorship
  Dot dot;
};

std::optional<Winner> winner_of(const Record& record, const std::string& field_name) {
  const Field* field = record.field(field_name);
  if (field != nullptr && field->type == MergeType::kRegister && !field->live.empty()) {
    const Write& live = field->live[0];
    return Winner{"\"value\":" + live.value, live.dot};
  }
  if (!record.deleted() || record.deletes.empty()) return std::nullopt;
  const auto last =
      std::max_element(record.deletes.begin(), record.deletes.end(),
                       [](const DeviceDelete& a, const DeviceDelete& b) { return a.seq < b.seq; });
  return Winner{R"("deleted":true)", Dot{last->device, last->n}};
}

std::string review_text(const Store& store, const Review& review) {
  std::string out = fmt::format(R"({{"settled":{},"by":"{}","name":)", review.settled,
                                format_device_id(review.by.device));
  append_json_string(out, account_name(store, review.by.device));
  return out + fmt::format(R"(,"n":{},"stamp":{}}})", review.by.n, ms_from_seq(review.stamp));
}

struct Lost {
  ConflictRow row;
  Record record;
};

Result<Lost> read_lost(const Store& store, const Snapshot& snapshot, const ConflictName& name) {
  const Error none{Code::kHttpNotFound,
                   "no such conflict: its author may have written the field again"};
  std::string bytes;
  auto found = store.kv().get(
      Column::kConflicts,
      keys::conflict(name.scope, name.coll, name.id, name.field, name.dot, name.part), bytes,
      &snapshot);
  if (!found) return found.error();
  if (!*found) return none;
  auto row = decode_conflict(bytes);
  if (!row) return row.error();
  found = store.kv().get(Column::kRecords, keys::record(name.scope, name.coll, name.id), bytes,
                         &snapshot);
  if (!found) return found.error();
  auto record = decode_record(bytes);
  if (!*found || !record) return Error{Code::kStoreCorrupt, "a conflict without its record"};
  return Lost{std::move(*row), std::move(*record)};
}

struct Told {
  Past past;
  bool whole = true;  // all of the record's history; else the ops in question alone
};

// What there is to tell of these ops.
Result<Told> read_past(const Store& store, const Snapshot& snapshot, const Schemas& schemas,
                       const ConflictName& name, const std::vector<Dot>& dots) {
  auto past = past_of(store, snapshot, schemas, name.scope, name.coll, name.id,
                      {0, kReviewOps + 1, kReviewBytes});
  if (!past) return past.error();
  std::size_t bytes = 0;
  for (const PastOp& op : *past) bytes += op.received.size();
  if (past->size() <= kReviewOps && bytes <= kReviewBytes) {
    return Told{std::move(*past), true};
  }
  Told told{{}, false};
  for (const Dot& dot : dots) {
    auto op = past_op(store, snapshot, schemas, dot);
    if (!op) return op.error();
    told.past.push_back(std::move(*op));
  }
  return told;
}

}  // namespace

Result<std::string> show_conflict(const Store& store, const Schemas& schemas,
                                  const ConflictName& name) {
  const auto snapshot = store.kv().snapshot();
  const auto lost = read_lost(store, *snapshot, name);
  if (!lost) return lost.error();
  const auto& [row, record] = *lost;
  const auto winner = winner_of(record, name.field);
  std::vector<Dot> dots{name.dot};
  if (winner) dots.push_back(winner->dot);
  const auto told = read_past(store, *snapshot, schemas, name, dots);
  if (!told) return told.error();
  const Collection* collection = told->whole ? schemas.find(name.coll) : nullptr;
  Opener opened(store);
  const auto author = [&](const Dot& dot) {
    return authorship(store, told->past, dot, collection, name.field, opened);
  };
  const auto open = record.open_kind(name.field, name.dot, name.part, row.kind);
  const std::string_view state = row.review.settled ? "settled" : open ? "open" : "agrees";
  const Field* field = record.field(name.field);
  std::string out = fmt::format(
      R"({{"scope":"{}","coll":"{}","id":"{}","seq":{},"field":"{}","merge":"{}","kind":"{}",)"
      R"("state":"{}","value":{},"part":{},"lost":{{{}}})",
      name.scope, name.coll, name.id, record.seq, name.field,
      to_string(field != nullptr ? field->type : MergeType::kRegister),
      word_for(open.value_or(row.kind)), state, opened(row.value), name.part, author(name.dot));
  if (winner) {
    out += fmt::format(R"(,"winner":{{{},{}}})", opened(winner->what), author(winner->dot));
  }
  if (row.review.stamp != 0) out += ",\"review\":" + review_text(store, row.review);
  out += '}';
  if (!opened.failed()) return opened.failed().error();
  return out;
}

Result<ListPage> list_history(const Store& store, const Schemas& schemas,
                              const HistoryQuery& query) {
  PastRange range;
  const char* end = query.after.data() + query.after.size();
  const auto [stop, error] = std::from_chars(query.after.data(), end, range.after);
  if (!query.after.empty() && (error != std::errc() || stop != end || range.after < 0 ||
                               range.after > limits::kMaxInteger)) {
    return Error{Code::kCursorInvalid, "after: not one of ours"};
  }
  const std::size_t limit = std::clamp<std::size_t>(query.limit, 1, limits::kPageRecords);
  range.most = limit + 1;
  range.bytes = limits::kPageBytes + limits::kFrameBytes;  // one op more than fills a page
  const auto snapshot = store.kv().snapshot();
  const auto past = past_of(store, *snapshot, schemas, query.scope, query.coll, query.id, range);
  if (!past) return past.error();
  ListPage page;
  for (std::size_t i = 0; i < past->size(); ++i) {
    const PastOp& op = (*past)[i];
    if (i == limit || page.items.size() >= limits::kPageBytes) {
      page.next = std::to_string((*past)[i - 1].seq);
      break;
    }
    if (i > 0) page.items += ',';
    std::string told = op.received;
    if (query.rule != nullptr && !query.rule->not_told.empty()) {
      auto less = op_without(op.received, query.rule->not_told);
      if (!less) return less.error();
      told = std::move(*less);
    }
    if (auto opened = store.make_plain(told); !opened) return opened.error();
    page.items += fmt::format(R"({{"device":"{}","name":)", format_device_id(op.dot.device));
    append_json_string(page.items, account_name(store, op.dot.device));
    page.items += fmt::format(R"(,"n":{},"seq":{},"stamp":{},"received":{},"op":{}}})", op.dot.n,
                              op.seq, ms_from_seq(op.stamp), op.received_ms, told);
  }
  return page;
}

Result<ListPage> follow_record(const Store& store, const Schemas& schemas,
                               const RecordQuery& query) {
  const auto snapshot = store.kv().snapshot();
  const Collection* collection = schemas.find(query.coll);
  const FieldSpec* redirect = nullptr;
  if (collection != nullptr) {
    const auto at = std::find_if(collection->fields.begin(), collection->fields.end(),
                                 [](const FieldSpec& spec) { return spec.redirect; });
    const bool hidden = query.view != nullptr && at != collection->fields.end() &&
                        !query.view->of(query.coll).shows(at->name);
    if (at != collection->fields.end() && !hidden) redirect = &*at;
  }
  const auto look_up = [&](const std::string& id) -> Result<RedirectStep> {
    std::string bytes;
    const auto found = store.kv().get(Column::kRecords, keys::record(query.scope, query.coll, id),
                                      bytes, snapshot.get());
    if (!found) return found.error();
    if (!*found) return RedirectStep{};
    const auto record = decode_record(bytes);
    if (!record) return record.error();
    const auto into = redirect != nullptr ? record->shown_text(redirect->name) : std::nullopt;
    return RedirectStep{true, into && valid_record_id(*into) ? std::string(*into) : std::string()};
  };
  const auto end = follow_redirects(query.id, look_up);
  if (!end) return end.error();
  RecordQuery one = query;
  one.id = end->id;
  auto page = list_records(store, one);
  if (!page || page->items.empty() || end->from.empty()) return page;
  page->items.pop_back();
  page->items += ",\"redirected_from\":";
  append_string_array(page->items, end->from);
  page->items += '}';
  return page;
}

}  // namespace waystation

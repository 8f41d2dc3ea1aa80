// What the server does by itself: ops in a device log of its own. docs/merge-rules.md.
#include <fmt/format.h>

#include <algorithm>

#include "storage/group.h"
#include "storage/keys.h"
#include "storage/rules.h"
#include "sync/canonical.h"
#include "sync/device_id.h"
#include "sync/limits.h"

namespace waystation {
namespace {

constexpr std::size_t kDuesPerGroup = 256;
constexpr std::size_t kCandidatesPerRecord = 16;
// What one op makes the server write: limits of devices count their own ops alone.
constexpr std::size_t kToldPerRecord = 3;
// After something due could not be done.
constexpr std::int64_t kRetryMs = 3'600'000;
constexpr std::int64_t kHorizonEveryMs = 600'000;
// An open record, after whatever it waits for may have changed.
constexpr std::int64_t kLookAgainMs = 3'600'000;
constexpr std::string_view kOfficeScope = "system:office";

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string op_name(std::uint64_t device, std::uint64_t n) {
  return fmt::format("{}~{}", format_device_id(device), n);
}

}  // namespace

Status Applier::own(Group& group, const std::string& scope, const std::string& coll,
                    const std::string& id, const std::string& edits) {
  const Collection* collection = schemas_.find(coll);
  if (collection == nullptr) return {};  // these schemas do without it
  auto found = device(kServerDevice);
  if (!found) return found.error();
  Device& server = **found;
  touch(group, kServerDevice, server);
  auto op = decode_op(fmt::format(
      R"({{"n":{},"scope":{},"coll":"{}","id":"{}","wall":{},"mono":0,"boot":"server","schema":{},)"
      R"("base":{},{}}})",
      server.state.applied + 1, quoted(scope), coll, id, group.now_ms, collection->version,
      position_, edits));
  WS_CHECK(op.ok() && !op->refusal);
  auto applied = put_in_place(group, server, kServerDevice, *op, group.now_ms);
  if (!applied) return applied.error();
  if (!std::holds_alternative<Applied>(*applied)) return {};
  const Applied& done = std::get<Applied>(*applied);
  log(group, server, op->n, LogEntry{op->canonical, done.verdict(op->n), done.place.stamp});
  server.state.last_seen_ms = group.now_ms;
  group.must_sync = true;
  if (!done.effects.moved) return {};
  return keep_ledger(group, *op, kServerDevice, true, *done.effects.moved);
}

// --- the ledger -------------------------------------------------------------------------------

Status Applier::keep_ledger(Group& group, const Op& op, std::uint64_t author, bool valid,
                            const MovedField& moved) {
  return own(group, op.scope, "ledger", op_name(author, op.n),
             fmt::format(R"("set":{{"account":"{}/{}","field":"{}","device":"{}","kind":"{}",)"
                         R"("amount":{},"valid":{},"at_ms":{}}})",
                         op.coll, op.id, moved.field, format_device_id(moved.move.device),
                         member_of(moved.move.kind), moved.done.amount, valid, group.now_ms));
}

// --- refused ops ------------------------------------------------------------------------------

Status Applier::tell_of_refusal(Group& group, std::uint64_t device, const Op& op,
                                const Refusal& refusal, const std::string& id) {
  if (schemas_.find("refused") == nullptr) return {};
  const std::string scope(kOfficeScope);
  if (scopes_.find(scope) == scopes_.end()) {
    auto born = own(group, scope, "scope", scope, R"("set":{"title":"办公室 · Office"})");
    if (!born) return born;
  }
  std::string edits = fmt::format(
      R"("set":{{"device":"{}","n":{},"code":"{}","detail":{},"received_ms":{},)"
      R"("state":"open")",
      format_device_id(device), op.n, name(refusal.code), quoted(refusal.detail), group.now_ms);
  if (valid_scope_id(op.scope)) edits += fmt::format(R"(,"scope":"{}")", op.scope);
  if (valid_name(op.coll)) edits += fmt::format(R"(,"coll":"{}")", op.coll);
  if (valid_record_id(op.id)) edits += fmt::format(R"(,"record":"{}")", op.id);
  edits += '}';
  return own(group, scope, "refused", id, edits);
}

Result<std::optional<Refusal>> Applier::check_replay(const Account& account, const Op& op) {
  if (!op.replays) return std::optional<Refusal>();
  const bool of_office =
      account.holds_all() && store_.policy().enters(account.role(), kOfficeScope);
  if (!of_office && op.replays->device != account.device) {
    return std::optional(Refusal{Code::kScopeForbidden, "that op is another device's"});
  }
  auto refused =
      entry(keys::record(kOfficeScope, "refused", op_name(op.replays->device, op.replays->n)));
  if (!refused) return refused.error();
  if (!(*refused)->record.exists()) {
    return std::optional(Refusal{Code::kOpInvalid, "replays: no refused op has that name"});
  }
  const auto state = (*refused)->record.shown_text("state");
  if (state && *state != "open") {
    return std::optional(Refusal{Code::kOpReplayed, fmt::format("replays: that op is {}", *state)});
  }
  return std::optional<Refusal>();
}

Status Applier::tell_of_replay(Group& group, std::uint64_t device, const Op& op) {
  return own(
      group, std::string(kOfficeScope), "refused", op_name(op.replays->device, op.replays->n),
      fmt::format(R"("set":{{"state":"replayed","replayed_by":"{}"}})", op_name(device, op.n)));
}

// --- what is due ------------------------------------------------------------------------------

Status Applier::do_what_is_due(Group& group) {
  if (group.now_ms < next_due_ms_) return {};
  std::vector<std::string> due;
  next_due_ms_ = std::numeric_limits<std::int64_t>::max();
  {
    auto rows = store_.kv().iterate(Column::kTimers);
    for (rows->seek(""); rows->valid(); rows->next()) {
      const auto key = keys::parse_timer(rows->key());
      if (!key) return Error{Code::kStoreCorrupt, "a damaged timer"};
      if (key->due_ms > group.now_ms || due.size() >= kDuesPerGroup) {
        next_due_ms_ = key->due_ms;
        break;
      }
      group.batch.erase(Column::kTimers, std::string(rows->key()));
      due.emplace_back(key->record_key);
    }
    if (!rows->status()) return rows->status();
  }
  for (const std::string& key : due) {
    if (auto done = look_at(group, key); !done) return done;
  }
  return {};
}

Status Applier::look_at(Group& group, const std::string& key) {
  auto found = entry(key);
  if (!found) return found.error();
  if (!(*found)->record.exists()) return {};
  group.looked_at.insert(key);
  (*found)->record.due_ms = 0;  // that timer is gone
  dirty(group, **found, key);   // it is armed anew when the group is closed
  group.must_sync = true;
  for (const auto part : {&Applier::reclaim_leases, &Applier::close_open, &Applier::bury}) {
    if (auto done = (this->*part)(group, key); !done) return done;
  }
  return {};
}

Status Applier::reclaim_leases(Group& group, const std::string& key) {
  const auto parts = keys::parse_record(key);
  auto found = entry(key);
  if (!found) return found.error();
  const Collection* collection = schemas_.find(parts->coll);
  if (collection == nullptr) return {};
  // Each op of the server's own changes the record: what is to be done is looked up first.
  std::vector<std::string> edits;
  for (const Field& field : (*found)->record.fields) {
    const FieldSpec* spec = collection->field(field.name);
    if (field.type != MergeType::kQuota || spec == nullptr) continue;
    for (const std::uint64_t device : reclaimable(field.quota, *spec, group.now_ms)) {
      edits.push_back(
          fmt::format(R"("reclaim":{{"{}":"{}"}})", field.name, format_device_id(device)));
    }
  }
  for (const std::string& edit : edits) {
    auto done = own(group, std::string(parts->scope), std::string(parts->coll),
                    std::string(parts->id), edit);
    if (!done) return done;
  }
  return {};
}

Result<const Record*> Applier::parent_of(const std::string& scope, const Record& record,
                                         const CloseRule& rule) {
  const auto id = parent_id(record, rule);
  if (!id || !valid_record_id(*id)) return nullptr;
  auto found = entry(keys::record(scope, rule.parent_coll, *id));
  if (!found) return found.error();
  return (*found)->record.exists() ? &(*found)->record : nullptr;
}

Status Applier::close_open(Group& group, const std::string& key) {
  const auto parts = keys::parse_record(key);
  auto found = entry(key);
  if (!found) return found.error();
  const Collection* collection = schemas_.find(parts->coll);
  if (collection == nullptr || !collection->close) return {};
  const std::string scope(parts->scope);
  auto parent = parent_of(scope, (*found)->record, *collection->close);
  if (!parent) return parent.error();
  const auto closing = closing_of((*found)->record, *collection->close, *parent);
  if (!closing || closing->due_ms > group.now_ms) return {};
  return own(group, scope, std::string(parts->coll), std::string(parts->id),
             fmt::format(R"("set":{{"{}":"{}"}})", collection->close->flag, closing->flag));
}

Status Applier::bury(Group& group, const std::string& key) {
  auto found = entry(key);
  if (!found) return found.error();
  Record& record = (*found)->record;
  if (!record.exists() || !record.deleted() || record.buried ||
      ms_from_seq(record.seq) + settings_.offline_ms > group.now_ms) {
    return {};
  }
  const auto limit = may_bury(group);
  if (!limit) return limit.error();
  if (record.seq > *limit) return {};
  record.bury();
  if (record.seq > store_.horizon()) {
    store_.set_horizon(record.seq);
    group.batch.put(Column::kMeta, std::string(keys::kHorizon), encode_seq(record.seq));
  }
  return {};
}

// Up to where tombstones may be buried: what every device that is within its allowed time offline
// has pulled, and nothing younger than that time.
Result<Seq> Applier::may_bury(Group& group) {
  if (group.now_ms < bury_looked_ms_ + kHorizonEveryMs) return may_bury_;
  Seq lowest = seq_from_ms(group.now_ms - settings_.offline_ms);
  for (const AccountPtr& account : store_.accounts().all()) {
    if (account->closed()) continue;
    auto found = device(account->device);
    if (!found) return found.error();
    const DeviceState& state = (*found)->state;
    const bool away = state.last_seen_ms + settings_.offline_ms < group.now_ms;
    if (!away && state.pulled > 0) lowest = std::min(lowest, state.pulled);
  }
  bury_looked_ms_ = group.now_ms;
  may_bury_ = lowest;
  return lowest;
}

Status Applier::arm(Group& group, const std::string& key, Entry& entry) {
  const auto parts = keys::parse_record(key);
  Record& record = entry.record;
  const Collection* collection = schemas_.find(parts->coll);
  std::int64_t due = 0;
  if (collection != nullptr) {
    std::optional<Closing> closing;
    if (collection->close) {
      auto parent = parent_of(std::string(parts->scope), record, *collection->close);
      if (!parent) return parent.error();
      closing = closing_of(record, *collection->close, *parent);
    }
    due = due_of(record, *collection, closing, settings_.offline_ms);
    // Its parent may change, or come only later, and nobody tells of that here.
    const bool open =
        closing && closing->due_ms > group.now_ms && !collection->close->parent.empty();
    if (open) due = std::min(due, group.now_ms + kLookAgainMs);
  }
  // What was due and is still there could not be done.
  if (due != 0 && due <= group.now_ms && group.looked_at.count(key) != 0) {
    due = group.now_ms + kRetryMs;
  }
  if (due != 0) next_due_ms_ = std::min(next_due_ms_, due);
  if (due == record.due_ms) return {};
  if (record.due_ms != 0) group.batch.erase(Column::kTimers, keys::timer(record.due_ms, key));
  if (due != 0) group.batch.put(Column::kTimers, keys::timer(due, key), {});
  record.due_ms = due;
  return {};
}

// --- duplicates -------------------------------------------------------------------------------

Status Applier::match_duplicates(Group& group, std::size_t dirty_index) {
  // A copy: the list grows with what is done here.
  const std::string key = group.dirty_records[dirty_index].second;
  Record& record = group.dirty_records[dirty_index].first->record;
  const auto parts = keys::parse_record(key);
  const Collection* collection = schemas_.find(parts->coll);
  if (collection == nullptr || (!collection->duplicates && record.match.empty())) return {};
  const auto looked = this->match(group, record, *collection);
  if (!looked) return looked.error();
  const std::optional<Match>& match = *looked;
  if (!record.match.empty() && (!match || match->key != record.match)) {
    group.matches[keys::match(parts->scope, parts->coll, record.match, parts->id)].reset();
    record.match.clear();
  }
  if (!match) return {};
  record.match = match->key;

  const std::string prefix = keys::match_prefix(parts->scope, parts->coll, match->key);
  std::map<std::string, std::string> listed;
  {
    auto rows = store_.kv().iterate(Column::kMatches, nullptr, keys::prefix_end(prefix));
    for (rows->seek(prefix); rows->valid() && listed.size() < kCandidatesPerRecord; rows->next()) {
      listed.emplace(rows->key(), rows->value());
    }
    if (!rows->status()) return rows->status();
  }
  for (auto at = group.matches.lower_bound(prefix);
       at != group.matches.end() && at->first.rfind(prefix, 0) == 0 &&
       listed.size() <= kCandidatesPerRecord;
       ++at) {
    if (at->second) {
      listed[at->first] = *at->second;
    } else {
      listed.erase(at->first);
    }
  }
  const Seq born = record.born;
  const std::string own_key = keys::match(parts->scope, parts->coll, match->key, parts->id);
  group.matches[own_key] = encode_match(MatchRow{born, match->like});
  listed.erase(own_key);
  // So common a name says nothing by itself.
  const bool common = listed.size() >= kCandidatesPerRecord;
  std::size_t told_of = 0;
  for (const auto& [other_key, value] : listed) {
    if (told_of == kToldPerRecord) break;
    const auto other = keys::parse_match(other_key);
    const auto row = decode_match(value);
    if (!other || !row) return Error{Code::kStoreCorrupt, "a damaged match"};
    if (!may_be_one(*collection->duplicates, born, match->like, row->born, row->like)) continue;
    if (common && (match->like.empty() || match->like != row->like)) continue;
    const std::string id = candidate_id(parts->id, other->id);
    auto known = entry(keys::record(parts->scope, "duplicate", id));
    if (!known) return known.error();
    ++told_of;
    if ((*known)->record.exists()) continue;
    const auto [first, second] = std::minmax(parts->id, other->id);
    auto told = own(group, std::string(parts->scope), "duplicate", id,
                    fmt::format(R"("set":{{"coll":"{}","first":"{}","second":"{}","why":"{}",)"
                                R"("state":"open"}})",
                                parts->coll, first, second,
                                match->like.empty() || row->like.empty()
                                    ? collection->duplicates->same
                                    : fmt::format("{}, {}", collection->duplicates->same,
                                                  collection->duplicates->like)));
    if (!told) return told;
  }
  return {};
}

}  // namespace waystation

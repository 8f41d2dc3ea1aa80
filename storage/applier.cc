#include "storage/applier.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/group.h"
#include "storage/keys.h"
#include "storage/permission.h"
#include "storage/rules.h"
#include "storage/views.h"
#include "sync/broken.h"
#include "sync/cursor.h"
#include "sync/device_id.h"
#include "sync/limits.h"

namespace waystation {
namespace {

constexpr std::size_t kDetailBytes = 300;
// What a log entry adds in front of its value, {"at":…,"by":"…","v":…}, and then some.
constexpr std::size_t kEntryOverhead = 64;

void shorten(std::string& detail) {
  if (detail.size() <= kDetailBytes) return;
  std::size_t end = kDetailBytes;
  while (end > 0 && (static_cast<unsigned char>(detail[end]) & 0xC0U) == 0x80U) --end;
  detail.resize(end);
  detail += "…";
}

Error read_only(const Store& store) {
  return Error{Code::kStoreReadOnly, store.read_only_reason()};
}

// A claim of the device's, by its clock: people are shown a time of ours, within its life here.
std::int64_t oldest_of(const Hello& hello, const DeviceClock& clock, std::int64_t now_ms) {
  if (hello.oldest_ms == 0) return 0;
  if (clock.wrong()) return clock.corrected_wall_ms(hello.oldest_ms, now_ms);
  return std::clamp(hello.oldest_ms, std::min(clock.enrolled_ms, now_ms), now_ms);
}

}  // namespace

Status Applier::start() {
  auto position = store_.position();
  if (!position) return position.error();
  position_ = *position;
  auto rows = store_.kv().iterate(Column::kDigests);
  for (rows->seek(""); rows->valid(); rows->next()) {
    const auto row = decode_digest(rows->value());
    if (!row) return row.error();
    scopes_[std::string(rows->key())].row = *row;
  }
  if (!rows->status()) return rows->status();
  if (auto loaded = load_view_digests(); !loaded) return loaded;
  if (auto loaded = load_corrections(); !loaded) return loaded;
  std::string ignored;
  const auto backup = store_.kv().get(Column::kMeta, keys::kBackup, ignored);
  if (!backup) return backup.error();
  backups_ = *backup;
  auto head = read_audit_head(store_.kv());
  if (!head) return head.error();
  audit_head_ = std::move(*head);
  const auto purging = store_.kv().get(Column::kMeta, keys::kPurge, ignored);
  if (!purging) return purging.error();
  if (*purging) {
    purge_all_ = ignored == keys::kPurgeAll;
    to_purge_ = store_.kv().written();
    purge(0);
  }
  if (auto loaded = load_kept_edits(); !loaded) return loaded;
  return load_office();
}

GroupOutcome Applier::apply(std::vector<Request>& requests, std::int64_t now_ms) {
  Group group;
  group.now_ms = now_ms;
  if (store_.read_only()) {
    for (Request& request : requests) {
      std::visit([&](auto& r) { r.done(read_only(store_)); }, request);
    }
    return group.outcome;
  }
  // Between groups nothing is dirty, so that the cache can be dropped whole: simple, and a hot
  // record is back after one read.
  if (records_.size() > limits::kRecordCache || cached_bytes_ > limits::kRecordCacheBytes) {
    records_.clear();
    cached_bytes_ = 0;
  }
  if (!held_anew_) hold_anew(group);
  sweep_codes(group);
  sweep_kept_edits(group);
  group.must(do_what_is_due(group));
  for (Request& request : requests) {
    std::visit([&](auto& r) { take(group, r); }, request);
  }
  group.must(close_records(group));
  close_devices(group);
  close_accounts(group);
  if (broken(Broken::kVerdictBeforeSync)) {
    for (auto& reply : group.replies) reply(true);
    group.replies.clear();
  }
  const Status committed = group.failed.ok() ? commit(group) : group.failed;
  if (!committed) store_.go_read_only(committed.error().context);
  if (committed && !group.erased.empty()) {
    to_purge_ = store_.kv().written();
    purge_again_ms_ = 0;
    purge(now_ms);
  } else if (committed && now_ms >= next_purge_ms_) {
    purge(now_ms);
  }
  if (committed) {
    for (const auto& [id, account] : group.accounts) store_.accounts().put(account);
    if (group.office != nullptr) store_.office().publish(group.office);
  }
  for (auto& reply : group.replies) reply(committed.ok());
  for (BackupRequest& backup : group.backups) back_up(backup, group.now_ms);
  if (!committed) return GroupOutcome{};
  group.outcome.position = position_;
  return std::move(group.outcome);
}

// --- exchange ---------------------------------------------------------------------------------

void Applier::take(Group& group, ExchangeRequest& request) {
  const AccountPtr account = group.account(store_, request.device);
  if (account == nullptr) return request.done(Error{Code::kAuthUnknownDevice, ""});
  if (request.wiped) return take_wiped(group, request, *account);
  if (account->closed()) return tell_to_wipe(group, request, *account);
  auto found = device(request.device);
  if (!found) {
    request.done(found.error());
    return;
  }
  Device& device = **found;
  touch(group, request.device, device);
  ExchangeRequest::Reply reply;
  if (request.hello) {
    const std::int64_t read_ms = greet(group, device, *account, *request.hello);
    Welcome welcome{store_.incarnation(), read_ms, device.state.applied,
                    store_.entered_by(*account), backed_up(device.state)};
    welcome.role = account->role();
    welcome.draining = !account->active();
    reply.welcome = encode_welcome(welcome);
    if (account->wipe_due()) {
      reply.wipe = encode_wipe(Wipe{account->wipe_ordered_ms, account->wipe_now});
    }
  }
  if (request.carried_by.empty()) device.state.last_seen_ms = group.now_ms;
  if (request.push) {
    Receipt receipt;
    const std::uint64_t before = device.state.applied;
    if (auto pushed = push(group, device, account, *request.push, receipt); !pushed) {
      request.done(pushed.error());
      return;
    }
    receipt.applied = device.state.applied;
    if (!request.carried_by.empty() && receipt.applied > before) {
      audit_carried(group, request, before + 1, receipt.applied);
    }
    receipt.backed_up = backed_up(device.state);
    reply.receipt = encode_receipt(receipt);
    group.must_sync = true;
  }
  group.reply(store_, std::move(request.done), std::move(reply));
}

Result<Applier::Device*> Applier::device(std::uint64_t id) {
  const auto at = devices_.find(id);
  if (at != devices_.end()) return &at->second;
  std::string value;
  const auto found = store_.kv().get(Column::kDevices, keys::device_state(id), value);
  if (!found) return found.error();
  Device made;
  if (*found) {
    auto state = decode_device_state(value);
    if (!state) return state.error();
    made.state = std::move(*state);
  }
  return &devices_.emplace(id, std::move(made)).first->second;
}

void Applier::touch(Group& group, std::uint64_t id, Device& device) {
  if (device.dirty) return;
  device.dirty = true;
  group.dirty_devices.emplace_back(id, &device);
}

std::int64_t Applier::greet(Group& group, Device& device, const Account& account,
                            const Hello& hello) {
  DeviceState& state = device.state;
  state.greeted = true;
  state.queued = hello.queued;
  state.app = hello.app;
  state.clock.enrolled_ms = account.enrolled_ms;
  // The clocks speak of the moment when the hello was read, not of when its group's turn came.
  const std::int64_t read_ms =
      hello.received_ms == 0 ? group.now_ms : std::min(hello.received_ms, group.now_ms);
  state.clock.observe(hello.clock, read_ms);
  state.oldest_ms = oldest_of(hello, state.clock, read_ms);
  const auto cursor = decode_cursor(hello.cursor);
  if (cursor && cursor->incarnation == store_.incarnation_number()) state.pulled = cursor->base;
  return read_ms;
}

Status Applier::push(Group& group, Device& device, AccountPtr account, Push& push,
                     Receipt& receipt) {
  receipt.verdicts.reserve(push.ops.size());
  const std::uint64_t id = account->device;
  for (Op& op : push.ops) {
    // An op before it may have made a scope below its own branches.
    if (const auto at = group.accounts.find(id); at != group.accounts.end()) account = at->second;
    const std::uint64_t expected = device.state.applied + 1;
    if (broken(Broken::kSkippedN) && op.n > expected && device.pending.entries.empty()) {
      device.state.applied = op.n - 1;
      receipt.verdicts.push_back(*judge(group, device, *account, op, false));
      continue;
    }
    if (op.n > expected) {
      receipt.expected = expected;
      break;
    }
    if (broken(Broken::kDoubleCount) && op.n < expected && !op.refusal) {
      (void)put_in_place(group, device, id, op, group.now_ms);
    }
    const auto subject = seal_personal(group, op);
    if (!subject) return subject.error();
    auto verdict = op.n < expected ? repeat(group, device, id, op, subject->erased)
                                   : judge(group, device, *account, op, subject->not_taken);
    if (!verdict) return verdict.error();
    receipt.verdicts.push_back(std::move(*verdict));
  }
  // What waits on the device is at least known to be less by what has arrived.
  device.state.queued -= std::min<std::uint64_t>(device.state.queued, receipt.verdicts.size());
  if (device.state.queued == 0) device.state.oldest_ms = 0;
  return {};
}

// Law 2: the first verdict, word for word.
Result<std::string> Applier::repeat(Group& group, Device& device, std::uint64_t id, const Op& op,
                                    bool erased) {
  const LogChunk* chunk = nullptr;
  const auto holds = [&](const LogChunk& c) {
    return op.n >= c.first_n && op.n < c.first_n + c.entries.size();
  };
  if (holds(device.pending)) {
    chunk = &device.pending;
  } else {
    if (!group.last_chunk || group.last_chunk_device != id || !holds(*group.last_chunk)) {
      auto rows = store_.kv().iterate(Column::kDeviceLog);
      rows->seek(keys::log_chunk(id, op.n));
      const auto key = rows->valid() ? keys::parse_log_chunk(rows->key()) : std::nullopt;
      if (!rows->status()) return rows->status().error();
      if (!key || key->device != id) {
        return Error{Code::kStoreCorrupt,
                     fmt::format("the log of {} has no op {}", format_device_id(id), op.n)};
      }
      auto decoded = decode_log_chunk(rows->value());
      if (!decoded) return decoded.error();
      group.last_chunk = std::move(*decoded);
      group.last_chunk_device = id;
    }
    chunk = &*group.last_chunk;
    if (!holds(*chunk)) return Error{Code::kStoreCorrupt, "a gap in a device log"};
  }
  const LogEntry& entry = chunk->entries[op.n - chunk->first_n];
  // What was sealed by a key that is gone can be compared with nothing any more.
  if (erased || entry.op == op.canonical) return entry.verdict;
  Refusal refusal{Code::kOpReused,
                  fmt::format("op {} was handed in before with other content; the first verdict "
                              "stands, this content is in the quarantine",
                              op.n)};
  QuarantineRow row{std::string(name(refusal.code)), refusal.detail, group.now_ms, op.canonical};
  const std::uint64_t variant = hash_value(op.canonical) | 1U;
  const std::string key = keys::quarantine(id, op.n, variant);
  std::string ignored;
  const auto known = store_.kv().get(Column::kQuarantine, key, ignored);
  if (!known) return known.error();
  // Handed in once more, because the answer was lost: what the office made of it stands.
  if (*known || !group.reused.insert(key).second) return encode_verdict_refused(op.n, refusal);
  group.batch.put(Column::kQuarantine, key, encode_quarantine(row));
  group.must(tell_of_refusal(group, id, op, refusal,
                             fmt::format("{}~{}~{:x}", format_device_id(id), op.n, variant)));
  return encode_verdict_refused(op.n, refusal);
}

Result<std::string> Applier::judge(Group& group, Device& device, const Account& account, Op& op,
                                   bool not_taken) {
  const std::int64_t authored_ms = device.state.clock.corrected_ms(op, group.now_ms);
  // A base beyond the log is of another life of the store.
  const Written written{authored_ms, op.base <= position_ ? op.base : 0};
  auto refusal = against(account, op, written, written.base, not_taken);
  if (!refusal) return refusal.error();
  if (*refusal) return refuse(group, device, account.device, op, std::move(**refusal));
  auto judged = take_in(group, device, account.device, op, authored_ms,
                        "device " + format_device_id(account.device));
  if (!judged) return judged.error();
  if (auto* found_wrong = std::get_if<Refusal>(&*judged)) {
    return refuse(group, device, account.device, op, std::move(*found_wrong));
  }
  return std::get<std::string>(std::move(*judged));
}

Result<std::optional<Refusal>> Applier::against(const Account& account, const Op& op,
                                                const Written& written, Seq seen, bool not_taken) {
  std::optional<Refusal> refusal = op.refusal;
  if (!refusal) refusal = check_standing(account, written);
  if (!refusal) refusal = check_scope(account, op, written, scopes_.contains(op.scope));
  if (!refusal) {
    auto found = entry(keys::record(op.scope, op.coll, op.id));
    if (!found) return found.error();
    refusal = check_policy(store_.policy(), account, op, written,
                           (*found)->record.made_by(account.device, seen));
  }
  if (!refusal) {
    auto replayed = check_replay(account, op);
    if (!replayed) return replayed.error();
    refusal = std::move(*replayed);
  }
  // Last: who may not write there is not told who was erased.
  if (!refusal && not_taken) {
    refusal = Refusal{Code::kPersonErased, "nothing more is kept of this person"};
  }
  return refusal;
}

Result<std::variant<std::string, Refusal>> Applier::take_in(Group& group, Device& device,
                                                            std::uint64_t id, Op& op,
                                                            std::int64_t authored_ms,
                                                            const std::string& who) {
  using Judged = std::variant<std::string, Refusal>;
  auto judged = put_in_place(group, device, id, op, authored_ms);
  if (!judged) return judged.error();
  if (auto* found_wrong = std::get_if<Refusal>(&*judged)) return Judged(std::move(*found_wrong));
  const Applied& applied = std::get<Applied>(*judged);
  ++group.outcome.ops;
  std::string verdict = applied.verdict(op.n);
  log(group, device, op.n, LogEntry{op.canonical, verdict, applied.place.stamp});
  if (applied.effects.moved) {
    const MovedField& moved = *applied.effects.moved;
    group.must(keep_ledger(group, op, id, !moved.done.late, moved));
  }
  if (op.replays) group.must(tell_of_replay(group, id, op));
  audit_review(group, who, op);
  return Judged(std::move(verdict));
}

Result<std::variant<Applier::Applied, Refusal>> Applier::put_in_place(Group& group, Device& device,
                                                                      std::uint64_t id, Op& op,
                                                                      std::int64_t authored_ms) {
  const Collection* collection = schemas_.find(op.coll);
  WS_CHECK(collection != nullptr);  // the schema check is part of op.refusal
  const std::string key = keys::record(op.scope, op.coll, op.id);
  auto found = entry(key);
  if (!found) return found.error();
  Entry& at = **found;
  op.base = std::min(op.base, position_);  // nobody has seen what is not there
  if (broken(Broken::kLostBase)) op.base = 0;
  OpPlace place;
  place.device = id;
  place.seq = next_seq(position_, group.now_ms);
  place.stamp = stamp_for(place.seq, authored_ms, op.base, device.state.last_stamp);
  std::size_t size_bound = 0;
  if (auto found_wrong = check_record(at, op, place, *collection, size_bound)) {
    return std::variant<Applied, Refusal>(std::move(*found_wrong));
  }
  position_ = place.seq;
  device.state.last_stamp = place.stamp;
  dirty(group, at, key);
  Applied applied{place, {}};
  at.record.apply(op, place, *collection, applied.effects);
  at.size_bound = size_bound;
  group.must(keep_effects(group, op, applied.effects));
  group.batch.put(Column::kHistory, keys::history(key, place.seq), encode_history(Dot{id, op.n}));
  Scope& scope = scopes_[op.scope];
  if (!scope.dirty) {
    scope.dirty = true;
    group.dirty_scopes.push_back(op.scope);
  }
  scope.row.newest = place.seq;
  if (op.coll == "scope") place_scope(group, op.scope, at.record);
  return std::variant<Applied, Refusal>(std::move(applied));
}

std::string Applier::Applied::verdict(std::uint64_t n) const {
  std::optional<Leased> leased;
  if (effects.moved && effects.moved->move.kind == EditKind::kLease) {
    leased = Leased{effects.moved->field, effects.moved->done.amount};
  }
  return encode_verdict_ok(n, place.seq, effects.lost_fields, leased);
}

void Applier::dirty(Group& group, Entry& entry, const std::string& key) {
  if (entry.dirty) return;
  entry.dirty = true;
  const Projections* projections = store_.projections();
  const auto parts = projections != nullptr ? keys::parse_record(key) : std::nullopt;
  if (parts && projections->concern(parts->coll)) {
    entry.gave = std::make_unique<const Projected>(
        project(*projections, parts->scope, parts->coll, parts->id, entry.record));
  }
  group.dirty_records.emplace_back(&entry, key);
}

// An op counts once its verdict is in the log, and not before: whatever fails on the way there
// leaves it to be handed in again.
void Applier::log(Group& group, Device& device, std::uint64_t n, LogEntry entry) {
  if (device.pending.entries.empty()) {
    device.pending.first_n = n;
    device.pending.received_ms = group.now_ms;
  }
  WS_CHECK(n == device.state.applied + 1);
  group.must_sync = true;  // also when the rest of its push comes to nothing: readers will see it
  device.state.applied = n;
  device.pending.entries.push_back(std::move(entry));
}

// `size_bound` becomes a bound of the record's size with the op applied.
std::optional<Refusal> Applier::check_record(const Entry& entry, const Op& op, const OpPlace& place,
                                             const Collection& collection,
                                             std::size_t& size_bound) const {
  if (auto refusal = entry.record.check(op, place, collection)) return refusal;
  size_bound = entry.size_bound + op.canonical.size();
  for (const Edit& edit : op.edits) size_bound += edit.values.size() * kEntryOverhead;
  if (size_bound <= limits::kRecordBytes) return std::nullopt;
  // The bound only grows, and an op may replace more than it brings: look before refusing.
  const std::size_t before = entry.record.exists() ? entry.record.visible().size() : 0;
  Record trial = entry.record;
  Effects ignored;
  trial.apply(op, place, collection, ignored);
  size_bound = trial.visible().size();
  if (size_bound <= limits::kRecordBytes || size_bound <= before) return std::nullopt;
  return Refusal{Code::kRecordTooLarge,
                 fmt::format("the record would have more than {} bytes", limits::kRecordBytes)};
}

Result<Applier::Entry*> Applier::entry(const std::string& key) {
  const auto at = records_.find(key);
  if (at != records_.end()) return &at->second;
  std::string value;
  const auto found = store_.kv().get(Column::kRecords, key, value);
  if (!found) return found.error();
  Entry made;
  if (*found) {
    auto record = decode_record(value);
    if (!record) return record.error();
    made.record = std::move(*record);
    made.stored_seq = made.record.buried ? 0 : made.record.seq;
    const auto parts = keys::parse_record(key);
    WS_CHECK(parts.has_value());
    made.stored_blob = named_blob(parts->coll, made.record);
    const std::string visible = made.record.visible();
    made.size_bound = visible.size();
    if (!visible.empty()) {
      std::string room;
      const auto opened = store_.plain(visible, room, Gone::kLeftOut);
      if (!opened) return opened.error();
      made.stored_part = digest_of_record(parts->scope, parts->coll, parts->id, *opened);
      made.view_parts = view_parts(store_.policy().views(), parts->scope, parts->coll, parts->id,
                                   *opened, made.stored_part);
    }
  }
  Entry& kept = records_.emplace(key, std::move(made)).first->second;
  count(kept);
  return &kept;
}

// Each write of a field is an object of its own, with its value.
void Applier::count(Entry& entry) {
  constexpr std::size_t kEntryBytes = 512;
  cached_bytes_ -= entry.counted;
  entry.counted = kEntryBytes + 3 * entry.record.weight() + entry.size_bound;
  cached_bytes_ += entry.counted;
}

Status Applier::keep_effects(Group& group, const Op& op, const Effects& effects) {
  const auto key_of = [&](const auto& named) {
    return keys::conflict(op.scope, op.coll, op.id, named.field, named.dot, named.part);
  };
  for (const Conflict& conflict : effects.raised) {
    group.conflicts[key_of(conflict)] = encode_conflict(
        ConflictRow{conflict.kind, conflict.stamp, conflict.value, conflict.review});
  }
  for (const Conflict& conflict : effects.withdrawn) group.conflicts[key_of(conflict)].reset();
  for (const Reviewed& reviewed : effects.reviewed) {
    const std::string key = key_of(reviewed);
    std::optional<std::string> bytes;
    if (const auto at = group.conflicts.find(key); at != group.conflicts.end()) {
      bytes = at->second;
    } else {
      std::string value;
      const auto found = store_.kv().get(Column::kConflicts, key, value);
      if (!found) return found.error();
      if (*found) bytes = std::move(value);
    }
    if (!bytes) continue;  // its author has written the field again
    auto row = decode_conflict(*bytes);
    if (!row) return row.error();
    if (row->review.order() < reviewed.review.order()) row->review = reviewed.review;
    group.conflicts[key] = encode_conflict(*row);
  }
  return {};
}

std::string Applier::refuse(Group& group, Device& device, std::uint64_t id, const Op& op,
                            Refusal refusal) {
  ++group.outcome.ops;
  ++group.outcome.refused;
  ++device.state.refused;
  shorten(refusal.detail);
  QuarantineRow row{std::string(name(refusal.code)), refusal.detail, group.now_ms, op.canonical};
  if (!broken(Broken::kQuarantineDropped)) {
    group.batch.put(Column::kQuarantine, keys::quarantine(id, op.n, 0), encode_quarantine(row));
  }
  std::string verdict = encode_verdict_refused(op.n, refusal);
  log(group, device, op.n, LogEntry{op.canonical, verdict, 0});
  if (refusal.code == Code::kQuotaExceeded || refusal.code == Code::kQuotaExhausted ||
      refusal.code == Code::kQuotaHeld) {
    // It may have happened all the same: the fact is kept, and that it was not valid.
    for (const Edit& edit : op.edits) {
      if (merge_type_of(edit.kind) != MergeType::kQuota) continue;
      const QuotaMove move = quota_move(edit, id, group.now_ms);
      group.must(keep_ledger(group, op, id, false, {edit.field, move, {move.amount, false}}));
    }
  }
  group.must(
      tell_of_refusal(group, id, op, refusal, fmt::format("{}~{}", format_device_id(id), op.n)));
  return verdict;
}

std::optional<std::uint64_t> Applier::backed_up(const DeviceState& state) const {
  if (!backups_) return std::nullopt;
  return broken(Broken::kBackedUpEarly) ? state.applied : state.backed_up;
}

// --- backups ----------------------------------------------------------------------------------

void Applier::take(Group& group, BackupRequest& request) {
  group.batch.put(Column::kMeta, std::string(keys::kBackup), "1");
  group.must_sync = true;
  group.backups.push_back(std::move(request));
}

// The copy holds all that is committed: so much counts as backed up, and not a moment earlier.
void Applier::back_up(BackupRequest& request, std::int64_t now_ms) {
  if (store_.read_only()) return request.done(read_only(store_));
  if (auto copied = request.copy(); !copied) return request.done(copied);
  backups_ = true;
  Group group;
  group.now_ms = now_ms;
  // Read first: once something is touched it has to be written, or it never will be.
  std::vector<std::pair<std::uint64_t, Device*>> all;
  for (const AccountPtr& account : store_.accounts().all()) {
    auto found = device(account->device);
    if (!found) return request.done(found.error());
    all.emplace_back(account->device, *found);
  }
  for (const auto& [id, device] : all) {
    if (device->state.backed_up == device->state.applied) continue;
    device->state.backed_up = device->state.applied;
    touch(group, id, *device);
  }
  audit(group, {request.by, "backup.made", request.folder});
  close_devices(group);
  const Status committed = commit(group);
  if (!committed) store_.go_read_only(committed.error().context);
  request.done(committed);
}

// --- the end of a group -----------------------------------------------------------------------

Status Applier::close_records(Group& group) {
  for (std::size_t i = 0; i < group.dirty_records.size(); ++i) {
    if (auto matched = match_duplicates(group, i); !matched) return matched;
    if (auto told = tell_presence(group, i); !told) return told;
  }
  if (auto counted = count_records(group); !counted) return counted;
  for (auto& [entry, key] : group.dirty_records) {
    if (auto armed = arm(group, key, *entry); !armed) return armed;
    list_blob(group, key, *entry);
    const auto parts = keys::parse_record(key);
    WS_CHECK(parts.has_value());
    const std::string visible = entry->record.visible();
    Digest part;
    std::vector<Digest> by_view;
    if (!visible.empty()) {
      std::string room;
      const auto opened = plain(group, visible, room);
      if (!opened) return opened.error();
      part = digest_of_record(parts->scope, parts->coll, parts->id, *opened);
      by_view =
          view_parts(store_.policy().views(), parts->scope, parts->coll, parts->id, *opened, part);
    }
    Scope& scope = scopes_[std::string(parts->scope)];
    DigestRow& row = scope.row;
    move_views(scope, *entry, std::move(by_view));
    if (!broken(Broken::kDigestNotUpdated) || !visible.empty()) {
      row.digest.subtract(entry->stored_part);
    }
    row.digest.add(part);
    const Seq listed_at = entry->record.buried ? 0 : entry->record.seq;
    if (entry->stored_seq != 0 && entry->stored_seq != listed_at) {
      group.batch.erase_once(Column::kChanges, keys::change(parts->scope, entry->stored_seq));
    }
    if (listed_at != 0 && entry->stored_seq != listed_at) {
      std::string pointer(parts->coll);
      pointer += '\0';
      pointer += parts->id;
      group.batch.put(Column::kChanges, keys::change(parts->scope, listed_at), std::move(pointer));
    }
    if (broken(Broken::kTombstoneDropped) && visible.empty()) {
      const Seq seq = entry->record.seq;
      entry->record = Record{};
      entry->record.seq = seq;
      entry->record.deleted_ = true;
    }
    group.batch.put(Column::kRecords, key, encode_record(entry->record, visible));
    entry->stored_seq = listed_at;
    entry->stored_part = part;
    entry->size_bound = visible.size();
    count(*entry);
    entry->dirty = false;
    entry->gave.reset();
  }
  for (auto& [key, value] : group.conflicts) {
    if (value) {
      group.batch.put(Column::kConflicts, key, std::move(*value));
    } else {
      group.batch.erase(Column::kConflicts, key);
    }
  }
  for (auto& [key, value] : group.matches) {
    if (value) {
      group.batch.put(Column::kMatches, key, std::move(*value));
    } else {
      group.batch.erase(Column::kMatches, key);
    }
  }
  for (const auto& [key, put] : group.blobs) {
    if (put) {
      group.batch.put(Column::kBlobs, key, {});
    } else {
      group.batch.erase(Column::kBlobs, key);
    }
  }
  for (const std::string& id : group.dirty_scopes) {
    put_digests(group, id, scopes_[id]);
  }
  return {};
}

void Applier::close_devices(Group& group) {
  for (const auto& [id, device] : group.dirty_devices) {
    device->dirty = false;
    group.batch.put(Column::kDevices, keys::device_state(id), encode_device_state(device->state));
    if (device->pending.entries.empty()) continue;
    const std::uint64_t last_n = device->pending.first_n + device->pending.entries.size() - 1;
    group.batch.put(Column::kDeviceLog, keys::log_chunk(id, last_n),
                    encode_log_chunk(device->pending));
    device->pending = LogChunk{};
  }
}

Status Applier::commit(Group& group) {
  if (group.batch.empty()) return {};
  group.batch.put(Column::kMeta, std::string(keys::kPosition), encode_seq(position_));
  if (group.audited) {
    group.batch.put(Column::kMeta, std::string(keys::kAuditHead), encode_audit_head(audit_head_));
  }
  std::vector<std::pair<std::string, Seq>> newest;
  newest.reserve(group.dirty_scopes.size());
  for (const std::string& id : group.dirty_scopes) newest.emplace_back(id, scopes_[id].row.newest);
  store_.scopes().publish(newest);
  group.outcome.scopes = std::move(group.dirty_scopes);
  return store_.kv().write(group.batch,
                           group.must_sync ? Durability::kSynced : Durability::kBuffered);
}

}  // namespace waystation

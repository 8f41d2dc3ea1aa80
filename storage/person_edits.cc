// What the applier does for people of the office who edit (docs/office-access.md, "A person's
// edits"): each account writes by a device of its own, its desk. What is taken in is an op like any
// other; what is refused is told to the person, who waits for it, and kept nowhere.
#include <fmt/format.h>

#include <algorithm>

#include "storage/group.h"
#include "storage/keys.h"
#include "sync/device_id.h"
#include "sync/limits.h"

namespace waystation {
namespace {

// The name of the desk of whoever has the administrator's token, for people.
constexpr std::string_view kTokenDisplay = "administrator's token";

// The op, complete by what the server gives.
std::string op_text(const PersonEdit& edit, std::uint64_t n, std::int64_t now_ms,
                    const Collection* collection) {
  std::string text =
      fmt::format(R"({{"n":{},"wall":{},"mono":0,"boot":"server",{})", n, now_ms, edit.members);
  if (!edit.has_schema && collection != nullptr) {
    text += fmt::format(R"(,"schema":{})", collection->version);
  }
  if (!edit.has_base && edit.if_seq) text += fmt::format(R"(,"base":{})", *edit.if_seq);
  return text + '}';
}

std::string skipped() {
  return fmt::format(R"({{"refused":{{"code":"{}","detail":"one before it was refused"}}}})",
                     name(Code::kEditSkipped));
}

}  // namespace

// --- answers that can be had again ------------------------------------------------------------

Status Applier::load_kept_edits() {
  auto rows = store_.kv().iterate(Column::kOffice, nullptr,
                                  keys::prefix_end(std::string(kKeptEditsPrefix)));
  for (rows->seek(kKeptEditsPrefix); rows->valid(); rows->next()) {
    const auto kept = decode_kept_edits(rows->value());
    if (!kept) return kept.error();
    kept_edits_.emplace_back(kept->time_ms, rows->key());
  }
  std::sort(kept_edits_.begin(), kept_edits_.end());
  return rows->status();
}

void Applier::sweep_kept_edits(Group& group) {
  while (!kept_edits_.empty() && (kept_edits_.front().first + limits::kEditKeptMs <= group.now_ms ||
                                  kept_edits_.size() > limits::kEditsKept)) {
    group.batch.erase(Column::kOffice, std::move(kept_edits_.front().second));
    kept_edits_.pop_front();
  }
}

Result<std::optional<KeptEdits>> Applier::kept_edits(const Group& group,
                                                     const std::string& key) const {
  using Found = std::optional<KeptEdits>;
  if (const auto at = group.edits.find(key); at != group.edits.end()) return Found(at->second);
  std::string value;
  const auto found = store_.kv().get(Column::kOffice, key, value);
  if (!found) return found.error();
  if (!*found) return Found();
  auto kept = decode_kept_edits(value);
  if (!kept) return kept.error();
  // The sweep of this very group has erased it.
  if (kept->time_ms + limits::kEditKeptMs <= group.now_ms) return Found();
  return Found(std::move(*kept));
}

// --- who edits --------------------------------------------------------------------------------

// Asked here again: the account may have changed while the request waited.
Result<Applier::Editor> Applier::editor_of(const OfficeTables& tables,
                                           const EditsRequest& request) {
  if (request.account.empty()) {
    return Editor{std::string(kRoleAdministrator), std::string(kTokenDisplay)};
  }
  const OfficeAccountPtr account = tables.find(request.account);
  const auto session = tables.sessions.find(request.session_hash);
  if (account == nullptr || !account->active() || session == tables.sessions.end() ||
      session->second.account != request.account) {
    return Error{Code::kAuthRequired, "sign in"};
  }
  return Editor{std::string(role_name(account->role)), account->display};
}

std::uint64_t Applier::desk_of(Group& group, const EditsRequest& request, const Editor& editor) {
  const OfficeTablesPtr tables = group.tables(store_);
  if (const auto at = tables->desks.find(request.account); at != tables->desks.end()) {
    return at->second;
  }
  position_ = next_seq(position_, group.now_ms);
  const Place place{position_, group.now_ms};
  Account desk;
  desk.device = request.new_device;
  desk.name = editor.display;
  desk.token_hash = request.new_token_hash;
  desk.enrolled_ms = group.now_ms;
  desk.take_role(editor.role, place.seq, place.ms);
  grant(desk, {"*"}, place);
  audit(group, {request.by, "desk.made", "device " + format_device_id(desk.device),
                AuditDetails().text("role", editor.role).json()});
  OfficeChange change;
  change.desks.emplace_back(request.account, desk.device);
  put_change(group.batch, change);
  group.office = apply_change(*tables, change);
  group.accounts[request.new_device] = std::make_shared<Account>(std::move(desk));
  return request.new_device;
}

void Applier::align_desk(Group& group, std::uint64_t device, std::string_view role,
                         const std::string& name) {
  const AccountPtr old = group.account(store_, device);
  if (old == nullptr) return;
  if (old->name != name) draft(group, device).name = name;
  if (old->role() == role) return;
  position_ = next_seq(position_, group.now_ms);
  Account& desk = draft(group, device);
  desk.changed = position_;
  desk.take_role(role, position_, group.now_ms);
}

// --- the edits --------------------------------------------------------------------------------

Status Applier::check_expected(const Editor& editor, const EditsBody& body) const {
  for (const ExpectedRecord& one : body.expected) {
    if (!sees(editor, one.scope, one.coll)) {
      return Error{Code::kAccessDenied,
                   fmt::format("the role {} does not read {} there", editor.role, one.coll)};
    }
  }
  return {};
}

bool Applier::sees(const Editor& editor, std::string_view scope, std::string_view coll) const {
  return store_.policy().enters(editor.role, scope) && store_.policy().sees(editor.role, coll);
}

// Of what the person may not see nothing is told here: that edit is refused when its turn comes.
Result<std::string> Applier::changed_since(const Editor& editor, const EditsBody& body) {
  std::vector<ExpectedRecord> expected = body.expected;
  for (const PersonEdit& edit : body.edits) {
    if (edit.if_seq && valid_scope_id(edit.scope) && valid_name(edit.coll) &&
        valid_record_id(edit.id) && sees(editor, edit.scope, edit.coll)) {
      expected.push_back({edit.scope, edit.coll, edit.id, *edit.if_seq});
    }
  }
  std::string changed;
  for (const ExpectedRecord& one : expected) {
    const auto found = entry(keys::record(one.scope, one.coll, one.id));
    if (!found) return found.error();
    const Seq seq = (*found)->record.seq;
    if (seq == one.seq) continue;
    changed += fmt::format(R"({}{{"scope":"{}","coll":"{}","id":"{}","seq":{}}})",
                           changed.empty() ? "" : ",", one.scope, one.coll, one.id, seq);
  }
  return changed;
}

Result<std::variant<std::string, Refusal>> Applier::edit(Group& group, Device& desk,
                                                         std::uint64_t id, const PersonEdit& edit,
                                                         const std::string& who) {
  using Judged = std::variant<std::string, Refusal>;
  auto op =
      decode_op(op_text(edit, desk.state.applied + 1, group.now_ms, schemas_.find(edit.coll)));
  if (!op) return op.error();
  schemas_.admit(*op);
  const auto subject = seal_personal(group, *op);
  if (!subject) return subject.error();
  // By the role of now alone: a person is asked at this moment, whatever the page had shown.
  const Written now{group.now_ms, position_};
  const AccountPtr account = group.account(store_, id);
  auto refusal = against(*account, *op, now, std::min(op->base, position_), subject->not_taken);
  if (!refusal) return refusal.error();
  if (*refusal) return Judged(std::move(**refusal));
  return take_in(group, desk, id, *op, group.now_ms, who);
}

Result<std::string> Applier::edit_all(Group& group, std::uint64_t id, const EditsRequest& request) {
  auto found = device(id);
  if (!found) return found.error();
  Device& desk = **found;
  touch(group, id, desk);
  desk.state.last_seen_ms = group.now_ms;
  std::string results;
  bool stopped = false;
  for (const PersonEdit& one : request.body.edits) {
    if (!results.empty()) results += ',';
    if (stopped) {
      results += skipped();
      continue;
    }
    auto judged = edit(group, desk, id, one, request.by);
    if (judged && std::holds_alternative<std::string>(*judged)) {
      results += std::get<std::string>(*judged);
      continue;
    }
    // What came before it stands: also a fault of the store is an answer, and no reason to do
    // those once more.
    stopped = true;
    const Refusal refusal = judged ? std::get<Refusal>(*judged) : Refusal{judged.error().code, ""};
    results += encode_verdict_refused(desk.state.applied + 1, refusal);
  }
  return fmt::format(R"({{"device":"{}","results":[{}]}})", format_device_id(id), results);
}

void Applier::take(Group& group, EditsRequest& request) {
  const auto editor = editor_of(*group.tables(store_), request);
  if (!editor) return request.done(editor.error());
  const std::string key = kept_edits_key(request.account, request.body.request);
  const std::string hash = keyed_hash(store_.page_key(), request.body.text);
  auto kept = kept_edits(group, key);
  if (!kept) return request.done(kept.error());
  if (*kept) {
    if ((*kept)->hash != hash) return request.done(Error{Code::kEditReused, "make a new name"});
    return group.reply(store_, std::move(request.done),
                       EditsRequest::Reply{std::move((*kept)->answer), {}});
  }
  if (auto checked = check_expected(*editor, request.body); !checked) {
    return request.done(checked.error());
  }
  auto changed = changed_since(*editor, request.body);
  if (!changed) return request.done(changed.error());
  if (!changed->empty()) {
    // What they changed to may be of this group.
    return group.reply(store_, std::move(request.done),
                       EditsRequest::Reply{{}, std::move(*changed)});
  }
  const std::uint64_t desk = desk_of(group, request, *editor);
  auto answer = edit_all(group, desk, request);
  if (!answer) return request.done(answer.error());
  KeptEdits row{group.now_ms, hash, *answer};
  group.batch.put(Column::kOffice, key, encode_kept_edits(row));
  group.must_sync = true;
  kept_edits_.emplace_back(group.now_ms, key);
  group.edits[key] = std::move(row);
  group.reply(store_, std::move(request.done), EditsRequest::Reply{std::move(*answer), {}});
}

}  // namespace waystation

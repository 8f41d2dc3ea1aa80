// What the office decides: enrolment codes, branches, the standing of a device, orders to wipe; and
// who holds what as the tree of scopes changes. The part of the Applier that keeps accounts.
#include <fmt/format.h>

#include <algorithm>

#include "storage/group.h"
#include "storage/keys.h"
#include "sync/device_id.h"
#include "sync/limits.h"

namespace waystation {
namespace {

// How long an expired code is still told from a wrong one.
constexpr std::int64_t kExpiredKeptMs = std::int64_t{24} * 3'600'000;

std::string audit_name(std::uint64_t device) { return "device " + format_device_id(device); }

std::string parent_scope(const Record& record) {
  if (!record.exists() || record.deleted()) return {};
  const auto text = record.shown_text("parent");
  return text && valid_scope_id(*text) ? std::string(*text) : std::string();
}

// Somebody else may have decided meanwhile: what follows from another state was not meant.
Status as_seen(const Account& account, const std::optional<StandingSeen>& was) {
  if (!was) return {};
  if (name(account.standing) == was->state && account.wipe_ordered_ms == was->wipe_ms) return {};
  return Error{Code::kDeviceChanged, "it stands otherwise by now"};
}

std::vector<std::string> sorted_once(std::vector<std::string> items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

}  // namespace

// --- accounts ---------------------------------------------------------------------------------

Status Applier::load_office() {
  for (const auto& [scope, row] : scopes_) {
    std::string value;
    const auto found = store_.kv().get(Column::kRecords,
                                       keys::record(scope, "scope", scope_record_id(scope)), value);
    if (!found) return found.error();
    std::string parent;
    if (*found) {
      const auto record = decode_record(value);
      if (!record) return record.error();
      parent = parent_scope(*record);
    }
    tree_.set(scope, parent);
  }
  for (const AccountPtr& account : store_.accounts().all()) {
    holders_.put(account->device, {}, account->branches);
    enrolled_by_[account->code_hash + account->request_hash] = account->device;
  }
  sweep_ms_ = std::numeric_limits<std::int64_t>::max();
  const auto end = keys::prefix_end(std::string(keys::kCodePrefix));
  auto rows = store_.kv().iterate(Column::kDevices, nullptr, end);
  for (rows->seek(keys::kCodePrefix); rows->valid(); rows->next()) {
    auto code = decode_code(rows->value());
    if (!code) return code.error();
    sweep_ms_ = std::min(sweep_ms_, code->expires_ms + kExpiredKeptMs);
    codes_.emplace(rows->key().substr(keys::kCodePrefix.size()), std::move(*code));
  }
  return rows->status();
}

Account& Applier::draft(Group& group, std::uint64_t device) {
  if (const auto at = group.accounts.find(device); at != group.accounts.end()) return *at->second;
  group.must_sync = true;
  const AccountPtr known = store_.accounts().find(device);
  WS_CHECK(known != nullptr);
  return *group.accounts.emplace(device, std::make_shared<Account>(*known)).first->second;
}

void Applier::close_accounts(Group& group) {
  for (const auto& [device, account] : group.accounts) {
    group.outcome.accounts.push_back(device);
    group.batch.put(Column::kDevices, keys::account(device), encode_account(*account));
  }
}

// --- branches ---------------------------------------------------------------------------------

// A change of membership is an entry in the log after every existing cursor (E4): what is gained is
// filled from the start, what is left is named.
void Applier::grant(Account& account, std::vector<std::string> branches, const Place& place) {
  branches = sorted_once(std::move(branches));
  holders_.put(account.device, account.branches, branches);
  account.branches = std::move(branches);
  hold_all(account, tree_, place);
  account.changed = place.seq;
}

Status Applier::check_branches(const std::vector<std::string>& branches) const {
  for (const std::string& scope : branches) {
    if (scope != "*" && !tree_.exists(scope)) {
      return Error{Code::kScopeUnknown, fmt::format("scope \"{}\" does not exist", scope)};
    }
  }
  const std::size_t below = covered(branches, tree_).size();
  if (below <= limits::kScopesHeld) return {};
  return Error{Code::kScopeTooMany,
               fmt::format("{} scopes lie below, at most {} are allowed: grant \"*\", or less",
                           below, limits::kScopesHeld)};
}

void Applier::place_scope(Group& group, const std::string& scope, const Record& record) {
  const std::string parent = parent_scope(record);
  if (tree_.exists(scope) && tree_.parent(scope) == parent) return;
  const std::vector<std::string> moved = tree_.hanging_on(scope);
  std::set<std::string> above;
  const auto note_chains = [&] {
    for (const std::string& one : moved) {
      for (std::string& name : tree_.chain(one)) above.insert(std::move(name));
    }
  };
  note_chains();
  tree_.set(scope, parent);
  note_chains();
  const Place place{next_seq(position_, group.now_ms), group.now_ms};
  for (const std::uint64_t device : holders_.of(above)) {
    if (in_line(*group.account(store_, device), moved, tree_)) continue;
    hold(draft(group, device), moved, tree_, place);
    position_ = place.seq;
  }
}

// A store of an earlier version, or one whose records of scopes were carried forward to a newer
// schema, may hold accounts that are not in line with the tree.
void Applier::hold_anew(Group& group) {
  held_anew_ = true;
  const Place place{next_seq(position_, group.now_ms), group.now_ms};
  for (const AccountPtr& account : store_.accounts().all()) {
    Account trial = *account;
    if (!hold_all(trial, tree_, place)) continue;
    draft(group, trial.device) = std::move(trial);
    position_ = place.seq;
  }
}

void Applier::take(Group& group, ScopesRequest& request) {
  if (group.account(store_, request.device) == nullptr) {
    return request.done(Error{Code::kAuthUnknownDevice, ""});
  }
  if (auto checked = check_branches(request.scopes); !checked) {
    return request.done(checked.error());
  }
  if (request.was && sorted_once(*request.was) != group.account(store_, request.device)->branches) {
    return request.done(Error{Code::kDeviceChanged, "it is granted other branches by now"});
  }
  position_ = next_seq(position_, group.now_ms);
  audit(group, {request.by, "device.scopes", audit_name(request.device),
                AuditDetails()
                    .list("before", group.account(store_, request.device)->branches)
                    .list("scopes", request.scopes)
                    .json()});
  grant(draft(group, request.device), std::move(request.scopes), Place{position_, group.now_ms});
  group.reply(store_, std::move(request.done),
              Result<AccountPtr>(group.account(store_, request.device)));
}

// --- standing ---------------------------------------------------------------------------------

void Applier::stand(Group& group, Account& account, Standing standing) {
  if (standing == Standing::kActive) {
    account.inactive_ms = 0;
    account.wipe_ordered_ms = 0;
    account.wipe_now = false;
  } else if (account.active()) {
    account.inactive_ms = group.now_ms;
  }
  account.standing = standing;
  group.outcome.greet.push_back(account.device);
}

void Applier::take(Group& group, StandingRequest& request) {
  const AccountPtr old = group.account(store_, request.device);
  if (old == nullptr) return request.done(Error{Code::kAuthUnknownDevice, ""});
  if (auto seen = as_seen(*old, request.was); !seen) return request.done(seen.error());
  const bool wake = request.standing == Standing::kActive;
  if (request.standing != Standing::kClosed && old->wiped_ms != 0) {
    return request.done(Error{Code::kDeviceWiped, "it has wiped itself: enrol it anew"});
  }
  if (old->standing != request.standing) {
    const std::string_view what = wake                                      ? "device.restored"
                                  : request.standing == Standing::kDraining ? "device.draining"
                                                                            : "device.revoked";
    audit(group, {request.by, std::string(what), audit_name(request.device)});
    stand(group, draft(group, request.device), request.standing);
  }
  group.reply(store_, std::move(request.done),
              Result<AccountPtr>(group.account(store_, request.device)));
}

void Applier::take(Group& group, WipeRequest& request) {
  const AccountPtr old = group.account(store_, request.device);
  if (old == nullptr) return request.done(Error{Code::kAuthUnknownDevice, ""});
  if (auto seen = as_seen(*old, request.was); !seen) return request.done(seen.error());
  if (old->wiped_ms == 0 && (!old->wipe_due() || (request.now && !old->wipe_now))) {
    Account& account = draft(group, request.device);
    if (!account.wipe_due()) account.wipe_ordered_ms = group.now_ms;
    account.wipe_now = account.wipe_now || request.now;
    audit(group, {request.by, "device.wipe", audit_name(request.device),
                  AuditDetails().flag("now", request.now).json()});
    stand(group, account, account.active() ? Standing::kDraining : account.standing);
  }
  group.reply(store_, std::move(request.done),
              Result<AccountPtr>(group.account(store_, request.device)));
}

// A closed device is told of an order to wipe that stands, and nothing else.
void Applier::tell_to_wipe(Group& group, ExchangeRequest& request, const Account& account) {
  if (!request.hello || !account.wipe_due()) {
    return request.done(Error{Code::kAuthRevoked, "the office has shut this device out"});
  }
  auto known = device(account.device);
  if (!known) return request.done(known.error());
  touch(group, account.device, **known);
  (*known)->state.last_seen_ms = group.now_ms;
  ExchangeRequest::Reply reply;
  reply.wipe = encode_wipe(Wipe{account.wipe_ordered_ms, true});
  reply.closed = true;
  group.reply(store_, std::move(request.done), std::move(reply));
}

// Told again after a lost answer: as the first time. A device may also say so unasked: somebody
// has signed out on it, or the store was restored from before the order.
void Applier::take_wiped(Group& group, ExchangeRequest& request, const Account& account) {
  if (account.closed() && account.wipe_ordered_ms == 0) {
    return request.done(Error{Code::kAuthRevoked, "the office has shut this device out"});
  }
  auto known = device(account.device);
  if (!known) return request.done(known.error());
  touch(group, account.device, **known);
  DeviceState& state = (*known)->state;
  state.last_seen_ms = group.now_ms;
  std::int64_t wiped_ms = account.wiped_ms;
  if (wiped_ms == 0) {
    wiped_ms = group.now_ms;
    state.queued = 0;
    state.oldest_ms = 0;
    Account& wiped = draft(group, account.device);
    if (wiped.wipe_ordered_ms == 0) wiped.wipe_ordered_ms = wiped_ms;
    wiped.wiped_ms = wiped_ms;
    wiped.wipe_discarded = request.wiped->discarded;
    audit(group, {audit_name(account.device), "device.wiped", audit_name(account.device),
                  AuditDetails()
                      .number("discarded", static_cast<std::int64_t>(wiped.wipe_discarded))
                      .json()});
    stand(group, wiped, Standing::kClosed);
  }
  ExchangeRequest::Reply reply;
  reply.wiped = encode_wiped(wiped_ms);
  reply.closed = true;
  group.reply(store_, std::move(request.done), std::move(reply));
}

// --- codes ------------------------------------------------------------------------------------

void Applier::sweep_codes(Group& group) {
  if (group.now_ms < sweep_ms_) return;
  sweep_ms_ = std::numeric_limits<std::int64_t>::max();
  std::erase_if(codes_, [&](const auto& row) {
    const std::int64_t goes_ms = row.second.expires_ms + kExpiredKeptMs;
    if (goes_ms > group.now_ms) {
      sweep_ms_ = std::min(sweep_ms_, goes_ms);
      return false;
    }
    group.batch.erase(Column::kDevices, keys::code(row.first));
    return true;
  });
}

void Applier::take(Group& group, CodeRequest& request) {
  if (request.code.replaces != 0) {
    const AccountPtr old = group.account(store_, request.code.replaces);
    if (old == nullptr) return request.done(Error{Code::kAuthUnknownDevice, ""});
    if (old->successor != 0) {
      return request.done(Error{Code::kDeviceReplaced,
                                fmt::format("{} has taken its place: make the code for that one",
                                            format_device_id(old->successor))});
    }
  } else if (auto checked = check_branches(request.code.scopes); !checked) {
    return request.done(checked);
  }
  if (codes_.size() >= limits::kCodes) {
    std::erase_if(codes_, [&](const auto& row) {
      if (row.second.uses_left != 0 && row.second.expires_ms > group.now_ms) return false;
      group.batch.erase(Column::kDevices, keys::code(row.first));
      return true;
    });
  }
  if (codes_.size() >= limits::kCodes) {
    return request.done(
        Error{Code::kCodeTooMany, fmt::format("{} codes are open: withdraw some", limits::kCodes)});
  }
  group.must_sync = true;
  request.code.created_ms = group.now_ms;
  AuditDetails details;
  details.list("scopes", request.code.scopes)
      .number("uses", static_cast<std::int64_t>(request.code.uses_left))
      .number("expires", request.code.expires_ms);
  if (request.code.replaces == 0) {
    details.text("role", request.code.role);
  } else {
    details.text("replaces", format_device_id(request.code.replaces));
  }
  audit(group, {request.by, "code.made", code_id(request.code_hash), details.json()});
  sweep_ms_ = std::min(sweep_ms_, request.code.expires_ms + kExpiredKeptMs);
  codes_[request.code_hash] = request.code;
  group.batch.put(Column::kDevices, keys::code(request.code_hash), encode_code(request.code));
  group.reply(store_, std::move(request.done), Status{});
}

void Applier::take(Group& group, WithdrawRequest& request) {
  const auto at = std::find_if(codes_.begin(), codes_.end(), [&](const auto& row) {
    return code_id(row.first) == request.id && row.second.uses_left > 0 &&
           row.second.expires_ms > group.now_ms;
  });
  if (at == codes_.end()) return request.done(Error{Code::kHttpNotFound, "no such open code"});
  audit(group, {request.by, "code.withdrawn", request.id});
  group.batch.erase(Column::kDevices, keys::code(at->first));
  codes_.erase(at);
  group.reply(store_, std::move(request.done), Status{});
}

// What a device takes over from the one that it replaces; that one hands in what it wrote before.
void Applier::inherit(Account& fresh, const Account& old, const Place& place) {
  fresh.predecessor = old.device;
  fresh.take_role(old.role(), place.seq, place.ms);
  grant(fresh, old.branches, place);
}

void Applier::take(Group& group, EnrollRequest& request) {
  // The answer to the same request was lost: the same device, with the new secret.
  if (const auto at = enrolled_by_.find(request.code_hash + request.request_hash);
      at != enrolled_by_.end()) {
    const std::uint64_t id = at->second;
    auto known = device(id);
    if (!known) return request.done(known.error());
    if (!(*known)->state.greeted && !group.account(store_, id)->closed()) {
      draft(group, id).token_hash = request.new_token_hash;
      audit(group, {audit_name(id), "device.enrolled", audit_name(id),
                    AuditDetails().flag("again", true).json()});
      group.reply(store_, std::move(request.done), EnrollRequest::Reply{group.account(store_, id)});
      return;
    }
  }
  const auto found = codes_.find(request.code_hash);
  if (found == codes_.end()) {
    return request.done(Error{Code::kCodeInvalid, "check the code and type it again"});
  }
  CodeRow& code = found->second;
  if (code.expires_ms <= group.now_ms) {
    return request.done(Error{Code::kCodeExpired, "ask the office for a new code"});
  }
  if (code.uses_left == 0) {
    return request.done(Error{Code::kCodeUsed, "ask the office for a new code"});
  }
  const AccountPtr old = code.replaces == 0 ? nullptr : group.account(store_, code.replaces);
  if (code.replaces != 0 && (old == nullptr || old->successor != 0)) {
    return request.done(Error{Code::kCodeUsed, "the device has been replaced meanwhile"});
  }
  WS_CHECK(group.account(store_, request.new_device) == nullptr);
  auto fresh = device(request.new_device);
  if (!fresh) return request.done(fresh.error());
  --code.uses_left;
  group.batch.put(Column::kDevices, keys::code(request.code_hash), encode_code(code));
  position_ = next_seq(position_, group.now_ms);
  const Place place{position_, group.now_ms};
  Account account;
  account.device = request.new_device;
  account.name = !request.name.empty() ? request.name : code.name;
  account.token_hash = request.new_token_hash;
  account.enrolled_ms = group.now_ms;
  account.code_hash = request.code_hash;
  account.request_hash = request.request_hash;
  if (old != nullptr) {
    if (account.name.empty()) account.name = old->name;
    inherit(account, *old, place);
    Account& replaced = draft(group, old->device);
    replaced.successor = account.device;
    if (replaced.active()) stand(group, replaced, Standing::kDraining);
  } else {
    account.take_role(code.role, place.seq, place.ms);
    grant(account, code.scopes, place);
  }
  const std::uint64_t id = account.device;
  (*fresh)->state.app = request.app;
  touch(group, id, **fresh);
  group.must_sync = true;
  enrolled_by_[account.code_hash + account.request_hash] = id;
  AuditDetails details;
  details.list("scopes", account.branches).text("role", account.role());
  if (old != nullptr) details.text("replaces", format_device_id(old->device));
  audit(group, {audit_name(id), "device.enrolled", audit_name(id), details.json()});
  group.accounts[id] = std::make_shared<Account>(std::move(account));
  group.reply(store_, std::move(request.done), EnrollRequest::Reply{group.accounts[id]});
}

}  // namespace waystation

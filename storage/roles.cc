// What a role has to do with the one writer: which role a device has, and the digests of what
// roles see (docs/access.md). A part of the Applier.
#include <utility>

#include "storage/group.h"
#include "storage/keys.h"
#include "storage/views.h"
#include "sync/broken.h"
#include "sync/device_id.h"

namespace waystation {

// --- roles ------------------------------------------------------------------------------------

// Whose view is another one then starts afresh: what it may no longer see goes, what it may see by
// now comes.
void Applier::take(Group& group, RoleRequest& request) {
  const AccountPtr old = group.account(store_, request.device);
  if (old == nullptr) return request.done(Error{Code::kAuthUnknownDevice, ""});
  if (request.was && *request.was != old->role()) {
    return request.done(Error{Code::kDeviceChanged, "it has another role by now"});
  }
  if (old->role() != request.role) {
    const std::string device = "device " + format_device_id(request.device);
    audit(group, {request.by, "device.role", device,
                  AuditDetails().text("before", old->role()).text("role", request.role).json()});
    const Policy& policy = store_.policy();
    position_ = next_seq(position_, group.now_ms);
    Account& account = draft(group, request.device);
    account.changed = position_;
    const bool same_view = &policy.view_of(account.role()) == &policy.view_of(request.role) &&
                           (!account.reaches_system() ||
                            policy.role(account.role()).system == policy.role(request.role).system);
    if (!same_view && !broken(Broken::kResetForgotten)) account.reset = position_;
    account.take_role(request.role, position_, group.now_ms);
  }
  group.reply(store_, std::move(request.done),
              Result<AccountPtr>(group.account(store_, request.device)));
}

// --- views ------------------------------------------------------------------------------------

// Where the digests of views that are kept are not those of the policy in force, nobody keeps them
// up to date any more: they are to be made anew when one is adopted.
Status Applier::load_view_digests() {
  const std::vector<View>& views = store_.policy().views();
  std::string kept;
  const auto found = store_.kv().get(Column::kMeta, keys::kViews, kept);
  if (!found) return found.error();
  if (*found && kept != encode_views(views)) {
    Batch batch;
    batch.erase(Column::kMeta, std::string(keys::kViews));
    return store_.kv().write(batch, Durability::kSynced);
  }
  auto rows = store_.kv().iterate(Column::kViewDigests);
  for (rows->seek(""); rows->valid(); rows->next()) {
    const auto key = keys::parse_view_digest(rows->key());
    const auto row = decode_digest(rows->value());
    if (!key || !row) return Error{Code::kStoreCorrupt, "a damaged digest of a view"};
    Scope& scope = scopes_[std::string(key->scope)];
    scope.views.resize(views.size());
    for (const View& view : views) {
      if (view.name() == key->view_name) scope.views[view.index] = row->digest;
    }
  }
  return rows->status();
}

void Applier::move_views(Scope& scope, Entry& entry, std::vector<Digest> parts) {
  const std::size_t views = store_.policy().views().size();
  scope.views.resize(views);
  scope.moved.resize(views);
  entry.view_parts.resize(views);
  parts.resize(views);
  for (std::size_t i = 0; i < views; ++i) {
    if (entry.view_parts[i] == parts[i] || broken(Broken::kViewDigestNotMoved)) continue;
    scope.views[i].subtract(entry.view_parts[i]);
    scope.views[i].add(parts[i]);
    scope.moved[i] = true;
  }
  entry.view_parts = std::move(parts);
}

void Applier::put_digests(Group& group, const std::string& id, Scope& scope) {
  scope.dirty = false;
  group.batch.put(Column::kDigests, id, encode_digest(scope.row));
  for (std::size_t i = 0; i < scope.moved.size(); ++i) {
    if (!scope.moved[i]) continue;
    scope.moved[i] = false;
    const std::string key = keys::view_digest(id, store_.policy().views()[i].name());
    group.batch.put(Column::kViewDigests, key,
                    encode_digest(DigestRow{scope.row.newest, scope.views[i]}));
  }
}

}  // namespace waystation

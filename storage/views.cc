#include "storage/views.h"

#include <algorithm>
#include <optional>

#include "storage/keys.h"
#include "sync/broken.h"
#include "sync/digest.h"
#include "sync/record.h"
#include "sync/wire.h"

namespace waystation {
namespace {

constexpr std::size_t kBatchBytes = 4 * 1024 * 1024;

// Open conflicts of the fields that are seen: how many there are of others is not told either.
Result<std::size_t> conflicts_seen(const Sight& sight, const RecordHead& head,
                                   std::string_view bytes) {
  if (head.conflicts == 0) return std::size_t{0};
  const auto record = decode_record(bytes);
  if (!record) return record.error();
  std::size_t count = 0;
  for (const Field& field : record->fields) {
    if (sight.shows(field.name)) count += Record::open_conflicts(field);
  }
  return count;
}

RoleView role_view(const Policy& policy, std::string_view name) {
  const View& view = policy.view_of(name);
  return RoleView{std::string(name), view.whole() ? std::string() : view.name(),
                  policy.role(name).system};
}

class Adoption {
 public:
  Adoption(Store& store, const Policy& policy, std::int64_t now_ms)
      : store_(store), policy_(policy), now_ms_(now_ms) {}

  Result<PolicyReport> run() {
    if (auto told = tell_devices(); !told) return told.error();
    if (auto made = make_digests(); !made) return made.error();
    return report_;
  }

 private:
  // Devices whose role sees something else by now.
  Status tell_devices() {
    std::vector<RoleView> now;
    now.reserve(kRoles.size());
    for (const std::string_view name : kRoles) now.push_back(role_view(policy_, name));
    const std::string encoded = encode_role_views(now);
    std::string value;
    const auto found = store_.kv().get(Column::kMeta, keys::kPolicy, value);
    if (!found) return found.error();
    if (*found && value == encoded) return {};
    std::vector<RoleView> before;  // nothing yet: all saw everything
    if (*found) {
      auto decoded = decode_role_views(value);
      if (!decoded) return decoded.error();
      before = std::move(*decoded);
    }
    const auto position = store_.position();
    if (!position) return position.error();
    const Seq seq = next_seq(*position, now_ms_);
    Batch batch;
    batch.put(Column::kMeta, std::string(keys::kPolicy), encoded);
    std::vector<AccountPtr> changed;
    for (const AccountPtr& old : store_.accounts().all()) {
      RoleView saw{std::string(old->role()), {}, true};
      for (const RoleView& view : before) {
        if (view.role == saw.role) saw = view;
      }
      RoleView sees = role_view(policy_, old->role());
      if (!old->reaches_system()) sees.system = saw.system;
      if (saw == sees) continue;
      Account account = *old;
      account.reset = account.changed = seq;
      batch.put(Column::kDevices, keys::account(account.device), encode_account(account));
      changed.push_back(std::make_shared<const Account>(std::move(account)));
    }
    if (!changed.empty()) batch.put(Column::kMeta, std::string(keys::kPosition), encode_seq(seq));
    if (auto written = store_.kv().write(batch, Durability::kSynced); !written) return written;
    for (AccountPtr& account : changed) store_.accounts().put(std::move(account));
    report_.devices = changed.size();
    return {};
  }

  Status make_digests() {
    const std::string encoded = encode_views(policy_.views());
    std::string value;
    const auto found = store_.kv().get(Column::kMeta, keys::kViews, value);
    if (!found) return found.error();
    if (*found && value == encoded) return {};
    // Until they are right again they are not said to be.
    batch_.erase(Column::kMeta, std::string(keys::kViews));
    {
      auto rows = store_.kv().iterate(Column::kViewDigests);
      for (rows->seek(""); rows->valid(); rows->next()) {
        batch_.erase(Column::kViewDigests, std::string(rows->key()));
      }
      if (!rows->status()) return rows->status();
    }
    if (auto written = flush(Durability::kSynced); !written) return written;
    if (!policy_.views().empty()) {
      if (auto walked = walk(); !walked) return walked;
    }
    batch_.put(Column::kMeta, std::string(keys::kViews), encoded);
    return flush(Durability::kSynced);
  }

  Status walk() {
    std::string scope;
    sums_.assign(policy_.views().size(), Digest{});
    auto rows = store_.kv().iterate(Column::kRecords);
    for (rows->seek(""); rows->valid(); rows->next()) {
      const auto key = keys::parse_record(rows->key());
      const auto head = decode_record_head(rows->value());
      if (!key || !head) return Error{Code::kStoreCorrupt, "a damaged record"};
      if (key->scope != scope) {
        close_scope(scope);
        scope = std::string(key->scope);
        if (batch_.bytes() >= kBatchBytes) {
          if (auto written = flush(Durability::kBuffered); !written) return written;
        }
      }
      ++report_.records;
      if (head->visible.empty()) continue;
      std::string room;
      const auto opened = store_.plain(head->visible, room, Gone::kLeftOut);
      if (!opened) return opened.error();
      const Digest whole = digest_of_record(key->scope, key->coll, key->id, *opened);
      const auto parts =
          view_parts(policy_.views(), key->scope, key->coll, key->id, *opened, whole);
      for (std::size_t i = 0; i < parts.size(); ++i) sums_[i].add(parts[i]);
    }
    close_scope(scope);
    return rows->status();
  }

  void close_scope(const std::string& scope) {
    for (const View& view : policy_.views()) {
      Digest& sum = sums_[view.index];
      if (sum == Digest{}) continue;
      batch_.put(Column::kViewDigests, keys::view_digest(scope, view.name()),
                 encode_digest(DigestRow{0, sum}));
      sum = Digest{};
    }
  }

  Status flush(Durability durability) {
    if (batch_.empty()) return {};
    const Status written = store_.kv().write(batch_, durability);
    batch_ = Batch{};
    return written;
  }

  Store& store_;
  const Policy& policy_;
  std::int64_t now_ms_;
  Batch batch_;
  std::vector<Digest> sums_;
  PolicyReport report_;
};

}  // namespace

Result<bool> append_seen(std::string& out, const View& view, std::string_view scope,
                         std::string_view coll, std::string_view id, const RecordHead& head,
                         std::string_view bytes) {
  const Sight& sight = view.of(coll);
  if (!sight.seen) return false;
  if (sight.whole() || broken(Broken::kHiddenFieldSent)) {
    append_change(out, scope, coll, id, head.seq, head.visible, head.conflicts);
    return true;
  }
  const auto conflicts = conflicts_seen(sight, head, bytes);
  if (!conflicts) return conflicts.error();
  const std::string seen =
      head.visible.empty() ? std::string() : without(head.visible, sight.hidden);
  append_change(out, scope, coll, id, head.seq, seen, *conflicts);
  return true;
}

std::vector<Digest> view_parts(const std::vector<View>& views, std::string_view scope,
                               std::string_view coll, std::string_view id, std::string_view visible,
                               const Digest& whole) {
  std::vector<Digest> parts(views.size());
  for (std::size_t i = 0; i < views.size(); ++i) {
    const Sight& sight = views[i].of(coll);
    if (!sight.seen) continue;
    if (sight.whole()) {
      parts[i] = whole;
      continue;
    }
    // Views often hide the same of a collection: it is hashed once.
    std::size_t same = 0;
    while (same < i && !(views[same].of(coll) == sight)) ++same;
    parts[i] =
        same < i ? parts[same] : digest_of_record(scope, coll, id, without(visible, sight.hidden));
  }
  return parts;
}

Result<PolicyReport> adopt_policy(Store& store, std::shared_ptr<const Policy> policy,
                                  std::int64_t now_ms) {
  auto report = Adoption(store, *policy, now_ms).run();
  if (report) store.set_policy(std::move(policy));
  return report;
}

}  // namespace waystation

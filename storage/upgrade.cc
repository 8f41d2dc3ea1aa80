#include "storage/upgrade.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/codec.h"
#include "storage/keys.h"
#include "storage/replay.h"
#include "storage/sealing.h"
#include "sync/bytes.h"
#include "sync/device_id.h"

namespace waystation {
namespace {

constexpr std::size_t kRecordsPerBatch = 500;

std::string version_key(std::string_view coll) { return fmt::format("schema:{}", coll); }

class Upgrade {
 public:
  Upgrade(Store& store, const Schemas& schemas, std::int64_t now_ms,
          const std::function<void(std::span<unsigned char>)>& random)
      : store_(store), schemas_(schemas), now_ms_(now_ms), random_(random) {}

  Result<UpgradeReport> run() {
    auto position = store_.position();
    if (!position) return position.error();
    position_ = *position;
    empty_ = position_ == 0;
    for (const auto& [name, collection] : schemas_.collections()) {
      if (auto looked = look_at(collection); !looked) return looked.error();
    }
    if (sealing_) {
      const auto sealed = seal_logs(store_, schemas_, random_);
      if (!sealed) return sealed.error();
      report_.sealed = *sealed;
    }
    if (!concerned_.empty()) {
      if (auto walked = walk(); !walked) return walked.error();
    }
    for (const auto& [key, value] : versions_) batch_.put(Column::kMeta, key, value);
    if (sealing_)
      batch_.put(Column::kMeta, std::string(keys::kPurge), std::string(keys::kPurgeAll));
    if (auto written = flush(); !written) return written.error();
    return report_;
  }

 private:
  // Which records of a collection are made anew; the server looks at the others.
  struct Concern {
    bool all = false;
    std::vector<std::string> new_fields;  // those that hold one, from before it was known
  };

  static bool holds(std::string_view bytes, const std::vector<std::string>& names) {
    if (names.empty()) return false;
    const auto record = decode_record(bytes);
    return record.ok() && std::any_of(names.begin(), names.end(), [&](const std::string& name) {
             return record->field(name) != nullptr;
           });
  }

  // What is noted of a name; nothing where nothing is.
  Result<std::optional<std::uint64_t>> noted(std::string_view coll) {
    std::string value;
    const auto found = store_.kv().get(Column::kMeta, version_key(coll), value);
    if (!found) return found.error();
    if (!*found) return std::optional<std::uint64_t>();
    ByteReader reader(value);
    const std::uint64_t version = reader.varint();
    if (!reader.done()) return Error{Code::kStoreCorrupt, "a damaged schema version"};
    return std::optional(version);
  }

  void note(std::string_view coll, std::uint32_t version) {
    std::string value;
    put_varint(value, version);
    versions_[version_key(coll)] = std::move(value);
  }

  // Which collections' records have to be looked at, and whether they have to be made anew.
  Status look_at(const Collection& collection) {
    const auto found = noted(collection.name);
    if (!found) return found.error();
    const std::uint64_t version = found->value_or(1);
    if (version > collection.version) {
      return Error{Code::kSchemaInvalid,
                   fmt::format("the store holds {} in version {}, the schemas go to {}",
                               collection.name, version, collection.version)};
    }
    const auto former = look_behind(collection, found->has_value());
    if (!former) return former.error();
    const bool changed = !*found || version != collection.version;
    if (changed) note(collection.name, collection.version);
    const auto unsealed = has_to_be_sealed(store_, schemas_, collection.name);
    if (!unsealed) return unsealed.error();
    if (*unsealed) {
      versions_[sealed_note_key(collection.name)] =
          sealed_note(*schemas_.versions(collection.name));
    }
    if (empty_ || (version == collection.version && former->empty() && !*unsealed)) return {};
    sealing_ = sealing_ || *unsealed;
    ++report_.collections;
    const auto from = static_cast<std::uint32_t>(version);
    from_[collection.name] = from;
    Concern concern;
    concern.all = !former->empty() || *unsealed || schemas_.migrates(collection.name, from);
    concern.new_fields = schemas_.new_fields(collection.name, from);
    for (const std::string& name : *former) moves_[name] = collection.name;
    concerned_[collection.name] = std::move(concern);
    return {};
  }

  // The names that the collection had and that its records may not all have left. One that they
  // have left is noted with a version that it never had itself; where it is not, a server of before
  // that was noted has left records there, or has made them anew without their past.
  Result<std::vector<std::string>> look_behind(const Collection& collection, bool known) {
    std::vector<std::string> left;
    for (const std::string& former : schemas_.former_names(collection.name)) {
      const auto found = noted(former);
      if (!found) return found.error();
      std::uint64_t last = 0;
      for (const Collection& version : *schemas_.versions(former)) {
        if (version.name == former) last = version.version;
      }
      if (*found ? **found > last : known) continue;
      note(former, collection.version);
      from_[former] = static_cast<std::uint32_t>(found->value_or(1));
      left.push_back(former);
    }
    return left;
  }

  Status walk() {
    const auto snapshot = store_.kv().snapshot();
    auto rows = store_.kv().iterate(Column::kRecords, snapshot.get());
    for (rows->seek(""); rows->valid(); rows->next()) {
      const auto key = keys::parse_record(rows->key());
      if (!key) return Error{Code::kStoreCorrupt, "a damaged record key"};
      const std::string coll(key->coll);
      const auto move = moves_.find(coll);
      const auto at = concerned_.find(coll);
      if (move == moves_.end() && at == concerned_.end()) continue;
      Status done;
      if (move != moves_.end()) {
        done = move_on(*snapshot, *key, rows->value(), move->second);
      } else if (at->second.all || holds(rows->value(), at->second.new_fields)) {
        done = make_anew(*snapshot, *key, rows->value(), coll);
      } else {
        wake(keys::record(key->scope, key->coll, key->id));
      }
      if (!done) return done;
      if (++pending_ < kRecordsPerBatch) continue;
      if (auto written = flush(); !written) return written;
    }
    return rows->status();
  }

  // A record under a name that the collection had. Where it stands under a later one too it is made
  // anew there, once.
  Status move_on(const Snapshot& snapshot, const keys::RecordKey& key, std::string_view bytes,
                 const std::string& into) {
    const auto record = decode_record(bytes);
    if (!record) return record.error();
    if (has_left(*record)) return {};
    std::vector<std::string> later = schemas_.former_names(into);
    later.erase(later.begin(), std::find(later.begin(), later.end(), key.coll) + 1);
    later.push_back(into);
    bool stands = false;
    for (const std::string& name : later) {
      std::string ignored;
      const auto found = store_.kv().get(Column::kRecords, keys::record(key.scope, name, key.id),
                                         ignored, &snapshot);
      if (!found) return found.error();
      stands = stands || *found;
    }
    if (!stands) {
      if (auto made = make_anew(snapshot, key, bytes, into); !made) return made;
    }
    return take_away(snapshot, key, bytes);
  }

  // The server looks at it when it next has something to do, and arms what is to come.
  void wake(const std::string& record_key) {
    batch_.put(Column::kTimers, keys::timer(now_ms_, record_key), {});
  }

  // `stood` is what lies at `key`: in the shape of its version, and perhaps under a former name.
  Status make_anew(const Snapshot& snapshot, const keys::RecordKey& key, std::string_view stood,
                   const std::string& coll) {
    const Collection* collection = schemas_.find(coll);
    WS_CHECK(collection != nullptr);
    auto past = past_of(store_, snapshot, schemas_, key.scope, coll, key.id);
    if (!past) return past.error();
    if (past->empty()) return {};
    const std::string record_key = keys::record(key.scope, coll, key.id);
    if (auto erased = erase_conflicts(snapshot, record_key); !erased) return erased;
    std::map<std::string, ConflictRow> conflicts;
    const auto key_of = [&](const auto& named) {
      return keys::conflict(key.scope, coll, key.id, named.field, named.dot, named.part);
    };
    Record record =
        replay(*past, *collection, kStillShown, [&](const PastOp&, const Effects& effects) {
          for (const Conflict& raised : effects.raised) {
            conflicts[key_of(raised)] =
                ConflictRow{raised.kind, raised.stamp, raised.value, raised.review};
          }
          for (const Conflict& gone : effects.withdrawn) conflicts.erase(key_of(gone));
          for (const Reviewed& reviewed : effects.reviewed) {
            const auto at = conflicts.find(key_of(reviewed));
            if (at != conflicts.end() && at->second.review.order() < reviewed.review.order()) {
              at->second.review = reviewed.review;
            }
          }
        });
    if (auto kept = keep_expiries(key, stood, record); !kept) return kept;
    for (const auto& [conflict_key, row] : conflicts) {
      batch_.put(Column::kConflicts, conflict_key, encode_conflict(row));
    }
    std::string bytes;
    const auto found = store_.kv().get(Column::kRecords, record_key, bytes, &snapshot);
    if (!found) return found.error();
    ++report_.records;
    record.due_ms = now_ms_;
    wake(record_key);
    return put(key.scope, coll, key.id, record, *found ? bytes : std::string());
  }

  // A device was told until when it may spend its lease: that stays, however long leases are now.
  Status keep_expiries(const keys::RecordKey& key, std::string_view stood, Record& made) const {
    const auto before = decode_record(stood);
    if (!before) return before.error();
    for (const Field& field : before->fields) {
      if (field.type != MergeType::kQuota) continue;
      Op named;  // the way of the field's name through the versions
      named.coll = std::string(key.coll);
      named.schema = from_.find(key.coll)->second;
      named.base = 1;
      named.edits.push_back(Edit{EditKind::kGrant, field.name, {}});
      schemas_.bring_forward(named);
      for (Field& now : made.fields) {
        if (now.type != MergeType::kQuota || now.name != named.edits[0].field) continue;
        for (Lease& lease : now.quota.leases) {
          const Lease* told = field.quota.lease(lease.device);
          if (told != nullptr && told->left == lease.left) lease.expires_ms = told->expires_ms;
        }
      }
    }
    return {};
  }

  Status erase_conflicts(const Snapshot& snapshot, const std::string& record_key) {
    const std::string prefix = record_key + '\0';
    auto rows = store_.kv().iterate(Column::kConflicts, &snapshot, keys::prefix_end(prefix));
    for (rows->seek(prefix); rows->valid(); rows->next()) {
      batch_.erase(Column::kConflicts, std::string(rows->key()));
    }
    return rows->status();
  }

  // Where a record was before its collection moved it is deleted, for all to hear, by an op that
  // nobody wrote. What waited for review waits where it is now.
  Status take_away(const Snapshot& snapshot, const keys::RecordKey& key, std::string_view before) {
    const std::string record_key = keys::record(key.scope, key.coll, key.id);
    if (auto erased = erase_conflicts(snapshot, record_key); !erased) return erased;
    Record gone;
    gone.deletes.push_back(DeviceDelete{kServerDevice, 0, position_ + 1});
    gone.deleted_ = true;
    return put(key.scope, std::string(key.coll), key.id, gone, std::string(before));
  }

  static bool has_left(const Record& record) {
    return std::any_of(record.deletes.begin(), record.deletes.end(),
                       [](const DeviceDelete& d) { return d.device == kServerDevice && d.n == 0; });
  }

  // Writes a record under the next seq, in place of what was there before.
  Status put(std::string_view scope, const std::string& coll, std::string_view id, Record& record,
             const std::string& before) {
    const std::string key = keys::record(scope, coll, id);
    auto row = digest_row(std::string(scope));
    if (!row) return row.error();
    if (!before.empty()) {
      const auto old = decode_record(before);
      if (!old) return old.error();
      const auto part = digest_part(store_, scope, coll, id, old->visible());
      if (!part) return part.error();
      (*row)->digest.subtract(*part);
      if (!old->buried) batch_.erase_once(Column::kChanges, keys::change(scope, old->seq));
      if (old->due_ms != 0 && old->due_ms != record.due_ms) {
        batch_.erase(Column::kTimers, keys::timer(old->due_ms, key));
      }
      if (!old->match.empty()) {
        batch_.erase(Column::kMatches, keys::match(scope, coll, old->match, id));
      }
    }
    position_ = next_seq(position_, now_ms_);
    record.seq = position_;
    const std::string shown = record.visible();
    const auto part = digest_part(store_, scope, coll, id, shown);
    if (!part) return part.error();
    (*row)->digest.add(*part);
    (*row)->newest = position_;
    std::string pointer = coll;
    pointer += '\0';
    pointer += id;
    batch_.put(Column::kChanges, keys::change(scope, position_), std::move(pointer));
    batch_.put(Column::kRecords, key, encode_record(record, shown));
    return {};
  }

  Result<DigestRow*> digest_row(const std::string& scope) {
    const auto at = digests_.find(scope);
    if (at != digests_.end()) return &at->second;
    std::string value;
    const auto found = store_.kv().get(Column::kDigests, scope, value);
    if (!found) return found.error();
    auto row = *found ? decode_digest(value) : Result<DigestRow>(DigestRow{});
    if (!row) return row.error();
    return &digests_.emplace(scope, *row).first->second;
  }

  Status flush() {
    pending_ = 0;
    std::vector<std::pair<std::string, Seq>> newest;
    for (const auto& [scope, row] : digests_) {
      batch_.put(Column::kDigests, scope, encode_digest(row));
      newest.emplace_back(scope, row.newest);
    }
    if (batch_.empty()) return {};
    // Those of views, and what is counted, are made anew when they are adopted.
    if (!digests_.empty()) {
      batch_.erase(Column::kMeta, std::string(keys::kViews));
      batch_.erase(Column::kMeta, std::string(keys::kProjections));
    }
    batch_.put(Column::kMeta, std::string(keys::kPosition), encode_seq(position_));
    store_.scopes().publish(newest);
    const Status written = store_.kv().write(batch_, Durability::kSynced);
    batch_ = Batch{};
    return written;
  }

  Store& store_;
  const Schemas& schemas_;
  std::int64_t now_ms_;
  const std::function<void(std::span<unsigned char>)>& random_;
  Seq position_ = 0;
  bool empty_ = false;
  bool sealing_ = false;
  std::map<std::string, Concern> concerned_;  // by collection
  std::map<std::string, std::string> moves_;  // collection → the one that it has become
  std::map<std::string, std::uint32_t, std::less<>> from_;  // of both: the version it was in
  std::map<std::string, std::string> versions_;
  std::map<std::string, DigestRow> digests_;
  Batch batch_;
  std::size_t pending_ = 0;
  UpgradeReport report_;
};

}  // namespace

Result<UpgradeReport> upgrade(Store& store, const Schemas& schemas, std::int64_t now_ms,
                              const std::function<void(std::span<unsigned char>)>& random) {
  return Upgrade(store, schemas, now_ms, random).run();
}

}  // namespace waystation

#include "storage/verify.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/codec.h"
#include "storage/keys.h"
#include "storage/projections.h"
#include "storage/rules.h"
#include "storage/views.h"
#include "sync/device_id.h"
#include "sync/wire.h"

namespace waystation {
namespace {

constexpr std::size_t kFaultsShown = 20;
constexpr std::uint64_t kProgressEvery = 4096;

class Verifier {
 public:
  Verifier(const Store& store, const std::function<void(std::uint64_t)>& progress,
           const std::vector<AuditHead>& known_heads, const BlobCheck& blobs,
           const Projections* projections)
      : store_(store),
        progress_(progress),
        known_heads_(known_heads),
        blobs_(blobs),
        projections_(projections),
        snapshot_(store.kv().snapshot()) {}

  Result<VerifyReport> run() {
    const auto position = store_.position(snapshot_.get());
    if (!position) return position.error();
    position_ = *position;
    if (auto read = read_views(); !read) return read.error();
    for (const auto part :
         {&Verifier::records, &Verifier::changes, &Verifier::conflicts, &Verifier::devices,
          &Verifier::quarantine, &Verifier::persons, &Verifier::view_digests, &Verifier::role_views,
          &Verifier::audit, &Verifier::blob_names, &Verifier::projections}) {
      if (auto done = (this->*part)(); !done) return done.error();
    }
    return report_;
  }

 private:
  template <typename... Args>
  void fault(fmt::format_string<Args...> text, Args&&... args) {
    ++report_.faults;
    if (report_.first_faults.size() < kFaultsShown) {
      report_.first_faults.push_back(fmt::format(text, std::forward<Args>(args)...));
    }
  }

  void count() {
    if (++keys_ % kProgressEvery == 0) progress_(keys_);
  }

  template <typename Visit>
  Status each(Column column, Visit visit) {
    auto rows = store_.kv().iterate(column, snapshot_.get());
    for (rows->seek(""); rows->valid(); rows->next()) {
      count();
      if (auto visited = visit(rows->key(), rows->value()); !visited) return visited;
    }
    return rows->status();
  }

  Result<bool> get(Column column, std::string_view key, std::string& value) {
    return store_.kv().get(column, key, value, snapshot_.get());
  }

  // By no key: that of who was erased gives nothing, and no ciphertext.
  [[nodiscard]] bool still_sealed(std::string_view opened) const {
    return store_.keyring() != nullptr && find_sealed(opened, 0);
  }

  // Without the master key nobody can tell.
  Status persons() {
    if (store_.keyring() == nullptr) return {};
    return each(Column::kPersons, [&](std::string_view key, std::string_view) {
      PersonKey ignored{};
      const auto state = store_.keyring()->find_row(key, ignored);
      if (state) return Status{};
      if (state.error().code != Code::kStoreCorrupt) return Status{state.error()};
      fault("the key of the person with the mark {} cannot be read", mark_of_row(key));
      return Status{};
    });
  }

  // Closes the books of one scope: its digest as stored against the sum over its records.
  Status close_scope(const std::string& scope) {
    if (scope.empty()) return {};
    ++report_.scopes;
    std::string value;
    const auto found = get(Column::kDigests, scope, value);
    if (!found) return found.error();
    const auto row = *found ? decode_digest(value) : Result<DigestRow>(DigestRow{});
    if (!*found || !row) {
      fault("scope {}: no readable digest", scope);
      return {};
    }
    if (!(row->digest == sum_)) fault("scope {}: the digest differs from its records", scope);
    for (const View& view : views_) {
      if (auto closed = close_view(scope, view); !closed) return closed;
    }
    if (row->newest != newest_) {
      fault("scope {}: newest seq {} but the records go to {}", scope, row->newest, newest_);
    }
    return {};
  }

  // The same for what one view shows of it; no row: it shows nothing.
  Status close_view(const std::string& scope, const View& view) {
    std::string value;
    const auto found = get(Column::kViewDigests, keys::view_digest(scope, view.name()), value);
    if (!found) return found.error();
    const auto row = *found ? decode_digest(value) : Result<DigestRow>(DigestRow{});
    if (!row || !(row->digest == view_sums_[view.index])) {
      fault("scope {}: the digest of view {} differs from its records", scope, view.name());
    }
    return {};
  }

  // Where the digests of views wait to be made anew there are none to check.
  Status read_views() {
    std::string value;
    const auto found = get(Column::kMeta, keys::kViews, value);
    if (!found) return found.error();
    if (!*found) return {};
    auto views = decode_views(value);
    if (!views) {
      fault("the list of views cannot be decoded");
      return {};
    }
    views_ = std::move(*views);
    view_sums_.resize(views_.size());
    views_kept_ = true;
    return {};
  }

  // What is kept beside that is of nobody: of views that no role has, of scopes that are not there.
  Status view_digests() {
    if (!views_kept_) return {};
    return each(Column::kViewDigests, [&](std::string_view key, std::string_view) {
      const auto parts = keys::parse_view_digest(key);
      if (!parts) {
        fault("the key of a view's digest cannot be decoded");
        return Status{};
      }
      const bool known = std::any_of(views_.begin(), views_.end(), [&](const View& view) {
        return view.name() == parts->view_name;
      });
      if (!known)
        fault("scope {}: a digest of the unknown view {}", parts->scope, parts->view_name);
      std::string ignored;
      const auto scope = get(Column::kDigests, parts->scope, ignored);
      if (!scope) return Status{scope.error()};
      if (!*scope) fault("scope {}: a digest of a view, and no scope", parts->scope);
      return Status{};
    });
  }

  // What each role saw last: who sees something else by now starts afresh.
  Status role_views() {
    std::string value;
    const auto found = get(Column::kMeta, keys::kPolicy, value);
    if (!found) return found.error();
    if (*found && !decode_role_views(value)) fault("what roles saw cannot be decoded");
    return {};
  }

  void account(std::uint64_t device, std::string_view value) {
    const auto account = decode_account(value);
    if (!account)
      return fault("device {}: the account cannot be decoded", format_device_id(device));
    const auto held = std::count_if(account->roles.begin(), account->roles.end(),
                                    [](const RoleTerm& term) { return term.left == 0; });
    if (held != 1) fault("device {}: it has {} roles, not one", format_device_id(device), held);
  }

  Status record(const keys::RecordKey& key, std::string_view value) {
    const auto record = decode_record(value);
    const auto head = decode_record_head(value);
    const auto where = fmt::format("{}/{}/{}", key.scope, key.coll, key.id);
    if (!record || !head) {
      fault("record {}: cannot be decoded", where);
      return {};
    }
    ++(head->visible.empty() ? report_.tombstones : report_.records);
    if (head->buried) ++buried_;
    if (record->visible() != head->visible) fault("record {}: shown and kept state differ", where);
    if (head->seq > position_) fault("record {}: seq {} lies above the position", where, head->seq);
    newest_ = std::max(newest_, head->seq);
    if (!head->visible.empty()) {
      std::string room;
      const auto opened = store_.plain(head->visible, room, Gone::kLeftOut);
      if (!opened) return opened.error();
      if (still_sealed(*opened)) fault("record {}: a personal value does not open", where);
      const Digest whole = digest_of_record(key.scope, key.coll, key.id, *opened);
      sum_.add(whole);
      const auto parts = view_parts(views_, key.scope, key.coll, key.id, *opened, whole);
      for (std::size_t i = 0; i < parts.size(); ++i) view_sums_[i].add(parts[i]);
    }
    std::string pointer;
    const auto found = get(Column::kChanges, keys::change(key.scope, head->seq), pointer);
    if (!found) return found.error();
    const std::string expected = fmt::format("{}{}{}", key.coll, '\0', key.id);
    if (head->buried ? *found : !*found || pointer != expected) {
      fault("record {}: {} change entry at its seq", where, head->buried ? "a" : "no");
    }
    if (auto checked = photo(key, *record, where); !checked) return checked;
    for (const Field& field : record->fields) {
      for (const Write& lost : field.lost) {
        std::string ignored;
        const auto row = get(
            Column::kConflicts,
            keys::conflict(key.scope, key.coll, key.id, field.name, lost.dot, lost.part), ignored);
        if (!row) return row.error();
        if (!*row) fault("record {}: a lost value of {} has no conflict", where, field.name);
      }
    }
    return {};
  }

  Status photo(const keys::RecordKey& key, const Record& record, const std::string& where) {
    const std::string blob = named_blob(key.coll, record);
    if (blob.empty()) return {};
    ++report_.photos;
    std::string ignored;
    const auto listed =
        get(Column::kBlobs, keys::blob(blob, keys::record(key.scope, key.coll, key.id)), ignored);
    if (!listed) return listed.error();
    if (!*listed) fault("record {}: its blob is not listed under it", where);
    if (blobs_.blobs == nullptr || !record.shown_text(kPresentField)) return {};
    if (!blobs_.blobs->has(blob)) {
      fault("record {}: blob {} is said to be present and is not there", where, blob);
      return {};
    }
    if (!blobs_.hashes) return {};
    const auto whole = blobs_.blobs->whole(blob);
    if (!whole || !*whole) fault("record {}: blob {} is damaged", where, blob);
    return {};
  }

  Status blob_names() {
    return each(Column::kBlobs, [&](std::string_view key, std::string_view) {
      const auto parts = keys::parse_blob(key);
      std::string value;
      const auto found = parts ? get(Column::kRecords, parts->record_key, value) : false;
      if (!found) return Status{found.error()};
      const auto record = *found ? decode_record(value) : Record{};
      const auto named = parts ? keys::parse_record(parts->record_key) : std::nullopt;
      if (!named || !record || named_blob(named->coll, *record) != parts->hash) {
        fault("a blob is listed under a record that does not name it");
      }
      return Status{};
    });
  }

  Status records() {
    std::string scope;
    const Status walked = each(Column::kRecords, [&](std::string_view key, std::string_view value) {
      const auto parts = keys::parse_record(key);
      if (!parts) {
        fault("a record key cannot be decoded");
        return Status{};
      }
      if (parts->scope != scope) {
        if (auto closed = close_scope(scope); !closed) return closed;
        scope = std::string(parts->scope);
        sum_ = Digest{};
        view_sums_.assign(views_.size(), Digest{});
        newest_ = 0;
      }
      return record(*parts, value);
    });
    if (!walked) return walked;
    return close_scope(scope);
  }

  Status changes() {
    const Status walked = each(Column::kChanges, [&](std::string_view key, std::string_view value) {
      ++report_.changes;
      const auto parts = keys::parse_change(key);
      const std::size_t split = value.find('\0');
      if (!parts || split == std::string_view::npos) {
        fault("a change entry cannot be decoded");
        return Status{};
      }
      std::string bytes;
      const auto found =
          get(Column::kRecords,
              keys::record(parts->scope, value.substr(0, split), value.substr(split + 1)), bytes);
      if (!found) return Status{found.error()};
      const auto head = *found ? decode_record_head(bytes) : Result<RecordHead>(RecordHead{});
      if (!*found || !head || head->seq != parts->seq) {
        fault("scope {}: the change entry {} points astray", parts->scope, parts->seq);
      }
      return Status{};
    });
    if (report_.changes != report_.records + report_.tombstones - buried_) {
      fault("{} change entries for {} records", report_.changes,
            report_.records + report_.tombstones);
    }
    return walked;
  }

  Status conflicts() {
    return each(Column::kConflicts, [&](std::string_view key, std::string_view value) {
      ++report_.conflicts;
      const auto parts = keys::parse_conflict(key);
      if (!parts || !decode_conflict(value)) {
        fault("a conflict cannot be decoded");
        return Status{};
      }
      std::string ignored;
      const auto found =
          get(Column::kRecords,
              keys::record(parts->record.scope, parts->record.coll, parts->record.id), ignored);
      if (!found) return Status{found.error()};
      if (!*found) fault("a conflict of {} has no record", parts->record.id);
      return Status{};
    });
  }

  Status device_log(std::uint64_t device, const DeviceState& state) {
    const std::string prefix = keys::log_chunk(device, 0).substr(0, 8);
    auto rows = store_.kv().iterate(Column::kDeviceLog, snapshot_.get(), keys::prefix_end(prefix));
    std::uint64_t next = 1;
    std::uint64_t refused = 0;
    Stamp last = 0;
    for (rows->seek(prefix); rows->valid(); rows->next()) {
      count();
      const auto key = keys::parse_log_chunk(rows->key());
      const auto chunk = decode_log_chunk(rows->value());
      if (!key || !chunk || chunk->first_n != next ||
          key->last_n != chunk->first_n + chunk->entries.size() - 1) {
        fault("device {}: the log breaks at op {}", format_device_id(device), next);
        return {};
      }
      for (const LogEntry& entry : chunk->entries) {
        ++report_.ops;
        if (entry.stamp == 0) {
          ++refused;
          std::string ignored;
          const auto kept = get(Column::kQuarantine, keys::quarantine(device, next, 0), ignored);
          if (!kept) return kept.error();
          if (!*kept)
            fault("device {}: refused op {} is not in the quarantine", format_device_id(device),
                  next);
        } else {
          if (entry.stamp <= last)
            fault("device {}: the stamp of op {} goes back", format_device_id(device), next);
          last = entry.stamp;
        }
        std::string room;
        const auto opened = store_.plain(entry.op, room);
        if (!opened) return opened.error();
        if (still_sealed(*opened)) {
          fault("device {}: a personal value of op {} does not open", format_device_id(device),
                next);
        }
        const std::string opening = fmt::format("{{\"n\":{},", next);
        if (entry.verdict.compare(0, opening.size(), opening) != 0) {
          fault("device {}: op {} has a foreign verdict", format_device_id(device), next);
        }
        ++next;
      }
    }
    if (next - 1 != state.applied) {
      fault("device {}: {} ops in the log but {} applied", format_device_id(device), next - 1,
            state.applied);
    }
    if (refused != state.refused) {
      fault("device {}: {} refused ops in the log but {} counted", format_device_id(device),
            refused, state.refused);
    }
    report_.refused += refused;
    return rows->status();
  }

  Status devices() {
    return each(Column::kDevices, [&](std::string_view key, std::string_view value) {
      const auto device = keys::device_of(key);
      if (!device) {
        if (!decode_code(value)) fault("an enrolment code cannot be decoded");
        return Status{};
      }
      if (key.substr(0, 1) == keys::kAccountPrefix) {
        ++report_.devices;
        account(*device, value);
        return Status{};
      }
      const auto state = decode_device_state(value);
      if (!state) {
        fault("device {}: the state cannot be decoded", format_device_id(*device));
        return Status{};
      }
      std::string ignored;
      const auto known = get(Column::kDevices, keys::account(*device), ignored);
      if (!known) return Status{known.error()};
      if (!*known && *device != kServerDevice)
        fault("device {}: a state without an account", format_device_id(*device));
      return device_log(*device, *state);
    });
  }

  Status quarantine() {
    return each(Column::kQuarantine, [&](std::string_view key, std::string_view value) {
      ++report_.quarantined;
      if (!keys::parse_quarantine(key) || !decode_quarantine(value)) {
        fault("a quarantine entry cannot be decoded");
      }
      return Status{};
    });
  }

  Status audit() {
    const auto checked = check_audit(store_.kv(), snapshot_.get(), known_heads_);
    if (!checked) return checked.error();
    report_.audited = checked->entries;
    for (const std::string& text : checked->faults) fault("{}", text);
    return {};
  }

  Status projections() {
    if (projections_ == nullptr) return {};
    const auto stand = projections_stand(store_.kv(), *projections_, snapshot_.get());
    if (!stand) return stand.error();
    if (!*stand) return {};
    const auto tell = [&](const std::string& text) { fault("{}", text); };
    const auto checked =
        check_projections(store_, *snapshot_, *projections_, tell, [&] { count(); });
    if (!checked) return checked.error();
    report_.projected = *checked;
    report_.projections_checked = true;
    return {};
  }

  const Store& store_;
  const std::function<void(std::uint64_t)>& progress_;
  const std::vector<AuditHead>& known_heads_;
  const BlobCheck blobs_;
  const Projections* projections_;
  std::unique_ptr<Snapshot> snapshot_;
  VerifyReport report_;
  std::uint64_t keys_ = 0;
  std::uint64_t buried_ = 0;  // tombstones that are no longer sent
  Seq position_ = 0;
  Digest sum_;
  bool views_kept_ = false;
  std::vector<View> views_;
  std::vector<Digest> view_sums_;  // by view
  Seq newest_ = 0;
};

}  // namespace

Result<VerifyReport> verify(const Store& store, const std::function<void(std::uint64_t)>& progress,
                            const std::vector<AuditHead>& known_heads, const BlobCheck& blobs,
                            const Projections* projections) {
  return Verifier(store, progress, known_heads, blobs, projections).run();
}

}  // namespace waystation

#include "storage/remains.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <string_view>

#include "storage/codec.h"
#include "storage/keys.h"
#include "storage/lists.h"
#include "sync/personal.h"

namespace waystation {
namespace {

// A shorter text says nothing about one person: "ok", a phone's last four digits.
constexpr std::size_t kTellingBytes = 5;
constexpr std::size_t kTexts = 64;

using EachRow = std::function<Status(std::string_view key, std::string_view value)>;

Status each_row(const Store& store, const Snapshot& snapshot, Column column, const EachRow& each) {
  auto rows = store.kv().iterate(column, &snapshot);
  for (rows->seek(""); rows->valid(); rows->next()) {
    if (auto done = each(rows->key(), rows->value()); !done) return done;
  }
  return rows->status();
}

class Search {
 public:
  Search(const Store& store, const Schemas& schemas, const std::string& person)
      : store_(store), schemas_(schemas), person_(person), snapshot_(store.kv().snapshot()) {}

  Result<PersonTraces> run() {
    using Look = Status (Search::*)(std::string_view, std::string_view);
    constexpr std::array<std::pair<Column, Look>, 5> kLooks{{
        {Column::kRecords, &Search::gather},
        {Column::kRecords, &Search::look_at_record},
        {Column::kDeviceLog, &Search::look_at_chunk},
        {Column::kConflicts, &Search::look_at_conflict},
        {Column::kQuarantine, &Search::look_at_refused},
    }};
    for (const auto& [column, look] : kLooks) {
      const auto each = [this, look = look](std::string_view key, std::string_view value) {
        return (this->*look)(key, value);
      };
      if (auto done = each_row(store_, *snapshot_, column, each); !done) return done.error();
    }
    return std::move(traces_);
  }

 private:
  [[nodiscard]] bool about(const keys::RecordKey& key) const {
    const Collection* collection = schemas_.find(key.coll);
    return collection != nullptr && person_of(*collection, key.id) == person_;
  }

  [[nodiscard]] bool redirects(std::string_view coll) const {
    const Collection* collection = schemas_.find(coll);
    return collection != nullptr && collection->person == "id" &&
           std::any_of(collection->fields.begin(), collection->fields.end(),
                       [](const FieldSpec& spec) { return spec.redirect; });
  }

  [[nodiscard]] bool leads_to(const Record& record, std::string_view coll) const {
    for (const FieldSpec& spec : schemas_.find(coll)->fields) {
      if (spec.redirect && record.shown_text(spec.name) == person_) return true;
    }
    return false;
  }

  // The texts that tell of the person: what their records show.
  Status gather(std::string_view row, std::string_view value) {
    const auto key = keys::parse_record(row);
    if (!key) return Error{Code::kStoreCorrupt, "a damaged record key"};
    const bool theirs = about(*key);
    if (!theirs && !redirects(key->coll)) return {};
    const auto record = decode_record(value);
    if (!record) return record.error();
    if (!record->exists() || record->deleted()) return {};
    if (!theirs) {
      if (leads_to(*record, key->coll)) traces_.also.emplace_back(key->id);
      return {};
    }
    ++traces_.records[std::string(key->coll)];
    for (const Field& field : record->fields) {
      if (texts_.size() >= kTexts) return {};
      if (!personal_in_any(*schemas_.versions(key->coll), field.name)) continue;
      std::string text = record->shown(field.name);
      if (auto opened = store_.make_plain(text); !opened) return opened;
      if (text.size() < kTellingBytes + 2 || text.front() != '"') continue;
      texts_.insert(text.substr(1, text.size() - 2));
    }
    return {};
  }

  [[nodiscard]] bool mentions(std::string_view text) const {
    return std::any_of(texts_.begin(), texts_.end(), [&](const std::string& one) {
      return text.find(one) != std::string_view::npos;
    });
  }

  [[nodiscard]] bool holds_sealed(std::string_view json) const {
    for (auto sealed = find_sealed(json, 0); sealed; sealed = find_sealed(json, sealed->end)) {
      if (sealed->person == person_) return true;
    }
    return false;
  }

  Status look_at_record(std::string_view row, std::string_view value) {
    const auto key = keys::parse_record(row);
    const auto head = decode_record_head(value);
    if (!key || !head) return Error{Code::kStoreCorrupt, "a damaged record"};
    // As others are shown it: also under the keys of other persons.
    std::string room;
    const auto plain = without_theirs(head->visible, room);
    if (!plain) return plain.error();
    if (!mentions(*plain)) return {};
    ++traces_.mentioned_records;
    if (traces_.mentions.size() < PersonTraces::kPlaces) {
      traces_.mentions.push_back(
          {std::string(key->scope), std::string(key->coll), std::string(key->id)});
    }
    return {};
  }

  // With what is sealed under the keys of others opened.
  Result<std::string_view> without_theirs(std::string_view json, std::string& room) const {
    if (!find_sealed(json, 0)) return json;
    Status failed;
    const auto find = [&](std::string_view person, PersonKey& key) {
      if (person == person_) return KeyState::kErased;
      const auto state = store_.keyring()->find(person, key);
      if (state) return *state;
      failed = state.error();
      return KeyState::kNone;
    };
    room = unseal_all(json, find);
    if (!failed) return failed.error();
    return std::string_view(room);
  }

  Status look_at_chunk(std::string_view, std::string_view value) {
    const auto chunk = decode_log_chunk(value);
    if (!chunk) return chunk.error();
    for (const LogEntry& entry : chunk->entries) {
      traces_.history_ops += holds_sealed(entry.op) ? 1 : 0;
      traces_.mentioned_ops += mentions(entry.op) ? 1 : 0;
    }
    return {};
  }

  Status look_at_conflict(std::string_view, std::string_view value) {
    const auto row = decode_conflict(value);
    if (!row) return row.error();
    traces_.conflicts += holds_sealed(row->value) ? 1 : 0;
    traces_.mentioned_conflicts += mentions(row->value) ? 1 : 0;
    return {};
  }

  Status look_at_refused(std::string_view, std::string_view value) {
    const auto row = decode_quarantine(value);
    if (!row) return row.error();
    traces_.refused += holds_sealed(row->op) ? 1 : 0;
    traces_.mentioned_refused += mentions(row->op) || mentions(row->detail) ? 1 : 0;
    return {};
  }

  const Store& store_;
  const Schemas& schemas_;
  const std::string& person_;
  std::unique_ptr<Snapshot> snapshot_;
  std::set<std::string> texts_;  // inside of JSON strings
  PersonTraces traces_;
};

}  // namespace

Result<PersonTraces> traces_of(const Store& store, const Schemas& schemas,
                               const std::string& person) {
  return Search(store, schemas, person).run();
}

Result<std::map<std::string, std::vector<std::string>>> persons_of_rows(
    const Store& store, const Schemas& schemas, const std::vector<std::string>& rows) {
  std::map<std::string, std::vector<std::string>> found;
  const std::set<std::string> wanted(rows.begin(), rows.end());
  std::set<std::string> seen;
  for (const auto& [name, collection] : schemas.collections()) {
    if (collection.person.empty()) continue;
    const Status walked =
        for_each_record_key(store, name, [&, &of = collection](const keys::RecordKey& key) {
          const std::string person(person_of(of, key.id));
          const std::string row = person_row(person);
          if (wanted.count(row) != 0 && seen.insert(person).second) found[row].push_back(person);
        });
    if (!walked) return walked.error();
  }
  return found;
}

Result<std::uint64_t> devices_behind(const Store& store, const std::vector<std::string>& scopes,
                                     Seq seq) {
  std::uint64_t behind = 0;
  const OfficeTablesPtr office = store.office().get();
  for (const AccountPtr& account : store.accounts().all()) {
    if (office->is_desk(account->device)) continue;  // nothing lies there
    const bool sees = std::any_of(scopes.begin(), scopes.end(),
                                  [&](const std::string& scope) { return account->holds(scope); });
    if (!sees || account->closed()) continue;
    std::string value;
    const auto found = store.kv().get(Column::kDevices, keys::device_state(account->device), value);
    if (!found) return found.error();
    const auto state = *found ? decode_device_state(value) : Result<DeviceState>(DeviceState{});
    if (!state) return state.error();
    behind += state->pulled < seq ? 1 : 0;
  }
  return behind;
}

}  // namespace waystation

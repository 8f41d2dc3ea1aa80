// What the applier does about persons: seals what is personal in an op before anything of it is
// stored, and erases. docs/personal-data.md.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "storage/group.h"
#include "storage/keys.h"
#include "storage/lists.h"
#include "storage/sealing.h"
#include "sync/canonical.h"
#include "sync/personal.h"

namespace waystation {
namespace {

// No record id: the key by which names are made comparable without being readable.
constexpr std::string_view kMatchKey = "!match";

}  // namespace

Result<KeyState> Applier::person_key(Group& group, std::string_view person, PersonKey& key) const {
  const std::string row = person_row(person);
  const auto at = group.persons.find(row);
  if (at != group.persons.end()) {
    if (!at->second) return KeyState::kErased;
    key = *at->second;
    return KeyState::kKnown;
  }
  return store_.keyring()->find_row(row, key);
}

Result<KeyState> Applier::make_person_key(Group& group, std::string_view person, PersonKey& key) {
  const auto state = person_key(group, person, key);
  if (!state || *state != KeyState::kNone) return state;
  std::array<unsigned char, Keyring::kNonceBytes> nonce{};
  settings_.random(key);
  settings_.random(nonce);
  const std::string row = person_row(person);
  group.persons.emplace(row, key);
  group.batch.put(Column::kPersons, row, store_.keyring()->wrap(row, key, nonce));
  return KeyState::kKnown;
}

Result<Applier::Subject> Applier::seal_personal(Group& group, Op& op) {
  Subject subject;
  if (store_.keyring() == nullptr) return subject;
  // It is kept, and opened for who may read it: by then it must be what any text is.
  if (looks_sealed(op.canonical)) {
    op.canonical = without_sealed(std::move(op.canonical));
    op.refusal = Refusal{Code::kOpInvalid, "a string begins as only sealed values do"};
    op.edits.clear();
    op.settlements.clear();
    op.replays.reset();
  }
  const std::vector<Collection>* versions = versions_of(schemas_, op);
  if (versions == nullptr) return subject;
  const Collection& collection = versions->back();
  const std::string person = key_holder(collection, op.id);
  if (person.empty()) return subject;
  PersonKey key{};
  auto known = person_key(group, person, key);
  if (!known) return known.error();
  if (*known == KeyState::kErased) {
    subject.erased = true;
    bool any = false;
    const auto nothing = [&any](std::string_view) {
      any = true;
      return std::string("null");
    };
    op.canonical = seal_op_text(*versions, op, nothing);
    seal_edits(collection, op, nothing);
    // Deleting the record, or ending a review of it, brings nobody back.
    subject.not_taken = any || (person == op.id && !op.edits.empty());
    return subject;
  }
  Status failed;
  const auto seal_value = [&](std::string_view value) {
    if (*known == KeyState::kNone) {
      known = make_person_key(group, person, key);
      if (!known) {
        failed = known.error();
        known = KeyState::kKnown;  // told once
      }
    }
    return seal(key, person, value);
  };
  op.canonical = seal_op_text(*versions, op, seal_value);
  seal_edits(collection, op, seal_value);
  if (!failed) return failed.error();
  return subject;
}

FindKey Applier::finder(Group& group, Status& failed) const {
  return [this, &group, &failed](std::string_view person, PersonKey& into) {
    const auto state = person_key(group, person, into);
    if (state) return *state;
    failed = state.error();
    return KeyState::kNone;
  };
}

Result<std::string_view> Applier::plain(Group& group, std::string_view visible,
                                        std::string& room) const {
  if (store_.keyring() == nullptr || !find_sealed(visible, 0)) return visible;
  Status failed;
  room = unseal_all(visible, finder(group, failed), Gone::kLeftOut);
  if (!failed) return failed.error();
  return std::string_view(room);
}

Result<std::optional<Match>> Applier::match(Group& group, const Record& record,
                                            const Collection& collection) {
  if (store_.keyring() == nullptr) return match_of(record, collection, {});
  Status failed;
  MatchTexts texts;
  texts.open = [&](std::string_view json) { return unseal_all(json, finder(group, failed)); };
  texts.hash = [&](std::string_view text) {
    PersonKey key{};
    const auto made = make_person_key(group, kMatchKey, key);
    if (!made) failed = made.error();
    return keyed_hash(key, text);
  };
  auto match = match_of(record, collection, texts);
  if (!failed) return failed.error();
  return match;
}

// Nothing is touched before all is looked up and the list has the mark: what fails until then costs
// this erasure alone.
void Applier::take(Group& group, EraseRequest& request) {
  if (store_.keyring() == nullptr) {
    return request.done(Error{Code::kMasterKey, "the server has no master key"});
  }
  EraseReport report;
  const auto state = row_state(group, request.row);
  if (!state) return request.done(state.error());
  report.before = *state;
  report.seq = position_;
  if (*state != KeyState::kErased) {
    for (const std::string& person : request.persons) {
      auto shown = shown_of(group, person);
      if (!shown) return request.done(shown.error());
      report.records.insert(report.records.end(), shown->begin(), shown->end());
    }
    if (settings_.erasing) {
      const auto listed = settings_.erasing(request.row, group.now_ms);
      if (!listed) return request.done(listed.error());
    }
    if (auto erased = erase_person(group, request, report); !erased) {
      group.must(erased);
      return request.done(erased.error());
    }
  }
  group.reply(store_, std::move(request.done), Result<EraseReport>(std::move(report)));
}

Result<KeyState> Applier::row_state(Group& group, const std::string& row) const {
  const auto made = group.persons.find(row);
  if (made != group.persons.end()) return made->second ? KeyState::kKnown : KeyState::kErased;
  PersonKey ignored{};
  return store_.keyring()->find_row(row, ignored);
}

// Records that show something personal of `person`.
Result<std::vector<ClearedRecord>> Applier::shown_of(const Group& group,
                                                     const std::string& person) {
  std::vector<ClearedRecord> shown;
  const auto look = [&](const std::string& coll, std::string_view scope,
                        std::string_view id) -> Status {
    const auto found = entry(keys::record(scope, coll, id));
    if (!found) return found.error();
    const Record& record = (*found)->record;
    if (!record.exists() || record.deleted()) return {};
    ClearedRecord cleared{std::string(scope), coll, std::string(id), {}};
    for (const Field& field : record.fields) {
      const std::string value = record.shown(field.name);
      if (value.empty() || value == "null") continue;
      if (personal_in_any(*schemas_.versions(coll), field.name))
        cleared.fields.push_back(field.name);
    }
    if (!cleared.fields.empty()) shown.push_back(std::move(cleared));
    return {};
  };
  std::map<std::string, std::set<std::pair<std::string, std::string>>> theirs;
  for (const auto& [name, collection] : schemas_.collections()) {
    if (!holds_personal(*schemas_.versions(name))) continue;
    if (collection.person == "id") {
      for (const auto& [scope, ignored] : scopes_) theirs[name].emplace(scope, person);
      continue;
    }
    const Status walked =
        for_each_record_key(store_, name, [&, &of = collection](const keys::RecordKey& key) {
          if (person_of(of, key.id) == person) theirs[of.name].emplace(key.scope, key.id);
        });
    if (!walked) return walked.error();
  }
  // What this group has made is in no column yet.
  for (const auto& [ignored, key] : group.dirty_records) {
    const auto parts = keys::parse_record(key);
    const Collection* collection = parts ? schemas_.find(parts->coll) : nullptr;
    if (collection == nullptr || !holds_personal(*schemas_.versions(parts->coll))) continue;
    if (person_of(*collection, parts->id) == person) {
      theirs[collection->name].emplace(parts->scope, parts->id);
    }
  }
  for (const auto& [coll, records] : theirs) {
    for (const auto& [scope, id] : records) {
      if (auto looked = look(coll, scope, id); !looked) return looked.error();
    }
  }
  return shown;
}

// All that is on show is cleared first, as ops that reach every device; then the key goes.
Status Applier::erase_person(Group& group, const EraseRequest& request, EraseReport& report) {
  for (const ClearedRecord& record : report.records) {
    std::string edits;
    for (const std::string& field : record.fields) {
      edits += fmt::format(R"({}"{}":null)", edits.empty() ? "" : ",", field);
    }
    auto done =
        own(group, record.scope, record.coll, record.id, fmt::format(R"("set":{{{}}})", edits));
    if (!done) return done;
  }
  report.seq = position_;
  group.persons[request.row] = std::nullopt;
  group.batch.put(Column::kPersons, request.row, Keyring::erased_row(group.now_ms));
  group.batch.put(Column::kMeta, std::string(keys::kPurge),
                  purge_all_ ? std::string(keys::kPurgeAll) : "keys");
  group.must_sync = true;
  group.erased.push_back(request.row);
  audit(
      group,
      {request.by, "person.erased", mark_of_row(request.row),
       AuditDetails().number("records", static_cast<std::int64_t>(report.records.size())).json()});
  return {};
}

void Applier::purge(std::int64_t now_ms) {
  constexpr std::int64_t kFirstMs = 1000;
  constexpr std::int64_t kLongestMs = 60'000;
  const auto purged = store_.kv().purge(purge_all_ ? Purge::kAll : Purge::kKeys, to_purge_);
  if (!purged) return store_.go_read_only(purged.error().context);
  if (!*purged) {
    purge_again_ms_ = std::clamp(2 * purge_again_ms_, kFirstMs, kLongestMs);
    next_purge_ms_ = now_ms + purge_again_ms_;
    return;
  }
  Batch batch;
  batch.erase(Column::kMeta, std::string(keys::kPurge));
  if (auto written = store_.kv().write(batch, Durability::kBuffered); !written) {
    return store_.go_read_only(written.error().context);
  }
  purge_all_ = false;
  next_purge_ms_ = std::numeric_limits<std::int64_t>::max();
}

}  // namespace waystation

// What the applier does about persons: seals what is personal in an op before anything of it is
// stored, and erases. docs/personal-data.md.
#include <fmt/format.h>

#include <algorithm>

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

Result<bool> Applier::seal_personal(Group& group, Op& op) {
  if (store_.keyring() == nullptr) return false;
  const auto refused = [&](Code code, std::string detail) {
    op.refusal = Refusal{code, std::move(detail)};
    op.edits.clear();
    op.settlements.clear();
    op.replays.reset();
  };
  // It is kept, and opened for who may read it: by then it must be what any text is.
  if (looks_sealed(op.canonical)) {
    op.canonical = without_sealed(std::move(op.canonical));
    refused(Code::kOpInvalid, "a string begins as only sealed values do");
  }
  const std::vector<Collection>* versions = versions_of(schemas_, op);
  if (versions == nullptr) return false;
  const Collection& collection = versions->back();
  const std::string person = key_holder(collection, op.id);
  if (person.empty()) return false;
  PersonKey key{};
  const auto known = person_key(group, person, key);
  if (!known) return known.error();
  if (*known == KeyState::kErased) {
    bool any = false;
    op.canonical = seal_op_text(*versions, op, [&](std::string_view) {
      any = true;
      return std::string("null");
    });
    // Deleting the record, or ending a review of it, brings nobody back.
    if (any || (person == op.id && !op.edits.empty()))
      refused(Code::kPersonErased, "nothing more is kept of this person");
    return true;
  }
  Status failed;
  const auto seal_value = [&](std::string_view value) {
    const auto made = make_person_key(group, person, key);
    if (!made && failed) failed = made.error();
    return seal(key, person, value);
  };
  op.canonical = seal_op_text(*versions, op, seal_value);
  seal_edits(collection, op, seal_value);
  if (!failed) return failed.error();
  return false;
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

// All that is on show is cleared first, as ops that reach every device; then the key goes.
void Applier::take(Group& group, EraseRequest& request) {
  if (store_.keyring() == nullptr) {
    return request.done(Error{Code::kMasterKey, "the server has no master key"});
  }
  auto report = erase_person(group, request);
  if (!report) {
    group.must(report.error());
    return request.done(report.error());
  }
  group.reply(store_, std::move(request.done), Result<EraseReport>(std::move(*report)));
}

// Records that show something personal of `person`.
Result<std::vector<ClearedRecord>> Applier::shown_of(const std::string& person) {
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
  for (const auto& [name, collection] : schemas_.collections()) {
    if (!holds_personal(*schemas_.versions(name))) continue;
    if (collection.person == "id") {
      std::vector<std::string> scopes;
      for (const auto& [scope, ignored] : scopes_) scopes.push_back(scope);
      std::sort(scopes.begin(), scopes.end());
      for (const std::string& scope : scopes) {
        if (auto looked = look(name, scope, person); !looked) return looked.error();
      }
      continue;
    }
    std::vector<std::pair<std::string, std::string>> theirs;
    const Status walked = for_each_record(
        store_, name, "",
        [&, &of = collection](std::string_view scope, std::string_view id, std::string_view) {
          if (person_of(of, id) == person) theirs.emplace_back(scope, id);
          return true;
        });
    if (!walked) return walked.error();
    for (const auto& [scope, id] : theirs) {
      if (auto looked = look(name, scope, id); !looked) return looked.error();
    }
  }
  return shown;
}

Result<EraseReport> Applier::erase_person(Group& group, const EraseRequest& request) {
  EraseReport report;
  PersonKey key{};
  const auto made = group.persons.find(request.row);
  const auto state = made == group.persons.end() ? store_.keyring()->find_row(request.row, key)
                     : made->second              ? Result<KeyState>(KeyState::kKnown)
                                                 : Result<KeyState>(KeyState::kErased);
  if (!state) return state.error();
  report.before = *state;
  report.seq = position_;
  if (*state == KeyState::kErased) return report;
  for (const std::string& person : request.persons) {
    // Looked up first: each clearing changes what is walked.
    auto shown = shown_of(person);
    if (!shown) return shown.error();
    for (ClearedRecord& record : *shown) {
      std::string edits;
      for (const std::string& field : record.fields) {
        edits += fmt::format(R"({}"{}":null)", edits.empty() ? "" : ",", field);
      }
      auto done =
          own(group, record.scope, record.coll, record.id, fmt::format(R"("set":{{{}}})", edits));
      if (!done) return done.error();
      report.records.push_back(std::move(record));
    }
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
  return report;
}

void Applier::purge(std::int64_t now_ms) {
  constexpr std::int64_t kAgainMs = 1000;
  const auto purged = store_.kv().purge(purge_all_ ? Purge::kAll : Purge::kKeys);
  if (!purged) return store_.go_read_only(purged.error().context);
  next_purge_ms_ = now_ms + kAgainMs;
  if (!*purged) return;
  Batch batch;
  batch.erase(Column::kMeta, std::string(keys::kPurge));
  if (auto written = store_.kv().write(batch, Durability::kBuffered); !written) {
    return store_.go_read_only(written.error().context);
  }
  purge_all_ = false;
  next_purge_ms_ = std::numeric_limits<std::int64_t>::max();
}

}  // namespace waystation

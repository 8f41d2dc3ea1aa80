// What the applier does about persons: seals what is personal in an op before anything of it is
// stored, and erases. docs/personal-data.md.
#include <fmt/format.h>

#include "storage/group.h"
#include "storage/keys.h"
#include "storage/lists.h"
#include "sync/canonical.h"
#include "sync/personal.h"

namespace waystation {
namespace {

// No record id: the key by which names are made comparable without being readable.
constexpr std::string_view kMatchKey = "!match";

bool holds_personal(const Collection& collection) {
  return std::any_of(collection.fields.begin(), collection.fields.end(),
                     [](const FieldSpec& spec) { return spec.personal; });
}

}  // namespace

Result<KeyState> Applier::person_key(Group& group, std::string_view person, PersonKey& key) const {
  const auto at = group.persons.find(person);
  if (at != group.persons.end()) {
    if (!at->second) return KeyState::kErased;
    key = *at->second;
    return KeyState::kKnown;
  }
  return store_.keyring()->find(person, key);
}

Result<KeyState> Applier::make_person_key(Group& group, std::string_view person, PersonKey& key) {
  const auto state = person_key(group, person, key);
  if (!state || *state != KeyState::kNone) return state;
  std::array<unsigned char, Keyring::kNonceBytes> nonce{};
  settings_.random(key);
  settings_.random(nonce);
  group.persons.emplace(person, key);
  group.batch.put(Column::kPersons, std::string(person),
                  store_.keyring()->wrap(person, key, nonce));
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
  if (looks_sealed(op.canonical)) {
    refused(Code::kOpInvalid, "a string begins as only sealed values do");
    return false;
  }
  const std::vector<Collection>* versions = schemas_.versions(op.coll);
  if (versions == nullptr) return false;
  const Collection& collection = versions->back();
  const std::string_view person = person_of(collection, op.id);
  if (person.empty() || !valid_record_id(person)) return false;
  PersonKey key{};
  const auto known = person_key(group, person, key);
  if (!known) return known.error();
  if (*known == KeyState::kErased) {
    bool any = false;
    op.canonical = seal_op_text(schemas_, op.canonical, [&](std::string_view) {
      any = true;
      return std::string("null");
    });
    if (any || person == op.id) refused(Code::kPersonErased, "nothing more is kept of this person");
    return true;
  }
  Status failed;
  const auto seal_value = [&](std::string_view value) {
    const auto made = make_person_key(group, person, key);
    if (!made && failed) failed = made.error();
    return seal(key, person, value);
  };
  op.canonical = seal_op_text(schemas_, op.canonical, seal_value);
  seal_edits(collection, op, seal_value);
  if (!failed) return failed.error();
  return false;
}

Result<Digest> Applier::part_of(Group& group, const keys::RecordKey& key,
                                std::string_view visible) const {
  if (visible.empty()) return Digest{};
  if (store_.keyring() == nullptr || !find_sealed(visible, 0)) {
    return digest_of_record(key.scope, key.coll, key.id, visible);
  }
  Status failed;
  const auto find = [&](std::string_view person, PersonKey& into) {
    const auto state = person_key(group, person, into);
    if (state) return *state;
    failed = state.error();
    return KeyState::kNone;
  };
  const std::string opened = unseal_all(visible, find, Gone::kLeftOut);
  if (!failed) return failed.error();
  return digest_of_record(key.scope, key.coll, key.id, opened);
}

Result<std::optional<Match>> Applier::match(Group& group, const Record& record,
                                            const Collection& collection) {
  if (store_.keyring() == nullptr) return match_of(record, collection, {});
  Status failed;
  MatchTexts texts;
  texts.open = [&](std::string_view json) {
    const auto find = [&](std::string_view person, PersonKey& into) {
      const auto state = person_key(group, person, into);
      if (state) return *state;
      failed = state.error();
      return KeyState::kNone;
    };
    return unseal_all(json, find, Gone::kNull);
  };
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

// All that is on show is cleared first, as an op that reaches every device; then the key goes.
void Applier::take(Group& group, EraseRequest& request) {
  if (store_.keyring() == nullptr) {
    return request.done(Error{Code::kMasterKey, "the server has no master key"});
  }
  const std::string& person = request.person;
  if (!valid_record_id(person)) {
    return request.done(Error{Code::kRecordId, "that is not the id of a person"});
  }
  auto report = erase_person(group, person);
  if (!report) {
    group.must(report.error());
    return request.done(report.error());
  }
  group.reply(store_, std::move(request.done), Result<EraseReport>(*report));
}

Result<EraseReport> Applier::erase_person(Group& group, const std::string& person) {
  EraseReport report;
  PersonKey key{};
  const auto state = person_key(group, person, key);
  if (!state) return state.error();
  report.before = *state;
  if (*state == KeyState::kErased) return report;
  // Looked up first: each clearing changes what is walked.
  struct Clearing {
    std::string scope;
    std::string coll;
    std::string id;
    std::string edits;
  };
  std::vector<Clearing> clearings;
  for (const auto& [name, collection] : schemas_.collections()) {
    if (!holds_personal(collection)) continue;
    const auto look = [&, &name = name, &collection = collection](std::string_view scope,
                                                                  std::string_view id) -> Status {
      const auto found = entry(keys::record(scope, name, id));
      if (!found) return found.error();
      std::string edits;
      for (const FieldSpec& spec : collection.fields) {
        if (!spec.personal || (*found)->record.shown(spec.name).empty()) continue;
        edits += fmt::format(R"({}"{}":null)", edits.empty() ? "" : ",", spec.name);
      }
      if (!edits.empty()) {
        clearings.push_back(
            {std::string(scope), name, std::string(id), fmt::format(R"("set":{{{}}})", edits)});
      }
      return {};
    };
    if (collection.person == "id") {
      for (const auto& [scope, ignored] : scopes_) {
        if (auto looked = look(scope, person); !looked) return looked.error();
      }
      continue;
    }
    std::vector<std::pair<std::string, std::string>> theirs;
    const Status walked = for_each_record(
        store_, name, "", [&](std::string_view scope, std::string_view id, std::string_view) {
          if (person_of(collection, id) == person) theirs.emplace_back(scope, id);
          return true;
        });
    if (!walked) return walked.error();
    for (const auto& [scope, id] : theirs) {
      if (auto looked = look(scope, id); !looked) return looked.error();
    }
  }
  for (const Clearing& clearing : clearings) {
    auto done = own(group, clearing.scope, clearing.coll, clearing.id, clearing.edits);
    if (!done) return done.error();
    report.records.push_back(fmt::format("{}/{}/{}", clearing.scope, clearing.coll, clearing.id));
  }
  group.persons[person] = std::nullopt;
  group.batch.put(Column::kPersons, person, Keyring::erased_row(group.now_ms));
  group.must_sync = true;
  group.erased.push_back(person);
  return report;
}

}  // namespace waystation

#include "storage/sealing.h"

#include <array>
#include <map>
#include <utility>

#include "storage/codec.h"
#include "storage/keys.h"
#include "sync/personal.h"
#include "sync/wire.h"

namespace waystation {
namespace {

constexpr std::size_t kBatchBytes = std::size_t{4} * 1024 * 1024;

class Sealer {
 public:
  Sealer(Store& store, const Schemas& schemas,
         const std::function<void(std::span<unsigned char>)>& random)
      : store_(store), schemas_(schemas), random_(random) {}

  Result<std::uint64_t> run() {
    const auto snapshot = store_.kv().snapshot();
    auto chunks = store_.kv().iterate(Column::kDeviceLog, snapshot.get());
    for (chunks->seek(""); chunks->valid(); chunks->next()) {
      if (auto done = seal_chunk(chunks->key(), chunks->value()); !done) return done.error();
    }
    if (!chunks->status()) return chunks->status().error();
    auto refused = store_.kv().iterate(Column::kQuarantine, snapshot.get());
    for (refused->seek(""); refused->valid(); refused->next()) {
      auto row = decode_quarantine(refused->value());
      if (!row) return row.error();
      const auto changed = seal_text(row->op);
      if (!changed) return changed.error();
      if (!*changed) continue;
      batch_.put(Column::kQuarantine, std::string(refused->key()), encode_quarantine(*row));
      if (auto written = flush(kBatchBytes); !written) return written.error();
    }
    if (!refused->status()) return refused->status().error();
    if (auto written = flush(0); !written) return written.error();
    return sealed_;
  }

 private:
  Status seal_chunk(std::string_view key, std::string_view value) {
    auto chunk = decode_log_chunk(value);
    if (!chunk) return chunk.error();
    bool any = false;
    for (LogEntry& entry : chunk->entries) {
      const auto changed = seal_text(entry.op);
      if (!changed) return changed.error();
      any = any || *changed;
    }
    if (!any) return {};
    batch_.put(Column::kDeviceLog, std::string(key), encode_log_chunk(*chunk));
    return flush(kBatchBytes);
  }

  Result<bool> seal_text(std::string& text) {
    const auto op = decode_op(text);
    if (!op) return false;
    const std::vector<Collection>* versions = versions_of(schemas_, *op);
    const std::string person =
        versions == nullptr ? std::string() : key_holder(versions->back(), op->id);
    Status failed;
    const auto seal_value = [&](std::string_view value) {
      auto sealed = sealed_anew(person, value);
      if (sealed) return std::move(*sealed);
      failed = sealed.error();
      return std::string(value);
    };
    std::string sealed =
        person.empty() ? without_sealed(text) : seal_op_text(*versions, *op, seal_value);
    if (!failed) return failed.error();
    if (sealed == text) return false;
    text = std::move(sealed);
    ++sealed_;
    return true;
  }

  // Also what was sealed in another way before, and by this person's key alone: in an op about one
  // person nothing of another's is opened.
  Result<std::string> sealed_anew(const std::string& person, std::string_view value) {
    PersonKey key{};
    const auto state = looks_sealed(value) ? store_.keyring()->find_row(person_row(person), key)
                                           : Result<KeyState>(KeyState::kNone);
    if (!state) return state.error();
    if (*state == KeyState::kErased) return std::string(value);
    const auto find = [&](std::string_view whose, PersonKey& into) {
      if (whose != person || *state != KeyState::kKnown) return KeyState::kNone;
      into = key;
      return KeyState::kKnown;
    };
    const std::string plain = without_sealed(unseal_all(value, find));
    const auto made = key_of(person);
    if (!made) return made.error();
    return seal(*made, person, plain);
  }

  Result<PersonKey> key_of(const std::string& person) {
    const std::string row = person_row(person);
    if (const auto at = made_.find(row); at != made_.end()) return at->second;
    PersonKey key{};
    const auto state = store_.keyring()->find_row(row, key);
    if (!state) return state.error();
    if (*state != KeyState::kKnown) {
      // Of somebody erased: under a key that nobody keeps.
      random_(key);
      std::array<unsigned char, Keyring::kNonceBytes> nonce{};
      random_(nonce);
      if (*state == KeyState::kNone) {
        batch_.put(Column::kPersons, row, store_.keyring()->wrap(row, key, nonce));
      }
    }
    constexpr std::size_t kAtHand = 100'000;
    if (made_.size() >= kAtHand) {
      if (auto written = flush(0); !written) return written.error();
      made_.clear();
    }
    made_.emplace(row, key);
    return key;
  }

  Status flush(std::size_t above) {
    if (batch_.empty() || batch_.bytes() < above) return {};
    const Status written = store_.kv().write(batch_, Durability::kSynced);
    batch_ = Batch{};
    return written;
  }

  Store& store_;
  const Schemas& schemas_;
  const std::function<void(std::span<unsigned char>)>& random_;
  Batch batch_;
  std::map<std::string, PersonKey> made_;  // by row
  std::uint64_t sealed_ = 0;
};

}  // namespace

std::string key_holder(const Collection& collection, std::string_view record_id) {
  if (collection.person.empty()) return {};
  std::string person(person_of(collection, record_id));
  return valid_record_id(person) ? person : "no-id." + mark_of_row(person_row(person));
}

std::string sealed_note_key(std::string_view coll) { return "sealed:" + std::string(coll); }

std::string sealed_note(const std::vector<Collection>& versions) {
  const std::string fields = personal_fields(versions);
  return fields.empty() ? fields : "2 " + fields;
}

Result<bool> has_to_be_sealed(const Store& store, const Schemas& schemas, const std::string& coll) {
  if (store.keyring() == nullptr) return false;
  std::string noted;
  const auto found = store.kv().get(Column::kMeta, sealed_note_key(coll), noted);
  if (!found) return found.error();
  return noted != sealed_note(*schemas.versions(coll));
}

Result<std::uint64_t> seal_logs(Store& store, const Schemas& schemas,
                                const std::function<void(std::span<unsigned char>)>& random) {
  return Sealer(store, schemas, random).run();
}

}  // namespace waystation

#include "storage/keyring.h"

#include <fmt/format.h>
#include <sodium.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "storage/durable_files.h"
#include "storage/keys.h"
#include "sync/bytes.h"

namespace waystation {
namespace {

// What a row begins with.
constexpr std::uint8_t kWrapped = 1;
constexpr std::uint8_t kErased = 2;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Error damaged_key() { return Error{Code::kStoreCorrupt, "a damaged key of a person"}; }

}  // namespace

std::uint64_t MasterKey::id() const {
  std::array<unsigned char, crypto_generichash_BYTES_MIN> hash{};
  constexpr std::string_view kWhat = "waystation master key";
  crypto_generichash(hash.data(), hash.size(), bytes_of(kWhat), kWhat.size(), bytes.data(),
                     bytes.size());
  std::uint64_t id = 0;
  std::memcpy(&id, hash.data(), sizeof id);
  return id;
}

std::string to_hex(const MasterKey& key) {
  std::string hex(key.bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), key.bytes.data(), key.bytes.size());
  hex.pop_back();
  return hex;
}

Status write_master_key(const std::string& path, const MasterKey& key) {
  return replace_file(path, to_hex(key) + "\n");
}

Status keep_master_key(const std::string& path, const MasterKey& key) {
  const auto made = make_file(path, to_hex(key) + "\n");
  if (made) return made;
  const auto there = read_key_file(path);
  return there && there->bytes == key.bytes ? sync_path(path) : made;
}

Result<MasterKey> parse_master_key(std::string_view hex) {
  MasterKey key;
  std::size_t size = 0;
  const char* end = nullptr;
  if (hex.size() != key.bytes.size() * 2 ||
      sodium_hex2bin(key.bytes.data(), key.bytes.size(), hex.data(), hex.size(), nullptr, &size,
                     &end) != 0 ||
      end != hex.data() + hex.size()) {
    return Error{Code::kMasterKey, "a master key has 64 hexadecimal digits"};
  }
  return key;
}

bool master_key_in_environment() { return std::getenv("WAYSTATION_MASTER_KEY") != nullptr; }

Result<MasterKey> read_master_key(const std::string& path) {
  if (const char* given = std::getenv("WAYSTATION_MASTER_KEY"); given != nullptr) {
    auto key = parse_master_key(given);
    if (!key) {
      return Error{Code::kMasterKey, "WAYSTATION_MASTER_KEY: " + key.error().context};
    }
    return key;
  }
  return read_key_file(path);
}

Result<MasterKey> read_key_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return Error{Code::kMasterKey, path + " is missing"};
  }
  std::ifstream in(path);
  std::string text;
  in >> text;
  auto key = parse_master_key(text);
  if (!key) return Error{Code::kMasterKey, fmt::format("{}: {}", path, key.error().context)};
  return key;
}

MasterKey new_master_key() {
  MasterKey made;
  randombytes_buf(made.bytes.data(), made.bytes.size());
  return made;
}

std::string person_row(std::string_view person) {
  constexpr std::string_view kWhat = "waystation person";
  std::string row(crypto_generichash_BYTES_MIN, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(row.data()), row.size(), bytes_of(person),
                     person.size(), bytes_of(kWhat), kWhat.size());
  return row;
}

std::string mark_of_row(std::string_view row) {
  std::string hex(row.size() * 2 + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), bytes_of(row), row.size());
  hex.pop_back();
  return hex;
}

std::optional<std::string> row_of_mark(std::string_view mark) {
  std::string row(crypto_generichash_BYTES_MIN, '\0');
  std::size_t size = 0;
  if (mark.size() != row.size() * 2 ||
      sodium_hex2bin(reinterpret_cast<unsigned char*>(row.data()), row.size(), mark.data(),
                     mark.size(), nullptr, &size, nullptr) != 0 ||
      size != row.size()) {
    return std::nullopt;
  }
  return row;
}

Result<std::optional<std::uint64_t>> master_in_use(const Kv& kv) {
  auto rows = kv.iterate(Column::kPersons);
  for (rows->seek(""); rows->valid(); rows->next()) {
    ByteReader reader(rows->value());
    if (reader.byte() != kWrapped) continue;
    const std::uint64_t id = reader.u64_be();
    if (reader.failed()) return damaged_key();
    return std::optional(id);
  }
  if (!rows->status()) return rows->status().error();
  return std::optional<std::uint64_t>();
}

Result<std::vector<Erasure>> erasures_in(const Kv& kv) {
  std::vector<Erasure> erasures;
  auto rows = kv.iterate(Column::kPersons);
  for (rows->seek(""); rows->valid(); rows->next()) {
    ByteReader reader(rows->value());
    if (reader.byte() != kErased) continue;
    const auto erased_ms = static_cast<std::int64_t>(reader.varint());
    if (!reader.done()) return damaged_key();
    erasures.push_back({mark_of_row(rows->key()), erased_ms});
  }
  if (!rows->status()) return rows->status().error();
  return erasures;
}

Status check_master(const Kv& kv, const MasterKey& master) {
  const auto used = master_in_use(kv);
  if (!used) return used.error();
  if (*used && **used != master.id()) {
    return Error{Code::kMasterKey, "the keys in the store are wrapped by another master key"};
  }
  return {};
}

Result<std::size_t> rewrap(Kv& kv, const MasterKey& from, const MasterKey& to) {
  const Keyring before(kv, from);
  const Keyring after(kv, to);
  const auto used = master_in_use(kv);
  if (!used) return used.error();
  const bool done = *used && **used == to.id();
  Batch batch;
  std::size_t count = 0;
  auto rows = kv.iterate(Column::kPersons);
  for (rows->seek(""); rows->valid(); rows->next()) {
    if (rows->value().empty() || static_cast<std::uint8_t>(rows->value()[0]) != kWrapped) continue;
    ++count;
    if (done) continue;
    PersonKey key{};
    const auto state = before.find_row(rows->key(), key);
    if (!state) return state.error();
    std::array<unsigned char, Keyring::kNonceBytes> nonce{};
    randombytes_buf(nonce.data(), nonce.size());
    batch.put(Column::kPersons, std::string(rows->key()), after.wrap(rows->key(), key, nonce));
    sodium_memzero(key.data(), key.size());
  }
  if (!rows->status()) return rows->status().error();
  rows.reset();
  std::string purging;
  const auto found = kv.get(Column::kMeta, keys::kPurge, purging);
  if (!found) return found.error();
  // Cut off before the old wrapping is off the disk, the next start does it.
  if (!batch.empty() && !*found) batch.put(Column::kMeta, std::string(keys::kPurge), "keys");
  if (!batch.empty()) {
    if (auto written = kv.write(batch, Durability::kSynced); !written) return written.error();
  }
  const auto purged = kv.purge(Purge::kKeys, kv.written());
  if (!purged) return purged.error();
  if (batch.empty() || *found || !*purged) return count;
  Batch gone;
  gone.erase(Column::kMeta, std::string(keys::kPurge));
  if (auto written = kv.write(gone, Durability::kSynced); !written) return written.error();
  return count;
}

std::string Keyring::wrap(std::string_view row, const PersonKey& key,
                          std::span<const unsigned char> nonce) const {
  WS_CHECK(nonce.size() == kNonceBytes);
  std::string value(1, static_cast<char>(kWrapped));
  put_u64_be(value, master_.id());
  value.append(reinterpret_cast<const char*>(nonce.data()), nonce.size());
  std::array<unsigned char, sizeof(PersonKey) + kTag> wrapped{};
  crypto_aead_xchacha20poly1305_ietf_encrypt(wrapped.data(), nullptr, key.data(), key.size(),
                                             bytes_of(row), row.size(), nullptr, nonce.data(),
                                             master_.bytes.data());
  value.append(reinterpret_cast<const char*>(wrapped.data()), wrapped.size());
  return value;
}

std::string Keyring::erased_row(std::int64_t erased_ms) {
  std::string value(1, static_cast<char>(kErased));
  put_varint(value, static_cast<std::uint64_t>(erased_ms));
  return value;
}

Result<KeyState> Keyring::find_row(std::string_view row, PersonKey& key) const {
  std::string value;
  const auto found = kv_.get(Column::kPersons, row, value);
  if (!found) return found.error();
  if (!*found) return KeyState::kNone;
  ByteReader reader(value);
  const std::uint8_t kind = reader.byte();
  if (kind == kErased) return KeyState::kErased;
  const std::uint64_t id = reader.u64_be();
  constexpr std::size_t kHead = 1 + sizeof id;
  if (reader.failed() || kind != kWrapped ||
      value.size() != kHead + kNonceBytes + key.size() + kTag) {
    return damaged_key();
  }
  if (id != master_.id()) {
    return Error{Code::kMasterKey, "the keys in the store are wrapped by another master key"};
  }
  const std::string_view nonce = std::string_view(value).substr(kHead, kNonceBytes);
  const std::string_view wrapped = std::string_view(value).substr(kHead + kNonceBytes);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(key.data(), nullptr, nullptr, bytes_of(wrapped),
                                                 wrapped.size(), bytes_of(row), row.size(),
                                                 bytes_of(nonce), master_.bytes.data()) != 0) {
    return damaged_key();
  }
  return KeyState::kKnown;
}

Result<std::string> Keyring::open(std::string_view json, Gone gone, bool* met_erased) const {
  Status failed;
  const auto find_key = [&](std::string_view person, PersonKey& key) {
    const auto state = find(person, key);
    if (state && *state == KeyState::kErased && met_erased != nullptr) *met_erased = true;
    if (state) return *state;
    if (failed) failed = state.error();
    return KeyState::kNone;
  };
  std::string opened = unseal_all(json, find_key, gone);
  if (!failed) return failed.error();
  return opened;
}

}  // namespace waystation

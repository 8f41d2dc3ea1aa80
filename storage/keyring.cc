#include "storage/keyring.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

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

Status write_key(const std::string& path, const MasterKey& key) {
  const std::string part = path + ".part";
  const int file =
      ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
  const std::string text = to_hex(key) + "\n";
  bool good = file >= 0 && ::write(file, text.data(), text.size()) == ssize_t(text.size()) &&
              ::fsync(file) == 0;
  const int reason = errno;
  if (file >= 0) ::close(file);
  good = good && ::rename(part.c_str(), path.c_str()) == 0;
  if (good) return {};
  return Error{Code::kIo, fmt::format("{}: {}", path, std::strerror(reason))};
}

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

Result<MasterKey> master_key(const std::string& path, bool create) {
  if (const char* given = std::getenv("WAYSTATION_MASTER_KEY"); given != nullptr) {
    return parse_master_key(given);
  }
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    std::ifstream in(path);
    std::string text;
    in >> text;
    auto key = parse_master_key(text);
    if (!key) return Error{Code::kMasterKey, fmt::format("{}: {}", path, key.error().context)};
    return key;
  }
  if (!create) return Error{Code::kMasterKey, path + " is missing"};
  MasterKey made;
  randombytes_buf(made.bytes.data(), made.bytes.size());
  if (auto written = write_key(path, made); !written) return written.error();
  return made;
}

std::string Keyring::wrap(std::string_view person, const PersonKey& key,
                          std::span<const unsigned char> nonce) const {
  WS_CHECK(nonce.size() == kNonceBytes);
  std::string row(1, static_cast<char>(kWrapped));
  put_u64_be(row, master_.id());
  row.append(reinterpret_cast<const char*>(nonce.data()), nonce.size());
  std::array<unsigned char, sizeof(PersonKey) + kTag> wrapped{};
  crypto_aead_xchacha20poly1305_ietf_encrypt(wrapped.data(), nullptr, key.data(), key.size(),
                                             bytes_of(person), person.size(), nullptr, nonce.data(),
                                             master_.bytes.data());
  row.append(reinterpret_cast<const char*>(wrapped.data()), wrapped.size());
  return row;
}

std::string Keyring::erased_row(std::int64_t erased_ms) {
  std::string row(1, static_cast<char>(kErased));
  put_varint(row, static_cast<std::uint64_t>(erased_ms));
  return row;
}

Result<KeyState> Keyring::find(std::string_view person, PersonKey& key) const {
  std::string row;
  const auto found = kv_.get(Column::kPersons, person, row);
  if (!found) return found.error();
  if (!*found) return KeyState::kNone;
  ByteReader reader(row);
  const std::uint8_t kind = reader.byte();
  if (kind == kErased) return KeyState::kErased;
  const std::uint64_t id = reader.u64_be();
  constexpr std::size_t kHead = 1 + sizeof id;
  if (reader.failed() || kind != kWrapped ||
      row.size() != kHead + kNonceBytes + key.size() + kTag) {
    return Error{Code::kStoreCorrupt, "a damaged key of a person"};
  }
  if (id != master_.id()) {
    return Error{Code::kMasterKey, "the store's keys are wrapped by another master key"};
  }
  const std::string_view nonce = std::string_view(row).substr(kHead, kNonceBytes);
  const std::string_view wrapped = std::string_view(row).substr(kHead + kNonceBytes);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(key.data(), nullptr, nullptr, bytes_of(wrapped),
                                                 wrapped.size(), bytes_of(person), person.size(),
                                                 bytes_of(nonce), master_.bytes.data()) != 0) {
    return Error{Code::kStoreCorrupt, "a damaged key of a person"};
  }
  return KeyState::kKnown;
}

Result<std::string> Keyring::open(std::string_view json, Gone gone) const {
  Status failed;
  const auto find_key = [&](std::string_view person, PersonKey& key) {
    const auto state = find(person, key);
    if (state) return *state;
    if (failed) failed = state.error();
    return KeyState::kNone;
  };
  std::string opened = unseal_all(json, find_key, gone);
  if (!failed) return failed.error();
  return opened;
}

}  // namespace waystation

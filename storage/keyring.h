// The keys of persons, each wrapped by the master key (XChaCha20-Poly1305) in the column kPersons,
// and the marks of those whose key was destroyed. docs/personal-data.md.
//
// Const on the store; any thread. The one writer adds rows in its batches. Nothing here throws.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "storage/kv.h"
#include "storage/sealed.h"
#include "sync/result.h"

namespace waystation {

struct MasterKey {
  std::array<unsigned char, 32> bytes{};
  // Tells keys apart, and nothing about them.
  [[nodiscard]] std::uint64_t id() const;
};

// From WAYSTATION_MASTER_KEY (64 hex digits), or from `path`, which is made (readable by its owner
// only, synced) when it is missing and `create` is set. Errors: kIo, kMasterKey.
[[nodiscard]] Result<MasterKey> master_key(const std::string& path, bool create);
[[nodiscard]] Result<MasterKey> parse_master_key(std::string_view hex);
[[nodiscard]] std::string to_hex(const MasterKey& key);

class Keyring {
 public:
  // The store outlives it.
  Keyring(const Kv& kv, const MasterKey& master) : kv_(kv), master_(master) {}

  // Fills `key` where it is known. Errors: kMasterKey (wrapped by another), kStoreCorrupt, kIo.
  [[nodiscard]] Result<KeyState> find(std::string_view person, PersonKey& key) const;
  // The text with all that is sealed opened, as of now: what is erased meanwhile is gone.
  [[nodiscard]] Result<std::string> open(std::string_view json, Gone gone) const;

  // Rows of kPersons; the key of each is the person's id.
  [[nodiscard]] std::string wrap(std::string_view person, const PersonKey& key,
                                 std::span<const unsigned char> nonce) const;
  [[nodiscard]] static std::string erased_row(std::int64_t erased_ms);
  static constexpr std::size_t kNonceBytes = 24;

 private:
  const Kv& kv_;
  MasterKey master_;
};

}  // namespace waystation

// The keys of persons, each wrapped by the master key (XChaCha20-Poly1305) in the column kPersons,
// and the marks of those whose key was destroyed. A row lies under a hash of the person's id, so
// that the mark alone says nothing of whom it is about. docs/personal-data.md.
//
// Const on the store; any thread. The one writer adds rows in its batches. Nothing here throws.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/erasures.h"
#include "storage/kv.h"
#include "storage/sealed.h"
#include "sync/result.h"

namespace waystation {

struct MasterKey {
  std::array<unsigned char, 32> bytes{};
  // Tells keys apart, and nothing about them.
  [[nodiscard]] std::uint64_t id() const;
};

// From WAYSTATION_MASTER_KEY (64 hex digits) or, where that is not set, from `path`. Errors:
// kMasterKey (also: missing).
[[nodiscard]] Result<MasterKey> read_master_key(const std::string& path);
[[nodiscard]] bool master_key_in_environment();
[[nodiscard]] Result<MasterKey> parse_master_key(std::string_view hex);
// From the file, whatever the environment says. Errors: kMasterKey (also: missing).
[[nodiscard]] Result<MasterKey> read_key_file(const std::string& path);
// Readable by its owner only, synced, in one step, in place of what is there. Errors: kIo.
[[nodiscard]] Status write_master_key(const std::string& path, const MasterKey& key);
// The same where nothing is there yet, or this very key. Errors: kIo.
[[nodiscard]] Status keep_master_key(const std::string& path, const MasterKey& key);
[[nodiscard]] MasterKey new_master_key();
[[nodiscard]] std::string to_hex(const MasterKey& key);

// Under which a person's row lies: 16 bytes.
[[nodiscard]] std::string person_row(std::string_view person);
// The same for people and for the list of erasures: 32 hex digits, and back.
[[nodiscard]] std::string mark_of_row(std::string_view row);
[[nodiscard]] std::optional<std::string> row_of_mark(std::string_view mark);

// The id of the master key that the store's keys are wrapped by; nothing where it has none. They
// all are by the same. Errors: kStoreCorrupt, kIo.
[[nodiscard]] Result<std::optional<std::uint64_t>> master_in_use(const Kv& kv);
// Everybody who is erased in it. Errors: kStoreCorrupt, kIo.
[[nodiscard]] Result<std::vector<Erasure>> erasures_in(const Kv& kv);
// Fits, or there is nothing to open yet. Errors: kMasterKey, as master_in_use.
[[nodiscard]] Status check_master(const Kv& kv, const MasterKey& master);
// Wraps every key anew, in one write, and gets the old wrapping off the disk. Nothing is changed
// when it fails, or when all are wrapped by `to` already. Gives how many there are. Errors:
// kMasterKey (not wrapped by `from`), kStoreCorrupt, kIo.
[[nodiscard]] Result<std::size_t> rewrap(Kv& kv, const MasterKey& from, const MasterKey& to);

class Keyring {
 public:
  // The store outlives it.
  Keyring(const Kv& kv, const MasterKey& master) : kv_(kv), master_(master) {}

  // Fills `key` where it is known. Errors: kMasterKey (wrapped by another), kStoreCorrupt, kIo.
  [[nodiscard]] Result<KeyState> find(std::string_view person, PersonKey& key) const {
    return find_row(person_row(person), key);
  }
  [[nodiscard]] Result<KeyState> find_row(std::string_view row, PersonKey& key) const;
  // The text with all that is sealed opened, as of now: what is erased meanwhile is gone.
  // `met_erased` (may be null) becomes true where the text holds something of them.
  [[nodiscard]] Result<std::string> open(std::string_view json, Gone gone = Gone::kNull,
                                         bool* met_erased = nullptr) const;

  // Values of kPersons.
  [[nodiscard]] std::string wrap(std::string_view row, const PersonKey& key,
                                 std::span<const unsigned char> nonce) const;
  [[nodiscard]] static std::string erased_row(std::int64_t erased_ms);
  static constexpr std::size_t kNonceBytes = 24;

 private:
  const Kv& kv_;
  MasterKey master_;
};

}  // namespace waystation

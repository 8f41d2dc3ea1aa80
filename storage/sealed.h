// Personal values as they lie in the store: each sealed under the key of the person whom it is
// about, so that destroying one key takes all of them, wherever a copy lies
// (docs/personal-data.md).
//
// A sealed value is a JSON string that says whose it is. Sealing is deterministic (a synthetic
// nonce from a keyed hash of the value, then XChaCha20-Poly1305), so that equal values of one
// person stay equal and the merge rules need not look inside. What was not sealed by that person's
// key does not open and is left as it stands: nothing that a client sends can pass for a sealed
// value.
//
// Pure; any thread. Nothing here throws.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace waystation {

using PersonKey = std::array<unsigned char, 32>;

// As secure_random() in the field: fills with random bytes.
void secure_random(std::span<unsigned char> bytes);
// 32 bytes.
[[nodiscard]] std::string keyed_hash(const PersonKey& key, std::string_view text);

// A JSON string, with its quotes. `value` is canonical JSON; `person` a record id.
[[nodiscard]] std::string seal(const PersonKey& key, std::string_view person,
                               std::string_view value);

// Where a sealed value stands in a canonical JSON text, and whose it claims to be.
struct Sealed {
  std::size_t begin = 0;  // of its quote
  std::size_t end = 0;    // behind its other quote
  std::string_view person;
};
// The first at or behind `from`; nothing: there is none.
[[nodiscard]] std::optional<Sealed> find_sealed(std::string_view json, std::size_t from);

// The value; nothing: not by this key.
[[nodiscard]] std::optional<std::string> unseal(const PersonKey& key, std::string_view json,
                                                const Sealed& sealed);

// What becomes of a value whose key is gone.
enum class Gone : std::uint8_t {
  kNull,    // null stands in its place
  kLeftOut  // the member of an object goes, as a field that was cleared is not shown; else null
};
enum class KeyState : std::uint8_t { kKnown, kNone, kErased };
// Fills `key` where it is known.
using FindKey = std::function<KeyState(std::string_view person, PersonKey& key)>;

// The text with all that is sealed opened. kErased: as `gone` says; kNone: left as it stands.
[[nodiscard]] std::string unseal_all(std::string_view json, const FindKey& find,
                                     Gone gone = Gone::kNull);
}  // namespace waystation

// The per-scope digest: a sum of SHA-256 lanes over live records, so that it is independent of
// order and kept up to date by adding and subtracting (Bellare and Micciancio, "A New Paradigm for
// Collision-free Hashing", 1997; it finds mistakes, it does not keep out forgers).
// docs/protocol.md#digest. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace waystation {

struct Digest {
  std::array<std::uint32_t, 8> lanes{};

  void add(const Digest& other);
  void subtract(const Digest& other);
  [[nodiscard]] std::string hex() const;
  friend bool operator==(const Digest&, const Digest&) = default;
};

// A live record's part. `visible` is the canonical text of its fields.
[[nodiscard]] Digest digest_of_record(std::string_view scope, std::string_view coll,
                                      std::string_view id, std::string_view visible);

// The 32 bytes of SHA-256.
[[nodiscard]] std::string sha256(std::string_view bytes);

}  // namespace waystation

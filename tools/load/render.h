// The text of what devices push, from a seed. Rendered before a clock starts.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "sync/stamp.h"

namespace waystation::load {

inline constexpr std::string_view kBoot = "b1";
inline constexpr std::string_view kScope = "bench:1";
inline constexpr std::size_t kFields = 8;
inline constexpr std::size_t kEditedFields = 3;

// The device's clocks.
struct Moment {
  std::int64_t wall_ms = 0;
  std::int64_t mono_ms = 0;
};
[[nodiscard]] Moment moment();

// A record as a device knows it.
struct KnownRecord {
  std::string id;
  Seq seq = 0;  // 0: not there yet
};
[[nodiscard]] std::vector<KnownRecord> numbered_records(std::size_t count);

class Renderer {
 public:
  // `value_bytes`: the length of a field's text.
  Renderer(std::uint64_t seed, std::size_t value_bytes)
      : random_(seed), value_bytes_(value_bytes) {}

  // Each is one op.
  [[nodiscard]] std::string scope_birth(std::uint64_t n);
  [[nodiscard]] std::string creation(std::uint64_t n, const KnownRecord& record);
  [[nodiscard]] std::string edit(std::uint64_t n, const KnownRecord& record);
  // The i-th photo, a file of so many bytes with that hash.
  [[nodiscard]] std::string photo(std::uint64_t n, std::size_t i, std::size_t bytes,
                                  std::string_view hash);

  // Less than `below`.
  [[nodiscard]] std::size_t pick(std::size_t below);

 private:
  void append_field(std::string& out, std::size_t field);

  std::mt19937_64 random_;
  std::size_t value_bytes_;
};

// A masked frame that pushes the ops.
[[nodiscard]] std::string push_frame(const std::vector<std::string>& ops);

}  // namespace waystation::load

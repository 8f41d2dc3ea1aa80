// Seqs and stamps: one 53-bit number space, milliseconds since 2024-01-01 UTC in the upper 41 bits
// and a counter in the lower 12. A hybrid logical clock (Kulkarni et al., "Logical Physical
// Clocks", 2014) that fits a double, so that any client can compare it. docs/merge-rules.md.
// Pure; any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <tuple>

namespace waystation {

using Seq = std::int64_t;    // the server's number for an applied op; 0: none
using Stamp = std::int64_t;  // authored time, corrected, in the space of seqs

inline constexpr std::int64_t kEpochMs = 1'704'067'200'000;  // 2024-01-01T00:00:00Z
inline constexpr int kCounterBits = 12;

// The last time that a seq carries: in 2059, so that even behind a clock that is wrong for good
// there is room for 2^52 more seqs within 53 bits.
inline constexpr std::int64_t kLastMs = kEpochMs + (std::int64_t{1} << 40) - 1;

// What lies before the epoch counts as the epoch, what lies behind kLastMs as kLastMs.
[[nodiscard]] constexpr Seq seq_from_ms(std::int64_t unix_ms) {
  return (std::clamp(unix_ms, kEpochMs, kLastMs) - kEpochMs) << kCounterBits;
}
[[nodiscard]] constexpr std::int64_t ms_from_seq(Seq seq) {
  return (seq >> kCounterBits) + kEpochMs;
}
[[nodiscard]] constexpr Seq next_seq(Seq last, std::int64_t now_ms) {
  return std::max(last + 1, seq_from_ms(now_ms));
}
// Precondition: base < seq and device_last < seq.
[[nodiscard]] constexpr Stamp stamp_for(Seq seq, std::int64_t corrected_ms, Seq base,
                                        Stamp device_last) {
  return std::min(seq, std::max({seq_from_ms(corrected_ms), base + 1, device_last + 1}));
}

// Who wrote: the device's id as a number, and its op number.
struct Dot {
  std::uint64_t device = 0;
  std::uint64_t n = 0;
  friend bool operator==(const Dot&, const Dot&) = default;
};

// The total order of writes: stamp, then device, then n, then place within the op.
struct WriteOrder {
  Stamp stamp;
  std::uint64_t device;
  std::uint64_t n;
  std::uint32_t part;
  friend auto operator<=>(const WriteOrder&, const WriteOrder&) = default;
};

}  // namespace waystation

// The clocks of the simulated machines. There is one true time; each machine has its own idea of
// it. Plain values.
#pragma once

#include <fmt/format.h>

#include <cstdint>

#include "sync/wire.h"

namespace waystation::simulate {

inline constexpr std::int64_t kStartMs = 1'767'225'600'000;  // 2026-01-01T00:00:00Z

struct DeviceClocks {
  std::int64_t wall_skew_ms = 0;
  std::int64_t booted_ms = kStartMs;  // true time
  std::uint64_t boots = 1;

  [[nodiscard]] ClockReading read(std::int64_t true_ms) const {
    return ClockReading{true_ms + wall_skew_ms, true_ms - booted_ms, fmt::format("b{}", boots)};
  }
  void set_wall(std::int64_t wall_ms, std::int64_t true_ms) { wall_skew_ms = wall_ms - true_ms; }
  void reboot(std::int64_t true_ms) {
    booted_ms = true_ms;
    ++boots;
  }
};

}  // namespace waystation::simulate

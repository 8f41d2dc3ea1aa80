// From a device's clocks to the time an op was written. docs/merge-rules.md, "Correcting the
// clock". Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sync/op.h"
#include "sync/wire.h"

namespace waystation {

// What the server knows about one start of the device's machine: at server time `server_ms` its
// monotonic clock stood at `mono_ms`.
struct BootClock {
  std::string boot;
  std::int64_t server_ms = 0;
  std::int64_t mono_ms = 0;
};

struct DeviceClock {
  std::int64_t enrolled_ms = 0;
  std::int64_t skew_ms = 0;      // device wall clock minus server clock at the last hello
  std::vector<BootClock> boots;  // latest last, at most limits::kBootsPerDevice

  // Takes in the reading of a hello that arrived at now_ms.
  void observe(const ClockReading& reading, std::int64_t now_ms);
  [[nodiscard]] bool wrong() const;
  // Authored time of an op that arrived at now_ms: ms since 1970, within [enrolled_ms, now_ms].
  [[nodiscard]] std::int64_t corrected_ms(const Op& op, std::int64_t now_ms) const;
  // The same of a moment of which the device's wall clock alone is known.
  [[nodiscard]] std::int64_t corrected_wall_ms(std::int64_t wall_ms, std::int64_t now_ms) const;

 private:
  [[nodiscard]] std::int64_t within_life(std::int64_t ms, std::int64_t now_ms) const;
};

}  // namespace waystation

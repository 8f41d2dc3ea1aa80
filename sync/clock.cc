#include "sync/clock.h"

#include <algorithm>
#include <cstdlib>

#include "sync/limits.h"

namespace waystation {

void DeviceClock::observe(const ClockReading& reading, std::int64_t now_ms) {
  skew_ms = reading.wall_ms - now_ms;
  std::erase_if(boots, [&](const BootClock& b) { return b.boot == reading.boot; });
  if (boots.size() >= limits::kBootsPerDevice) boots.erase(boots.begin());
  boots.push_back(BootClock{reading.boot, now_ms, reading.mono_ms});
}

bool DeviceClock::wrong() const { return std::abs(skew_ms) > limits::kClockWrongMs; }

std::int64_t DeviceClock::corrected_ms(const Op& op, std::int64_t now_ms) const {
  const auto at = std::find_if(boots.begin(), boots.end(),
                               [&](const BootClock& b) { return b.boot == op.boot; });
  const std::int64_t corrected =
      at != boots.end() ? at->server_ms - (at->mono_ms - op.mono_ms) : op.wall_ms - skew_ms;
  return std::clamp(corrected, std::min(enrolled_ms, now_ms), now_ms);
}

}  // namespace waystation

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
  if (at == boots.end()) return corrected_wall_ms(op.wall_ms, now_ms);
  return within_life(at->server_ms - (at->mono_ms - op.mono_ms), now_ms);
}

std::int64_t DeviceClock::corrected_wall_ms(std::int64_t wall_ms, std::int64_t now_ms) const {
  return within_life(wall_ms - skew_ms, now_ms);
}

// Nothing was written before the device was enrolled.
std::int64_t DeviceClock::within_life(std::int64_t ms, std::int64_t now_ms) const {
  return std::clamp(ms, std::min(enrolled_ms, now_ms), now_ms);
}

}  // namespace waystation

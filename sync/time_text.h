// RFC 3339 times as fields hold them: the instant, and the offset that keeps the local date.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waystation {

struct LocalTime {
  std::int64_t ms = 0;  // since 1970, UTC
  int offset_minutes = 0;
};

// Nothing where the text is not a time with offset.
[[nodiscard]] std::optional<LocalTime> parse_time(std::string_view text);
// To the second: 2026-01-01T08:30:00+08:00.
[[nodiscard]] std::string format_time(const LocalTime& time);

}  // namespace waystation

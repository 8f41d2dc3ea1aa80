// Text for a terminal: how wide it is, tables that stay aligned with Chinese in them, times and
// durations. Pure but for the local time zone; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waystation {

// Columns that a terminal gives to `utf8`: two for a wide character (Unicode East Asian Width W and
// F), none for a combining one.
[[nodiscard]] std::size_t display_width(std::string_view utf8);

// Names come from outside: what would steer the terminal is shown as U+FFFD.
[[nodiscard]] std::string printable(std::string_view utf8);

// Rows under a heading, aligned; two spaces between columns. Cells are made printable.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> heading) : rows_{std::move(heading)} {}
  void align_right(std::size_t column) { right_.push_back(column); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> right_;
};

// ms since 1970 as 2026-01-01 08:30:00 +0800, in the local zone.
[[nodiscard]] std::string local_time(std::int64_t unix_ms);

// "90s", "15m", "24h", "7d" in seconds; nothing when it is not one, or not above zero.
[[nodiscard]] std::optional<std::int64_t> parse_duration_s(std::string_view text);

// 76 as "1m 16s", 90000 as "1d 1h": the two largest units. Without its sign.
[[nodiscard]] std::string format_duration(std::int64_t seconds);

// 1765 as "1,765".
[[nodiscard]] std::string grouped(std::uint64_t number);

}  // namespace waystation

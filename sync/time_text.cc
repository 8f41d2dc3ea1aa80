#include "sync/time_text.h"

#include <fmt/format.h>

#include <chrono>

namespace waystation {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;

// The digits at [at, at + count), or -1.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int number = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    number = number * 10 + (text[i] - '0');
  }
  return number;
}

// Minutes east of UTC of "Z" or "+08:00".
std::optional<int> parse_offset(std::string_view zone) {
  if (zone == "Z") return 0;
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return std::nullopt;
  const int hours = digits(zone, 1, 2);
  const int minutes = digits(zone, 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  return (zone[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
}

}  // namespace

std::optional<LocalTime> parse_time(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':') {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{
      std::chrono::year{digits(text, 0, 4)},
      std::chrono::month{static_cast<unsigned>(digits(text, 5, 2))},
      std::chrono::day{static_cast<unsigned>(digits(text, 8, 2))}};
  const int hours = digits(text, 11, 2);
  const int minutes = digits(text, 14, 2);
  const int seconds = digits(text, 17, 2);
  if (!date.ok() || hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 ||
      seconds > 60) {
    return std::nullopt;
  }
  std::size_t at = 19;
  if (text[at] == '.') {
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9';) ++at;
  }
  const auto offset = parse_offset(text.substr(at));
  if (!offset) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t minute = (std::int64_t{days} * 24 + hours) * 60 + minutes - *offset;
  return LocalTime{minute * kMinuteMs + seconds * 1000, *offset};
}

std::string format_time(const LocalTime& time) {
  const auto local = std::chrono::sys_time<std::chrono::milliseconds>(
      std::chrono::milliseconds(time.ms + time.offset_minutes * kMinuteMs));
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date(day);
  const auto second = std::chrono::duration_cast<std::chrono::seconds>(local - day).count();
  const int away = time.offset_minutes < 0 ? -time.offset_minutes : time.offset_minutes;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{:02}:{:02}", int(date.year()),
                     unsigned(date.month()), unsigned(date.day()), second / 3600, second / 60 % 60,
                     second % 60, time.offset_minutes < 0 ? '-' : '+', away / 60, away % 60);
}

}  // namespace waystation

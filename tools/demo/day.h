// A day of work away from the network, and what must come of it, counted by itself: the
// expectations are kept while the edits are made, in the plainest way, and know nothing of merging.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tools/demo/city.h"
#include "tools/demo/device.h"

namespace waystation::demo {

inline constexpr std::size_t kFirstHour = 8;
inline constexpr std::size_t kHours = 12;

struct Expected {
  std::uint64_t edits = 0;
  // Visits by station and hour of the day; a correction takes one away.
  std::map<std::string, std::array<std::int64_t, kHours>> visits;
  // Taps by station and counter.
  std::map<std::pair<std::string, std::string>, std::int64_t> taps;
  // Attendance records that must be there at the end: event, volunteer.
  std::set<std::pair<std::string, std::string>> attendance;
  std::uint64_t notes = 0;
  std::uint64_t conflicts = 0;  // open ones
  std::uint64_t quarantine = 0;
};

// The tablets of one station: visitors by kind and by what they used, tap by tap, with corrections,
// a shift note, and now and then something that must be refused.
void work_at_station(const City& city, const Station& station, std::vector<Device*>& tablets,
                     Random& random, Expected& expected);

// The phones at one event: several hands sign the same people in and out, correct the headcount,
// edit one note, delete what was wrong.
void work_at_event(const City& city, const Event& event, std::vector<Device*>& phones,
                   Random& random, Expected& expected);

// The draft note of an event that the office wrote beforehand.
[[nodiscard]] std::string draft_note_id(const Event& event);

}  // namespace waystation::demo

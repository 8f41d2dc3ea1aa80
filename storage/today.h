// What happens today, for the wall in the office: read from the projections and from what devices
// said of themselves, and from nothing else (law 14). Cost: the rows of one day, the stations, the
// devices. Const on the store; any thread that may read it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/store.h"
#include "sync/result.h"

namespace waystation {

using DayHours = std::array<std::int64_t, 24>;

struct StationToday {
  std::string scope;
  std::string id;
  std::string name;
  std::string division;
  std::int64_t total = 0;
  DayHours hours{};
};

// One to which somebody has come today.
struct EventToday {
  std::string id;
  std::string scope;
  std::string title;
  std::string division;
  std::string state;
  std::string starts;
  std::string ends;
  std::int64_t came = 0;
  std::int64_t present = 0;  // neither signed out nor closed by the server
};

struct DistrictToday {
  std::string code;
  std::string name;
  std::int64_t visits = 0;
  std::int64_t present = 0;
};

struct Today {
  std::string day;  // 2026-01-31, of the projections' zone
  std::int64_t visits = 0;
  DayHours hours{};
  std::vector<StationToday> stations;  // the busiest first; at most limits::kTodayRows
  std::vector<EventToday> events;      // the fullest first; at most limits::kTodayRows
  std::int64_t came = 0;
  std::int64_t present = 0;
  std::vector<DistrictToday> districts;  // by code
};
// Stations and events beyond the most are in the totals. Errors: kStoreCorrupt, kIo.
[[nodiscard]] Result<Today> read_today(const Store& store, std::int64_t now_ms);

// What waits in the field, as of each device's last hello.
struct Waiting {
  std::uint64_t known = 0;    // of the field that are not shut out
  std::uint64_t devices = 0;  // those among them on which something waits
  std::uint64_t ops = 0;
  std::int64_t oldest_ms = 0;  // 0: nothing waits
};
[[nodiscard]] Result<Waiting> read_waiting(const Store& store);

}  // namespace waystation

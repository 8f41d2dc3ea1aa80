// The demo's city: real places, imaginary stations, events and people. Everything follows from the
// seed. Pure, but for the reading of the divisions file.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "sync/result.h"

namespace waystation::demo {

using Random = std::mt19937_64;

// From 0 to n-1; the same on every machine, as std::uniform_int_distribution is not.
[[nodiscard]] inline std::size_t draw(Random& random, std::size_t n) { return random() % n; }

struct Station {
  std::string id;
  std::string scope;
  std::string name;
  std::string division;
};

struct Event {
  std::string id;
  std::string scope;
  std::string title;
  std::string category;
  std::string division;
  std::vector<std::string> volunteers;  // numbers on the roster
};

struct City {
  std::string day;  // YYYY-MM-DD, local
  std::vector<Station> stations;
  std::vector<Event> events;
};

// Draws stations and events in communities of `divisions_csv`, and writes the files that
// `waystation import` takes: stations.csv, events.csv, roster.csv in `folder`. Errors: kIo.
[[nodiscard]] Result<City> make_city(const std::string& divisions_csv, const std::string& folder,
                                     const std::string& day, std::size_t stations,
                                     std::size_t events, Random& random);

}  // namespace waystation::demo

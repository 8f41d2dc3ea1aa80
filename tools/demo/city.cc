#include "tools/demo/city.h"

#include <fmt/format.h>

#include <array>
#include <fstream>

namespace waystation::demo {
namespace {

struct Place {
  std::string code;
  std::string district;
  std::string town;
  std::string community;
};

constexpr std::array<const char*, 6> kCategories{
    "health", "ecology", "daily_services", "safety_emergency", "culture_arts", "science"};
constexpr std::array<const char*, 6> kTitles{"义诊进社区", "河道清洁", "便民服务日",
                                             "防台风演练", "文艺下乡", "科普讲座"};
constexpr std::array<const char*, 12> kSurnames{"陈", "林", "黄", "吴", "郑", "蔡",
                                                "杨", "许", "王", "李", "刘", "张"};
constexpr std::array<const char*, 12> kGivenNames{"晓燕", "伟强", "丽娜", "志豪", "文静", "俊杰",
                                                  "淑芬", "海涛", "佳怡", "国栋", "雪梅", "子轩"};
constexpr std::array<const char*, 4> kServices{
    "rest;water;phone_charging;wifi", "rest;cooling;water;microwave;toilet",
    "rest;water;first_aid;umbrella;books", "rest;cooling;heating;water;ebike_charging"};

// The divisions file has neither quotes nor line breaks in its cells.
Result<std::vector<Place>> read_places(const std::string& path) {
  std::ifstream in(path);
  if (!in) return Error{Code::kIo, fmt::format("{}: cannot be read", path)};
  std::vector<Place> places;
  std::string line;
  std::getline(in, line);  // the header
  while (std::getline(in, line)) {
    std::array<std::string, 6> cells;
    std::size_t start = 0;
    for (std::string& cell : cells) {
      const std::size_t end = std::min(line.find(',', start), line.size());
      cell = line.substr(start, end - start);
      start = std::min(end + 1, line.size());
    }
    places.push_back(Place{cells[4], cells[1], cells[3], cells[5]});
  }
  if (places.empty()) return Error{Code::kIo, fmt::format("{}: holds no places", path)};
  return places;
}

// 进东社区居民委员会 → 进东社区
std::string short_name(std::string name) {
  for (const std::string_view tail : {"居民委员会", "村民委员会", "居委会", "村委会"}) {
    if (name.size() > tail.size() &&
        name.compare(name.size() - tail.size(), tail.size(), tail) == 0) {
      name.resize(name.size() - tail.size());
    }
  }
  return name;
}

Status write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.flush();
  return out ? Status{} : Status{Error{Code::kIo, fmt::format("{}: cannot be written", path)}};
}

}  // namespace

Result<City> make_city(const std::string& divisions_csv, const std::string& folder,
                       const std::string& day, std::size_t stations, std::size_t events,
                       Random& random) {
  const auto places = read_places(divisions_csv);
  if (!places) return places.error();
  City city;
  city.day = day;
  std::string station_rows = "id,name,kind,address,division,services,phone,open_hours\n";
  for (std::size_t i = 0; i < stations; ++i) {
    const Place& place = (*places)[draw(random, places->size())];
    Station station;
    station.id = fmt::format("s{:03}", i + 1);
    station.scope = "station:" + station.id;
    station.name = short_name(place.community) + (i % 9 == 8 ? "司机之家" : "暖蜂驿站");
    station.division = place.code;
    station_rows += fmt::format("{},{},{},{}{}{},{},{},,08:00-20:00\n", station.id, station.name,
                                i % 9 == 8 ? "drivers_home" : "rest_station", place.district,
                                place.town, short_name(place.community), place.code,
                                kServices.at(draw(random, kServices.size())));
    city.stations.push_back(std::move(station));
  }
  std::string event_rows = "id,title,category,place,division,starts,ends,description\n";
  std::string roster_rows = "scope,number,name,phone_tail,team,skills\n";
  for (std::size_t i = 0; i < events; ++i) {
    const Place& place = (*places)[draw(random, places->size())];
    Event event;
    event.id = fmt::format("e{:03}", i + 1);
    event.scope = "event:" + event.id;
    event.category = kCategories.at(i % kCategories.size());
    event.title = short_name(place.community) + kTitles.at(i % kTitles.size());
    event.division = place.code;
    event_rows +=
        fmt::format("{0},{1},{2},{3},{4},{5}T08:00:00+08:00,{5}T18:00:00+08:00,\n", event.id,
                    event.title, event.category, short_name(place.community), place.code, day);
    const std::size_t people = 12 + draw(random, 19);
    for (std::size_t j = 0; j < people; ++j) {
      const std::string number = fmt::format("4452{:04}{:04}", i + 1, j + 1);
      roster_rows += fmt::format("{},{},{}{},{:04},{},\n", event.scope, number,
                                 kSurnames.at(draw(random, kSurnames.size())),
                                 kGivenNames.at(draw(random, kGivenNames.size())),
                                 draw(random, 10'000), place.town);
      event.volunteers.push_back(number);
    }
    city.events.push_back(std::move(event));
  }
  for (const auto& [name, rows] :
       {std::pair("/stations.csv", &station_rows), std::pair("/events.csv", &event_rows),
        std::pair("/roster.csv", &roster_rows)}) {
    if (auto written = write_file(folder + name, *rows); !written) return written.error();
  }
  return city;
}

}  // namespace waystation::demo

// A number for each of many ids, in three pieces of memory however many there are: a map would take
// longer to be made than the ids take to be read. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waystation {

class IdNumbers {
 public:
  // Precondition: the id is not there yet, and all of them are less than 4 GiB.
  void add(std::string_view id, std::uint32_t number) {
    if (2 * count_ >= places_.size()) grow();
    Place made{static_cast<std::uint32_t>(ids_.size()), static_cast<std::uint32_t>(id.size()),
               hash_of(id), number};
    ids_ += id;
    ++count_;
    places_[free_place(made.hash)] = made;
  }
  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view id) const {
    if (places_.empty()) return std::nullopt;
    const std::uint32_t hash = hash_of(id);
    for (std::size_t i = hash & mask(); places_[i].at != kFree; i = (i + 1) & mask()) {
      const Place& place = places_[i];
      if (place.hash == hash && std::string_view(ids_).substr(place.at, place.size) == id) {
        return place.number;
      }
    }
    return std::nullopt;
  }
  [[nodiscard]] std::size_t bytes() const {
    return ids_.capacity() + places_.size() * sizeof(Place);
  }

 private:
  static constexpr std::uint32_t kFree = 0xFFFF'FFFF;
  struct Place {               // of a table by hash with open addressing, half of it free
    std::uint32_t at = kFree;  // in ids_
    std::uint32_t size = 0;
    std::uint32_t hash = 0;
    std::uint32_t number = 0;
  };

  static std::uint32_t hash_of(std::string_view id) {
    return static_cast<std::uint32_t>(std::hash<std::string_view>{}(id));
  }
  [[nodiscard]] std::size_t mask() const { return places_.size() - 1; }
  [[nodiscard]] std::size_t free_place(std::uint32_t hash) const {
    std::size_t i = hash & mask();
    while (places_[i].at != kFree) i = (i + 1) & mask();
    return i;
  }
  void grow() {
    std::vector<Place> before(places_.empty() ? 1024 : 2 * places_.size());
    before.swap(places_);
    for (const Place& place : before) {
      if (place.at != kFree) places_[free_place(place.hash)] = place;
    }
  }

  std::string ids_;
  std::vector<Place> places_;
  std::size_t count_ = 0;
};

}  // namespace waystation

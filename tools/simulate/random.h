// The one source of chance of a simulation. The distributions are written out here, since those of
// the standard library differ from one library to the next. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace waystation::simulate {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t bits() { return engine_(); }
  // In [0, bound). Precondition: bound > 0. The bias of the remainder is of no importance here.
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  // In [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low + 1)));
  }
  bool chance(std::uint64_t per_mille) { return below(1000) < per_mille; }
  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }
  // An index, each as often as its weight says. Precondition: the sum is above 0.
  std::size_t weighted(std::span<const std::uint64_t> weights) {
    std::uint64_t sum = 0;
    for (const std::uint64_t weight : weights) sum += weight;
    std::uint64_t at = below(sum);
    std::size_t i = 0;
    while (at >= weights[i]) at -= weights[i++];
    return i;
  }
  void fill(std::span<unsigned char> bytes) {
    for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(engine_() & 0xFFU);
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace waystation::simulate

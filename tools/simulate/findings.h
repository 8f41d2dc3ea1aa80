// What a checker has found: the first breach of a law ends a simulation. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace waystation::simulate {

struct Breach {
  int law = 0;  // 0: liveness, and what belongs to no law
  std::string expected;
  std::string seen;
};

class Findings {
 public:
  void report(int law, std::string expected, std::string seen) {
    if (!first_) first_ = Breach{law, std::move(expected), std::move(seen)};
  }
  [[nodiscard]] bool any() const { return first_.has_value(); }
  [[nodiscard]] const Breach& first() const { return *first_; }

 private:
  std::optional<Breach> first_;
};

}  // namespace waystation::simulate

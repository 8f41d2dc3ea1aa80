// What a checker has found: the first breach of a law ends a simulation. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace waystation::simulate {

struct Breach {
  int law = 0;  // 0: liveness, and what belongs to no law
  std::string expected;
  std::string seen;
  std::vector<std::string> details;  // a line each
};

class Findings {
 public:
  void report(int law, std::string expected, std::string seen,
              std::vector<std::string> details = {}) {
    if (!first_) {
      first_ = Breach{law, std::move(expected), std::move(seen), std::move(details)};
    }
  }
  [[nodiscard]] bool any() const { return first_.has_value(); }
  [[nodiscard]] const Breach& first() const { return *first_; }

 private:
  std::optional<Breach> first_;
};

}  // namespace waystation::simulate

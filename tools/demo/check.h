// Reads back what the server made of the demo's day, over the wire, and holds it against what was
// counted independently.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/demo/city.h"
#include "tools/demo/day.h"
#include "tools/demo/device.h"

namespace waystation::demo {

struct Check {
  std::string what;
  std::int64_t expected = 0;
  std::int64_t found = 0;
  [[nodiscard]] bool good() const { return expected == found; }
};

struct Findings {
  std::vector<Check> checks;
  std::map<std::string, std::array<std::int64_t, kHours>> visits;
  std::int64_t wrong_clocks = 0;
  std::vector<std::string> sample_conflicts;  // a few, in words
  std::vector<std::string> sample_quarantine;
};

// Errors: kIo (the server does not answer as it should).
[[nodiscard]] Result<Findings> check_day(const std::string& address, const std::string& admin_token,
                                         const City& city, const Expected& expected,
                                         const std::vector<std::unique_ptr<Device>>& devices);

}  // namespace waystation::demo

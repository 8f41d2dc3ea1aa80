// What one reading of a report may hold in memory, and whether it is to end early. One thread; the
// stop may be asked for by any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <utility>

#include "sync/limits.h"
#include "sync/result.h"

namespace waystation {

struct ReportBounds {
  std::size_t bytes = limits::kReportBytes;
  std::stop_token stop = {};
  // Records that names are looked for singly; beyond it reading all of them in their order is
  // quicker.
  std::size_t looks = 20'000;
};

class ReportBudget {
 public:
  explicit ReportBudget(ReportBounds bounds)
      : left_(bounds.bytes),
        all_(bounds.bytes),
        looks_(bounds.looks),
        stop_(std::move(bounds.stop)) {}

  // Whether half of what is left would hold it: for what can be done without.
  [[nodiscard]] bool affords(std::size_t bytes) const { return bytes <= left_ / 2; }
  [[nodiscard]] std::size_t looks() const { return looks_; }
  // Errors: kReportTooLarge.
  [[nodiscard]] Status take(std::size_t bytes);
  // For loops: looks once in a while. Errors: kBusy, where the server is being stopped.
  [[nodiscard]] Status go_on();

 private:
  std::size_t left_;
  std::size_t all_;
  std::size_t looks_;
  std::uint32_t steps_ = 0;
  std::stop_token stop_;
};

}  // namespace waystation

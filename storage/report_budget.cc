#include "storage/report_budget.h"

#include <fmt/format.h>

namespace waystation {
namespace {

constexpr std::uint32_t kStepsBetweenLooks = 1024;

}  // namespace

Status ReportBudget::take(std::size_t bytes) {
  if (bytes <= left_) {
    left_ -= bytes;
    return {};
  }
  left_ = 0;
  return Error{Code::kReportTooLarge,
               fmt::format("more than {} MiB to be held at one time: ask for a shorter period or "
                           "for fewer dimensions",
                           all_ / (1024 * 1024))};
}

Status ReportBudget::go_on() {
  if (steps_++ % kStepsBetweenLooks != 0 || !stop_.stop_requested()) return {};
  return Error{Code::kBusy, "the server is being stopped"};
}

}  // namespace waystation

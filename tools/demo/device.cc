#include "tools/demo/device.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

namespace waystation::demo {
namespace {

constexpr std::size_t kOpsPerPush = 200;
constexpr std::size_t kPage = 500;
constexpr int kBusyRetries = 200;

}  // namespace

Device::Device(Enrolled enrolled, std::string address, std::int64_t wall_off_ms, std::size_t number)
    : replica_(std::move(enrolled.device), std::move(enrolled.token)),
      http_(std::make_unique<HttpClient>(std::move(address))),
      wall_off_ms_(wall_off_ms),
      number_(number),
      switched_on_(std::chrono::steady_clock::now()) {}

ClockReading Device::clock() const {
  const auto since = std::chrono::steady_clock::now() - switched_on_;
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  ClockReading reading;
  reading.mono_ms = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  reading.wall_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(wall).count() + wall_off_ms_;
  reading.boot = fmt::format("boot-{}", number_);
  return reading;
}

Status Device::exchange(bool lose) {
  const auto answer =
      http_->request("POST", "/v1/sync", replica_.exchange(clock(), kOpsPerPush, kPage));
  if (!answer) return answer.error();
  ++exchanges_;
  if (lose) {
    ++lost_answers_;
    return {};
  }
  return replica_.receive(answer->body);
}

Status Device::sync(Random& random, std::size_t lose_one_in) {
  int busy = 0;
  do {
    const bool lose = lose_one_in != 0 && draw(random, lose_one_in) == 0;
    const Status done = exchange(lose);
    if (!done.ok() && done.error().code == Code::kBusy && ++busy < kBusyRetries) {
      std::this_thread::sleep_for(
          std::chrono::milliseconds(std::max(1, std::atoi(done.error().context.c_str()))));
    } else if (!done.ok()) {
      return done;
    } else if (lose) {
      continue;
    }
  } while (replica_.waiting() > 0 || replica_.more());
  return {};
}

}  // namespace waystation::demo

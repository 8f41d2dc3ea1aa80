#include "tools/simulate/shrink.h"

#include <algorithm>

namespace waystation::simulate {
namespace {

class Shrinker {
 public:
  Shrinker(Shrunk start, const Runner& run, std::size_t most_runs)
      : best_(std::move(start)), run_(run), most_runs_(most_runs), asked_(best_.request.steps) {
    best_.request.steps = std::min(best_.request.steps, best_.outcome.step);
  }

  // Keeps the smaller request when it breaks the same law.
  bool attempt(Request request) {
    if (best_.runs >= most_runs_) return false;
    ++best_.runs;
    Outcome outcome = run_(request);
    if (!outcome.failed || outcome.breach.law != best_.outcome.breach.law) return false;
    request.steps = std::min(request.steps, outcome.step);
    best_.request = request;
    best_.outcome = std::move(outcome);
    return true;
  }

  void shorten() {
    std::uint64_t less = best_.request.steps / 2;
    while (less > 0) {
      Request request = best_.request;
      request.steps -= std::min(less, request.steps);
      if (attempt(request)) {
        less = std::min(less, best_.request.steps / 2);
      } else {
        less /= 2;
      }
    }
  }

  void calm() {
    for (std::size_t i = 0; i < kFaults; ++i) {
      if (best_.request.without[i]) continue;
      Request request = best_.request;
      request.without[i] = true;
      // Another course: what it did in so many steps the new one may do in a few more, yet never
      // in more than were asked for: each success would let the next grow.
      request.steps = std::min(request.steps + request.steps / 2, asked_);
      attempt(request);
    }
  }

  void thin_out() {
    const std::size_t devices = Plan::draw(best_.request).devices;
    for (std::size_t fewer = 1; fewer < devices; ++fewer) {
      Request request = best_.request;
      request.devices = fewer;
      if (attempt(request)) return;
    }
  }

  [[nodiscard]] const Shrunk& best() const { return best_; }

 private:
  Shrunk best_;
  const Runner& run_;
  std::size_t most_runs_;
  std::uint64_t asked_;
};

}  // namespace

Shrunk shrink(const Request& request, const Outcome& outcome, const Runner& run,
              std::size_t most_runs) {
  Shrinker shrinker(Shrunk{request, outcome, 0}, run, most_runs);
  shrinker.shorten();
  shrinker.calm();
  shrinker.thin_out();
  shrinker.shorten();
  return shrinker.best();
}

}  // namespace waystation::simulate

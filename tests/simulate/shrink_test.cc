// How a failure is made smaller, with simulations that fail as told.
#include "tools/simulate/shrink.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace waystation::simulate {
namespace {

bool off(const Request& request, Fault fault) {
  return request.without[static_cast<std::size_t>(fault)];
}

Outcome failure(std::uint64_t step, int law = 3) {
  Outcome outcome;
  outcome.failed = true;
  outcome.step = step;
  outcome.breach = Breach{law, "this", "that", {}};
  return outcome;
}

// Fails at step 37, as long as the server crashes.
Outcome crash_at_37(const Request& request) {
  return request.steps >= 37 && !off(request, Fault::kCrash) ? failure(37) : Outcome{};
}

TEST(Shrinker, FindsTheShortestPrefixThatFails) {
  Request request;
  request.steps = 2000;
  Outcome late = failure(1500);
  const Shrunk shrunk = shrink(request, late, crash_at_37, 200);
  EXPECT_EQ(shrunk.request.steps, 37U);
  EXPECT_TRUE(shrunk.outcome.failed);
}

TEST(Shrinker, SwitchesOffWhatTheFailureDoesNotNeed) {
  const Shrunk shrunk = shrink(Request{}, failure(1500), crash_at_37, 200);
  for (std::size_t i = 0; i < kFaults; ++i) {
    const auto fault = static_cast<Fault>(i);
    EXPECT_EQ(shrunk.request.without[i], fault != Fault::kCrash) << name(fault);
  }
}

TEST(Shrinker, TakesAnotherBreachForAnotherFailure) {
  const auto run = [](const Request& request) {
    return request.steps < 1000 ? failure(request.steps, 7) : failure(1200, 3);
  };
  const Shrunk shrunk = shrink(Request{}, failure(1500), run, 200);
  EXPECT_EQ(shrunk.outcome.breach.law, 3);
  EXPECT_GE(shrunk.request.steps, 1000U);
}

TEST(Shrinker, NeverRunsLongerThanWasAsked) {
  std::uint64_t longest = 0;
  // What fails only after the last step, as a device that is never done.
  const auto run = [&longest](const Request& request) {
    longest = std::max(longest, request.steps);
    return failure(50'000);
  };
  const Shrunk shrunk = shrink(Request{}, failure(50'000), run, 200);
  EXPECT_LE(shrunk.request.steps, Request{}.steps);
  EXPECT_LE(longest, Request{}.steps);
}

TEST(Shrinker, KeepsToItsBudget) {
  std::size_t runs = 0;
  const auto run = [&runs](const Request& request) {
    ++runs;
    return crash_at_37(request);
  };
  const Shrunk shrunk = shrink(Request{}, failure(1500), run, 5);
  EXPECT_EQ(runs, 5U);
  EXPECT_EQ(shrunk.runs, 5U);
  EXPECT_TRUE(shrunk.outcome.failed);
}

TEST(Plan, IsDrawnFromTheSeedAloneWhateverTheNumberOfSteps) {
  Request request;
  request.seed = 11;
  const std::string drawn = Plan::draw(request).text();
  request.steps = 5;
  EXPECT_EQ(Plan::draw(request).text(), drawn);
  request.seed = 12;
  EXPECT_NE(Plan::draw(request).text(), drawn);
}

TEST(Plan, LeavesTheOtherFaultsAloneWhenOneIsSwitchedOff) {
  Request request;
  request.seed = 3;
  const Plan all = Plan::draw(request);
  request.without[static_cast<std::size_t>(Fault::kCrash)] = true;
  const Plan without = Plan::draw(request);
  for (std::size_t i = 0; i < kFaults; ++i) {
    const bool crash = static_cast<Fault>(i) == Fault::kCrash;
    EXPECT_EQ(without.rate[i], crash ? 0 : all.rate[i]) << i;
  }
}

TEST(CommandLine, NamesWhatItNeedsToRepeat) {
  Request request;
  request.seed = 5;
  request.steps = 70;
  request.devices = 2;
  request.without[static_cast<std::size_t>(Fault::kLoss)] = true;
  request.without[static_cast<std::size_t>(Fault::kTorn)] = true;
  EXPECT_EQ(command_line(request),
            "waystation simulate --seed 5 --steps 70 --devices 2 --without loss,torn");
}

}  // namespace
}  // namespace waystation::simulate

// After whatever devices did, in whatever order it arrived, what is kept equals a recount of the
// records, and every order ends with the same numbers.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "tests/support/counted.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

constexpr std::uint64_t kDevices = 3;
constexpr std::int64_t kHourMs = 3'600'000;

struct Act {
  std::uint8_t device = 0;
  std::uint8_t what = 0;
  std::uint8_t who = 0;
  std::uint8_t value = 0;
};

std::ostream& operator<<(std::ostream& out, const Act& act) {
  return out << fmt::format("device {} does {} with {} and {}", act.device, act.what, act.who,
                            act.value);
}

rc::Gen<Act> acts() {
  return rc::gen::resize(
      rc::kNominalSize,
      rc::gen::build<Act>(rc::gen::set(&Act::device, rc::gen::inRange<std::uint8_t>(0, kDevices)),
                          rc::gen::set(&Act::what, rc::gen::inRange<std::uint8_t>(0, 12)),
                          rc::gen::set(&Act::who, rc::gen::inRange<std::uint8_t>(0, 5)),
                          rc::gen::set(&Act::value, rc::gen::inRange<std::uint8_t>(0, 8))));
}

std::string hour(std::uint8_t value) {
  return fmt::format("2026-01-0{}T{:02}:59:59+08:00", 1 + value % 3, (value * 7) % 24);
}

// `n`-th op of its device. Few records, so that they meet.
OpText text_of(const Act& act, std::uint64_t n) {
  const std::string who = fmt::format("p{}", act.who);
  const std::string visit = fmt::format("v{}", (act.who * 3 + act.value) % 9);
  const std::string attendance = "e1~" + who;
  const std::string key = fmt::format(R"("event":"e1","volunteer":"{}")", who);
  OpText text = op(n).written(kStart + act.value * 1000);
  text.schema = 2;
  switch (act.what) {
    case 0:
    case 1:
      return text.on("visit", visit)
          .does(fmt::format(R"("set":{{"visitor":"courier","at":"{}","party_size":{}}})",
                            hour(act.value), 1 + act.value));
    case 2:
    case 3:
      return text.on("visit", visit)
          .does(fmt::format(R"("set":{{"visitor":"other","at":"{}","corrects":"v{}"}})",
                            hour(act.value), act.who));
    case 4:
      return text.on("visit", visit)
          .does(fmt::format(R"("set":{{"visitor":"other","at":"{}","corrects":"v{}","void":true}})",
                            hour(act.value), act.who));
    case 5: return text.on("visit", visit).does(R"("add":{"services":["water","rest"]})");
    case 6: return text.on("attendance", attendance).does(R"("del":true)");
    case 7:
      return text.on("attendance", attendance)
          .does(fmt::format(R"("set":{{{},"minutes":{}}})", key, act.value * 10));
    case 8:
      return text.on("attendance", attendance)
          .does(fmt::format(R"("set":{{{},"signed_out":"{}"}})", key, hour(act.value)));
    case 9:
      return text.on("volunteer", who)
          .does(fmt::format(R"("set":{{"team":"t{}","merged_into":"p{}"}})", act.value,
                            act.value % 5));
    case 10: return text.on("volunteer", who).does(R"("set":{"merged_into":null})");
    default:
      return text.on("attendance", attendance)
          .does(fmt::format(R"("set":{{{},"signed_in":"{}","points":{}}})", key, hour(act.value),
                            act.value));
  }
}

// All ops arrive, each device's own in their order; `order` says whose turn it is.
Counted arrive(const std::vector<Act>& acts, const std::vector<std::uint64_t>& order,
               std::size_t batch) {
  World world;
  std::map<std::uint64_t, std::vector<OpText>> queues;
  std::vector<std::uint64_t> devices;
  for (std::uint64_t i = 0; i < kDevices; ++i) devices.push_back(world.enroll({"t"}));
  for (const Act& act : acts) {
    auto& queue = queues[devices.at(act.device)];
    queue.push_back(text_of(act, queue.size() + 1));
  }
  world.now += kHourMs;
  std::map<std::uint64_t, std::size_t> next;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::uint64_t device = devices.at(order[i]);
    std::vector<OpText> pushed;
    while (pushed.size() < batch && next[device] < queues[device].size()) {
      pushed.push_back(queues[device][next[device]++]);
    }
    if (!pushed.empty()) (void)world.push(device, pushed);
  }
  const Counted kept = kept_rows(world.store());
  RC_ASSERT(kept == recounted_rows(world.store(), *projections()));
  return without_births(kept);
}

RC_GTEST_PROP(Projections, EqualARecountWhateverArrivedInWhateverOrder, ()) {
  const auto acted = *rc::gen::container<std::vector<Act>>(acts());
  const std::size_t rounds = acted.size() + 1;
  std::vector<std::uint64_t> first;
  for (std::uint64_t device = 0; device < kDevices; ++device) {
    first.insert(first.end(), rounds, device);
  }
  const Counted counted = arrive(acted, first, 3);
  std::vector<std::uint64_t> last(first.rbegin(), first.rend());
  // Facts are the first op's alone, so that what two devices write under one id is not one fact.
  const bool shared =
      std::any_of(acted.begin(), acted.end(), [](const Act& act) { return act.what <= 5; });
  const Counted other = arrive(acted, last, 1);
  if (!shared) RC_ASSERT(counted == other);
}

// Visits as devices make them: each under an id of its own.
RC_GTEST_PROP(Projections, OfVisitsAreTheSameInEveryOrder, ()) {
  const auto acted = *rc::gen::container<std::vector<Act>>(acts());
  std::vector<OpText> ops;
  for (std::size_t i = 0; i < acted.size(); ++i) {
    const Act& act = acted[i];
    std::string more;
    if (act.what > 5)
      more = fmt::format(R"(,"corrects":"v{}")", act.who % std::max<std::size_t>(1, acted.size()));
    if (act.what > 9) more += R"(,"void":true)";
    OpText text =
        op(1)
            .on("visit", fmt::format("v{}", i))
            .does(fmt::format(R"("set":{{"visitor":"courier","at":"{}","party_size":{}{}}})",
                              hour(act.value), 1 + act.value, more));
    text.schema = 2;
    ops.push_back(std::move(text));
  }
  const auto counted_in = [&](std::vector<std::size_t> order, std::size_t batch) {
    World world;
    const std::uint64_t device = world.enroll({"t"});
    std::vector<OpText> pushed;
    for (std::size_t i = 0; i < order.size(); ++i) {
      pushed.push_back(ops[order[i]]);
      pushed.back().n = i + 1;
      if (pushed.size() < batch && i + 1 < order.size()) continue;
      RC_ASSERT(world.push(device, pushed).applied == i + 1);
      pushed.clear();
    }
    const Counted kept = kept_rows(world.store());
    RC_ASSERT(kept == recounted_rows(world.store(), *projections()));
    return kept;
  };
  std::vector<std::size_t> order(ops.size());
  std::iota(order.begin(), order.end(), 0);
  const Counted first = counted_in(order, 4);
  std::reverse(order.begin(), order.end());
  RC_ASSERT(first == counted_in(order, 1));
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[*rc::gen::inRange<std::size_t>(0, i)]);
  }
  RC_ASSERT(first == counted_in(order, 2));
}

}  // namespace
}  // namespace waystation::testing

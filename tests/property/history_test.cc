// Random histories: two to five devices that push, pull now and then, and carry clocks that are
// wrong, on three records. Whatever order each epoch's ops arrive in, the end is the same, and it
// is what the model says.
#include "tests/support/history.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <map>

namespace waystation::testing {
namespace {

constexpr std::int64_t kEpochMs = 600'000;
constexpr std::size_t kDevices = 5;

// What RapidCheck draws for one op, and shrinks.
struct Draw {
  std::uint8_t device = 0;
  std::uint8_t record = 0;
  std::uint8_t what = 0;
  std::uint8_t value = 0;
  std::int16_t clock = 0;  // seconds off
  bool pulls = false;      // the device has pulled before it wrote this
  bool forgets = false;    // it was filled anew, and knows nothing of any record
};

std::ostream& operator<<(std::ostream& out, const Draw& draw) {
  return out << fmt::format("device {} record {} does {} with {}, {} s off{}", draw.device % 5,
                            draw.record % 3, draw.what, draw.value, draw.clock,
                            draw.pulls ? ", has pulled" : "") +
                    (draw.forgets ? ", has forgotten" : "");
}

// At full size, however short the history: RapidCheck narrows ranges with the size.
rc::Gen<Draw> draws() {
  return rc::gen::resize(
      rc::kNominalSize,
      rc::gen::build<Draw>(
          rc::gen::set(&Draw::device, rc::gen::inRange<std::uint8_t>(0, kDevices)),
          rc::gen::set(&Draw::record, rc::gen::inRange<std::uint8_t>(0, 3)),
          rc::gen::set(&Draw::what, rc::gen::inRange<std::uint8_t>(0, 12)),
          rc::gen::set(&Draw::value, rc::gen::inRange<std::uint8_t>(0, 4)),
          rc::gen::set(&Draw::clock, rc::gen::weightedOneOf<std::int16_t>(
                                         {{3, rc::gen::inRange<std::int16_t>(-30, 30)},
                                          {1, rc::gen::arbitrary<std::int16_t>()}})),
          rc::gen::set(&Draw::pulls),
          rc::gen::set(&Draw::forgets,
                       rc::gen::map(rc::gen::inRange(0, 8), [](int i) { return i == 0; }))));
}

std::string edits(const Draw& draw, bool deletable) {
  const char value = static_cast<char>('p' + draw.value);
  switch (draw.what) {
    case 0: return deletable ? R"("del":true)" : R"("inc":{"rest":1})";
    case 1: return fmt::format(R"("inc":{{"cups":{}}})", draw.value - 2);
    case 2: return fmt::format(R"("add":{{"marks":["{}"]}})", value);
    case 3: return fmt::format(R"("remove":{{"marks":["{}","q"]}})", value);
    case 4: return fmt::format(R"("append":{{"story":["{}"]}})", value);
    case 5: return R"("set":{"words":null})";
    case 6: return fmt::format(R"("set":{{"words":"{}","extra":{}}})", value, draw.value);
    case 7: return fmt::format(R"("add":{{"marks":["{}","s"]}},"remove":{{"marks":["p"]}})", value);
    case 8: return fmt::format(R"("set":{{"extra":{}}},"inc":{{"cups":10}})", draw.value);
    case 9: return deletable && draw.value > 1 ? R"("del":true)" : R"("set":{"words":"z"})";
    default: return fmt::format(R"("set":{{"words":"{}"}})", value);
  }
}

History history_of(const std::vector<std::vector<Draw>>& drawn) {
  constexpr std::array kRecords{std::pair("note", "n1"), std::pair("note", "n2"),
                                std::pair("station_day", "s~2026-01-01")};
  History history;
  std::map<std::uint64_t, std::uint64_t> last_n;
  std::map<std::uint64_t, std::size_t> known;
  for (const auto& draws_of_epoch : drawn) {
    Epoch epoch{kStart + kEpochMs * static_cast<std::int64_t>(history.size() + 1), {}};
    for (const Draw& draw : draws_of_epoch) {
      const std::uint64_t device = 100 + draw.device % kDevices;
      const auto [coll, id] = kRecords.at(draw.record % kRecords.size());
      if (draw.pulls) known[device] = history.size();
      if (draw.forgets) known[device] = 0;
      const std::int64_t wall = epoch.now - kEpochMs / 2 + std::int64_t{draw.clock} * 1000;
      epoch.events.push_back(
          Event{device, known[device],
                received(op(++last_n[device])
                             .on(coll, id)
                             .written(wall)
                             .does(edits(draw, std::string_view(coll) == "note")))});
    }
    history.push_back(std::move(epoch));
  }
  return history;
}

// An order of the epoch that keeps each device's own, made from random numbers.
Order shuffled(const Epoch& epoch, const std::vector<std::uint16_t>& random) {
  Order order;
  std::size_t drawn = 0;
  while (order.size() < epoch.events.size()) {
    std::vector<std::size_t> next;  // the first op of each device that has not arrived
    for (std::size_t i = 0; i < epoch.events.size(); ++i) {
      if (std::find(order.begin(), order.end(), i) != order.end()) continue;
      const bool waits = std::any_of(next.begin(), next.end(), [&](std::size_t other) {
        return epoch.events[other].device == epoch.events[i].device;
      });
      if (!waits) next.push_back(i);
    }
    const std::size_t pick = random.empty() ? 0 : random[drawn++ % random.size()];
    order.push_back(next[pick % next.size()]);
  }
  return order;
}

const World& fresh() {
  static const World& made = []() -> const World& {
    static World world;
    for (std::size_t i = 0; i < kDevices; ++i) world.enroll_as(100 + i, {"t"});
    return world;
  }();
  return made;
}

Outcome outcome_of(const World& start, const History& history, Batching batching,
                   const std::vector<std::uint16_t>& random, Outcome* model = nullptr) {
  const auto world = start.fork();
  Arrival arrival(*world);
  for (const Epoch& epoch : history) {
    RC_ASSERT(arrival.play(epoch, shuffled(epoch, random), batching) == "");
  }
  if (model != nullptr) *model = expected(history, *world);
  return arrival.outcome();
}

RC_GTEST_PROP(Histories, EndTheSameInWhateverOrderTheyArrive, ()) {
  const auto drawn = *rc::gen::resize(12, rc::gen::container<std::vector<std::vector<Draw>>>(
                                              rc::gen::container<std::vector<Draw>>(draws())));
  RC_PRE(!drawn.empty());
  const auto random =
      *rc::gen::container<std::vector<std::uint16_t>>(20, rc::gen::arbitrary<std::uint16_t>());
  const History history = history_of(drawn);
  Outcome model;
  const Outcome written = outcome_of(fresh(), history, Batching::kOneGroup, {}, &model);
  RC_ASSERT(written == model);
  RC_ASSERT(outcome_of(fresh(), history, Batching::kOneGroup, random) == model);
  RC_ASSERT(outcome_of(fresh(), history, Batching::kRestarting, random) == model);
}

RC_GTEST_PROP(Histories, GiveEachDeviceRisingStampsThatAreNeverAboveTheSeq, ()) {
  const auto drawn = *rc::gen::resize(10, rc::gen::container<std::vector<std::vector<Draw>>>(
                                              rc::gen::container<std::vector<Draw>>(draws())));
  const auto random =
      *rc::gen::container<std::vector<std::uint16_t>>(20, rc::gen::arbitrary<std::uint16_t>());
  const History history = history_of(drawn);
  const auto world = fresh().fork();
  Arrival arrival(*world);
  for (const Epoch& epoch : history) {
    RC_ASSERT(arrival.play(epoch, shuffled(epoch, random), Batching::kOneGroup) == "");
  }
  for (std::uint64_t device = 100; device < 100 + kDevices; ++device) {
    Stamp last = 0;
    for (const LogEntry& entry : world->log(device)) {
      Answer told;
      told.verdicts = {entry.verdict};
      RC_ASSERT(entry.stamp > last);
      RC_ASSERT(entry.stamp <= told.seq());
      last = entry.stamp;
    }
    const auto state = world->state(device);
    if (state) RC_ASSERT(state->last_stamp == last);
  }
}

}  // namespace
}  // namespace waystation::testing

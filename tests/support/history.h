// Histories: what several devices did and how much each of them had seen, without saying in which
// order it arrived. A history is a row of epochs. Whatever happens within one epoch is concurrent,
// except that a device's own ops keep their order; at the end of an epoch anybody may look.
//
// arrive() plays a history into a world in one order; expected() says what must come out, from the
// words of docs/merge-rules.md alone, without a record that is changed op by op.
#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "sync/op.h"
#include "tests/support/world.h"

namespace waystation::testing {

struct Event {
  std::uint64_t device = 0;
  std::size_t knows = 0;  // had seen all that was on show when that many epochs had ended
  Op op;
};

struct Epoch {
  std::int64_t now = 0;  // when it arrives
  std::vector<Event> events;
};
using History = std::vector<Epoch>;
using Order = std::vector<std::size_t>;  // of the events of one epoch

enum class Batching {
  kOneGroup,    // all in one write
  kOneByOne,    // a write each
  kRestarting,  // a write each, and the server starts anew in between
};

struct RecordName {
  std::string coll;
  std::string id;
  friend auto operator<=>(const RecordName&, const RecordName&) = default;
};

struct Outcome {
  std::map<RecordName, std::string> visible;
  std::map<RecordName, std::vector<OpenConflict>> conflicts;
  std::string digest;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};
std::ostream& operator<<(std::ostream& out, const Outcome& outcome);

class Arrival {
 public:
  explicit Arrival(World& world) : world_(world) {}
  // Goes on from the same past in another world.
  Arrival(World& world, const Arrival& past) : world_(world), ends_(past.ends_) {}

  // Plays the next epoch. Returns the verdicts that were not "ok", joined.
  std::string play(const Epoch& epoch, const Order& order, Batching batching);
  [[nodiscard]] Outcome outcome() const;

 private:
  World& world_;
  std::vector<std::map<RecordName, Seq>> ends_;  // seqs of the records at the end of each epoch
};

// Every order of an epoch that keeps each device's own order.
[[nodiscard]] std::vector<Order> orders_of(const Epoch& epoch);

// Stamps are looked up in the world, which must have taken in all of the history.
[[nodiscard]] Outcome expected(const History& history, const World& world);

}  // namespace waystation::testing

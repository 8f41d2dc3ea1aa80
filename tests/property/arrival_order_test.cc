// Every order of arrival of six ops on one record ends in the same visible state, the same digest
// and the same open conflicts, and in what docs/merge-rules.md says (tests/support/history.h).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/history.h"

namespace waystation::testing {
namespace {

constexpr std::int64_t kSeedAt = kStart + 60'000;  // a minute for each of the seed's ops
constexpr std::int64_t kEnd = kStart + 3'600'000;  // all six arrive then
constexpr std::size_t kNothing = 0;

struct Step {
  char by;            // A to F, or the author S of most seeds
  std::size_t knows;  // how many of the seed's ops its author had seen
  int at;             // authored, in seconds after kStart + half an hour
  const char* does;
};

struct Scenario {
  const char* name;
  const char* coll;
  const char* id;
  std::vector<Step> seed;  // one after the other
  std::vector<Step> ops;   // in every order
};

std::ostream& operator<<(std::ostream& out, const Scenario& scenario) {
  return out << scenario.name;
}

std::uint64_t device_of(char by) { return 100 + static_cast<std::uint64_t>(by - 'A'); }

class HistoryMaker {
 public:
  explicit HistoryMaker(const Scenario& scenario) : scenario_(scenario) {}

  History make() {
    History history;
    for (const Step& step : scenario_.seed) {
      const std::int64_t now = kSeedAt + 60'000 * static_cast<std::int64_t>(history.size());
      history.push_back(Epoch{now, {event(step, now - 1000)}});
    }
    Epoch last{kEnd, {}};
    for (const Step& step : scenario_.ops) {
      last.events.push_back(event(step, kStart + 1'800'000 + step.at * 1000));
    }
    history.push_back(std::move(last));
    return history;
  }

 private:
  Event event(const Step& step, std::int64_t wall) {
    const std::uint64_t n = ++last_n_[step.by];
    return Event{device_of(step.by), step.knows,
                 received(op(n).on(scenario_.coll, scenario_.id).written(wall).does(step.does))};
  }

  const Scenario& scenario_;
  std::map<char, std::uint64_t> last_n_;
};

class ArrivalOrder : public ::testing::TestWithParam<Scenario> {};

TEST_P(ArrivalOrder, DoesNotMatter) {
  const Scenario& scenario = GetParam();
  const History history = HistoryMaker(scenario).make();
  const Epoch& last = history.back();
  ASSERT_EQ(last.events.size(), 6U);

  World seeded;
  for (const char by : std::string("ABCDEFS")) seeded.enroll_as(device_of(by), {"t"});
  Arrival past(seeded);
  for (std::size_t e = 0; e + 1 < history.size(); ++e) {
    ASSERT_EQ(past.play(history[e], {0}, Batching::kOneByOne), "");
  }

  std::optional<Outcome> first;
  const std::vector<Order> orders = orders_of(last);
  for (const Order& order : orders) {
    for (const Batching batching :
         {Batching::kOneGroup, Batching::kOneByOne, Batching::kRestarting}) {
      const auto world = seeded.fork();
      Arrival arrival(*world, past);
      const std::string told = fmt::format("order of arrival {}, batching {}",
                                           fmt::join(order, " "), static_cast<int>(batching));
      ASSERT_EQ(arrival.play(last, order, batching), "") << told;
      const Outcome outcome = arrival.outcome();
      if (!first) {
        first = outcome;
        ASSERT_EQ(outcome, expected(history, *world)) << told;
      }
      ASSERT_EQ(outcome, *first) << told;
    }
  }
  RecordProperty("orders", static_cast<int>(orders.size()));
}

std::vector<Scenario> registers() {
  const Step seed{'S', kNothing, 0, R"("set":{"text":"seed"})"};
  return {
      {"SixValues",
       "note",
       "n1",
       {seed},
       {{'A', 1, 10, R"("set":{"text":"a"})"},
        {'B', 1, 20, R"("set":{"text":"b"})"},
        {'C', 1, 30, R"("set":{"text":"c"})"},
        {'D', 1, 40, R"("set":{"text":"d"})"},
        {'E', 1, 50, R"("set":{"text":"e"})"},
        {'F', 1, 60, R"("set":{"text":"f"})"}}},
      {"EqualTimesEqualValuesAndAClearing",
       "note",
       "n1",
       {seed},
       {{'A', 1, 10, R"("set":{"text":"x"})"},
        {'B', 1, 10, R"("set":{"text":"y"})"},
        {'C', 1, 10, R"("set":{"text":"x"})"},
        {'D', 1, 20, R"("set":{"text":null})"},
        {'E', 1, 20, R"("set":{"text":"y"})"},
        {'F', kNothing, 5, R"("set":{"text":"seed"})"}}},
      {"NobodyHadSeenTheSeed",
       "note",
       "n1",
       {seed},
       {{'A', kNothing, 10, R"("set":{"text":"a"})"},
        {'B', kNothing, -86'400, R"("set":{"text":"b"})"},
        {'C', kNothing, 30, R"("set":{"text":"c"})"},
        {'D', kNothing, 40, R"("set":{"done":true})"},
        {'E', 1, 35, R"("set":{"text":"e"})"},
        {'F', 1, 60, R"("set":{"done":false})"}}},
      {"TheRecordIsNew",
       "note",
       "n1",
       {},
       {{'A', kNothing, 10, R"("set":{"text":"a"})"},
        {'B', kNothing, 20, R"("set":{"text":"b","about":"b"})"},
        {'C', kNothing, 30, R"("set":{"about":"c"})"},
        {'D', kNothing, 10, R"("set":{"text":"d"})"},
        {'E', kNothing, 5, R"("set":{"about":"e"})"},
        {'F', kNothing, 60, R"("set":{"author":"f"})"}}},
      {"DevicesGoOnFromTheirOwn",
       "note",
       "n1",
       {seed},
       {{'A', 1, 10, R"("set":{"text":"a1"})"},
        {'A', 1, 50, R"("set":{"text":"a2"})"},
        {'B', 1, 20, R"("set":{"text":"b1"})"},
        {'B', 1, 30, R"("set":{"text":"b2"})"},
        {'C', 1, 40, R"("set":{"text":"c1"})"},
        {'C', 1, 5, R"("set":{"text":"c2"})"}}},
      {"OneDeviceWritesFourTimes",
       "note",
       "n1",
       {seed},
       {{'A', 1, 10, R"("set":{"text":"a1"})"},
        {'A', 1, 90, R"("set":{"text":"a2"})"},
        {'A', 1, 30, R"("set":{"text":null})"},
        {'A', 1, 40, R"("set":{"text":"a1"})"},
        {'B', 1, 35, R"("set":{"text":"b"})"},
        {'C', kNothing, 100, R"("set":{"text":"a1"})"}}},
      {"ClocksThatAreDaysOff",
       "note",
       "n1",
       {seed},
       {{'A', 1, -864'000, R"("set":{"text":"slow"})"},
        {'A', 1, 864'000, R"("set":{"text":"fast"})"},
        {'B', 1, -864'000, R"("set":{"text":"slow too"})"},
        {'C', 1, 864'000, R"("set":{"text":"fast too"})"},
        {'C', 1, 0, R"("set":{"text":"fast, then right"})"},
        {'D', kNothing, 864'000, R"("set":{"text":"fast and blind"})"}}},
      {"ConflictsStoodBefore",
       "note",
       "n1",
       {seed, {'A', 1, 0, R"("set":{"text":"a"})"}, {'B', 1, 0, R"("set":{"text":"b"})"}},
       {{'C', 2, 10, R"("set":{"text":"c"})"},
        {'D', 3, 20, R"("set":{"text":"d"})"},
        {'E', 1, 30, R"("set":{"text":"e"})"},
        {'A', 2, 15, R"("set":{"text":"a2"})"},
        {'B', 1, 25, R"("set":{"text":"b2"})"},
        {'F', 3, 5, R"("set":{"text":null})"}}},
      {"AFieldThatNoSchemaKnows",
       "note",
       "n1",
       {seed},
       {{'A', 1, 10, R"("set":{"from_later":{"x":[1,2.50]}})"},
        {'B', 1, 20, R"("set":{"from_later":{"x":[1,2.5]}})"},
        {'C', 1, 15, R"("set":{"from_later":false})"},
        {'D', 1, 30, R"("set":{"from_later":null})"},
        {'D', 1, 31, R"("set":{"from_later":"水"})"},
        {'E', 1, 12, R"("set":{"from_later":1e3})"}}},
      {"ANaturalKey",
       "attendance",
       "e1~v7",
       {{'S', kNothing, 0, R"("set":{"event":"e1","volunteer":"v7","note":"A"})"}},
       {{'A', 1, 10, R"("set":{"note":"B","minutes":60})"},
        {'B', 1, 5, R"("set":{"note":"C"})"},
        {'B', 1, 20, R"("set":{"note":"D"})"},
        {'C', kNothing, 15, R"("set":{"event":"e1","volunteer":"v7","minutes":90})"},
        {'D', 1, 12, R"("del":true)"},
        {'D', 1, 30, R"("set":{"note":"E"},"add":{"tags":["again"]})"}}},
  };
}

std::vector<Scenario> deletes() {
  const Step seed{'S', kNothing, 0, R"("set":{"text":"seed","about":"x"},"add":{"tags":["s"]})"};
  const Step gone{'S', 1, 0, R"("del":true)"};
  return {
      {"ADeleteAndFiveEdits",
       "note",
       "n1",
       {seed},
       {{'A', 1, 30, R"("del":true)"},
        {'B', 1, 10, R"("set":{"text":"b"})"},
        {'C', 1, 60, R"("set":{"text":"c"})"},
        {'D', 1, 40, R"("set":{"about":"d"})"},
        {'E', kNothing, 50, R"("set":{"text":"e"})"},
        {'F', 1, 20, R"("add":{"tags":["f"]})"}}},
      {"SeveralDeletes",
       "note",
       "n1",
       {seed},
       {{'A', 1, 30, R"("del":true)"},
        {'B', 1, 10, R"("del":true)"},
        {'C', kNothing, 20, R"("del":true)"},
        {'D', 1, 40, R"("set":{"text":"d"})"},
        {'D', 1, 45, R"("del":true)"},
        {'E', 1, 50, R"("set":{"text":"e"})"}}},
      {"TheDeleterWritesAgain",
       "note",
       "n1",
       {seed},
       {{'A', 1, 30, R"("del":true)"},
        {'A', 1, 50, R"("set":{"text":"again"})"},
        {'B', 1, 10, R"("set":{"text":"b"})"},
        {'C', 1, 60, R"("set":{"text":"c"})"},
        {'C', 1, 61, R"("set":{"about":"c"})"},
        {'D', 1, 20, R"("remove":{"tags":["s"]})"}}},
      {"TwoDeletersWriteAgain",
       "note",
       "n1",
       {seed},
       {{'A', 1, 10, R"("del":true)"},
        {'A', 1, 20, R"("set":{"text":"a"})"},
        {'B', 1, 15, R"("del":true)"},
        {'B', 1, 25, R"("set":{"text":"b"},"add":{"tags":["b"]})"},
        {'C', 1, 30, R"("set":{"text":"c"})"},
        {'D', 1, 35, R"("add":{"tags":["s","d"]})"}}},
      {"DeletedWrittenDeleted",
       "note",
       "n1",
       {seed},
       {{'A', 1, 10, R"("del":true)"},
        {'A', 1, 20, R"("set":{"text":"a"})"},
        {'A', 1, 30, R"("del":true)"},
        {'B', 1, 15, R"("set":{"text":"b"})"},
        {'C', 1, 25, R"("set":{"about":"c"})"},
        {'C', 1, 35, R"("set":{"about":"c2"})"}}},
      {"SomeHadSeenTheDelete",
       "note",
       "n1",
       {seed, gone},
       {{'A', 2, 10, R"("set":{"text":"a"})"},
        {'B', 2, 20, R"("set":{"text":"b"})"},
        {'C', 1, 30, R"("set":{"text":"c"})"},
        {'D', 1, 40, R"("del":true)"},
        {'E', 2, 15, R"("set":{"about":"e"})"},
        {'F', kNothing, 25, R"("set":{"text":"f"})"}}},
      {"SomeWereFilledAnewSinceTheDelete",
       "note",
       "n1",
       {seed, gone},
       {{'A', 2, 50, R"("set":{"text":"a"},"add":{"tags":["s"]})"},
        {'A', kNothing, 55, R"("set":{"text":"late"},"add":{"tags":["s"]})"},
        {'B', 2, 45, R"("set":{"text":"b"})"},
        {'C', 2, 30, R"("set":{"about":"c"})"},
        {'C', kNothing, 60, R"("remove":{"tags":["s"]},"set":{"about":"late"})"},
        {'D', 2, 40, R"("del":true)"}}},
      {"AllHadSeenTheDelete",
       "note",
       "n1",
       {seed, gone},
       {{'A', 2, 10, R"("set":{"text":"a"})"},
        {'A', 2, 50, R"("del":true)"},
        {'B', 2, 20, R"("set":{"text":"b"})"},
        {'C', 2, 30, R"("set":{"text":"c"},"add":{"tags":["s"]})"},
        {'C', 2, 35, R"("remove":{"tags":["s"]})"},
        {'S', 2, 15, R"("set":{"about":"s"})"}}},
      {"DeletedBroughtBackAndHalfSeen",
       "note",
       "n1",
       {seed, gone, {'A', 2, 0, R"("set":{"text":"back"})"}},
       {{'B', 3, 10, R"("del":true)"},
        {'C', 2, 20, R"("set":{"text":"c"})"},
        {'D', 1, 30, R"("set":{"text":"d"})"},
        {'E', 3, 40, R"("set":{"text":"e"})"},
        {'S', 1, 15, R"("set":{"text":"s"})"},
        {'A', 2, 25, R"("del":true)"}}},
      {"ConflictsStoodBeforeTheDelete",
       "note",
       "n1",
       {seed, {'A', 1, 0, R"("set":{"text":"a"})"}, {'B', 1, 0, R"("set":{"text":"b"})"}},
       {{'C', 3, 10, R"("del":true)"},
        {'A', 2, 20, R"("del":true)"},
        {'D', 3, 30, R"("set":{"text":"d"})"},
        {'B', 1, 40, R"("set":{"text":"b2"})"},
        {'C', 3, 50, R"("set":{"text":"a"})"},
        {'E', 2, 5, R"("set":{"text":"e"})"}}},
      {"ARemoveBringsBack",
       "note",
       "n1",
       {seed, gone},
       {{'A', 2, 10, R"("remove":{"tags":["s"]})"},
        {'B', 1, 20, R"("remove":{"tags":["s"]})"},
        {'C', 1, 30, R"("add":{"tags":["s"]})"},
        {'C', 1, 31, R"("remove":{"tags":["s"]})"},
        {'D', kNothing, 40, R"("add":{"tags":["s"]})"},
        {'E', 2, 50, R"("add":{"tags":["e"]})"}}},
  };
}

std::vector<Scenario> counters() {
  const Step seed{'S', kNothing, 0, R"("set":{"text":"seed"},"inc":{"cups":5})"};
  const Step day{'S', kNothing, 0, R"("inc":{"water":5})"};
  return {
      {"ACounterThatCanBeDeleted",
       "note",
       "n1",
       {seed},
       {{'A', 1, 10, R"("inc":{"cups":1})"},
        {'B', 1, 20, R"("inc":{"cups":-7})"},
        {'C', 1, 30, R"("inc":{"cups":100,"plates":1})"},
        {'D', 1, 40, R"("del":true)"},
        {'D', 1, 50, R"("inc":{"cups":1000})"},
        {'E', kNothing, 5, R"("inc":{"cups":10000})"}}},
      {"ACounterThatCanBeDeletedButIsNot",
       "note",
       "n1",
       {seed},
       {{'A', 1, 10, R"("inc":{"cups":1})"},
        {'A', 1, 20, R"("inc":{"cups":1})"},
        {'B', 1, 20, R"("inc":{"cups":-1})"},
        {'C', 1, 30, R"("inc":{"cups":0})"},
        {'D', kNothing, 40, R"("inc":{"cups":9,"plates":-3})"},
        {'E', 1, 50, R"("inc":{"cups":9007199254740000})"}}},
      {"ACounterOfADeletedRecord",
       "note",
       "n1",
       {seed, {'S', 1, 0, R"("del":true)"}},
       {{'A', 1, 10, R"("inc":{"cups":1})"},
        {'B', 2, 20, R"("inc":{"cups":2})"},
        {'B', 2, 21, R"("inc":{"cups":2})"},
        {'C', 2, 30, R"("del":true)"},
        {'D', 2, 40, R"("inc":{"cups":4})"},
        {'S', 2, 50, R"("inc":{"cups":8})"}}},
      {"TheTapsOfAStationsDay",
       "station_day",
       "s012~2026-01-01",
       {day},
       {{'A', 1, 10, R"("inc":{"water":1,"delivery_rider":1})"},
        {'A', 1, 20, R"("inc":{"water":-1})"},
        {'B', 1, 30, R"("inc":{"water":1})"},
        {'C', kNothing, 40, R"("inc":{"water":1,"courier":2})"},
        {'D', 1, 50, R"("inc":{"courier":-2})"},
        {'E', 1, 60, R"("set":{"station":"s012","day":"2026-01-01"},"inc":{"from_later":3})"}}},
      {"UnknownCountersOfAStationsDay",
       "station_day",
       "s012~2026-01-01",
       {},
       {{'A', kNothing, 10, R"("inc":{"tea":1})"},
        {'B', kNothing, 20, R"("inc":{"tea":1})"},
        {'B', kNothing, 25, R"("inc":{"tea":-5})"},
        {'C', kNothing, 30, R"("inc":{"tea":0})"},
        {'D', kNothing, 40, R"("inc":{"tea":2,"soup":2})"},
        {'E', kNothing, 60, R"("inc":{"soup":-2})"}}},
  };
}

std::vector<Scenario> sets() {
  const Step seed{'S', kNothing, 0, R"("add":{"tags":["x","y"]})"};
  return {
      {"AddsAndRemoves",
       "note",
       "n1",
       {seed},
       {{'A', 1, 10, R"("remove":{"tags":["x"]})"},
        {'B', 1, 20, R"("add":{"tags":["x"]})"},
        {'C', 1, 30, R"("add":{"tags":["z","水"]})"},
        {'D', kNothing, 40, R"("remove":{"tags":["y","z"]})"},
        {'E', 1, 50, R"("remove":{"tags":["y"]})"},
        {'F', kNothing, 60, R"("add":{"tags":["y"]})"}}},
      {"DevicesRemoveTheirOwn",
       "note",
       "n1",
       {seed},
       {{'A', 1, 10, R"("add":{"tags":["a","x"]})"},
        {'A', 1, 20, R"("remove":{"tags":["a","x"]})"},
        {'B', 1, 15, R"("remove":{"tags":["x"]})"},
        {'B', 1, 25, R"("add":{"tags":["x"]})"},
        {'C', 1, 5, R"("add":{"tags":["a"]},"remove":{"tags":["y"]})"},
        {'C', 1, 30, R"("add":{"tags":["y"]},"remove":{"tags":["y"]})"}}},
      {"ASetUnderADelete",
       "note",
       "n1",
       {seed},
       {{'A', 1, 10, R"("del":true)"},
        {'A', 1, 20, R"("add":{"tags":["x"]})"},
        {'B', 1, 15, R"("add":{"tags":["x","b"]})"},
        {'C', 1, 25, R"("remove":{"tags":["x"]})"},
        {'C', 1, 30, R"("add":{"tags":["c"]})"},
        {'D', kNothing, 5, R"("add":{"tags":["y"]})"}}},
      {"ASetOfADeletedRecord",
       "note",
       "n1",
       {seed, {'S', 1, 0, R"("del":true)"}},
       {{'A', 2, 10, R"("add":{"tags":["x","x"]})"},
        {'B', 1, 15, R"("add":{"tags":["x"]})"},
        {'B', 1, 16, R"("add":{"tags":["b"]})"},
        {'C', 2, 25, R"("add":{"tags":["b"]})"},
        {'C', 2, 30, R"("del":true)"},
        {'D', 1, 5, R"("remove":{"tags":["y"]})"}}},
      {"ASetThatNoSchemaKnows",
       "note",
       "n1",
       {seed},
       {{'A', 1, 10, R"("add":{"later":[{"a":1},[1]]})"},
        {'B', 1, 20, R"("remove":{"later":[[1]]})"},
        {'C', 1, 30, R"("add":{"later":[[1.0],null]})"},
        {'C', 1, 40, R"("remove":{"later":[null]})"},
        {'D', 1, 50, R"("del":true)"},
        {'E', 1, 60, R"("add":{"later":[true]})"}}},
  };
}

std::vector<Scenario> logs() {
  const Step seed{'S', kNothing, 0, R"("append":{"remarks":["seed"]})"};
  return {
      {"SixEntries",
       "event",
       "e1",
       {seed},
       {{'A', 1, 60, R"("append":{"remarks":["a","b"]})"},
        {'B', 1, 10, R"("append":{"remarks":["b"]})"},
        {'B', 1, 5, R"("append":{"remarks":["b2"]})"},
        {'C', 1, 10, R"("append":{"remarks":["c"]})"},
        {'D', kNothing, -86'400, R"("append":{"remarks":["d"]})"},
        {'E', 1, 10, R"("append":{"remarks":["b"]})"}}},
      {"ALogUnderADelete",
       "event",
       "e1",
       {seed},
       {{'A', 1, 10, R"("append":{"remarks":["a"]})"},
        {'A', 1, 30, R"("del":true)"},
        {'B', 1, 20, R"("append":{"remarks":["b"]})"},
        {'C', 1, 40, R"("append":{"remarks":["c"]})"},
        {'A', 1, 50, R"("append":{"remarks":["a2"]})"},
        {'D', kNothing, 5, R"("append":{"remarks":["d"]})"}}},
      {"ALogOfADeletedRecord",
       "event",
       "e1",
       {seed, {'S', 1, 0, R"("del":true)"}},
       {{'A', 2, 10, R"("append":{"remarks":["a"]})"},
        {'B', 1, 20, R"("append":{"remarks":["b"]})"},
        {'B', 2, 30, R"("append":{"remarks":["b2"]})"},
        {'C', 2, 40, R"("del":true)"},
        {'D', 2, 50, R"("append":{"remarks":["d"]})"},
        {'S', 2, 15, R"("append":{"remarks":["s"]})"}}},
      {"AFactIsAnnotated",
       "visit",
       "v1",
       {{'S', kNothing, 0,
         R"("set":{"visitor":"courier","at":"2026-01-01T08:30:00+08:00"},"add":{"services":["water"]})"}},
       {{'A', 1, 10, R"("append":{"remarks":["a"]})"},
        {'B', 1, 20, R"("append":{"remarks":["b"]},"add":{"services":["rest"]})"},
        {'B', 1, 30, R"("append":{"remarks":["b2"]})"},
        {'C', kNothing, 40, R"("add":{"services":["water","wifi"]})"},
        {'D', 1, 50, R"("append":{"remarks":["a"]})"},
        {'E', 1, 15, R"("add":{"services":["rest"]})"}}},
  };
}

std::vector<Scenario> mixed() {
  const Step seed{'S', kNothing, 0,
                  R"("set":{"title":"t"},"append":{"remarks":["r"]},"inc":{"count":1},)"
                  R"("add":{"marks":["m"]})"};
  return {
      {"AllTypesTogether",
       "event",
       "e1",
       {seed},
       {{'A', 1, 10, R"("set":{"title":"a"},"append":{"remarks":["a"]},"inc":{"count":1})"},
        {'B', 1, 20, R"("set":{"title":"b"},"add":{"marks":["b"]},"remove":{"marks":["m"]})"},
        {'C', 1, 30, R"("inc":{"count":-3},"add":{"marks":["m"]})"},
        {'D', kNothing, 40, R"("set":{"title":null},"append":{"remarks":["d"]})"},
        {'E', 1, 5, R"("set":{"title":"e","place":"p"})"},
        {'E', 1, 50, R"("set":{"place":"q"},"inc":{"count":2})"}}},
      {"AllTypesUnderADelete",
       "event",
       "e1",
       {seed},
       {{'A', 1, 10, R"("set":{"title":"a"},"append":{"remarks":["a"]},"inc":{"count":1})"},
        {'B', 1, 20, R"("del":true)"},
        {'B', 1, 21, R"("set":{"title":"b"},"add":{"marks":["b"]})"},
        {'C', 1, 30, R"("inc":{"count":-3},"add":{"marks":["m"]},"set":{"title":"c"})"},
        {'C', 1, 31, R"("set":{"title":"c2"},"remove":{"marks":["m"]})"},
        {'D', 1, 40, R"("del":true)"}}},
      {"AllTypesAfterADelete",
       "event",
       "e1",
       {seed, {'S', 1, 0, R"("del":true)"}},
       {{'A', 2, 10, R"("set":{"title":"a"},"append":{"remarks":["a"]},"inc":{"count":1})"},
        {'B', 1, 20, R"("set":{"title":"b"},"append":{"remarks":["b"]},"inc":{"count":1})"},
        {'C', 2, 30, R"("del":true)"},
        {'C', 2, 31, R"("set":{"title":"c"},"inc":{"count":7},"add":{"marks":["m"]})"},
        {'D', 2, 40, R"("append":{"remarks":["d"]},"add":{"marks":["d"]})"},
        {'E', 2, 25, R"("set":{"title":"e"})"}}},
  };
}

std::string name_of(const ::testing::TestParamInfo<Scenario>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Registers, ArrivalOrder, ::testing::ValuesIn(registers()), name_of);
INSTANTIATE_TEST_SUITE_P(Deletes, ArrivalOrder, ::testing::ValuesIn(deletes()), name_of);
INSTANTIATE_TEST_SUITE_P(Counters, ArrivalOrder, ::testing::ValuesIn(counters()), name_of);
INSTANTIATE_TEST_SUITE_P(Sets, ArrivalOrder, ::testing::ValuesIn(sets()), name_of);
INSTANTIATE_TEST_SUITE_P(Logs, ArrivalOrder, ::testing::ValuesIn(logs()), name_of);
INSTANTIATE_TEST_SUITE_P(Mixed, ArrivalOrder, ::testing::ValuesIn(mixed()), name_of);

}  // namespace
}  // namespace waystation::testing

// The slow model and the engine, on random histories: devices that push one op at a time, pull now
// and then, and carry wrong clocks. They were written apart from each other, so where they agree
// both are right or docs/merge-rules.md can be read in two ways.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "tests/support/world.h"
#include "tools/simulate/model.h"

namespace waystation::testing {
namespace {

using simulate::LoggedOp;
using simulate::ModelConflict;
using simulate::ModelRecord;
using simulate::ModelRecords;
using simulate::RecordName;

constexpr std::size_t kDevices = 4;

// What RapidCheck draws for one op, and shrinks.
struct Draw {
  std::uint8_t device = 0;
  std::uint8_t record = 0;
  std::uint8_t what = 0;
  std::uint8_t value = 0;
  std::int16_t clock = 0;    // seconds off
  bool pulls = false;        // has pulled before it wrote this
  bool by_digest = false;    // tells what it has seen by the scope's last digest
  std::uint16_t claims = 0;  // what a device that does not keep the rules says it has seen
};

std::ostream& operator<<(std::ostream& out, const Draw& draw) {
  return out << fmt::format("device {} record {} does {} with {}, {} s off{}{}, claims {}",
                            draw.device, draw.record, draw.what, draw.value, draw.clock,
                            draw.pulls ? ", has pulled" : "",
                            draw.by_digest ? ", by the digest" : "", draw.claims);
}

rc::Gen<Draw> draws() {
  using rc::gen::inRange;
  return rc::gen::resize(
      rc::kNominalSize,
      rc::gen::build<Draw>(
          rc::gen::set(&Draw::device, inRange<std::uint8_t>(0, kDevices)),
          rc::gen::set(&Draw::record, inRange<std::uint8_t>(0, 4)),
          rc::gen::set(&Draw::what, inRange<std::uint8_t>(0, 14)),
          rc::gen::set(&Draw::value, inRange<std::uint8_t>(0, 4)),
          rc::gen::set(&Draw::clock, rc::gen::weightedOneOf<std::int16_t>(
                                         {{3, inRange<std::int16_t>(-30, 30)},
                                          {1, rc::gen::arbitrary<std::int16_t>()}})),
          rc::gen::set(&Draw::pulls), rc::gen::set(&Draw::by_digest), rc::gen::set(&Draw::claims)));
}

std::string edits(const Draw& draw, bool deletable) {
  const char value = static_cast<char>('p' + draw.value);
  switch (draw.what) {
    case 0: return deletable ? R"("del":true)" : R"("inc":{"rest":1})";
    case 1: return fmt::format(R"("inc":{{"cups":{}}})", draw.value - 2);
    case 2: return fmt::format(R"("add":{{"marks":["{}"]}})", value);
    case 3: return fmt::format(R"("remove":{{"marks":["{}","q"]}})", value);
    case 4: return fmt::format(R"("append":{{"story":["{}","{}"]}})", value, draw.value);
    case 5: return R"("set":{"words":null})";
    case 6: return fmt::format(R"("set":{{"words":"{}","extra":{}}})", value, draw.value);
    case 7: return fmt::format(R"("add":{{"marks":["{}","s"]}},"remove":{{"marks":["p"]}})", value);
    case 8: return fmt::format(R"("set":{{"extra":{}}},"inc":{{"cups":10}})", draw.value);
    case 9: return deletable && draw.value > 1 ? R"("del":true)" : R"("set":{"words":"z"})";
    case 10: return fmt::format(R"("set":{{"extra":{{"b":[{},1.50],"a":null}}}})", draw.value);
    default: return fmt::format(R"("set":{{"words":"{}"}})", value);
  }
}

enum class Bases {
  kKept,    // as the protocol asks for
  kClaimed  // any number, also one from the future or less than the time before
};

class Server {
 public:
  Server() {
    for (std::uint64_t i = 0; i < kDevices; ++i) world_.enroll_as(100 + i, {"t"});
  }

  // Returns the code of the verdict.
  std::string play(const Draw& draw, Bases bases) {
    constexpr std::array kRecords{std::pair("note", "n1"), std::pair("note", "n2"),
                                  std::pair("note", "n3"),
                                  std::pair("station_day", "s~2026-01-01")};
    const auto [coll, id] = kRecords.at(draw.record);
    const std::uint64_t device = 100 + draw.device;
    Knowledge& knows = knows_[device];
    world_.now += 1000;
    if (draw.pulls) knows.pulled = world_.position();
    const RecordName name{"t", coll, id};
    const Seq base =
        bases == Bases::kKept ? kept_base(name, knows, draw) : claimed_base(name, knows, draw);
    const auto answer =
        world_.push(device, {op(++knows.n)
                                 .on(coll, id)
                                 .having_seen(base)
                                 .written(world_.now + std::int64_t{draw.clock} * 1000)
                                 .does(edits(draw, std::string_view(coll) == "note"))});
    seqs_[name].push_back(answer.seq());
    return answer.codes();
  }

  [[nodiscard]] ModelRecords model() const {
    std::vector<LoggedOp> ops;
    for (std::uint64_t device : {kOffice, std::uint64_t{100}, std::uint64_t{101},
                                 std::uint64_t{102}, std::uint64_t{103}}) {
      std::uint64_t n = 0;
      for (const LogEntry& entry : world_.log(device)) {
        Answer told;
        told.verdicts = {entry.verdict};
        ++n;
        if (told.code() == "ok") {
          ops.push_back(LoggedOp{device, n, told.seq(), entry.stamp, entry.op});
        }
      }
    }
    return simulate::slow_model(ops, schemas());
  }

  [[nodiscard]] ModelRecords engine(const ModelRecords& names) const {
    ModelRecords records;
    for (const auto& [name, ignored] : names) {
      ModelRecord record;
      record.visible = world_.visible(name.coll, name.id, name.scope);
      if (record.visible == "deleted") record.visible.clear();
      for (const OpenConflict& open : world_.conflicts(name.coll, name.id, name.scope)) {
        record.conflicts.push_back(
            ModelConflict{open.field, open.device, open.n, open.part, open.kind, open.value});
      }
      records.emplace(name, std::move(record));
    }
    return records;
  }

 private:
  struct Knowledge {
    std::uint64_t n = 0;
    Seq pulled = 0;
    std::map<RecordName, Seq> claimed;
  };

  // The record's seq in the last changes; of a record that was not among them, of the digest.
  Seq kept_base(const RecordName& name, const Knowledge& knows, const Draw& draw) {
    if (draw.by_digest) return knows.pulled;
    Seq base = 0;
    for (const Seq seq : seqs_[name]) {
      if (seq <= knows.pulled) base = std::max(base, seq);
    }
    return base;
  }

  Seq claimed_base(const RecordName& name, Knowledge& knows, const Draw& draw) {
    const Seq start = seq_from_ms(kStart);
    const Seq end = world_.position() + (Seq{5000} << kCounterBits);
    const Seq claim = start + (end - start) / 0x10000 * draw.claims;
    Seq& claimed = knows.claimed[name];
    if (draw.claims % 5 != 0) claimed = claim;
    return claimed;
  }

  World world_;
  std::map<std::uint64_t, Knowledge> knows_;
  std::map<RecordName, std::vector<Seq>> seqs_;
};

void agree(Bases bases) {
  const auto drawn = *rc::gen::resize(60, rc::gen::container<std::vector<Draw>>(draws()));
  Server server;
  for (const Draw& draw : drawn) RC_ASSERT(server.play(draw, bases) == "ok");
  const ModelRecords model = server.model();
  RC_ASSERT(server.engine(model) == model);
}

RC_GTEST_PROP(ModelAndEngine, AgreeOnHistoriesThatKeepTheRules, ()) { agree(Bases::kKept); }

RC_GTEST_PROP(ModelAndEngine, AgreeWhateverDevicesClaimToHaveSeen, ()) { agree(Bases::kClaimed); }

}  // namespace
}  // namespace waystation::testing

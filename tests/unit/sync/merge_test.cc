// schemas/vectors/merge.json through the applier, and what the vectors cannot say.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "sync/canonical.h"
#include "sync/device_id.h"
#include "tests/support/json.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

// Stamps of the vectors are seconds after this.
constexpr std::int64_t kZero = kStart + 60'000;

std::uint64_t device_of(std::string_view letter) {
  return 1000 + static_cast<std::uint64_t>(letter[0] - 'A');
}

// The vector's text with its devices and times written as a server does.
void append_log(std::string& out, dom::element entries) {
  out += '[';
  for (const dom::element entry : dom::array(entries)) {
    if (out.back() != '[') out += ',';
    out += fmt::format(R"({{"at":{},"by":"{}","v":{}}})", kZero + std::int64_t(entry["at"]) * 1000,
                       format_device_id(device_of(std::string_view(entry["by"]))),
                       simdjson::minify(entry["v"].value()));
  }
  out += ']';
}

std::string expected_visible(dom::element expect, const Collection& collection) {
  if (has(expect, "deleted")) return "deleted";
  std::string out = "{";
  for (const auto field : dom::object(expect["fields"])) {
    if (out.size() > 1) out += ',';
    append_json_string(out, field.key);
    out += ':';
    const FieldSpec* spec = collection.field(field.key);
    dom::array items;
    const bool entries = field.value.get(items) == simdjson::SUCCESS && items.size() > 0 &&
                         items.at(0).is_object() && has(items.at(0).value(), "at");
    if ((spec != nullptr && spec->merge == MergeType::kLog) || (spec == nullptr && entries)) {
      append_log(out, field.value);
    } else {
      out += simdjson::minify(field.value);
    }
  }
  out += '}';
  const auto canonical = canonicalize(out);
  return canonical ? *canonical : canonical.error().context;
}

std::vector<std::string> expected_conflicts(dom::element expect) {
  std::vector<std::string> all;
  for (const dom::element conflict : dom::array(expect["conflicts"])) {
    all.push_back(fmt::format("{} {} {} by {}", text_of(conflict, "field"),
                              text_of(conflict, "kind"),
                              *canonicalize(simdjson::minify(conflict["value"].value())),
                              device_of(text_of(conflict, "by"))));
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<std::string> as_texts(const std::vector<OpenConflict>& conflicts) {
  std::vector<std::string> all;
  for (const OpenConflict& c : conflicts) {
    all.push_back(fmt::format("{} {} {} by {}", c.field, c.kind, c.value, c.device));
  }
  std::sort(all.begin(), all.end());
  return all;
}

// The inside of the op's object, without base.
std::string edits_of(dom::element op) {
  std::string edits;
  for (const auto member : dom::object(op)) {
    if (member.key == "base") continue;
    if (!edits.empty()) edits += ',';
    append_json_string(edits, member.key);
    edits += ':';
    edits += simdjson::minify(member.value);
  }
  return edits;
}

TEST(MergeVectors, EveryCaseEndsAsWritten) {
  const JsonText file = vectors("merge");
  World start;
  for (const char* letter : {"A", "B", "C"}) start.enroll_as(device_of(letter), {"t"});
  std::size_t cases = 0;
  for (const dom::element vector : dom::array(file.root()["cases"])) {
    SCOPED_TRACE(text_of(vector, "name"));
    ++cases;
    const auto world = start.fork();
    const std::string coll = text_of(vector, "coll");
    const std::string id = text_of(vector, "id");
    std::map<std::string, Seq> seqs;
    std::map<std::string, std::uint64_t> last_n;
    world->now = kZero;
    for (const dom::element step : dom::array(vector["steps"])) {
      const std::string by = text_of(step, "device");
      const std::int64_t authored = kZero + std::int64_t(step["stamp"]) * 1000;
      world->now = std::max(world->now, authored);
      std::string base;
      if (dom::element(step["op"]["base"]).is_string()) base = text_of(step["op"], "base");
      const Answer answer = world->push(device_of(by), {op(++last_n[by])
                                                            .on(coll, id)
                                                            .written(authored)
                                                            .having_seen(seqs[base])
                                                            .does(edits_of(step["op"]))});
      ASSERT_EQ(answer.codes(), "ok") << answer.receipt;
      seqs[text_of(step, "name")] = answer.seq();
      EXPECT_EQ(ms_from_seq(world->log(device_of(by)).back().stamp), authored);
    }
    EXPECT_EQ(world->visible(coll, id), expected_visible(vector["expect"], *schemas().find(coll)));
    EXPECT_EQ(as_texts(world->conflicts(coll, id)), expected_conflicts(vector["expect"]));
    EXPECT_EQ(world->conflict_count(coll, id), world->conflicts(coll, id).size());
    EXPECT_EQ(world->digest(), world->recomputed_digest());
  }
  EXPECT_GE(cases, 100U);
}

class Merge : public ::testing::Test {
 protected:
  Merge() {
    for (const std::uint64_t device : {p, q, r}) world.enroll_as(device, {"t"});
    world.now = kStart + 3'600'000;
  }
  // Authored that many seconds after the start.
  static OpText at(std::uint64_t n, int second, const std::string& edits) {
    return op(n).written(kStart + second * 1000).does(edits);
  }

  static constexpr std::uint64_t p = 10;
  static constexpr std::uint64_t q = 11;
  static constexpr std::uint64_t r = 12;
  World world;
};

TEST_F(Merge, AnOpThatLosesSaysSoInItsVerdict) {
  world.push(p, {at(1, 20, R"("set":{"text":"p"})")});
  const Answer answer = world.push(q, {at(1, 10, R"("set":{"text":"q","about":"x"})")});
  EXPECT_EQ(answer.code(), "ok");
  EXPECT_EQ(answer.lost(), std::vector<std::string>{"text"});
  EXPECT_EQ(world.visible(), R"({"about":"x","text":"p"})");
}

TEST_F(Merge, AnOpThatWinsLosesNothing) {
  world.push(p, {at(1, 20, R"("set":{"text":"p"})")});
  EXPECT_TRUE(world.push(q, {at(1, 30, R"("set":{"text":"q"})")}).lost().empty());
}

TEST_F(Merge, EveryFieldOfAnOpThatADeleteHidesIsLost) {
  world.push(p, {at(1, 10, R"("set":{"text":"p"})"), at(2, 20, R"("del":true)")});
  const Answer answer =
      world.push(q, {at(1, 30, R"("set":{"text":"q"},"add":{"tags":["x"]},"inc":{"cups":1})")});
  EXPECT_EQ(answer.lost(), (std::vector<std::string>{"text", "cups", "tags"}));
  EXPECT_EQ(world.visible(), "deleted");
  EXPECT_EQ(world.conflict_count(), 3U);
}

TEST_F(Merge, AddWinsOverARemoveThatHadNotSeenIt) {
  const Seq seen = world.push(p, {at(1, 1, R"("add":{"tags":["x"]})")}).seq();
  world.push(q, {at(1, 10, R"("remove":{"tags":["x"]})").having_seen(seen)});
  EXPECT_EQ(world.visible(), "{}");
  world.push(r, {at(1, 5, R"("add":{"tags":["x"]})").having_seen(seen)});
  EXPECT_EQ(world.visible(), R"({"tags":["x"]})");
}

TEST_F(Merge, ABaseThatDoesNotExistYetCountsAsTheNewest) {
  world.push(p, {at(1, 10, R"("set":{"text":"p"})")});
  const Answer answer =
      world.push(q, {at(1, 20, R"("set":{"text":"q"})").having_seen(9'007'199'254'740'991)});
  EXPECT_EQ(answer.code(), "ok");
  EXPECT_EQ(world.visible(), R"({"text":"q"})");
  EXPECT_TRUE(world.conflicts().empty());
}

TEST_F(Merge, ASlowClockDoesNotLoseToTheValueThatItReplaced) {
  const Seq seen = world.push(p, {at(1, 3000, R"("set":{"text":"p"})")}).seq();
  world.push(q, {at(1, -86'400, R"("set":{"text":"q"})").having_seen(seen)});
  EXPECT_EQ(world.visible(), R"({"text":"q"})");
  EXPECT_TRUE(world.conflicts().empty());
}

TEST_F(Merge, AFastClockDoesNotWinOverWhatWasWrittenLater) {
  world.push(p, {at(1, 864'000, R"("set":{"text":"from the future"})")});
  world.now += 10'000;
  world.push(q, {op(1).written(world.now).does(R"("set":{"text":"later"})")});
  EXPECT_EQ(world.visible(), R"({"text":"later"})");
}

TEST_F(Merge, TheLostValuesBeyondTheTrackedOnesStayForReview) {
  for (std::uint64_t device = 100; device < 200; ++device) {
    world.enroll_as(device, {"t"});
    world.push(device,
               {at(1, static_cast<int>(device), fmt::format(R"("set":{{"text":"{}"}})", device))});
  }
  EXPECT_EQ(world.visible(), R"({"text":"199"})");
  EXPECT_EQ(world.conflicts().size(), 99U);
}

TEST_F(Merge, ASetHoldsItsElementsOnceAndInByteOrder) {
  world.push(p, {at(1, 1, R"("add":{"tags":["水","b","a"]})")});
  world.push(q, {at(1, 2, R"("add":{"tags":["a","～","😀"]})")});
  EXPECT_EQ(world.visible(), R"({"tags":["a","b","水","～","😀"]})");
}

TEST_F(Merge, ACounterKeepsItsSumWhenItReachesZero) {
  world.push(p, {at(1, 1, R"("inc":{"water":2})").on("station_day", "s~2026-01-01"),
                 at(2, 2, R"("inc":{"water":-2})").on("station_day", "s~2026-01-01")});
  EXPECT_EQ(world.visible("station_day", "s~2026-01-01"), R"({"water":0})");
}

TEST_F(Merge, AFactTakesOnlyWhatAddsToIt) {
  const auto fact = [](std::uint64_t n, const std::string& edits) {
    return op(n).on("visit", "v1").does(edits);
  };
  const Answer answer = world.push(
      p, {fact(1, R"("append":{"remarks":["before it is there"]})"),
          fact(2, R"("set":{"visitor":"courier","at":null})"),
          fact(3, R"("set":{"visitor":"courier","at":"2026-01-01T08:30:00+08:00"})"),
          fact(4, R"("set":{"note":"x"})"), fact(5, R"("remove":{"services":["water"]})"),
          fact(6, R"("inc":{"later":1})"), fact(7, R"("del":true)"),
          fact(8, R"("append":{"remarks":["after"]},"add":{"services":["water"]})")});
  EXPECT_EQ(answer.codes(),
            "field.required field.required ok facts.immutable facts.immutable facts.immutable "
            "delete.forbidden ok");
}

TEST_F(Merge, AnUnknownFieldKeepsTheKindThatItWasFirstWrittenWith) {
  const Answer answer =
      world.push(p, {at(1, 1, R"("inc":{"later":1})"), at(2, 2, R"("set":{"later":1})"),
                     at(3, 3, R"("add":{"later":[1]})"), at(4, 4, R"("inc":{"later":1})")});
  EXPECT_EQ(answer.codes(), "ok field.kind field.kind ok");
  EXPECT_EQ(world.visible(), R"({"later":2})");
}

}  // namespace
}  // namespace waystation::testing

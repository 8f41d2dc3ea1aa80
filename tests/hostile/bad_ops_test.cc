// Ops that are refused one by one: each has its verdict, lies in the quarantine, and holds nobody
// up. Given as the text of the op, for some cannot be written otherwise.

#include <fmt/format.h>

#include <ostream>

#include "tests/hostile/hostile_server.h"

namespace waystation::testing {
namespace {

struct BadOp {
  const char* name;
  const char* code;
  std::string members;  // behind n, wall, mono and boot
  friend void PrintTo(const BadOp& row, std::ostream* out) { *out << row.name; }
};

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

// Members of an op about a note.
std::string note(const std::string& edits) {
  return R"("scope":"s","coll":"note","id":"bad",)" + edits;
}
std::string about_record(const std::string& coll, const std::string& id, const std::string& edits) {
  return fmt::format(R"("scope":"s","coll":"{}","id":"{}",{})", coll, id, edits);
}

const std::vector<BadOp> kBadOps{
    {"SixtyFourLevelsOfNesting", "json.too_deep", note(R"("set":{"extra":)" + nested(64) + "}")},
    {"OneLevelTooDeep", "json.too_deep", note(R"("set":{"extra":)" + nested(15) + "}")},
    {"AnIntegerBeyond53Bits", "json.number", note(R"("set":{"extra":9007199254740992})")},
    {"ANegativeOneBeyond53Bits", "json.number", note(R"("set":{"extra":-9007199254740992})")},
    {"AnIntegerBeyond64Bits", "json.number", note(R"("set":{"extra":18446744073709551616})")},
    {"ANumberBeyondADouble", "json.number", note(R"("set":{"extra":1e400})")},
    {"AnIncBeyond53Bits", "json.number",
     about_record("station_day", "a~2026-01-01", R"("inc":{"water":9007199254740993})")},
    {"HalfASurrogatePair", "string.surrogate", note(R"("set":{"text":"a\ud83db"})")},
    {"TheOtherHalf", "string.surrogate", note(R"("set":{"text":"\ude00"})")},
    {"APairTheWrongWayRound", "string.surrogate", note(R"("set":{"text":"\ude00\ud83d"})")},
    {"HalfAPairInAFieldName", "string.surrogate", note(R"("set":{"a\ud800":1})")},
    {"TheSameFieldTwice", "json.duplicate_key", note(R"("set":{"text":"a","text":"b"})")},
    {"TheSameKeyTwice", "json.duplicate_key", note(R"("set":{"text":"a"},"set":{"text":"b"})")},

    {"AScopeThatIsNotThere", "scope.forbidden",
     R"("scope":"nowhere","coll":"note","id":"bad","set":{"text":"a"})"},
    {"AScopeIdThatIsNone", "scope.unknown",
     R"("scope":"a b","coll":"note","id":"bad","set":{"text":"a"})"},
    {"AScopeIdWithANul", "scope.unknown",
     R"("scope":"s\u0000","coll":"note","id":"bad","set":{"text":"a"})"},
    {"AScopeOfOthers", "scope.forbidden",
     R"("scope":"foreign","coll":"note","id":"bad","set":{"text":"a"})"},
    {"TheRecordOfAScope", "scope.forbidden",
     R"("scope":"s","coll":"scope","id":"s","set":{"title":"mine"})"},
    {"ACollectionThatIsNotThere", "collection.unknown",
     about_record("gossip", "bad", R"("set":{"text":"a"})")},
    {"ACollectionNameThatIsNone", "collection.unknown",
     about_record("No Such", "bad", R"("set":{"text":"a"})")},

    {"AnIdThatIsTooLong", "record.id",
     about_record("note", std::string(129, 'a'), R"("set":{"text":"a"})")},
    {"AnEmptyId", "record.id", about_record("note", "", R"("set":{"text":"a"})")},
    {"AnIdThatClimbs", "record.id", about_record("note", "../a", R"("set":{"text":"a"})")},
    {"AnIdInChinese", "record.id", about_record("note", "水", R"("set":{"text":"a"})")},
    {"AnIdThatIsNotTheNaturalKey", "record.key",
     about_record("attendance", "e1", R"("set":{"note":"a"})")},
    {"AKeyFieldThatContradictsTheId", "record.key",
     about_record("attendance", "e1~v1", R"("set":{"event":"e2"})")},

    {"AFieldNameInUpperCase", "field.name", note(R"("set":{"Text":"a"})")},
    {"AnEmptyFieldName", "field.name", note(R"("set":{"":"a"})")},
    {"AFieldNameThatIsTooLong", "field.name",
     note(R"("set":{")" + std::string(65, 'a') + R"(":1})")},
    {"CountingWhatIsNoCounter", "field.kind", note(R"("inc":{"text":1})")},
    {"AddingToWhatIsNoSet", "field.kind", note(R"("add":{"text":["a"]})")},
    {"SettingASet", "field.kind", note(R"("set":{"tags":"a"})")},
    {"ANumberForAText", "field.type", note(R"("set":{"text":5})")},
    {"ATextForABoolean", "field.type", note(R"("set":{"done":"yes"})")},
    {"AFractionForACounter", "field.type",
     about_record("station_day", "a~2026-01-01", R"("inc":{"water":1.5})")},
    {"ATextThatIsTooLong", "field.limit",
     note(R"("set":{"text":")" + std::string(4001, 'a') + R"("})")},
    {"AnIncThatIsTooLarge", "field.limit",
     about_record("station_day", "a~2026-01-01", R"("inc":{"water":1001})")},
    {"MoreThanARecordMayHold", "record.too_large",
     note(R"("set":{"extra":")" + std::string(65'000, 'a') + R"(","more":")" +
          std::string(65'000, 'b') + R"("})")},
    {"AFactWithoutWhatItMustHold", "field.required",
     about_record("visit", "v1", R"("set":{"visitor":"courier"})")},
    {"DeletingADaysCounters", "delete.forbidden",
     about_record("station_day", "a~2026-01-01", R"("del":true)")},

    {"NothingEdited", "op.invalid", R"("scope":"s","coll":"note","id":"bad")"},
    {"TheScopeIsANumber", "op.invalid", R"("scope":5,"coll":"note","id":"bad","set":{"text":"a"})"},
    {"NoCollection", "op.invalid", R"("scope":"s","id":"bad","set":{"text":"a"})"},
    {"SetIsAnArray", "op.invalid", note(R"("set":["text"])")},
    {"AddWithoutAnArray", "op.invalid", note(R"("add":{"tags":"a"})")},
    {"AppendOfNothing", "op.invalid",
     about_record("attendance", "e~v", R"("append":{"remarks":[]})")},
    {"DeletingAndWriting", "op.invalid", note(R"("del":true,"set":{"text":"a"})")},
    {"DeletingHalfHeartedly", "op.invalid", note(R"("del":false)")},
    {"ABaseBelowNothing", "op.invalid", note(R"("base":-1,"set":{"text":"a"})")},
    {"TheSameFieldInTwoWays", "op.invalid", note(R"("set":{"text":"a"},"inc":{"text":1})")},
};

class BadOps : public HostileServer, public ::testing::WithParamInterface<BadOp> {
 protected:
  static std::string bad(std::uint64_t n) {
    const Json clock = clock_json();
    return fmt::format(R"({{"n":{},"wall":{},"mono":{},"boot":"b",{}}})", n,
                       clock["wall"].get<std::int64_t>(), clock["mono"].get<std::int64_t>(),
                       GetParam().members);
  }

  // A good op, the bad one, and a good one behind it.
  static std::string push_value() {
    return R"({"ops":[)" + note_of(1, kScope, "before", "a").dump() + "," + bad(2) + "," +
           note_of(3, kScope, "behind", "b").dump() + "]}";
  }

  void expect_in_quarantine() const {
    const Json kept = office().quarantine(device());
    ASSERT_EQ(kept.size(), 1U);
    EXPECT_EQ(kept[0]["code"], GetParam().code);
    EXPECT_EQ(kept[0]["n"], 2);
    EXPECT_EQ(kept[0]["op"]["n"], 2) << "the op is kept whole";
    EXPECT_EQ(office().record(kScope, "note", "bad"), Json(nullptr));
  }
};

TEST_P(BadOps, OverHttpOneIsRefusedAndTheOthersAreTaken) {
  std::string frame = hello_frame(device());
  frame.pop_back();
  frame += ",\"push\":" + push_value() + "}";
  HttpCaller http(server());
  const Reply reply = http.unchecked("POST", "/v1/sync", frame);
  ASSERT_EQ(reply.status, 200) << reply.text;
  EXPECT_EQ(verdict_codes(reply.body["receipt"]), fmt::format("ok {} ok", GetParam().code));
  EXPECT_EQ(reply.body["receipt"]["applied"], 3);
  expect_in_quarantine();
  // Handed in again it has the same verdict, word for word, and lies in the quarantine once.
  const Reply again = http.unchecked("POST", "/v1/sync", frame);
  EXPECT_EQ(again.body["receipt"].dump(), reply.body["receipt"].dump());
  expect_in_quarantine();
  expect_all_are_served();
}

TEST_P(BadOps, OnTheWebSocketOneIsRefusedAndTheOthersAreTaken) {
  const auto live = greeted(device());
  const Json answer = live->ask_unchecked(R"({"push":)" + push_value() + "}");
  ASSERT_TRUE(answer.is_object() && answer.contains("receipt")) << answer;
  EXPECT_EQ(verdict_codes(answer["receipt"]), fmt::format("ok {} ok", GetParam().code));
  expect_in_quarantine();
  expect_served_on(*live);
  expect_all_are_served();
}

INSTANTIATE_TEST_SUITE_P(Table, BadOps, ::testing::ValuesIn(kBadOps),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace waystation::testing

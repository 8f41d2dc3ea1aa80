// What is said of the lines of an import before anything is sent.

#include <gtest/gtest.h>

#include "storage/schema_files.h"
#include "sync/canonical.h"
#include "tools/import/plan.h"

namespace waystation {
namespace {

class ImportPlan : public testing::Test {
 protected:
  // Reads a whole file; what each line came to, in order: "ok" with its records, or the reason.
  std::vector<std::string> read(ImportKind kind, std::string_view text,
                                InputFormat format = InputFormat::kCsv, ScopeRoot root = {}) {
    Planner planner(*schemas_, kind, std::move(root));
    auto input = read_input(text, format, planner.columns());
    if (!input) return {input.error().context};
    std::vector<std::string> outcomes;
    InputLine line;
    while ((*input)->next(line)) {
      auto plan = planner.plan(line);
      outcomes.push_back(plan ? "ok" : plan.error().context);
      lines_.push_back(line.line);
      if (plan) plans_.push_back(std::move(*plan));
    }
    return outcomes;
  }

  Result<Schemas> schemas_ = load_schemas(WS_SOURCE_DIR "/schemas");
  std::vector<Plan> plans_;
  std::vector<std::size_t> lines_;
};

constexpr const char* kDivisionHead =
    "district_code,district,town_code,town,village_code,village\n";

TEST_F(ImportPlan, ADivisionLineMakesItsDistrictTownAndVillage) {
  const auto outcomes =
      read(ImportKind::kDivisions,
           std::string(kDivisionHead) + "445202,榕城区,445202001,榕华街道,445202001001,进东社区\n",
           InputFormat::kCsv, ScopeRoot{"4452", "揭阳市"});
  EXPECT_EQ(outcomes, std::vector<std::string>{"ok"});
  ASSERT_EQ(plans_[0].records.size(), 4U);
  EXPECT_EQ(edits_between({}, plans_[0].records[0]),
            R"("set":{"code":"4452","kind":"city","title":"揭阳市"})");
  EXPECT_EQ(plans_[0].records[3].scope, "445202001001");
  EXPECT_EQ(edits_between({}, plans_[0].records[3]),
            R"("set":{"code":"445202001001","kind":"community","parent":"445202001",)"
            R"("title":"进东社区"})");
}

TEST_F(ImportPlan, WhatAnEarlierLineSaidInTheSameWordsIsLeftOut) {
  read(ImportKind::kDivisions,
       std::string(kDivisionHead) + "445202,榕城区,445202001,榕华街道,445202001001,进东社区\n" +
           "445202,榕城区,445202001,榕华街道,445202001002,进安社区\n",
       InputFormat::kCsv, ScopeRoot{"4452", "揭阳市"});
  ASSERT_EQ(plans_[1].records.size(), 1U);
  EXPECT_EQ(plans_[1].records[0].id, "445202001002");
}

TEST_F(ImportPlan, DivisionCodesMustFitIntoEachOther) {
  const auto outcomes =
      read(ImportKind::kDivisions,
           std::string(kDivisionHead) + "445202,榕城区,445203001,榕华街道,445203001001,进东社区\n" +
               "445202,榕城区,44520200,榕华街道,445202001001,进东社区\n" +
               "445202,榕城区,445202001,榕华街道,445202001001,进东社区\n" +
               "445202,别的区,445202001,榕华街道,445202001002,进安社区\n" +
               "445202,榕城区,445202001,,445202001003,进贤社区\n",
           InputFormat::kCsv, ScopeRoot{"4452", "揭阳市"});
  EXPECT_EQ(outcomes, (std::vector<std::string>{
                          "town_code: 445203001 does not lie in 445202",
                          "town_code: \"44520200\" has not 9 digits",
                          "ok",
                          "scope 445202 stands in line 4 with other values",
                          "town is missing",
                      }));
}

TEST_F(ImportPlan, AStationIsAScopeAndARecordInIt) {
  EXPECT_EQ(
      read(ImportKind::kStations,
           "id,name,kind,division,services\ns1,暖蜂驿站,rest_station,445202001001,water; rest\n"),
      std::vector<std::string>{"ok"});
  const Plan& plan = plans_[0];
  EXPECT_EQ(plan.needs, std::vector<std::string>{"445202001001"});
  ASSERT_EQ(plan.records.size(), 2U);
  EXPECT_EQ(plan.records[0].scope, "station:s1");
  EXPECT_EQ(plan.records[0].id, "station:s1");
  EXPECT_EQ(edits_between({}, plan.records[0]),
            R"("set":{"kind":"station","parent":"445202001001","title":"暖蜂驿站"})");
  EXPECT_EQ(plan.records[1].id, "s1");
  EXPECT_EQ(edits_between({}, plan.records[1]),
            R"("set":{"division":"445202001001","kind":"rest_station","name":"暖蜂驿站"},)"
            R"("add":{"services":["rest","water"]})");
}

TEST_F(ImportPlan, BadLinesAreNamedWithTheirReasonAndTheRestGoesOn) {
  const auto outcomes = read(ImportKind::kStations,
                             "id,name,kind,services\n"
                             "s1,a,shop,\n"
                             ",b,rest_station,\n"
                             "s3,c,rest_station\n"
                             "s 4,d,rest_station,\n"
                             "s5,e,rest_station,sauna\n"
                             "s6,\xD3\xC3,rest_station,\n"
                             "s7,g,rest_station,water\n"
                             "s7,h,rest_station,water\n");
  ASSERT_EQ(outcomes.size(), 8U);
  EXPECT_EQ(outcomes[0], "kind: not one of the choices: drivers_home reading_room rest_station");
  EXPECT_EQ(outcomes[1], "id is missing");
  EXPECT_EQ(outcomes[2], "3 columns, the header has 4");
  EXPECT_EQ(outcomes[3], "id: \"s 4\" is not an id (letters, digits and . _ : -)");
  EXPECT_NE(outcomes[4].find("services: not one of the choices"), std::string::npos);
  EXPECT_NE(outcomes[5].find("not UTF-8"), std::string::npos);
  EXPECT_EQ(outcomes[6], "ok");
  EXPECT_EQ(outcomes[7], "scope station:s7 stands in line 8 with other values");
  EXPECT_EQ(lines_.back(), 9U);
}

TEST_F(ImportPlan, AHeaderThatCannotBeRightStopsTheImport) {
  EXPECT_NE(read(ImportKind::kStations, "id,nmae\ns1,a\n")[0].find("unknown column \"nmae\""),
            std::string::npos);
  EXPECT_NE(read(ImportKind::kStations, "id,kind\ns1,a\n")[0].find("column \"name\" is missing"),
            std::string::npos);
  EXPECT_NE(read(ImportKind::kStations, "id,id,name\n")[0].find("stands twice"), std::string::npos);
  EXPECT_EQ(read(ImportKind::kStations, "")[0], "the file is empty");
  EXPECT_EQ(read(ImportKind::kStations, "\xFF\xFEi\0d")[0], "the file is UTF-16: save it as UTF-8");
}

TEST_F(ImportPlan, EventsAreReadFromJsonLines) {
  const auto outcomes = read(ImportKind::kEvents,
                             "{\"id\":\"e1\",\"title\":\"敬老\",\"headcount\":12,"
                             "\"starts\":\"2026-01-01T08:30:00+08:00\"}\n"
                             "\n"
                             "{\"id\":7,\"title\":\"x\"}\n"
                             "{\"id\":\"e2\",\"title\":\"x\",\"starts\":\"tomorrow\"}\n"
                             "{\"id\":\"e3\",\"title\":\"x\",\"colour\":\"red\"}\n"
                             "{\"id\":\"e4\"\n"
                             "[1]\n",
                             InputFormat::kJsonLines);
  ASSERT_EQ(outcomes.size(), 6U);
  EXPECT_EQ(outcomes[0], "ok");
  EXPECT_EQ(outcomes[1], "id: must be a string");
  EXPECT_NE(outcomes[2].find("must be a time with offset"), std::string::npos);
  EXPECT_EQ(outcomes[3], "unknown key \"colour\"");
  EXPECT_NE(outcomes[4].find("not JSON"), std::string::npos);
  EXPECT_EQ(outcomes[5], "not a JSON object");
  EXPECT_EQ(lines_[1], 3U);
}

TEST_F(ImportPlan, ALongTitleIsShortenedForTheScopeAlone) {
  std::string title;
  for (int i = 0; i < 150; ++i) title += "长";
  ASSERT_EQ(read(ImportKind::kEvents, "id,title\ne1," + title + "\n"),
            std::vector<std::string>{"ok"});
  EXPECT_EQ(plans_[0].records[0].registers["title"].size(), 2 + 99 * 3 + 3U);
  EXPECT_EQ(plans_[0].records[1].registers["title"], "\"" + title + "\"");
}

TEST_F(ImportPlan, ARosterLineNeedsAScopeOfItsOwnOrTheGivenOne) {
  EXPECT_EQ(read(ImportKind::kRoster, "scope,number,name\n,1,王\n"),
            std::vector<std::string>{"scope is missing"});
  EXPECT_EQ(read(ImportKind::kRoster, "number,name,skills\n1,王,急救\n", InputFormat::kCsv,
                 ScopeRoot{"team:1", ""}),
            std::vector<std::string>{"ok"});
  EXPECT_EQ(plans_[0].records[0].scope, "team:1");
  EXPECT_EQ(plans_[0].records[0].id, "1");
}

TEST_F(ImportPlan, AnAttendanceIsOneRecordOfTheEventAndThePerson) {
  const auto outcomes = read(ImportKind::kAttendance,
                             "event,volunteer,signed_in,minutes\n"
                             "e1,v7,2026-01-01T08:30:00+08:00,90\n"
                             "e1,,2026-01-01T08:30:00+08:00,90\n");
  EXPECT_EQ(outcomes, (std::vector<std::string>{"ok", "volunteer is missing"}));
  const PlannedRecord& record = plans_[0].records.at(0);
  EXPECT_EQ(plans_[0].needs, std::vector<std::string>{"event:e1"});
  EXPECT_EQ(record.scope + " " + record.coll + " " + record.id, "event:e1 attendance e1~v7");
  EXPECT_EQ(record.registers.at("minutes"), "90");
}

TEST_F(ImportPlan, AVisitIsAFactOfItsStationUnderTheIdThatTheFileGives) {
  const auto outcomes = read(ImportKind::kVisits,
                             "station,id,visitor,at,services\n"
                             "s1,x1,courier,2026-01-01T08:30:00+08:00,water;rest\n"
                             "s1,x 3,courier,2026-01-01T08:30:00+08:00,\n");
  ASSERT_EQ(outcomes.size(), 2U);
  EXPECT_EQ(outcomes[0], "ok");
  EXPECT_NE(outcomes[1].find("is not an id"), std::string::npos) << outcomes[1];
  EXPECT_EQ(edits_between({}, plans_[0].records.at(0)),
            R"("set":{"at":"2026-01-01T08:30:00+08:00","visitor":"courier"},)"
            R"("add":{"services":["rest","water"]})");
  EXPECT_EQ(plans_[0].needs, std::vector<std::string>{"station:s1"});
}

TEST_F(ImportPlan, AWholePhoneNumberIsNotTaken) {
  EXPECT_EQ(read(ImportKind::kRoster, "scope,number,name,phone_tail\na,1,王,13800001234\n"),
            std::vector<std::string>{"phone_tail: at most 4 characters"});
}

TEST_F(ImportPlan, OnlyTheDifferenceIsHandedIn) {
  PlannedRecord planned;
  planned.registers = {{"kind", "\"rest_station\""}, {"name", "\"B\""}, {"phone", "null"}};
  planned.sets = {{"services", {"\"rest\"", "\"water\""}}};
  EXPECT_EQ(
      edits_between(R"({"kind":"rest_station","name":"B","services":["rest","water"]})", planned),
      "");
  EXPECT_EQ(
      edits_between(R"({"kind":"rest_station","name":"A","phone":"1","services":["books","rest"]})",
                    planned),
      R"("set":{"name":"B","phone":null},"add":{"services":["water"]},)"
      R"("remove":{"services":["books"]})");
  EXPECT_EQ(edits_between({}, planned),
            R"("set":{"kind":"rest_station","name":"B"},"add":{"services":["rest","water"]})");
}

TEST(ScopeRootText, HasAnIdAndPerhapsAName) {
  EXPECT_EQ(parse_scope_root("4452=揭阳市")->title, "揭阳市");
  EXPECT_EQ(parse_scope_root("4452")->id, "4452");
  EXPECT_FALSE(parse_scope_root("揭阳市").has_value());
  EXPECT_FALSE(parse_scope_root("").has_value());
}

}  // namespace
}  // namespace waystation

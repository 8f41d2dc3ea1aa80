// Reports read of what is counted: docs/reports.md.
#include "storage/report.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "storage/schema_files.h"
#include "sync/limits.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

const Reports& reports() {
  static const Reports loaded = *load_reports(WS_SOURCE_DIR "/schemas", schemas(), *projections());
  return loaded;
}

std::string text_of(const std::vector<ReportCell>& cells) {
  std::string out;
  for (const ReportCell& cell : cells) {
    if (!out.empty()) out += " | ";
    out += cell.kind == ReportCell::Kind::kNumber ? std::to_string(cell.number)
           : cell.kind == ReportCell::Kind::kText ? cell.text
                                                  : "-";
  }
  return out;
}

class Reporting : public ::testing::Test {
 protected:
  void SetUp() override {
    write("station", "s1", R"("set":{"name":"榕华暖蜂驿站","division":"445202001001"})", 1, "s");
    write("scope", "s", R"("set":{"title":"站","code":"445202001001"})", 1, "s");
    write("event", "e1", R"("set":{"title":"义诊","category":"health","division":"445202001002"})",
          1);
    write("event", "e2", R"("set":{"title":"清洁","category":"ecology"})", 1);
    write("volunteer", "p1", R"("set":{"name":"陈晓","number":"44001","team":"红"})");
    write("volunteer", "p2", R"("set":{"name":"=林","team":"蓝"})");
    attend("e1", "p1", "2026-01-05T08:00:00+08:00", R"(,"minutes":60,"points":2)");
    attend("e1", "p2", "2026-01-05T08:30:00+08:00", R"(,"minutes":90)");
    attend("e2", "p1", "2026-02-01T08:00:00+08:00", R"(,"minutes":30,"points":1)");
    visit("v1", "2026-01-05T08:10:00+08:00", R"("water")");
    visit("v2", "2026-01-05T23:59:59+08:00", R"("water","rest")");
    visit("v3", "2026-01-06T00:00:00+08:00", R"("rest")");
  }
  void write(const std::string& coll, const std::string& id, const std::string& what,
             std::uint32_t schema = 2, const std::string& scope = "t") {
    if (scope != "t" && known.insert(scope).second) world.have_scope(scope);
    OpText text = op(++n).in(scope).on(coll, id).does(what).having_seen(world.position());
    text.schema = schema;
    ASSERT_EQ(world.push(office, {text}).codes(), "ok") << coll << id;
  }
  void attend(const std::string& event, const std::string& person, const std::string& in,
              const std::string& more) {
    write("attendance", event + "~" + person,
          fmt::format(R"("set":{{"event":"{}","volunteer":"{}","signed_in":"{}"{}}})", event,
                      person, in, more));
  }
  void visit(const std::string& id, const std::string& at, const std::string& services) {
    write("visit", id,
          fmt::format(R"("set":{{"visitor":"courier","at":"{}"}},"add":{{"services":[{}]}})", at,
                      services),
          2, "s");
  }
  // Rows joined by line breaks, and the error's code where there is one.
  std::string ask(const std::string& name, ReportQuery query, const View& view = View(),
                  std::uint64_t offset = 0, std::uint64_t limit = 100) {
    auto plan =
        plan_report(*reports().find(name), std::move(query), *projections(), schemas(), view);
    if (!plan) return std::string(waystation::name(plan.error().code));
    auto reading = ReportReading::open(world.store(), *projections(), std::move(*plan), bounds);
    if (!reading) return std::string(waystation::name(reading.error().code));
    last = std::move(*reading);
    std::string out;
    const Status read = last->each(offset, limit, [&](const std::vector<ReportCell>& cells) {
      out += text_of(cells) + "\n";
      return true;
    });
    return read.ok() ? out : std::string(waystation::name(read.error().code));
  }
  static ReportQuery by(std::vector<std::string> dimensions) {
    ReportQuery query;
    query.by = std::move(dimensions);
    return query;
  }

  // Of a declaration of one's own.
  static Result<Reports> declared(const std::string& rest) {
    return Reports::parse(
        {{"r.json", R"({"report":"r","title":{"zh":"a","en":"b"},"about":{"zh":"a","en":"b"},)" +
                        rest + "}"}},
        schemas(), *projections());
  }
  std::string ask_own(const std::string& declaration, const ReportQuery& query = {}) {
    auto own = declared(declaration);
    if (!own) return own.error().context;
    own_reports.push_back(std::make_unique<Reports>(std::move(*own)));
    auto plan =
        plan_report(*own_reports.back()->find("r"), query, *projections(), schemas(), View());
    EXPECT_TRUE(plan.ok());
    auto reading = ReportReading::open(world.store(), *projections(), std::move(*plan));
    EXPECT_TRUE(reading.ok());
    last = std::move(*reading);
    std::string out;
    EXPECT_TRUE(last->each(0, 100,
                           [&](const std::vector<ReportCell>& cells) {
                             out += text_of(cells) + "\n";
                             return true;
                           })
                    .ok());
    return out;
  }
  // A measure of a declaration.
  static std::string measure(const std::string& name, const std::string& rest) {
    return fmt::format(R"({{"name":"{}","title":{{"zh":"a","en":"b"}},"type":"integer",{}}})", name,
                       rest);
  }
  static std::string dimension(const std::string& name, const std::string& type) {
    return fmt::format(
        R"({{"name":"{}","title":{{"zh":"a","en":"b"}},"type":"{}","parts":[{{"part":"{}"}}]}})",
        name, type, name);
  }

  World world;
  ReportBounds bounds;
  std::vector<std::unique_ptr<Reports>> own_reports;
  std::set<std::string> known;
  std::uint64_t office = world.enroll({"*"});
  std::uint64_t n = 0;
  std::unique_ptr<ReportReading> last;
};

TEST_F(Reporting, VisitsByDayAndStation) {
  EXPECT_EQ(ask("visits", {}),
            "2026-01-05 | s | 榕华暖蜂驿站 | 2 | 2\n2026-01-06 | s | 榕华暖蜂驿站 | 1 | 1\n");
  EXPECT_EQ(last->count(), 2U);
  EXPECT_EQ(text_of(last->totals()), "- | - | - | 3 | 3");
}

TEST_F(Reporting, VisitsByHourByServiceByPlaceAndByKind) {
  EXPECT_EQ(ask("visits", by({"hour"})), "0 | 1 | 1\n8 | 1 | 1\n23 | 1 | 1\n");
  EXPECT_EQ(ask("visits", by({"service"})), "休息 | 2 | 2\n饮水 | 2 | 2\n");
  EXPECT_TRUE(last->totals().empty());  // a visit is in it twice
  EXPECT_EQ(ask("visits", by({"division"})), "445202001001 | 站 | 3 | 3\n");
  EXPECT_EQ(ask("visits", by({"town", "month"})), "445202001 | - | 2026-01 | 3 | 3\n");
  ReportQuery english = by({"visitor"});
  english.english = true;
  EXPECT_EQ(ask("visits", english), "Courier | 3 | 3\n");
}

TEST_F(Reporting, APeriodIsOfLocalDaysBothWithin) {
  ReportQuery query = by({"month"});
  query.from = query.to = "2026-01-05";
  EXPECT_EQ(ask("visits", query), "2026-01 | 2 | 2\n");
  query = by({"hour"});
  query.from = query.to = "2026-01-06";
  EXPECT_EQ(ask("visits", query), "0 | 1 | 1\n");
  query.from = "2026-13-01";
  EXPECT_EQ(ask("visits", query), "report.query");
  query.from = "2026-02-01";
  EXPECT_EQ(ask("visits", query), "report.query");
}

TEST_F(Reporting, WhatCannotBeAskedIsRefused) {
  EXPECT_EQ(ask("visits", by({"colour"})), "report.query");
  EXPECT_EQ(ask("visits", by({"day", "day"})), "report.query");
  EXPECT_EQ(ask("visits", by({"hour", "service"})), "report.query");
  ReportQuery query;
  query.filters["colour"] = "red";
  EXPECT_EQ(ask("visits", query), "report.query");
  query = {};
  query.sort = "station_name";
  EXPECT_EQ(ask("visits", query), "report.query");
  query = {};
  query.measures = {"weight"};
  EXPECT_EQ(ask("visits", query), "report.query");
}

TEST_F(Reporting, HoursByPersonWithNamesByCategoryAndByTeam) {
  ReportQuery query = by({"person"});
  query.sort = "-minutes";
  EXPECT_EQ(ask("hours", query),
            "p1 | 陈晓 | 44001 | 2 | 90 | 3 | 0 | 2\np2 | =林 | - | 1 | 90 | 0 | 0 | 1\n");
  EXPECT_TRUE(last->plan().names_people);
  EXPECT_EQ(ask("hours", by({"category"})),
            "生态环保 | 1 | 30 | 1 | 0 | 1\n卫生健康 | 2 | 150 | 2 | 0 | 2\n");
  EXPECT_EQ(ask("hours", by({"team", "month"})),
            "红 | 2026-01 | 1 | 60 | 2 | 0 | 1\n红 | 2026-02 | 1 | 30 | 1 | 0 | 1\n"
            "蓝 | 2026-01 | 1 | 90 | 0 | 0 | 1\n");
  query = by({"month"});
  query.measures = {"people", "attendances"};
  attend("e2", "p2", "2026-01-06T08:00:00+08:00", "");
  EXPECT_EQ(ask("hours", query), "2026-01 | 3 | 2\n2026-02 | 1 | 1\n");
}

TEST_F(Reporting, ManyAreReadInOneGoAndAreInTheSameTeams) {
  write("volunteer", "p1", R"("set":{"team":"假"})", 2, "a");
  write("volunteer", "p1", R"("set":{"team":"假"})", 2, "z");
  write("volunteer", "p3", R"("set":{"name":"无队"})");
  write("volunteer", "p4", R"("set":{"team":"红"})");
  write("volunteer", "p5", R"("set":{"team":"绿"})");
  write("volunteer", "p5", R"("del":true)");
  for (const char* who : {"p3", "p4", "p5", "nobody"}) {
    attend("e2", who, "2026-02-01T08:00:00+08:00", R"(,"minutes":10)");
  }
  const std::string singly = ask("hours", by({"team"}));
  EXPECT_EQ(singly, "- | 3 | 30 | 0 | 0 | 3\n红 | 3 | 100 | 3 | 0 | 3\n蓝 | 1 | 90 | 0 | 0 | 1\n");
  bounds.looks = 2;
  EXPECT_EQ(ask("hours", by({"team"})), singly);
  // Where there is no room for all of them, too.
  bounds.bytes = 1000;
  EXPECT_EQ(ask("hours", by({"team"})), singly);
}

TEST_F(Reporting, AFilterLeavesTheOthersOut) {
  ReportQuery query = by({"event"});
  query.filters["category"] = "ecology";
  EXPECT_EQ(ask("hours", query), "e2 | 清洁 | 1 | 30 | 1 | 0 | 1\n");
}

TEST_F(Reporting, AnotherCategoryOfAnEventMovesItsHoursAtOnce) {
  write("event", "e2", R"("set":{"category":"science"})", 1);
  EXPECT_EQ(ask("hours", by({"category"})),
            "卫生健康 | 2 | 150 | 2 | 0 | 2\n科学普及 | 1 | 30 | 1 | 0 | 1\n");
}

TEST_F(Reporting, HoursOfAMergedPersonCountForTheOneThatRemainsAndBack) {
  write("volunteer", "p2", R"("set":{"merged_into":"p1"})");
  EXPECT_EQ(ask("hours", by({"person"})), "p1 | 陈晓 | 44001 | 3 | 180 | 3 | 0 | 3\n");
  EXPECT_EQ(ask("hours", by({"team"})), "红 | 3 | 180 | 3 | 0 | 3\n");
  write("volunteer", "p2", R"("set":{"merged_into":null})");
  EXPECT_EQ(ask("hours", by({"team"})), "红 | 2 | 90 | 3 | 0 | 2\n蓝 | 1 | 90 | 0 | 0 | 1\n");
}

TEST_F(Reporting, AChainOfMergesThatIsTooLongCostsNobodyElseAReport) {
  for (int i = 0; i <= 1001; ++i) {
    write("volunteer", fmt::format("q{}", i),
          fmt::format(R"("set":{{"merged_into":"q{}"}})", i + 1));
  }
  attend("e1", "q0", "2026-01-05T08:00:00+08:00", R"(,"minutes":7)");
  EXPECT_EQ(ask("hours", by({"person"})),
            "p1 | 陈晓 | 44001 | 2 | 90 | 3 | 0 | 2\np2 | =林 | - | 1 | 90 | 0 | 0 | 1\n"
            "q0 | - | - | 1 | 7 | 0 | 0 | 1\n");
}

TEST_F(Reporting, WhoWritesTheSameIdLaterInAnotherScopeRenamesNothing) {
  // "a" sorts before the scope that the event is in.
  write("event", "e1", R"("set":{"title":"假","category":"ecology"})", 1, "a");
  EXPECT_EQ(ask("hours", by({"event"})),
            "e1 | 义诊 | 2 | 150 | 2 | 0 | 2\ne2 | 清洁 | 1 | 30 | 1 | 0 | 1\n");
  EXPECT_EQ(ask("hours", by({"category"})),
            "生态环保 | 1 | 30 | 1 | 0 | 1\n卫生健康 | 2 | 150 | 2 | 0 | 2\n");
  // Neither where the first one is deleted, nor when it is there again.
  write("event", "e1", R"("del":true)", 1);
  EXPECT_EQ(ask("hours", by({"event"})),
            "e1 | - | 2 | 150 | 2 | 0 | 2\ne2 | 清洁 | 1 | 30 | 1 | 0 | 1\n");
  write("event", "e1", R"("set":{"title":"义诊二","category":"health"})", 1);
  EXPECT_EQ(ask("hours", by({"event"})),
            "e1 | 义诊二 | 2 | 150 | 2 | 0 | 2\ne2 | 清洁 | 1 | 30 | 1 | 0 | 1\n");
}

TEST_F(Reporting, WhoWritesTheSameIdLaterInAnotherScopeRedirectsNobody) {
  write("volunteer", "p1", R"("set":{"name":"假","merged_into":"p2"})", 2, "a");
  EXPECT_EQ(ask("hours", by({"person"})),
            "p1 | 陈晓 | 44001 | 2 | 90 | 3 | 0 | 2\np2 | =林 | - | 1 | 90 | 0 | 0 | 1\n");
  // The true one does, and the other one does not lead on from there.
  write("volunteer", "p2", R"("set":{"merged_into":"p1"})");
  EXPECT_EQ(ask("hours", by({"person"})), "p1 | 陈晓 | 44001 | 3 | 180 | 3 | 0 | 3\n");
}

TEST_F(Reporting, OfTwoScopesWithOneCodeTheFirstNamesIt) {
  write("scope", "a", R"("set":{"title":"假","code":"445202001001"})", 1, "a");
  EXPECT_EQ(ask("visits", by({"division"})), "445202001001 | 站 | 3 | 3\n");
}

TEST_F(Reporting, WhatTellsOfOnePersonIsWrittenDownHoweverItIsAsked) {
  ReportQuery query = by({"day"});
  ask("hours", query);
  EXPECT_FALSE(last->plan().personal);
  query.filters["person"] = "p1";
  ask("hours", query);
  EXPECT_TRUE(last->plan().personal);
  ask("attendance", by({"day"}));
  EXPECT_TRUE(last->plan().personal);
}

TEST_F(Reporting, ACodeThatIsNoneIsNotCutWithinACharacter) {
  write("station", "s1", R"("set":{"division":"a北京"})", 1, "s");
  EXPECT_EQ(ask("visits", by({"district"})), "a北 | - | 3 | 3\n");
}

TEST_F(Reporting, OfAnErasedPersonTheNumbersStayAndTheNameGoes) {
  ASSERT_TRUE(world.erase("p1").ok());
  EXPECT_EQ(ask("hours", by({"person"})),
            "p1 | - | - | 2 | 90 | 3 | 0 | 2\np2 | =林 | - | 1 | 90 | 0 | 0 | 1\n");
}

TEST_F(Reporting, AttendanceHasARowForEachPersonAndEvent) {
  EXPECT_EQ(
      ask("attendance", {}),
      "2026-01-05 | e1 | 义诊 | p1 | 陈晓 | 44001 | 2026-01-05T08:00:00+08:00 | - | - | - | 60 | 2 "
      "| 0\n"
      "2026-01-05 | e1 | 义诊 | p2 | =林 | - | 2026-01-05T08:30:00+08:00 | - | - | - | 90 | 0 | 0\n"
      "2026-02-01 | e2 | 清洁 | p1 | 陈晓 | 44001 | 2026-02-01T08:00:00+08:00 | - | - | - | 30 | 1 "
      "| 0\n");
  EXPECT_EQ(last->count(), 3U);
  ReportQuery query = by({"person"});
  query.sort = "-minutes";
  query.filters["event"] = "e1";
  EXPECT_EQ(ask("attendance", query, View(), 1, 1),
            "p1 | 陈晓 | 44001 | 2026-01-05T08:00:00+08:00 | - | - | - | 60 | 2 | 0\n");
}

TEST_F(Reporting, LongValuesAreTooMuchBeforeThereAreTooMany) {
  bounds.bytes = 8 * 1024;
  EXPECT_EQ(ask("hours", by({"event"})),
            "e1 | 义诊 | 2 | 150 | 2 | 0 | 2\ne2 | 清洁 | 1 | 30 | 1 | 0 | 1\n");
  for (int i = 0; i < 20; ++i) {
    attend(fmt::format("{}{:02}", std::string(60, 'x'), i), "p1", "2026-01-05T08:00:00+08:00", "");
  }
  EXPECT_NE(ask("hours", by({"event"})), "report.too_large");
  bounds.bytes = 5 * 1024;
  EXPECT_EQ(ask("hours", by({"event"})), "report.too_large");
  // Names beside them, too.
  EXPECT_NE(ask("visits", by({"division"})), "report.too_large");
  for (int i = 0; i < 20; ++i) {
    const std::string scope = fmt::format("s{:02}", i);
    write("scope", scope,
          fmt::format(R"("set":{{"title":"{}","code":"{:012}"}})", std::string(60, 'y'), i), 1,
          scope);
  }
  EXPECT_EQ(ask("visits", by({"division"})), "report.too_large");
}

TEST_F(Reporting, DifferentOnesAreBoundedByTheirBytes) {
  ReportQuery query = by({"month"});
  query.measures = {"people"};
  EXPECT_EQ(ask("hours", query), "2026-01 | 2\n2026-02 | 1\n");
  bounds.bytes = 450;
  EXPECT_EQ(ask("hours", query), "report.too_large");
}

TEST_F(Reporting, ADetailInAnotherOrderIsBoundedByItsBytes) {
  ReportQuery query = by({"person"});
  query.sort = "-minutes";
  bounds.bytes = 400;
  EXPECT_EQ(ask("attendance", query), "report.too_large");
}

TEST_F(Reporting, WhoStopsTheServerWaitsForNoReport) {
  std::stop_source stop;
  bounds.stop = stop.get_token();
  for (const char* name : {"attendance", "hours", "visits"}) EXPECT_NE(ask(name, {}), "busy");
  stop.request_stop();
  for (const char* name : {"attendance", "hours", "visits"}) EXPECT_EQ(ask(name, {}), "busy");
}

TEST_F(Reporting, AReportThatIsBeingWrittenEndsEarlyWhenItIsStopped) {
  std::vector<OpText> ops;
  for (int i = 0; i < 3000; ++i) {
    ops.push_back(op(++n)
                      .on("attendance", fmt::format("e{:04}~p1", i))
                      .does(R"("set":{"signed_in":"2026-01-05T08:00:00+08:00"})"));
    ops.back().schema = 2;
  }
  ASSERT_EQ(world.push(office, ops).applied, n);
  for (const auto& [report, dimension] :
       {std::pair("attendance", ""), std::pair("hours", "event")}) {
    std::stop_source stop;
    auto plan =
        plan_report(*reports().find(report), *dimension == '\0' ? ReportQuery{} : by({dimension}),
                    *projections(), schemas(), View());
    auto reading = ReportReading::open(world.store(), *projections(), std::move(*plan),
                                       {limits::kReportBytes, stop.get_token()});
    ASSERT_TRUE(reading.ok());
    std::uint64_t rows = 0;
    const Status read = (*reading)->each(0, 1'000'000, [&](const std::vector<ReportCell>&) {
      ++rows;
      return stop.request_stop() || true;
    });
    EXPECT_EQ(read.error().code, Code::kBusy) << report;
    EXPECT_LT(rows, 2000U);
  }
}

TEST_F(Reporting, AReadingKnowsWhetherItsRowsAreOthers) {
  const auto fingerprint = [&](const char* name) {
    ask(name, {});
    return last->fingerprint();
  };
  for (const char* name : {"attendance", "hours"}) {
    const std::uint64_t before = fingerprint(name);
    visit(std::string("v-") + name, "2026-01-05T08:10:00+08:00", R"("water")");
    EXPECT_EQ(fingerprint(name), before) << "a visit is in neither";
    attend("e3", std::string("p-") + name, "2026-01-01T08:00:00+08:00", "");
    EXPECT_NE(fingerprint(name), before);
  }
}

TEST_F(Reporting, ADetailAddsUpWhatIsMadeOfOthers) {
  const std::string declaration =
      R"("sources":[["attendances"]],"detail":true,"by":["person"],"dimensions":[)" +
      dimension("person", "text") + R"(],"measures":[)" +
      measure("minutes", R"("measure":"minutes")") + "," +
      measure("points", R"("measure":"points")") + "," +
      measure("left", R"("plus":["minutes"],"minus":["points"])") + "]";
  EXPECT_EQ(ask_own(declaration), "p1 | 60 | 2 | 58\np2 | 90 | 0 | 90\np1 | 30 | 1 | 29\n");
  EXPECT_EQ(text_of(last->totals()), "- | 180 | 3 | 177");
  ReportQuery query;
  query.sort = "-left";
  EXPECT_EQ(ask_own(declaration, query), "p2 | 90 | 0 | 90\np1 | 60 | 2 | 58\np1 | 30 | 1 | 29\n");
}

TEST_F(Reporting, OfDifferentOnesThoseCountOfWhichItHolds) {
  const std::string declaration =
      R"("sources":[["attendances"]],"by":["day"],"dimensions":[)" + dimension("day", "date") +
      R"(],"measures":[)" + measure("people", R"("distinct":"person","where":{"event":"e1"})") +
      "," + measure("times", R"("measure":"attendances","where":{"event":"e1"})") + "]";
  EXPECT_EQ(ask_own(declaration), "2026-01-05 | 2 | 2\n");
}

TEST_F(Reporting, WhatCannotBeMadeOfOthersIsRefusedWhereItIsDeclared) {
  const std::string head = R"("sources":[["attendances"]],"by":[],"measures":[)";
  const std::string minutes = measure("minutes", R"("measure":"minutes")") + ",";
  const std::string people = measure("people", R"("distinct":"person")");
  EXPECT_EQ(ask_own(R"("detail":true,)" + head + people + "]"),
            "r.json: /measures/0/distinct: goes not with detail: a row is one record");
  EXPECT_EQ(ask_own(head + minutes + people + "," + measure("sum", R"("plus":["people"])") + "]"),
            "r.json: /measures/2: different ones, as \"people\" counts, cannot be added up");
  EXPECT_EQ(ask_own(head + minutes +
                    measure("sum", R"("plus":["minutes"],"where":{"event":"e1"})") + "]"),
            "r.json: /measures/1/where: goes not with plus and minus");
  EXPECT_EQ(ask_own(head + measure("m", R"("measure":"minutes","where":{"colour":"red"})") + "]"),
            "r.json: /measures/0: no projection of its source has that");
}

TEST_F(Reporting, PagesGoOnWhereTheOneBeforeEnded) {
  for (const char* name : {"attendance", "hours", "visits"}) {
    const std::string all = ask(name, {});
    std::string pages;
    for (std::uint64_t at = 0; at < last->count(); ++at) pages += ask(name, {}, View(), at, 1);
    EXPECT_EQ(pages, all) << name;
  }
}

TEST_F(Reporting, PointsAreEarnedGrantedAndSpent) {
  world.now += 1000;
  write("balance", "p1", R"("grant":{"points":50})", 1);
  write("balance", "p1", R"("lease":{"points":20})", 1);
  write("balance", "p1", R"("spend":{"points":8})", 1);
  EXPECT_EQ(ask("points", {}), "p1 | 陈晓 | 44001 | 3 | 50 | 8 | 42\n");
}

TEST_F(Reporting, WhatARoleDoesNotSeeIsLeftOutAndNotEmpty) {
  const View view(Sight{}, {{"volunteer", Sight{true, {"name", "number"}}}});
  EXPECT_EQ(ask("hours", by({"person"}), view),
            "p1 | 2 | 90 | 3 | 0 | 2\np2 | 1 | 90 | 0 | 0 | 1\n");
  EXPECT_FALSE(last->plan().names_people);
  const View no_team(Sight{}, {{"volunteer", Sight{true, {"team"}}}});
  EXPECT_EQ(ask("hours", by({"team"}), no_team), "access.denied");
  const View no_visits(Sight{}, {{"visit", Sight{false, {}}}});
  EXPECT_EQ(ask("visits", {}, no_visits), "access.denied");
}

TEST(ReportDeclarations, AreHeldAgainstTheProjections) {
  const auto load = [](const std::string& text) {
    const auto made = Reports::parse({{"r.json", text}}, schemas(), *projections());
    return made.ok() ? std::string("ok") : made.error().context;
  };
  const std::string head =
      R"({"report":"r","title":{"zh":"a","en":"b"},"about":{"zh":"a","en":"b"},)";
  const std::string measures =
      R"("measures":[{"name":"visits","title":{"zh":"a","en":"b"},"type":"integer","measure":"visits"}])";
  EXPECT_EQ(load(head + R"("sources":[["visits_day"]],"dimensions":[],"by":[],)" + measures + "}"),
            "ok");
  EXPECT_EQ(load(head + R"("sources":[["nothing"]],"by":[],)" + measures + "}"),
            "r.json: /sources: there is no projection \"nothing\"");
  EXPECT_EQ(load(head + R"("sources":[["points"]],"by":[],)" + measures + "}"),
            "r.json: /measures/0: no projection of its source has that");
  EXPECT_EQ(load(head + R"("sources":[["visits_day"]],"by":["day"],)" + measures + "}"),
            "r.json: /by: no dimension \"day\"");
}

TEST(ProjectionDeclarations, AreHeldAgainstTheSchemas) {
  const auto load = [](const std::string& rest) {
    const auto made = Projections::parse(
        {{"p.json", R"({"projection":"p","title":{"zh":"a","en":"b"},)" + rest + "}"}}, schemas(),
        Zone{});
    return made.ok() ? std::string("ok") : made.error().context;
  };
  const std::string count = R"("measures":[{"name":"n","count":true}])";
  EXPECT_EQ(load(R"("collection":"visit","by":[{"name":"v","field":"visitor"}],)" + count), "ok");
  EXPECT_EQ(load(R"("collection":"nothing","by":[{"name":"v","field":"visitor"}],)" + count),
            "p.json: /collection: there is no such collection");
  EXPECT_EQ(load(R"("collection":"volunteer","by":[{"name":"v","field":"name"}],)" + count),
            "p.json: /by/0/field: \"name\" is personal: it cannot be counted by");
  EXPECT_EQ(load(R"("collection":"visit","by":[{"name":"v","field":"services"}],)" + count),
            "p.json: /by/0/field: visit has no register \"services\"");
  EXPECT_EQ(
      load(R"("collection":"visit","by":[{"name":"v","time":"visitor","bucket":"day"}],)" + count),
      "p.json: /by/0/time: must be a time");
  EXPECT_EQ(
      load(R"("collection":"visit","by":[{"name":"v","time":"at","bucket":"week"}],)" + count),
      "p.json: /by/0/bucket: must be hour, day or month");
  EXPECT_EQ(
      load(R"("collection":"event","corrects":"lead","by":[{"name":"v","scope":true}],)" + count),
      "p.json: /corrects: goes with a collection of facts");
  EXPECT_EQ(load(R"("collection":"visit","by":[{"name":"v","scope":true}],"measures":[])"),
            "p.json: /measures: must name at least one measure");
}

}  // namespace
}  // namespace waystation::testing

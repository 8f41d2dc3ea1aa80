// What is asked of a report, held against its declaration and against what the asker may see: which
// projections are read, and which columns there are. docs/reports.md. Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sync/report.h"
#include "sync/result.h"
#include "sync/view.h"

namespace waystation {

struct ReportQuery {
  std::string from;  // local days, both within; empty: open
  std::string to;
  std::vector<std::string> by;        // dimensions; empty: as declared
  std::vector<std::string> measures;  // empty: all that are not on request
  std::map<std::string, std::string> filters;
  std::string sort;  // a column, "-" in front: the largest first; empty: by the dimensions
  bool english = false;
};

// A dimension as one projection has it.
struct PlannedDimension {
  const ReportDimension* dimension = nullptr;
  std::size_t at = 0;  // its part among those of a row
  const ReportPart* part = nullptr;
};

struct PlannedMeasure {
  std::size_t column = 0;  // among ReportPlan::measures
  std::size_t at = 0;      // of the projection's sums; of a distinct one its part
  bool distinct = false;
  std::vector<std::pair<std::size_t, std::string>> where;
};

struct PlannedSource {
  const Projection* projection = nullptr;
  std::vector<PlannedDimension> by;  // in the order of ReportPlan::by
  std::vector<std::pair<PlannedDimension, std::string>> filters;
  std::vector<PlannedMeasure> measures;
  bool splits = false;  // a record stands in several of its rows: their sums say too much
};

struct ReportPlan {
  const Report* report = nullptr;
  ReportQuery query;
  std::vector<const ReportDimension*> by;
  std::vector<const ReportMeasure*> measures;
  std::vector<PlannedSource> sources;
  // What the asker may see, by position: of dimensions their shows, of a detail its fields.
  std::vector<std::vector<const ReportShow*>> shows;
  std::vector<const ReportShow*> fields;
  std::vector<ReportColumn> columns;
  std::size_t sort_column = 0;  // of columns; by default the first
  bool sorted = false;          // by that column, and not by the dimensions
  bool descending = false;
  bool names_people = false;  // by a field that is personal
  bool personal = false;      // it shows figures of single persons
};

// Errors: kReportQuery; kAccessDenied where the view does not show what the report is about.
[[nodiscard]] Result<ReportPlan> plan_report(const Report& report, ReportQuery query,
                                             const Projections& projections, const Schemas& schemas,
                                             const View& view);

}  // namespace waystation

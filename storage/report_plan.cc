#include "storage/report_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "sync/scalar.h"

namespace waystation {
namespace {

Error wrong(std::string text) { return Error{Code::kReportQuery, std::move(text)}; }

class Planner {
 public:
  Planner(const Projections& projections, const Schemas& schemas, const View& view)
      : projections_(projections), schemas_(schemas), view_(view) {}

  Result<ReportPlan> plan(const Report& report, ReportQuery query) {
    plan_.report = &report;
    plan_.query = std::move(query);
    for (const auto step : {&Planner::check_period, &Planner::choose, &Planner::find_sources,
                            &Planner::check_sight, &Planner::list_columns, &Planner::find_sort}) {
      if (auto done = (this->*step)(); !done) return done.error();
    }
    return std::move(plan_);
  }

 private:
  Status check_period() {
    for (const std::string* day : {&plan_.query.from, &plan_.query.to}) {
      if (!day->empty() && !is_date(*day)) return wrong(fmt::format("\"{}\" is no day", *day));
    }
    const bool turned =
        !plan_.query.from.empty() && !plan_.query.to.empty() && plan_.query.to < plan_.query.from;
    return turned ? Status{wrong("the period ends before it begins")} : Status{};
  }

  Status choose() {
    const Report& report = *plan_.report;
    for (const std::string& name : plan_.query.by.empty() ? report.by : plan_.query.by) {
      const ReportDimension* dimension = report.dimension(name);
      if (dimension == nullptr) return wrong(fmt::format("by: no dimension \"{}\"", name));
      if (std::find(plan_.by.begin(), plan_.by.end(), dimension) != plan_.by.end()) {
        return wrong(fmt::format("by: \"{}\" stands twice", name));
      }
      plan_.by.push_back(dimension);
    }
    for (const auto& [name, value] : plan_.query.filters) {
      if (report.dimension(name) == nullptr) return wrong(fmt::format("no filter \"{}\"", name));
    }
    const auto& asked = plan_.query.measures;
    for (const ReportMeasure& measure : report.measures) {
      const bool named = std::find(asked.begin(), asked.end(), measure.column.name) != asked.end();
      if (asked.empty() ? !measure.on_request : named) plan_.measures.push_back(&measure);
    }
    if (plan_.measures.size() < asked.size()) return wrong("measures: there is no such measure");
    return {};
  }

  // The measures that others are made of are read, too.
  [[nodiscard]] bool reads(const ReportMeasure& one) const {
    return std::any_of(plan_.measures.begin(), plan_.measures.end(), [&](const auto* measure) {
      const auto has = [&](const std::vector<std::string>& names) {
        return std::find(names.begin(), names.end(), one.column.name) != names.end();
      };
      return measure == &one || has(measure->plus) || has(measure->minus);
    });
  }

  Status find_sources() {
    const Report& report = *plan_.report;
    for (std::size_t i = 0; i < report.sources.size(); ++i) {
      std::vector<std::size_t> measures;
      for (std::size_t m = 0; m < report.measures.size(); ++m) {
        const ReportMeasure& measure = report.measures[m];
        const bool made = !measure.plus.empty() || !measure.minus.empty();
        if (!made && measure.source == i && reads(measure)) measures.push_back(m);
      }
      if (measures.empty()) continue;
      bool found = false;
      for (const std::string& name : report.sources[i]) {
        PlannedSource source;
        source.projection = projections_.find(name);
        if (!fits(source, measures)) continue;
        plan_.sources.push_back(std::move(source));
        found = true;
        break;
      }
      if (!found) return wrong("these dimensions, filters and measures are not counted together");
    }
    return {};
  }

  static std::optional<PlannedDimension> in(const Projection& projection,
                                            const ReportDimension& dimension) {
    for (const ReportPart& part : dimension.parts) {
      if (const auto at = projection.part(part.part)) {
        return PlannedDimension{&dimension, *at, &part};
      }
    }
    return std::nullopt;
  }

  bool fits(PlannedSource& source, const std::vector<std::size_t>& measures) const {
    const Projection& projection = *source.projection;
    for (const ReportDimension* dimension : plan_.by) {
      const auto found = in(projection, *dimension);
      if (!found) return false;
      source.by.push_back(*found);
    }
    for (const auto& [name, value] : plan_.query.filters) {
      const auto found = in(projection, *plan_.report->dimension(name));
      if (!found) return false;
      source.filters.emplace_back(*found, value);
      // What is filtered by one element stands in one row.
    }
    for (const std::size_t m : measures) {
      const ReportMeasure& measure = plan_.report->measures[m];
      PlannedMeasure planned;
      planned.column = m;
      planned.distinct = !measure.distinct.empty();
      const auto at = planned.distinct ? projection.part(measure.distinct)
                                       : projection.measure(measure.measure);
      if (!at) return false;
      planned.at = *at;
      for (const auto& [part, value] : measure.where) {
        const auto place = projection.part(part);
        if (!place) return false;
        planned.where.emplace_back(*place, value);
      }
      source.measures.push_back(std::move(planned));
    }
    source.splits = std::any_of(
        projection.by.begin(), projection.by.end(),
        [](const ProjectionPart& part) { return part.from == ProjectionPart::From::kElements; });
    return true;
  }

  // A number tells of the fields that it is counted by and from.
  Status check_sight() {
    for (const PlannedSource& source : plan_.sources) {
      const Projection& projection = *source.projection;
      const Sight& sight = view_.of(projection.coll);
      bool shown = sight.seen;
      for (const ProjectionPart& part : projection.by) {
        shown = shown && (part.field.empty() || sight.shows(part.field));
      }
      shown = shown && shows_all(sight, projection.when);
      for (const ProjectionMeasure& measure : projection.measures) {
        shown = shown && (measure.field.empty() || sight.shows(measure.field)) &&
                (measure.from.empty() || sight.shows(measure.from)) &&
                std::all_of(measure.to.begin(), measure.to.end(),
                            [&](const std::string& field) { return sight.shows(field); }) &&
                shows_all(sight, measure.when);
      }
      for (const std::string& field : {projection.corrects, projection.voids}) {
        shown = shown && (field.empty() || sight.shows(field));
      }
      if (!shown) {
        return Error{Code::kAccessDenied,
                     fmt::format("the role does not read all of {}", projection.coll)};
      }
      for (const PlannedDimension& planned : source.by) {
        if (auto seen = check_part(projection, planned); !seen) return seen;
      }
      for (const auto& [planned, ignored] : source.filters) {
        if (auto seen = check_part(projection, planned); !seen) return seen;
      }
    }
    return {};
  }

  static bool shows_all(const Sight& sight, const std::vector<ProjectionCondition>& when) {
    return std::all_of(when.begin(), when.end(), [&](const ProjectionCondition& condition) {
      return sight.shows(condition.field);
    });
  }

  Status check_part(const Projection& projection, const PlannedDimension& planned) const {
    if (planned.part->kept.empty()) return {};
    const std::string& of = projection.by[planned.at].of;
    if (view_.of(of).shows(planned.part->kept)) return {};
    return Error{Code::kAccessDenied,
                 fmt::format("the role does not read {}.{}", of, planned.part->kept)};
  }

  void take(const ReportColumn& column) { plan_.columns.push_back(column); }

  [[nodiscard]] bool personal(const std::string& coll, const std::string& field) const {
    const Collection* collection = schemas_.find(coll);
    const FieldSpec* spec = collection == nullptr ? nullptr : collection->field(field);
    return spec != nullptr && spec->personal;
  }

  [[nodiscard]] bool about_person(const std::string& coll) const {
    const Collection* collection = schemas_.find(coll);
    return collection != nullptr && !collection->person.empty();
  }

  Status list_columns() {
    const PlannedSource& first = plan_.sources.front();
    for (std::size_t i = 0; i < plan_.by.size(); ++i) {
      take(plan_.by[i]->column);
      const PlannedDimension& planned = first.by[i];
      const std::string& of = first.projection->by[planned.at].of;
      if (planned.part->kept.empty() && about_person(of)) plan_.personal = true;
      plan_.shows.emplace_back();
      for (const ReportShow& show : plan_.by[i]->shows) {
        const std::string& field = show.kept.empty() ? show.record : show.kept;
        if (!view_.of(of).shows(field)) continue;  // left out, not empty
        plan_.shows.back().push_back(&show);
        plan_.names_people = plan_.names_people || personal(of, field);
        take(show.column);
      }
      if (plan_.by[i]->named) take(plan_.by[i]->named->column);
    }
    for (const PlannedSource& source : plan_.sources) {
      for (const auto& filter : source.filters) {
        const std::string& of = source.projection->by[filter.first.at].of;
        if (filter.first.part->kept.empty() && about_person(of)) plan_.personal = true;
      }
    }
    if (plan_.report->detail && about_person(first.projection->coll)) plan_.personal = true;
    if (plan_.report->detail) {
      for (const ReportShow& field : plan_.report->fields) {
        const std::string& coll = first.projection->coll;
        if (!view_.of(coll).shows(field.record)) continue;
        plan_.fields.push_back(&field);
        plan_.names_people = plan_.names_people || personal(coll, field.record);
        take(field.column);
      }
    }
    for (const ReportMeasure* measure : plan_.measures) take(measure->column);
    return {};
  }

  Status find_sort() {
    std::string_view name = plan_.query.sort;
    if (name.empty()) return {};
    plan_.descending = name.front() == '-';
    if (plan_.descending) name.remove_prefix(1);
    const auto known = [&](const ReportColumn& column) { return column.name == name; };
    const auto at = std::find_if(plan_.columns.begin(), plan_.columns.end(), known);
    const bool dimension = std::any_of(plan_.by.begin(), plan_.by.end(),
                                       [&](const auto* d) { return known(d->column); });
    const bool measure = std::any_of(plan_.measures.begin(), plan_.measures.end(),
                                     [&](const auto* m) { return known(m->column); });
    if (at == plan_.columns.end() || (!dimension && !measure)) {
      return wrong(fmt::format("sort: \"{}\" is no dimension or measure of this answer", name));
    }
    plan_.sort_column = static_cast<std::size_t>(at - plan_.columns.begin());
    plan_.sorted = true;
    return {};
  }

  const Projections& projections_;
  const Schemas& schemas_;
  const View& view_;
  ReportPlan plan_;
};

}  // namespace

Result<ReportPlan> plan_report(const Report& report, ReportQuery query,
                               const Projections& projections, const Schemas& schemas,
                               const View& view) {
  return Planner(projections, schemas, view).plan(report, std::move(query));
}

}  // namespace waystation

#include "storage/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "storage/keys.h"
#include "storage/sums.h"
#include "sync/limits.h"

namespace waystation {

// The different values of parts, by group and measure.
struct ReportReading::Distinct {
  std::unordered_set<std::string> seen;  // group, measure, value
};

ReportReading::ReportReading(const Store& store, const Projections& projections, ReportPlan plan)
    : store_(store),
      projections_(projections),
      plan_(std::move(plan)),
      snapshot_(store.kv().snapshot()),
      names_(store, *snapshot_, projections),
      total_sums_(plan_.report->measures.size()),
      distinct_(std::make_unique<Distinct>()) {}

ReportReading::~ReportReading() = default;

Result<std::unique_ptr<ReportReading>> ReportReading::open(const Store& store,
                                                           const Projections& projections,
                                                           ReportPlan plan) {
  std::unique_ptr<ReportReading> reading(new ReportReading(store, projections, std::move(plan)));
  const auto position = store.position(reading->snapshot_.get());
  if (!position) return position.error();
  reading->seq_ = *position;
  const Status read =
      reading->plan_.report->detail ? reading->read_detail() : reading->read_groups();
  if (!read) return read.error();
  return reading;
}

// The rows of the period, those that pass the filters.
Status ReportReading::walk(const PlannedSource& source, const VisitRow& visit) {
  const std::string& name = source.projection->name;
  const std::string all = keys::sums(row_name(name, {}));
  const std::string start = all + plan_.query.from;
  // Behind the last row whose time begins with that day.
  const std::string end =
      plan_.query.to.empty() ? keys::prefix_end(all) : all + plan_.query.to + "~";
  auto rows = store_.kv().iterate(Column::kProjections, snapshot_.get(), end);
  Row row;
  std::vector<std::string> values(source.by.size());
  for (rows->seek(start); rows->valid(); rows->next()) {
    const auto parts = parts_of(rows->key().substr(1), name);
    auto sums = decode_sums(rows->value());
    if (!parts || parts->size() != source.projection->by.size() || !sums) {
      return Error{Code::kStoreCorrupt, "a damaged row of a projection"};
    }
    if (all_zero(*sums)) continue;  // what stood there has gone
    row.parts.assign(parts->begin(), parts->end());
    for (std::size_t i = 0; i < row.parts.size(); ++i) {
      const ProjectionPart& part = source.projection->by[i];
      const KeptFields* kept = part.of.empty() ? nullptr : projections_.kept(part.of);
      if (kept == nullptr || kept->redirect.empty()) continue;
      auto remaining = names_.remaining(part.of, row.parts[i]);
      if (!remaining) return remaining.error();
      row.parts[i] = std::move(*remaining);
    }
    row.sums = std::move(*sums);
    const auto passed = passes(source, row);
    if (!passed) return passed.error();
    if (!*passed) continue;
    for (std::size_t i = 0; i < source.by.size(); ++i) {
      auto value = value_of(source, source.by[i], row);
      if (!value) return value.error();
      values[i] = std::move(*value);
    }
    const auto on = visit(source, row, values);
    if (!on) return on.error();
    if (!*on) return {};
  }
  return rows->status();
}

Result<std::string> ReportReading::value_of(const PlannedSource& source,
                                            const PlannedDimension& planned, const Row& row) {
  const ReportPart& from = *planned.part;
  std::string value = row.parts[planned.at];
  if (!from.kept.empty()) {
    auto kept = names_.kept(source.projection->by[planned.at], value, from.kept);
    if (!kept) return kept.error();
    value = std::move(*kept);
  }
  if (from.from >= value.size()) return from.from == 0 ? value : std::string();
  const auto inside = [&](std::size_t at) {
    return at < value.size() && (static_cast<unsigned char>(value[at]) & 0xC0U) == 0x80U;
  };
  // A code is cut by its digits; what is none is not cut within a character.
  std::size_t begin = from.from;
  while (inside(begin)) ++begin;
  std::size_t end = std::min(from.to, value.size());
  while (end > begin && inside(end)) --end;
  return value.substr(begin, std::max(end, begin) - begin);
}

Result<bool> ReportReading::passes(const PlannedSource& source, const Row& row) {
  for (const auto& [planned, wanted] : source.filters) {
    const auto value = value_of(source, planned, row);
    if (!value) return value.error();
    if (*value != wanted) return false;
  }
  return true;
}

Sums ReportReading::measured(const PlannedSource& source, const Row& row) const {
  Sums sums(plan_.report->measures.size());
  for (const PlannedMeasure& measure : source.measures) {
    if (measure.distinct) continue;
    const bool counts =
        std::all_of(measure.where.begin(), measure.where.end(),
                    [&](const auto& where) { return row.parts[where.first] == where.second; });
    if (counts && measure.at < row.sums.size()) sums[measure.column] += row.sums[measure.at];
  }
  return sums;
}

void ReportReading::make_up(Sums& sums) const {
  const auto& measures = plan_.report->measures;
  const auto value = [&](const std::string& name) {
    for (std::size_t i = 0; i < measures.size(); ++i) {
      if (measures[i].column.name == name) return sums[i];
    }
    return std::int64_t{0};
  };
  for (std::size_t i = 0; i < measures.size(); ++i) {
    for (const std::string& name : measures[i].plus) sums[i] += value(name);
    for (const std::string& name : measures[i].minus) sums[i] -= value(name);
  }
}

// --- groups -----------------------------------------------------------------------------------

Status ReportReading::read_groups() {
  std::unordered_map<std::string_view, std::size_t> places;  // by the keys of groups_
  bool splits = false;
  for (const PlannedSource& source : plan_.sources) {
    splits = splits || source.splits;
    const auto visit = [&](const PlannedSource& from, const Row& row,
                           std::vector<std::string>& values) -> Result<bool> {
      std::string key;
      for (const std::string& value : values) {
        key += value;
        key += '\0';
      }
      auto at = places.find(key);
      if (at == places.end()) {
        if (groups_.size() >= limits::kReportRows) {
          return Error{Code::kReportTooLarge,
                       fmt::format("more than {} rows: ask for a shorter period or for fewer "
                                   "dimensions",
                                   limits::kReportRows)};
        }
        groups_.push_back({std::move(key), Sums(plan_.report->measures.size())});
        at = places.emplace(groups_.back().key, groups_.size() - 1).first;
      }
      add_to(groups_[at->second].sums, measured(from, row));
      if (auto counted = count_distinct(from, row, at->second); !counted) return counted.error();
      return true;
    };
    if (auto walked = walk(source, visit); !walked) return walked;
  }
  places.clear();
  for (Group& group : groups_) make_up(group.sums);
  std::erase_if(groups_, [](const Group& group) { return all_zero(group.sums); });
  count_ = groups_.size();
  sort_groups();
  for (const Group& group : groups_) add_totals(group.sums);
  const bool distinct = std::any_of(plan_.measures.begin(), plan_.measures.end(),
                                    [](const auto* m) { return !m->distinct.empty(); });
  close_totals(!splits && !distinct);
  distinct_.reset();
  return {};
}

Status ReportReading::count_distinct(const PlannedSource& source, const Row& row,
                                     std::size_t group) {
  for (const PlannedMeasure& measure : source.measures) {
    if (!measure.distinct) continue;
    if (distinct_->seen.size() >= 4 * limits::kReportRows) {
      return Error{Code::kReportTooLarge, "too many different ones: ask for a shorter period"};
    }
    const std::string one = fmt::format("{}/{}/{}", group, measure.column, row.parts[measure.at]);
    if (distinct_->seen.insert(one).second) ++groups_[group].sums[measure.column];
  }
  return {};
}

void ReportReading::sort_groups() {
  const auto by_key = [](const Group& a, const Group& b) { return a.key < b.key; };
  std::sort(groups_.begin(), groups_.end(), by_key);
  if (!plan_.sorted) return;
  const std::string& name = plan_.columns[plan_.sort_column].name;
  const auto value = [](const Group& group, std::size_t dimension) {
    std::string_view rest = group.key;
    for (std::size_t i = 0; i < dimension; ++i) rest.remove_prefix(rest.find('\0') + 1);
    return rest.substr(0, rest.find('\0'));
  };
  for (std::size_t i = 0; i < plan_.by.size(); ++i) {
    if (plan_.by[i]->column.name != name) continue;
    std::stable_sort(groups_.begin(), groups_.end(), [&](const Group& a, const Group& b) {
      return plan_.descending ? value(b, i) < value(a, i) : value(a, i) < value(b, i);
    });
    return;
  }
  const auto& measures = plan_.report->measures;
  for (std::size_t i = 0; i < measures.size(); ++i) {
    if (measures[i].column.name != name) continue;
    std::stable_sort(groups_.begin(), groups_.end(), [&](const Group& a, const Group& b) {
      return plan_.descending ? b.sums[i] < a.sums[i] : a.sums[i] < b.sums[i];
    });
  }
}

void ReportReading::add_totals(const Sums& sums) { add_to(total_sums_, sums); }

void ReportReading::close_totals(bool say) {
  if (!say) return;
  totals_.assign(plan_.columns.size(), ReportCell{});
  const auto& measures = plan_.report->measures;
  for (std::size_t i = 0; i < measures.size(); ++i) {
    for (std::size_t c = 0; c < plan_.columns.size(); ++c) {
      if (plan_.columns[c].name == measures[i].column.name) {
        totals_[c] = ReportCell{ReportCell::Kind::kNumber, total_sums_[i]};
      }
    }
  }
}

// --- one row a record -------------------------------------------------------------------------

Status ReportReading::read_detail() {
  const PlannedSource& source = plan_.sources.front();
  struct Sorted {
    std::string text;
    std::int64_t number = 0;
    Row row;
  };
  std::vector<Sorted> sorted;
  const std::string& name = plan_.columns[plan_.sort_column].name;
  const auto visit = [&](const PlannedSource& from, const Row& row,
                         std::vector<std::string>& values) -> Result<bool> {
    ++count_;
    const Sums sums = measured(from, row);
    add_totals(sums);
    if (!plan_.sorted) return true;
    if (sorted.size() >= limits::kReportSorted) {
      return Error{
          Code::kReportQuery,
          fmt::format("sort: more than {} rows: ask for a shorter period, or for the order "
                      "that is its own",
                      limits::kReportSorted)};
    }
    Sorted one{{}, 0, row};
    for (std::size_t i = 0; i < plan_.by.size(); ++i) {
      if (plan_.by[i]->column.name == name) one.text = values[i];
    }
    for (std::size_t i = 0; i < plan_.report->measures.size(); ++i) {
      if (plan_.report->measures[i].column.name == name) one.number = sums[i];
    }
    sorted.push_back(std::move(one));
    return true;
  };
  if (auto walked = walk(source, visit); !walked) return walked;
  close_totals(true);
  std::stable_sort(sorted.begin(), sorted.end(), [&](const Sorted& a, const Sorted& b) {
    const Sorted& less = plan_.descending ? b : a;
    const Sorted& more = plan_.descending ? a : b;
    return std::tie(less.text, less.number) < std::tie(more.text, more.number);
  });
  for (Sorted& one : sorted) sorted_rows_.push_back(std::move(one.row));
  return {};
}

Status ReportReading::each_detail(std::uint64_t offset, std::uint64_t limit, const Visit& visit) {
  const PlannedSource& source = plan_.sources.front();
  std::uint64_t at = 0;
  const auto one = [&](const PlannedSource& from, const Row& row,
                       std::vector<std::string>& values) -> Result<bool> {
    if (at++ < offset) return true;
    if (at > offset + limit) return false;
    Sums sums = measured(from, row);
    make_up(sums);
    auto made = cells(values, sums, &row);
    if (!made) return made.error();
    return visit(*made) && at < offset + limit;
  };
  if (!plan_.sorted) return limit == 0 ? Status{} : walk(source, one);
  for (const Row& row : sorted_rows_) {
    std::vector<std::string> values;
    for (const PlannedDimension& planned : source.by) {
      auto value = value_of(source, planned, row);
      if (!value) return value.error();
      values.push_back(std::move(*value));
    }
    const auto on = one(source, row, values);
    if (!on) return on.error();
    if (!*on) break;
  }
  return {};
}

// --- cells ------------------------------------------------------------------------------------

namespace {

ReportCell text_cell(std::string text) {
  if (text.empty()) return ReportCell{};
  return ReportCell{ReportCell::Kind::kText, 0, std::move(text)};
}

}  // namespace

ReportCell ReportReading::dimension_cell(const ReportDimension& dimension,
                                         const std::string& value) const {
  if (dimension.column.type == CellType::kHour) {
    std::int64_t hour = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), hour);
    return read.ec == std::errc() ? ReportCell{ReportCell::Kind::kNumber, hour} : ReportCell{};
  }
  const auto choice = dimension.choices.find(value);
  if (choice == dimension.choices.end()) return text_cell(value);
  return text_cell(plan_.query.english ? choice->second.en : choice->second.zh);
}

Result<std::vector<ReportCell>> ReportReading::cells(const std::vector<std::string>& values,
                                                     const Sums& sums, const Row* row) {
  std::vector<ReportCell> made;
  made.reserve(plan_.columns.size());
  const PlannedSource& first = plan_.sources.front();
  const auto take = [&](Result<std::string> text) -> Status {
    if (!text) return text.error();
    made.push_back(text_cell(std::move(*text)));
    return {};
  };
  for (std::size_t i = 0; i < plan_.by.size(); ++i) {
    const ReportDimension& dimension = *plan_.by[i];
    const ProjectionPart& part = first.projection->by[first.by[i].at];
    made.push_back(dimension_cell(dimension, values[i]));
    for (const ReportShow* show : plan_.shows[i]) {
      const Status taken = take(show->kept.empty() ? names_.field(part, values[i], show->record)
                                                   : names_.kept(part, values[i], show->kept));
      if (!taken) return taken.error();
    }
    if (!dimension.named) continue;
    const ReportNaming& named = *dimension.named;
    const Status taken = take(names_.name_of(named.coll, named.match, values[i], named.field));
    if (!taken) return taken.error();
  }
  if (row != nullptr && !plan_.fields.empty()) {
    std::string scope;
    std::string id;
    for (std::size_t i = 0; i < row->parts.size(); ++i) {
      const auto from = first.projection->by[i].from;
      if (from == ProjectionPart::From::kScope) scope = row->parts[i];
      if (from == ProjectionPart::From::kRecord) id = row->parts[i];
    }
    for (const ReportShow* field : plan_.fields) {
      const Status taken = take(names_.field_of(scope, first.projection->coll, id, field->record));
      if (!taken) return taken.error();
    }
  }
  const auto& measures = plan_.report->measures;
  for (const ReportMeasure* measure : plan_.measures) {
    const auto i = static_cast<std::size_t>(measure - measures.data());
    made.push_back(ReportCell{ReportCell::Kind::kNumber, sums[i]});
  }
  return made;
}

Status ReportReading::each(std::uint64_t offset, std::uint64_t limit, const Visit& visit) {
  if (plan_.report->detail) return each_detail(offset, limit, visit);
  for (std::uint64_t i = offset; i < count_ && i - offset < limit; ++i) {
    const Group& group = groups_[i];
    std::vector<std::string> values;
    std::string_view rest = group.key;
    while (!rest.empty()) {
      values.emplace_back(rest.substr(0, rest.find('\0')));
      rest.remove_prefix(values.back().size() + 1);
    }
    auto made = cells(values, group.sums, nullptr);
    if (!made) return made.error();
    if (!visit(*made)) return {};
  }
  return {};
}

}  // namespace waystation

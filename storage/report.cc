#include "storage/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>
#include <unordered_set>

#include "storage/keys.h"
#include "storage/sums.h"
#include "sync/limits.h"

namespace waystation {

namespace {

// What the places of a group, and of one of different ones, take besides their bytes.
constexpr std::size_t kGroupBytes = 144;
constexpr std::size_t kDistinctBytes = 64;

bool counts(const PlannedMeasure& measure, const std::vector<std::string_view>& parts) {
  return std::all_of(measure.where.begin(), measure.where.end(),
                     [&](const auto& where) { return parts[where.first] == where.second; });
}

}  // namespace

// The different values of parts, by group and measure.
struct ReportReading::Distinct {
  std::unordered_set<std::string> seen;  // group, measure, value
};

ReportReading::ReportReading(const Store& store, const Projections& projections, ReportPlan plan,
                             ReportBounds bounds)
    : store_(store),
      projections_(projections),
      plan_(std::move(plan)),
      snapshot_(store.kv().snapshot()),
      budget_(std::move(bounds)),
      names_(store, *snapshot_, projections, budget_),
      total_sums_(plan_.report->measures.size()),
      distinct_(std::make_unique<Distinct>()) {}

ReportReading::~ReportReading() = default;

Result<std::unique_ptr<ReportReading>> ReportReading::open(const Store& store,
                                                           const Projections& projections,
                                                           ReportPlan plan, ReportBounds bounds) {
  std::unique_ptr<ReportReading> reading(
      new ReportReading(store, projections, std::move(plan), std::move(bounds)));
  const auto position = store.position(reading->snapshot_.get());
  if (!position) return position.error();
  reading->seq_ = *position;
  const Status read =
      reading->plan_.report->detail ? reading->read_detail() : reading->read_groups();
  if (!read) return read.error();
  return reading;
}

// --- the rows of a projection -----------------------------------------------------------------

// Where a walk is. What its strings take is used again for each row: there are half a million in a
// year of the city.
struct ReportReading::Walk {
  explicit Walk(const PlannedSource& source) {
    for (const PlannedDimension& planned : source.by) values.push_back({&planned});
    for (const auto& [planned, wanted] : source.filters) filtered.push_back({&planned});
  }

  Row row;
  std::vector<std::pair<std::size_t, std::string>> redirected;  // parts, and for whom they count
  std::vector<Valued> values;
  std::vector<Valued> filtered;
};

// The rows of the period, those that pass the filters.
Status ReportReading::walk(const PlannedSource& source, const VisitRow& visit) {
  Walk at(source);
  for (std::size_t i = 0; i < source.projection->by.size(); ++i) {
    const ProjectionPart& part = source.projection->by[i];
    const KeptFields* kept = part.of.empty() ? nullptr : projections_.kept(part.of);
    if (kept == nullptr || kept->redirect.empty()) continue;
    const auto any = names_.any_merged(part.of);
    if (!any) return any.error();
    if (*any) at.redirected.emplace_back(i, std::string());
  }
  const std::string& name = source.projection->name;
  const std::string all = keys::sums(row_name(name, {}));
  const std::string start = all + plan_.query.from;
  // Behind the last row whose time begins with that day.
  const std::string end =
      plan_.query.to.empty() ? keys::prefix_end(all) : all + plan_.query.to + "~";
  auto rows = store_.kv().iterate(Column::kProjections, snapshot_.get(), end);
  for (rows->seek(start); rows->valid(); rows->next()) {
    if (auto on = budget_.go_on(); !on) return on;
    if (!read_parts(rows->key().substr(keys::kSumsPrefix.size()), name, at.row.parts) ||
        at.row.parts.size() != source.projection->by.size() ||
        !read_sums(rows->value(), at.row.sums)) {
      return Error{Code::kStoreCorrupt, "a damaged row of a projection"};
    }
    if (all_zero(at.row.sums)) continue;  // what stood there has gone
    const auto taken = take_row(source, at);
    if (!taken) return taken.error();
    if (!*taken) continue;
    const auto on = visit(at.row, at.values);
    if (!on) return on.error();
    if (!*on) return {};
  }
  return rows->status();
}

// False: it does not pass.
Result<bool> ReportReading::take_row(const PlannedSource& source, Walk& at) {
  for (auto& [part, remaining] : at.redirected) {
    auto found = names_.remaining(source.projection->by[part].of, std::string(at.row.parts[part]));
    if (!found) return found.error();
    remaining = std::move(*found);
    at.row.parts[part] = remaining;
  }
  for (std::size_t i = 0; i < at.filtered.size(); ++i) {
    if (auto done = find_value(source, at.row, at.filtered[i]); !done) return done.error();
    if (at.filtered[i].value != source.filters[i].second) return false;
  }
  for (Valued& valued : at.values) {
    if (auto done = find_value(source, at.row, valued); !done) return done.error();
  }
  return true;
}

Status ReportReading::find_value(const PlannedSource& source, const Row& row, Valued& valued) {
  const PlannedDimension& planned = *valued.planned;
  const std::string_view part = row.parts[planned.at];
  if (valued.known && valued.part == part) return {};
  valued.known = true;
  valued.part = part;
  valued.value = part;
  const ReportPart& from = *planned.part;
  if (!from.kept.empty()) {
    auto kept = names_.kept(source.projection->by[planned.at], valued.part, from.kept);
    if (!kept) return kept.error();
    valued.value = std::move(*kept);
  }
  if (from.from == 0 && from.to >= valued.value.size()) return {};
  const std::string& whole = valued.value;
  const auto inside = [&](std::size_t at) {
    return at < whole.size() && (static_cast<unsigned char>(whole[at]) & 0xC0U) == 0x80U;
  };
  // A code is cut by its digits; what is none is not cut within a character.
  std::size_t begin = std::min(from.from, whole.size());
  while (inside(begin)) ++begin;
  std::size_t end = std::min(from.to, whole.size());
  while (end > begin && inside(end)) --end;
  valued.value = whole.substr(begin, std::max(end, begin) - begin);
  return {};
}

void ReportReading::add_measured(const PlannedSource& source, const Row& row, Sums& sums) {
  for (const PlannedMeasure& measure : source.measures) {
    if (measure.distinct || measure.at >= row.sums.size() || !counts(measure, row.parts)) continue;
    sums[measure.column] += row.sums[measure.at];
  }
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
  bool splits = false;
  for (const PlannedSource& source : plan_.sources) {
    splits = splits || source.splits;
    if (auto read = read_groups_of(source); !read) return read;
  }
  places_ = {};
  for (Group& group : groups_) make_up(group.sums);
  std::erase_if(groups_, [](const Group& group) { return all_zero(group.sums); });
  count_ = groups_.size();
  sort_groups();
  for (const Group& group : groups_) note_row(group.key, group.sums);
  const bool distinct = std::any_of(plan_.measures.begin(), plan_.measures.end(),
                                    [](const auto* m) { return !m->distinct.empty(); });
  close_totals(!splits && !distinct);
  distinct_.reset();
  return {};
}

Status ReportReading::read_groups_of(const PlannedSource& source) {
  std::string key;
  std::size_t at = 0;
  bool known = false;  // `at` is the group of the row before: the next one is often of the same
  return walk(source, [&](const Row& row, const std::vector<Valued>& values) -> Result<bool> {
    key.clear();
    for (const Valued& valued : values) {
      key += valued.value;
      key += '\0';
    }
    if (!known || groups_[at].key != key) {
      const auto found = group_of(key);
      if (!found) return found.error();
      at = *found;
      known = true;
    }
    add_measured(source, row, groups_[at].sums);
    if (auto counted = count_distinct(source, row, at); !counted) return counted.error();
    return true;
  });
}

// A half of the places is free, so that few are looked at.
Result<std::size_t> ReportReading::group_of(const std::string& key) {
  if (2 * groups_.size() >= places_.size()) grow_places();
  const auto hash = static_cast<std::uint32_t>(std::hash<std::string_view>{}(key));
  const std::size_t mask = places_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
    Place& place = places_[i];
    if (place.group == kFree) {
      const auto made = new_group(key);
      if (made.ok()) place = Place{static_cast<std::uint32_t>(*made), hash};
      return made;
    }
    if (place.hash == hash && groups_[place.group].key == key) return place.group;
  }
}

void ReportReading::grow_places() {
  std::vector<Place> before(std::max<std::size_t>(1024, 2 * places_.size()));
  before.swap(places_);
  const std::size_t mask = places_.size() - 1;
  for (const Place& place : before) {
    if (place.group == kFree) continue;
    std::size_t i = place.hash & mask;
    while (places_[i].group != kFree) i = (i + 1) & mask;
    places_[i] = place;
  }
}

Result<std::size_t> ReportReading::new_group(std::string key) {
  if (groups_.size() >= limits::kReportRows) {
    return Error{Code::kReportTooLarge,
                 fmt::format("more than {} rows: ask for a shorter period or for fewer dimensions",
                             limits::kReportRows)};
  }
  const std::size_t sums = plan_.report->measures.size();
  if (auto room = budget_.take(kGroupBytes + key.size() + sums * sizeof(std::int64_t)); !room) {
    return room.error();
  }
  groups_.push_back({std::move(key), Sums(sums)});
  return groups_.size() - 1;
}

Status ReportReading::count_distinct(const PlannedSource& source, const Row& row,
                                     std::size_t group) {
  for (const PlannedMeasure& measure : source.measures) {
    if (!measure.distinct || !counts(measure, row.parts)) continue;
    std::string one = fmt::format("{}/{}/{}", group, measure.column, row.parts[measure.at]);
    if (distinct_->seen.contains(one)) continue;
    if (auto room = budget_.take(kDistinctBytes + one.size()); !room) return room;
    distinct_->seen.insert(std::move(one));
    ++groups_[group].sums[measure.column];
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

void ReportReading::note_row(std::string_view key, const Sums& sums) {
  constexpr std::uint64_t kFactor = 0x9E37'79B9'7F4A'7C15;
  add_to(total_sums_, sums);
  fingerprint_ = (fingerprint_ ^ hash_value(key)) * kFactor;
  for (const std::int64_t sum : sums) {
    fingerprint_ = (fingerprint_ ^ static_cast<std::uint64_t>(sum)) * kFactor;
  }
}

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
    HeldRow row;
  };
  std::vector<Sorted> sorted;
  Sums sums;
  std::string key;
  const auto visit = [&](const Row& row, const std::vector<Valued>& values) -> Result<bool> {
    ++count_;
    sums.assign(plan_.report->measures.size(), 0);
    add_measured(source, row, sums);
    make_up(sums);
    key.clear();
    for (const std::string_view part : row.parts) {
      key += part;
      key += '\0';
    }
    note_row(key, sums);
    if (!plan_.sorted) return true;
    if (sorted.size() >= limits::kReportSorted) return sorted_too_many();
    Sorted one{{}, 0, {{row.parts.begin(), row.parts.end()}, row.sums}};
    for (std::size_t i = 0; i < plan_.by.size(); ++i) {
      if (is_sorted_by(plan_.by[i]->column)) one.text = values[i].value;
    }
    for (std::size_t i = 0; i < sums.size(); ++i) {
      if (is_sorted_by(plan_.report->measures[i].column)) one.number = sums[i];
    }
    if (auto room = budget_.take(kGroupBytes + key.size() + one.text.size()); !room) {
      return room.error();
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

bool ReportReading::is_sorted_by(const ReportColumn& column) const {
  return column.name == plan_.columns[plan_.sort_column].name;
}

Error ReportReading::sorted_too_many() {
  return Error{Code::kReportQuery,
               fmt::format("sort: more than {} rows: ask for a shorter period, or for the order "
                           "that is its own",
                           limits::kReportSorted)};
}

Status ReportReading::each_detail(std::uint64_t offset, std::uint64_t limit, const Visit& visit) {
  const PlannedSource& source = plan_.sources.front();
  std::uint64_t at = 0;
  std::vector<std::string> texts;
  const auto one = [&](const Row& row, const std::vector<Valued>& values) -> Result<bool> {
    if (at++ < offset) return true;
    if (at > offset + limit) return false;
    Sums sums(plan_.report->measures.size());
    add_measured(source, row, sums);
    make_up(sums);
    texts.clear();
    for (const Valued& valued : values) texts.push_back(valued.value);
    auto made = cells(texts, sums, &row);
    if (!made) return made.error();
    return visit(*made) && at < offset + limit;
  };
  if (!plan_.sorted) return limit == 0 ? Status{} : walk(source, one);
  Walk held(source);
  for (std::size_t i = offset; i < sorted_rows_.size() && i - offset < limit; ++i) {
    if (auto on = budget_.go_on(); !on) return on;
    held.row.parts.assign(sorted_rows_[i].parts.begin(), sorted_rows_[i].parts.end());
    held.row.sums = sorted_rows_[i].sums;
    for (Valued& valued : held.values) {
      if (auto done = find_value(source, held.row, valued); !done) return done;
    }
    at = i;
    const auto on = one(held.row, held.values);
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
    if (auto taken = field_cells(*row, made); !taken) return taken.error();
  }
  const auto& measures = plan_.report->measures;
  for (const ReportMeasure* measure : plan_.measures) {
    const auto i = static_cast<std::size_t>(measure - measures.data());
    made.push_back(ReportCell{ReportCell::Kind::kNumber, sums[i]});
  }
  return made;
}

Status ReportReading::field_cells(const Row& row, std::vector<ReportCell>& made) {
  const Projection& projection = *plan_.sources.front().projection;
  std::string scope;
  std::string id;
  for (std::size_t i = 0; i < row.parts.size(); ++i) {
    if (projection.by[i].from == ProjectionPart::From::kScope) scope = row.parts[i];
    if (projection.by[i].from == ProjectionPart::From::kRecord) id = row.parts[i];
  }
  for (const ReportShow* field : plan_.fields) {
    auto text = names_.field_of(scope, projection.coll, id, field->record);
    if (!text) return text.error();
    made.push_back(text_cell(std::move(*text)));
  }
  return {};
}

Status ReportReading::each(std::uint64_t offset, std::uint64_t limit, const Visit& visit) {
  if (plan_.report->detail) return each_detail(offset, limit, visit);
  for (std::uint64_t i = offset; i < count_ && i - offset < limit; ++i) {
    if (auto on = budget_.go_on(); !on) return on;
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

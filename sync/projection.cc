#include "sync/projection.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "sync/scalar.h"
#include "sync/time_text.h"
#include "sync/wire.h"

namespace waystation {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
// What a part of a row's name may take: an id, or a value of a bounded field.
constexpr std::size_t kPartBytes = 1024;

std::optional<std::int64_t> shown_integer(const Record& record, std::string_view field) {
  const std::string json = record.shown(field);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(json.data(), json.data() + json.size(), number);
  if (json.empty() || error != std::errc() || end != json.data() + json.size()) return std::nullopt;
  return number;
}

std::optional<std::int64_t> shown_ms(const Record& record, std::string_view field) {
  const auto text = record.shown_text(field);
  const auto time = text ? parse_time(*text) : std::nullopt;
  return time ? std::optional(time->ms) : std::nullopt;
}

bool holds(const Record& record, const std::vector<ProjectionCondition>& when) {
  return std::all_of(when.begin(), when.end(), [&](const ProjectionCondition& condition) {
    const std::string shown = record.shown(condition.field);
    switch (condition.is) {
      case ProjectionCondition::Is::kShown: return !shown.empty();
      case ProjectionCondition::Is::kAbsent: return shown.empty();
      case ProjectionCondition::Is::kEqual: return shown == condition.value;
    }
    return false;
  });
}

// A sign-out before the sign-in counts nothing. To the nearest minute, as the pages show it.
std::int64_t minutes_of(const Record& record, const ProjectionMeasure& measure) {
  if (!measure.field.empty()) {
    if (const auto told = shown_integer(record, measure.field)) return *told;
  }
  const auto from = shown_ms(record, measure.from);
  for (const std::string& field : measure.to) {
    const auto to = shown_ms(record, field);
    if (!to) continue;
    if (!from || *to <= *from) return 0;
    const std::int64_t minutes = (*to - *from + kMinuteMs / 2) / kMinuteMs;
    return measure.most == 0 ? minutes : std::min(minutes, measure.most);
  }
  return 0;
}

std::int64_t value_of(const Record& record, const ProjectionMeasure& measure) {
  if (!holds(record, measure.when)) return 0;
  switch (measure.kind) {
    case ProjectionMeasure::Kind::kCount: return 1;
    case ProjectionMeasure::Kind::kSum:
      return shown_integer(record, measure.field).value_or(measure.otherwise);
    case ProjectionMeasure::Kind::kMinutes: return minutes_of(record, measure);
  }
  return 0;
}

std::string bounded(std::string text) {
  std::replace(text.begin(), text.end(), '\0', ' ');
  if (text.size() <= kPartBytes) return text;
  std::size_t end = kPartBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
  return text;
}

std::set<std::string> elements_of(const Record& record, std::string_view field_name) {
  std::set<std::string> elements;
  const Field* field = record.field(field_name);
  if (field == nullptr || field->type != MergeType::kSet) return elements;
  for (const Write& write : field->live) elements.insert(bounded(json_text(write.value)));
  return elements;
}

// What one part is; nothing: the record has no place among the groups.
std::optional<std::vector<std::string>> values_of(const ProjectionPart& part, const Zone& zone,
                                                  std::string_view scope, std::string_view id,
                                                  const Record& record) {
  using From = ProjectionPart::From;
  std::optional<std::int64_t> ms;
  switch (part.from) {
    case From::kScope: return std::vector{std::string(scope)};
    case From::kRecord: return std::vector{std::string(id)};
    case From::kField: {
      std::string text = json_text(record.shown(part.field));
      if (text.empty()) text = key_part(part.key, id).value_or(std::string_view());
      if (!text.starts_with(part.after)) return std::nullopt;
      return std::vector{bounded(text.substr(part.after.size()))};
    }
    case From::kElements: {
      const auto elements = elements_of(record, part.field);
      return std::vector<std::string>(elements.begin(), elements.end());
    }
    case From::kTime: ms = shown_ms(record, part.field); break;
    case From::kInstant: ms = shown_integer(record, part.field); break;
  }
  if (!ms) return std::nullopt;
  return std::vector{bucket_of(*ms, part.bucket, zone)};
}

void count(const Projection& projection, const Zone& zone, std::string_view scope,
           std::string_view id, const Record& record, Projected& out) {
  if (!holds(record, projection.when)) return;
  if (!projection.voids.empty() && record.shown(projection.voids) == "true") return;
  std::vector<std::vector<std::string>> rows{{}};
  for (const ProjectionPart& part : projection.by) {
    const auto values = values_of(part, zone, scope, id, record);
    if (!values) return;
    std::vector<std::vector<std::string>> longer;
    for (const auto& row : rows) {
      for (const std::string& value : *values) {
        longer.push_back(row);
        longer.back().push_back(value);
      }
    }
    rows = std::move(longer);
  }
  Sums sums;
  for (const ProjectionMeasure& measure : projection.measures) {
    sums.push_back(value_of(record, measure));
  }
  if (all_zero(sums)) return;
  for (const auto& row : rows) out.sums.emplace(row_name(projection.name, row), sums);
}

}  // namespace

std::optional<Zone> parse_zone(std::string_view text) {
  if (text == "Asia/Shanghai") return Zone{};
  if (text == "UTC") return Zone{"UTC", 0};
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  int hours = 0;
  int minutes = 0;
  const char* at = text.data();
  if (std::from_chars(at + 1, at + 3, hours).ptr != at + 3 ||
      std::from_chars(at + 4, at + 6, minutes).ptr != at + 6 || hours > 14 || minutes > 59) {
    return std::nullopt;
  }
  const int offset = hours * 60 + minutes;
  return Zone{std::string(text), text[0] == '-' ? -offset : offset};
}

std::string bucket_of(std::int64_t ms, Bucket bucket, const Zone& zone) {
  std::string text = format_time(LocalTime{ms, zone.offset_minutes});
  const std::size_t length = bucket == Bucket::kHour ? 13 : bucket == Bucket::kDay ? 10 : 7;
  text.resize(std::min(length, text.size()));
  return text;
}

std::optional<std::size_t> Projection::part(std::string_view part_name) const {
  for (std::size_t i = 0; i < by.size(); ++i) {
    if (by[i].name == part_name) return i;
  }
  return std::nullopt;
}

std::optional<std::size_t> Projection::measure(std::string_view measure_name) const {
  for (std::size_t i = 0; i < measures.size(); ++i) {
    if (measures[i].name == measure_name) return i;
  }
  return std::nullopt;
}

const Projection* Projections::find(std::string_view name) const {
  const auto at = all_.find(name);
  return at == all_.end() ? nullptr : &at->second;
}

const KeptFields* Projections::kept(std::string_view coll) const {
  const auto at = kept_.find(coll);
  return at == kept_.end() ? nullptr : &at->second;
}

const std::vector<const Projection*>* Projections::over(std::string_view coll) const {
  const auto at = over_.find(coll);
  return at == over_.end() ? nullptr : &at->second;
}

std::string_view Projections::corrects(std::string_view coll) const {
  const auto at = corrects_.find(coll);
  return at == corrects_.end() ? std::string_view() : std::string_view(at->second);
}

Projected project(const Projections& projections, std::string_view scope, std::string_view coll,
                  std::string_view id, const Record& record) {
  Projected out;
  if (!record.exists()) return out;
  const KeptFields* kept = projections.kept(coll);
  if (kept != nullptr) out.kept = KeptRow{record.born, record.deleted(), {}};
  if (record.deleted()) return out;
  if (const auto* over = projections.over(coll)) {
    for (const Projection* projection : *over) {
      count(*projection, projections.zone(), scope, id, record, out);
    }
  }
  if (const std::string_view field = projections.corrects(coll); !field.empty()) {
    out.corrects = json_text(record.shown(field));
    if (out.corrects == id || !valid_record_id(out.corrects)) out.corrects.clear();
  }
  if (kept != nullptr) {
    for (const std::string& field : kept->fields) out.kept->fields.push_back(record.shown(field));
    if (!kept->redirect.empty()) out.into = json_text(record.shown(kept->redirect));
    if (!valid_record_id(out.into)) out.into.clear();
  }
  return out;
}

std::string row_name(std::string_view projection, const std::vector<std::string>& parts) {
  std::string row(projection);
  row += '\0';
  for (const std::string& part : parts) {
    row += part;
    row += '\0';
  }
  return row;
}

bool read_parts(std::string_view row, std::string_view projection,
                std::vector<std::string_view>& into) {
  into.clear();
  if (!row.starts_with(projection) || row.size() <= projection.size() ||
      row[projection.size()] != '\0') {
    return false;
  }
  std::size_t at = projection.size() + 1;
  while (at < row.size()) {
    const std::size_t end = row.find('\0', at);
    if (end == std::string_view::npos) return false;
    into.push_back(row.substr(at, end - at));
    at = end + 1;
  }
  return true;
}

std::optional<std::vector<std::string_view>> parts_of(std::string_view row,
                                                      std::string_view projection) {
  std::vector<std::string_view> parts;
  if (!read_parts(row, projection, parts)) return std::nullopt;
  return parts;
}

std::string json_text(std::string_view json) {
  if (json.size() < 2 || json.front() != '"') return {};
  const std::string_view inside = json.substr(1, json.size() - 2);
  if (inside.find('\\') == std::string_view::npos) return std::string(inside);
  return text_of(scalar_value(std::string(json)));
}

void add_to(Sums& a, const Sums& b, std::int64_t times) {
  if (a.size() < b.size()) a.resize(b.size());
  // Without a sign: what no count ever comes to is to wrap, and not to be undefined.
  for (std::size_t i = 0; i < b.size(); ++i) {
    a[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(a[i]) +
                                     static_cast<std::uint64_t>(times) *
                                         static_cast<std::uint64_t>(b[i]));
  }
}

bool all_zero(const Sums& sums) {
  return std::all_of(sums.begin(), sums.end(), [](std::int64_t sum) { return sum == 0; });
}

}  // namespace waystation

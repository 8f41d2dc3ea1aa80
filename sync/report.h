// The reports that are read of the projections: schemas/reports/*.json (format in
// schemas/report.schema.json; docs/reports.md). Read once, then immutable; pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sync/projection.h"

namespace waystation {

enum class CellType : std::uint8_t {
  kText,
  kEnum,   // text, by the titles of a field's values
  kDate,   // 2026-01-31
  kMonth,  // 2026-01
  kHour,   // 0 to 23
  kTime,   // RFC 3339
  kInteger,
  kMinutes,
  kPoints,
};
[[nodiscard]] std::string_view to_string(CellType type);
[[nodiscard]] inline bool is_number(CellType type) { return type >= CellType::kInteger; }

struct ReportColumn {
  std::string name;
  Title title;
  CellType type = CellType::kText;
};

// Where a dimension's value comes from, in a projection that has that part.
struct ReportPart {
  std::string part;
  std::string kept;      // a field that is kept of the record that the part names; empty: the part
  std::size_t from = 0;  // bytes of it
  std::size_t to = std::string::npos;
};

// A column beside a dimension's, of the record that its first part names.
struct ReportShow {
  ReportColumn column;
  std::string kept;    // a field kept beside the sums
  std::string record;  // or one of the record itself, which may be personal
};

// The name of what a value stands for: `field` of the record of `coll` whose `match` is the value.
struct ReportNaming {
  ReportColumn column;
  std::string coll;
  std::string match;
  std::string field;
};

struct ReportDimension {
  ReportColumn column;
  std::vector<ReportPart> parts;  // the first that a projection has
  std::vector<ReportShow> shows;
  std::optional<ReportNaming> named;
  std::map<std::string, Title> choices;  // kEnum
};

struct ReportMeasure {
  ReportColumn column;
  std::size_t source = 0;
  std::string measure;                       // of the projection
  std::string distinct;                      // or a part whose different values count
  std::map<std::string, std::string> where;  // parts, and what they must be
  std::vector<std::string> plus;             // or made of other measures
  std::vector<std::string> minus;
  bool on_request = false;  // it costs more, and is left out unless it is named
};

struct Report {
  std::string name;
  Title title;
  Title about;
  // Each a list of projections: the first that has what is asked for is read.
  std::vector<std::vector<std::string>> sources;
  std::vector<ReportDimension> dimensions;
  std::vector<ReportMeasure> measures;
  std::vector<std::string> by;  // when nothing is asked for
  // One row a record, in place of groups: columns of the record besides those of `by`.
  bool detail = false;
  std::vector<ReportShow> fields;

  [[nodiscard]] const ReportDimension* dimension(std::string_view dimension_name) const;
};

class Reports {
 public:
  // Errors: kSchemaInvalid, with the file, the path in it and the reason.
  [[nodiscard]] static Result<Reports> parse(const std::vector<SchemaFile>& files,
                                             const Schemas& schemas,
                                             const Projections& projections);

  [[nodiscard]] const Report* find(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, Report, std::less<>>& all() const { return all_; }

 private:
  std::map<std::string, Report, std::less<>> all_;
};

}  // namespace waystation

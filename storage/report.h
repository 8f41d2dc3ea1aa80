// One reading of a report: a table of cells, from one snapshot, that JSON, CSV and XLSX are written
// from. docs/reports.md. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "storage/report_names.h"
#include "storage/report_plan.h"
#include "storage/store.h"

namespace waystation {

struct ReportCell {
  enum class Kind : std::uint8_t { kNothing, kNumber, kText };
  Kind kind = Kind::kNothing;
  std::int64_t number = 0;
  std::string text = {};
};

class ReportReading {
 public:
  // Reads all that is counted. The store and the projections outlive it. Errors: kReportTooLarge,
  // kStoreCorrupt, kIo, kReportQuery (an order that cannot be had).
  [[nodiscard]] static Result<std::unique_ptr<ReportReading>> open(const Store& store,
                                                                   const Projections& projections,
                                                                   ReportPlan plan);

  ~ReportReading();
  ReportReading(const ReportReading&) = delete;
  ReportReading& operator=(const ReportReading&) = delete;

  [[nodiscard]] const ReportPlan& plan() const { return plan_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] Seq seq() const { return seq_; }
  // Of each column; empty where they would say something that is not so.
  [[nodiscard]] const std::vector<ReportCell>& totals() const { return totals_; }

  // Rows from `offset` on, at most `limit`; `visit` returns false to stop. Errors: as above.
  using Visit = std::function<bool(const std::vector<ReportCell>& cells)>;
  [[nodiscard]] Status each(std::uint64_t offset, std::uint64_t limit, const Visit& visit);

 private:
  struct Row {  // of a detail
    std::vector<std::string> parts;
    Sums sums;
  };
  struct Group {
    std::string key;  // the dimensions' values, each ended by byte 0
    Sums sums;        // by the report's measures
  };
  using VisitRow = std::function<Result<bool>(const PlannedSource& source, const Row& row,
                                              std::vector<std::string>& values)>;

  ReportReading(const Store& store, const Projections& projections, ReportPlan plan);
  [[nodiscard]] Status walk(const PlannedSource& source, const VisitRow& visit);
  [[nodiscard]] Result<std::string> value_of(const PlannedSource& source,
                                             const PlannedDimension& planned, const Row& row);
  [[nodiscard]] Result<bool> passes(const PlannedSource& source, const Row& row);
  [[nodiscard]] Status read_groups();
  [[nodiscard]] Status read_detail();
  [[nodiscard]] Status count_distinct(const PlannedSource& source, const Row& row,
                                      std::size_t group);
  void sort_groups();
  void add_totals(const Sums& sums);
  void close_totals(bool say);
  [[nodiscard]] Sums measured(const PlannedSource& source, const Row& row) const;
  void make_up(Sums& sums) const;  // what is made of other measures
  [[nodiscard]] Result<std::vector<ReportCell>> cells(const std::vector<std::string>& values,
                                                      const Sums& sums, const Row* row);
  [[nodiscard]] ReportCell dimension_cell(const ReportDimension& dimension,
                                          const std::string& value) const;
  [[nodiscard]] Status each_detail(std::uint64_t offset, std::uint64_t limit, const Visit& visit);

  const Store& store_;
  const Projections& projections_;
  ReportPlan plan_;
  std::unique_ptr<Snapshot> snapshot_;
  ReportNames names_;
  Seq seq_ = 0;
  std::uint64_t count_ = 0;
  std::deque<Group> groups_;
  std::vector<Row> sorted_rows_;  // of a detail in an order of its own
  Sums total_sums_;
  std::vector<ReportCell> totals_;
  struct Distinct;
  std::unique_ptr<Distinct> distinct_;
};

}  // namespace waystation

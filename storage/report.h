// One reading of a report: a table of cells, from one snapshot, that JSON, CSV and XLSX are written
// from. docs/reports.md. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/report_budget.h"
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
  // kStoreCorrupt, kIo, kReportQuery (an order that cannot be had), kBusy (it was stopped).
  [[nodiscard]] static Result<std::unique_ptr<ReportReading>> open(const Store& store,
                                                                   const Projections& projections,
                                                                   ReportPlan plan,
                                                                   ReportBounds bounds = {});

  ~ReportReading();
  ReportReading(const ReportReading&) = delete;
  ReportReading& operator=(const ReportReading&) = delete;

  [[nodiscard]] const ReportPlan& plan() const { return plan_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] Seq seq() const { return seq_; }
  // Of which rows there are and what they count: equal where none has come, gone or changed. Not of
  // the names beside them.
  [[nodiscard]] std::uint64_t fingerprint() const { return fingerprint_; }
  // Of each column; empty where they would say something that is not so.
  [[nodiscard]] const std::vector<ReportCell>& totals() const { return totals_; }

  // Rows from `offset` on, at most `limit`; `visit` returns false to stop. Errors: as above.
  using Visit = std::function<bool(const std::vector<ReportCell>& cells)>;
  [[nodiscard]] Status each(std::uint64_t offset, std::uint64_t limit, const Visit& visit);

 private:
  struct Row {  // of a projection, while it is read
    std::vector<std::string_view> parts;
    Sums sums;
  };
  struct HeldRow {  // of a detail in an order of its own
    std::vector<std::string> parts;
    Sums sums;
  };
  struct Group {
    std::string key;  // the dimensions' values, each ended by byte 0
    Sums sums;        // by the report's measures
  };
  // Open addressing, a power of two of them: a map would hold each group in pieces of memory of its
  // own, which takes longer than reading them.
  static constexpr std::uint32_t kFree = 0xFFFF'FFFF;
  struct Place {
    std::uint32_t group = kFree;
    std::uint32_t hash = 0;
  };
  // A dimension's value of the row that is read; it is worked out anew where its part is another.
  struct Valued {
    const PlannedDimension* planned = nullptr;
    bool known = false;
    std::string part = {};
    std::string value = {};
  };
  struct Walk;
  using VisitRow = std::function<Result<bool>(const Row& row, const std::vector<Valued>& values)>;

  ReportReading(const Store& store, const Projections& projections, ReportPlan plan,
                ReportBounds bounds);
  [[nodiscard]] Status walk(const PlannedSource& source, const VisitRow& visit);
  [[nodiscard]] Result<bool> take_row(const PlannedSource& source, Walk& at);
  [[nodiscard]] Status find_value(const PlannedSource& source, const Row& row, Valued& valued);
  [[nodiscard]] Status read_groups();
  [[nodiscard]] Status read_groups_of(const PlannedSource& source);
  [[nodiscard]] Result<std::size_t> group_of(const std::string& key);
  void grow_places();
  [[nodiscard]] Result<std::size_t> new_group(std::string key);
  [[nodiscard]] Status read_detail();
  [[nodiscard]] bool is_sorted_by(const ReportColumn& column) const;
  [[nodiscard]] static Error sorted_too_many();
  [[nodiscard]] Status count_distinct(const PlannedSource& source, const Row& row,
                                      std::size_t group);
  void sort_groups();
  // Of a row that is shown.
  void note_row(std::string_view key, const Sums& sums);
  void close_totals(bool say);
  static void add_measured(const PlannedSource& source, const Row& row, Sums& sums);
  void make_up(Sums& sums) const;  // what is made of other measures
  [[nodiscard]] Result<std::vector<ReportCell>> cells(const std::vector<std::string>& values,
                                                      const Sums& sums, const Row* row);
  [[nodiscard]] Status field_cells(const Row& row, std::vector<ReportCell>& made);
  [[nodiscard]] ReportCell dimension_cell(const ReportDimension& dimension,
                                          const std::string& value) const;
  [[nodiscard]] Status each_detail(std::uint64_t offset, std::uint64_t limit, const Visit& visit);

  const Store& store_;
  const Projections& projections_;
  ReportPlan plan_;
  std::unique_ptr<Snapshot> snapshot_;
  ReportBudget budget_;
  ReportNames names_;
  Seq seq_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t fingerprint_ = 0;
  std::deque<Group> groups_;
  std::vector<Place> places_;  // by the hashes of their keys, while they are read
  std::vector<HeldRow> sorted_rows_;
  Sums total_sums_;
  std::vector<ReportCell> totals_;
  struct Distinct;
  std::unique_ptr<Distinct> distinct_;
};

}  // namespace waystation

// Collects what was measured, run by run, and prints one table.
#pragma once

#include <string>
#include <vector>

namespace waystation::load {

class Report {
 public:
  // One more sample of a measure. Rows stand in the order of their first sample. `target` is what
  // is wanted, for the reader, such as "≥ 30,000".
  void add(const std::string& workload, const std::string& measure, double value,
           const std::string& target = {});

  // Median, lowest and highest of each measure.
  [[nodiscard]] std::string table() const;
  [[nodiscard]] std::string json() const;

 private:
  struct Row {
    std::string workload;
    std::string measure;
    std::string target;
    std::vector<double> samples;
  };
  std::vector<Row> rows_;
};

// Whole, with commas: 31,400.
[[nodiscard]] std::string with_commas(double value);

}  // namespace waystation::load

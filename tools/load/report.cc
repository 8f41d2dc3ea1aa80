#include "tools/load/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace waystation::load {
namespace {

double median_of(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  const std::size_t middle = samples.size() / 2;
  return samples.size() % 2 == 1 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
}

// Three digits, or whole with commas: 0.0412, 3.20, 41.7, 31,400.
std::string number(double value) {
  if (value == 0) return "0";
  if (std::abs(value) < 100) {
    const int digits = 2 - static_cast<int>(std::floor(std::log10(std::abs(value))));
    return fmt::format("{:.{}f}", value, std::clamp(digits, 1, 6));
  }
  return with_commas(value);
}

// Columns are counted in characters, not bytes.
std::string padded(const std::string& text, std::size_t width) {
  const auto size = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
  return text + std::string(width - std::min(size, width), ' ');
}

}  // namespace

std::string with_commas(double value) {
  const std::string digits = fmt::format("{:.0f}", std::abs(value));
  std::string text = value < 0 ? "-" : "";
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

void Report::add(const std::string& workload, const std::string& measure, double value,
                 const std::string& target) {
  auto row = std::find_if(rows_.begin(), rows_.end(), [&](const Row& known) {
    return known.workload == workload && known.measure == measure;
  });
  if (row == rows_.end()) row = rows_.insert(rows_.end(), Row{workload, measure, target, {}});
  row->samples.push_back(value);
}

std::string Report::table() const {
  const auto line = [](const std::string& workload, const std::string& measure,
                       const std::string& median, const std::string& range,
                       const std::string& target) {
    return fmt::format("| {} | {} | {} | {} | {} |\n", padded(workload, 34), padded(measure, 44),
                       padded(median, 10), padded(range, 21), padded(target, 9));
  };
  std::string out = line("workload", "measure", "median", "lowest – highest", "target");
  out += line("---", "---", "---", "---", "---");
  for (const Row& row : rows_) {
    const auto [low, high] = std::minmax_element(row.samples.begin(), row.samples.end());
    out += line(row.workload, row.measure, number(median_of(row.samples)),
                fmt::format("{} – {}", number(*low), number(*high)), row.target);
  }
  return out;
}

std::string Report::json() const {
  std::string out = "[";
  for (const Row& row : rows_) {
    out += fmt::format(
        "{}\n  {{\"workload\":\"{}\",\"measure\":\"{}\",\"median\":{},\"samples\":[{}]}}",
        out.size() > 1 ? "," : "", row.workload, row.measure, median_of(row.samples),
        fmt::join(row.samples, ","));
  }
  return out + "\n]\n";
}

}  // namespace waystation::load

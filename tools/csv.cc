#include "tools/csv.h"

#include <simdjson.h>

#include <algorithm>

namespace waystation {

CsvReader::CsvReader(std::string_view text) : text_(text) {
  if (text_.substr(0, kByteOrderMark.size()) == kByteOrderMark) at_ = kByteOrderMark.size();
}

// The length of the line break at `at`; 0: there is none.
std::size_t CsvReader::line_break(std::size_t at) const {
  if (at >= text_.size()) return 0;
  if (text_[at] == '\n') return 1;
  return text_.substr(at, 2) == "\r\n" ? 2 : 0;
}

bool CsvReader::take_line_break() {
  const std::size_t length = line_break(at_);
  at_ += length;
  if (length > 0) ++line_;
  return length > 0;
}

void CsvReader::skip_line() {
  const std::size_t end = text_.find('\n', at_);
  at_ = end == std::string_view::npos ? text_.size() : end + 1;
  ++line_;
}

void CsvReader::fail(CsvRow& row, std::string problem) {
  row.problem = std::move(problem);
  row.cells.clear();
  skip_line();
}

// Takes a cell in quotes, at its opening quote. False when its end is not to be found.
bool CsvReader::quoted_cell(CsvRow& row) {
  std::string cell;
  std::size_t from = at_ + 1;
  for (;;) {
    const std::size_t quote = text_.find('"', from);
    if (quote == std::string_view::npos) return false;
    cell += text_.substr(from, quote - from);
    if (text_.substr(quote, 2) == "\"\"") {
      cell += '"';
      from = quote + 2;
      continue;
    }
    at_ = quote + 1;
    line_ += static_cast<std::size_t>(std::count(cell.begin(), cell.end(), '\n'));
    row.cells.push_back(std::move(cell));
    return true;
  }
}

void CsvReader::plain_cell(CsvRow& row) {
  const std::size_t start = at_;
  while (at_ < text_.size() && text_[at_] != ',' && line_break(at_) == 0) ++at_;
  row.cells.emplace_back(text_.substr(start, at_ - start));
}

bool CsvReader::next(CsvRow& row) {
  while (take_line_break()) {
  }
  if (at_ >= text_.size()) return false;
  row = CsvRow{};
  row.line = line_;
  const std::size_t start = at_;
  for (;;) {
    const bool quoted = at_ < text_.size() && text_[at_] == '"';
    if (quoted) {
      if (!quoted_cell(row)) {
        at_ = start;
        line_ = row.line;
        fail(row, "a quote is opened and never closed");
        return true;
      }
    } else {
      plain_cell(row);
      if (row.cells.back().find('"') != std::string::npos) {
        fail(row, "a quote stands inside a cell that does not begin with one");
        return true;
      }
    }
    if (at_ >= text_.size() || take_line_break()) break;
    if (text_[at_] != ',') {
      fail(row, "text follows the closing quote of a cell");
      return true;
    }
    ++at_;
  }
  if (!simdjson::validate_utf8(text_.data() + start, at_ - start)) {
    row.problem = "not UTF-8 (a spreadsheet program saves it as \"CSV UTF-8\")";
    row.cells.clear();
  }
  return true;
}

}  // namespace waystation

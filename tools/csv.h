// Comma-separated values as in RFC 4180: quoted cells, doubled quotes, line breaks inside quotes,
// CRLF or LF, and a byte-order mark in front. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sync/csv_text.h"

namespace waystation {

struct CsvRow {
  std::size_t line = 0;  // where it begins, from 1
  std::vector<std::string> cells;
  std::string problem;  // what is wrong with it, for people; empty: nothing, and `cells` is whole
};

// Reads row after row. A bad row costs itself alone: reading goes on behind the line break that
// follows the fault, or, where a quote was never closed, on the line after the one it began in.
class CsvReader {
 public:
  // `text` outlives the reader.
  explicit CsvReader(std::string_view text);

  // The next row that is not an empty line; false at the end.
  bool next(CsvRow& row);

  // Bytes read so far.
  [[nodiscard]] std::size_t position() const { return at_; }

 private:
  bool quoted_cell(CsvRow& row);
  void plain_cell(CsvRow& row);
  void fail(CsvRow& row, std::string problem);
  [[nodiscard]] std::size_t line_break(std::size_t at) const;
  bool take_line_break();
  void skip_line();

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace waystation

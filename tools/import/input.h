// The lines of a file to be imported, from CSV or JSON lines, as named cells. What is wrong with a
// line is said in the line and costs that line alone. Pure; one thread.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sync/result.h"

namespace waystation {

enum class InputFormat : std::uint8_t { kCsv, kJsonLines };

struct Cell {
  bool json = false;  // JSON lines give canonical JSON values, CSV gives text without outer spaces
  std::string text;
};

struct InputLine {
  std::size_t line = 0;               // from 1
  std::map<std::string, Cell> cells;  // an empty CSV cell is not there: it says nothing
  std::string problem;                // empty: none
};

// Which columns a file may have, and which it must have.
struct InputColumns {
  std::vector<std::string> required;
  std::vector<std::string> optional;
};

class InputReader {
 public:
  InputReader() = default;
  InputReader(const InputReader&) = delete;
  InputReader& operator=(const InputReader&) = delete;
  virtual ~InputReader() = default;
  // The next line that is not empty; false at the end.
  virtual bool next(InputLine& line) = 0;
  [[nodiscard]] virtual std::size_t position() const = 0;  // bytes read so far
};

// Errors: kInputInvalid when no line can be right: the header lacks a column or has a foreign one,
// or the file is UTF-16. `text` outlives the reader.
[[nodiscard]] Result<std::unique_ptr<InputReader>> read_input(std::string_view text,
                                                              InputFormat format,
                                                              const InputColumns& columns);

}  // namespace waystation

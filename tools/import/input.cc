#include "tools/import/input.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <set>

#include "sync/canonical.h"
#include "sync/limits.h"
#include "tools/csv.h"
#include "tools/json_view.h"

namespace waystation {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

bool holds(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool known(const InputColumns& columns, std::string_view name) {
  return holds(columns.required, name) || holds(columns.optional, name);
}

class CsvInput final : public InputReader {
 public:
  explicit CsvInput(std::string_view text) : reader_(text) {}

  Status header(const InputColumns& columns) {
    CsvRow row;
    if (!reader_.next(row)) return Error{Code::kInputInvalid, "the file is empty"};
    const auto wrong = [&](std::string_view what) {
      return Error{
          Code::kInputInvalid,
          fmt::format("line {}, the header: {}; it needs {} and may have {}", row.line, what,
                      fmt::join(columns.required, ","), fmt::join(columns.optional, ","))};
    };
    if (!row.problem.empty()) return wrong(row.problem);
    for (const std::string& cell : row.cells) {
      const std::string_view name = trimmed(cell);
      if (!known(columns, name)) return wrong(fmt::format("unknown column \"{}\"", name));
      if (holds(names_, name)) return wrong(fmt::format("column \"{}\" stands twice", name));
      names_.emplace_back(name);
    }
    for (const std::string& name : columns.required) {
      if (!holds(names_, name)) return wrong(fmt::format("column \"{}\" is missing", name));
    }
    return {};
  }

  bool next(InputLine& line) override {
    CsvRow row;
    if (!reader_.next(row)) return false;
    line = InputLine{};
    line.line = row.line;
    line.problem = std::move(row.problem);
    if (line.problem.empty() && row.cells.size() != names_.size()) {
      line.problem = fmt::format("{} columns, the header has {}", row.cells.size(), names_.size());
    }
    if (!line.problem.empty()) return true;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const std::string_view text = trimmed(row.cells[i]);
      if (!text.empty()) line.cells.emplace(names_[i], Cell{false, std::string(text)});
    }
    return true;
  }

  [[nodiscard]] std::size_t position() const override { return reader_.position(); }

 private:
  CsvReader reader_;
  std::vector<std::string> names_;
};

class JsonLinesInput final : public InputReader {
 public:
  JsonLinesInput(std::string_view text, InputColumns columns)
      : text_(text), columns_(std::move(columns)) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (text_.substr(0, 3) == kByteOrderMark) at_ = 3;
  }

  bool next(InputLine& line) override {
    while (at_ < text_.size()) {
      const std::size_t end = std::min(text_.find('\n', at_), text_.size());
      const std::string_view json = trimmed(text_.substr(at_, end - at_));
      at_ = std::min(end + 1, text_.size());
      ++line_;
      if (json.empty()) continue;
      line = InputLine{};
      line.line = line_;
      read(json, line);
      return true;
    }
    return false;
  }

  [[nodiscard]] std::size_t position() const override { return at_; }

 private:
  void read(std::string_view json, InputLine& line) const {
    if (json.size() > limits::kFrameBytes) {
      line.problem = "longer than 1 MiB";
      return;
    }
    const auto object = canonicalize(json);
    if (!object) {
      line.problem =
          fmt::format("not JSON: {} ({})", object.error().context, name(object.error().code));
      return;
    }
    if ((*object)[0] != '{') {
      line.problem = "not a JSON object";
      return;
    }
    for (const auto& [key, value] : json_members(*object)) {
      if (!known(columns_, key)) {
        line.problem = fmt::format("unknown key \"{}\"", key);
        return;
      }
      line.cells.emplace(key, Cell{true, std::string(value)});
    }
  }

  std::string_view text_;
  InputColumns columns_;
  std::size_t at_ = 0;
  std::size_t line_ = 0;
};

}  // namespace

Result<std::unique_ptr<InputReader>> read_input(std::string_view text, InputFormat format,
                                                const InputColumns& columns) {
  if (text.substr(0, 2) == "\xFF\xFE" || text.substr(0, 2) == "\xFE\xFF") {
    return Error{Code::kInputInvalid, "the file is UTF-16: save it as UTF-8"};
  }
  if (format == InputFormat::kJsonLines) {
    return std::unique_ptr<InputReader>(std::make_unique<JsonLinesInput>(text, columns));
  }
  auto reader = std::make_unique<CsvInput>(text);
  if (auto read = reader->header(columns); !read) return read.error();
  return std::unique_ptr<InputReader>(std::move(reader));
}

}  // namespace waystation

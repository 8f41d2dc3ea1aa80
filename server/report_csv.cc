// A report as CSV: RFC 4180, UTF-8 with a byte-order mark, CRLF. The last line says how many rows
// there are, so that a file that was cut off is told from a whole one.
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>

#include "server/report_files.h"
#include "sync/csv_text.h"

namespace waystation {
namespace {

constexpr std::size_t kChunk = 256 * 1024;

Error failed(const std::string& path) {
  const bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
  const Code code = full ? Code::kReportDisk : Code::kIo;
  return Error{code, fmt::format("{}: {}", path, std::strerror(errno))};
}

std::string heading(const ReportColumn& column, const ReportHead& head) {
  if (column.type != CellType::kMinutes) return head.of(column.title);
  return fmt::format("{}{}", head.of(column.title), head.word("（分钟）", " (minutes)"));
}

void append_row(std::string& out, const std::vector<ReportCell>& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += ',';
    if (cells[i].kind == ReportCell::Kind::kNumber) out += std::to_string(cells[i].number);
    if (cells[i].kind == ReportCell::Kind::kText)
      append_csv_cell(out, guard_formula(cells[i].text));
  }
  out += "\r\n";
}

}  // namespace

Status write_csv(ReportReading& reading, const ReportHead& head, const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wbe"),
                                                             &std::fclose);
  if (file == nullptr) return failed(path);
  Status written;
  const auto write = [&](std::string& chunk) {
    if (std::fwrite(chunk.data(), 1, chunk.size(), file.get()) != chunk.size()) {
      written = failed(path);
    }
    chunk.clear();
    return written.ok();
  };
  std::string chunk(kByteOrderMark);
  std::vector<ReportCell> headings;
  for (const ReportColumn& column : reading.plan().columns) {
    headings.push_back(ReportCell{ReportCell::Kind::kText, 0, heading(column, head)});
  }
  append_row(chunk, headings);
  std::uint64_t rows = 0;
  const Status read = reading.each(0, std::numeric_limits<std::int64_t>::max(),
                                   [&](const std::vector<ReportCell>& cells) {
                                     ++rows;
                                     append_row(chunk, cells);
                                     return chunk.size() < kChunk || write(chunk);
                                   });
  if (!read) return read;
  if (!written) return written;
  chunk += fmt::format("# {} rows\r\n", rows);
  if (!write(chunk)) return written;
  return std::fflush(file.get()) == 0 ? Status{} : Status{failed(path)};
}

}  // namespace waystation

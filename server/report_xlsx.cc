// A report as XLSX: numbers are numbers, days are days, hours have two decimals. Rows go to the
// disk as they are written. A second sheet says what the report is, so that it can stand alone.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>
#include <vector>

#include "server/report_files.h"
#include "server/xlsx_check.h"
#include "sync/limits.h"
#include "sync/time_text.h"

namespace waystation {
namespace {

// What a sheet holds besides its heading.
constexpr std::uint64_t kRowsPerSheet = 1'048'575;
constexpr std::size_t kMostChars = 32'767;

double width_of(CellType type) {
  switch (type) {
    case CellType::kText: return 22;
    case CellType::kEnum: return 16;
    case CellType::kDate:
    case CellType::kMonth: return 12;
    case CellType::kTime: return 18;
    default: return 14;
  }
}

int number_at(const std::string& text, std::size_t at, std::size_t length) {
  int number = 0;
  if (at + length <= text.size()) {
    std::from_chars(text.data() + at, text.data() + at + length, number);
  }
  return number;
}

// Of RFC 3339 text, as it is read there.
lxw_datetime datetime_of(const std::string& text) {
  lxw_datetime made{};
  made.year = number_at(text, 0, 4);
  made.month = number_at(text, 5, 2);
  made.day = number_at(text, 8, 2);
  made.hour = number_at(text, 11, 2);
  made.min = number_at(text, 14, 2);
  made.sec = number_at(text, 17, 2);
  return made;
}

class Book {
 public:
  Book(ReportReading& reading, const ReportHead& head, const std::string& path,
       const std::string& temporary)
      : reading_(reading), head_(head), path_(path), temporary_(temporary) {
    lxw_workbook_options options{};
    options.constant_memory = LXW_TRUE;
    options.tmpdir = temporary_.data();
    options.use_zip64 = LXW_TRUE;
    book_ = workbook_new_opt(path.c_str(), &options);
    if (book_ == nullptr) return;
    bold_ = workbook_add_format(book_);
    format_set_bold(bold_);
    hours_ = numbered("0.00");
    date_ = numbered("yyyy-mm-dd");
    time_ = numbered("yyyy-mm-dd hh:mm");
  }
  ~Book() {
    if (book_ != nullptr) lxw_workbook_free(book_);
    close_temporaries();
  }
  Book(const Book&) = delete;
  Book& operator=(const Book&) = delete;

  Status write() {
    if (book_ == nullptr) return failed(LXW_ERROR_CREATING_XLSX_FILE);
    add_sheet();
    write_about();
    const Status read = reading_.each(0, std::numeric_limits<std::int64_t>::max(),
                                      [&](const std::vector<ReportCell>& cells) {
                                        if (row_ > kRowsPerSheet) add_sheet();
                                        if (sheet_ != nullptr) write_row(cells);
                                        return error_ == LXW_NO_ERROR;
                                      });
    if (!read) return read;
    if (error_ != LXW_NO_ERROR) return failed(error_);
    const auto rows = flush_rows();
    if (!rows) return rows.error();
    const lxw_error closed = workbook_close(book_);
    book_ = nullptr;
    return closed == LXW_NO_ERROR ? check_xlsx(path_, *rows) : failed(closed);
  }

 private:
  lxw_format* numbered(const char* text) {
    lxw_format* format = workbook_add_format(book_);
    format_set_num_format(format, text);
    return format;
  }

  static Status failed(lxw_error error) {
    const bool disk = error == LXW_ERROR_CREATING_XLSX_FILE ||
                      error == LXW_ERROR_CREATING_TMPFILE ||
                      error == LXW_ERROR_ZIP_FILE_OPERATION || error == LXW_ERROR_ZIP_FILE_ADD ||
                      error == LXW_ERROR_ZIP_CLOSE;
    return Error{disk ? Code::kReportDisk : Code::kIo, lxw_strerror(error)};
  }

  void keep(lxw_error error) {
    if (error_ == LXW_NO_ERROR) error_ = error;
  }

  // The temporary file that the rows of a sheet lie in until the book is closed. The library closes
  // it then, but not where it gives up before it has come to the sheet.
  struct Temporary {
    lxw_worksheet* sheet = nullptr;
    std::FILE* file = nullptr;
    int number = -1;
    int held = -1;  // keeps the file, so that no other is taken for it
  };

  // Null: there is no room for its temporary file.
  lxw_worksheet* new_sheet(const std::string& name) {
    lxw_worksheet* sheet = workbook_add_worksheet(book_, name.c_str());
    if (sheet == nullptr) {
      keep(LXW_ERROR_CREATING_TMPFILE);
      return nullptr;
    }
    const int number = ::fileno(sheet->optimize_tmpfile);
    temporaries_.push_back({sheet, sheet->optimize_tmpfile, number, ::dup(number)});
    return sheet;
  }

  // How many bytes the rows of each sheet are, all of them in its temporary file.
  Result<std::vector<std::uint64_t>> flush_rows() {
    std::vector<std::uint64_t> bytes;
    for (const Temporary& temporary : temporaries_) {
      lxw_worksheet_write_single_row(temporary.sheet);  // the last one waits for the next
      const bool flushed = std::fflush(temporary.file) == 0 && std::ferror(temporary.file) == 0;
      const long at = std::ftell(temporary.file);
      if (!flushed || at < 0) {
        return Error{Code::kReportDisk, "the rows of the sheet could not be written"};
      }
      bytes.push_back(static_cast<std::uint64_t>(at));
    }
    return bytes;
  }

  void close_temporaries() {
    for (const Temporary& temporary : temporaries_) {
      struct stat ours {};
      struct stat now {};
      const bool open = ::fstat(temporary.held, &ours) == 0 &&
                        ::fstat(temporary.number, &now) == 0 && now.st_dev == ours.st_dev &&
                        now.st_ino == ours.st_ino;
      if (open) (void)std::fclose(temporary.file);
      if (temporary.held >= 0) (void)::close(temporary.held);
    }
  }

  void add_sheet() {
    ++sheets_;
    const std::string name = sheets_ == 1
                                 ? std::string(head_.word("数据", "Data"))
                                 : fmt::format("{} {}", head_.word("数据", "Data"), sheets_);
    sheet_ = new_sheet(name);
    if (sheet_ == nullptr) return;
    const auto& columns = reading_.plan().columns;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto at = static_cast<lxw_col_t>(i);
      keep(worksheet_set_column(sheet_, at, at, width_of(columns[i].type), nullptr));
      std::string title = head_.of(columns[i].title);
      if (columns[i].type == CellType::kMinutes) title += head_.word("（小时）", " (hours)");
      keep(worksheet_write_string(sheet_, 0, at, title.c_str(), bold_));
    }
    worksheet_freeze_panes(sheet_, 1, 0);
    row_ = 1;
  }

  void write_row(const std::vector<ReportCell>& cells) {
    const auto row = static_cast<lxw_row_t>(row_++);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      write_cell(row, static_cast<lxw_col_t>(i), reading_.plan().columns[i].type, cells[i]);
    }
  }

  void write_cell(lxw_row_t row, lxw_col_t column, CellType type, const ReportCell& cell) {
    if (cell.kind == ReportCell::Kind::kNothing) return;
    if (cell.kind == ReportCell::Kind::kNumber) {
      const auto number = static_cast<double>(cell.number);
      const bool hours = type == CellType::kMinutes;
      return keep(worksheet_write_number(sheet_, row, column, hours ? number / 60 : number,
                                         hours ? hours_ : nullptr));
    }
    if (type == CellType::kDate || type == CellType::kTime) {
      const auto time = type == CellType::kTime ? parse_time(cell.text) : std::nullopt;
      lxw_datetime when = datetime_of(
          time ? format_time(LocalTime{time->ms, head_.zone.offset_minutes}) : cell.text);
      return keep(worksheet_write_datetime(sheet_, row, column, &when,
                                           type == CellType::kDate ? date_ : time_));
    }
    write_text(sheet_, row, column, cell.text, nullptr);
  }

  void write_text(lxw_worksheet* sheet, lxw_row_t row, lxw_col_t column, std::string text,
                  lxw_format* format) {
    if (text.size() > kMostChars) {
      std::size_t end = kMostChars;
      while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
      text.resize(end);
    }
    keep(worksheet_write_string(sheet, row, column, text.c_str(), format));
  }

  void write_about() {
    const std::string name(head_.word("说明", "About"));
    lxw_worksheet* sheet = new_sheet(name);
    if (sheet == nullptr) return;
    keep(worksheet_set_column(sheet, 0, 0, 18, nullptr));
    keep(worksheet_set_column(sheet, 1, 1, 80, nullptr));
    lxw_row_t row = 0;
    const auto line = [&](std::string_view zh, std::string_view en, const std::string& value) {
      write_text(sheet, row, 0, std::string(head_.word(zh, en)), bold_);
      write_text(sheet, row++, 1, value, nullptr);
    };
    const ReportQuery& query = reading_.plan().query;
    line("报表", "Report", head_.title);
    line("含义", "Meaning", head_.about);
    const std::string open(head_.word("不限", "open"));
    line("时间范围", "Period",
         fmt::format("{} – {}", query.from.empty() ? open : query.from,
                     query.to.empty() ? open : query.to));
    line("时区", "Zone", head_.zone.name);
    std::string filters;
    for (const auto& [filter, value] : query.filters) {
      const ReportDimension* dimension = reading_.plan().report->dimension(filter);
      filters += filters.empty() ? "" : "; ";
      filters += fmt::format(
          "{} = {}", dimension == nullptr ? filter : head_.of(dimension->column.title), value);
    }
    line("筛选", "Filters", filters.empty() ? std::string(head_.word("无", "none")) : filters);
    line("生成时间", "Made at", head_.made);
    line("生成者", "Made by", head_.by);
    line("数据截至序号", "As of seq", std::to_string(reading_.seq()));
    line("行数", "Rows", std::to_string(reading_.count()));
    for (std::size_t i = 0; i < reading_.totals().size(); ++i) {
      const ReportCell& total = reading_.totals()[i];
      if (total.kind != ReportCell::Kind::kNumber) continue;
      const ReportColumn& column = reading_.plan().columns[i];
      const std::string title =
          fmt::format("{}{}", head_.word("合计：", "Total: "), head_.of(column.title));
      write_text(sheet, row, 0, title, bold_);
      const bool hours = column.type == CellType::kMinutes;
      const auto number = static_cast<double>(total.number);
      keep(worksheet_write_number(sheet, row++, 1, hours ? number / 60 : number,
                                  hours ? hours_ : nullptr));
    }
  }

  ReportReading& reading_;
  const ReportHead& head_;
  std::string path_;
  std::string temporary_;
  std::vector<Temporary> temporaries_;
  lxw_workbook* book_ = nullptr;
  lxw_worksheet* sheet_ = nullptr;
  lxw_format* bold_ = nullptr;
  lxw_format* hours_ = nullptr;
  lxw_format* date_ = nullptr;
  lxw_format* time_ = nullptr;
  std::uint64_t row_ = 0;
  std::size_t sheets_ = 0;
  lxw_error error_ = LXW_NO_ERROR;
};

}  // namespace

Status write_xlsx(ReportReading& reading, const ReportHead& head, const std::string& path,
                  const std::string& temporary) {
  return Book(reading, head, path, temporary).write();
}

}  // namespace waystation

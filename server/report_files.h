// A report as a file: CSV or XLSX, from the same table of cells as its JSON. A file is whole before
// its first byte is sent, and has no name any more by then, so that nothing is left behind.
// docs/reports.md. make() from one thread at a time; the rest from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/blob_reading.h"
#include "storage/report.h"
#include "sync/result.h"

namespace waystation {

enum class FileFormat : std::uint8_t { kCsv, kXlsx };

// What the file says of itself.
struct ReportHead {
  std::string title;
  std::string about;
  Zone zone;
  std::string made;  // local time
  std::string by;    // who asked
  bool english = false;

  [[nodiscard]] std::string_view word(std::string_view zh, std::string_view en) const {
    return english ? en : zh;
  }
  [[nodiscard]] const std::string& of(const Title& title_of) const {
    return english ? title_of.en : title_of.zh;
  }
};

// Both write all of the reading to `path`, anew. Errors: kIo, kReportDisk, as ReportReading::each.
[[nodiscard]] Status write_csv(ReportReading& reading, const ReportHead& head,
                               const std::string& path);
[[nodiscard]] Status write_xlsx(ReportReading& reading, const ReportHead& head,
                                const std::string& path, const std::string& temporary);

class ReportFiles {
 public:
  // `folder`: of files on their way; what an earlier life left there is removed. Empty: none are
  // made.
  explicit ReportFiles(std::string folder);

  // A place among the files that are made or sent at one time; it is given back with the last copy.
  // Null: all are taken.
  using Place = std::shared_ptr<const void>;
  [[nodiscard]] Place take_place();

  // `name`: of the file while it has one; random. Errors: kReportDisk, as write_csv().
  [[nodiscard]] Result<std::shared_ptr<BlobReading>> make(ReportReading& reading,
                                                          const ReportHead& head, FileFormat format,
                                                          const std::string& name) const;

 private:
  [[nodiscard]] Status check_disk(std::uint64_t rows) const;

  std::string folder_;
  std::shared_ptr<std::atomic<std::size_t>> taken_ = std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace waystation

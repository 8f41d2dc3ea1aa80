#include "server/report_files.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>

#include "sync/limits.h"

namespace waystation {
namespace {

// A row of many texts, in a file and in what is needed to make it.
constexpr std::uint64_t kRowBytes = 1024;

}  // namespace

ReportFiles::ReportFiles(std::string folder) : folder_(std::move(folder)) {
  if (folder_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
  std::filesystem::create_directories(folder_, ignored);
}

ReportFiles::Place ReportFiles::take_place() {
  if (taken_->fetch_add(1) >= limits::kExports) {
    taken_->fetch_sub(1);
    return nullptr;
  }
  return std::shared_ptr<const void>(taken_.get(),
                                     [taken = taken_](const void*) { taken->fetch_sub(1); });
}

Status ReportFiles::check_disk(std::uint64_t rows) const {
  struct statvfs disk {};
  if (folder_.empty() || ::statvfs(folder_.c_str(), &disk) != 0) {
    return Error{Code::kReportDisk, "there is no folder for files of reports"};
  }
  const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  if (free >= limits::kExportFloorBytes + 2 * rows * kRowBytes) return {};
  return Error{Code::kReportDisk, "what is free is kept for what people record"};
}

Result<std::shared_ptr<BlobReading>> ReportFiles::make(ReportReading& reading,
                                                       const ReportHead& head, FileFormat format,
                                                       const std::string& name) const {
  if (auto room = check_disk(reading.count()); !room) return room.error();
  const std::string path = folder_ + "/" + name;
  const Status written = format == FileFormat::kCsv ? write_csv(reading, head, path)
                                                    : write_xlsx(reading, head, path, folder_);
  std::error_code error;
  const std::uint64_t size = written.ok() ? std::filesystem::file_size(path, error) : 0;
  auto opened = written.ok() && !error
                    ? BlobReading::open(path, 0, size)
                    : Result<std::shared_ptr<BlobReading>>(
                          written.ok() ? Error{Code::kIo, error.message()} : written.error());
  (void)::unlink(path.c_str());  // it lives as long as it is read
  return opened;
}

}  // namespace waystation

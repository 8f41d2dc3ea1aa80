#include "storage/durable_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace waystation {
namespace {

Error failed(const std::string& path, int reason) {
  return Error{Code::kIo, fmt::format("{}: {}", path, std::strerror(reason))};
}

// `how` beyond making it and writing.
Status write_synced(const std::string& path, std::string_view text, int how) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, S_IRUSR | S_IWUSR);
  if (file < 0) return failed(path, errno);
  const bool good = write_all(file, text) && ::fsync(file) == 0;
  const int reason = errno;
  ::close(file);
  if (good) return {};
  ::unlink(path.c_str());
  return failed(path, reason);
}

}  // namespace

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

Status sync_path(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  const int reason = errno;
  if (file >= 0) ::close(file);
  if (synced) return {};
  return failed(path, reason);
}

Status sync_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  return sync_path(folder.empty() ? "." : folder.string());
}

Status replace_file(const std::string& path, std::string_view text) {
  const std::string part = path + ".part";
  if (auto written = write_synced(part, text, O_TRUNC); !written) return written;
  return move_file(part, path);
}

Status make_file(const std::string& path, std::string_view text) {
  if (auto written = write_synced(path, text, O_EXCL); !written) return written;
  return sync_folder_of(path);
}

Status move_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failed(to, errno);
  return sync_folder_of(to);
}

}  // namespace waystation

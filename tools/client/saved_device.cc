#include "tools/client/saved_device.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "sync/canonical.h"

namespace waystation {
namespace {

Error io(const std::string& path) {
  return Error{Code::kIo, fmt::format("{}: {}", path, std::strerror(errno))};
}

}  // namespace

Result<SavedDevice> SavedDevice::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return io(path);
  SavedDevice saved(file, path);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    return Error{
        Code::kIo,
        fmt::format("{} is in use by another command: try again when that has ended", path)};
  }
  std::array<char, 4096> bytes{};
  const ssize_t length = ::pread(file, bytes.data(), bytes.size(), 0);
  if (length < 0) return io(path);
  const std::string text(bytes.data(), static_cast<std::size_t>(length));
  const Enrolled device{json_text(text, "device"), json_text(text, "token")};
  if (!device.device.empty() && !device.token.empty()) saved.device_ = device;
  return saved;
}

SavedDevice::SavedDevice(SavedDevice&& other) noexcept
    : file_(other.file_), path_(std::move(other.path_)), device_(std::move(other.device_)) {
  other.file_ = -1;
}

SavedDevice::~SavedDevice() {
  if (file_ >= 0) ::close(file_);
}

Status SavedDevice::save(const Enrolled& device, std::uint64_t next_n) {
  std::string text = "{\"device\":";
  append_json_string(text, device.device);
  text += ",\"token\":";
  append_json_string(text, device.token);
  text += fmt::format(",\"next_n\":{}}}\n", next_n);
  // Written in place: the lock is on this very file. Were it torn, another device is enrolled.
  if (::pwrite(file_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      ::ftruncate(file_, static_cast<off_t>(text.size())) != 0 || ::fsync(file_) != 0) {
    return io(path_);
  }
  device_ = device;
  return {};
}

}  // namespace waystation

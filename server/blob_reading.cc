#include "server/blob_reading.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace waystation {

Result<std::shared_ptr<BlobReading>> BlobReading::open(const std::string& path, std::uint64_t from,
                                                       std::uint64_t length) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return Error{Code::kIo, fmt::format("{}: {}", path, std::strerror(errno))};
  return std::shared_ptr<BlobReading>(new BlobReading(file, from, length));
}

BlobReading::~BlobReading() { ::close(file_); }

Result<std::string> BlobReading::next(std::size_t most) {
  std::string piece(static_cast<std::size_t>(std::min<std::uint64_t>(most, left_)), '\0');
  const ssize_t read = ::pread(file_, piece.data(), piece.size(), static_cast<off_t>(at_));
  if (read <= 0 && !piece.empty()) return Error{Code::kIo, "a blob cannot be read"};
  piece.resize(static_cast<std::size_t>(read));
  at_ += piece.size();
  left_ -= piece.size();
  return piece;
}

}  // namespace waystation

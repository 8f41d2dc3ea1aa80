// A blob, or a part of one, on its way to somebody: read piece by piece, so that nobody's slow line
// holds it in memory. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sync/result.h"

namespace waystation {

class BlobReading {
 public:
  // Precondition: from + length lies within the file. Errors: kIo.
  [[nodiscard]] static Result<std::shared_ptr<BlobReading>> open(const std::string& path,
                                                                 std::uint64_t from,
                                                                 std::uint64_t length);
  ~BlobReading();
  BlobReading(const BlobReading&) = delete;
  BlobReading& operator=(const BlobReading&) = delete;

  [[nodiscard]] std::uint64_t left() const { return left_; }
  // At most `most` bytes, and at least one while there are any left. Errors: kIo.
  [[nodiscard]] Result<std::string> next(std::size_t most);

 private:
  BlobReading(int file, std::uint64_t from, std::uint64_t length)
      : file_(file), at_(from), left_(length) {}

  int file_;
  std::uint64_t at_;
  std::uint64_t left_;
};

}  // namespace waystation

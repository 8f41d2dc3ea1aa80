// The device that a tool enrolled for itself, kept in a file of the data folder that only its owner
// reads: id, token and the next op number. Locked while it is open, for a device is one program's
// at a time. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sync/result.h"
#include "tools/client/http_client.h"

namespace waystation {

class SavedDevice {
 public:
  // Opens the file, or makes an empty one (mode 0600). Errors: kIo, also when another program holds
  // it.
  [[nodiscard]] static Result<SavedDevice> open(const std::string& path);
  SavedDevice(SavedDevice&& other) noexcept;
  SavedDevice& operator=(SavedDevice&&) = delete;
  ~SavedDevice();

  [[nodiscard]] const std::optional<Enrolled>& device() const { return device_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Status save(const Enrolled& device, std::uint64_t next_n);

 private:
  SavedDevice(int file, std::string path) : file_(file), path_(std::move(path)) {}

  int file_;
  std::string path_;
  std::optional<Enrolled> device_;
};

}  // namespace waystation

// A fresh server of its own on a new data folder, which is removed with this object; and what the
// system says about the process.
#pragma once

#include <optional>
#include <string>

#include "tools/client/server_process.h"
#include "tools/load/loop.h"

namespace waystation::load {

// A data folder that lasts as long as this object.
class DataFolder {
 public:
  explicit DataFolder(const std::string& parent);
  ~DataFolder();
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class MeasuredServer {
 public:
  // `program`: the waystation binary; `folder`: where data folders are made. Returns when it
  // listens. `settings`: its waystation.toml; empty: none.
  MeasuredServer(const std::string& program, const std::string& folder,
                 const std::string& settings = {});

  [[nodiscard]] const std::string& address() const { return process_->address(); }
  [[nodiscard]] tcp::endpoint endpoint() const;
  [[nodiscard]] const std::string& admin_token() const { return admin_token_; }

  [[nodiscard]] double cpu_seconds() const;  // all threads, user and system, steps of 10 ms
  [[nodiscard]] double resident_kib() const;
  [[nodiscard]] double peak_resident_kib() const;
  void forget_peak();  // the peak counts anew from what is resident now
  // Returns when the server has next to nothing to do any more, such as compaction.
  void settle() const;

 private:
  [[nodiscard]] double status_kib(const char* key) const;

  DataFolder data_;
  std::optional<ServerProcess> process_;  // behind the folder: it ends first
  std::string admin_token_;
};

}  // namespace waystation::load

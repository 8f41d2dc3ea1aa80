// A fresh server of its own: a child process on a new data folder, ended and removed with this
// object. Also what the system says about the process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "tools/load/loop.h"

namespace waystation::load {

class ServerProcess {
 public:
  // `program`: the waystation binary; `folder`: where data folders are made. Returns when it
  // listens.
  ServerProcess(const std::string& program, const std::string& folder);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  [[nodiscard]] const std::string& address() const { return address_; }  // address:port
  [[nodiscard]] tcp::endpoint endpoint() const;
  [[nodiscard]] const std::string& admin_token() const { return admin_token_; }
  [[nodiscard]] const std::string& data() const { return data_; }

  [[nodiscard]] double cpu_seconds() const;  // all threads, user and system, steps of 10 ms
  [[nodiscard]] double resident_kib() const;
  [[nodiscard]] double peak_resident_kib() const;
  void forget_peak();  // the peak counts anew from what is resident now
  // Returns when the server has next to nothing to do any more, such as compaction.
  void settle() const;
  void stop();

 private:
  [[noreturn]] static void become_server(const std::string& program, const std::string& data,
                                         int out);
  void read_address(int from);
  [[nodiscard]] double status_kib(const char* key) const;

  std::string data_;
  std::string address_;
  std::string admin_token_;
  pid_t pid_ = 0;
};

}  // namespace waystation::load

// A server in a process of its own, for the demo, the benchmark and the tests: started, asked for
// its port, stopped or killed. Owns the child; one thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "sync/result.h"

namespace waystation {

// Runs a program to its end; its standard output and error go to `output` (null: to ours). Returns
// the exit code. Errors: kIo.
[[nodiscard]] Result<int> run_program(const std::vector<std::string>& command, std::string* output);

class ServerProcess {
 public:
  // Starts `program serve --data data --listen 127.0.0.1:0` with more arguments behind, and waits
  // until it listens. Errors: kIo (it ended, or did not listen within 60 s).
  [[nodiscard]] static Result<ServerProcess> start(const std::string& program,
                                                   const std::string& data,
                                                   const std::vector<std::string>& more = {});
  ServerProcess(ServerProcess&& other) noexcept;
  ServerProcess& operator=(ServerProcess&& other) noexcept;
  ~ServerProcess();  // stops it

  [[nodiscard]] const std::string& address() const { return address_; }  // 127.0.0.1:port
  [[nodiscard]] pid_t pid() const { return pid_; }

  // SIGTERM, and waits. Returns the exit code (128 + signal when it was killed).
  int stop();
  void kill();  // SIGKILL: what power loss leaves of a process

 private:
  ServerProcess() = default;
  int end(int signal);

  pid_t pid_ = -1;
  std::string address_;
};

// The path of the running program.
[[nodiscard]] std::string own_path();

}  // namespace waystation

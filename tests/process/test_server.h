// A real server for a test: the program in a process of its own, on a data folder of its own, which
// outlives stops and kills and goes when the test ends. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace waystation::testing {

class TestServer {
 public:
  // Makes the data folder; starts unless told otherwise. Throws std::runtime_error.
  enum class Begin { kStarted, kStopped };
  // `options`: more words for "serve".
  explicit TestServer(Begin begin = Begin::kStarted, std::vector<std::string> options = {});
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // What waystation.toml holds from the next start on.
  void configure(const std::string& settings);

  // Runs the program and waits until it listens. Throws with its log when it does not.
  void start();
  // Runs it and does not wait.
  void launch();
  void wait_until_it_listens();

  void kill();  // -9
  int stop();   // SIGTERM; the exit code, 128 + signal where a signal ended it
  [[nodiscard]] bool running();
  void signal(int number) const;

  // Runs another subcommand on the data folder to its end; gives the exit code.
  [[nodiscard]] int run(const std::vector<std::string>& arguments) const;
  // The same, with what it wrote on standard output; the rest goes to the log.
  struct Ran {
    int code = 0;
    std::string out;
  };
  [[nodiscard]] Ran ask(const std::vector<std::string>& arguments) const;

  [[nodiscard]] std::string address() const;  // 127.0.0.1:port
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string data() const { return folder_ + "/data"; }
  [[nodiscard]] std::string admin_token() const;
  [[nodiscard]] std::string log() const;

  [[nodiscard]] std::uint64_t resident_bytes() const;  // VmRSS
  [[nodiscard]] std::size_t open_files() const;
  // Waits until none of its threads has anything to do, however busy the machine is (at most 10 s).
  void wait_until_it_rests() const;

 private:
  // The program, a subcommand, and the settings.
  [[nodiscard]] std::vector<std::string> command(const std::vector<std::string>& arguments) const;

  std::vector<std::string> options_;
  std::string folder_;
  bool configured_ = false;
  pid_t pid_ = -1;
  int output_ = -1;
  std::uint16_t port_ = 0;
};

// A folder that goes with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace waystation::testing

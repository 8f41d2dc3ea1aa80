#include "tools/client/server_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>

namespace waystation {
namespace {

constexpr std::chrono::seconds kStartPatience(60);
constexpr std::string_view kListening = "listening on http";

// Forks and runs `command`; its standard output and error go to the given files unless negative.
pid_t spawn(const std::vector<std::string>& command, int output_fd, int error_fd) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command)
    arguments.push_back(const_cast<char*>(word.c_str()));  // NOLINT
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  // A child does not outlive the program that started it, however that ends.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (output_fd >= 0) dup2(output_fd, STDOUT_FILENO);
  if (error_fd >= 0) dup2(error_fd, STDERR_FILENO);
  execv(arguments[0], arguments.data());
  _exit(127);
}

int wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// The first line that a child prints; empty when it ends or is silent for too long.
std::string first_line(int fd) {
  std::string line;
  const auto deadline = std::chrono::steady_clock::now() + kStartPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    pollfd waiting{fd, POLLIN, 0};
    if (poll(&waiting, 1, 200) == 0) continue;
    char c = 0;
    if (read(fd, &c, 1) != 1) return {};
    if (c == '\n') return line;
    line += c;
  }
  return {};
}

}  // namespace

Result<int> run_program(const std::vector<std::string>& command, std::string* output) {
  std::array<int, 2> ends{-1, -1};
  if (output != nullptr && pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Error{Code::kIo, "no pipe to a child process"};
  }
  const pid_t pid = spawn(command, ends[1], ends[1]);
  if (output != nullptr) close(ends[1]);
  if (pid < 0) return Error{Code::kIo, "no child process"};
  if (output != nullptr) {
    std::array<char, 4096> buffer{};
    ssize_t got = 0;
    while ((got = read(ends[0], buffer.data(), buffer.size())) > 0) {
      output->append(buffer.data(), static_cast<std::size_t>(got));
    }
    close(ends[0]);
  }
  return wait_for(pid);
}

Result<ServerProcess> ServerProcess::start(const std::string& program, const std::string& data,
                                           const std::vector<std::string>& more) {
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return Error{Code::kIo, "no pipe to a child process"};
  std::vector<std::string> command{program, "serve", "--data", data, "--listen", "127.0.0.1:0"};
  command.insert(command.end(), more.begin(), more.end());
  ServerProcess process;
  process.pid_ = spawn(command, ends[1], -1);
  close(ends[1]);
  if (process.pid_ < 0) return Error{Code::kIo, "no child process"};
  const std::string line = first_line(ends[0]);
  close(ends[0]);
  if (line.rfind(kListening, 0) != 0) {
    return Error{Code::kIo, fmt::format("{} did not start", program)};
  }
  process.address_ = line.substr(line.find("://") + 3);
  return process;
}

ServerProcess::ServerProcess(ServerProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), address_(std::move(other.address_)) {}

ServerProcess& ServerProcess::operator=(ServerProcess&& other) noexcept {
  if (this != &other) {
    stop();
    pid_ = std::exchange(other.pid_, -1);
    address_ = std::move(other.address_);
  }
  return *this;
}

ServerProcess::~ServerProcess() { stop(); }

int ServerProcess::end(int signal) {
  if (pid_ < 0) return 0;
  ::kill(pid_, signal);
  return wait_for(std::exchange(pid_, -1));
}

int ServerProcess::stop() { return end(SIGTERM); }
void ServerProcess::kill() { end(SIGKILL); }

std::string own_path() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).string();
}

}  // namespace waystation

#include "tools/load/server_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/ip/address.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "server/config.h"

namespace waystation::load {
namespace {

constexpr auto kSettleStep = std::chrono::milliseconds(300);
constexpr double kSettledCpuSeconds = 0.01;  // in one step
constexpr auto kSettlePatience = std::chrono::seconds(60);
constexpr auto kStopPatience = std::chrono::seconds(20);

std::string new_folder(const std::string& parent) {
  std::filesystem::create_directories(parent);
  std::string name = parent + "/run-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no data folder in " + parent);
  return name;
}

}  // namespace

ServerProcess::ServerProcess(const std::string& program, const std::string& folder)
    : data_(new_folder(folder)) {
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("no child process");
  if (pid_ == 0) become_server(program, data_, pipe_ends[1]);
  close(pipe_ends[1]);
  read_address(pipe_ends[0]);
  close(pipe_ends[0]);
  std::ifstream(data_ + "/admin.token") >> admin_token_;
}

void ServerProcess::become_server(const std::string& program, const std::string& data, int out) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // not to be left over when the load generator dies
  unsetenv("WAYSTATION_ADMIN_TOKEN");
  const int log = open((data + "/server.log").c_str(), O_WRONLY | O_CREAT, 0600);
  dup2(out, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execl(program.c_str(), program.c_str(), "serve", "--data", data.c_str(), "--listen",
        "127.0.0.1:0", "--log-level", "warn", nullptr);
  _exit(127);
}

void ServerProcess::read_address(int from) {
  constexpr std::string_view kBegin = "listening on http://";
  std::string said;
  char byte = 0;
  while (read(from, &byte, 1) == 1 && byte != '\n') said += byte;
  if (said.rfind(kBegin, 0) != 0) {
    stop();
    throw std::runtime_error(fmt::format("the server did not start; see {}/server.log", data_));
  }
  address_ = said.substr(kBegin.size());
}

ServerProcess::~ServerProcess() {
  stop();
  std::error_code ignored;
  if (!address_.empty()) std::filesystem::remove_all(data_, ignored);
}

void ServerProcess::stop() {
  if (pid_ == 0) return;
  kill(pid_, SIGTERM);
  const auto deadline = SteadyClock::now() + kStopPatience;
  while (waitpid(pid_, nullptr, WNOHANG) == 0) {
    if (SteadyClock::now() > deadline) kill(pid_, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  pid_ = 0;
}

tcp::endpoint ServerProcess::endpoint() const {
  const auto parsed = parse_endpoint(address_);
  if (!parsed) throw std::runtime_error("not an address: " + address_);
  return {asio::ip::make_address(parsed->address), parsed->port};
}

double ServerProcess::cpu_seconds() const {
  std::ifstream file(fmt::format("/proc/{}/stat", pid_));
  std::string text((std::istreambuf_iterator<char>(file)), {});
  // The name in parentheses may hold anything; utime and stime are the 12th and 13th word after it.
  std::istringstream rest(text.substr(text.rfind(')') + 1));
  std::string word;
  for (int i = 0; i < 11; ++i) rest >> word;
  double user = 0;
  double system = 0;
  rest >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double ServerProcess::status_kib(const char* key) const {
  std::ifstream file(fmt::format("/proc/{}/status", pid_));
  std::string word;
  while (file >> word) {
    double value = 0;
    if (word == key && file >> value) return value;
  }
  throw std::runtime_error("the server has ended");
}

double ServerProcess::resident_kib() const { return status_kib("VmRSS:"); }
double ServerProcess::peak_resident_kib() const { return status_kib("VmHWM:"); }

void ServerProcess::forget_peak() {
  std::ofstream(fmt::format("/proc/{}/clear_refs", pid_)) << "5";
}

void ServerProcess::settle() const {
  const auto deadline = SteadyClock::now() + kSettlePatience;
  double spent = kSettledCpuSeconds + 1;
  while (spent > kSettledCpuSeconds && SteadyClock::now() < deadline) {
    const double before = cpu_seconds();
    std::this_thread::sleep_for(kSettleStep);
    spent = cpu_seconds() - before;
  }
}

}  // namespace waystation::load

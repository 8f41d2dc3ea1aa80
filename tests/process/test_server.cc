#include "tests/process/test_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

namespace waystation::testing {
namespace {

constexpr std::chrono::seconds kStartPatience(60);
constexpr std::string_view kListening = "listening on http";

std::string binary() {
  const char* other = std::getenv("WAYSTATION");
  return other != nullptr ? other : WS_BINARY;
}

std::string make_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "waystation-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  return name;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The environment of the child: a sanitizer's memory is not to be mistaken for the server's.
std::vector<std::string> environment() {
  std::vector<std::string> words;
  std::string asan = "ASAN_OPTIONS=quarantine_size_mb=4:thread_local_quarantine_size_kb=64";
  for (char** word = environ; *word != nullptr; ++word) {
    const std::string_view text = *word;
    if (text.starts_with("ASAN_OPTIONS=")) {
      asan += ':';
      asan += text.substr(text.find('=') + 1);
    } else {
      words.emplace_back(text);
    }
  }
  words.push_back(asan);
  return words;
}

pid_t spawn(std::vector<std::string> words, int output, int log) {
  std::vector<std::string> settings = environment();
  const auto pointers = [](std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
  };
  const std::vector<char*> arguments = pointers(words);
  const std::vector<char*> variables = pointers(settings);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  // The child does not outlive the test, however that ends.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(output, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execve(arguments[0], arguments.data(), variables.data());
  _exit(127);
}

int wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int open_log(const std::string& path) {
  return open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

}  // namespace

TestServer::TestServer(Begin begin, std::vector<std::string> options)
    : options_(std::move(options)), folder_(make_folder()) {
  if (begin == Begin::kStarted) start();
}

TestServer::~TestServer() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void TestServer::configure(const std::string& settings) {
  std::ofstream(folder_ + "/waystation.toml") << settings;
  configured_ = true;
}

std::vector<std::string> TestServer::command(const std::vector<std::string>& arguments) const {
  std::vector<std::string> words{binary()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  words.insert(words.end(), {"--data", data()});
  if (configured_) words.insert(words.end(), {"--config", folder_ + "/waystation.toml"});
  return words;
}

void TestServer::signal(int number) const { ::kill(pid_, number); }

void TestServer::launch() {
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const int log = open_log(folder_ + "/log");
  std::vector<std::string> words = command({"serve", "--listen", "127.0.0.1:0"});
  words.insert(words.end(), options_.begin(), options_.end());
  pid_ = spawn(std::move(words), ends[1], log);
  close(ends[1]);
  close(log);
  output_ = ends[0];
  port_ = 0;
  if (pid_ < 0) throw std::runtime_error("no child process");
}

void TestServer::wait_until_it_listens() {
  const auto deadline = std::chrono::steady_clock::now() + kStartPatience;
  std::string line;
  while (std::chrono::steady_clock::now() < deadline) {
    pollfd waiting{output_, POLLIN, 0};
    if (poll(&waiting, 1, 200) == 0) continue;
    char c = 0;
    if (read(output_, &c, 1) != 1) break;
    if (c != '\n') {
      line += c;
      continue;
    }
    if (line.starts_with(kListening)) {
      std::from_chars(line.data() + line.rfind(':') + 1, line.data() + line.size(), port_);
      return;
    }
    line.clear();
  }
  throw std::runtime_error(fmt::format("the server did not start: {}\n{}", line, log()));
}

void TestServer::start() {
  launch();
  wait_until_it_listens();
}

void TestServer::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  wait_for(pid_);
  pid_ = -1;
  close(output_);
  output_ = -1;
}

int TestServer::stop() {
  if (pid_ < 0) return 0;
  ::kill(pid_, SIGTERM);
  const int code = wait_for(pid_);
  pid_ = -1;
  close(output_);
  output_ = -1;
  return code;
}

bool TestServer::running() {
  if (pid_ < 0) return false;
  siginfo_t info{};
  // WNOWAIT: stop() and kill() still find it.
  waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
  return info.si_pid == 0;
}

int TestServer::run(const std::vector<std::string>& arguments) const {
  const int log = open_log(folder_ + "/log");
  const pid_t pid = spawn(command(arguments), log, log);
  close(log);
  return pid < 0 ? 127 : wait_for(pid);
}

TestServer::Ran TestServer::ask(const std::vector<std::string>& arguments) const {
  const std::string path = folder_ + "/out";
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  const int out = open_log(path);
  const int log = open_log(folder_ + "/log");
  const pid_t pid = spawn(command(arguments), out, log);
  close(out);
  close(log);
  const int code = pid < 0 ? 127 : wait_for(pid);
  return Ran{code, read_file(path)};
}

std::string TestServer::address() const { return fmt::format("127.0.0.1:{}", port_); }

std::string TestServer::admin_token() const {
  std::string token = read_file(data() + "/admin.token");
  while (!token.empty() && token.back() == '\n') token.pop_back();
  return token;
}

std::string TestServer::log() const { return read_file(folder_ + "/log"); }

std::uint64_t TestServer::resident_bytes() const {
  std::ifstream in(fmt::format("/proc/{}/status", pid_));
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("VmRSS:")) return std::strtoull(line.c_str() + 6, nullptr, 10) * 1024;
  }
  throw std::runtime_error("the server is gone\n" + log());
}

std::size_t TestServer::open_files() const {
  std::error_code ignored;
  const std::filesystem::directory_iterator files(fmt::format("/proc/{}/fd", pid_), ignored);
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

void TestServer::wait_until_it_rests() const {
  constexpr int kLooks = 10;  // one after another that must find it at rest
  const std::filesystem::path threads = fmt::format("/proc/{}/task", pid_);
  const auto at_rest = [&] {
    std::error_code ignored;
    for (const auto& thread : std::filesystem::directory_iterator(threads, ignored)) {
      const std::string stat = read_file((thread.path() / "stat").string());
      const std::size_t name_end = stat.rfind(')');  // "pid (name) state …"
      if (name_end == std::string::npos) continue;   // it has just ended
      const char state = stat.size() > name_end + 2 ? stat[name_end + 2] : 'S';
      if (state == 'R' || state == 'D') return false;
    }
    return true;
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (int looks = 0; looks < kLooks && std::chrono::steady_clock::now() < deadline;) {
    looks = at_rest() ? looks + 1 : 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

TemporaryFolder::TemporaryFolder() : path_(make_folder()) {}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace waystation::testing

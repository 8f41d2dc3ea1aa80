#include "tools/load/measured_server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "server/config.h"

namespace waystation::load {
namespace {

constexpr auto kSettleStep = std::chrono::milliseconds(300);
constexpr double kSettledCpuSeconds = 0.01;  // in one step
constexpr auto kSettlePatience = std::chrono::seconds(60);

}  // namespace

DataFolder::DataFolder(const std::string& parent) : path_(parent + "/run-XXXXXX") {
  std::filesystem::create_directories(parent);
  if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no data folder in " + parent);
}

DataFolder::~DataFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

MeasuredServer::MeasuredServer(const std::string& program, const std::string& folder,
                               const std::string& settings)
    : data_(folder) {
  unsetenv("WAYSTATION_ADMIN_TOKEN");  // so that the server makes its own
  std::vector<std::string> flags{"--log-level", "warn"};
  if (!settings.empty()) {
    const std::string file = data_.path() + "/waystation.toml";
    std::ofstream(file) << settings;
    flags.insert(flags.end(), {"--config", file});
  }
  auto started = ServerProcess::start(program, data_.path(), flags);
  if (!started) throw std::runtime_error(started.error().context);
  process_ = std::move(*started);
  std::ifstream(data_.path() + "/admin.token") >> admin_token_;
}

tcp::endpoint MeasuredServer::endpoint() const {
  const auto parsed = parse_endpoint(address());
  if (!parsed) throw std::runtime_error("not an address: " + address());
  return {asio::ip::make_address(parsed->address), parsed->port};
}

double MeasuredServer::cpu_seconds() const {
  std::ifstream file(fmt::format("/proc/{}/stat", process_->pid()));
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  // The name in parentheses may hold anything; utime and stime are the 12th and 13th word after it.
  std::istringstream rest(text.substr(text.rfind(')') + 1));
  std::string word;
  for (int i = 0; i < 11; ++i) rest >> word;
  double user = 0;
  double system = 0;
  rest >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double MeasuredServer::status_kib(const char* key) const {
  std::ifstream file(fmt::format("/proc/{}/status", process_->pid()));
  std::string word;
  while (file >> word) {
    double value = 0;
    if (word == key && file >> value) return value;
  }
  throw std::runtime_error("the server has ended");
}

double MeasuredServer::resident_kib() const { return status_kib("VmRSS:"); }
double MeasuredServer::peak_resident_kib() const { return status_kib("VmHWM:"); }

void MeasuredServer::forget_peak() {
  std::ofstream(fmt::format("/proc/{}/clear_refs", process_->pid())) << "5";
}

void MeasuredServer::settle() const {
  const auto deadline = SteadyClock::now() + kSettlePatience;
  double spent = kSettledCpuSeconds + 1;
  while (spent > kSettledCpuSeconds && SteadyClock::now() < deadline) {
    const double before = cpu_seconds();
    std::this_thread::sleep_for(kSettleStep);
    spent = cpu_seconds() - before;
  }
}

}  // namespace waystation::load

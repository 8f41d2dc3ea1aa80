// waystation serve: opens the store, listens, reads the certificate anew on SIGHUP, and ends
// cleanly on SIGINT or SIGTERM.

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "server/server.h"
#include "server/service.h"
#include "tools/commands.h"

namespace waystation::cli {
namespace {

// A head of the audit log that stands where whoever changes the store may not reach it.
void log_audit_head(const Store& store) {
  if (const auto head = read_audit_head(store.kv())) {
    spdlog::info("audit log at {}", format_audit_head(*head));
  }
}

// Every connection is a file descriptor: takes what the system allows, and says how many there are.
std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    spdlog::warn("the limit of open files cannot be raised");
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur;
}

// The store keeps up to 512 files open, the rest is for its log, backups and listening. A store
// that finds no descriptor left takes no more edits, so connections leave it what it needs.
Config within_descriptors(Config config, std::size_t descriptors) {
  constexpr std::size_t kOfTheStore = 700;
  const std::size_t free = descriptors - std::min(descriptors, kOfTheStore);
  const std::size_t most = std::max(free, descriptors / 8);
  if (config.connections > most) {
    spdlog::warn("at most {} connections, not {}: the limit of open files is {}", most,
                 config.connections, descriptors);
    config.connections = most;
  }
  return config;
}

int serve(const Config& wanted) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("waystation"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  spdlog::set_level(spdlog::level::from_str(wanted.log_level));
  const Config config = within_descriptors(wanted, raise_descriptor_limit());
  if (::geteuid() == 0) {
    spdlog::warn("runs as root, which it has no need of: docs/operations.md, \"Run\"");
  }
  // Blocked before the threads start, so that they inherit it and only this one waits.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  if (!config.tls_certificate.empty()) sigaddset(&ends, SIGHUP);  // else it ends the program
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  auto service = Service::open(config);
  if (!service) return report(service.error());
  Server server(**service, config);
  if (auto started = server.start(); !started) return report(started.error());
  const auto endpoint = parse_endpoint(config.listen);
  fmt::print("listening on {}://{}:{}\n", server.secure() ? "https" : "http", endpoint->address,
             server.port());
  std::fflush(stdout);
  spdlog::info("store {} open, {} scopes, {} devices", (*service)->store().incarnation(),
               (*service)->store().scopes().size(), (*service)->store().accounts().all().size());
  log_audit_head((*service)->store());
  int signal = 0;
  while (sigwait(&ends, &signal) == 0 && signal == SIGHUP) server.reload_certificate();
  spdlog::info("ending");
  server.stop();
  log_audit_head((*service)->store());
  return 0;
}

}  // namespace

void add_serve(CLI::App& app, Options& options, Run& run) {
  CLI::App* command = app.add_subcommand("serve", "Run the server");
  command->add_option("--listen", options.config.listen, "address:port")->capture_default_str();
  command->add_option("--io-threads", options.config.io_threads, "0: one a core");
  command->add_option("--reader-threads", options.config.reader_threads, "0: half the cores");
  command
      ->add_option("--offline-days", options.config.offline_days,
                   "How long a device may stay away and still be told of every deletion")
      ->check(CLI::PositiveNumber);
  command->add_option("--log-level", options.config.log_level, "trace, debug, info, warn, err");
  command->add_flag("--recover", options.config.recover,
                    "Open a store whose log is damaged, without what came behind the damage");
  command->callback([&options, &run] { run = [&options] { return serve(options.config); }; });
}

}  // namespace waystation::cli

// The program: one binary, one data folder.

#include <fmt/format.h>
#include <sys/stat.h>

#include <exception>
#include <filesystem>

#include "tools/client/http_client.h"
#include "tools/commands.h"

namespace waystation::cli {

int report(const Error& error) {
  fmt::print(stderr, "waystation: {}: {}{}{}\n", name(error.code), info(error.code).meaning,
             error.context.empty() ? "" : ": ", error.context);
  return 1;
}

Status load_settings(Options& options) {
  std::error_code ignored;
  if (options.config_file.empty() && std::filesystem::exists("waystation.toml", ignored)) {
    options.config_file = "waystation.toml";
  }
  if (options.config_file.empty()) return {};
  if (auto loaded = load_config(options.config_file, options.config); !loaded) return loaded;
  speak_tls_with(options.config.tls_certificate);
  return {};
}

namespace {

// The settings file is read before the rest of the command line, so that flags win over it.
std::string find_config_flag(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--config" && i + 1 < argc) return argv[i + 1];
    if (word.rfind("--config=", 0) == 0) return std::string(word.substr(9));
  }
  return {};
}

int run_program(int argc, char** argv) {
  Options options;
  options.config_file = find_config_flag(argc, argv);
  if (auto loaded = load_settings(options); !loaded) {
    report(loaded.error());
    return 2;
  }
  CLI::App app{"Waystation: an offline-first sync server for volunteers and rest stations"};
  app.name("waystation");
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", WS_VERSION);
  app.add_option("--config", options.config_file,
                 "Settings file (default: ./waystation.toml when it is there)");
  app.add_option("--data", options.config.data, "Data folder")->capture_default_str();
  app.add_option("--schemas", options.config.schemas, "Folder of schemas (default: as installed)");
  app.add_option("--policy", options.config.policy,
                 "File of roles (default: policy.json in the folder of schemas)");
  app.footer("Exit codes: 0 done, 1 failed, 2 wrong use. Settings: docs/operations.md.");
  Run run;
  for (const auto add : {add_serve,  add_enroll,    add_devices, add_access,     add_office,
                         add_audit,  add_conflicts, add_refused, add_duplicates, add_import,
                         add_export, add_backup,    add_restore, add_erase,      add_keys,
                         add_demo,   add_verify,    add_rebuild, add_inspect,    add_simulate}) {
    add(app, options, run);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return run();
}

}  // namespace
}  // namespace waystation::cli

int main(int argc, char** argv) {
  // What it writes (names, hashes, exports) is for its owner alone, whatever the shell's mask.
  ::umask(S_IRWXG | S_IRWXO);
  try {
    return waystation::cli::run_program(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "waystation: internal: {}\n", error.what());
    return 1;
  }
}

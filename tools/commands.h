// The subcommands of waystation. Each adds itself to the command line and, when chosen, runs and
// gives the exit code: 0 done; 1 it failed, or found what it looks for (verify, demo, bad lines);
// 2 wrong use.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "server/config.h"
#include "sync/result.h"

namespace waystation::cli {

struct Options {
  Config config;
  std::string config_file;  // empty: ./waystation.toml when it is there
};

// What runs when a subcommand was chosen.
using Run = std::function<int()>;

void add_serve(CLI::App& app, Options& options, Run& run);
void add_enroll(CLI::App& app, Options& options, Run& run);
void add_devices(CLI::App& app, Options& options, Run& run);
void add_access(CLI::App& app, Options& options, Run& run);
void add_import(CLI::App& app, Options& options, Run& run);
void add_export(CLI::App& app, Options& options, Run& run);
void add_demo(CLI::App& app, Options& options, Run& run);
void add_conflicts(CLI::App& app, Options& options, Run& run);
void add_refused(CLI::App& app, Options& options, Run& run);
void add_duplicates(CLI::App& app, Options& options, Run& run);
void add_backup(CLI::App& app, Options& options, Run& run);
void add_restore(CLI::App& app, Options& options, Run& run);
void add_erase(CLI::App& app, Options& options, Run& run);
void add_keys(CLI::App& app, Options& options, Run& run);
void add_office(CLI::App& app, Options& options, Run& run);
void add_audit(CLI::App& app, Options& options, Run& run);
void add_verify(CLI::App& app, Options& options, Run& run);
void add_rebuild(CLI::App& app, Options& options, Run& run);
void add_inspect(CLI::App& app, Options& options, Run& run);
void add_simulate(CLI::App& app, Options& options, Run& run);

// Prints "waystation: code: context" on standard error; returns 1.
int report(const Error& error);

// Reads the settings file. The command line wins: it is parsed behind it.
[[nodiscard]] Status load_settings(Options& options);

}  // namespace waystation::cli

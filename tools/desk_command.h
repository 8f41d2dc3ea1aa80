// A command of the office's desk on the command line: subcommands that share one set of choices.
#pragma once

#include <memory>

#include "tools/commands.h"
#include "tools/desk.h"

namespace waystation::cli {

// Chosen has the members `server` and `json`. The command line keeps it alive; `options` and `run`
// outlive the command line.
template <typename Chosen>
class DeskCommand {
 public:
  DeskCommand(CLI::App& app, Options& options, Run& run, const char* name, const char* help,
              const char* footer)
      : command_(app.add_subcommand(name, help)), options_(options), run_(run), footer_(footer) {
    command_->require_subcommand(1);
    command_->add_option("--server", chosen_->server, kDeskServerHelp);
    command_->add_flag("--json", chosen_->json, "For programs: print what the server answered");
    command_->footer(footer_);
  }

  // One that runs what(config, chosen).
  template <typename What>
  CLI::App* add(const char* name, const char* help, What what) {
    CLI::App* one = command_->add_subcommand(name, help);
    one->footer(footer_);
    one->callback([&options = options_, &run = run_, chosen = chosen_, what] {
      run = [&options, chosen, what] { return what(options.config, *chosen); };
    });
    return one;
  }

  [[nodiscard]] Chosen* chosen() const { return chosen_.get(); }

 private:
  CLI::App* command_;
  Options& options_;
  Run& run_;
  const char* footer_;
  std::shared_ptr<Chosen> chosen_ = std::make_shared<Chosen>();
};

}  // namespace waystation::cli

// waystation keys rotate: another master key for the store, while no server runs on it.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "server/personal_files.h"
#include "storage/durable_files.h"
#include "storage/keyring.h"
#include "tools/commands.h"
#include "tools/terminal_text.h"

namespace waystation::cli {
namespace {

namespace fs = std::filesystem;

struct KeysOptions {
  std::string from;
  std::string keep_old;
  bool discard_old = false;
};

struct Rotation {
  MasterKey from;
  MasterKey to;
  bool file = false;  // `to` is new and belongs into the file of the old one
};

// The old key goes where no key of this server belongs, and over nothing.
Status keep_old(const std::string& path, const Config& config, const MasterKey& key) {
  const std::string file = master_key_file(config);
  std::error_code error;
  for (const std::string& taken : {file, next_master_key_file(file)}) {
    if (fs::weakly_canonical(path, error) != fs::weakly_canonical(taken, error)) continue;
    return Error{Code::kIo, path + " is where the server looks for its own key: name another file"};
  }
  return keep_master_key(path, key);
}

Result<Rotation> rotation(const Kv& kv, const Config& config, const KeysOptions& options) {
  Rotation made;
  const std::string file = master_key_file(config);
  if (!options.from.empty()) {
    auto from = read_key_file(options.from);
    auto to = read_master_key(file);
    if (!from) return from.error();
    if (!to) return to.error();
    return Rotation{*from, *to, false};
  }
  auto from = open_master_key(kv, config);
  if (!from) return from.error();
  made.from = *from;
  if (master_key_in_environment()) {
    const char* given = std::getenv("WAYSTATION_NEW_MASTER_KEY");
    if (given == nullptr) {
      return Error{Code::kMasterKey,
                   "the master key is in the environment: put the new one in "
                   "WAYSTATION_NEW_MASTER_KEY"};
    }
    auto to = parse_master_key(given);
    if (!to) return to.error();
    made.to = *to;
    return made;
  }
  made.to = new_master_key();
  made.file = true;
  return made;
}

int run_rotate(const Config& config, const KeysOptions& options) {
  if (options.from.empty() && options.keep_old.empty() != options.discard_old) {
    fmt::print(stderr,
               "waystation keys rotate: backups made before need the old key: say --keep-old FILE, "
               "or --discard-old\n");
    return 2;
  }
  const std::string folder = config.data + "/store";
  std::error_code error;
  if (!fs::exists(folder + "/CURRENT", error)) {
    return report(Error{Code::kIo, folder + " holds no store"});
  }
  auto kv = open_rocks(folder, OpenMode::kReadWrite);
  if (!kv) return report(kv.error());
  const auto keys = rotation(**kv, config, options);
  if (!keys) return report(keys.error());
  if (!options.keep_old.empty()) {
    if (auto kept = keep_old(options.keep_old, config, keys->from); !kept) {
      return report(kept.error());
    }
  }
  const std::string file = master_key_file(config);
  if (keys->file) {
    if (auto written = write_master_key(next_master_key_file(file), keys->to); !written) {
      return report(written.error());
    }
  }
  const auto count = rewrap(**kv, keys->from, keys->to);
  if (!count) return report(count.error());
  // Cut off before this, the server does it at its start.
  if (keys->file) {
    if (auto moved = move_file(next_master_key_file(file), file); !moved) {
      return report(moved.error());
    }
  }
  fmt::print("{} keys are wrapped by {}\n", grouped(*count),
             keys->file ? "the new master key in " + file
             : master_key_in_environment() && options.from.empty()
                 ? std::string("the key in WAYSTATION_NEW_MASTER_KEY: start the server with it")
                 : std::string("the master key of this server"));
  if (!options.keep_old.empty()) {
    fmt::print("The old one is in {}: keep it as long as backups made before.\n", options.keep_old);
  }
  return 0;
}

}  // namespace

void add_keys(CLI::App& app, Options& options, Run& run) {
  CLI::App* command = app.add_subcommand("keys", "The master key that personal data is kept under");
  command->require_subcommand(1);
  CLI::App* rotate = command->add_subcommand(
      "rotate", "Wrap all keys by a new master key; the server must not run");
  auto chosen = std::make_shared<KeysOptions>();
  rotate->add_option("--from", chosen->from,
                     "File with the key that a restored store is wrapped by: wrap it by this "
                     "server's, and make no new one");
  rotate->add_option("--keep-old", chosen->keep_old, "File to keep the old key in");
  rotate->add_flag("--discard-old", chosen->discard_old,
                   "Keep it nowhere: what is personal in earlier backups cannot be read any more");
  rotate->footer("Exit codes: 0 done, 1 failed, 2 wrong use.");
  rotate->callback([&options, &run, chosen] {
    run = [&options, chosen] { return run_rotate(options.config, *chosen); };
  });
}

}  // namespace waystation::cli

// waystation backup and waystation restore.

#include "storage/backup.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <memory>

#include "server/secrets.h"
#include "storage/erasures.h"
#include "storage/keyring.h"
#include "sync/canonical.h"
#include "sync/stamp.h"
#include "tools/commands.h"
#include "tools/desk.h"
#include "tools/json_view.h"
#include "tools/terminal_text.h"

namespace waystation::cli {
namespace {

struct BackupOptions {
  std::string folder;
  std::string server;
  std::string erasures;
  std::string master_key;
  bool json = false;
};

int run_backup(const Config& config, const BackupOptions& options) {
  spdlog::set_level(spdlog::level::warn);  // of a store opened here
  auto exchange = open_exchange(config, options.server);
  if (!exchange) return report(exchange.error());
  // The server stands in another folder than this command.
  std::error_code error;
  const std::string folder = std::filesystem::absolute(options.folder, error).string();
  std::string body = "{\"to\":";
  append_json_string(body, folder);
  // Not asked again when an answer is lost: the folder would be there already.
  const auto answer = (*exchange)->request("POST", "/v1/backup", body + "}");
  if (!answer) return report(answer.error());
  if (answer->status != 200) return report(problem_of(*answer));
  const auto text = canonicalize(answer->body);
  if (!text) return report(text.error());
  if (options.json) {
    fmt::print("{}\n", *text);
    return 0;
  }
  const JsonObject made(*text);
  const Seq position = made.number("position");
  fmt::print("{} holds all that {} had taken in{}\n", printable(made.text("folder")),
             (*exchange)->describe(),
             position == 0 ? ": nothing" : " until " + local_time(ms_from_seq(position)));
  return 0;
}

// What personal data needs besides the store: the key that opens it, and the list of whom it must
// not bring back. The server looks at both when it starts.
Status take_in_files(const Config& config, const BackupOptions& options, const std::string& store) {
  if (!options.master_key.empty()) {
    const auto key = read_key_file(options.master_key);
    if (!key) return key.error();
    const auto kv = open_rocks(store, OpenMode::kReadOnly);
    if (!kv) return kv.error();
    if (auto fits = check_master(**kv, *key); !fits) {
      return Error{Code::kMasterKey, options.master_key + ": " + fits.error().context};
    }
    if (auto kept = write_master_key(config.data + "/master.key", *key); !kept) return kept;
  }
  if (options.erasures.empty()) return {};
  const auto list = read_erasures(options.erasures);
  if (!list) return list.error();
  if (list->missing) return Error{Code::kErasures, options.erasures + " is missing"};
  if (list->damaged > 0) {
    fmt::print(stderr, "{} is damaged: {} lines of it name nobody; whoever they named is back\n",
               options.erasures, list->damaged);
  }
  return write_erasures(config.data + "/erasures.log", list->erasures);
}

int run_restore(const Config& config, const BackupOptions& options) {
  const auto note =
      restore(options.folder, config.data, random_incarnation(),
              [&](const std::string& store) { return take_in_files(config, options, store); });
  if (!note) return report(note.error());
  if (options.json) {
    std::string out = "{\"data\":";
    append_json_string(out, config.data);
    fmt::print("{},\"incarnation\":\"{}\",\"position\":{},\"made\":{}}}\n", out, note->incarnation,
               note->position, note->made_ms);
    return 0;
  }
  fmt::print("{} holds the store as it was at {}, as a new life of it\n", config.data,
             local_time(note->made_ms));
  fmt::print("Start the server on it: devices hand in again what came after the backup.\n");
  if (options.erasures.empty() && config.erasures.empty()) {
    fmt::print(
        "No list of erasures was given: whoever was erased after the backup was made is back. Give "
        "--erasures with erasures.log of the lost data folder or of the newest backup.\n");
  }
  return 0;
}

}  // namespace

void add_backup(CLI::App& app, Options& options, Run& run) {
  CLI::App* command =
      app.add_subcommand("backup", "Copy the store into a new folder, through the running server");
  auto chosen = std::make_shared<BackupOptions>();
  command->add_option("--to", chosen->folder, "A folder that is not there yet; its parent is")
      ->required();
  command->add_option("--server", chosen->server, kDeskServerHelp);
  command->add_flag("--json", chosen->json, "For programs: print what the server answered");
  command->footer("Exit codes: 0 done, 1 failed, 2 wrong use.");
  command->callback([&options, &run, chosen] {
    run = [&options, chosen] { return run_backup(options.config, *chosen); };
  });
}

void add_restore(CLI::App& app, Options& options, Run& run) {
  CLI::App* command = app.add_subcommand(
      "restore", "Copy a backup into an empty data folder, for a server to go on from it");
  auto chosen = std::make_shared<BackupOptions>();
  command->add_option("--from", chosen->folder, "The folder that \"backup\" made")->required();
  command->add_option("--erasures", chosen->erasures,
                      "The list of erasures: erasures.log of the lost data folder, of its other "
                      "place, or of the newest backup");
  command->add_option("--master-key", chosen->master_key,
                      "File with the master key of when the backup was made, for the data folder");
  command->add_flag("--json", chosen->json, "For programs: print what was restored");
  command->footer(
      "The data folder (--data) must be empty or not be there.\n"
      "Exit codes: 0 done, 1 failed, 2 wrong use.");
  command->callback([&options, &run, chosen] {
    run = [&options, chosen] { return run_restore(options.config, *chosen); };
  });
}

}  // namespace waystation::cli

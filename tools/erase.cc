// waystation erase: what is personal about somebody becomes unreadable for ever; a report of it.
#include <fmt/format.h>

#include <memory>

#include "sync/wire.h"
#include "tools/admin.h"
#include "tools/commands.h"
#include "tools/json_view.h"
#include "tools/terminal_text.h"

namespace waystation::cli {
namespace {

struct EraseOptions {
  std::string person;
  std::string server;
  bool json = false;
};

std::string count_of(const JsonObject& object, const char* name) {
  return grouped(static_cast<std::uint64_t>(object.number(name)));
}

void print_erased(const JsonObject& answer) {
  const JsonObject erased(answer.raw("erased"));
  const auto records = json_items(erased.raw("records"));
  fmt::print("erased: the key of {}, and with it\n", answer.text("person"));
  fmt::print("  fields on show in {} records, cleared for every device\n", grouped(records.size()));
  for (const std::string_view text : records) {
    const JsonObject record(text);
    std::string fields;
    for (const auto field : json_items(record.raw("fields"))) {
      fields += (fields.empty() ? "" : ", ") + json_plain(field);
    }
    fmt::print("    {}/{}/{}: {}\n", printable(record.text("scope")), record.text("coll"),
               record.text("id"), fields);
  }
  fmt::print("  values in {} ops of the history, {} conflicts, {} refused ops\n",
             count_of(erased, "history_ops"), count_of(erased, "conflicts"),
             count_of(erased, "refused"));
}

void print_remains(const JsonObject& answer) {
  const auto remains = json_items(answer.raw("remains"));
  if (remains.empty()) return;
  fmt::print("what remains, and why:\n");
  for (const std::string_view text : remains) {
    const JsonObject one(text);
    fmt::print("  {} ({}): {}\n", one.text("what"), count_of(one, "count"), one.text("why"));
    for (const std::string_view where : json_items(one.raw("places"))) {
      const JsonObject place(where);
      fmt::print("    {}/{}/{}\n", printable(place.text("scope")), place.text("coll"),
                 place.text("id"));
    }
  }
}

int run_erase(const Config& config, const EraseOptions& options) {
  const auto answer = ask_as_admin(config, options.server, "POST",
                                   fmt::format("/v1/persons/{}/erase", options.person));
  if (!answer) return report(answer.error());
  if (options.json) {
    fmt::print("{}\n", *answer);
    return 0;
  }
  const JsonObject told(*answer);
  const std::string state = told.text("state");
  if (state == "erased_before") fmt::print("{} had been erased before\n", told.text("person"));
  if (state == "unknown") {
    fmt::print("nothing personal was known of {}: nothing will be taken in any more\n",
               told.text("person"));
  }
  if (state == "erased") print_erased(told);
  print_remains(told);
  fmt::print("the mark that stays and refuses to take them in again: {}\n", told.text("mark"));
  return 0;
}

std::string check_person(const std::string& text) {
  return valid_record_id(text) ? std::string() : "\"" + text + "\" is not a record id";
}

}  // namespace

void add_erase(CLI::App& app, Options& options, Run& run) {
  CLI::App* command = app.add_subcommand(
      "erase", "Destroy the key of a person's data, through the running server, and report");
  auto chosen = std::make_shared<EraseOptions>();
  command->add_option("--person", chosen->person, "The record id of the person")
      ->required()
      ->check(check_person);
  command->add_option("--server", chosen->server, kServerHelp);
  command->add_flag("--json", chosen->json, "For programs: print what the server answered");
  command->footer(
      "This cannot be taken back. docs/personal-data.md says what is erased and what is not.\n"
      "Exit codes: 0 done, 1 failed, 2 wrong use.");
  command->callback([&options, &run, chosen] {
    run = [&options, chosen] { return run_erase(options.config, *chosen); };
  });
}

}  // namespace waystation::cli

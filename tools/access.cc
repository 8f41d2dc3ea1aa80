// waystation access: why a device may or may not read and write a record.

#include <fmt/format.h>

#include <memory>

#include "sync/device_id.h"
#include "sync/wire.h"
#include "tools/admin.h"
#include "tools/commands.h"
#include "tools/desk.h"
#include "tools/json_view.h"
#include "tools/terminal_text.h"

namespace waystation::cli {
namespace {

struct AccessOptions {
  std::string device;
  std::string record;
  std::string server;
  bool json = false;
};

struct RecordName {
  std::string scope;
  std::string coll;
  std::string id;
};

// SCOPE/COLLECTION/ID; a scope id may hold "/" itself.
std::optional<RecordName> parse_record_name(const std::string& text) {
  const std::size_t id = text.rfind('/');
  if (id == std::string::npos || id == 0) return std::nullopt;
  const std::size_t coll = text.rfind('/', id - 1);
  if (coll == std::string::npos) return std::nullopt;
  RecordName name{text.substr(0, coll), text.substr(coll + 1, id - coll - 1), text.substr(id + 1)};
  const bool valid =
      valid_scope_id(name.scope) && valid_name(name.coll) && valid_record_id(name.id);
  return valid ? std::optional(std::move(name)) : std::nullopt;
}

void print_decision(std::string_view what, const JsonObject& decision) {
  fmt::print("{:<7} {}\n", what, printable(decision.text("reason")));
}

void print_answer(const JsonObject& answer) {
  fmt::print("{} ({}), role {}: {}/{}/{}{}\n", printable(answer.text("name")),
             answer.text("device"), answer.text("role"), answer.text("scope"), answer.text("coll"),
             answer.text("id"), answer.flag("exists") ? "" : " (there is no such record)");
  for (const auto item : json_items(answer.raw("earlier"))) {
    const JsonObject term(item);
    fmt::print("Ops written until {} are judged by the role {} too.\n",
               local_time(term.number("until")), term.text("role"));
  }
  if (answer.raw("left") != "null") {
    fmt::print("Ops written until {} are judged by what it held then.\n",
               local_time(answer.number("left")));
  }
  fmt::print("\n");
  for (const char* what : {"read", "write", "delete"}) {
    print_decision(what, JsonObject(answer.raw(what)));
  }
  fmt::print("\n");
  TextTable table({"FIELD", "READ", "WRITE", "DOES", "WHY"});
  for (const auto item : json_items(answer.raw("fields"))) {
    const JsonObject field(item);
    const JsonObject read(field.raw("read"));
    const JsonObject write(field.raw("write"));
    std::string does;
    for (const auto word : json_items(write.raw("does"))) {
      does += (does.empty() ? "" : " ") + json_plain(word);
    }
    std::string why;
    if (!read.flag("allowed")) why = "read: " + read.text("reason");
    if (!write.flag("allowed")) {
      why += (why.empty() ? "write: " : "; write: ") + write.text("reason");
    }
    table.add({field.text("field"), read.flag("allowed") ? "yes" : "no",
               write.flag("allowed") ? "yes" : "no", does, why});
  }
  fmt::print("{}", table.text());
}

int run_access(const Config& config, const AccessOptions& options) {
  const auto name = parse_record_name(options.record);
  const std::string target = "/v1/access" + query({{"device", options.device},
                                                   {"scope", name->scope},
                                                   {"coll", name->coll},
                                                   {"id", name->id}});
  const auto answer = ask_as_admin(config, options.server, "GET", target);
  if (!answer) return report(answer.error());
  if (options.json) {
    fmt::print("{}\n", *answer);
  } else {
    print_answer(JsonObject(*answer));
  }
  return 0;
}

}  // namespace

void add_access(CLI::App& app, Options& options, Run& run) {
  CLI::App* command = app.add_subcommand(
      "access", "Tell why a device may or may not read and write a record, field by field");
  auto access = std::make_shared<AccessOptions>();
  command->add_option("--device", access->device, "Device id")
      ->required()
      ->check([](const std::string& text) {
        return parse_device_id(text) ? std::string() : "\"" + text + "\" is not a device id";
      });
  command->add_option("--record", access->record, "SCOPE/COLLECTION/ID; need not be there")
      ->required()
      ->check([](const std::string& text) {
        return parse_record_name(text) ? std::string()
                                       : "\"" + text + "\" is not SCOPE/COLLECTION/ID";
      });
  command->add_option("--server", access->server, kServerHelp);
  command->add_flag("--json", access->json, "Print what the server answered");
  command->footer("Exit codes: 0 done, 1 failed, 2 wrong use.");
  command->callback([&options, &run, access] {
    run = [&options, access] { return run_access(options.config, *access); };
  });
}

}  // namespace waystation::cli

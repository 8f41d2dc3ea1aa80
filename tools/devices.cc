// waystation devices: the list, shutting one out, changing what one holds.

#include <fmt/format.h>

#include <memory>

#include "sync/device_id.h"
#include "sync/wire.h"
#include "tools/admin.h"
#include "tools/commands.h"
#include "tools/json_view.h"
#include "tools/terminal_text.h"

namespace waystation::cli {
namespace {

struct DeviceOptions {
  std::string device;
  std::vector<std::string> scopes;
  std::string role;
  bool all = false;
  std::string server;
  bool json = false;
};

std::string clock_text(const JsonObject& device) {
  if (device.raw("last_seen") == "null") return "-";
  if (!device.flag("clock_wrong")) return "ok";
  const std::int64_t seconds = device.number("skew_ms") / 1000;
  return fmt::format("{} {}", format_duration(seconds), seconds < 0 ? "slow" : "fast");
}

void print_table(const std::vector<std::string_view>& devices) {
  TextTable table(
      {"NAME", "DEVICE", "ROLE", "LAST SEEN", "APPLIED", "QUEUED", "REFUSED", "CLOCK", "REVOKED"});
  for (const std::size_t number : {4, 5, 6}) table.align_right(number);
  for (const std::string_view text : devices) {
    const JsonObject device(text);
    const bool seen = device.raw("last_seen") != "null";
    table.add({device.text("name"), device.text("device"), device.text("role"),
               seen ? local_time(device.number("last_seen")) : "never",
               grouped(static_cast<std::uint64_t>(device.number("applied"))),
               grouped(static_cast<std::uint64_t>(device.number("queued"))),
               grouped(static_cast<std::uint64_t>(device.number("refused"))), clock_text(device),
               device.flag("revoked") ? "yes" : ""});
  }
  fmt::print("{}", table.text());
}

int run_list(const Config& config, const DeviceOptions& options) {
  const auto answer = ask_as_admin(config, options.server, "GET", "/v1/devices");
  if (!answer) return report(answer.error());
  if (options.json) {
    fmt::print("{}\n", *answer);
    return 0;
  }
  const JsonObject list(*answer);
  const auto devices = json_items(list.raw("devices"));
  if (devices.empty()) {
    fmt::print("no devices yet: make a code with \"waystation enroll\"\n");
  } else {
    print_table(devices);
  }
  return 0;
}

// The answer to a change is the device as it is now.
int print_changed(const Result<std::string>& answer, bool json) {
  if (!answer) return report(answer.error());
  if (json) {
    fmt::print("{}\n", *answer);
    return 0;
  }
  print_table({*answer});
  std::string scopes;
  const JsonObject device(*answer);
  for (const auto scope : json_items(device.raw("scopes"))) scopes += " " + json_plain(scope);
  fmt::print("scopes:{}\n", scopes.empty() ? " none" : scopes);
  return 0;
}

int run_revoke(const Config& config, const DeviceOptions& options) {
  return print_changed(ask_as_admin(config, options.server, "POST",
                                    fmt::format("/v1/devices/{}/revoke", options.device)),
                       options.json);
}

int run_scopes(const Config& config, const DeviceOptions& options) {
  if (options.scopes.empty() != options.all) {
    fmt::print(stderr, "waystation devices scopes: name the scopes with --scope, or give --all\n");
    return 2;
  }
  std::string body = "{\"scopes\":";
  append_string_array(body, options.all ? std::vector<std::string>{"*"} : options.scopes);
  body += '}';
  return print_changed(ask_as_admin(config, options.server, "PUT",
                                    fmt::format("/v1/devices/{}/scopes", options.device), body),
                       options.json);
}

int run_role(const Config& config, const DeviceOptions& options) {
  return print_changed(ask_as_admin(config, options.server, "PUT",
                                    fmt::format("/v1/devices/{}/role", options.device),
                                    fmt::format(R"({{"role":"{}"}})", options.role)),
                       options.json);
}

std::string check_device_id(const std::string& text) {
  return parse_device_id(text) ? std::string() : "\"" + text + "\" is not a device id";
}

}  // namespace

void add_devices(CLI::App& app, Options& options, Run& run) {
  CLI::App* command = app.add_subcommand(
      "devices", "List devices, shut one out, change what it holds (through the running server)");
  auto chosen = std::make_shared<DeviceOptions>();
  command->require_subcommand(0, 1);
  command->add_option("--server", chosen->server, kServerHelp);
  command->add_flag("--json", chosen->json, "Print what the server answered");
  command->footer("Exit codes: 0 done, 1 failed, 2 wrong use.");

  const auto choose = [&options, &run, chosen](auto what) {
    return [&options, &run, chosen, what] {
      run = [&options, chosen, what] { return what(options.config, *chosen); };
    };
  };
  CLI::App* list = command->add_subcommand("list", "A table of all devices (the default)");
  list->callback(choose(run_list));
  CLI::App* revoke = command->add_subcommand("revoke", "Shut a device out, at once and for good");
  revoke->add_option("device", chosen->device, "Device id")->required()->check(check_device_id);
  revoke->callback(choose(run_revoke));
  CLI::App* scopes = command->add_subcommand("scopes", "Say anew which scopes a device holds");
  scopes->add_option("device", chosen->device, "Device id")->required()->check(check_device_id);
  scopes->add_option("--scope", chosen->scopes, "A scope that it is to hold (repeatable)");
  scopes->add_flag("--all", chosen->all, "All scopes");
  scopes->callback(choose(run_scopes));
  CLI::App* role = command->add_subcommand("role", "Give a device another role");
  role->add_option("device", chosen->device, "Device id")->required()->check(check_device_id);
  role->add_option("role", chosen->role, "volunteer, lead, station, office or administrator")
      ->required()
      ->check(role_check);
  role->callback(choose(run_role));
  command->callback([command, list = choose(run_list)] {
    if (command->get_subcommands().empty()) list();
  });
}

}  // namespace waystation::cli

// waystation devices: the list, what each stands at, draining, shutting out, wiping one, changing
// what one holds.

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
  bool all = false;
  bool now = false;
  std::string server;
  bool json = false;
};

std::string clock_text(const JsonObject& device) {
  if (device.raw("last_seen") == "null") return "-";
  if (!device.flag("clock_wrong")) return "ok";
  const std::int64_t seconds = device.number("skew_ms") / 1000;
  return fmt::format("{} {}", format_duration(seconds), seconds < 0 ? "slow" : "fast");
}

std::string state_text(const JsonObject& device) {
  std::string text = device.text("state") == "active" ? "" : device.text("state");
  const auto add = [&text](const std::string& what) { text += (text.empty() ? "" : ", ") + what; };
  if (device.raw("wipe") != "null") {
    const JsonObject wipe(device.raw("wipe"));
    add(wipe.raw("confirmed") == "null" ? "wipe ordered"
                                        : "wiped " + local_time(wipe.number("confirmed")));
  }
  if (device.raw("replaced_by") != "null") add("replaced by " + device.text("replaced_by"));
  if (device.raw("replaces") != "null") add("replaces " + device.text("replaces"));
  if (device.flag("full")) add("full");
  return text;
}

void print_table(const std::vector<std::string_view>& devices) {
  TextTable table(
      {"NAME", "DEVICE", "LAST SEEN", "APPLIED", "QUEUED", "REFUSED", "CLOCK", "STATE"});
  for (const std::size_t number : {3, 4, 5}) table.align_right(number);
  for (const std::string_view text : devices) {
    const JsonObject device(text);
    const bool seen = device.raw("last_seen") != "null";
    table.add({device.text("name"), device.text("device"),
               seen ? local_time(device.number("last_seen")) : "never",
               grouped(static_cast<std::uint64_t>(device.number("applied"))),
               grouped(static_cast<std::uint64_t>(device.number("queued"))),
               grouped(static_cast<std::uint64_t>(device.number("refused"))), clock_text(device),
               state_text(device)});
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
  std::string branches;
  const JsonObject device(*answer);
  for (const auto branch : json_items(device.raw("branches"))) branches += " " + json_plain(branch);
  fmt::print("granted:{}\n", branches.empty() ? " nothing" : branches);
  if (device.raw("branches") != device.raw("scopes")) {
    fmt::print("with what lies below: {} scopes\n",
               grouped(json_items(device.raw("scopes")).size()));
  }
  if (device.number("queued") > 0) {
    fmt::print("still on the device: {} ops, the oldest of {}\n",
               grouped(static_cast<std::uint64_t>(device.number("queued"))),
               local_time(device.number("oldest")));
  }
  return 0;
}

// drain, revoke, restore
auto to(const char* action) {
  return [action](const Config& config, const DeviceOptions& options) {
    return print_changed(ask_as_admin(config, options.server, "POST",
                                      fmt::format("/v1/devices/{}/{}", options.device, action)),
                         options.json);
  };
}

int run_wipe(const Config& config, const DeviceOptions& options) {
  return print_changed(ask_as_admin(config, options.server, "POST",
                                    fmt::format("/v1/devices/{}/wipe", options.device),
                                    fmt::format("{{\"now\":{}}}", options.now)),
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

std::string check_device_id(const std::string& text) {
  return parse_device_id(text) ? std::string() : "\"" + text + "\" is not a device id";
}

}  // namespace

void add_devices(CLI::App& app, Options& options, Run& run) {
  CLI::App* command = app.add_subcommand(
      "devices",
      "List devices; drain, shut out, restore or wipe one; change what it holds (through the "
      "running server)");
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
  const auto with_device = [&](const char* name, const char* help, auto what) {
    CLI::App* one = command->add_subcommand(name, help);
    one->add_option("device", chosen->device, "Device id")->required()->check(check_device_id);
    one->callback(choose(what));
    return one;
  };
  with_device("drain", "Let it hand in what it wrote before, and nothing else", to("drain"));
  with_device("revoke", "Shut it out at once: nothing of it is heard any more", to("revoke"));
  with_device("restore", "Make it active again; takes back a wipe that is not confirmed",
              to("restore"));
  with_device("wipe", "Have it hand in what waits and then remove all that it holds", run_wipe)
      ->add_flag("--now", chosen->now, "At once: what waits on it is lost");
  CLI::App* scopes = with_device(
      "scopes", "Say anew which scopes it is granted, each with what lies below", run_scopes);
  scopes->add_option("--scope", chosen->scopes, "A scope that it is to hold (repeatable)");
  scopes->add_flag("--all", chosen->all, "All scopes");
  command->callback([command, list = choose(run_list)] {
    if (command->get_subcommands().empty()) list();
  });
}

}  // namespace waystation::cli

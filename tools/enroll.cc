// waystation enroll: an enrolment code for one or more devices.

#include <fmt/format.h>

#include <memory>

#include "sync/canonical.h"
#include "sync/policy.h"
#include "sync/wire.h"
#include "tools/admin.h"
#include "tools/commands.h"
#include "tools/json_view.h"
#include "tools/terminal_text.h"

namespace waystation::cli {
namespace {

struct EnrollOptions {
  std::vector<std::string> scopes;
  std::string role;  // empty: office with all scopes, else volunteer
  bool all = false;
  std::string name;
  std::uint64_t uses = 1;
  std::string expires = "24h";
  std::string server;
  bool json = false;
};

std::string_view role_of(const EnrollOptions& options) {
  if (!options.role.empty()) return options.role;
  return options.all ? kRoleOffice : kRoleVolunteer;
}

std::string request_body(const EnrollOptions& options) {
  std::string body = "{\"scopes\":";
  append_string_array(body, options.all ? std::vector<std::string>{"*"} : options.scopes);
  body += ",\"role\":";
  append_json_string(body, role_of(options));
  body += ",\"name\":";
  append_json_string(body, options.name);
  return body + fmt::format(R"(,"uses":{},"expires_s":{}}})", options.uses,
                            *parse_duration_s(options.expires));
}

void print_code(const EnrollOptions& options, const std::string& address,
                const JsonObject& answer) {
  const auto uses = answer.number("uses");
  fmt::print("{}\n\n", answer.text("code"));
  fmt::print("For {} in the role {}, {}, until {}.\n",
             uses == 1 ? "one device" : fmt::format("{} devices", uses), role_of(options),
             options.all ? "all scopes" : fmt::format("{}", fmt::join(options.scopes, " ")),
             local_time(answer.number("expires")));
  fmt::print(
      "On the device, give the address of this server (it listens on {}) and type the code;\n"
      "capitals, spaces and the hyphen do not matter. A client of your own sends it to\n"
      "POST /v1/enroll (docs/protocol.md). The device then stands in \"waystation devices\".\n",
      address);
}

int run_enroll(const Config& config, const EnrollOptions& options) {
  if (options.scopes.empty() != options.all) {
    fmt::print(stderr, "waystation enroll: name the scopes with --scope, or give --all\n");
    return 2;
  }
  const auto answer =
      ask_as_admin(config, options.server, "POST", "/v1/codes", request_body(options));
  if (!answer) return report(answer.error());
  if (options.json) {
    fmt::print("{}\n", *answer);
  } else {
    print_code(options, server_address(config, options.server), JsonObject(*answer));
  }
  return 0;
}

}  // namespace

void add_enroll(CLI::App& app, Options& options, Run& run) {
  CLI::App* command =
      app.add_subcommand("enroll", "Make an enrolment code, through the running server");
  auto enroll = std::make_shared<EnrollOptions>();
  command->add_option("--scope", enroll->scopes, "A scope that the device is to hold (repeatable)");
  command->add_flag("--all", enroll->all, "All scopes: for a device of the office");
  command
      ->add_option("--role", enroll->role,
                   "volunteer, lead, station, office or administrator (default: volunteer; with "
                   "--all office)")
      ->check(role_check);
  command->add_option("--name", enroll->name, "Shown in the list of devices");
  command->add_option("--uses", enroll->uses, "How many devices may use it")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  command->add_option("--expires", enroll->expires, "How long it can be used: 90s, 15m, 24h, 7d")
      ->capture_default_str()
      ->check([](const std::string& text) {
        return parse_duration_s(text) ? std::string()
                                      : "\"" + text + "\" is not a duration such as 24h";
      });
  command->add_option("--server", enroll->server, kServerHelp);
  command->add_flag("--json", enroll->json, "Print what the server answered");
  command->footer("Exit codes: 0 done, 1 failed, 2 wrong use.");
  command->callback([&options, &run, enroll] {
    run = [&options, enroll] { return run_enroll(options.config, *enroll); };
  });
}

}  // namespace waystation::cli

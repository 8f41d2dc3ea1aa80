// waystation office: the accounts of people who work at the office, through the running server.

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "sync/canonical.h"
#include "tools/admin.h"
#include "tools/client/exchange.h"
#include "tools/client/http_client.h"
#include "tools/commands.h"
#include "tools/json_view.h"
#include "tools/terminal_text.h"

namespace waystation::cli {
namespace {

struct OfficeOptions {
  std::string name;
  std::string display;
  std::string role;
  std::string secret;
  std::string server;
  bool json = false;
  bool link_only = false;
};

constexpr const char* kFooter = "Exit codes: 0 done, 1 failed, 2 wrong use.";

std::string body_of(const std::vector<std::pair<const char*, std::string>>& members) {
  std::string body = "{";
  for (const auto& [name, value] : members) {
    if (value.empty()) continue;
    body += fmt::format("{}\"{}\":", body.size() > 1 ? "," : "", name);
    append_json_string(body, value);
  }
  return body + "}";
}

std::string account_path(const OfficeOptions& options, const char* rest = "") {
  return "/v1/office/accounts/" + percent_encode(options.name) + rest;
}

std::string link_of(const Config& config, const OfficeOptions& options, const JsonObject& answer) {
  return fmt::format("http://{}{}", server_address(config, options.server), answer.text("path"));
}

void print_accounts(const std::vector<std::string_view>& accounts) {
  TextTable table({"NAME", "DISPLAY", "ROLE", "STATE", "2ND FACTOR", "SESSIONS", "SIGNED IN"});
  table.align_right(5);
  for (const std::string_view text : accounts) {
    const JsonObject account(text);
    const char* state = account.flag("disabled")   ? "disabled"
                        : account.flag("password") ? "active"
                                                   : "waits for its link";
    table.add(
        {account.text("name"), account.text("display"), account.text("role"), state,
         account.flag("second_factor") ? "yes" : "no", std::to_string(account.number("sessions")),
         account.raw("signed_in") == "null" ? "never" : local_time(account.number("signed_in"))});
  }
  fmt::print("{}", table.text());
}

int run_list(const Config& config, const OfficeOptions& options) {
  const auto answer = ask_as_admin(config, options.server, "GET", "/v1/office/accounts");
  if (!answer) return report(answer.error());
  if (options.json) {
    fmt::print("{}\n", *answer);
    return 0;
  }
  const JsonObject list(*answer);
  const auto accounts = json_items(list.raw("accounts"));
  if (accounts.empty()) {
    fmt::print("no accounts yet: \"waystation office first\" makes a link for the first\n");
  } else {
    print_accounts(accounts);
  }
  return 0;
}

// Tells of a link, which is shown once.
int print_link(const Config& config, const OfficeOptions& options,
               const Result<std::string>& answer) {
  if (!answer) return report(answer.error());
  if (options.json) {
    fmt::print("{}\n", *answer);
    return 0;
  }
  const JsonObject link(*answer);
  if (options.link_only) {
    fmt::print("{}\n", link_of(config, options, link));
    return 0;
  }
  fmt::print("{}\n\n", link_of(config, options, link));
  fmt::print(
      "Good once, until {}. Whoever has it sets the password: give it to that person alone.\n"
      "Without a browser: waystation office setup{} (it asks for what stands behind #)\n",
      local_time(link.number("expires")), link.raw("account").empty() ? " --name NAME" : "");
  return 0;
}

int run_add(const Config& config, const OfficeOptions& options) {
  const std::string body =
      body_of({{"name", options.name}, {"display", options.display}, {"role", options.role}});
  return print_link(config, options,
                    ask_as_admin(config, options.server, "POST", "/v1/office/accounts", body));
}

int run_reset(const Config& config, const OfficeOptions& options) {
  return print_link(config, options,
                    ask_as_admin(config, options.server, "POST", account_path(options, "/reset")));
}

int run_first(const Config& config, const OfficeOptions& options) {
  return print_link(config, options,
                    ask_as_admin(config, options.server, "POST", "/v1/office/first"));
}

int change(const Config& config, const OfficeOptions& options, const std::string& body) {
  const auto answer = ask_as_admin(config, options.server, "PUT", account_path(options), body);
  if (!answer) return report(answer.error());
  if (options.json) {
    fmt::print("{}\n", *answer);
  } else {
    print_accounts({*answer});
  }
  return 0;
}

int run_change(const Config& config, const OfficeOptions& options) {
  if (options.display.empty() && options.role.empty()) {
    fmt::print(stderr, "waystation office change: give --display, --role, or both\n");
    return 2;
  }
  return change(config, options, body_of({{"display", options.display}, {"role", options.role}}));
}

int run_disable(const Config& config, const OfficeOptions& options) {
  return change(config, options, R"({"disabled":true})");
}

int run_enable(const Config& config, const OfficeOptions& options) {
  return change(config, options, R"({"disabled":false})");
}

// One line from the terminal, unseen, or from a pipe; the environment goes before both. What stands
// on the command line can be read by everybody on the machine.
std::string read_secret(const char* environment, const char* prompt) {
  if (const char* given = std::getenv(environment); given != nullptr) return given;
  termios before{};
  const bool terminal = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &before) == 0;
  if (terminal) {
    fmt::print(stderr, "{}: ", prompt);
    termios unseen = before;
    unseen.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &unseen);
  }
  std::string line;
  for (int c = std::getchar(); c != EOF && c != '\n'; c = std::getchar()) {
    line += static_cast<char>(c);
  }
  if (terminal) {
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    fmt::print(stderr, "\n");
  }
  return line;
}

// The link is all the right that it takes: no token is read.
int run_setup(const Config& config, const OfficeOptions& options) {
  const std::string address = server_address(config, options.server);
  const std::string secret =
      options.secret.empty()
          ? read_secret("WAYSTATION_LINK_SECRET", "What stands behind # in the link")
          : options.secret;
  const std::string password =
      read_secret("WAYSTATION_PASSWORD", "New password (12 characters or more)");
  const std::string body = body_of({{"secret", secret},
                                    {"password", password},
                                    {"name", options.name},
                                    {"display", options.display}});
  const auto answer = HttpClient(address).request("POST", "/v1/office/setup", body);
  if (!answer) return report(answer.error());
  if (answer->status != 200) return report(problem_of(*answer));
  const auto text = canonicalize(answer->body);
  if (!text) return report(text.error());
  if (options.json) {
    fmt::print("{}\n", *text);
    return 0;
  }
  const JsonObject account(*text);
  fmt::print("{} ({}) can sign in now\n", printable(account.text("name")), account.text("role"));
  return 0;
}

}  // namespace

void add_office(CLI::App& app, Options& options, Run& run) {
  CLI::App* command =
      app.add_subcommand("office", "Accounts of the office, through the running server");
  command->require_subcommand(1);
  command->footer(kFooter);
  auto chosen = std::make_shared<OfficeOptions>();
  command->add_option("--server", chosen->server, kServerHelp);
  command->add_flag("--json", chosen->json, "For programs: print what the server answered");
  const auto add = [&](const char* name, const char* help, auto what) {
    CLI::App* one = command->add_subcommand(name, help);
    one->footer(kFooter);
    one->callback([&options, &run, chosen, what] {
      run = [&options, chosen, what] { return what(options.config, *chosen); };
    });
    return one;
  };
  const auto named = [&](CLI::App* one) {
    one->add_option("name", chosen->name, "The name to sign in with")->required();
    return one;
  };
  const auto described = [&](CLI::App* one) {
    one->add_option("--display", chosen->display, "The name that is shown");
    one->add_option("--role", chosen->role, "office (reads) or administrator")
        ->check(CLI::IsMember({"office", "administrator"}));
  };
  add("list", "List the accounts", run_list);
  described(named(add("add", "Make an account, and a link that sets its password", run_add)));
  described(named(add("change", "Change the shown name or the role", run_change)));
  named(add("disable", "Shut an account out at once; its sessions end", run_disable));
  named(add("enable", "Let it in again", run_enable));
  named(add("reset", "Take password, second factor and sessions away; make a new link", run_reset));
  CLI::App* first = add("first", "Make the link for the first administrator", run_first);
  first->add_flag("--link", chosen->link_only, "Print nothing but the link");
  CLI::App* setup = add("setup", "Set a password with the secret of a link", run_setup);
  setup->add_option("--secret", chosen->secret,
                    "What stands behind # in the link. Everybody on this machine can read it "
                    "there: without it WAYSTATION_LINK_SECRET, or a line of input, is taken");
  setup->add_option("--name", chosen->name,
                    "For the first administrator: the name to sign in with");
  setup->add_option("--display", chosen->display, "For the first administrator: the name shown");
}

}  // namespace waystation::cli

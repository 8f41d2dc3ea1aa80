// waystation enroll: an enrolment code for one or more devices, for typing and as a QR code; the
// list of those that are open, and taking one back.

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <memory>

#include "sync/canonical.h"
#include "sync/wire.h"
#include "tools/admin.h"
#include "tools/client/exchange.h"
#include "tools/commands.h"
#include "tools/json_view.h"
#include "tools/qr.h"
#include "tools/terminal_text.h"

namespace waystation::cli {
namespace {

struct EnrollOptions {
  std::vector<std::string> scopes;
  bool all = false;
  std::string name;
  std::uint64_t uses = 1;
  std::string expires = "24h";
  std::string replaces;
  bool qr = false;
  std::string qr_file;
  std::string url;
  std::string withdraw;
  std::string server;
  bool json = false;
};

std::string request_body(const EnrollOptions& options) {
  std::string body;
  if (options.replaces.empty()) {
    body = "{\"scopes\":";
    append_string_array(body, options.all ? std::vector<std::string>{"*"} : options.scopes);
  } else {
    body = "{\"replaces\":";
    append_json_string(body, options.replaces);
  }
  body += ",\"name\":";
  append_json_string(body, options.name);
  return body + fmt::format(R"(,"uses":{},"expires_s":{}}})", options.uses,
                            *parse_duration_s(options.expires));
}

// What the QR code holds: the server's text with the address that devices reach.
std::string qr_payload(const EnrollOptions& options, const std::string& address,
                       const JsonObject& answer) {
  constexpr std::string_view kPlace = "{server}";
  std::string text = answer.text("qr");
  const std::string url = options.url.empty() ? "http://" + address : options.url;
  if (const auto at = text.find(kPlace); at != std::string::npos) {
    text.replace(at, kPlace.size(), percent_encode(url));
  }
  return text;
}

Status write_qr(const std::string& path, const QrSymbol& symbol) {
  const bool svg = path.size() > 4 && path.substr(path.size() - 4) == ".svg";
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << (svg ? qr_svg(symbol) : qr_png(symbol));
  out.close();
  if (!out) return Error{Code::kIo, path + " cannot be written"};
  return {};
}

void print_code(const EnrollOptions& options, const std::string& address,
                const JsonObject& answer) {
  const auto uses = answer.number("uses");
  fmt::print("{}\n\n", answer.text("code"));
  fmt::print("For {}, {}, until {}.\n", uses == 1 ? "one device" : fmt::format("{} devices", uses),
             !options.replaces.empty() ? "in place of " + options.replaces
             : options.all             ? std::string("all scopes")
                                       : fmt::format("{}", fmt::join(options.scopes, " ")),
             local_time(answer.number("expires")));
  fmt::print(
      "On the device, give the address of this server (it listens on {}) and type the code;\n"
      "capitals, spaces and the hyphen do not matter. A client of your own sends it to\n"
      "POST /v1/enroll (docs/protocol.md). The device then stands in \"waystation devices\".\n",
      address);
}

int run_withdraw(const Config& config, const EnrollOptions& options) {
  const auto answer =
      ask_as_admin(config, options.server, "DELETE", "/v1/codes/" + options.withdraw);
  if (!answer) return report(answer.error());
  fmt::print("{}\n", options.json ? *answer : "withdrawn: nobody can enrol with it any more");
  return 0;
}

int run_codes(const Config& config, const EnrollOptions& options) {
  const auto answer = ask_as_admin(config, options.server, "GET", "/v1/codes");
  if (!answer) return report(answer.error());
  if (options.json) {
    fmt::print("{}\n", *answer);
    return 0;
  }
  const JsonObject list(*answer);
  const auto codes = json_items(list.raw("codes"));
  if (codes.empty()) {
    fmt::print("no open codes\n");
    return 0;
  }
  TextTable table({"CODE", "NAME", "USES", "EXPIRES", "FOR"});
  table.align_right(2);
  for (const std::string_view text : codes) {
    const JsonObject code(text);
    std::string what;
    for (const auto scope : json_items(code.raw("scopes"))) {
      what += (what.empty() ? "" : " ") + json_plain(scope);
    }
    if (code.raw("replaces") != "null") what = "in place of " + code.text("replaces");
    table.add({code.text("id"), code.text("name"),
               grouped(static_cast<std::uint64_t>(code.number("uses"))),
               local_time(code.number("expires")), what});
  }
  fmt::print("{}", table.text());
  return 0;
}

int run_enroll(const Config& config, const EnrollOptions& options) {
  const int ways =
      (options.scopes.empty() ? 0 : 1) + (options.all ? 1 : 0) + (options.replaces.empty() ? 0 : 1);
  if (ways != 1) {
    fmt::print(stderr,
               "waystation enroll: name the scopes with --scope, or give --all or --replaces\n");
    return 2;
  }
  const auto answer =
      ask_as_admin(config, options.server, "POST", "/v1/codes", request_body(options));
  if (!answer) return report(answer.error());
  const std::string address = server_address(config, options.server);
  const JsonObject code(*answer);
  if (options.json) {
    fmt::print("{}\n", *answer);
  } else {
    print_code(options, address, code);
  }
  if (!options.qr && options.qr_file.empty()) return 0;
  const std::string payload = qr_payload(options, address, code);
  const auto symbol = qr_symbol(payload);
  if (!symbol) return report(symbol.error());
  if (options.qr) {
    fmt::print("\n{}{}\n", qr_text(*symbol, ::isatty(STDOUT_FILENO) == 1), payload);
  }
  if (!options.qr_file.empty()) {
    if (auto written = write_qr(options.qr_file, *symbol); !written) return report(written.error());
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
  command->add_option("--replaces", enroll->replaces,
                      "A device whose place the new one takes, with its scopes: a new phone");
  command->add_flag("--qr", enroll->qr, "Print a QR code too");
  command->add_option("--qr-file", enroll->qr_file, "Write the QR code to this file: .png or .svg")
      ->check([](const std::string& path) {
        const std::string end = path.size() > 4 ? path.substr(path.size() - 4) : std::string();
        return end == ".png" || end == ".svg" ? std::string()
                                              : "\"" + path + "\" ends neither in .png nor .svg";
      });
  command->add_option("--url", enroll->url,
                      "The address that devices reach, for the QR code: https://sync.example.org "
                      "(default: http:// and the server's)");
  command->add_option("--server", enroll->server, kServerHelp);
  command->add_flag("--json", enroll->json, "Print what the server answered");
  command->footer("Exit codes: 0 done, 1 failed, 2 wrong use.");
  command->require_subcommand(0, 1);
  const auto choose = [&options, &run, enroll](auto what) {
    return [&options, &run, enroll, what] {
      run = [&options, enroll, what] { return what(options.config, *enroll); };
    };
  };
  command->add_subcommand("list", "The codes that can still be used")->callback(choose(run_codes));
  CLI::App* withdraw =
      command->add_subcommand("withdraw", "Take back a code, by its id in the list");
  withdraw->add_option("id", enroll->withdraw, "The code's id")->required();
  withdraw->callback(choose(run_withdraw));
  command->callback([command, make = choose(run_enroll)] {
    if (command->get_subcommands().empty()) make();
  });
}

}  // namespace waystation::cli

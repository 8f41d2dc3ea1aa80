// waystation import: divisions, stations, events, rosters, attendance and visits from CSV or JSON
// lines.

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "storage/schema_files.h"
#include "tools/client/exchange.h"
#include "tools/client/own_device.h"
#include "tools/commands.h"
#include "tools/import/importer.h"
#include "tools/progress.h"
#include "tools/terminal_text.h"

namespace waystation::cli {
namespace {

constexpr const char* kDeviceName = "import";

struct ImportOptions {
  std::string file;
  std::string kind;
  std::string root;
  std::string format;  // empty: by the file's name
  std::string server;
  bool dry_run = false;
};

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in || in.bad()) return Error{Code::kIo, fmt::format("{} cannot be read", path)};
  return text;
}

InputFormat format_of(const ImportOptions& options) {
  const std::string suffix = std::filesystem::path(options.file).extension().string();
  const bool lines = options.format.empty()
                         ? suffix == ".jsonl" || suffix == ".ndjson" || suffix == ".json"
                         : options.format == "jsonl";
  return lines ? InputFormat::kJsonLines : InputFormat::kCsv;
}

ScopeRoot root_of(const ImportOptions& options) {
  if (options.root.empty()) {
    return options.kind == "divisions" ? ScopeRoot{"4452", "揭阳市"} : ScopeRoot{};
  }
  return *parse_scope_root(options.root);
}

void print_counts(const ImportCounts& counts, bool dry_run, double seconds) {
  fmt::print("{} lines read, {} bad; records: {} new, {} changed, {} unchanged{} ({:.1f} s)\n",
             grouped(counts.lines), grouped(counts.bad_lines), grouped(counts.created),
             grouped(counts.changed), grouped(counts.unchanged),
             dry_run ? "; nothing was written" : "", seconds);
}

Result<ImportCounts> import_lines(Exchange& exchange, Pusher* pusher, const Schemas& schemas,
                                  const ImportOptions& options, const std::string& text) {
  Planner planner(schemas, *parse_import_kind(options.kind), root_of(options));
  auto input = read_input(text, format_of(options), planner.columns());
  if (!input) return Error{input.error().code, options.file + ": " + input.error().context};
  Progress progress("importing", text.size());
  Importer importer(exchange, pusher, planner, [&](std::size_t line, std::string_view reason) {
    progress.say(fmt::format("{}:{}: {}", options.file, line, printable(reason)));
  });
  return importer.run(**input, [&](std::size_t bytes) { progress.at(bytes); });
}

int run_import(const Config& config, const ImportOptions& options) {
  spdlog::set_level(spdlog::level::warn);  // of a store opened here
  const auto start = std::chrono::steady_clock::now();
  const auto text = read_file(options.file);
  if (!text) return report(text.error());
  const auto schemas = load_schemas(schemas_folder(config));
  if (!schemas) return report(schemas.error());
  auto exchange = open_exchange(config, options.server);
  if (!exchange) return report(exchange.error());
  fmt::print(stderr, "importing into {}\n", (*exchange)->describe());
  std::error_code ignored;
  std::filesystem::create_directories(config.data, ignored);
  auto saved = SavedDevice::open(config.data + "/import.device");
  if (!saved) return report(saved.error());
  std::unique_ptr<Pusher> pusher;
  if (!options.dry_run) {
    auto greeted =
        greet_as(**exchange, *saved, kDeviceName, fmt::format("waystation import {}", WS_VERSION));
    if (!greeted) return report(greeted.error());
    pusher = std::move(*greeted);
  }
  const auto counts = import_lines(**exchange, pusher.get(), *schemas, options, *text);
  if (pusher != nullptr) {
    // For people; the next run asks the server.
    if (auto kept = saved->save(*saved->device(), pusher->next_n()); !kept) report(kept.error());
  }
  if (!counts) return report(counts.error());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  print_counts(*counts, options.dry_run, took.count());
  return counts->bad_lines == 0 ? 0 : 1;
}

constexpr const char* kFooter =
    R"(Columns (CSV with a header line, or JSON lines with the same keys):
  divisions  district_code,district,town_code,town,village_code,village
  stations   id,name[,kind,address,division,services,phone,open_hours,state]
  events     id,title[,category,place,division,starts,ends,description,...]
  roster     scope,number,name[,phone_tail,team,skills,state,note]
  attendance event,volunteer[,signed_in,signed_out,minutes,points,role,...]
  visits     station,id,visitor,at[,services,party_size,corrects,void,note]
Several values in one CSV cell are separated by ";". An empty cell says nothing; in JSON lines null
empties a field. Bad lines are reported as FILE:LINE: reason, and the import goes on.
It can be run again: only what differs is handed in.
Exit codes: 0 done, 1 failed or there were bad lines, 2 wrong use.)";

}  // namespace

void add_import(CLI::App& app, Options& options, Run& run) {
  CLI::App* command = app.add_subcommand(
      "import", "Take in divisions, stations, events, a roster, attendance or visits from a file");
  auto import = std::make_shared<ImportOptions>();
  command->add_option("file", import->file, "CSV or JSON lines, UTF-8")->required();
  command
      ->add_option("--kind", import->kind,
                   "divisions, stations, events, roster, attendance or visits")
      ->required()
      ->check(CLI::IsMember({"divisions", "stations", "events", "roster", "attendance", "visits"}));
  command->add_option("--format", import->format, "csv or jsonl (default: by the file's name)")
      ->check(CLI::IsMember({"csv", "jsonl"}));
  command
      ->add_option(
          "--scope-root", import->root,
          "ID or ID=NAME. divisions: the scope above the districts (4452=揭阳市); stations "
          "and events: above those without a division; roster: the scope of lines that "
          "name none")
      ->check([](const std::string& text) {
        return parse_scope_root(text) ? std::string()
                                      : "\"" + text + "\" does not begin with a scope id";
      });
  command->add_option("--server", import->server,
                      "address:port of the running server (default: the setting listen; where "
                      "nobody answers there, the store is opened here)");
  command->add_flag("--dry-run", import->dry_run, "Check and count, hand in nothing");
  command->footer(kFooter);
  command->callback([&options, &run, import] {
    run = [&options, import] { return run_import(options.config, *import); };
  });
}

}  // namespace waystation::cli

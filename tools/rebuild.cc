// waystation rebuild: counts everything anew that the reports read.

#include <fmt/format.h>

#include <memory>

#include "storage/projections.h"
#include "storage/schema_files.h"
#include "tools/commands.h"
#include "tools/progress.h"
#include "tools/terminal_text.h"

namespace waystation::cli {
namespace {

int run_rebuild(const Config& config) {
  const auto schemas = load_schemas(schemas_folder(config));
  if (!schemas) return report(schemas.error());
  auto projections = load_projections(schemas_folder(config), *schemas, zone_of(config));
  if (!projections) return report(projections.error());
  // Read first: it makes no folder where there is none.
  if (auto there = open_rocks(config.data + "/store", OpenMode::kReadOnly); !there) {
    return report(there.error());
  }
  auto kv = open_rocks(config.data + "/store", OpenMode::kReadWrite);
  if (!kv) return report(kv.error());
  auto store = Store::open(std::move(*kv), "");
  if (!store) return report(store.error());
  Progress progress("counting, records", 0);
  const auto made = adopt_projections(
      **store, std::move(*projections), [&](std::uint64_t records) { progress.at(records); }, true);
  progress.clear();
  if (!made) return report(made.error());
  fmt::print("counted anew from {} records\n", grouped(made->records));
  return 0;
}

}  // namespace

void add_rebuild(CLI::App& app, Options& options, Run& run) {
  CLI::App* command = app.add_subcommand("rebuild", "Count everything anew that the reports read");
  command->footer(
      "The server must not be running. Records are read and not changed; cut off, it is done by "
      "the next start.\n\"waystation verify\" says whether there is a reason to.\n"
      "Exit codes: 0 done, 1 failed, 2 wrong use.");
  command->callback([&options, &run] { run = [&options] { return run_rebuild(options.config); }; });
}

}  // namespace waystation::cli

// waystation verify: checks a store from end to end.

#include "storage/verify.h"

#include <fmt/format.h>

#include <memory>

#include "storage/schema_files.h"
#include "tools/commands.h"
#include "tools/open_store.h"
#include "tools/progress.h"
#include "tools/terminal_text.h"

namespace waystation::cli {
namespace {

void print_report(const Store& store, const VerifyReport& report) {
  fmt::print("store {}\n", store.incarnation());
  TextTable table({"", ""});
  table.align_right(1);
  const auto row = [&](const char* what, std::uint64_t count) {
    table.add({what, grouped(count)});
  };
  row("  scopes", report.scopes);
  row("  records", report.records);
  row("  deleted records", report.tombstones);
  row("  change entries", report.changes);
  row("  conflicts", report.conflicts);
  row("  devices", report.devices);
  row("  ops", report.ops);
  row("  refused ops", report.refused);
  row("  quarantine entries", report.quarantined);
  row("  audit entries", report.audited);
  row("  photos", report.photos);
  row("  rows of projections", report.projected);
  fmt::print("{}", table.text().substr(1));  // without the empty heading
  if (!report.projections_checked) {
    fmt::print(
        "projections: not held against the records, for they are of other declarations; the next "
        "start, or \"waystation rebuild\", counts anew\n");
  }
  if (report.faults == 0) {
    fmt::print("no faults\n");
    return;
  }
  fmt::print("{} faults:\n", grouped(report.faults));
  for (const std::string& fault : report.first_faults) fmt::print("  {}\n", printable(fault));
  if (report.faults > report.first_faults.size()) fmt::print("  …\n");
}

int run_verify(const Config& config, const std::vector<std::string>& noted, bool hashes) {
  std::vector<AuditHead> heads;
  for (const std::string& text : noted) {
    const auto head = parse_audit_head(text);
    if (!head) {
      report(head.error());
      return 2;
    }
    heads.push_back(*head);
  }
  const auto store = open_to_read(config);
  if (!store) return report(store.error());
  const auto schemas = load_schemas(schemas_folder(config));
  if (!schemas) return report(schemas.error());
  const auto projections = load_projections(schemas_folder(config), *schemas, zone_of(config));
  if (!projections) return report(projections.error());
  const Blobs blobs(config.data + "/blobs");
  Progress progress("checking, entries", 0);
  const auto checked = verify(
      **store, [&](std::uint64_t keys) { progress.at(keys); }, heads, BlobCheck{&blobs, hashes},
      projections->get());
  progress.clear();
  if (!checked) return report(checked.error());
  print_report(**store, *checked);
  return checked->faults == 0 ? 0 : 1;
}

}  // namespace

void add_verify(CLI::App& app, Options& options, Run& run) {
  CLI::App* command = app.add_subcommand("verify", "Check the store from end to end");
  command->footer(
      "Reads every entry, also beside a running server (the store as it is at this moment), and "
      "changes nothing.\nExit codes: 0 no faults, 1 faults or failed, 2 wrong use.");
  auto heads = std::make_shared<std::vector<std::string>>();
  command->add_option(
      "--audit-head", *heads,
      "A head of the audit log that was noted earlier (audit --head, or BACKUP of a "
      "backup): it must still lie on the chain (repeatable)");
  auto hashes = std::make_shared<bool>(false);
  command->add_flag("--blobs", *hashes, "Read every photo too, and hold it against its hash");
  command->callback([&options, &run, heads, hashes] {
    run = [&options, heads, hashes] { return run_verify(options.config, *heads, *hashes); };
  });
}

}  // namespace waystation::cli

// waystation audit: who did what, from the store, for people and for other programs.

#include "storage/audit.h"

#include <fmt/format.h>

#include <deque>
#include <memory>

#include "tools/commands.h"
#include "tools/csv.h"
#include "tools/desk.h"
#include "tools/open_store.h"
#include "tools/terminal_text.h"

namespace waystation::cli {
namespace {

constexpr std::size_t kDetailColumns = 60;

struct AuditOptions {
  std::uint64_t after = 0;
  std::size_t last = 0;
  std::string format = "table";
  bool head = false;
};

void print_csv_row(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) {
    if (!line.empty()) line += ',';
    append_csv_cell(line, guard_formula(cell));
  }
  fmt::print("{}\r\n", line);
}

void print_entry(const std::string& format, const AuditEntry& entry) {
  if (format == "jsonl") {
    fmt::print("{}\n", audit_json(entry, true));
    return;
  }
  print_csv_row({std::to_string(entry.n), local_time(entry.time_ms), entry.note.who,
                 entry.note.what, entry.note.on, entry.note.details, entry.hash});
}

void print_table(const std::deque<AuditEntry>& entries) {
  TextTable table({"N", "TIME", "WHO", "WHAT", "ON", "DETAILS"});
  table.align_right(0);
  for (const AuditEntry& entry : entries) {
    table.add({std::to_string(entry.n), local_time(entry.time_ms), entry.note.who, entry.note.what,
               entry.note.on,
               entry.note.details == "{}" ? "" : clipped(entry.note.details, kDetailColumns)});
  }
  fmt::print("{}", table.text());
}

int run_audit(const Config& config, const AuditOptions& options) {
  const auto store = open_to_read(config);
  if (!store) return report(store.error());
  const Kv& kv = (*store)->kv();
  if (options.head) {
    const auto head = read_audit_head(kv);
    if (!head) return report(head.error());
    fmt::print("{}\n", format_audit_head(*head));
    return 0;
  }
  std::uint64_t after = options.after;
  if (options.last > 0) {
    const auto head = read_audit_head(kv);
    if (!head) return report(head.error());
    after = std::max(after, head->n - std::min<std::uint64_t>(head->n, options.last));
  }
  const bool table = options.format == "table";
  if (options.format == "csv") {
    print_csv_row({"n", "time", "who", "what", "on", "details", "hash"});
  }
  std::deque<AuditEntry> rows;
  const Status walked = for_each_audit(kv, nullptr, after, [&](const AuditEntry& entry) {
    if (table) {
      rows.push_back(entry);
    } else {
      print_entry(options.format, entry);
    }
    return true;
  });
  if (table) print_table(rows);
  return walked ? 0 : report(walked.error());
}

}  // namespace

void add_audit(CLI::App& app, Options& options, Run& run) {
  CLI::App* command = app.add_subcommand("audit", "Show or export the audit log: who did what");
  auto chosen = std::make_shared<AuditOptions>();
  command->add_option("--after", chosen->after, "Only entries with a higher number");
  command->add_option("--last", chosen->last, "Only the last so many");
  command->add_option("--format", chosen->format, "table, jsonl or csv")
      ->capture_default_str()
      ->check(CLI::IsMember({"table", "jsonl", "csv"}));
  command->add_flag("--head", chosen->head,
                    "Print the number and the hash of the last entry, to be noted elsewhere");
  command->footer(
      "The store is read as it is at this moment, also beside a running server. \"verify\" checks "
      "the chain; \"verify --audit-head\" that a head noted earlier still lies on it.\n"
      "Exit codes: 0 done, 1 failed, 2 wrong use.");
  command->callback([&options, &run, chosen] {
    run = [&options, chosen] { return run_audit(options.config, *chosen); };
  });
}

}  // namespace waystation::cli

// waystation duplicates: two records that may be one, looked at, merged or told apart.

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "storage/rules.h"
#include "sync/canonical.h"
#include "sync/wire.h"
#include "tools/commands.h"
#include "tools/desk.h"
#include "tools/desk_command.h"
#include "tools/json_view.h"
#include "tools/terminal_text.h"

namespace waystation::cli {
namespace {

struct DuplicateOptions {
  std::string scope;
  std::string first;
  std::string second;
  std::string coll = "volunteer";
  bool all = false;
  std::string server;
  bool json = false;
};

constexpr std::size_t kSummaryColumns = 40;

const FieldSpec* redirect_of(const Collection* collection) {
  if (collection == nullptr) return nullptr;
  const auto at = std::find_if(collection->fields.begin(), collection->fields.end(),
                               [](const FieldSpec& spec) { return spec.redirect; });
  return at == collection->fields.end() ? nullptr : &*at;
}

// "id name 1234": the fields that people tell the two apart by.
std::string summary(Desk& desk, const std::string& scope, const std::string& coll,
                    const std::string& id) {
  const auto record = desk.record(scope, coll, id);
  const Collection* collection = desk.schemas().find(coll);
  if (!record || record->empty() || collection == nullptr || !collection->duplicates) return id;
  const JsonObject outer(*record);
  const JsonObject fields(outer.raw("fields"));
  std::string out = id;
  for (const std::string& field : {collection->duplicates->same, collection->duplicates->like}) {
    if (!fields.raw(field).empty()) out += " " + json_plain(fields.raw(field));
  }
  return clipped(out, kSummaryColumns);
}

int run_list(const Config& config, const DuplicateOptions& options) {
  auto desk = Desk::open(config, options.server);
  if (!desk) return report(desk.error());
  const auto records = (*desk)->all(
      "/v1/records" + query({{"scope", options.scope}, {"coll", "duplicate"}}), "records");
  if (!records) return report(records.error());
  std::vector<std::string> items;
  for (const std::string& text : *records) {
    const JsonObject record(text);
    if (options.all || JsonObject(record.raw("fields")).text("state") == "open") {
      items.push_back(text);
    }
  }
  if (options.json) {
    print_items("duplicates", items);
    return 0;
  }
  if (items.empty()) {
    fmt::print("no {}duplicates\n", options.all ? "" : "open ");
    return 0;
  }
  TextTable table({"SCOPE", "COLLECTION", "ONE", "OTHER", "ALIKE", "STATE"});
  for (const std::string& text : items) {
    const JsonObject record(text);
    const JsonObject fields(record.raw("fields"));
    const std::string scope = record.text("scope");
    const std::string coll = fields.text("coll");
    table.add({scope, coll, summary(**desk, scope, coll, fields.text("first")),
               summary(**desk, scope, coll, fields.text("second")), fields.text("why"),
               fields.text("state")});
  }
  fmt::print("{}", table.text());
  return 0;
}

// --- merge, distinct, undo --------------------------------------------------------------------

// The server's record about the two; empty where it has none.
Result<std::string> candidate(Desk& desk, const DuplicateOptions& options,
                              const std::string& other) {
  const auto [first, second] = std::minmax(options.first, other);
  return desk.record(options.scope, "duplicate", candidate_id(first, second));
}

OpDraft state_draft(const std::string& candidate_record, const char* state) {
  const JsonObject record(candidate_record);
  return OpDraft{record.text("scope"), "duplicate", record.text("id"), record.number("seq"),
                 fmt::format(R"("set":{{"state":"{}"}})", state)};
}

// The collection that the candidate speaks of, else the one that was named.
std::string collection_of(const std::string& candidate_record, const DuplicateOptions& options) {
  const JsonObject record(candidate_record);
  const std::string coll = JsonObject(record.raw("fields")).text("coll");
  return coll.empty() ? options.coll : coll;
}

// Sets the redirect of `record` to a JSON value.
OpDraft redirect_draft(const std::string& record_text, const std::string& field,
                       const std::string& value) {
  const JsonObject record(record_text);
  return OpDraft{record.text("scope"), record.text("coll"), record.text("id"), record.number("seq"),
                 fmt::format(R"("set":{{"{}":{}}})", field, value)};
}

Result<std::string> existing(Desk& desk, const std::string& scope, const std::string& coll,
                             const std::string& id) {
  auto record = desk.record(scope, coll, id);
  if (!record) return record;
  if (record->empty() || JsonObject(*record).flag("deleted")) {
    return Error{Code::kHttpNotFound, fmt::format("there is no {} {} in {}", coll, id, scope)};
  }
  return record;
}

Error no_redirect(const std::string& coll) {
  return Error{Code::kInputInvalid,
               fmt::format("records of \"{}\" cannot be merged: its schema has no redirect", coll)};
}

int run_merge(const Config& config, const DuplicateOptions& options) {
  if (options.first == options.second) {
    fmt::print(stderr, "waystation duplicates merge: a record is not merged into itself\n");
    return 2;
  }
  auto desk = Desk::open(config, options.server);
  if (!desk) return report(desk.error());
  const auto known = candidate(**desk, options, options.second);
  if (!known) return report(known.error());
  const std::string coll = collection_of(*known, options);
  const FieldSpec* redirect = redirect_of((*desk)->schemas().find(coll));
  if (redirect == nullptr) return report(no_redirect(coll));
  const auto from = existing(**desk, options.scope, coll, options.first);
  if (!from) return report(from.error());
  const auto into = existing(**desk, options.scope, coll, options.second);
  if (!into) return report(into.error());
  std::vector<OpDraft> drafts{
      redirect_draft(*from, redirect->name, fmt::format("\"{}\"", options.second))};
  if (!known->empty()) drafts.push_back(state_draft(*known, "merged"));
  const auto verdicts = (*desk)->hand_in(std::move(drafts));
  if (!verdicts) return report(verdicts.error());
  return print_verdicts(*verdicts, options.json,
                        fmt::format("{} leads to {} now. Undo: duplicates undo {} {}",
                                    options.first, options.second, options.scope, options.first));
}

// Of two that the server holds for candidates.
int set_state(const Config& config, const DuplicateOptions& options, const char* state,
              const std::string& done) {
  auto desk = Desk::open(config, options.server);
  if (!desk) return report(desk.error());
  const auto known = candidate(**desk, options, options.second);
  if (!known) return report(known.error());
  if (known->empty()) {
    return report(
        Error{Code::kHttpNotFound, fmt::format("{} and {} are no candidates in {}", options.first,
                                               options.second, options.scope)});
  }
  const auto verdicts = (*desk)->hand_in({state_draft(*known, state)});
  if (!verdicts) return report(verdicts.error());
  return print_verdicts(*verdicts, options.json, done);
}

int run_distinct(const Config& config, const DuplicateOptions& options) {
  return set_state(config, options, "distinct", "they are two");
}

int run_reopen(const Config& config, const DuplicateOptions& options) {
  return set_state(config, options, "open", "the candidate is open again");
}

int run_undo(const Config& config, const DuplicateOptions& options) {
  auto desk = Desk::open(config, options.server);
  if (!desk) return report(desk.error());
  const FieldSpec* redirect = redirect_of((*desk)->schemas().find(options.coll));
  if (redirect == nullptr) return report(no_redirect(options.coll));
  const auto from = existing(**desk, options.scope, options.coll, options.first);
  if (!from) return report(from.error());
  const JsonObject record(*from);
  const std::string into = JsonObject(record.raw("fields")).text(redirect->name);
  if (into.empty()) {
    return report(Error{Code::kHttpNotFound,
                        fmt::format("{} has not been merged into another", options.first)});
  }
  const auto known = candidate(**desk, options, into);
  if (!known) return report(known.error());
  std::vector<OpDraft> drafts{redirect_draft(*from, redirect->name, "null")};
  if (!known->empty()) drafts.push_back(state_draft(*known, "open"));
  const auto verdicts = (*desk)->hand_in(std::move(drafts));
  if (!verdicts) return report(verdicts.error());
  return print_verdicts(*verdicts, options.json,
                        fmt::format("{} stands for itself again", options.first));
}

std::string check_scope(const std::string& text) {
  return valid_scope_id(text) ? std::string() : "\"" + text + "\" is not a scope id";
}

std::string check_record(const std::string& text) {
  return valid_record_id(text) ? std::string() : "\"" + text + "\" is not a record id";
}

constexpr const char* kFooter =
    R"(A merge leaves both records as they are: whoever looks up FROM goes on to INTO. All of these hand
in ops of the office's own device: every device is sent them.
Exit codes: 0 done, 1 failed or refused, 2 wrong use.)";

}  // namespace

void add_duplicates(CLI::App& app, Options& options, Run& run) {
  DeskCommand<DuplicateOptions> command(
      app, options, run, "duplicates",
      "List records that may be one, merge them, or say that they are two", kFooter);
  DuplicateOptions* chosen = command.chosen();
  const auto add_scoped = [&](const char* name, const char* help, auto what) {
    CLI::App* one = command.add(name, help, what);
    one->add_option("scope", chosen->scope, "Scope of the records")->required()->check(check_scope);
    return one;
  };
  const auto id = [&](CLI::App* one, const char* name, std::string& to, const char* help) {
    one->add_option(name, to, help)->required()->check(check_record);
  };
  const auto coll = [&](CLI::App* one) {
    one->add_option("--coll", chosen->coll, "Collection, where the server has no candidate")
        ->capture_default_str();
  };
  CLI::App* list = command.add("list", "Candidates that wait", run_list);
  list->add_option("--scope", chosen->scope, "In this scope alone")->check(check_scope);
  list->add_flag("--all", chosen->all, "Also those that were merged or told apart");
  CLI::App* merge = add_scoped("merge", "FROM is INTO", run_merge);
  id(merge, "from", chosen->first, "Id of the record that leads to the other from now on");
  id(merge, "into", chosen->second, "Id of the record that stays");
  coll(merge);
  CLI::App* distinct = add_scoped("distinct", "They are two", run_distinct);
  id(distinct, "a", chosen->first, "Id of one");
  id(distinct, "b", chosen->second, "Id of the other");
  CLI::App* undo = add_scoped("undo", "Undo a merge", run_undo);
  id(undo, "from", chosen->first, "Id of the record that was merged");
  coll(undo);
  CLI::App* reopen =
      add_scoped("reopen", "Undo \"distinct\": the candidate waits again", run_reopen);
  id(reopen, "a", chosen->first, "Id of one");
  id(reopen, "b", chosen->second, "Id of the other");
}

}  // namespace waystation::cli

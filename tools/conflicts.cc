// waystation conflicts: values that lost unseen, looked at and worked off.

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <memory>
#include <optional>

#include "sync/canonical.h"
#include "sync/device_id.h"
#include "sync/wire.h"
#include "tools/commands.h"
#include "tools/desk.h"
#include "tools/desk_command.h"
#include "tools/json_view.h"
#include "tools/terminal_text.h"

namespace waystation::cli {
namespace {

struct ConflictOptions {
  std::vector<std::string> name;
  std::string scope;
  std::string value;
  bool settled = false;
  std::string server;
  bool json = false;
};

constexpr std::size_t kValueColumns = 32;

// --- how a conflict is named ------------------------------------------------------------------

struct Name {
  std::string scope;
  std::string coll;
  std::string id;
  std::string field;
  std::string by;
  std::string n;
  std::string part;

  [[nodiscard]] std::string text() const {
    return fmt::format("{}/{}/{}/{}/{}~{}{}{}", scope, coll, id, field, by, n,
                       part == "0" ? "" : ".", part == "0" ? "" : part);
  }
};

bool is_number(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// Takes off what stands behind the last `mark`.
std::string cut_last(std::string& text, char mark) {
  const std::size_t at = text.rfind(mark);
  if (at == std::string::npos) return {};
  std::string last = text.substr(at + 1);
  text.resize(at);
  return last;
}

// SCOPE/COLL/ID/FIELD/DEVICE~N[.PART]; scopes hold slashes, the others none.
std::optional<Name> parse_name(std::string text) {
  Name name;
  std::string writer = cut_last(text, '/');
  name.field = cut_last(text, '/');
  name.id = cut_last(text, '/');
  name.coll = cut_last(text, '/');
  name.scope = std::move(text);
  name.part = cut_last(writer, '.');
  if (name.part.empty()) name.part = "0";
  name.n = cut_last(writer, '~');
  const auto device = parse_writer_id(writer);
  if (!device || !is_number(name.n) || !is_number(name.part) || !valid_scope_id(name.scope) ||
      !valid_name(name.coll) || !valid_record_id(name.id) || !valid_name(name.field)) {
    return std::nullopt;
  }
  name.by = format_device_id(*device);
  return name;
}

// One word as the list prints it, or its parts: SCOPE/COLL/ID FIELD DEVICE N [PART].
std::optional<Name> name_of(const std::vector<std::string>& words) {
  if (words.size() == 1) return parse_name(words[0]);
  if (words.size() != 4 && words.size() != 5) return std::nullopt;
  return parse_name(fmt::format("{}/{}/{}~{}{}{}", words[0], words[1], words[2], words[3],
                                words.size() == 5 ? "." : "", words.size() == 5 ? words[4] : ""));
}

Name name_of(const JsonObject& item) {
  return Name{item.text("scope"),
              item.text("coll"),
              item.text("id"),
              item.text("field"),
              item.text("by"),
              std::to_string(item.number("n")),
              std::to_string(item.number("part"))};
}

// --- list, show -------------------------------------------------------------------------------

int run_list(const Config& config, const ConflictOptions& options) {
  auto desk = Desk::open(config, options.server);
  if (!desk) return report(desk.error());
  const auto items = (*desk)->all(
      "/v1/conflicts" + query({{"scope", options.scope}, {"settled", options.settled ? "1" : ""}}),
      "conflicts");
  if (!items) return report(items.error());
  if (options.json) {
    print_items("conflicts", *items);
    return 0;
  }
  if (items->empty()) {
    fmt::print("no {} conflicts\n", options.settled ? "settled" : "open");
    return 0;
  }
  TextTable table({"CONFLICT", "LOST", "BY", "ON SHOW", "BY", "KIND"});
  for (const std::string& text : *items) {
    const JsonObject item(text);
    const JsonObject winner(item.raw("winner"));
    const std::string shown(winner.raw("value"));
    table.add({name_of(item).text(), clipped(item.raw("value"), kValueColumns),
               (*desk)->who(item.text("by")), clipped(shown, kValueColumns),
               shown.empty() ? "" : (*desk)->who(winner.text("by")), item.text("kind")});
  }
  fmt::print("{}", table.text());
  return 0;
}

Result<std::string> look_up(Desk& desk, const Name& name) {
  return desk.look_up("/v1/conflicts/show" + query({{"scope", name.scope},
                                                    {"coll", name.coll},
                                                    {"id", name.id},
                                                    {"field", name.field},
                                                    {"by", name.by},
                                                    {"n", name.n},
                                                    {"part", name.part}}));
}

void say(const std::string& label, const std::string& text) {
  fmt::print("{:<9} {}\n", label, printable(text));
}

void say_author(Desk& desk, const JsonObject& author) {
  say("", fmt::format("by {}, op {}", desk.who(author.text("by")), author.number("n")));
  if (author.raw("stamp").empty()) return;
  say("",
      fmt::format("written {} (its clock said {}), received {}", local_time(author.number("stamp")),
                  local_time(author.number("wall")), local_time(author.number("received"))));
  const JsonObject saw(author.raw("saw"));
  const std::string record = saw.text("record");
  if (record == "unknown") say("", "who had not seen the record");
  if (record == "deleted") say("", "who saw the record deleted");
  if (record == "live") {
    const std::string value(saw.raw("value"));
    say("", value == "null" ? "who saw no value there" : "who saw " + value);
  }
}

void print_conflict(Desk& desk, const Name& name, const JsonObject& conflict) {
  const std::string state = conflict.text("state");
  say("conflict", name.text());
  say("state", fmt::format("{}, {}",
                           state == "agrees" ? "agrees with what is on show: nothing to do" : state,
                           conflict.text("kind")));
  say("lost", std::string(conflict.raw("value")));
  say_author(desk, JsonObject(conflict.raw("lost")));
  if (!conflict.raw("winner").empty()) {
    const JsonObject winner(conflict.raw("winner"));
    say("on show", winner.flag("deleted") ? "nothing: deleted" : std::string(winner.raw("value")));
    say_author(desk, winner);
  }
  if (conflict.raw("review").empty()) return;
  const JsonObject review(conflict.raw("review"));
  say(review.flag("settled") ? "settled" : "reopened",
      fmt::format("by {}, op {}, {}", desk.who(review.text("by")), review.number("n"),
                  local_time(review.number("stamp"))));
}

// Looks the conflict up and lets `act` work on it.
template <typename Act>
int with_conflict(const Config& config, const ConflictOptions& options, Act act) {
  const auto name = name_of(options.name);
  if (!name) {
    fmt::print(stderr,
               "waystation conflicts: name it as the list does: "
               "SCOPE/COLL/ID/FIELD/DEVICE~N[.PART]\n");
    return 2;
  }
  auto desk = Desk::open(config, options.server);
  if (!desk) return report(desk.error());
  const auto text = look_up(**desk, *name);
  if (!text) return report(text.error());
  return act(**desk, *name, JsonObject(*text), *text);
}

int run_show(const Config& config, const ConflictOptions& options) {
  return with_conflict(
      config, options,
      [&](Desk& desk, const Name& name, const JsonObject& conflict, const std::string& text) {
        if (options.json) {
          fmt::print("{}\n", text);
        } else {
          print_conflict(desk, name, conflict);
        }
        return 0;
      });
}

// --- keep, take, write, reopen ----------------------------------------------------------------

std::string review_edit(std::string_view key, const Name& name) {
  return fmt::format(R"("{}":[{{"field":"{}","by":"{}","n":{},"part":{}}}])", key, name.field,
                     name.by, name.n, name.part);
}

OpDraft draft(const Name& name, const JsonObject& conflict, std::string edits) {
  return OpDraft{name.scope, name.coll, name.id, conflict.number("seq"), std::move(edits)};
}

int settle(Desk& desk, const Name& name, const JsonObject& conflict, const std::string& value,
           bool json, const std::string& done) {
  const std::string merge = conflict.text("merge");
  std::string edits = review_edit("settle", name);
  if (!value.empty()) {
    if (merge == "quota") {
      fmt::print(stderr,
                 "waystation conflicts: a late spend cannot be counted any more: \"keep\" says "
                 "that it was seen\n");
      return 2;
    }
    const bool one = merge == "register" || merge == "counter";
    const char* kind = merge == "register"  ? "set"
                       : merge == "counter" ? "inc"
                       : merge == "set"     ? "add"
                                            : "append";
    edits += fmt::format(R"(,"{}":{{"{}":{}{}{}}})", kind, name.field, one ? "" : "[", value,
                         one ? "" : "]");
  }
  const auto verdicts = desk.hand_in({draft(name, conflict, std::move(edits))});
  if (!verdicts) return report(verdicts.error());
  return print_verdicts(*verdicts, json, done);
}

int run_keep(const Config& config, const ConflictOptions& options) {
  return with_conflict(
      config, options,
      [&](Desk& desk, const Name& name, const JsonObject& conflict, const std::string&) {
        return settle(desk, name, conflict, {}, options.json,
                      "settled: what is on show stays. Undo: conflicts reopen " + name.text());
      });
}

int run_take(const Config& config, const ConflictOptions& options) {
  return with_conflict(
      config, options,
      [&](Desk& desk, const Name& name, const JsonObject& conflict, const std::string&) {
        const std::string value(conflict.raw("value"));
        return settle(
            desk, name, conflict, value, options.json,
            fmt::format("settled with {}. Undo: conflicts reopen {}", value, name.text()));
      });
}

int run_write(const Config& config, const ConflictOptions& options) {
  // In an array, for canonical JSON is of objects and arrays.
  const auto value = canonicalize("[" + options.value + "]");
  if (!value || json_items(*value).size() != 1) {
    fmt::print(stderr, "waystation conflicts write: --value is no JSON (text stands in quotes)\n");
    return 2;
  }
  const std::string third(json_items(*value).front());
  return with_conflict(
      config, options,
      [&](Desk& desk, const Name& name, const JsonObject& conflict, const std::string&) {
        return settle(
            desk, name, conflict, third, options.json,
            fmt::format("settled with {}. Undo: conflicts reopen {}", third, name.text()));
      });
}

// Where the op that settled it wrote the value that is on show, what it replaced comes back too.
std::vector<OpDraft> undo(const Name& name, const JsonObject& conflict) {
  std::string edits = review_edit("reopen", name);
  const JsonObject winner(conflict.raw("winner"));
  const JsonObject review(conflict.raw("review"));
  const JsonObject saw(winner.raw("saw"));
  const bool by_review = review.flag("settled") && !winner.raw("value").empty() &&
                         winner.text("by") == review.text("by") &&
                         winner.number("n") == review.number("n") && !saw.members().empty();
  if (!by_review) return {draft(name, conflict, std::move(edits))};
  // A record that it brought back, and that nobody has touched since, is deleted again.
  if (saw.text("record") == "deleted" && winner.number("seq") == conflict.number("seq")) {
    return {draft(name, conflict, std::move(edits)), draft(name, conflict, R"("del":true)")};
  }
  const std::string before(saw.text("record") == "live" ? saw.raw("value") : "null");
  edits += fmt::format(R"(,"set":{{"{}":{}}})", name.field, before);
  return {draft(name, conflict, std::move(edits))};
}

int run_reopen(const Config& config, const ConflictOptions& options) {
  return with_conflict(
      config, options,
      [&](Desk& desk, const Name& name, const JsonObject& conflict, const std::string&) {
        const auto verdicts = desk.hand_in(undo(name, conflict));
        if (!verdicts) return report(verdicts.error());
        return print_verdicts(*verdicts, options.json, "the value waits for review again");
      });
}

constexpr const char* kFooter =
    R"(A conflict is named as the list prints it: SCOPE/COLL/ID/FIELD/DEVICE~N[.PART], or in words:
SCOPE/COLL/ID FIELD DEVICE N [PART].
keep, take, write and reopen hand in an op of the office's own device: every device is sent it.
Exit codes: 0 done, 1 failed or refused, 2 wrong use.)";

}  // namespace

void add_conflicts(CLI::App& app, Options& options, Run& run) {
  DeskCommand<ConflictOptions> command(app, options, run, "conflicts",
                                       "List values that lost unseen, look at them, settle them",
                                       kFooter);
  ConflictOptions* chosen = command.chosen();
  const auto add_named = [&](const char* name, const char* help, auto what) {
    CLI::App* one = command.add(name, help, what);
    one->add_option("conflict", chosen->name, "As the list names it")->required()->expected(1, 5);
    return one;
  };
  CLI::App* list = command.add("list", "Values that wait for review", run_list);
  list->add_option("--scope", chosen->scope, "In this scope alone");
  list->add_flag("--settled", chosen->settled, "Those whose review was ended, in their place");
  add_named("show", "Who wrote what, when, and having seen what", run_show);
  add_named("keep", "Settle: what is on show stays", run_keep);
  add_named("take", "Settle: the lost value is written again", run_take);
  add_named("write", "Settle: a third value is written", run_write)
      ->add_option("--value", chosen->value, "JSON, such as '\"text\"', 12, true, null")
      ->required();
  add_named("reopen", "Undo: the value waits for review again, and what a settlement wrote goes",
            run_reopen);
}

}  // namespace waystation::cli

// waystation refused: ops that the server refused, looked at, corrected and replayed, or dismissed.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>

#include "sync/canonical.h"
#include "sync/device_id.h"
#include "sync/record.h"
#include "tools/commands.h"
#include "tools/desk.h"
#include "tools/desk_command.h"
#include "tools/json_view.h"
#include "tools/terminal_text.h"

namespace waystation::cli {
namespace {

constexpr std::string_view kOfficeScope = "system:office";
constexpr std::string_view kCollection = "refused";

struct RefusedOptions {
  std::string id;
  std::string op_file;
  std::string reason;
  bool all = false;
  std::string server;
  bool json = false;
};

// DEVICE~N, or DEVICE~N~X where a number was used again with another content.
struct RefusedId {
  std::string text;
  std::string device;
  std::uint64_t n = 0;
  std::uint64_t variant = 0;
};

std::optional<RefusedId> parse_id(const std::string& text) {
  RefusedId id;
  const std::size_t first = text.find('~');
  const auto device = parse_device_id(std::string_view(text).substr(0, first));
  if (first == std::string::npos || !device) return std::nullopt;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data() + first + 1, end, id.n);
  if (error != std::errc() || id.n == 0) return std::nullopt;
  if (stop != end) {
    if (*stop != '~') return std::nullopt;
    const auto rest = std::from_chars(stop + 1, end, id.variant, 16);
    if (rest.ec != std::errc() || rest.ptr != end) return std::nullopt;
  }
  id.device = format_device_id(*device);
  id.text = id.device + text.substr(first);
  return id;
}

std::string record_text(const JsonObject& fields) {
  return fmt::format("{}/{}/{}", fields.text("scope"), fields.text("coll"), fields.text("record"));
}

int run_list(const Config& config, const RefusedOptions& options) {
  auto desk = Desk::open(config, options.server);
  if (!desk) return report(desk.error());
  const auto records = (*desk)->all("/v1/records" + query({{"coll", kCollection}}), "records");
  if (!records) return report(records.error());
  std::vector<std::string> items;
  for (const std::string& text : *records) {
    const JsonObject record(text);
    const JsonObject fields(record.raw("fields"));
    if (options.all || fields.text("state") == "open") items.push_back(text);
  }
  if (options.json) {
    print_items("refused", items);
    return 0;
  }
  if (items.empty()) {
    fmt::print("no refused ops{}\n", options.all ? "" : " wait");
    return 0;
  }
  TextTable table({"REFUSED", "CODE", "RECORD", "BY", "RECEIVED", "STATE"});
  for (const std::string& text : items) {
    const JsonObject record(text);
    const JsonObject fields(record.raw("fields"));
    table.add({record.text("id"), fields.text("code"), record_text(fields),
               (*desk)->who(fields.text("device")), local_time(fields.number("received_ms")),
               fields.text("state")});
  }
  fmt::print("{}", table.text());
  return 0;
}

// --- one --------------------------------------------------------------------------------------

struct Refused {
  RefusedId id;
  std::string record;  // as GET /v1/records gives it
  std::string op;      // as it was handed in; empty when it is not there
};

Result<std::string> find_op(Desk& desk, const RefusedId& id) {
  const auto items = desk.all("/v1/quarantine" + query({{"device", id.device}}), "quarantine");
  if (!items) return items.error();
  for (const std::string& text : *items) {
    const JsonObject item(text);
    const std::string_view op = item.raw("op");
    if (static_cast<std::uint64_t>(item.number("n")) != id.n) continue;
    // The first content under a number comes first.
    if (id.variant == 0 || (hash_value(op) | 1U) == id.variant) return std::string(op);
  }
  return std::string();
}

template <typename Act>
int with_refused(const Config& config, const RefusedOptions& options, Act act) {
  const auto id = parse_id(options.id);
  if (!id) {
    fmt::print(stderr, "waystation refused: name it as the list does: DEVICE~N\n");
    return 2;
  }
  auto desk = Desk::open(config, options.server);
  if (!desk) return report(desk.error());
  auto record = (*desk)->record(kOfficeScope, kCollection, id->text);
  const bool none =
      record ? record->empty() : record.error().code == Code::kScopeUnknown;  // none ever was
  if (none) return report(Error{Code::kHttpNotFound, "no refused op " + id->text});
  if (!record) return report(record.error());
  auto op = find_op(**desk, *id);
  if (!op) return report(op.error());
  return act(**desk, Refused{*id, std::move(*record), std::move(*op)});
}

int run_show(const Config& config, const RefusedOptions& options) {
  return with_refused(config, options, [&](Desk& desk, const Refused& refused) {
    const JsonObject record(refused.record);
    if (options.json) {
      fmt::print("{{\"refused\":{},\"op\":{}}}\n", refused.record,
                 refused.op.empty() ? "null" : refused.op);
      return 0;
    }
    const JsonObject fields(record.raw("fields"));
    const auto say = [](const std::string& label, const std::string& text) {
      if (!text.empty()) fmt::print("{:<9} {}\n", label, printable(text));
    };
    say("refused", record.text("id"));
    say("by", desk.who(fields.text("device")));
    say("received", local_time(fields.number("received_ms")));
    say("code", fields.text("code"));
    say("detail", fields.text("detail"));
    say("record", record_text(fields));
    say("state", fields.text("state"));
    say("reason", fields.text("reason"));
    say("replayed", fields.text("replayed_by"));
    fmt::print("op\n{}\n", pretty_json(refused.op));
    return 0;
  });
}

// --- replay -----------------------------------------------------------------------------------

// What an op says of itself; the rest are its edits.
constexpr std::array<std::string_view, 10> kHead{"n",    "scope", "coll",   "id",   "wall",
                                                 "mono", "boot",  "schema", "base", "replays"};

// What the corrected op lacks of these is as it was in the refused one.
OpDraft replay_draft(const RefusedId& id, const JsonObject& refused, const JsonObject& corrected) {
  const auto from = [&](std::string_view name) -> const JsonObject& {
    return corrected.raw(name).empty() ? refused : corrected;
  };
  OpDraft draft;
  draft.scope = from("scope").text("scope");
  draft.coll = from("coll").text("coll");
  draft.id = from("id").text("id");
  draft.base = from("base").number("base");
  const std::int64_t schema = from("schema").number("schema");
  draft.schema = schema > 0 ? static_cast<std::uint32_t>(schema) : 1;
  for (const auto& [name, value] : corrected.members()) {
    if (std::find(kHead.begin(), kHead.end(), name) != kHead.end()) continue;
    draft.edits += fmt::format(R"("{}":{},)", name, value);
  }
  draft.edits += fmt::format(R"("replays":{{"device":"{}","n":{}}})", id.device, id.n);
  return draft;
}

Result<std::string> read_op(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in || in.bad()) return Error{Code::kIo, path + " cannot be read"};
  auto op = canonicalize(text);
  if (!op) return Error{Code::kInputInvalid, fmt::format("{}: {}", path, op.error().context)};
  if (JsonObject(*op).members().empty()) {
    return Error{Code::kInputInvalid, path + " holds no op: a JSON object"};
  }
  return op;
}

int run_replay(const Config& config, const RefusedOptions& options) {
  return with_refused(config, options, [&](Desk& desk, const Refused& refused) {
    if (refused.id.variant != 0) {
      fmt::print(stderr,
                 "waystation refused replay: a content under a used number cannot be replayed; "
                 "write it anew, and dismiss this one\n");
      return 2;
    }
    const auto corrected =
        options.op_file.empty() ? Result<std::string>(refused.op) : read_op(options.op_file);
    if (!corrected) return report(corrected.error());
    const auto verdicts =
        desk.hand_in({replay_draft(refused.id, JsonObject(refused.op), JsonObject(*corrected))});
    if (!verdicts) return report(verdicts.error());
    return print_verdicts(*verdicts, options.json, refused.id.text + " is replayed");
  });
}

// --- dismiss, reopen --------------------------------------------------------------------------

int set_state(Desk& desk, const Refused& refused, const std::string& fields, bool json,
              const std::string& done) {
  const JsonObject record(refused.record);
  const auto verdicts =
      desk.hand_in({OpDraft{std::string(kOfficeScope), std::string(kCollection), record.text("id"),
                            record.number("seq"), fmt::format(R"("set":{{{}}})", fields)}});
  if (!verdicts) return report(verdicts.error());
  return print_verdicts(*verdicts, json, done);
}

int run_dismiss(const Config& config, const RefusedOptions& options) {
  return with_refused(config, options, [&](Desk& desk, const Refused& refused) {
    std::string fields = R"("state":"dismissed","reason":)";
    append_json_string(fields, options.reason);
    return set_state(desk, refused, fields, options.json,
                     fmt::format("dismissed. Undo: refused reopen {}", refused.id.text));
  });
}

int run_reopen(const Config& config, const RefusedOptions& options) {
  return with_refused(config, options, [&](Desk& desk, const Refused& refused) {
    return set_state(desk, refused, R"("state":"open","reason":null)", options.json,
                     refused.id.text + " is open again");
  });
}

constexpr const char* kFooter =
    R"(A refused op is named as the list prints it: DEVICE~N.
replay without --op hands in the same content again, for when what was in its way is gone. With --op
FILE it hands in that op, a JSON object such as {"set":{"text":"…"}}: its edits are those of the
file alone; scope, coll, id, base and schema that it lacks are those of the refused op. It counts as
written now, by the office, having seen what its base says.
Exit codes: 0 done, 1 failed or refused, 2 wrong use.)";

}  // namespace

void add_refused(CLI::App& app, Options& options, Run& run) {
  DeskCommand<RefusedOptions> command(app, options, run, "refused",
                                      "List refused ops, look at them, replay or dismiss them",
                                      kFooter);
  RefusedOptions* chosen = command.chosen();
  const auto add_named = [&](const char* name, const char* help, auto what) {
    CLI::App* one = command.add(name, help, what);
    one->add_option("refused", chosen->id, "As the list names it")->required();
    return one;
  };
  command.add("list", "Those that wait", run_list)
      ->add_flag("--all", chosen->all, "Also those that were replayed or dismissed");
  add_named("show", "The op, and why it was refused", run_show);
  add_named("replay", "Hand it in again, corrected", run_replay)
      ->add_option("--op", chosen->op_file, "File with the corrected op (default: the same again)");
  add_named("dismiss", "It is not going to be taken in", run_dismiss)
      ->add_option("--reason", chosen->reason, "Why, for those who look it up")
      ->required();
  add_named("reopen", "Undo: it waits again", run_reopen);
}

}  // namespace waystation::cli

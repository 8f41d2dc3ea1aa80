// waystation inspect: what lies in a store and why, for people: the store as a whole, one record
// with who wrote what, one device, one op with its verdict.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "storage/blobs.h"
#include "storage/codec.h"
#include "storage/keys.h"
#include "sync/bytes.h"
#include "sync/canonical.h"
#include "sync/device_id.h"
#include "tools/commands.h"
#include "tools/json_view.h"
#include "tools/open_store.h"
#include "tools/progress.h"
#include "tools/terminal_text.h"

namespace waystation::cli {
namespace {

struct InspectOptions {
  std::string scope;
  std::string coll;
  std::string id;
  std::string device;
  std::uint64_t n = 0;
  std::size_t last = 10;
  bool json = false;
  std::string data;  // the data folder
};

std::string stamp_time(Stamp stamp) { return local_time(ms_from_seq(stamp)); }

// What cannot be printed as it stands (a name, a text) is made printable here.
void say(std::string_view text) { fmt::print("{}\n", printable(text)); }

void say_json(std::string_view json) {
  const std::string pretty = pretty_json(json);
  std::string_view rest = pretty;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    fmt::print("  {}\n", printable(line));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
}

// --- inspect store ----------------------------------------------------------------------------

constexpr std::array<std::pair<Column, const char*>, kColumns> kColumnNames{{
    {Column::kMeta, "meta"},
    {Column::kDevices, "devices"},
    {Column::kDeviceLog, "device log"},
    {Column::kRecords, "records"},
    {Column::kChanges, "changes"},
    {Column::kConflicts, "conflicts"},
    {Column::kQuarantine, "quarantine"},
    {Column::kDigests, "digests"},
    {Column::kHistory, "history"},
    {Column::kTimers, "timers"},
    {Column::kMatches, "matches"},
    {Column::kOffice, "office"},
    {Column::kAudit, "audit"},
    {Column::kViewDigests, "view digests"},
    {Column::kPersons, "persons"},
    {Column::kBlobs, "named blobs"},
    {Column::kProjections, "projections"},
}};
static_assert(kColumnNames.back().second != nullptr, "every column has a name");

struct ColumnSize {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
};

Result<ColumnSize> measure(const Store& store, Column column, Progress& progress,
                           std::uint64_t& read) {
  ColumnSize size;
  const auto rows = store.kv().iterate(column);
  for (rows->seek(""); rows->valid(); rows->next()) {
    ++size.entries;
    size.bytes += rows->key().size() + rows->value().size();
    progress.at(++read);
  }
  if (!rows->status()) return rows->status().error();
  return size;
}

Result<std::uint64_t> stored_format(const Store& store) {
  std::string value;
  const auto found = store.kv().get(Column::kMeta, keys::kFormat, value);
  if (!found) return found.error();
  return ByteReader(value).varint();
}

// How many files lie beside the store, and their bytes.
Result<ColumnSize> measure(const Blobs& blobs) {
  ColumnSize size;
  const Status looked = blobs.each([&](const BlobFile& file) {
    ++size.entries;
    size.bytes += file.bytes;
    return Status{};
  });
  if (!looked) return looked.error();
  return size;
}

Status show_store(const Store& store, const InspectOptions& options) {
  const auto format = stored_format(store);
  if (!format) return format.error();
  const auto position = store.position();
  if (!position) return position.error();
  const auto accounts = store.accounts().all();
  const auto revoked = std::count_if(accounts.begin(), accounts.end(),
                                     [](const AccountPtr& account) { return account->closed(); });
  say(fmt::format("format       {}", *format));
  say(fmt::format("incarnation  {}", store.incarnation()));
  say(fmt::format("position     {} ({})", *position,
                  *position == 0 ? "nothing written yet" : stamp_time(*position)));
  say(fmt::format("scopes       {}", grouped(store.scopes().size())));
  say(fmt::format("devices      {} ({} shut out)", grouped(accounts.size()), revoked));
  Progress progress("counting, entries", 0);
  TextTable table({"COLUMN", "ENTRIES", "BYTES"});
  table.align_right(1);
  table.align_right(2);
  std::uint64_t read = 0;
  for (const auto& [column, column_name] : kColumnNames) {
    const auto size = measure(store, column, progress, read);
    if (!size) return size.error();
    table.add({column_name, grouped(size->entries), grouped(size->bytes)});
  }
  progress.clear();
  const auto blobs = measure(Blobs(options.data + "/blobs"));
  if (!blobs) return blobs.error();
  table.add({"photos (files)", grouped(blobs->entries), grouped(blobs->bytes)});
  fmt::print("\n{}", table.text());
  return {};
}

// --- inspect record ---------------------------------------------------------------------------

std::string author(const Store& store, std::uint64_t device) {
  const AccountPtr account = store.accounts().find(device);
  const std::string id = format_device_id(device);
  return account == nullptr || account->name.empty() ? id
                                                     : fmt::format("{} ({})", id, account->name);
}

std::string written(const Store& store, const Write& write) {
  return fmt::format("by {}, op {}, {}", author(store, write.dot.device), write.dot.n,
                     stamp_time(write.stamp));
}

Result<std::string> lost_value(const Store& store, const keys::RecordKey& key, const Field& field,
                               const Write& lost) {
  std::string bytes;
  const auto found = store.kv().get(
      Column::kConflicts,
      keys::conflict(key.scope, key.coll, key.id, field.name, lost.dot, lost.part), bytes);
  if (!found) return found.error();
  if (!*found) return std::string("(its value is missing: run waystation verify)");
  auto row = decode_conflict(bytes);
  if (!row) return row.error();
  if (auto opened = store.make_plain(row->value); !opened) return opened.error();
  return row->value;
}

Status show_field(const Store& store, const keys::RecordKey& key, const Field& field) {
  say(fmt::format("{} ({})", field.name, to_string(field.type)));
  if (field.type == MergeType::kCounter && field.live.empty()) {
    say(fmt::format("  sum {}", field.sum));
  }
  for (const Write& write : field.live) {
    say(fmt::format("  {}  {}", write.value, written(store, write)));
  }
  for (const Write& lost : field.lost) {
    const auto value = lost_value(store, key, field, lost);
    if (!value) return value.error();
    say(fmt::format("  {}: {}  {}", lost.hidden ? "hidden by a delete" : "lost", *value,
                    written(store, lost)));
  }
  return {};
}

void append_write(std::string& out, const Write& write, std::string_view value) {
  out +=
      fmt::format(R"({{"by":"{}","n":{},"stamp":{},"value":{}}})",
                  format_device_id(write.dot.device), write.dot.n, ms_from_seq(write.stamp), value);
}

Status show_record_json(const Store& store, const keys::RecordKey& key, const Record& record) {
  const std::string visible = record.visible();
  std::string out =
      fmt::format(R"({{"scope":"{}","coll":"{}","id":"{}","seq":{},"visible":{})", key.scope,
                  key.coll, key.id, record.seq, visible.empty() ? "null" : visible);
  out += ",\"writes\":{";
  bool first = true;
  for (const Field& field : record.fields) {
    out += fmt::format(R"({}"{}":{{"merge":"{}","live":[)", first ? "" : ",", field.name,
                       to_string(field.type));
    first = false;
    for (std::size_t i = 0; i < field.live.size(); ++i) {
      if (i > 0) out += ',';
      append_write(out, field.live[i], field.live[i].value);
    }
    out += "],\"lost\":[";
    for (std::size_t i = 0; i < field.lost.size(); ++i) {
      const auto value = lost_value(store, key, field, field.lost[i]);
      if (!value) return value.error();
      if (i > 0) out += ',';
      append_write(out, field.lost[i], value->substr(0, 1) == "(" ? "null" : *value);
    }
    out += "]}";
  }
  out += "},\"deletes\":[";
  for (std::size_t i = 0; i < record.deletes.size(); ++i) {
    const DeviceDelete& gone = record.deletes[i];
    out += fmt::format(R"({}{{"by":"{}","n":{},"seq":{}}})", i > 0 ? "," : "",
                       format_device_id(gone.device), gone.n, gone.seq);
  }
  const auto text = canonicalize(out + "]}");
  if (!text) return text.error();
  fmt::print("{}\n", pretty_json(*text));
  return {};
}

// Values that are sealed, as they are read.
Status open_values(const Store& store, Record& record) {
  for (Field& field : record.fields) {
    for (Write& write : field.live) {
      if (auto opened = store.make_plain(write.value); !opened) return opened;
    }
  }
  return {};
}

Status show_record(const Store& store, const InspectOptions& options) {
  std::string bytes;
  const auto found = store.kv().get(Column::kRecords,
                                    keys::record(options.scope, options.coll, options.id), bytes);
  if (!found) return found.error();
  if (!*found) return Error{Code::kHttpNotFound, "there is no such record"};
  auto record = decode_record(bytes);
  if (!record) return record.error();
  if (auto opened = open_values(store, *record); !opened) return opened;
  const keys::RecordKey key{options.scope, options.coll, options.id};
  if (options.json) return show_record_json(store, key, *record);
  say(fmt::format("seq {} ({}), {} open conflicts", record->seq, stamp_time(record->seq),
                  record->open_conflicts()));
  const std::string visible = record->visible();
  if (visible.empty()) {
    say("the record is deleted");
  } else {
    say_json(visible);
  }
  for (const Field& field : record->fields) {
    if (auto shown = show_field(store, key, field); !shown) return shown;
  }
  for (const DeviceDelete& gone : record->deletes) {
    say(fmt::format("deleted by {}, op {}, {}", author(store, gone.device), gone.n,
                    stamp_time(gone.seq)));
  }
  return {};
}

// --- inspect device, inspect op ---------------------------------------------------------------

Result<AccountPtr> find_account(const Store& store, const std::string& text) {
  AccountPtr account = store.accounts().find(*parse_device_id(text));
  if (account == nullptr) {
    return Error{Code::kAuthUnknownDevice, fmt::format("no device {} in this store", text)};
  }
  return account;
}

Result<DeviceState> read_state(const Store& store, std::uint64_t device) {
  std::string bytes;
  const auto found = store.kv().get(Column::kDevices, keys::device_state(device), bytes);
  if (!found) return found.error();
  return *found ? decode_device_state(bytes) : Result<DeviceState>(DeviceState{});
}

// Calls `each` with the entries from op `first_n` on, and the time when each arrived.
Status each_log_entry(
    const Store& store, std::uint64_t device, std::uint64_t first_n,
    const std::function<bool(std::uint64_t n, std::int64_t received_ms, const LogEntry&)>& each) {
  // A chunk lies under its last n: the first at or after first_n holds it.
  const auto rows = store.kv().iterate(Column::kDeviceLog);
  for (rows->seek(keys::log_chunk(device, first_n)); rows->valid(); rows->next()) {
    const auto key = keys::parse_log_chunk(rows->key());
    if (!key || key->device != device) break;
    const auto chunk = decode_log_chunk(rows->value());
    if (!chunk) return chunk.error();
    for (std::size_t i = 0; i < chunk->entries.size(); ++i) {
      const std::uint64_t n = chunk->first_n + i;
      if (n >= first_n && !each(n, chunk->received_ms, chunk->entries[i])) return {};
    }
  }
  return rows->status();
}

std::string op_subject(const LogEntry& entry) {
  const JsonObject op(entry.op);
  return fmt::format("{}/{}/{}", op.text("scope"), op.text("coll"), op.text("id"));
}

std::string verdict_text(const LogEntry& entry) {
  const JsonObject verdict(entry.verdict);
  const JsonObject refused(verdict.raw("refused"));
  return verdict.flag("ok") ? fmt::format("ok, seq {}", verdict.number("seq"))
                            : fmt::format("refused: {}", refused.text("code"));
}

void show_account(const Account& account) {
  say(fmt::format("name      {}", account.name));
  say(fmt::format("enrolled  {}", local_time(account.enrolled_ms)));
  if (!account.active()) {
    say(fmt::format("standing  {} (not active since {})", waystation::name(account.standing),
                    local_time(account.inactive_ms)));
  }
  if (account.wipe_ordered_ms != 0) {
    say(fmt::format("wipe      ordered {}{}", local_time(account.wipe_ordered_ms),
                    account.wiped_ms == 0
                        ? ", not confirmed"
                        : fmt::format(", confirmed {}", local_time(account.wiped_ms))));
  }
  if (account.predecessor != 0) {
    say(fmt::format("replaces  {}", format_device_id(account.predecessor)));
  }
  if (account.successor != 0) {
    say(fmt::format("replaced  by {}", format_device_id(account.successor)));
  }
  say(fmt::format("branches  {}", fmt::join(account.branches, " ")));
  for (const Grant& grant : account.grants) {
    say(fmt::format("scope     {}, from {}{}", grant.scope, stamp_time(grant.granted),
                    grant.left == 0 ? "" : fmt::format(" to {}", local_time(grant.left_ms))));
  }
}

void show_state(const DeviceState& state) {
  say(fmt::format("app       {}", state.app));
  say(fmt::format("seen      {}",
                  state.last_seen_ms == 0 ? "never" : local_time(state.last_seen_ms)));
  say(fmt::format("applied   {} ops, {} of them refused", grouped(state.applied),
                  grouped(state.refused)));
  say(fmt::format(
      "waiting   {} ops on the device{}", grouped(state.queued),
      state.queued == 0 ? "" : fmt::format(", the oldest of {}", local_time(state.oldest_ms))));
  const std::int64_t skew_s = state.clock.skew_ms / 1000;
  say(fmt::format("clock     {} {}{}", format_duration(skew_s), skew_s < 0 ? "slow" : "fast",
                  state.clock.wrong() ? ": WRONG" : ""));
}

Status show_device(const Store& store, const InspectOptions& options) {
  const auto account = find_account(store, options.device);
  if (!account) return account.error();
  const auto state = read_state(store, (*account)->device);
  if (!state) return state.error();
  show_account(**account);
  show_state(*state);
  const std::uint64_t first = state->applied > options.last ? state->applied - options.last + 1 : 1;
  TextTable table({"OP", "ARRIVED", "RECORD", "VERDICT"});
  table.align_right(0);
  std::size_t count = 0;
  const Status walked =
      each_log_entry(store, (*account)->device, first,
                     [&](std::uint64_t n, std::int64_t received_ms, const LogEntry& entry) {
                       table.add({std::to_string(n), local_time(received_ms), op_subject(entry),
                                  verdict_text(entry)});
                       return ++count < options.last;
                     });
  if (count > 0) fmt::print("\n{}", table.text());
  return walked;
}

// Contents that were handed in again under the same number.
Status show_reused(const Store& store, std::uint64_t device, std::uint64_t n) {
  const auto rows = store.kv().iterate(Column::kQuarantine);
  for (rows->seek(keys::quarantine(device, n, 0)); rows->valid(); rows->next()) {
    const auto key = keys::parse_quarantine(rows->key());
    if (!key || key->device != device || key->n != n) break;
    auto row = decode_quarantine(rows->value());
    if (!row) return row.error();
    if (auto opened = store.make_plain(row->op); !opened) return opened;
    say(fmt::format("in the quarantine since {}: {}: {}", local_time(row->received_ms), row->code,
                    row->detail));
    if (key->variant != 0) say_json(row->op);
  }
  return rows->status();
}

Status show_op(const Store& store, const InspectOptions& options) {
  const auto account = find_account(store, options.device);
  if (!account) return account.error();
  const std::uint64_t device = (*account)->device;
  bool shown = false;
  const Status walked =
      each_log_entry(store, device, options.n,
                     [&](std::uint64_t n, std::int64_t received_ms, const LogEntry& entry) {
                       if (n != options.n) return false;
                       shown = true;
                       std::string op = entry.op;
                       say_json(store.make_plain(op) ? op : entry.op);
                       say(fmt::format("arrived   {}", local_time(received_ms)));
                       if (entry.stamp != 0)
                         say(fmt::format("written   {}", stamp_time(entry.stamp)));
                       say(fmt::format("verdict   {}", entry.verdict));
                       return false;
                     });
  if (!walked) return walked;
  if (!shown) {
    return Error{Code::kHttpNotFound,
                 fmt::format("device {} has no op {}", options.device, options.n)};
  }
  return show_reused(store, device, options.n);
}

int inspect(const Config& config, InspectOptions options,
            Status (*show)(const Store&, const InspectOptions&)) {
  options.data = config.data;
  const auto store = open_to_read(config);
  if (!store) return report(store.error());
  const Status shown = show(**store, options);
  return shown.ok() ? 0 : report(shown.error());
}

std::string check_device_id(const std::string& text) {
  return parse_device_id(text) ? std::string() : "\"" + text + "\" is not a device id";
}

}  // namespace

void add_inspect(CLI::App& app, Options& options, Run& run) {
  CLI::App* command = app.add_subcommand("inspect", "Look into the store: what is there, and why");
  command->require_subcommand(1);
  command->footer(
      "Reads the store as it is at this moment, also beside a running server; changes nothing.\n"
      "Exit codes: 0 done, 1 failed or not found, 2 wrong use.");
  auto chosen = std::make_shared<InspectOptions>();
  const auto choose = [&options, &run, chosen](auto show) {
    return [&options, &run, chosen, show] {
      run = [&options, chosen, show] { return inspect(options.config, *chosen, show); };
    };
  };
  CLI::App* store = command->add_subcommand("store", "Format, age, and how much of everything");
  store->callback(choose(show_store));

  CLI::App* record =
      command->add_subcommand("record", "One record: who wrote what of it, and when");
  record->add_option("scope", chosen->scope, "Scope id")->required();
  record->add_option("coll", chosen->coll, "Collection")->required();
  record->add_option("id", chosen->id, "Record id")->required();
  record->add_flag("--json", chosen->json, "As JSON");
  record->callback(choose(show_record));

  CLI::App* device = command->add_subcommand("device", "One device, and its last ops");
  device->add_option("device", chosen->device, "Device id")->required()->check(check_device_id);
  device->add_option("--last", chosen->last, "How many ops")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  device->callback(choose(show_device));

  CLI::App* op = command->add_subcommand("op", "One op as it was handed in, and its verdict");
  op->add_option("device", chosen->device, "Device id")->required()->check(check_device_id);
  op->add_option("n", chosen->n, "The op's number")->required();
  op->callback(choose(show_op));
}

}  // namespace waystation::cli

#include "tools/simulate/store_view.h"

#include <simdjson.h>

#include <algorithm>

#include "sync/canonical.h"

namespace waystation::simulate {

void for_each_logged(const Store& store, const std::function<void(const Logged&)>& each) {
  const auto rows = store.kv().iterate(Column::kDeviceLog);
  for (rows->seek(""); rows->valid(); rows->next()) {
    const auto key = keys::parse_log_chunk(rows->key());
    auto chunk = decode_log_chunk(rows->value());
    if (!key || !chunk) continue;
    Logged op;
    op.device = key->device;
    op.n = chunk->first_n;
    for (LogEntry& entry : chunk->entries) {
      op.entry = std::move(entry);
      if (!store.make_plain(op.entry.op)) continue;
      each(op);
      ++op.n;
    }
  }
}

std::map<RecordName, StoredRecord> stored_records(const Store& store) {
  std::map<RecordName, StoredRecord> records;
  const auto rows = store.kv().iterate(Column::kRecords);
  for (rows->seek(""); rows->valid(); rows->next()) {
    const auto key = keys::parse_record(rows->key());
    const auto head = decode_record_head(rows->value());
    if (!key || !head) continue;
    StoredRecord record{head->seq, std::string(head->visible)};
    (void)store.make_plain(record.visible, Gone::kLeftOut);
    records[RecordName{std::string(key->scope), std::string(key->coll), std::string(key->id)}] =
        std::move(record);
  }
  return records;
}

std::map<RecordName, std::vector<ModelConflict>> stored_conflicts(const Store& store) {
  std::map<RecordName, std::vector<ModelConflict>> conflicts;
  std::string bytes;
  const auto rows = store.kv().iterate(Column::kConflicts);
  for (rows->seek(""); rows->valid(); rows->next()) {
    const auto key = keys::parse_conflict(rows->key());
    const auto row = decode_conflict(rows->value());
    if (!key || !row) continue;
    const RecordName name{std::string(key->record.scope), std::string(key->record.coll),
                          std::string(key->record.id)};
    const auto found =
        store.kv().get(Column::kRecords, keys::record(name.scope, name.coll, name.id), bytes);
    const auto record = found && *found ? decode_record(bytes) : Result<Record>(Error{});
    if (!record) continue;
    const auto kind = record->open_kind(key->field, key->dot, key->part, row->kind);
    if (!kind || row->review.settled) continue;
    ModelConflict conflict;
    conflict.field = std::string(key->field);
    conflict.device = key->dot.device;
    conflict.n = key->dot.n;
    conflict.part = key->part;
    conflict.kind = std::string(word_for(*kind));
    conflict.value = row->value;
    (void)store.make_plain(conflict.value);
    conflicts[name].push_back(std::move(conflict));
  }
  for (auto& [name, list] : conflicts) std::sort(list.begin(), list.end());
  return conflicts;
}

namespace {
// The text behind `key` in a verdict, which the server writes without spaces.
std::string_view behind(const std::string& verdict, std::string_view key) {
  const std::size_t at = verdict.find(key);
  if (at == std::string::npos) return {};
  return std::string_view(verdict).substr(at + key.size());
}
}  // namespace

std::optional<std::string> shown_to(const PolicyModel& policy, const Account& account,
                                    const RecordName& name, const std::string& visible) {
  const std::string_view role = account.role();
  if (!account.holds(name.scope) || !policy.enters(role, name.scope)) return std::nullopt;
  if (!policy.sees(role, name.coll)) return std::nullopt;
  simdjson::dom::parser parser;
  simdjson::dom::object fields;
  if (parser.parse(visible).get(fields) != simdjson::SUCCESS) return visible;
  std::string shown;
  for (const auto field : fields) {
    if (!policy.shows(role, name.coll, field.key)) continue;
    shown += shown.empty() ? "{" : ",";
    append_json_string(shown, field.key);
    shown += ':';
    shown += simdjson::minify(field.value);
  }
  const auto canonical = canonicalize(shown.empty() ? "{}" : shown + "}");
  return canonical ? *canonical : visible;
}

Seq seq_of_verdict(const std::string& verdict) {
  if (verdict.find("\"ok\":true") == std::string::npos) return 0;
  const std::string_view text = behind(verdict, "\"seq\":");
  return text.empty() ? 0 : std::strtoll(std::string(text).c_str(), nullptr, 10);
}

std::string code_of_verdict(const std::string& verdict) {
  const std::string_view text = behind(verdict, "\"refused\":{\"code\":\"");
  return std::string(text.substr(0, text.find('"')));
}

}  // namespace waystation::simulate

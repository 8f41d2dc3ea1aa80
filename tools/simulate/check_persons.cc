#include <fmt/format.h>
#include <simdjson.h>

#include "sync/device_id.h"
#include "sync/personal.h"
#include "sync/wire.h"
#include "tools/simulate/checks.h"
#include "tools/simulate/store_view.h"

namespace waystation::simulate {
namespace {

namespace dom = simdjson::dom;

// What is readable in an op about somebody as it lies in the store; empty: nothing.
std::string readable_in(const Schemas& schemas, std::string_view text) {
  std::string found;
  const auto op = decode_op(text);
  const std::vector<Collection>* versions = op ? versions_of(schemas, *op) : nullptr;
  if (versions == nullptr || versions->back().person.empty()) return found;
  (void)seal_op_text(*versions, *op, [&](std::string_view value) {
    if (!looks_sealed(value)) found = std::string(value);
    return std::string(value);
  });
  return found;
}

void check_sealed(const Store& store, const Schemas& schemas, Findings& findings) {
  const auto logs = store.kv().iterate(Column::kDeviceLog);
  for (logs->seek(""); logs->valid(); logs->next()) {
    const auto chunk = decode_log_chunk(logs->value());
    if (!chunk) continue;
    for (const LogEntry& entry : chunk->entries) {
      const std::string value = readable_in(schemas, entry.op);
      if (!value.empty()) findings.report(13, "what is personal in the log is sealed", entry.op);
    }
  }
  const auto refused = store.kv().iterate(Column::kQuarantine);
  for (refused->seek(""); refused->valid(); refused->next()) {
    const auto row = decode_quarantine(refused->value());
    if (row && !readable_in(schemas, row->op).empty()) {
      findings.report(13, "what is personal in the quarantine is sealed", row->op);
    }
  }
}

}  // namespace

bool Erased::about(std::string_view coll, std::string_view id) const {
  const Collection* collection = schemas == nullptr ? nullptr : schemas->find(coll);
  return collection != nullptr && asked.count(std::string(person_of(*collection, id))) != 0;
}

bool Erased::about(std::string_view op) const {
  if (asked.empty()) return false;
  auto decoded = decode_op(op);
  // What a device holds has no number yet.
  if (!decoded) decoded = decode_op("{\"n\":1," + std::string(op.substr(1)));
  return decoded && about(decoded->coll, decoded->id);
}

void check_persons(const Store& store, const Schemas& schemas, const Erased& erased,
                   Findings& findings) {
  check_sealed(store, schemas, findings);
  for (const std::string& person : erased.done) {
    PersonKey key{};
    const auto state = store.keyring()->find(person, key);
    if (state && *state != KeyState::kErased) {
      findings.report(13, person + " stays erased", "there is a key");
    }
  }
  dom::parser parser;
  for (const auto& [name, record] : stored_records(store)) {
    const Collection* collection = schemas.find(name.coll);
    dom::object shown;
    if (collection == nullptr || record.visible.empty() ||
        erased.done.count(std::string(person_of(*collection, name.id))) == 0 ||
        parser.parse(record.visible).get(shown) != simdjson::SUCCESS) {
      continue;
    }
    for (const auto field : shown) {
      if (!personal_in_any(*schemas.versions(name.coll), field.key) || field.value.is_null()) {
        continue;
      }
      findings.report(13, fmt::format("{}/{} shows nothing personal", name.coll, name.id),
                      record.visible);
    }
  }
}

}  // namespace waystation::simulate

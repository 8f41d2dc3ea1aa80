#include "storage/replay.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/codec.h"
#include "storage/keys.h"
#include "sync/device_id.h"
#include "sync/personal.h"
#include "sync/wire.h"

namespace waystation {
namespace {

Status read_op(const Store& store, const Snapshot& snapshot, PastOp& past) {
  auto rows = store.kv().iterate(Column::kDeviceLog, &snapshot);
  rows->seek(keys::log_chunk(past.dot.device, past.dot.n));
  const auto key = rows->valid() ? keys::parse_log_chunk(rows->key()) : std::nullopt;
  if (!rows->status()) return rows->status();
  const auto chunk = key ? decode_log_chunk(rows->value()) : Result<LogChunk>(LogChunk{});
  if (!key || key->device != past.dot.device || !chunk || past.dot.n < chunk->first_n ||
      past.dot.n - chunk->first_n >= chunk->entries.size()) {
    return Error{Code::kStoreCorrupt, fmt::format("the log of {} has no op {}",
                                                  format_device_id(past.dot.device), past.dot.n)};
  }
  const LogEntry& entry = chunk->entries[past.dot.n - chunk->first_n];
  past.stamp = entry.stamp;
  past.received_ms = chunk->received_ms;
  past.received = entry.op;
  std::string room;
  const auto text = store.plain(entry.op, room, Gone::kNull);
  if (!text) return text.error();
  auto op = decode_op(*text);
  if (!op) return op.error();
  past.op = std::move(*op);
  return {};
}

// Its values as the record has them: sealed.
Status seal_again(const Store& store, const Schemas& schemas, Op& op) {
  const Collection* collection = schemas.find(op.coll);
  if (store.keyring() == nullptr || collection == nullptr) return {};
  const std::string person(person_of(*collection, op.id));
  PersonKey key{};
  if (person.empty()) return {};
  const auto state = store.keyring()->find(person, key);
  if (!state) return state.error();
  if (*state == KeyState::kKnown) {
    seal_edits(*collection, op, [&](std::string_view value) { return seal(key, person, value); });
  }
  return {};
}

}  // namespace

Result<std::vector<PastOp>> past_of(const Store& store, const Snapshot& snapshot,
                                    const Schemas& schemas, std::string_view scope,
                                    std::string_view coll, std::string_view id,
                                    const PastRange& range) {
  std::vector<PastOp> all;
  std::string at(coll);
  while (!at.empty()) {
    const std::string record_key = keys::record(scope, at, id);
    auto rows =
        store.kv().iterate(Column::kHistory, &snapshot, keys::prefix_end(record_key + '\0'));
    std::size_t count = 0;
    for (rows->seek(keys::history(record_key, range.after + 1));
         rows->valid() && count < range.most; rows->next(), ++count) {
      const auto key = keys::parse_history(rows->key());
      const auto dot = decode_history(rows->value());
      if (!key || !dot) return Error{Code::kStoreCorrupt, "a damaged history"};
      PastOp past;
      past.dot = *dot;
      past.seq = key->seq;
      if (auto read = read_op(store, snapshot, past); !read) return read.error();
      schemas.bring_forward(past.op);
      if (auto sealed = seal_again(store, schemas, past.op); !sealed) return sealed.error();
      past.op.base = std::min(past.op.base, past.seq - 1);
      all.push_back(std::move(past));
    }
    if (!rows->status()) return rows->status().error();
    const Collection* collection = schemas.find(at);
    at = collection != nullptr ? collection->moved_from : std::string();
  }
  std::sort(all.begin(), all.end(), [](const PastOp& a, const PastOp& b) { return a.seq < b.seq; });
  if (all.size() > range.most)
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(range.most), all.end());
  return all;
}

Record replay(const std::vector<PastOp>& past, const Collection& collection, Seq until,
              const std::function<void(const PastOp&, const Effects&)>& each) {
  Record record;
  for (const PastOp& step : past) {
    if (step.seq > until) break;
    Effects effects;
    record.apply(step.op, OpPlace{step.dot.device, step.seq, step.stamp}, collection, effects);
    if (each) each(step, effects);
  }
  return record;
}

}  // namespace waystation

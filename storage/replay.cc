#include "storage/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "storage/codec.h"
#include "storage/keys.h"
#include "sync/device_id.h"
#include "sync/personal.h"
#include "sync/wire.h"

namespace waystation {
namespace {

// Ops out of the device logs. A record's ops of one device lie side by side in few chunks: the last
// chunk of each device is kept at hand.
class LogReader {
 public:
  LogReader(const Store& store, const Snapshot& snapshot) : store_(store), snapshot_(snapshot) {}

  // Fills in what the log knows of past.dot; past.seq only where it is 0.
  Status read(PastOp& past) {
    const auto chunk = chunk_with(past.dot);
    if (!chunk) return chunk.error();
    const LogEntry& entry = (*chunk)->entries[past.dot.n - (*chunk)->first_n];
    past.stamp = entry.stamp;
    past.received_ms = (*chunk)->received_ms;
    past.received = entry.op;
    past.leased = leased_of_verdict(entry.verdict);
    if (past.seq == 0) past.seq = seq_of_verdict(entry.verdict).value_or(0);
    // Read as it came: a schema looks at values, not at what seals them.
    std::string room;
    const auto text = store_.plain(entry.op, room);
    if (!text) return text.error();
    auto op = decode_op(*text);
    if (!op) return op.error();
    past.op = std::move(*op);
    return {};
  }

 private:
  // Of all chunks at hand, in the store's layout.
  static constexpr std::size_t kBytesAtHand = std::size_t{16} * 1024 * 1024;

  static bool holds(const LogChunk& chunk, std::uint64_t n) {
    return n >= chunk.first_n && n - chunk.first_n < chunk.entries.size();
  }

  Result<const LogChunk*> chunk_with(const Dot& dot) {
    if (const auto at = chunks_.find(dot.device); at != chunks_.end() && holds(at->second, dot.n)) {
      return &at->second;
    }
    auto rows = store_.kv().iterate(Column::kDeviceLog, &snapshot_);
    rows->seek(keys::log_chunk(dot.device, dot.n));
    const auto key = rows->valid() ? keys::parse_log_chunk(rows->key()) : std::nullopt;
    if (!rows->status()) return rows->status().error();
    auto chunk = key ? decode_log_chunk(rows->value()) : Result<LogChunk>(LogChunk{});
    if (!key || key->device != dot.device || !chunk || !holds(*chunk, dot.n)) {
      return Error{Code::kStoreCorrupt,
                   fmt::format("the log of {} has no op {}", format_device_id(dot.device), dot.n)};
    }
    bytes_ += rows->value().size();
    if (bytes_ > kBytesAtHand) {
      chunks_.clear();
      bytes_ = rows->value().size();
    }
    return &chunks_.insert_or_assign(dot.device, std::move(*chunk)).first->second;
  }

  const Store& store_;
  const Snapshot& snapshot_;
  std::unordered_map<std::uint64_t, LogChunk> chunks_;  // by device
  std::size_t bytes_ = 0;                               // read since they were dropped last
};

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
  std::vector<std::string> names = schemas.former_names(coll);
  const std::string_view current = schemas.current_name(coll);
  names.emplace_back(current.empty() ? coll : current);
  std::vector<PastOp> all;
  LogReader log(store, snapshot);
  // From the oldest name on, so that what is left out is the latest, and without a hole.
  std::size_t bytes = 0;
  for (const std::string& at : names) {
    const std::string record_key = keys::record(scope, at, id);
    auto rows =
        store.kv().iterate(Column::kHistory, &snapshot, keys::prefix_end(record_key + '\0'));
    for (rows->seek(keys::history(record_key, range.after + 1));
         rows->valid() && all.size() < range.most && bytes <= range.bytes; rows->next()) {
      const auto key = keys::parse_history(rows->key());
      const auto dot = decode_history(rows->value());
      if (!key || !dot) return Error{Code::kStoreCorrupt, "a damaged history"};
      PastOp past;
      past.dot = *dot;
      past.seq = key->seq;
      if (auto read = log.read(past); !read) return read.error();
      bytes += past.received.size();
      schemas.bring_forward(past.op);
      if (auto sealed = seal_again(store, schemas, past.op); !sealed) return sealed.error();
      past.op.base = std::min(past.op.base, past.seq - 1);
      all.push_back(std::move(past));
    }
    if (!rows->status()) return rows->status().error();
  }
  return all;
}

Result<PastOp> past_op(const Store& store, const Snapshot& snapshot, const Schemas& schemas,
                       const Dot& dot) {
  PastOp past;
  past.dot = dot;
  if (auto read = LogReader(store, snapshot).read(past); !read) return read.error();
  schemas.bring_forward(past.op);
  return past;
}

Record replay(const std::vector<PastOp>& past, const Collection& collection, Seq until,
              const std::function<void(const PastOp&, const Effects&)>& each) {
  Record record;
  for (const PastOp& step : past) {
    if (step.seq > until) break;
    Effects effects;
    const OpPlace place{step.dot.device, step.seq, step.stamp, step.leased};
    record.apply(step.op, place, collection, effects);
    if (each) each(step, effects);
  }
  return record;
}

}  // namespace waystation

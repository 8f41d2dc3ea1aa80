#include "storage/projections.h"

#include <fmt/format.h>

#include <unordered_map>

#include "storage/codec.h"
#include "storage/keys.h"
#include "storage/sums.h"
#include "sync/bytes.h"

namespace waystation {
namespace {

constexpr std::size_t kBatchBytes = 4 * 1024 * 1024;
// Rows that are added up before they are written: about 50 MB.
constexpr std::size_t kRowsAtHand = 200'000;
constexpr std::uint64_t kProgressEvery = 1024;
constexpr char kKeptLayout = 2;  // 1 had no births: such rows are made anew

// Counts the records of a store in the order of their keys.
class Recount {
 public:
  Recount(const Store& store, const Snapshot& snapshot, const Projections& projections,
          RecountSink& sink, const std::function<void()>& progress)
      : store_(store),
        snapshot_(snapshot),
        projections_(projections),
        sink_(sink),
        progress_(progress) {}

  Status run() {
    auto rows = store_.kv().iterate(Column::kRecords, &snapshot_);
    std::string coll_prefix;
    for (rows->seek(""); rows->valid(); rows->next()) {
      progress_();
      const auto key = keys::parse_record(rows->key());
      if (!key) return Error{Code::kStoreCorrupt, "a damaged record key"};
      if (!projections_.concern(key->coll)) continue;
      if (!rows->key().starts_with(coll_prefix) || coll_prefix.empty()) {
        coll_prefix = keys::collection_prefix(key->scope, key->coll);
        if (auto read = read_corrections(coll_prefix, key->coll); !read) return read;
      }
      if (auto counted = count(*key, rows->value()); !counted) return counted;
    }
    return rows->status();
  }

 private:
  // Who is corrected in one collection of one scope, and by whom that counts.
  Status read_corrections(const std::string& prefix, std::string_view coll) {
    corrected_.clear();
    const std::string_view field = projections_.corrects(coll);
    if (field.empty()) return {};
    const std::string mark = fmt::format("\"{}\":", field);
    auto rows = store_.kv().iterate(Column::kRecords, &snapshot_, keys::prefix_end(prefix));
    for (rows->seek(prefix); rows->valid(); rows->next()) {
      const auto head = decode_record_head(rows->value());
      if (!head) return head.error();
      if (head->visible.find(mark) == std::string_view::npos) continue;
      const auto record = decode_record(rows->value());
      if (!record) return record.error();
      const auto key = keys::parse_record(rows->key());
      const Projected one = project(projections_, key->scope, key->coll, key->id, *record);
      if (one.corrects.empty()) continue;
      std::string& by = corrected_[one.corrects];
      if (by < key->id) by = std::string(key->id);
    }
    return rows->status();
  }

  // Its number counts unless another record corrects it, or stands in its place.
  [[nodiscard]] bool counts(std::string_view id, const Projected& one) const {
    if (corrected_.contains(std::string(id))) return false;
    return one.corrects.empty() || corrected_.at(one.corrects) == id;
  }

  Status count(const keys::RecordKey& key, std::string_view value) {
    const auto record = decode_record(value);
    if (!record) return record.error();
    const Projected one = project(projections_, key.scope, key.coll, key.id, *record);
    if (counts(key.id, one)) {
      for (const auto& [row, sums] : one.sums) {
        if (auto done = sink_.sums(keys::sums(row), sums); !done) return done;
      }
    }
    Status done;
    if (!one.corrects.empty()) {
      done = sink_.row(keys::correction(key.scope, key.coll, one.corrects, key.id), {});
    }
    if (done.ok() && one.kept) {
      done = sink_.row(keys::kept(key.coll, key.id, key.scope), encode_kept(*one.kept));
    }
    if (done.ok() && !one.into.empty()) {
      done = sink_.row(keys::merged(key.coll, key.id, key.scope), one.into);
    }
    return done;
  }

  const Store& store_;
  const Snapshot& snapshot_;
  const Projections& projections_;
  RecountSink& sink_;
  const std::function<void()>& progress_;
  std::unordered_map<std::string, std::string> corrected_;  // id → the greatest that corrects it
};

// Writes what is counted, added up as far as memory goes.
class Maker final : public RecountSink {
 public:
  explicit Maker(Kv& kv) : kv_(kv) {}

  Status sums(const std::string& key, const Sums& sums) override {
    add_to(at_hand_[key], sums);
    return at_hand_.size() < kRowsAtHand ? Status{} : flush(Durability::kBuffered);
  }
  Status row(const std::string& key, const std::string& value) override {
    batch_.put(Column::kProjections, key, value);
    return batch_.bytes() < kBatchBytes ? Status{} : write(Durability::kBuffered);
  }
  Status forget_all() {
    auto rows = kv_.iterate(Column::kProjections);
    for (rows->seek(""); rows->valid(); rows->next()) {
      batch_.erase(Column::kProjections, std::string(rows->key()));
      if (batch_.mutations().size() < kRowsAtHand) continue;
      if (auto written = write(Durability::kBuffered); !written) return written;
    }
    return rows->status();
  }
  Status flush(Durability durability) {
    for (auto& [key, sums] : at_hand_) {
      batch_.add(Column::kProjections, key, encode_sums(sums));
      if (batch_.bytes() < kBatchBytes) continue;
      if (auto written = write(Durability::kBuffered); !written) return written;
    }
    at_hand_.clear();
    return write(durability);
  }

 private:
  Status write(Durability durability) {
    if (batch_.empty()) return {};
    const Status written = kv_.write(batch_, durability);
    batch_ = Batch{};
    return written;
  }

  Kv& kv_;
  Batch batch_;
  std::unordered_map<std::string, Sums> at_hand_;
};

}  // namespace

std::string encode_kept(const KeptRow& row) {
  std::string out(1, kKeptLayout);
  put_varint(out, static_cast<std::uint64_t>(row.born));
  out += row.deleted ? '\1' : '\0';
  put_varint(out, row.fields.size());
  for (const std::string& field : row.fields) put_string(out, field);
  return out;
}

Result<KeptRow> decode_kept(std::string_view bytes) {
  ByteReader reader(bytes);
  KeptRow row;
  if (reader.byte() != static_cast<std::uint8_t>(kKeptLayout)) reader.fail();
  row.born = static_cast<Seq>(reader.varint());
  const std::uint8_t deleted = reader.byte();
  if (deleted > 1) reader.fail();
  row.deleted = deleted == 1;
  const std::size_t count = reader.count();
  for (std::size_t i = 0; i < count; ++i) row.fields.emplace_back(reader.string());
  if (!reader.done()) return Error{Code::kStoreCorrupt, "a damaged row of a projection"};
  return row;
}

Status each_kept(const Kv& kv, const Snapshot& snapshot, const std::string& prefix,
                 const std::function<bool(const keys::KeptKey&, KeptRow)>& each) {
  auto rows = kv.iterate(Column::kProjections, &snapshot, keys::prefix_end(prefix));
  for (rows->seek(prefix); rows->valid(); rows->next()) {
    const auto key = keys::parse_kept(rows->key());
    auto row = decode_kept(rows->value());
    if (!key || !row) return Error{Code::kStoreCorrupt, "a damaged row of a projection"};
    if (!each(*key, std::move(*row))) break;
  }
  return rows->status();
}

Status recount(const Store& store, const Snapshot& snapshot, const Projections& projections,
               RecountSink& sink, const std::function<void()>& progress) {
  return Recount(store, snapshot, projections, sink, progress).run();
}

Result<bool> projections_stand(const Kv& kv, const Projections& projections,
                               const Snapshot* snapshot) {
  std::string note;
  const auto found = kv.get(Column::kMeta, keys::kProjections, note, snapshot);
  if (!found) return found.error();
  return *found && note == projections.fingerprint();
}

Result<ProjectionReport> adopt_projections(Store& store,
                                           std::shared_ptr<const Projections> projections,
                                           const RecountProgress& progress, bool anew) {
  ProjectionReport report;
  const auto stand = projections_stand(store.kv(), *projections);
  if (!stand) return stand.error();
  if (*stand && !anew) {
    store.set_projections(std::move(projections));
    return report;
  }
  report.made = true;
  Batch unknown;  // until they are right again they are not said to be
  unknown.erase(Column::kMeta, std::string(keys::kProjections));
  if (auto written = store.kv().write(unknown, Durability::kSynced); !written) {
    return written.error();
  }
  Maker maker(store.kv());
  Status done = maker.forget_all();
  if (done.ok()) done = maker.flush(Durability::kBuffered);
  const auto snapshot = store.kv().snapshot();
  const auto count = [&] {
    if (++report.records % kProgressEvery == 0 && progress) progress(report.records);
  };
  if (done.ok()) done = recount(store, *snapshot, *projections, maker, count);
  if (!done) return done.error();
  if (auto flushed = maker.flush(Durability::kBuffered); !flushed) return flushed.error();
  // Behind all that was counted, which the sync takes along: what is cut off before is made anew.
  Batch stands;
  stands.put(Column::kMeta, std::string(keys::kProjections), projections->fingerprint());
  if (auto written = store.kv().write(stands, Durability::kSynced); !written) {
    return written.error();
  }
  store.set_projections(std::move(projections));
  return report;
}

}  // namespace waystation

// What the disk and RocksDB make of the same writes, with nothing around them: the server's rates
// are to be read beside these, for the machines that benchmarks run on differ.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <random>

#include "storage/keys.h"
#include "storage/kv.h"
#include "tools/load/clock.h"
#include "tools/load/measured_server.h"
#include "tools/load/render.h"
#include "tools/load/workloads.h"

namespace waystation::load {
namespace {

// As counted in a server's store after "after the event", 200 devices.
constexpr std::size_t kRecordBytes = 1200;
constexpr std::size_t kConflictBytes = 40;
constexpr std::size_t kConflictsPerEdit = 2;
constexpr std::size_t kEditsPerChunk = 50;
constexpr std::size_t kChunkBytesPerEdit = 353;

constexpr std::size_t kRecords = 1000;
constexpr std::size_t kEdits = 50'000;
constexpr std::size_t kGroup = 2500;  // edits under one sync

constexpr std::size_t kLogRecordBytes = 150;
constexpr std::size_t kLogGroup = 512;
constexpr std::size_t kGroupSyncs = 1000;
constexpr std::size_t kSingleSyncs = 2000;

// The keys and values that the server would write for random edits of shared records.
class EditWriter {
 public:
  EditWriter(std::uint64_t seed, bool record_once)
      : random_(seed),
        record_once_(record_once),
        batch_seq_(kRecords, 0),
        stored_seq_(kRecords, 0),
        noise_(kNoiseBytes, '\0') {
    for (char& byte : noise_) byte = static_cast<char>('a' + random_() % 26);
  }

  void add(Batch& batch) {
    const std::size_t at = random_() % kRecords;
    const std::string id = record_id(at);
    const Seq seq = ++seq_;
    batch_seq_[at] = seq;
    if (!record_once_) add_record(batch, at);
    const Dot dot{random_(), static_cast<std::uint64_t>(seq)};
    for (std::size_t i = 0; i < kConflictsPerEdit; ++i) {
      batch.put(Column::kConflicts,
                keys::conflict(kScope, "note", id, fmt::format("f{}", i), dot, 0),
                value(kConflictBytes));
    }
    if (seq % static_cast<Seq>(kEditsPerChunk) == 0) {
      batch.put(Column::kDeviceLog, keys::log_chunk(dot.device, kEditsPerChunk),
                value(kEditsPerChunk * kChunkBytesPerEdit));
    }
  }

  // The records that were edited since the last batch, each once.
  void end_batch(Batch& batch) {
    if (!record_once_) return;
    for (std::size_t at = 0; at < kRecords; ++at) {
      if (batch_seq_[at] != stored_seq_[at]) add_record(batch, at);
    }
  }

 private:
  static constexpr std::size_t kNoiseBytes = 1U << 20U;

  static std::string record_id(std::size_t at) { return fmt::format("r{:07}", at); }

  void add_record(Batch& batch, std::size_t at) {
    const std::string id = record_id(at);
    batch.put(Column::kRecords, keys::record(kScope, "note", id), value(kRecordBytes));
    if (stored_seq_[at] != 0) {
      batch.erase_once(Column::kChanges, keys::change(kScope, stored_seq_[at]));
    }
    batch.put(Column::kChanges, keys::change(kScope, batch_seq_[at]),
              "note" + std::string(1, '\0') + id);
    stored_seq_[at] = batch_seq_[at];
  }

  std::string value(std::size_t size) {
    return noise_.substr(random_() % (kNoiseBytes - size), size);
  }

  std::mt19937_64 random_;
  bool record_once_;
  std::vector<Seq> batch_seq_;
  std::vector<Seq> stored_seq_;
  std::string noise_;  // values are cut from it: making them is not what is measured
  Seq seq_ = 0;
};

// record_once: as the server does it, which puts a record once a batch however often it was edited.
void rocks(const Settings& settings, const std::string& folder, bool record_once, Report& report) {
  const std::string workload =
      record_once ? "raw RocksDB, records once a batch" : "raw RocksDB, records at each edit";
  auto kv = open_rocks(folder, OpenMode::kReadWrite);
  if (!kv) throw std::runtime_error("RocksDB: " + kv.error().context);
  EditWriter writer(settings.seed, record_once);
  double seconds = 0;
  std::size_t mutations = 0;
  for (std::size_t done = 0; done < kEdits; done += kGroup) {
    Batch batch;
    for (std::size_t i = 0; i < kGroup; ++i) writer.add(batch);
    writer.end_batch(batch);
    mutations += batch.mutations().size();
    const TimePoint start = SteadyClock::now();
    const Status written = (*kv)->write(batch, Durability::kSynced);
    seconds += seconds_between(start, SteadyClock::now());
    if (!written) throw std::runtime_error("RocksDB: " + written.error().context);
  }
  report.add(workload, "edits/s, 2,500 a batch", static_cast<double>(kEdits) / seconds);
  report.add(workload, "puts and deletes/s", static_cast<double>(mutations) / seconds);
}

// Appends `bytes` and syncs, `times` times; the milliseconds of each.
std::vector<double> append_and_sync(const std::string& path, std::size_t bytes, std::size_t times) {
  const std::string data(bytes, 'x');
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  std::vector<double> spent;
  for (std::size_t i = 0; i < times; ++i) {
    const TimePoint start = SteadyClock::now();
    if (write(file, data.data(), bytes) != static_cast<ssize_t>(bytes) || fdatasync(file) != 0) {
      close(file);
      throw std::runtime_error("cannot write " + path);
    }
    spent.push_back(milliseconds_between(start, SteadyClock::now()));
  }
  close(file);
  return spent;
}

void disk(const std::string& folder, Report& report) {
  double seconds = 0;
  for (const double ms :
       append_and_sync(folder + "/log", kLogGroup * kLogRecordBytes, kGroupSyncs)) {
    seconds += ms / 1e3;
  }
  report.add("raw disk", "records/s, 512 × 150 B a fdatasync",
             static_cast<double>(kGroupSyncs * kLogGroup) / seconds);
  std::vector<double> single = append_and_sync(folder + "/log", kLogRecordBytes, kSingleSyncs);
  report.add("raw disk", "150 B and fdatasync, p50, ms", percentile(single, 0.5));
}

}  // namespace

void raw(const Settings& settings, Report& report) {
  const DataFolder folder(settings.folder);
  rocks(settings, folder.path() + "/each", false, report);
  rocks(settings, folder.path() + "/once", true, report);
  disk(folder.path(), report);
}

}  // namespace waystation::load

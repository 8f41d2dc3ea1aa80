// Holds the projections against a recount. What is kept is linear in what the records give, so that
// a sum of hashes over the rows must equal the same sum over the records: rows are compared by
// buckets of such sums, at constant memory, and only where a bucket differs one by one.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "storage/keys.h"
#include "storage/projections.h"
#include "storage/sums.h"

namespace waystation {
namespace {

constexpr std::size_t kBuckets = 4096;
// Of those that differ, so many are looked into: enough to see what is wrong.
constexpr std::size_t kBucketsLookedInto = 16;

std::size_t bucket_of_key(std::string_view key) { return hash_value(key) % kBuckets; }

// What one row, or a part of one, adds to its bucket.
std::uint64_t weight(const std::string& key, const Sums& sums) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (sums[i] == 0) continue;
    total += hash_value(fmt::format("{}#{}", key, i)) * static_cast<std::uint64_t>(sums[i]);
  }
  return total;
}
std::uint64_t weight(const std::string& key, const std::string& value) {
  return hash_value(fmt::format("{}={}", key, value));
}

class Buckets final : public RecountSink {
 public:
  Status sums(const std::string& key, const Sums& sums) override {
    sums_[bucket_of_key(key)] += weight(key, sums);
    return {};
  }
  Status row(const std::string& key, const std::string& value) override {
    sums_[bucket_of_key(key)] += weight(key, value);
    return {};
  }
  [[nodiscard]] std::set<std::size_t> other_than(const Buckets& other) const {
    std::set<std::size_t> differ;
    for (std::size_t i = 0; i < kBuckets && differ.size() < kBucketsLookedInto; ++i) {
      if (sums_[i] != other.sums_[i]) differ.insert(i);
    }
    return differ;
  }

 private:
  std::vector<std::uint64_t> sums_ = std::vector<std::uint64_t>(kBuckets);
};

// The rows of some buckets, whole.
class Rows final : public RecountSink {
 public:
  explicit Rows(const std::set<std::size_t>& buckets) : buckets_(buckets) {}

  Status sums(const std::string& key, const Sums& sums) override {
    if (buckets_.contains(bucket_of_key(key))) add_to(sums_[key], sums);
    return {};
  }
  Status row(const std::string& key, const std::string& value) override {
    if (buckets_.contains(bucket_of_key(key))) values_[key] = value;
    return {};
  }
  [[nodiscard]] std::set<std::string> keys() const {
    std::set<std::string> all;
    for (const auto& [key, ignored] : sums_) all.insert(key);
    for (const auto& [key, ignored] : values_) all.insert(key);
    return all;
  }
  // For people; without zeros at its end.
  [[nodiscard]] std::string told(const std::string& key) const {
    const auto sums = sums_.find(key);
    if (sums != sums_.end() && !all_zero(sums->second)) {
      return fmt::format("{}", fmt::join(sums->second, ", "));
    }
    const auto value = values_.find(key);
    return value == values_.end() ? "nothing" : fmt::format("\"{}\"", value->second);
  }

 private:
  const std::set<std::size_t>& buckets_;
  std::map<std::string, Sums> sums_;
  std::map<std::string, std::string> values_;
};

std::string readable(std::string key) {
  key.erase(0, 1);
  if (!key.empty() && key.back() == '\0') key.pop_back();
  std::replace(key.begin(), key.end(), '\0', '/');
  return key;
}

class Checker {
 public:
  Checker(const Store& store, const Snapshot& snapshot, const Projections& projections,
          const std::function<void(const std::string&)>& fault,
          const std::function<void()>& progress)
      : store_(store),
        snapshot_(snapshot),
        projections_(projections),
        fault_(fault),
        progress_(progress) {}

  Result<std::uint64_t> run() {
    Buckets kept;
    Buckets counted;
    std::uint64_t rows = 0;
    if (auto read = read_kept(kept, &rows); !read) return read.error();
    if (auto read = recount(store_, snapshot_, projections_, counted, progress_); !read) {
      return read.error();
    }
    const auto differ = kept.other_than(counted);
    if (differ.empty()) return rows;
    if (auto told = tell(differ); !told) return told.error();
    return rows;
  }

 private:
  // `rows`: also tells of those that cannot be read, once.
  Status read_kept(RecountSink& sink, std::uint64_t* rows) {
    auto at = store_.kv().iterate(Column::kProjections, &snapshot_);
    for (at->seek(""); at->valid(); at->next()) {
      progress_();
      if (rows != nullptr) ++*rows;
      const std::string key(at->key());
      Status taken;
      if (!key.starts_with(keys::kSumsPrefix)) {
        taken = sink.row(key, std::string(at->value()));
      } else if (const auto sums = decode_sums(at->value())) {
        taken = sink.sums(key, *sums);
      } else if (rows != nullptr) {
        fault_(fmt::format("projection row {} cannot be decoded", readable(key)));
      }
      if (!taken) return taken;
    }
    return at->status();
  }

  Status tell(const std::set<std::size_t>& differ) {
    Rows kept(differ);
    Rows counted(differ);
    if (auto read = read_kept(kept, nullptr); !read) return read;
    if (auto read = recount(store_, snapshot_, projections_, counted, progress_); !read) {
      return read;
    }
    std::set<std::string> keys = kept.keys();
    keys.merge(counted.keys());
    for (const std::string& key : keys) {
      const std::string says = kept.told(key);
      const std::string should = counted.told(key);
      if (says == should) continue;
      fault_(fmt::format("projection row {} says {}, its records say {}", readable(key), says,
                         should));
    }
    return {};
  }

  const Store& store_;
  const Snapshot& snapshot_;
  const Projections& projections_;
  const std::function<void(const std::string&)>& fault_;
  const std::function<void()>& progress_;
};

}  // namespace

Result<std::uint64_t> check_projections(const Store& store, const Snapshot& snapshot,
                                        const Projections& projections,
                                        const std::function<void(const std::string&)>& fault,
                                        const std::function<void()>& progress) {
  return Checker(store, snapshot, projections, fault, progress).run();
}

}  // namespace waystation

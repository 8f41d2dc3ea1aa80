// A Kv over another that counts what is read, column by column, and lets a test step in where a
// reader and the writer may cross. Counts are of one thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "storage/kv.h"

namespace waystation::testing {

class WatchedKv final : public Kv {
 public:
  // What is looked at through every WatchedKv that shares it.
  struct Watch {
    std::array<std::uint64_t, kColumns> reads{};  // a get, a seek and a next are a read each
    std::function<void()> before_snapshot;
    std::function<void()> after_write;  // of a write that succeeded

    std::uint64_t& of(Column column) { return reads.at(static_cast<std::size_t>(column)); }
    [[nodiscard]] std::uint64_t all() const {
      std::uint64_t sum = 0;
      for (const std::uint64_t count : reads) sum += count;
      return sum;
    }
  };

  // `below` outlives it.
  WatchedKv(Kv& below, std::shared_ptr<Watch> watch) : below_(below), watch_(std::move(watch)) {}

  Result<bool> get(Column column, std::string_view key, std::string& value,
                   const Snapshot* snapshot) const override {
    ++watch_->of(column);
    return below_.get(column, key, value, snapshot);
  }
  std::unique_ptr<KvIterator> iterate(Column column, const Snapshot* snapshot,
                                      std::string upper) const override {
    return std::make_unique<Iterator>(below_.iterate(column, snapshot, std::move(upper)),
                                      watch_->of(column));
  }
  std::unique_ptr<Snapshot> snapshot() const override {
    step_in(watch_->before_snapshot);
    return below_.snapshot();
  }
  Status write(const Batch& batch, Durability durability) override {
    const Status written = below_.write(batch, durability);
    if (written) step_in(watch_->after_write);
    return written;
  }
  Status checkpoint(const std::string& folder) override { return below_.checkpoint(folder); }
  std::uint64_t written() const override { return below_.written(); }
  Result<bool> purge(Purge what, std::uint64_t written) override {
    return below_.purge(what, written);
  }

 private:
  class Iterator final : public KvIterator {
   public:
    Iterator(std::unique_ptr<KvIterator> rows, std::uint64_t& reads)
        : rows_(std::move(rows)), reads_(reads) {}
    void seek(std::string_view key) override {
      ++reads_;
      rows_->seek(key);
    }
    void next() override {
      ++reads_;
      rows_->next();
    }
    [[nodiscard]] bool valid() const override { return rows_->valid(); }
    [[nodiscard]] std::string_view key() const override { return rows_->key(); }
    [[nodiscard]] std::string_view value() const override { return rows_->value(); }
    [[nodiscard]] Status status() const override { return rows_->status(); }

   private:
    std::unique_ptr<KvIterator> rows_;
    std::uint64_t& reads_;
  };

  // Once: what steps in may read and write itself.
  static void step_in(std::function<void()>& what) {
    if (what) std::exchange(what, nullptr)();
  }

  Kv& below_;
  std::shared_ptr<Watch> watch_;
};

}  // namespace waystation::testing

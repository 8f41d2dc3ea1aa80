#include "storage/memory_kv.h"

namespace waystation {
namespace {

class MemorySnapshot final : public Snapshot {
 public:
  explicit MemorySnapshot(std::shared_ptr<const MemoryKv::Tables> view) : tables(std::move(view)) {}
  const std::shared_ptr<const MemoryKv::Tables> tables;
};

class MemoryIterator final : public KvIterator {
 public:
  MemoryIterator(std::shared_ptr<const MemoryKv::Tables> tables, Column column, std::string upper)
      : tables_(std::move(tables)),
        table_(&(*tables_).at(static_cast<std::size_t>(column))),
        at_(table_->end()),
        upper_(std::move(upper)) {}

  void seek(std::string_view key) override { at_ = table_->lower_bound(key); }
  void next() override { ++at_; }
  [[nodiscard]] bool valid() const override {
    return at_ != table_->end() && (upper_.empty() || at_->first < upper_);
  }
  [[nodiscard]] std::string_view key() const override { return at_->first; }
  [[nodiscard]] std::string_view value() const override { return at_->second; }
  [[nodiscard]] Status status() const override { return {}; }

 private:
  std::shared_ptr<const MemoryKv::Tables> tables_;
  const MemoryKv::Table* table_;
  MemoryKv::Table::const_iterator at_;
  std::string upper_;
};

std::shared_ptr<const MemoryKv::Tables> tables_of(const Snapshot* snapshot) {
  return static_cast<const MemorySnapshot*>(snapshot)->tables;
}

}  // namespace

MemoryKv::MemoryKv() : tables_(std::make_shared<Tables>()), durable_(tables_) {}

std::shared_ptr<const MemoryKv::Tables> MemoryKv::current() const {
  const std::lock_guard lock(mutex_);
  return tables_;
}

Result<bool> MemoryKv::get(Column column, std::string_view key, std::string& value,
                           const Snapshot* snapshot) const {
  const auto tables = snapshot != nullptr ? tables_of(snapshot) : current();
  const Table& table = tables->at(static_cast<std::size_t>(column));
  const auto at = table.find(key);
  if (at == table.end()) return false;
  value = at->second;
  return true;
}

std::unique_ptr<KvIterator> MemoryKv::iterate(Column column, const Snapshot* snapshot,
                                              std::string upper) const {
  auto tables = snapshot != nullptr ? tables_of(snapshot) : current();
  return std::make_unique<MemoryIterator>(std::move(tables), column, std::move(upper));
}

std::unique_ptr<Snapshot> MemoryKv::snapshot() const {
  return std::make_unique<MemorySnapshot>(current());
}

void MemoryKv::apply(const Batch& batch) {
  // Copy on write: somebody (a snapshot, the durable state) may still look at the old tables.
  if (tables_.use_count() > 1) tables_ = std::make_shared<Tables>(*tables_);
  for (const Batch::Mutation& mutation : batch.mutations()) {
    Table& table = tables_->at(static_cast<std::size_t>(mutation.column));
    if (mutation.kind == Batch::Kind::kPut) {
      table.insert_or_assign(mutation.key, mutation.value);
    } else {
      table.erase(mutation.key);
    }
  }
}

Status MemoryKv::write(const Batch& batch, Durability durability) {
  const std::lock_guard lock(mutex_);
  if (countdown_set_ && countdown_-- == 0) failing_ = true;
  if (failing_) return Error{Code::kIo, "the disk failed (as told to)"};
  if (durability == Durability::kSynced) {
    durable_.reset();
    apply(batch);
    durable_ = tables_;
    ++synced_writes_;
  } else {
    apply(batch);
  }
  return {};
}

void MemoryKv::fail_after(std::size_t writes) {
  const std::lock_guard lock(mutex_);
  countdown_set_ = true;
  countdown_ = writes;
}

void MemoryKv::crash() {
  const std::lock_guard lock(mutex_);
  tables_ = durable_;
  failing_ = false;
  countdown_set_ = false;
}

std::size_t MemoryKv::bytes() const {
  const auto tables = current();
  std::size_t sum = 0;
  for (const Table& table : *tables) {
    for (const auto& [key, value] : table) sum += key.size() + value.size();
  }
  return sum;
}

}  // namespace waystation

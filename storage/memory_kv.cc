#include "storage/memory_kv.h"

#include <optional>

#include "storage/sums.h"

namespace waystation {
namespace {

const MemoryKv::Table& table_of(const MemoryKv::Tables& tables, Column column) {
  return tables.at(static_cast<std::size_t>(column));
}

class MemorySnapshot final : public Snapshot {
 public:
  explicit MemorySnapshot(MemoryKv::View looked_at) : view(std::move(looked_at)) {}
  const MemoryKv::View view;
};

const MemoryKv::Tables& tables_of(const Snapshot& snapshot) {
  return *static_cast<const MemorySnapshot&>(snapshot).view;
}

// Over a snapshot's tables, or with a view of its own.
class MemoryIterator final : public KvIterator {
 public:
  MemoryIterator(std::optional<MemoryKv::View> view, const Snapshot* snapshot, Column column,
                 std::string upper)
      : view_(std::move(view)),
        table_(&table_of(snapshot != nullptr ? tables_of(*snapshot) : **view_, column)),
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
  std::optional<MemoryKv::View> view_;
  const MemoryKv::Table* table_;
  MemoryKv::Table::const_iterator at_;
  std::string upper_;
};

}  // namespace

MemoryKv::View::View(const MemoryKv& kv, std::shared_ptr<const Tables> tables)
    : kv_(&kv), tables_(std::move(tables)) {}

MemoryKv::View::~View() {
  if (tables_ == nullptr) return;  // moved from
  const std::lock_guard lock(kv_->mutex_);
  tables_.reset();
}

MemoryKv::MemoryKv() : tables_(std::make_shared<Tables>()), durable_(tables_) {}

MemoryKv::View MemoryKv::current() const {
  const std::lock_guard lock(mutex_);
  return View(*this, tables_);
}

Result<bool> MemoryKv::get(Column column, std::string_view key, std::string& value,
                           const Snapshot* snapshot) const {
  const auto find = [&](const Tables& tables) {
    const Table& table = table_of(tables, column);
    const auto at = table.find(key);
    if (at == table.end()) return false;
    value = at->second;
    return true;
  };
  return snapshot != nullptr ? find(tables_of(*snapshot)) : find(*current());
}

std::unique_ptr<KvIterator> MemoryKv::iterate(Column column, const Snapshot* snapshot,
                                              std::string upper) const {
  std::optional<View> view;
  if (snapshot == nullptr) view.emplace(current());
  return std::make_unique<MemoryIterator>(std::move(view), snapshot, column, std::move(upper));
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
    } else if (mutation.kind == Batch::Kind::kAdd) {
      std::string& value = table[mutation.key];
      value = added(value, mutation.value);
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
  const View view = current();
  std::size_t sum = 0;
  for (const Table& table : *view) {
    for (const auto& [key, value] : table) sum += key.size() + value.size();
  }
  return sum;
}

}  // namespace waystation

#include "tools/simulate/disk.h"

#include <algorithm>
#include <utility>

#include "storage/sums.h"

namespace waystation::simulate {

// --- rows -------------------------------------------------------------------------------------

// A treap: a search tree by key that is a heap by priority. Priorities come from the keys, so the
// shape depends on what is there and not on how it came about, and is about balanced.
struct Rows::Node {
  std::shared_ptr<const Row> row;
  std::uint64_t priority = 0;
  std::shared_ptr<Node> left;
  std::shared_ptr<Node> right;
};

namespace {

using Node = Rows::Node;
using NodePtr = std::shared_ptr<Node>;

// FNV-1a, then mixed (the end of MurmurHash3), for FNV alone leaves the upper bits of keys that
// differ in their last character alike.
std::uint64_t priority_of(std::string_view key) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >> 33);
}

// Makes the node this version's own before it is changed. A copy shares the children, so their
// count rises and they are copied in turn when the way goes on through them.
void own(NodePtr& at) {
  if (at.use_count() > 1) at = std::make_shared<Node>(*at);
}

void rotate_right(NodePtr& at) {
  NodePtr up = std::move(at->left);
  at->left = std::move(up->right);
  up->right = std::move(at);
  at = std::move(up);
}

void rotate_left(NodePtr& at) {
  NodePtr up = std::move(at->right);
  at->right = std::move(up->left);
  up->left = std::move(at);
  at = std::move(up);
}

void put_below(NodePtr& at, std::shared_ptr<const Rows::Row> row) {
  if (at == nullptr) {
    const std::uint64_t priority = priority_of(row->key);
    at = std::make_shared<Node>(Node{std::move(row), priority, nullptr, nullptr});
    return;
  }
  own(at);
  const int order = row->key.compare(at->row->key);
  if (order == 0) {
    at->row = std::move(row);
  } else if (order < 0) {
    put_below(at->left, std::move(row));
    if (at->left->priority > at->priority) rotate_right(at);
  } else {
    put_below(at->right, std::move(row));
    if (at->right->priority > at->priority) rotate_left(at);
  }
}

// Precondition: all keys on the left are below all on the right.
NodePtr join(NodePtr left, NodePtr right) {
  if (left == nullptr) return right;
  if (right == nullptr) return left;
  if (left->priority >= right->priority) {
    own(left);
    left->right = join(std::move(left->right), std::move(right));
    return left;
  }
  own(right);
  right->left = join(std::move(left), std::move(right->left));
  return right;
}

// Precondition: the key is there.
void erase_below(NodePtr& at, std::string_view key) {
  own(at);
  const int order = key.compare(at->row->key);
  if (order == 0) {
    NodePtr rest = join(std::move(at->left), std::move(at->right));
    at = std::move(rest);
  } else {
    erase_below(order < 0 ? at->left : at->right, key);
  }
}

Rows& rows_of(Version& version, Column column) {
  return version.at(static_cast<std::size_t>(column));
}
const Rows& rows_of(const Version& version, Column column) {
  return version.at(static_cast<std::size_t>(column));
}

void apply(Version& version, const Batch& batch) {
  for (const Batch::Mutation& mutation : batch.mutations()) {
    Rows& rows = rows_of(version, mutation.column);
    if (mutation.kind == Batch::Kind::kPut) {
      rows.put(mutation.key, mutation.value);
    } else if (mutation.kind == Batch::Kind::kAdd) {
      const Rows::Row* before = rows.find(mutation.key);
      rows.put(mutation.key, added(before == nullptr ? "" : before->value, mutation.value));
    } else {
      rows.erase(mutation.key);
    }
  }
}

class SimSnapshot final : public Snapshot {
 public:
  explicit SimSnapshot(Version looked_at) : version(std::move(looked_at)) {}
  const Version version;
};

const Version& version_of(const Snapshot& snapshot) {
  return static_cast<const SimSnapshot&>(snapshot).version;
}

Error broken(const char* why) { return Error{Code::kIo, why}; }

}  // namespace

void Rows::put(std::string_view key, std::string_view value) {
  put_below(root_, std::make_shared<const Row>(Row{std::string(key), std::string(value)}));
}

void Rows::erase(std::string_view key) {
  // Looked for first, so that nothing is copied for a key that is not there.
  if (find(key) != nullptr) erase_below(root_, key);
}

const Rows::Row* Rows::find(std::string_view key) const {
  const Node* at = root_.get();
  while (at != nullptr) {
    const int order = key.compare(at->row->key);
    if (order == 0) return at->row.get();
    at = (order < 0 ? at->left : at->right).get();
  }
  return nullptr;
}

// Walks one version, which it keeps.
class RowCursor {
 public:
  explicit RowCursor(const Rows& rows) : root_(rows.root_) {}

  void seek(std::string_view key) {
    way_.clear();
    const Node* at = root_.get();
    while (at != nullptr) {
      const bool here_or_left = key.compare(at->row->key) <= 0;
      if (here_or_left) way_.push_back(at);
      at = (here_or_left ? at->left : at->right).get();
    }
  }
  void next() {
    const Node* at = way_.back()->right.get();
    way_.pop_back();
    for (; at != nullptr; at = at->left.get()) way_.push_back(at);
  }
  [[nodiscard]] bool valid() const { return !way_.empty(); }
  [[nodiscard]] const Rows::Row& row() const { return *way_.back()->row; }

 private:
  NodePtr root_;
  std::vector<const Node*> way_;  // the row it stands at, below it those that come later
};

class SimIterator final : public KvIterator {
 public:
  SimIterator(const SimDisk& disk, const Rows& rows, std::string upper)
      : disk_(disk), cursor_(rows), upper_(std::move(upper)) {}

  void seek(std::string_view key) override {
    status_ = disk_.read_once();
    if (status_.ok()) cursor_.seek(key);
  }
  void next() override {
    status_ = disk_.read_once();
    if (status_.ok()) cursor_.next();
  }
  [[nodiscard]] bool valid() const override {
    return status_.ok() && cursor_.valid() && (upper_.empty() || cursor_.row().key < upper_);
  }
  [[nodiscard]] std::string_view key() const override { return cursor_.row().key; }
  [[nodiscard]] std::string_view value() const override { return cursor_.row().value; }
  [[nodiscard]] Status status() const override { return status_; }

 private:
  const SimDisk& disk_;
  RowCursor cursor_;
  std::string upper_;
  Status status_;
};

// --- the disk ---------------------------------------------------------------------------------

Status SimDisk::read_once() const {
  if (power_ == Power::kOff) return broken("the power is off");
  if (!reads_left_) return {};
  if ((*reads_left_)-- > 0) return {};
  reads_left_.reset();
  return broken("a read failed (as told to)");
}

Result<bool> SimDisk::get(Column column, std::string_view key, std::string& value,
                          const Snapshot* snapshot) const {
  if (const Status read = read_once(); !read.ok()) return read.error();
  const Version& version = snapshot != nullptr ? version_of(*snapshot) : current_;
  const Rows::Row* row = rows_of(version, column).find(key);
  if (row == nullptr) return false;
  value = row->value;
  return true;
}

std::unique_ptr<KvIterator> SimDisk::iterate(Column column, const Snapshot* snapshot,
                                             std::string upper) const {
  const Version& version = snapshot != nullptr ? version_of(*snapshot) : current_;
  return std::make_unique<SimIterator>(*this, rows_of(version, column), std::move(upper));
}

std::unique_ptr<Snapshot> SimDisk::snapshot() const {
  return std::make_unique<SimSnapshot>(current_);
}

Status SimDisk::refuse(const char* why) {
  ++failed_writes_;
  return broken(why);
}

Status SimDisk::write(const Batch& batch, Durability durability) {
  if (power_ == Power::kOff) return refuse("the power is off");
  if (power_ == Power::kReadOnly) return refuse("a sync failed before");
  if (room_ && batch.bytes() > *room_) return refuse("the disk is full (as told to)");

  const bool synced = durability == Durability::kSynced;
  if (fault_ == WriteFault::kTorn || (fault_ == WriteFault::kSyncFails && synced)) {
    // Nobody knows whether it is there: reads do not see it, a crash may keep it.
    Version unanswered = current_;
    apply(unanswered, batch);
    unsynced_.push_back(std::move(unanswered));
    power_ = fault_ == WriteFault::kTorn ? Power::kOff : Power::kReadOnly;
    fault_ = WriteFault::kNone;
    return refuse(power_ == Power::kOff ? "the power went (as told to)"
                                        : "a sync failed (as told to)");
  }

  if (room_) *room_ -= batch.bytes();
  bytes_written_ += batch.bytes();
  if (synced) {
    // Let go first, so that the nodes are this version's own and are changed in place.
    unsynced_.clear();
    durable_ = Version{};
    apply(current_, batch);
    durable_ = current_;
    ++synced_writes_;
  } else {
    apply(current_, batch);
    unsynced_.push_back(current_);
    ++buffered_writes_;
  }
  return {};
}

void SimDisk::crash(std::size_t keep) {
  keep = std::min(keep, unsynced_.size());
  current_ = keep == 0 ? durable_ : unsynced_[keep - 1];
  durable_ = current_;
  unsynced_.clear();
  fault_ = WriteFault::kNone;
  power_ = Power::kOn;
  reads_left_.reset();
  ++crashes_;
}

std::shared_ptr<SimDisk> SimDisk::copy() const {
  auto other = std::make_shared<SimDisk>();
  other->current_ = durable_;
  other->durable_ = durable_;
  return other;
}

namespace {

class Handle final : public Kv {
 public:
  explicit Handle(std::shared_ptr<SimDisk> disk)
      : disk_(std::move(disk)), crashes_(disk_->crashes()) {}

  Result<bool> get(Column column, std::string_view key, std::string& value,
                   const Snapshot* snapshot) const override {
    return disk_->get(column, key, value, snapshot);
  }
  std::unique_ptr<KvIterator> iterate(Column column, const Snapshot* snapshot,
                                      std::string upper) const override {
    return disk_->iterate(column, snapshot, std::move(upper));
  }
  std::unique_ptr<Snapshot> snapshot() const override { return disk_->snapshot(); }
  Status write(const Batch& batch, Durability durability) override {
    if (disk_->crashes() != crashes_) return broken("the machine went down since");
    return disk_->write(batch, durability);
  }

 private:
  std::shared_ptr<SimDisk> disk_;
  std::size_t crashes_;
};

}  // namespace

std::unique_ptr<Kv> share(std::shared_ptr<SimDisk> disk) {
  return std::make_unique<Handle>(std::move(disk));
}

}  // namespace waystation::simulate

// The in-memory twin of the RocksDB store: it fails the Nth write on demand, and forgets what was
// not synced when it "crashes". One thread writes; readers see a consistent snapshot each.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>

#include "storage/kv.h"

namespace waystation {

class MemoryKv final : public Kv {
 public:
  using Table = std::map<std::string, std::string, std::less<>>;
  using Tables = std::array<Table, kColumns>;

  MemoryKv();

  // A state that somebody looks at. Looking ends under the store's lock, so that the writer knows
  // when it may change a state in place.
  class View {
   public:
    View(const MemoryKv& kv, std::shared_ptr<const Tables> tables);
    View(View&& other) noexcept = default;
    View& operator=(View&& other) = delete;
    ~View();
    const Tables& operator*() const { return *tables_; }
    const Tables* operator->() const { return tables_.get(); }

   private:
    const MemoryKv* kv_;
    std::shared_ptr<const Tables> tables_;
  };

  Result<bool> get(Column column, std::string_view key, std::string& value,
                   const Snapshot* snapshot) const override;
  std::unique_ptr<KvIterator> iterate(Column column, const Snapshot* snapshot,
                                      std::string upper) const override;
  std::unique_ptr<Snapshot> snapshot() const override;
  Status write(const Batch& batch, Durability durability) override;

  // The write after `writes` more ones fails, and all that follow; nothing of it is applied.
  void fail_after(std::size_t writes);
  // Power loss: what was not synced is gone; writes work again.
  void crash();
  [[nodiscard]] std::size_t synced_writes() const { return synced_writes_; }
  [[nodiscard]] std::size_t bytes() const;

 private:
  [[nodiscard]] View current() const;
  void apply(const Batch& batch);

  mutable std::mutex mutex_;
  std::shared_ptr<Tables> tables_;
  std::shared_ptr<Tables> durable_;
  bool failing_ = false;
  bool countdown_set_ = false;
  std::size_t countdown_ = 0;
  std::size_t synced_writes_ = 0;
};

}  // namespace waystation

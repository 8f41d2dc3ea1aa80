// An open store: the key-value store with its format checked, its life's id, and the tables that
// are kept in memory. Readers use it from any thread; one Applier writes to it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/directory.h"
#include "storage/keyring.h"
#include "storage/kv.h"
#include "storage/office.h"
#include "sync/digest.h"
#include "sync/policy.h"
#include "sync/result.h"

namespace waystation {

class Projections;

// The layout of keys and values as a whole. A store with a higher number is refused.
inline constexpr std::uint64_t kStoreFormat = 7;

class Store {
 public:
  // `new_incarnation` (32 hex digits) names the life of a store that is empty so far; with an empty
  // one an empty store is refused (read-only tools). With Life::kNew a filled store begins a new
  // life too: something of the old one may be missing, and devices hand in again what they still
  // hold. Errors: kStoreFormat, kStoreCorrupt, kIo.
  enum class Life : std::uint8_t { kGoesOn, kNew };
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(std::unique_ptr<Kv> kv,
                                                           const std::string& new_incarnation,
                                                           Life life = Life::kGoesOn);

  [[nodiscard]] Kv& kv() { return *kv_; }
  [[nodiscard]] const Kv& kv() const { return *kv_; }
  [[nodiscard]] const std::string& incarnation() const { return incarnation_; }
  [[nodiscard]] std::uint64_t incarnation_number() const;  // its first 64 bits

  [[nodiscard]] Accounts& accounts() { return accounts_; }
  [[nodiscard]] const Accounts& accounts() const { return accounts_; }
  [[nodiscard]] ScopeTable& scopes() { return scopes_; }
  [[nodiscard]] const ScopeTable& scopes() const { return scopes_; }
  [[nodiscard]] OfficeDirectory& office() { return office_; }
  [[nodiscard]] const OfficeDirectory& office() const { return office_; }

  // From then on personal values are sealed before they are stored. Before anything else is done.
  void use(const MasterKey& master);
  [[nodiscard]] const Keyring* keyring() const { return keyring_ ? &*keyring_ : nullptr; }
  // What lists seal the place under that they go on from (storage/page_token.h). A server that is
  // started anew has the same.
  [[nodiscard]] const PersonKey& page_key() const { return page_key_; }
  // JSON text of the store as those may read it who may see all of it: with what is sealed opened.
  // Gives `json` itself where nothing is, else a view of `room`. Errors: as Keyring::open.
  [[nodiscard]] Result<std::string_view> plain(std::string_view json, std::string& room,
                                               Gone gone = Gone::kNull,
                                               bool* met_erased = nullptr) const;
  // The same in place.
  [[nodiscard]] Status make_plain(std::string& json, Gone gone = Gone::kNull,
                                  bool* met_erased = nullptr) const;

  // The last seq given, as of a snapshot.
  [[nodiscard]] Result<Seq> position(const Snapshot* snapshot = nullptr) const;

  // The latest tombstone that is buried: a cursor below it starts from nothing.
  [[nodiscard]] Seq horizon() const { return horizon_.load(std::memory_order_acquire); }
  // Known to readers before it is committed, which costs a device at most a needless fresh start.
  void set_horizon(Seq horizon) { horizon_.store(horizon, std::memory_order_release); }

  // Who sees and writes what (storage/views.h). Until it is adopted all may do everything.
  [[nodiscard]] const Policy& policy() const { return *policy_; }
  [[nodiscard]] const View& view_of(const Account& account) const {
    return policy_->view_of(account.role());
  }
  // Whether the device is in the scope, and its role may be.
  [[nodiscard]] bool sees(const Account& account, std::string_view scope) const {
    return account.holds(scope) && policy_->enters(account.role(), scope);
  }
  // The scopes that it holds and its role enters: what a device is told of.
  [[nodiscard]] std::vector<std::string> entered_by(const Account& account) const;
  // Before threads use the store.
  void set_policy(std::shared_ptr<const Policy> policy) { policy_ = std::move(policy); }

  // What is counted (storage/projections.h); null: nothing, until they are adopted.
  [[nodiscard]] const Projections* projections() const { return projections_.get(); }
  // Before threads use the store.
  void set_projections(std::shared_ptr<const Projections> projections) {
    projections_ = std::move(projections);
  }

  // After a failed write the store takes nothing more until it is opened again.
  void go_read_only(std::string reason);
  [[nodiscard]] bool read_only() const { return read_only_.load(std::memory_order_acquire); }
  [[nodiscard]] std::string read_only_reason() const;

 private:
  explicit Store(std::unique_ptr<Kv> kv) : kv_(std::move(kv)) {}
  [[nodiscard]] Status check_format(const std::string& new_incarnation);
  [[nodiscard]] Status begin_new_life(const std::string& new_incarnation);
  [[nodiscard]] Status load_tables();
  // Format 2 has an index that format 1 had not, formats 3 and 4 columns that were not there.
  [[nodiscard]] Status bring_up_to_date(std::uint64_t format);
  [[nodiscard]] Status list_history();

  std::unique_ptr<Kv> kv_;
  std::optional<Keyring> keyring_;
  PersonKey page_key_{};  // without a master key no secret: who reads the files sees all
  std::string incarnation_;
  Accounts accounts_;
  ScopeTable scopes_;
  OfficeDirectory office_;
  std::shared_ptr<const Policy> policy_ = Policy::open_to_all();
  std::shared_ptr<const Projections> projections_;
  std::atomic<Seq> horizon_ = 0;
  std::atomic<bool> read_only_ = false;
  mutable std::mutex reason_mutex_;
  std::string reason_;
};

// What a record adds to the digest of its scope, by what is stored of it: devices count what they
// are sent, so what is sealed is opened. Nothing for one that is not shown.
[[nodiscard]] Result<Digest> digest_part(const Store& store, std::string_view scope,
                                         std::string_view coll, std::string_view id,
                                         std::string_view visible);

}  // namespace waystation

// What every thread must look up at once, kept in memory: the accounts of devices and the newest
// seq of each scope. The writer changes it, anybody reads it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/codec.h"
#include "sync/stamp.h"

namespace waystation {

using AccountPtr = std::shared_ptr<const Account>;

class Accounts {
 public:
  [[nodiscard]] AccountPtr find(std::uint64_t device) const;  // null: not enrolled
  [[nodiscard]] std::vector<AccountPtr> all() const;          // by device id
  void put(AccountPtr account);

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::uint64_t, AccountPtr> accounts_;
};

// The newest seq of every scope, so that a pull over thousands of scopes looks only into those that
// changed. A seq is published here before it is committed: a reader may find nothing under it yet,
// but never misses what its snapshot holds.
class ScopeTable {
 public:
  [[nodiscard]] bool exists(std::string_view scope) const;
  [[nodiscard]] Seq newest(std::string_view scope) const;  // 0: no such scope
  // Scopes with a seq above `base`, by id.
  [[nodiscard]] std::vector<std::string> newer_than(Seq base) const;
  [[nodiscard]] std::size_t size() const;
  void publish(const std::vector<std::pair<std::string, Seq>>& newest);

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, Seq, std::less<>> newest_;
};

}  // namespace waystation

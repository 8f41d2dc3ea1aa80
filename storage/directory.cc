#include "storage/directory.h"

#include <mutex>

namespace waystation {

AccountPtr Accounts::find(std::uint64_t device) const {
  const std::shared_lock lock(mutex_);
  const auto at = accounts_.find(device);
  return at == accounts_.end() ? nullptr : at->second;
}

std::vector<AccountPtr> Accounts::all() const {
  const std::shared_lock lock(mutex_);
  std::vector<AccountPtr> list;
  list.reserve(accounts_.size());
  for (const auto& [device, account] : accounts_) list.push_back(account);
  return list;
}

void Accounts::put(AccountPtr account) {
  const std::unique_lock lock(mutex_);
  const std::uint64_t device = account->device;
  accounts_.insert_or_assign(device, std::move(account));
}

bool ScopeTable::exists(std::string_view scope) const { return newest(scope) != 0; }

Seq ScopeTable::newest(std::string_view scope) const {
  const std::shared_lock lock(mutex_);
  const auto at = newest_.find(scope);
  return at == newest_.end() ? 0 : at->second;
}

std::vector<std::string> ScopeTable::newer_than(Seq base) const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> scopes;
  for (const auto& [scope, newest] : newest_) {
    if (newest > base) scopes.push_back(scope);
  }
  return scopes;
}

std::size_t ScopeTable::size() const {
  const std::shared_lock lock(mutex_);
  return newest_.size();
}

void ScopeTable::publish(const std::vector<std::pair<std::string, Seq>>& newest) {
  const std::unique_lock lock(mutex_);
  for (const auto& [scope, seq] : newest) newest_[scope] = seq;
}

}  // namespace waystation

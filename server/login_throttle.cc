#include "server/login_throttle.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace waystation {
namespace {

constexpr std::int64_t kFirstWaitMs = 1000;
// Failures are forgotten when nothing has been tried for so long after the wait was over.
constexpr std::int64_t kForgetMs = 3'600'000;

std::int64_t wait_after(std::uint32_t failures, const LoginThrottle::Rule& rule) {
  if (failures < rule.free) return 0;
  const std::uint32_t doublings = std::min<std::uint32_t>(failures - rule.free, 20);
  return std::min(rule.longest_ms, kFirstWaitMs << doublings);
}

// The first `network_bytes` of an IPv6 address; an IPv4 address as it is.
std::string network_of(std::string_view peer, std::size_t network_bytes) {
  in6_addr address{};
  const std::string text(peer);
  if (inet_pton(AF_INET6, text.c_str(), &address) != 1) return text;
  const std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  const auto* const bytes = &address.s6_addr[0];
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (std::memcmp(bytes, mapped.data(), mapped.size()) == 0) {  // IPv4 behind an IPv6 socket
    inet_ntop(AF_INET, bytes + mapped.size(), out.data(), out.size());
    return out.data();
  }
  std::fill(&address.s6_addr[0] + network_bytes, &address.s6_addr[0] + 16, std::uint8_t{0});
  inet_ntop(AF_INET6, &address, out.data(), out.size());
  return std::string(out.data()) + "/" + std::to_string(8 * network_bytes);
}

}  // namespace

std::string throttle_address(std::string_view peer) { return network_of(peer, 8); }

std::string throttle_network(std::string_view peer) { return network_of(peer, 6); }

std::int64_t LoginThrottle::admit(const std::vector<Key>& keys, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  std::int64_t wait_ms = 0;
  for (const Key& key : keys) {
    const auto at = entries_.find(key.name);
    if (at == entries_.end()) continue;
    if (at->second.open_ms + kForgetMs <= now_ms) {
      entries_.erase(at);
      continue;
    }
    wait_ms = std::max(wait_ms, at->second.open_ms - now_ms);
  }
  if (wait_ms > 0) return wait_ms;
  for (const Key& key : keys) {
    if (entries_.size() >= most_ && entries_.find(key.name) == entries_.end()) make_room(now_ms);
    Entry& entry = entries_[key.name];
    ++entry.failures;
    entry.last_ms = now_ms;
    entry.open_ms = now_ms + wait_after(entry.failures, key.rule);
  }
  return 0;
}

void LoginThrottle::succeeded(const std::vector<Key>& keys) {
  take_back(keys);
  const std::lock_guard lock(mutex_);
  if (!keys.empty()) entries_.erase(keys.front().name);
}

void LoginThrottle::take_back(const std::vector<Key>& keys) {
  const std::lock_guard lock(mutex_);
  for (const Key& key : keys) {
    const auto at = entries_.find(key.name);
    if (at == entries_.end()) continue;
    if (at->second.failures > 0) --at->second.failures;
    at->second.open_ms = at->second.last_ms + wait_after(at->second.failures, key.rule);
    if (at->second.failures == 0) entries_.erase(at);
  }
}

// Throws out what would be forgotten anyway, else the half that was tried the longest ago: who
// fills the table from many addresses gains a few free attempts, and no memory.
void LoginThrottle::make_room(std::int64_t now_ms) {
  std::erase_if(entries_,
                [&](const auto& named) { return named.second.open_ms + kForgetMs <= now_ms; });
  if (entries_.size() < most_) return;
  std::vector<std::int64_t> times;
  times.reserve(entries_.size());
  for (const auto& [name, entry] : entries_) times.push_back(entry.last_ms);
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  const std::int64_t oldest_kept = *middle;
  std::size_t to_go = entries_.size() / 2 + 1;
  std::erase_if(entries_, [&](const auto& named) {
    if (to_go == 0 || named.second.last_ms > oldest_kept) return false;
    --to_go;
    return true;
  });
}

std::size_t LoginThrottle::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace waystation

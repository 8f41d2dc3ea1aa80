#include "server/guess_limit.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace waystation {

std::string guess_source(std::string_view address) {
  constexpr std::size_t kNetworkBytes = 8;
  constexpr std::array<unsigned char, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  const std::string text(address.substr(0, address.find('%')));
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return std::string(address);
  if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) return text;
  return {reinterpret_cast<const char*>(bytes.data()), kNetworkBytes};
}

std::int64_t GuessLimit::wait_ms(std::string_view address, std::int64_t now_ms) const {
  const std::string source = guess_source(address);
  const std::lock_guard lock(mutex_);
  const auto at = by_address_.find(source);
  if (at == by_address_.end()) return 0;
  // A clock that was set back locks nobody out for longer.
  const std::int64_t owed = std::clamp<std::int64_t>(at->second - now_ms, 0, kLongestMs);
  const std::int64_t together = std::clamp<std::int64_t>(together_ms_ - now_ms, 0, kLongestMs);
  const std::int64_t over = owed - (kPerAddress - 1) * kAddressForgivesMs;
  if (over > 0) return over;
  return together >= kTogether * kTogetherForgivesMs ? owed : 0;
}

std::int64_t GuessLimit::admit(std::string_view address, std::int64_t now_ms) {
  if (const std::int64_t wait = wait_ms(address, now_ms); wait > 0) return wait;
  const std::lock_guard lock(mutex_);
  std::uint32_t& undecided = undecided_[guess_source(address)];
  if (undecided >= kUndecided) return kUndecidedMs;
  ++undecided;
  return 0;
}

void GuessLimit::decided(std::string_view address) {
  const std::lock_guard lock(mutex_);
  const auto at = undecided_.find(guess_source(address));
  if (at != undecided_.end() && --at->second == 0) undecided_.erase(at);
}

void GuessLimit::wrong(std::string_view address, std::int64_t now_ms) {
  const auto owe = [now_ms](std::int64_t& forgiven_ms, std::int64_t one_ms) {
    forgiven_ms = std::min(std::clamp(forgiven_ms, now_ms, now_ms + kLongestMs) + one_ms,
                           now_ms + kLongestMs);
  };
  std::string source = guess_source(address);
  const std::lock_guard lock(mutex_);
  make_room(now_ms);
  owe(by_address_[std::move(source)], kAddressForgivesMs);
  owe(together_ms_, kTogetherForgivesMs);
}

void GuessLimit::make_room(std::int64_t now_ms) {
  if (by_address_.size() < kAddresses) return;
  std::erase_if(by_address_, [now_ms](const auto& row) { return row.second <= now_ms; });
  while (by_address_.size() >= kAddresses) {
    by_address_.erase(
        std::min_element(by_address_.begin(), by_address_.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; }));
  }
}

std::size_t GuessLimit::addresses() const {
  const std::lock_guard lock(mutex_);
  return by_address_.size();
}

}  // namespace waystation

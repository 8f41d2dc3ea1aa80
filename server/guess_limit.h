// A budget of wrong enrolment codes, so that nobody finds one by trying. By address: a few at once,
// and then one each time that some have been forgiven. For all addresses together: when that is
// spent, an address that has not guessed wrong lately still has one try, so that an honest person
// with a right code gets in while others guess. Of one address kUndecided are looked at at one
// time, so that a thousand at once are not all let in before the first is found to be wrong.
//
// A code has 50 random bits. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace waystation {

class GuessLimit {
 public:
  // An office in which people mistype has one address, and so may have a hall of volunteers.
  static constexpr std::int64_t kPerAddress = 20;
  static constexpr std::uint32_t kUndecided = 32;
  static constexpr std::int64_t kUndecidedMs = 1000;
  static constexpr std::int64_t kAddressForgivesMs = 30'000;
  static constexpr std::int64_t kTogether = 200;
  static constexpr std::int64_t kTogetherForgivesMs = 1000;
  // However much was guessed wrong, from so long ago on it is forgiven.
  static constexpr std::int64_t kLongestMs = 900'000;
  // Addresses that are remembered. Beyond it the one that would be forgiven first is forgotten.
  static constexpr std::size_t kAddresses = 10'000;

  // Before the code is looked at: 0, or after how many ms to come back. After a 0, decided()
  // follows.
  [[nodiscard]] std::int64_t admit(std::string_view address, std::int64_t now_ms);
  void decided(std::string_view address);
  // What admit() would say, but for those that are being looked at.
  [[nodiscard]] std::int64_t wait_ms(std::string_view address, std::int64_t now_ms) const;
  // There was no such code.
  void wrong(std::string_view address, std::int64_t now_ms);

  [[nodiscard]] std::size_t addresses() const;

 private:
  void make_room(std::int64_t now_ms);

  mutable std::mutex mutex_;
  // When all that was guessed wrong will be forgiven.
  std::int64_t together_ms_ = 0;
  std::unordered_map<std::string, std::int64_t> by_address_;
  std::unordered_map<std::string, std::uint32_t> undecided_;  // none: 0. Each is a request at hand
};

// What is counted as one address: an IPv4 address, or the network of an IPv6 address (the first 64
// bits, for a host has all of the rest).
[[nodiscard]] std::string guess_source(std::string_view address);

}  // namespace waystation

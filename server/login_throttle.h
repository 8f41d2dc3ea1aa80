// How often somebody may be wrong: failed attempts make the next one wait, longer each time, and
// are counted for each account and address together, for each address, and for each browser that
// has signed in before. So a stranger slows down himself and never the owner of the account.
// docs/office-access.md. Memory is bounded. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sync/limits.h"

namespace waystation {

// The address as failures are counted: an IPv6 host can choose among all addresses of its /64.
[[nodiscard]] std::string throttle_address(std::string_view peer);
// What one household or company may have of its provider as a whole: the /48 of an IPv6 address. An
// IPv4 address by itself.
[[nodiscard]] std::string throttle_network(std::string_view peer);

struct ThrottleRule {
  std::uint32_t free = 0;  // the failure with this number is the first that makes wait
  std::int64_t longest_ms = std::int64_t{15} * 60'000;
};

class LoginThrottle {
 public:
  using Rule = ThrottleRule;
  static constexpr Rule kAccountAtAddress{5};
  static constexpr Rule kAddress{30};
  static constexpr Rule kBrowser{10};
  // Wrong codes behind the right password, by whoever: only who knows the password gets here.
  static constexpr Rule kSecondFactor{10};

  struct Key {
    std::string name;
    Rule rule;
  };

  explicit LoginThrottle(std::size_t most = limits::kThrottleEntries) : most_(most) {}

  // The milliseconds that an attempt under these keys must wait; 0: it may be made, and counts as
  // failed until something better is said of it.
  [[nodiscard]] std::int64_t admit(const std::vector<Key>& keys, std::int64_t now_ms);
  // It went well: the first key is forgotten, the others forget this attempt.
  void succeeded(const std::vector<Key>& keys);
  // It says nothing either way.
  void take_back(const std::vector<Key>& keys);

  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    std::uint32_t failures = 0;
    std::int64_t last_ms = 0;
    std::int64_t open_ms = 0;  // no attempt before
  };
  void make_room(std::int64_t now_ms);

  std::size_t most_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace waystation

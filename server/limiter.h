// Token buckets by key, for rates by address and by device. A bucket may go into debt: whoever has
// anything left may take what is asked, however much, and waits the longer afterwards. So what is
// allowed at all always passes at some time, and there is no size that can never be had.
//
// Time comes from outside, in ms; it may jump, also backwards. Memory is bounded: when there is no
// room for a new key, the one unseen for longest is forgotten. Not thread-safe.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace waystation {

struct Rate {
  double per_second = 0;
  double burst = 0;  // what a key has at first, and gathers at most
};

// The arithmetic of one bucket.
class TokenBucket {
 public:
  TokenBucket(const Rate& rate, std::int64_t now_ms) : tokens_(rate.burst), at_ms_(now_ms) {}
  // 0: taken. Otherwise nothing was taken, and in that many ms there is something again.
  std::int64_t take(const Rate& rate, double amount, std::int64_t now_ms);
  // Takes in any case. The debt is bounded by the burst and `amount`.
  void spend(const Rate& rate, double amount, std::int64_t now_ms);
  // As take() of nothing.
  std::int64_t wait_ms(const Rate& rate, std::int64_t now_ms) { return take(rate, 0, now_ms); }

 private:
  void refill(const Rate& rate, std::int64_t now_ms);

  double tokens_;
  std::int64_t at_ms_;
};

class Limiter {
 public:
  Limiter(Rate rate, std::size_t most_keys) : rate_(rate), most_keys_(most_keys) {}

  // As the functions of TokenBucket.
  std::int64_t take(std::string_view key, double amount, std::int64_t now_ms);
  void spend(std::string_view key, double amount, std::int64_t now_ms);
  std::int64_t wait_ms(std::string_view key, std::int64_t now_ms);

  // Spends one; when that uses up what the key has, `penalty_s` seconds' worth more.
  // True: it is used up.
  bool strike(std::string_view key, double penalty_s, std::int64_t now_ms);

  [[nodiscard]] std::size_t keys() const { return buckets_.size(); }

 private:
  struct Entry {
    std::string key;
    TokenBucket bucket;
  };
  TokenBucket& bucket_of(std::string_view key, std::int64_t now_ms);
  TokenBucket* find(std::string_view key);

  Rate rate_;
  std::size_t most_keys_;
  std::list<Entry> recent_;  // the one seen last in front
  std::unordered_map<std::string_view, std::list<Entry>::iterator> buckets_;  // views of recent_
};

}  // namespace waystation

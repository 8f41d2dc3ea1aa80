#include "server/limiter.h"

#include <algorithm>
#include <cmath>

namespace waystation {

void TokenBucket::refill(const Rate& rate, std::int64_t now_ms) {
  // A clock that was set back gives nothing and takes nothing.
  const double seconds = static_cast<double>(std::max<std::int64_t>(0, now_ms - at_ms_)) / 1000;
  tokens_ = std::min(rate.burst, tokens_ + seconds * rate.per_second);
  at_ms_ = now_ms;
}

std::int64_t TokenBucket::take(const Rate& rate, double amount, std::int64_t now_ms) {
  refill(rate, now_ms);
  if (tokens_ <= 0) {
    return 1 + static_cast<std::int64_t>(std::ceil(-tokens_ / rate.per_second * 1000));
  }
  tokens_ -= amount;
  return 0;
}

void TokenBucket::spend(const Rate& rate, double amount, std::int64_t now_ms) {
  refill(rate, now_ms);
  tokens_ = std::max(tokens_, -rate.burst) - amount;
}

TokenBucket* Limiter::find(std::string_view key) {
  const auto found = buckets_.find(key);
  if (found == buckets_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return &found->second->bucket;
}

TokenBucket& Limiter::bucket_of(std::string_view key, std::int64_t now_ms) {
  if (TokenBucket* known = find(key)) return *known;
  if (buckets_.size() >= most_keys_) {
    buckets_.erase(recent_.back().key);
    recent_.pop_back();
  }
  recent_.push_front(Entry{std::string(key), TokenBucket(rate_, now_ms)});
  buckets_.emplace(recent_.front().key, recent_.begin());
  return recent_.front().bucket;
}

std::int64_t Limiter::take(std::string_view key, double amount, std::int64_t now_ms) {
  return bucket_of(key, now_ms).take(rate_, amount, now_ms);
}

void Limiter::spend(std::string_view key, double amount, std::int64_t now_ms) {
  bucket_of(key, now_ms).spend(rate_, amount, now_ms);
}

std::int64_t Limiter::wait_ms(std::string_view key, std::int64_t now_ms) {
  TokenBucket* known = find(key);
  return known == nullptr ? 0 : known->wait_ms(rate_, now_ms);
}

bool Limiter::strike(std::string_view key, double penalty_s, std::int64_t now_ms) {
  TokenBucket& bucket = bucket_of(key, now_ms);
  if (bucket.wait_ms(rate_, now_ms) > 0) return true;
  bucket.spend(rate_, 1, now_ms);
  if (bucket.wait_ms(rate_, now_ms) == 0) return false;
  bucket.spend(rate_, penalty_s * rate_.per_second, now_ms);
  return true;
}

}  // namespace waystation

// Clients that no honest device is: each attack runs in a thread of its own, comes from
// 127.0.0.66, and goes on until it is told to stop. They share the machine with the server, so what
// honest devices lose to them is in part the processors' time that the attackers themselves use.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace waystation::load {

struct Target {
  std::uint16_t port = 0;
  // A device in the attackers' hands.
  std::string hello;  // {"hello":…}
};

struct Attack {
  std::string name;
  std::size_t threads = 1;
  // Until `stop`.
  std::function<void(const Target& target, const std::atomic<bool>& stop)> run;
};

[[nodiscard]] const std::vector<Attack>& attacks();

// Under way as long as this object lasts.
class UnderAttack {
 public:
  UnderAttack(const Attack& attack, const Target& target);
  ~UnderAttack();
  UnderAttack(const UnderAttack&) = delete;
  UnderAttack& operator=(const UnderAttack&) = delete;

 private:
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace waystation::load

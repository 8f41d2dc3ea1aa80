// One phone or tablet of the demo: a Replica, its clocks (right or wrong), and its way to the
// server over the real wire. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "sync/replica.h"
#include "tools/client/http_client.h"
#include "tools/demo/city.h"

namespace waystation::demo {

class Device {
 public:
  // `wall_off_ms`: how far the calendar clock is off.
  Device(Enrolled enrolled, std::string address, std::int64_t wall_off_ms, std::size_t number);

  std::uint64_t edit(const Draft& draft) { return replica_.edit(draft, clock()); }

  // Exchanges with the server until nothing waits and all is pulled. Every now and then (one in
  // `lose_one_in`, 0 never) the answer is lost on the way, and all is sent again. Errors: kIo.
  [[nodiscard]] Status sync(Random& random, std::size_t lose_one_in);

  [[nodiscard]] const Replica& replica() const { return replica_; }
  [[nodiscard]] std::size_t number() const { return number_; }
  [[nodiscard]] std::uint64_t exchanges() const { return exchanges_; }
  [[nodiscard]] std::uint64_t lost_answers() const { return lost_answers_; }

 private:
  [[nodiscard]] ClockReading clock() const;
  [[nodiscard]] Status exchange(bool lose);

  Replica replica_;
  std::unique_ptr<HttpClient> http_;
  std::int64_t wall_off_ms_;
  std::size_t number_;
  std::chrono::steady_clock::time_point switched_on_;
  std::uint64_t exchanges_ = 0;
  std::uint64_t lost_answers_ = 0;
};

}  // namespace waystation::demo

// What one device may do: how many ops and bytes in the long run, how many connections and requests
// at one time, how many frames that cannot be read. Facts are never refused: beyond its limits a
// device is told when to come back, and keeps what it has. A device of the office, which holds all
// scopes, takes in files of any size and is limited in connections and bad frames alone.
//
// Thread-safe. Memory is bounded by limits::kRatedKeys.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "server/config.h"
#include "server/limiter.h"

namespace waystation {

class DeviceLimits : public std::enable_shared_from_this<DeviceLimits> {
 public:
  explicit DeviceLimits(const Config& config);

  // One connection, or one HTTP request, of a device. It ends with the object.
  class Visit {
   public:
    Visit(std::shared_ptr<DeviceLimits> limits, std::uint64_t device)
        : limits_(std::move(limits)), device_(device) {}
    ~Visit();
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    std::shared_ptr<DeviceLimits> limits_;
    std::uint64_t device_;
  };
  // Null: too many at one time, or shut out for a while; it is to come back in wait_ms() or later.
  [[nodiscard]] std::unique_ptr<Visit> enter(std::uint64_t device, std::int64_t now_ms);

  // 0: these ops may be handed in. Otherwise in how many ms.
  [[nodiscard]] std::int64_t take_ops(std::uint64_t device, std::size_t ops, std::int64_t now_ms);
  // What was received and sent; in how many ms the device may ask again, 0: at once.
  void bytes(std::uint64_t device, std::size_t count, std::int64_t now_ms);
  [[nodiscard]] std::int64_t wait_ms(std::uint64_t device, std::int64_t now_ms);
  // A frame that cannot be read. True: the device is shut out for a while.
  bool strike(std::uint64_t device, std::int64_t now_ms);

 private:
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::size_t> visits_;  // of those with one
  Limiter ops_;
  Limiter bytes_;
  Limiter strikes_;
};

}  // namespace waystation

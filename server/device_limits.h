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
#include <string>
#include <unordered_map>

#include "server/config.h"
#include "server/limiter.h"

namespace waystation {

class DeviceLimits : public std::enable_shared_from_this<DeviceLimits> {
 public:
  explicit DeviceLimits(const Config& config);

  // One connection, or one HTTP request, of a device; or one list. It ends with the object.
  class Visit {
   public:
    Visit(std::shared_ptr<DeviceLimits> limits, std::string place)
        : limits_(std::move(limits)), place_(std::move(place)) {}
    ~Visit();
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    std::shared_ptr<DeviceLimits> limits_;
    std::string place_;
  };
  // Null: too many at one time, or shut out for a while; it is to come back in wait_ms() or later.
  [[nodiscard]] std::unique_ptr<Visit> enter(std::uint64_t device, std::int64_t now_ms);

  // A list that is read and sent, by a device or somebody of the office (as the audit log names
  // them). Null: as many as one may have at one time.
  [[nodiscard]] std::unique_ptr<Visit> enter_list(const std::string& who);

  // 0: these ops may be handed in. Otherwise in how many ms.
  [[nodiscard]] std::int64_t take_ops(std::uint64_t device, std::size_t ops, std::int64_t now_ms);
  // What was received and sent; in how many ms the device may ask again, 0: at once.
  void bytes(std::uint64_t device, std::size_t count, std::int64_t now_ms);
  [[nodiscard]] std::int64_t wait_ms(std::uint64_t device, std::int64_t now_ms);
  // The same for photos, which do not hold up what people record.
  void blob_bytes(std::uint64_t device, std::size_t count, std::int64_t now_ms);
  [[nodiscard]] std::int64_t blob_wait_ms(std::uint64_t device, std::int64_t now_ms);
  // A frame that cannot be read. True: the device is shut out for a while.
  bool strike(std::uint64_t device, std::int64_t now_ms);

 private:
  // Under the lock.
  [[nodiscard]] std::unique_ptr<Visit> take_place(const std::string& place, std::size_t most);

  std::mutex mutex_;
  std::unordered_map<std::string, std::size_t> visits_;  // of those with one
  Limiter ops_;
  Limiter bytes_;
  Limiter blob_bytes_;
  Limiter strikes_;
};

}  // namespace waystation

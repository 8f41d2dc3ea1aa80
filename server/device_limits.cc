#include "server/device_limits.h"

#include <algorithm>

#include "server/edge_limits.h"

namespace waystation {
namespace {

Rate rate_of(double per_second, double burst_seconds) {
  return {per_second, per_second * burst_seconds};
}

// The eight bytes of a device's number.
std::string_view key_of(const std::uint64_t& device) {
  return {reinterpret_cast<const char*>(&device), sizeof(device)};
}

}  // namespace

DeviceLimits::DeviceLimits(const Config& config)
    : ops_(rate_of(static_cast<double>(config.ops_per_second), limits::kOpsBurstSeconds),
           limits::kRatedKeys),
      bytes_(rate_of(static_cast<double>(config.kib_per_second) * 1024, limits::kBytesBurstSeconds),
             limits::kRatedKeys),
      blob_bytes_(rate_of(static_cast<double>(config.blob_kib_per_second) * 1024,
                          limits::kBytesBurstSeconds),
                  limits::kRatedKeys),
      strikes_({limits::kDeviceStrikesPerSecond, limits::kDeviceStrikes}, limits::kRatedKeys) {}

DeviceLimits::Visit::~Visit() {
  const std::lock_guard lock(limits_->mutex_);
  const auto found = limits_->visits_.find(place_);
  if (--found->second == 0) limits_->visits_.erase(found);
}

std::unique_ptr<DeviceLimits::Visit> DeviceLimits::enter(std::uint64_t device,
                                                         std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  if (strikes_.wait_ms(key_of(device), now_ms) > 0) return nullptr;
  return take_place(std::string(key_of(device)), limits::kVisitsPerDevice);
}

std::unique_ptr<DeviceLimits::Visit> DeviceLimits::enter_list(const std::string& who) {
  const std::lock_guard lock(mutex_);
  return take_place("list of " + who, limits::kListsAtOnce);
}

std::unique_ptr<DeviceLimits::Visit> DeviceLimits::take_place(const std::string& place,
                                                              std::size_t most) {
  const auto found = visits_.find(place);
  if (found != visits_.end() && found->second >= most) return nullptr;
  ++visits_[place];
  return std::make_unique<Visit>(shared_from_this(), place);
}

std::int64_t DeviceLimits::take_ops(std::uint64_t device, std::size_t ops, std::int64_t now_ms) {
  if (ops == 0) return 0;
  const std::lock_guard lock(mutex_);
  return ops_.take(key_of(device), static_cast<double>(ops), now_ms);
}

void DeviceLimits::bytes(std::uint64_t device, std::size_t count, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  bytes_.spend(key_of(device), static_cast<double>(count), now_ms);
}

std::int64_t DeviceLimits::wait_ms(std::uint64_t device, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  return std::max(strikes_.wait_ms(key_of(device), now_ms), bytes_.wait_ms(key_of(device), now_ms));
}

void DeviceLimits::blob_bytes(std::uint64_t device, std::size_t count, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  blob_bytes_.spend(key_of(device), static_cast<double>(count), now_ms);
}

std::int64_t DeviceLimits::blob_wait_ms(std::uint64_t device, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  return std::max(strikes_.wait_ms(key_of(device), now_ms),
                  blob_bytes_.wait_ms(key_of(device), now_ms));
}

bool DeviceLimits::strike(std::uint64_t device, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  return strikes_.strike(key_of(device), limits::kShutOutSeconds, now_ms);
}

}  // namespace waystation

// What a Service asks of its device limits, with its clock and its accounts.
#include "server/service.h"

namespace waystation {

std::int64_t Service::retry_after_ms(std::int64_t at_least) const {
  return at_least + random_between(500, 2500 + at_least / 2, surroundings_.random);
}

bool Service::unlimited(std::uint64_t device) const {
  const AccountPtr account = store_->accounts().find(device);
  return account != nullptr && account->holds_all();
}

std::unique_ptr<DeviceLimits::Visit> Service::enter(std::uint64_t device) const {
  return device_limits_->enter(device, surroundings_.now_ms());
}

std::int64_t Service::take(std::uint64_t device, std::size_t ops, std::size_t bytes) const {
  if (unlimited(device)) return 0;
  const std::int64_t now = surroundings_.now_ms();
  const std::int64_t wait = device_limits_->wait_ms(device, now);
  if (wait > 0) return wait;
  device_limits_->bytes(device, bytes, now);
  return device_limits_->take_ops(device, ops, now);
}

void Service::count_bytes(std::uint64_t device, std::size_t bytes) const {
  if (!unlimited(device)) device_limits_->bytes(device, bytes, surroundings_.now_ms());
}

std::int64_t Service::wait_ms(std::uint64_t device) const {
  return device_limits_->wait_ms(device, surroundings_.now_ms());
}

bool Service::strike(std::uint64_t device) const {
  return device_limits_->strike(device, surroundings_.now_ms());
}

}  // namespace waystation

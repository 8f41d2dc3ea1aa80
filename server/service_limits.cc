// What a Service asks of its device limits, with its clock and its accounts.
#include "server/service.h"

namespace waystation {

std::int64_t Service::retry_after_ms(std::int64_t at_least) const {
  return at_least + random_between(500, 2500 + at_least / 2, surroundings_.random);
}

bool Service::unlimited(std::uint64_t device) const {
  const AccountPtr account = store_->accounts().find(device);
  return account != nullptr && account->holds_all() &&
         (account->role() == kRoleOffice || account->role() == kRoleAdministrator);
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

ApiReply Service::busy(std::string_view why, std::int64_t wait_ms) const {
  ApiReply reply = problem(Error{Code::kBusy, std::string(why)});
  reply.retry_after_ms = retry_after_ms(wait_ms);
  return reply;
}

ApiReply Service::refusal(const Error& error) const {
  return error.code == Code::kBusy ? busy(error.context) : problem(error);
}

Service::ApiDone Service::within_limits(const ApiRequest& request, const Caller& caller, bool list,
                                        ApiDone done) const {
  struct Places {
    std::unique_ptr<DeviceLimits::Visit> visit;
    std::unique_ptr<DeviceLimits::Visit> list;
    std::shared_ptr<const void> others;  // that the answer holds by itself
  };
  auto places = std::make_shared<Places>();
  const std::uint64_t device = caller.is_device() ? caller.account->device : 0;
  if (device != 0) {
    places->visit = enter(device);
    const bool room = places->visit != nullptr;
    const std::int64_t wait = room ? take(device, 0, request.body.size()) : wait_ms(device);
    if (!room || wait > 0) {
      done(busy("this device asks too much at one time", wait));
      return nullptr;
    }
  }
  // The administrator's token is that of the commands on the machine.
  if (list && (caller.is_device() || caller.person)) {
    places->list = device_limits_->enter_list(caller.who);
    if (places->list == nullptr) {
      done(busy("too many lists at one time"));
      return nullptr;
    }
  }
  return [this, device, places, done = std::move(done)](ApiReply reply) {
    if (device != 0) count_bytes(device, reply.body.size());
    places->others = std::move(reply.held);
    reply.held = places;
    done(std::move(reply));
  };
}

}  // namespace waystation

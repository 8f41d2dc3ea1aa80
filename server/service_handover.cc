// Ops of a device without Internet, handed in by another that carries them. docs/protocol.md,
// "Hand-over".
#include <fmt/format.h>

#include "server/service.h"
#include "sync/device_id.h"

namespace waystation {

void Service::handover(const ApiRequest& request, const Caller& carrier, ApiDone done) {
  if (!carrier.is_device()) {
    return done(problem(Error{Code::kAuthForbidden, "a device hands over"}));
  }
  std::uint64_t author = 0;
  std::optional<ApiReply> refused;
  std::shared_ptr<DeviceLimits::Visit> visit;
  const auto admit = [&](const HandoverOutline& outline) {
    const auto id = parse_device_id(outline.device);
    const AccountPtr account = id ? store_->accounts().find(*id) : nullptr;
    // Worked out for a device that is not there too: the time tells nothing.
    const std::string hash = account == nullptr ? std::string(32, '\0') : account->token_hash;
    const bool genuine = equal_secrets(handover_mac(hash, outline.text), outline.mac);
    if (account == nullptr || !genuine) {
      refused = problem(Error{Code::kHandoverMac, "not what that device has signed"});
    } else if (account->closed()) {
      refused = problem(Error{Code::kHandoverClosed, "the office has shut that device out"});
    } else {
      author = account->device;
      visit = enter(author);
      const std::int64_t wait =
          visit == nullptr ? wait_ms(author) : take(author, outline.ops, request.body.size());
      if (visit == nullptr || wait > 0) refused = busy("too much comes from that device", wait);
    }
    return !refused;
  };
  auto push = decode_handover(request.body, admit);
  if (!push) return done(problem(push.error()));
  if (refused) return done(std::move(*refused));
  for (Op& op : (**push).ops) schemas_.admit(op);
  ExchangeRequest exchange;
  exchange.device = author;
  exchange.push = std::move(**push);
  exchange.carried_by = carrier.who;
  exchange.done = [done, visit](Result<ExchangeRequest::Reply> reply) {
    if (!reply) {
      const bool closed = reply.error().code == Code::kAuthRevoked;
      return done(
          problem(closed ? Error{Code::kHandoverClosed, reply.error().context} : reply.error()));
    }
    // As of POST /v1/sync: {"receipt":{…}}.
    done(ApiReply{200, std::move(reply->receipt), false, 0});
  };
  write(std::move(exchange), done);
}

}  // namespace waystation

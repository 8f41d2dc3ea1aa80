// One HTTP connection (RFC 9112): requests in turn, each under a deadline, with limits on header
// and body; an upgrade of /v1/live hands the socket over to a LiveSession. Lives on one I/O thread.
#pragma once

#include <functional>
#include <memory>

#include "server/asio.h"
#include "server/live_session.h"
#include "server/service.h"

namespace waystation {

struct HttpSessionHooks {
  std::function<void(const std::shared_ptr<LiveSession>&)> live_started;
};

[[nodiscard]] asio::awaitable<void> run_http_session(beast::tcp_stream stream, Service* service,
                                                     const HttpSessionHooks* hooks);

}  // namespace waystation

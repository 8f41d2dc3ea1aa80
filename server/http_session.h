// One HTTP connection (RFC 9112), with TLS or without: requests in turn, with limits on the time
// and size of header and body, and what the gate says; an upgrade of /v1/live hands the stream over
// to a LiveSession. Lives on one I/O thread.
#pragma once

#include <functional>
#include <memory>

#include "server/asio.h"
#include "server/edge_stream.h"
#include "server/gate.h"
#include "server/live_session.h"
#include "server/pages.h"
#include "server/service.h"

namespace waystation {

struct HttpSessionHooks {
  std::function<void(const std::shared_ptr<LiveSession>&)> live_started;
  const Pages* pages = nullptr;  // null: it serves none
};

// Who is at the other end of a new connection. The visit is its place in the gate.
struct EdgePeer {
  Address address;
  std::unique_ptr<Gate::Visit> visit;
};

// What it points to outlives it.
[[nodiscard]] asio::awaitable<void> run_http_session(std::unique_ptr<EdgeStream> stream,
                                                     std::unique_ptr<EdgePeer> peer,
                                                     Service* service, const Networks* trusted,
                                                     const HttpSessionHooks* hooks);

}  // namespace waystation

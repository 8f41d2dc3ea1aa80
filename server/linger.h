// The end of a connection whose other side may still be sending: it should see our last answer and
// not a reset.
#pragma once

#include "server/asio.h"

namespace waystation {

// Says that nothing more will be sent, then reads and drops what still comes, for two seconds at
// most. The stream outlives it.
[[nodiscard]] asio::awaitable<void> linger(beast::tcp_stream* stream);

}  // namespace waystation

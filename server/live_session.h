// One device on WebSocket: the socket and the timers around a Connection, which knows the protocol.
// A session lives on the thread of its I/O context. One write is outstanding at a time, and no
// further frame is read while the Connection has answers that wait, so what it holds is bounded.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <functional>
#include <memory>
#include <string>

#include "server/asio.h"
#include "server/connection.h"
#include "server/service.h"

namespace waystation {

// A TCP stream that is not torn down behind our back: when Beast ends a connection over a bad frame
// it reads once and closes (Beast 1.81 loses count there), so that a client which is still sending
// sees a reset instead of the close code. Here the session lingers and then closes.
class DeviceStream : public beast::tcp_stream {
 public:
  explicit DeviceStream(beast::tcp_stream&& stream) : beast::tcp_stream(std::move(stream)) {}
};

// Found by Beast (by argument-dependent look-up) in place of its own.
template <typename Handler>
void async_teardown(beast::role_type, DeviceStream& stream, Handler&& handler) {
  asio::post(stream.get_executor(),
             beast::bind_front_handler(std::forward<Handler>(handler), ErrorCode()));
}

class LiveSession final : public ConnectionPort, public std::enable_shared_from_this<LiveSession> {
 public:
  using UpgradeRequest = beast::http::request<beast::http::string_body>;

  LiveSession(beast::tcp_stream stream, Service& service);
  ~LiveSession() override;

  // Accepts the upgrade and serves until the connection ends.
  static asio::awaitable<void> run(std::shared_ptr<LiveSession> self, UpgradeRequest request);

  void close_going_away();  // from any thread: the server stops

  // ConnectionPort.
  void send(Frame frame) override;
  void close(std::uint16_t code, const std::string& reason) override;
  void ready() override;
  void post(std::function<void()> what) override;

 private:
  asio::awaitable<void> serve();
  asio::awaitable<void> read_to_the_end();
  asio::awaitable<void> wait_until_ready();
  void start_hello_timer();
  void end();

  beast::websocket::stream<DeviceStream> socket_;
  Service& service_;
  beast::flat_buffer buffer_;
  asio::steady_timer hello_timer_;
  asio::steady_timer ready_timer_;  // never expires: cancelled when the next frame may be read
  Frame on_its_way_;                // what the socket is writing
  std::shared_ptr<Connection> connection_;
};

}  // namespace waystation

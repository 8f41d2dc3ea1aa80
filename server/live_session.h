// One device on WebSocket: reads frames in turn, answers them in order, and sends what is live.
// A session lives on the thread of its I/O context; the LiveSink functions may be called from any
// thread and post to it. One write is outstanding at a time, and the session reads no further frame
// while its answers wait, so what it holds is bounded.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <memory>
#include <string>

#include "server/asio.h"
#include "server/fanout.h"
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

class LiveSession final : public LiveSink, public std::enable_shared_from_this<LiveSession> {
 public:
  using UpgradeRequest = beast::http::request<beast::http::string_body>;

  LiveSession(beast::tcp_stream stream, Service& service);
  ~LiveSession() override;
  LiveSession(const LiveSession&) = delete;
  LiveSession& operator=(const LiveSession&) = delete;

  // Accepts the upgrade and serves until the connection ends.
  static asio::awaitable<void> run(std::shared_ptr<LiveSession> self, UpgradeRequest request);

  void deliver(Frame frame, std::uint64_t epoch) override;
  void shut_out() override;
  void close_going_away();  // from any thread: the server stops

 private:
  struct Outgoing {
    Frame frame;
    bool live = false;
  };

  asio::awaitable<void> serve();
  asio::awaitable<void> read_to_the_end();
  asio::awaitable<void> handle(std::string_view bytes);
  asio::awaitable<bool> take_hello_and_push(ClientFrame frame);
  asio::awaitable<void> take_pull(Pull pull);
  asio::awaitable<void> wait_until_written();
  void start_hello_timer();
  void send(std::string text);
  void send(Outgoing outgoing);
  void write_next();
  void fail(const Error& error);
  void close(std::uint16_t code, std::string_view reason);

  beast::websocket::stream<DeviceStream> socket_;
  Service& service_;
  beast::flat_buffer buffer_;
  asio::steady_timer timer_;  // until hello, then for waiting on the outbox
  std::deque<Outgoing> outbox_;
  std::uint64_t device_ = 0;  // 0: no hello yet
  Fanout::Id reader_ = 0;
  std::uint64_t epoch_ = 0;  // of the current stretch of live reading
  bool live_ = false;
  bool closing_ = false;
  bool ended_ = false;
  std::uint16_t close_code_ = 0;  // to be sent when the outbox is empty
  std::string close_reason_;
};

}  // namespace waystation

// One device on WebSocket: the socket and the timers around a Connection, which knows the protocol.
// A session lives on the thread of its I/O context. One write is outstanding at a time, and no
// further frame is read while the Connection has answers that wait, so what it holds is bounded.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "server/asio.h"
#include "server/connection.h"
#include "server/edge_stream.h"
#include "server/gate.h"
#include "server/limiter.h"
#include "server/service.h"

namespace waystation {

class LiveSession final : public ConnectionPort, public std::enable_shared_from_this<LiveSession> {
 public:
  using UpgradeRequest = beast::http::request<beast::http::string_body>;

  // The visit is this connection's place in the gate.
  LiveSession(EdgeStream stream, std::unique_ptr<Gate::Visit> visit, bool secure, Service& service);
  ~LiveSession() override;

  // Accepts the upgrade and serves until the connection ends.
  static asio::awaitable<void> run(std::shared_ptr<LiveSession> self, UpgradeRequest request);

  void close_going_away();  // from any thread: the server stops

  // ConnectionPort.
  void send(Frame frame) override;
  void close(std::uint16_t code, const std::string& reason) override;
  void ready() override;
  void closing() override;
  void post(std::function<void()> what) override;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  asio::awaitable<bool> accept(const UpgradeRequest& request);
  asio::awaitable<void> serve();
  asio::awaitable<ErrorCode> read_frame();
  void rest();
  asio::awaitable<void> wait_until_ended();
  asio::awaitable<void> wait_until_ready();
  asio::awaitable<void> keep_pace();
  void count_control_frame();
  // False: the address is shut out, and the connection is closed.
  [[nodiscard]] bool judge(std::size_t bytes);
  void start_hello_timer();
  void watch_write();
  void end();
  void cut_off();  // without a word
  void over();     // nothing is read any more

  beast::websocket::stream<EdgeStream> socket_;
  std::unique_ptr<Gate::Visit> visit_;
  bool secure_;
  Service& service_;
  beast::flat_buffer buffer_;
  // Each deadline has its own timer: to wait for one must not put off another.
  asio::steady_timer hello_timer_;
  asio::steady_timer ready_timer_;  // never expires: cancelled by ready() and end()
  asio::steady_timer close_timer_;
  asio::steady_timer write_timer_;
  asio::steady_timer pace_timer_;
  TimePoint write_deadline_;  // of on_its_way_
  bool watching_write_ = false;
  bool accepted_ = false;         // the upgrade has been answered
  bool close_under_way_ = false;  // until both have said it
  TokenBucket frames_;            // messages
  TokenBucket control_frames_;
  std::size_t bad_frames_ = 0;  // of the connection, as they were last counted
  Frame on_its_way_;            // what the socket is writing; null: nothing
  std::shared_ptr<Connection> connection_;
};

}  // namespace waystation

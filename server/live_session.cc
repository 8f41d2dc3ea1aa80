#include "server/live_session.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <chrono>

#include "server/await.h"
#include "server/linger.h"
#include "sync/limits.h"

namespace waystation {
namespace {

namespace websocket = beast::websocket;

// A buffer that a large frame has grown is given back, so that idle connections stay small.
constexpr std::size_t kKeptBuffer = 4096;

bool is_bad_frame(const ErrorCode& error) {
  return error.category() == make_error_code(websocket::error::closed).category() &&
         error != websocket::error::closed;
}

}  // namespace

LiveSession::LiveSession(beast::tcp_stream stream, Service& service)
    : socket_(DeviceStream(std::move(stream))),
      service_(service),
      hello_timer_(socket_.get_executor()),
      ready_timer_(socket_.get_executor()) {}

LiveSession::~LiveSession() {
  if (connection_ != nullptr) connection_->end();
}

asio::awaitable<void> LiveSession::run(std::shared_ptr<LiveSession> self, UpgradeRequest request) {
  self->connection_ = std::make_shared<Connection>(self->service_, self->weak_from_this());
  websocket::stream_base::timeout timeout{};
  timeout.handshake_timeout = std::chrono::milliseconds(limits::kHttpTimeoutMs);
  timeout.idle_timeout = std::chrono::milliseconds(limits::kIdleTimeoutMs);
  timeout.keep_alive_pings = true;
  self->socket_.set_option(timeout);
  self->socket_.read_message_max(limits::kFrameBytes);
  self->socket_.auto_fragment(false);
  self->socket_.text(true);
  ErrorCode error;
  co_await self->socket_.async_accept(request, into(error));
  if (!error) {
    self->start_hello_timer();
    co_await self->serve();
  }
  self->end();
}

void LiveSession::end() {
  connection_->end();
  hello_timer_.cancel();
  ready_timer_.cancel();
}

void LiveSession::start_hello_timer() {
  hello_timer_.expires_after(std::chrono::milliseconds(limits::kHelloTimeoutMs));
  auto expired = [weak = weak_from_this()](const ErrorCode& cancelled) {
    const auto self = weak.lock();
    if (cancelled || self == nullptr) return;
    self->connection_->hello_overdue();
  };
  hello_timer_.async_wait(std::move(expired));
}

asio::awaitable<void> LiveSession::serve() {
  while (!connection_->closing() && !connection_->ended()) {
    ErrorCode error;
    co_await socket_.async_read(buffer_, into(error));
    if (is_bad_frame(error)) {
      // Beast has said why (1009 over the limit, 1007 not UTF-8) to one who may still be sending.
      co_await linger(&socket_.next_layer());
      co_return;
    }
    if (error) co_return;
    const auto data = buffer_.cdata();
    connection_->take(std::string_view(static_cast<const char*>(data.data()), data.size()));
    buffer_.consume(buffer_.size());
    if (buffer_.capacity() > kKeptBuffer) {
      buffer_.shrink_to_fit();
    }
    co_await wait_until_ready();
  }
  co_await read_to_the_end();
}

// The close frame goes out behind the last answer; wait for the other side's.
asio::awaitable<void> LiveSession::read_to_the_end() {
  while (!connection_->ended()) {
    ErrorCode error;
    co_await socket_.async_read(buffer_, into(error));
    if (error) co_return;
    buffer_.consume(buffer_.size());
  }
}

asio::awaitable<void> LiveSession::wait_until_ready() {
  while (!connection_->ready() && !connection_->ended()) {
    ready_timer_.expires_at(asio::steady_timer::time_point::max());
    ErrorCode ignored;
    co_await ready_timer_.async_wait(into(ignored));
  }
}

void LiveSession::close_going_away() {
  post([self = shared_from_this()] {
    if (self->connection_ != nullptr) self->connection_->go_away();
  });
}

void LiveSession::post(std::function<void()> what) {
  asio::post(socket_.get_executor(), std::move(what));
}

void LiveSession::ready() { ready_timer_.cancel(); }

void LiveSession::send(Frame frame) {
  on_its_way_ = std::move(frame);
  auto written = [self = shared_from_this()](const ErrorCode& error, std::size_t) {
    if (error) {
      self->end();
      ErrorCode ignored;
      self->socket_.next_layer().socket().close(ignored);
      return;
    }
    self->connection_->written();
  };
  socket_.async_write(asio::buffer(*on_its_way_), std::move(written));
}

void LiveSession::close(std::uint16_t code, const std::string& reason) {
  const websocket::close_reason why(static_cast<websocket::close_code>(code), reason);
  socket_.async_close(why, [self = shared_from_this()](const ErrorCode&) { self->end(); });
}

}  // namespace waystation

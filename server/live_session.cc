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

// Answers that may wait before the next frame is read.
constexpr std::size_t kOutboxFrames = 8;
// A buffer that a large frame has grown is given back, so that idle connections stay small.
constexpr std::size_t kKeptBuffer = 4096;

bool is_bad_frame(const ErrorCode& error) {
  return error.category() == make_error_code(websocket::error::closed).category() &&
         error != websocket::error::closed;
}

}  // namespace

LiveSession::LiveSession(beast::tcp_stream stream, Service& service)
    : socket_(DeviceStream(std::move(stream))), service_(service), timer_(socket_.get_executor()) {}

LiveSession::~LiveSession() {
  if (reader_ != 0) service_.fanout().detach(reader_);
}

asio::awaitable<void> LiveSession::run(std::shared_ptr<LiveSession> self, UpgradeRequest request) {
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
  self->ended_ = true;
  self->timer_.cancel();
  if (self->reader_ != 0) self->service_.fanout().detach(self->reader_);
  self->reader_ = 0;
}

void LiveSession::start_hello_timer() {
  timer_.expires_after(std::chrono::milliseconds(limits::kHelloTimeoutMs));
  auto expired = [weak = weak_from_this()](const ErrorCode& cancelled) {
    const auto self = weak.lock();
    if (cancelled || self == nullptr || self->device_ != 0) return;
    self->fail(Error{Code::kAuthRequired, "no hello came in time"});
  };
  timer_.async_wait(std::move(expired));
}

asio::awaitable<void> LiveSession::serve() {
  while (!closing_) {
    ErrorCode error;
    co_await socket_.async_read(buffer_, into(error));
    if (is_bad_frame(error)) {
      // Beast has said why (1009 over the limit, 1007 not UTF-8) to one who may still be sending.
      co_await linger(&socket_.next_layer());
      co_return;
    }
    if (error) co_return;
    const auto data = buffer_.cdata();
    const std::string_view bytes(static_cast<const char*>(data.data()), data.size());
    co_await handle(bytes);
    buffer_.consume(buffer_.size());
    if (buffer_.capacity() > kKeptBuffer) {
      buffer_.shrink_to_fit();
    }
    co_await wait_until_written();
  }
  co_await read_to_the_end();
}

// The close frame goes out behind the last answer; wait for the other side's.
asio::awaitable<void> LiveSession::read_to_the_end() {
  while (!ended_) {
    ErrorCode error;
    co_await socket_.async_read(buffer_, into(error));
    if (error) co_return;
    buffer_.consume(buffer_.size());
  }
}

asio::awaitable<void> LiveSession::wait_until_written() {
  while (outbox_.size() > kOutboxFrames && !ended_) {
    timer_.expires_after(std::chrono::milliseconds(limits::kIdleTimeoutMs));
    ErrorCode ignored;
    co_await timer_.async_wait(into(ignored));
  }
}

asio::awaitable<void> LiveSession::handle(std::string_view bytes) {
  Result<ClientFrame> decoded = decode_frame(bytes);
  if (!decoded) {
    fail(decoded.error());
    co_return;
  }
  std::optional<Pull> pull = std::move(decoded->pull);
  const bool exchanged = co_await take_hello_and_push(std::move(*decoded));
  if (exchanged && pull) co_await take_pull(std::move(*pull));
}

asio::awaitable<bool> LiveSession::take_hello_and_push(ClientFrame frame) {
  if (frame.hello) {
    const auto account = service_.authenticate(frame.hello->device, frame.hello->token);
    if (!account) {
      fail(account.error());
      co_return false;
    }
    const std::uint64_t device = (*account)->device;
    if (device_ != device) {
      if (reader_ != 0) service_.fanout().detach(reader_);
      live_ = false;
      device_ = device;
      reader_ = service_.fanout().attach(weak_from_this(), device);
      timer_.cancel();
    }
  }
  if (device_ == 0) {
    fail(Error{Code::kAuthRequired, "say hello first"});
    co_return false;
  }
  if (!frame.hello && !frame.push) co_return true;
  auto hello = std::move(frame.hello);
  auto push = std::move(frame.push);
  auto start = [this, &hello, &push](auto callback) {
    service_.exchange(device_, std::move(hello), std::move(push), std::move(callback));
  };
  const asio::any_io_executor executor = socket_.get_executor();
  Result<ExchangeRequest::Reply> reply =
      co_await await_callback<Result<ExchangeRequest::Reply>>(executor, std::move(start));
  if (!reply) {
    fail(reply.error());
    co_return false;
  }
  if (!reply->welcome.empty()) send(std::move(reply->welcome));
  if (!reply->receipt.empty()) send(std::move(reply->receipt));
  co_return true;
}

asio::awaitable<void> LiveSession::take_pull(Pull pull) {
  // From here until the pull has been answered nothing live is sent: what the device shows must
  // not go back, and the pull covers it all.
  ++epoch_;
  live_ = false;
  service_.fanout().stop(reader_);
  auto start = [this, &pull](auto callback) {
    service_.pull_page(device_, std::move(pull), std::move(callback));
  };
  const asio::any_io_executor executor = socket_.get_executor();
  Result<PullPage> page = co_await await_callback<Result<PullPage>>(executor, std::move(start));
  if (!page) {
    fail(page.error());
    co_return;
  }
  const bool complete = !page->head.more;
  const Seq base = page->next.base;
  send(encode_changes(page->head, page->items));
  if (complete) {
    live_ = true;
    service_.fanout().go_live(reader_, base, epoch_);
  }
}

void LiveSession::deliver(Frame frame, std::uint64_t epoch) {
  auto take = [self = shared_from_this(), frame = std::move(frame), epoch]() mutable {
    if (self->ended_ || self->closing_) return;
    if (!self->live_ || epoch != self->epoch_) {
      self->service_.fanout().written(self->reader_);
      return;
    }
    self->send(Outgoing{std::move(frame), true});
  };
  asio::post(socket_.get_executor(), std::move(take));
}

void LiveSession::shut_out() {
  auto take = [self = shared_from_this()] {
    self->fail(Error{Code::kAuthRevoked, "the office has shut this device out"});
  };
  asio::post(socket_.get_executor(), std::move(take));
}

void LiveSession::close_going_away() {
  auto take = [self = shared_from_this()] { self->close(1001, "the server stops"); };
  asio::post(socket_.get_executor(), std::move(take));
}

void LiveSession::fail(const Error& error) {
  if (closing_ || ended_) return;
  if (error.code == Code::kBusy) return send(encode_busy(service_.retry_after_ms()));
  send(encode_error(error));
  const CodeInfo& about = info(error.code);
  if (about.close != 0) close(about.close, about.name);
}

void LiveSession::close(std::uint16_t code, std::string_view reason) {
  if (closing_ || ended_) return;
  closing_ = true;
  close_code_ = code;
  close_reason_ = std::string(reason);
  if (outbox_.empty()) write_next();
}

void LiveSession::send(std::string text) {
  send(Outgoing{std::make_shared<const std::string>(std::move(text)), false});
}

void LiveSession::send(Outgoing outgoing) {
  outbox_.push_back(std::move(outgoing));
  if (outbox_.size() == 1) write_next();
}

// The front of the outbox is the frame on its way.
void LiveSession::write_next() {
  if (ended_) return;
  if (outbox_.empty()) {
    if (!closing_) return;
    const websocket::close_reason reason(static_cast<websocket::close_code>(close_code_),
                                         close_reason_);
    socket_.async_close(reason,
                        [self = shared_from_this()](const ErrorCode&) { self->ended_ = true; });
    return;
  }
  auto written = [self = shared_from_this()](const ErrorCode& error, std::size_t) {
    if (error) {
      self->ended_ = true;
      self->outbox_.clear();
      self->timer_.cancel();  // the session may be waiting for room in the outbox
      ErrorCode ignored;
      self->socket_.next_layer().socket().close(ignored);
      return;
    }
    const bool was_live = self->outbox_.front().live;
    self->outbox_.pop_front();
    if (was_live) self->service_.fanout().written(self->reader_);
    if (self->device_ != 0 && self->outbox_.size() <= kOutboxFrames) self->timer_.cancel();
    self->write_next();
  };
  socket_.async_write(asio::buffer(*outbox_.front().frame), std::move(written));
}

}  // namespace waystation

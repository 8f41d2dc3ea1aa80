#include "server/live_session.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "server/await.h"
#include "server/http_message.h"
#include "sync/limits.h"

namespace waystation {
namespace {

namespace websocket = beast::websocket;
using std::chrono::milliseconds;

// A buffer that a large frame has grown is given back, so that idle connections stay small.
constexpr std::size_t kKeptBuffer = 4096;

constexpr std::size_t kPiece = 64 * 1024;

constexpr Rate kFrames{limits::kFramesPerSecond, limits::kFramesBurst};

std::int64_t steady_ms() {
  return std::chrono::duration_cast<milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool is_bad_frame(const ErrorCode& error) {
  return error.category() == make_error_code(websocket::error::closed).category() &&
         error != websocket::error::closed;
}

}  // namespace

LiveSession::LiveSession(EdgeStream stream, std::unique_ptr<Gate::Visit> visit, bool secure,
                         Service& service)
    : socket_(std::move(stream)),
      visit_(std::move(visit)),
      secure_(secure),
      service_(service),
      hello_timer_(socket_.get_executor()),
      ready_timer_(socket_.get_executor()),
      close_timer_(socket_.get_executor()),
      write_timer_(socket_.get_executor()),
      pace_timer_(socket_.get_executor()),
      frames_(kFrames, steady_ms()),
      control_frames_(kFrames, steady_ms()) {}

LiveSession::~LiveSession() {
  if (connection_ != nullptr) connection_->end();
}

asio::awaitable<void> LiveSession::run(std::shared_ptr<LiveSession> self, UpgradeRequest request) {
  self->connection_ = std::make_shared<Connection>(self->service_, self->weak_from_this());
  self->accepted_ = co_await self->accept(request);
  if (self->accepted_) {
    self->start_hello_timer();
    self->rest();
    co_await self->serve();
  }
  self->over();
}

// Nobody reads any more, so nobody sees it when the other side goes. What still writes must come to
// an end by itself: a close handshake has its timer, all else is cut off.
void LiveSession::over() {
  if (!close_under_way_) return cut_off();
  connection_->end();
}

asio::awaitable<bool> LiveSession::accept(const UpgradeRequest& request) {
  websocket::stream_base::timeout timeout{};
  timeout.handshake_timeout = milliseconds(limits::kHttpTimeoutMs);
  timeout.idle_timeout = milliseconds(limits::kIdleTimeoutMs);
  timeout.keep_alive_pings = true;
  socket_.set_option(timeout);
  auto decorate = [secure = secure_](websocket::response_type& response) {
    set_security_headers(response, secure);
    response.set(beast::http::field::server, "waystation");  // else Beast puts its version there
  };
  socket_.set_option(websocket::stream_base::decorator(std::move(decorate)));
  auto control = [this](websocket::frame_type, beast::string_view) { count_control_frame(); };
  socket_.control_callback(std::move(control));
  socket_.read_message_max(limits::kFrameBytes);
  socket_.auto_fragment(false);
  socket_.text(true);
  ErrorCode error;
  co_await socket_.async_accept(request, into(error));
  co_return !error;
}

void LiveSession::end() {
  connection_->end();
  hello_timer_.cancel();
  ready_timer_.cancel();
  close_timer_.cancel();
  write_timer_.cancel();
  pace_timer_.cancel();
}

void LiveSession::cut_off() {
  end();
  socket_.next_layer().close();
}

void LiveSession::start_hello_timer() {
  hello_timer_.expires_after(milliseconds(limits::kHelloTimeoutMs));
  auto expired = [weak = weak_from_this()](const ErrorCode& cancelled) {
    const auto self = weak.lock();
    if (cancelled || self == nullptr) return;
    self->connection_->hello_overdue();
  };
  hello_timer_.async_wait(std::move(expired));
}

// Before hello it may have to make room for somebody else.
void LiveSession::rest() {
  auto leave = [executor = socket_.get_executor(), weak = weak_from_this()] {
    auto cut = [weak] {
      if (const auto self = weak.lock()) self->cut_off();
    };
    asio::post(executor, std::move(cut));
  };
  visit_->rest(std::move(leave));
}

// One frame, in pieces: what strangers have said so far is counted.
asio::awaitable<ErrorCode> LiveSession::read_frame() {
  ErrorCode error;
  do {
    const std::size_t read = co_await socket_.async_read_some(buffer_, kPiece, into(error));
    if (!error && !visit_->hold(read)) error = asio::error::no_buffer_space;
  } while (!error && !socket_.is_message_done());
  co_return error;
}

asio::awaitable<void> LiveSession::serve() {
  while (!connection_->closing() && !connection_->ended()) {
    co_await keep_pace();
    const ErrorCode error = co_await read_frame();
    if (is_bad_frame(error)) {
      visit_->strike();
      closing();  // an answer that nobody takes holds the line no longer than that
      // Beast has said why (1009 over the limit, 1007 not UTF-8) to one who may still be sending.
      co_await socket_.next_layer().linger();
      co_return;
    }
    if (error) co_return;
    const auto data = buffer_.cdata();
    connection_->take(std::string_view(static_cast<const char*>(data.data()), data.size()));
    if (!judge(data.size())) co_return;
    buffer_.consume(buffer_.size());
    visit_->let_go();
    if (buffer_.capacity() > kKeptBuffer) {
      buffer_.shrink_to_fit();
    }
    co_await wait_until_ready();
    if (connection_->device() != 0) visit_->known();
  }
  co_await wait_until_ended();
}

// Whoever sends more frames than anybody needs is read more slowly; nothing is lost.
asio::awaitable<void> LiveSession::keep_pace() {
  while (!connection_->ended()) {
    const std::int64_t wait = frames_.take(kFrames, 1, steady_ms());
    if (wait == 0) co_return;
    pace_timer_.expires_after(milliseconds(wait));
    ErrorCode ignored;
    co_await pace_timer_.async_wait(into(ignored));
  }
}

// Pings are answered within the read, where there is no holding them up.
void LiveSession::count_control_frame() {
  if (control_frames_.take(kFrames, 1, steady_ms()) == 0) return;
  visit_->strike();
  auto later = [self = shared_from_this()] { self->cut_off(); };
  asio::post(socket_.get_executor(), std::move(later));
}

bool LiveSession::judge(std::size_t bytes) {
  visit_->bytes(bytes);
  bool shut_out = false;
  for (; bad_frames_ < connection_->bad_frames(); ++bad_frames_) {
    shut_out = visit_->strike() || shut_out;
  }
  if (shut_out) {
    cut_off();
    return false;
  }
  return true;
}

// The close frame goes out behind the last answer. async_close() itself then reads up to the other
// side's: a read beside it may take that frame and then wait for the close, which waits for the
// read (Beast 1.81, when the frame was in its buffer already).
asio::awaitable<void> LiveSession::wait_until_ended() {
  while (!connection_->ended()) {
    ready_timer_.expires_at(asio::steady_timer::time_point::max());
    ErrorCode ignored;
    co_await ready_timer_.async_wait(into(ignored));
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
    if (self->connection_ == nullptr) return;
    // The answer to the upgrade may be on its way, beside which nothing can be written.
    if (!self->accepted_) return self->cut_off();
    self->connection_->go_away();
  });
}

void LiveSession::post(std::function<void()> what) {
  asio::post(socket_.get_executor(), std::move(what));
}

void LiveSession::ready() { ready_timer_.cancel(); }

// Whoever does not read what lies before the close is not waited for.
void LiveSession::closing() {
  close_timer_.expires_after(milliseconds(limits::kCloseTimeoutMs));
  auto expired = [weak = weak_from_this()](const ErrorCode& cancelled) {
    const auto self = weak.lock();
    if (!cancelled && self != nullptr) self->cut_off();
  };
  close_timer_.async_wait(std::move(expired));
}

void LiveSession::send(Frame frame) {
  on_its_way_ = std::move(frame);
  write_deadline_ =
      std::chrono::steady_clock::now() +
      milliseconds(limits::kWriteGraceMs + static_cast<std::int64_t>(on_its_way_->size()) * 1000 /
                                               limits::kSlowestBytesPerSecond);
  if (!watching_write_) watch_write();
  visit_->bytes(on_its_way_->size());
  auto written = [self = shared_from_this()](const ErrorCode& error, std::size_t) {
    self->on_its_way_.reset();
    if (error) return self->cut_off();
    self->connection_->written();
  };
  socket_.async_write(asio::buffer(*on_its_way_), std::move(written));
}

// A reader must keep up with a pace that any phone has. The timer is set anew when it expires and
// not at each frame, so that a live message costs no timer.
void LiveSession::watch_write() {
  watching_write_ = true;
  write_timer_.expires_at(write_deadline_);
  auto expired = [weak = weak_from_this()](const ErrorCode& cancelled) {
    const auto self = weak.lock();
    if (cancelled || self == nullptr) return;
    self->watching_write_ = false;
    if (self->on_its_way_ == nullptr) return;
    if (self->write_deadline_ <= std::chrono::steady_clock::now()) return self->cut_off();
    self->watch_write();
  };
  write_timer_.async_wait(std::move(expired));
}

void LiveSession::close(std::uint16_t code, const std::string& reason) {
  const websocket::close_reason why(static_cast<websocket::close_code>(code), reason);
  close_under_way_ = true;
  socket_.async_close(why, [self = shared_from_this()](const ErrorCode&) {
    self->close_under_way_ = false;
    self->cut_off();
  });
}

}  // namespace waystation

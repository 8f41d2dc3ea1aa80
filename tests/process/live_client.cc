#include "tests/process/live_client.h"

#include <gtest/gtest.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>

#include "server/asio.h"

namespace waystation::testing {
namespace {

namespace websocket = beast::websocket;
constexpr std::size_t kLargestFrame = 16U << 20U;

}  // namespace

struct LiveClient::Connection {
  asio::io_context context{1};
  websocket::stream<beast::tcp_stream> socket{context};
  beast::flat_buffer buffer;
  bool reading = false;
  bool ended = false;
  std::deque<std::string> received;

  // Runs the context until `done` or the time is over.
  template <typename Done>
  bool run(Done done, std::chrono::milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    context.restart();
    while (!done()) {
      const auto now = std::chrono::steady_clock::now();
      if (now >= deadline || context.run_one_until(deadline) == 0) return done();
    }
    return true;
  }

  // One asynchronous step to its end.
  template <typename Start>
  ErrorCode step(Start start) {
    std::optional<ErrorCode> result;
    start([&result](ErrorCode error, auto&&...) { result = error; });
    if (!run([&] { return result.has_value(); }, kPatience)) {
      // The operation refers to `result`: it must end before this returns.
      ErrorCode ignored;
      beast::get_lowest_layer(socket).socket().close(ignored);
      run([&] { return result.has_value(); }, kPatience);
      ended = true;
    }
    return result.value_or(asio::error::timed_out);
  }

  void start_reading() {
    if (reading || ended) return;
    reading = true;
    socket.async_read(buffer, [this](ErrorCode error, std::size_t) {
      reading = false;
      if (error) {
        ended = true;
        return;
      }
      received.push_back(beast::buffers_to_string(buffer.data()));
      buffer.consume(buffer.size());
    });
  }

  bool write(std::string_view bytes, bool binary) {
    if (ended) return false;
    socket.binary(binary);
    const ErrorCode error = step([&](auto done) {
      socket.async_write(asio::buffer(bytes.data(), bytes.size()), std::move(done));
    });
    return !error;
  }
};

LiveClient::LiveClient(const TestServer& server, const LiveOptions& options)
    : connection_(std::make_unique<Connection>()), check_schemas_(options.check_schemas) {
  Connection& c = *connection_;
  const tcp::endpoint where(asio::ip::address_v4::loopback(), server.port());
  auto& stream = beast::get_lowest_layer(c.socket);
  ErrorCode error;
  stream.socket().open(tcp::v4(), error);
  if (options.receive_buffer > 0) {
    stream.socket().set_option(asio::socket_base::receive_buffer_size(options.receive_buffer),
                               error);
  }
  error = c.step([&](auto done) { stream.async_connect(where, std::move(done)); });
  if (!error) {
    ErrorCode ignored;
    stream.socket().set_option(tcp::no_delay(true), ignored);
    c.socket.read_message_max(kLargestFrame);
    c.socket.auto_fragment(false);
    error = c.step([&](auto done) {
      c.socket.async_handshake(server.address(), "/v1/live", std::move(done));
    });
  }
  if (error) c.ended = true;
}

LiveClient::~LiveClient() {
  Connection& c = *connection_;
  ErrorCode ignored;
  beast::get_lowest_layer(c.socket).socket().close(ignored);
  c.run([&] { return !c.reading; }, kPatience);
}

bool LiveClient::send(std::string_view frame) {
  if (check_schemas_) expect_valid("client-frame", parse_json(frame));
  return connection_->write(frame, false);
}

bool LiveClient::unchecked(std::string_view bytes) { return connection_->write(bytes, false); }
bool LiveClient::unchecked_binary(std::string_view bytes) {
  return connection_->write(bytes, true);
}

std::optional<std::string> LiveClient::receive(std::chrono::milliseconds patience) {
  Connection& c = *connection_;
  if (c.received.empty()) {
    c.start_reading();
    c.run([&] { return !c.received.empty() || c.ended; }, patience);
  }
  if (c.received.empty()) return std::nullopt;
  std::string frame = std::move(c.received.front());
  c.received.pop_front();
  if (check_schemas_) expect_valid("server-frame", parse_json(frame));
  return frame;
}

Json LiveClient::next(std::chrono::milliseconds patience) {
  const auto frame = receive(patience);
  return frame ? parse_json(*frame) : Json(nullptr);
}

Json LiveClient::ask(std::string_view frame) { return send(frame) ? next() : Json(nullptr); }

Json LiveClient::ask_unchecked(std::string_view bytes) {
  return unchecked(bytes) ? next() : Json(nullptr);
}

Json LiveClient::next_of(const std::string& kind) {
  while (true) {
    Json frame = next();
    if (frame.is_null() || frame.contains(kind)) return frame.is_null() ? frame : frame[kind];
  }
}

int LiveClient::close_code(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (open()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return -1;
    (void)receive(left);
  }
  return connection_->socket.reason().code;
}

bool LiveClient::open() const { return !connection_->ended; }

void LiveClient::close() {
  Connection& c = *connection_;
  if (c.ended) return;
  // A read that is under way ends with the close.
  (void)c.step(
      [&](auto done) { c.socket.async_close(websocket::close_code::normal, std::move(done)); });
  c.run([&] { return !c.reading; }, kPatience);
  c.ended = true;
}

void LiveClient::drop() {
  Connection& c = *connection_;
  ErrorCode ignored;
  auto& socket = beast::get_lowest_layer(c.socket).socket();
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
  c.ended = true;
  c.run([&] { return !c.reading; }, kPatience);
}

}  // namespace waystation::testing

// The stream of a connection, with TLS or without: sessions are written once and do not know which.
// Lives on one I/O thread, as the socket in it.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/role.hpp>
#include <memory>
#include <utility>

#include "server/asio.h"

namespace waystation {

class EdgeStream {
 public:
  using executor_type = beast::tcp_stream::executor_type;

  // With a context: TLS, to be begun by handshake().
  EdgeStream(tcp::socket socket, std::shared_ptr<asio::ssl::context> context)
      : tcp_(std::make_unique<beast::tcp_stream>(std::move(socket))),
        context_(std::move(context)),
        tls_(context_ == nullptr ? nullptr : std::make_unique<TlsStream>(*tcp_, *context_)) {}

  [[nodiscard]] executor_type get_executor() noexcept { return tcp_->get_executor(); }
  [[nodiscard]] bool secure() const { return tls_ != nullptr; }
  // For deadlines, and for what is done to the bare socket.
  [[nodiscard]] beast::tcp_stream& bare() { return *tcp_; }

  // Does nothing without TLS. Within limits::kHttpTimeoutMs.
  [[nodiscard]] asio::awaitable<bool> handshake();
  // Takes leave: nothing will be sent any more. Bounded in time.
  [[nodiscard]] asio::awaitable<void> goodbye();
  // goodbye(), and then reads and drops what still comes, for two seconds at most: whoever is still
  // sending is to see our last answer and not a reset.
  [[nodiscard]] asio::awaitable<void> linger();
  // Ends it without a word.
  void close() {
    ErrorCode ignored;
    tcp_->socket().close(ignored);
  }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (tls_ != nullptr) return tls_->async_read_some(buffers, std::forward<Token>(token));
    return tcp_->async_read_some(buffers, std::forward<Token>(token));
  }
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    if (tls_ != nullptr) return tls_->async_write_some(buffers, std::forward<Token>(token));
    return tcp_->async_write_some(buffers, std::forward<Token>(token));
  }

 private:
  using TlsStream = asio::ssl::stream<beast::tcp_stream&>;

  std::unique_ptr<beast::tcp_stream> tcp_;  // stays where it is when this moves: tls_ refers to it
  std::shared_ptr<asio::ssl::context> context_;
  std::unique_ptr<TlsStream> tls_;
};

// What Beast calls in place of its own (by argument-dependent look-up). When it ends a connection
// over a bad frame it would read once and close (Beast 1.81 loses count there), so that a client
// which is still sending sees a reset instead of the close code. Here the session lingers and then
// closes.
template <typename Handler>
void async_teardown(beast::role_type, EdgeStream& stream, Handler&& handler) {
  asio::post(stream.get_executor(),
             beast::bind_front_handler(std::forward<Handler>(handler), ErrorCode()));
}
inline void beast_close_socket(EdgeStream& stream) { stream.close(); }

}  // namespace waystation

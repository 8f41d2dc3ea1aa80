#include "server/edge_stream.h"

#include <boost/asio/buffer.hpp>
#include <chrono>
#include <string>

#include "sync/limits.h"

namespace waystation {
namespace {

constexpr std::chrono::milliseconds kLingerTime(2000);
constexpr std::size_t kLingerBytes = 256U << 20U;

}  // namespace

asio::awaitable<bool> EdgeStream::handshake() {
  if (tls_ == nullptr) co_return true;
  ErrorCode error;
  tcp_->expires_after(std::chrono::milliseconds(limits::kHttpTimeoutMs));
  co_await tls_->async_handshake(asio::ssl::stream_base::server, into(error));
  tcp_->expires_never();
  co_return !error;
}

asio::awaitable<void> EdgeStream::goodbye() {
  ErrorCode ignored;
  if (tls_ != nullptr) {
    // It waits for the other side's goodbye, too, which need not come.
    tcp_->expires_after(kLingerTime);
    co_await tls_->async_shutdown(into(ignored));
  }
  tcp_->socket().shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<void> EdgeStream::linger() {
  co_await goodbye();
  ErrorCode error;
  tcp_->expires_after(kLingerTime);
  std::string sink(64U << 10U, '\0');
  std::size_t read = 0;
  while (!error && read < kLingerBytes) {
    read += co_await tcp_->async_read_some(asio::buffer(sink), into(error));
  }
}

}  // namespace waystation

#include "server/linger.h"

#include <boost/asio/buffer.hpp>
#include <chrono>
#include <string>

namespace waystation {
namespace {

constexpr std::chrono::milliseconds kLingerTime(2000);
constexpr std::size_t kLingerBytes = 256U << 20U;

}  // namespace

asio::awaitable<void> linger(beast::tcp_stream* stream) {
  ErrorCode error;
  stream->socket().shutdown(tcp::socket::shutdown_send, error);
  stream->expires_after(kLingerTime);
  std::string sink(64U << 10U, '\0');
  std::size_t read = 0;
  while (!error && read < kLingerBytes) {
    read += co_await stream->async_read_some(asio::buffer(sink), into(error));
  }
}

}  // namespace waystation

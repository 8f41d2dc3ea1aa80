#include "tests/process/raw_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace waystation::testing {
namespace {

using Clock = std::chrono::steady_clock;

int left(Clock::time_point deadline) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::max<std::int64_t>(ms.count(), 0));
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

RawAnswer parse_head(std::string_view head) {
  RawAnswer answer;
  if (head.size() > 12) answer.status = std::atoi(std::string(head.substr(9, 3)).c_str());
  std::size_t at = head.find("\r\n");
  while (at != std::string_view::npos && at + 2 < head.size()) {
    const std::size_t start = at + 2;
    at = head.find("\r\n", start);
    const std::string_view line = head.substr(start, at - start);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::size_t value = std::min(line.find_first_not_of(' ', colon + 1), line.size());
    answer.headers[lower(std::string(line.substr(0, colon)))] = std::string(line.substr(value));
  }
  return answer;
}

}  // namespace

RawSocket::RawSocket(std::uint16_t port, const std::string& from)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (!from.empty()) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    inet_pton(AF_INET, from.c_str(), &own.sin_addr);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API's own way
    if (bind(socket_, reinterpret_cast<const sockaddr*>(&own), sizeof(own)) != 0) {
      throw std::runtime_error("cannot come from " + from);
    }
  }
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API's own way
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&where), sizeof(where)) != 0) {
    throw std::runtime_error("cannot connect to the server");
  }
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

RawSocket::~RawSocket() {
  if (socket_ >= 0) close(socket_);
}

bool RawSocket::send(std::string_view bytes) {
  const auto deadline = Clock::now() + kPatience;
  while (!bytes.empty()) {
    pollfd waiting{socket_, POLLOUT, 0};
    if (poll(&waiting, 1, left(deadline)) <= 0) return false;
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawSocket::fill(std::size_t bytes, Clock::time_point deadline) {
  const std::size_t before = held_.size();
  std::array<char, 65536> buffer{};
  while (bytes == 0 ? held_.size() == before : held_.size() < bytes) {
    if (ended_) return false;
    pollfd waiting{socket_, POLLIN, 0};
    if (poll(&waiting, 1, left(deadline)) <= 0) return false;
    const ssize_t got = recv(socket_, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      ended_ = true;
      return false;
    }
    held_.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return true;
}

std::optional<RawAnswer> RawSocket::answer(bool head, std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  std::size_t end = 0;
  while ((end = held_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill(0, deadline)) return std::nullopt;
  }
  RawAnswer answer = parse_head(std::string_view(held_).substr(0, end));
  held_.erase(0, end + 4);
  const auto length = answer.headers.find("content-length");
  const std::size_t size = head || answer.status == 101 || length == answer.headers.end()
                               ? 0
                               : std::stoul(length->second);
  if (size > 0 && !fill(size, deadline)) return std::nullopt;
  answer.body = held_.substr(0, size);
  held_.erase(0, size);
  return answer;
}

bool RawSocket::ends(std::chrono::milliseconds patience) {
  return held_.empty() && !fill(0, Clock::now() + patience) && ended_;
}

std::string RawSocket::rest(std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  while (fill(0, deadline)) {
  }
  return std::exchange(held_, {});
}

bool RawSocket::upgrade() {
  send(
      "GET /v1/live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  const auto given = answer();
  return given && given->status == 101;
}

bool RawSocket::send_frame(int opcode, std::string_view payload) {
  constexpr std::array<char, 4> kMask{'\x11', '\x22', '\x33', '\x44'};
  std::string bytes(1, static_cast<char>(0x80 | opcode));
  const auto big_endian = [&](int count) {
    for (int i = count - 1; i >= 0; --i) {
      bytes += static_cast<char>((payload.size() >> (8 * i)) & 0xFFU);
    }
  };
  if (payload.size() < 126) {
    bytes += static_cast<char>(0x80U | payload.size());
  } else if (payload.size() < 65536) {
    bytes += static_cast<char>(0xFE);
    big_endian(2);
  } else {
    bytes += static_cast<char>(0xFF);
    big_endian(8);
  }
  bytes.append(kMask.begin(), kMask.end());
  for (std::size_t i = 0; i < payload.size(); ++i) {
    bytes += static_cast<char>(payload[i] ^ kMask.at(i % 4));
  }
  return send(bytes);
}

std::optional<RawFrame> RawSocket::frame(std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(held_[i]); };
  if (!fill(2, deadline)) return std::nullopt;
  std::size_t size = byte(1) & 0x7FU;
  std::size_t head = 2;
  if (size >= 126) {
    const std::size_t digits = size == 126 ? 2 : 8;
    if (!fill(2 + digits, deadline)) return std::nullopt;
    size = 0;
    for (std::size_t i = 0; i < digits; ++i) size = size << 8U | byte(2 + i);
    head += digits;
  }
  if (!fill(head + size, deadline)) return std::nullopt;
  RawFrame frame{byte(0) & 0x0F, held_.substr(head, size)};
  held_.erase(0, head + size);
  return frame;
}

void RawSocket::reset() {
  const linger now{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close(socket_);
  socket_ = -1;
}

}  // namespace waystation::testing

#include "tools/load/live_socket.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <cstring>

namespace waystation::load {
namespace {

enum class Opcode : unsigned { kText = 1, kClose = 8, kPing = 9, kPong = 10 };

constexpr unsigned kFin = 0x80;
constexpr unsigned kMasked = 0x80;
// RFC 6455 asks for an unpredictable mask, against proxies that guess; between two ends of one
// loopback any will do, as long as the server has to undo it.
constexpr std::array<unsigned char, 4> kMask{0x5A, 0xC3, 0x17, 0x99};

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

std::string masked_frame(Opcode opcode, std::string_view payload) {
  std::string frame;
  frame.reserve(payload.size() + 14);
  frame += static_cast<char>(kFin | static_cast<unsigned>(opcode));
  const std::uint64_t size = payload.size();
  int length_bytes = 0;
  if (size < 126) {
    frame += static_cast<char>(kMasked | size);
  } else if (size <= 0xFFFF) {
    frame += static_cast<char>(kMasked | 126U);
    length_bytes = 2;
  } else {
    frame += static_cast<char>(kMasked | 127U);
    length_bytes = 8;
  }
  for (int i = length_bytes - 1; i >= 0; --i) frame += static_cast<char>(size >> (8 * i) & 0xFFU);
  for (const unsigned char byte : kMask) frame += static_cast<char>(byte);
  const std::size_t start = frame.size();
  frame += payload;
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame[start + i] = static_cast<char>(static_cast<unsigned char>(payload[i]) ^ kMask[i % 4]);
  }
  return frame;
}

// Where the payload begins; nothing while too little has arrived to tell. Server frames have no
// mask.
struct FrameSize {
  std::size_t header;
  std::size_t whole;
};
std::optional<FrameSize> frame_size(std::string_view bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const unsigned code = byte_at(bytes, 1);
  const std::size_t length_bytes = code == 127 ? 8 : code == 126 ? 2 : 0;
  const std::size_t header = 2 + length_bytes;
  if (bytes.size() < header) return std::nullopt;
  std::size_t size = length_bytes == 0 ? code : 0;
  for (std::size_t i = 0; i < length_bytes; ++i) size = size << 8U | byte_at(bytes, 2 + i);
  return FrameSize{header, header + size};
}

}  // namespace

std::string client_frame(std::string_view text) { return masked_frame(Opcode::kText, text); }

void LiveSocket::open(const tcp::endpoint& server, OnOpen on_open, OnText on_text) {
  on_open_ = std::move(on_open);
  on_text_ = std::move(on_text);
  socket_.async_connect(server, [self = shared_from_this(), server](const ErrorCode& error) {
    if (error) return self->lost(error);
    self->upgrade(server);
  });
}

void LiveSocket::upgrade(const tcp::endpoint& server) {
  socket_.set_option(tcp::no_delay(true));
  socket_.non_blocking(true);
  send(
      fmt::format("GET /v1/live HTTP/1.1\r\nHost: {}:{}\r\nConnection: Upgrade\r\n"
                  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                  server.address().to_string(), server.port()));
  wait_readable();
}

void LiveSocket::send(std::string_view frame) {
  if (!unsent_.empty()) {
    unsent_ += frame;
    return;
  }
  ErrorCode error;
  const std::size_t sent = socket_.write_some(asio::buffer(frame.data(), frame.size()), error);
  if (error && error != asio::error::would_block) return lost(error);
  if (sent == frame.size()) return;
  unsent_ = frame.substr(sent);
  wait_writable();
}

void LiveSocket::wait_writable() {
  socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](const ErrorCode& error) {
    if (error) return self->lost(error);
    std::string unsent = std::move(self->unsent_);
    self->unsent_.clear();
    self->send(unsent);
  });
}

void LiveSocket::wait_readable() {
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](const ErrorCode& error) {
    if (error) return self->lost(error);
    self->read();
    if (!self->closed_) self->wait_readable();
  });
}

void LiveSocket::read() {
  if (closed_) return;
  std::vector<char>& scratch = loop_.scratch();
  ErrorCode error;
  const std::size_t size = socket_.read_some(asio::buffer(scratch), error);
  if (error == asio::error::would_block) return;
  if (error) return lost(error);
  bytes_received_ += size;
  const std::string_view bytes(scratch.data(), size);
  open_ ? take(bytes) : take_upgrade(bytes);
}

void LiveSocket::take_upgrade(std::string_view bytes) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  carry_ += bytes;
  const std::size_t end = carry_.find(kEnd);
  if (end == std::string::npos) return;
  const std::string answer = std::move(carry_);
  carry_.clear();
  if (answer.find(" 101 ") > answer.find('\r')) throw std::runtime_error("no upgrade: " + answer);
  open_ = true;
  on_open_();
  take(std::string_view(answer).substr(end + kEnd.size()));
}

void LiveSocket::take(std::string_view bytes) {
  if (!carry_.empty()) {
    while (!bytes.empty() && !frame_size(carry_)) {
      carry_ += bytes.front();
      bytes.remove_prefix(1);
    }
    const auto size = frame_size(carry_);
    if (!size) return;
    carry_.reserve(size->whole);
    const std::size_t missing = std::min(size->whole - carry_.size(), bytes.size());
    carry_ += bytes.substr(0, missing);
    bytes.remove_prefix(missing);
    if (carry_.size() < size->whole) return;
    take_frame(carry_);
    carry_.clear();
  }
  auto size = frame_size(bytes);
  while (size && size->whole <= bytes.size()) {
    take_frame(bytes.substr(0, size->whole));
    bytes.remove_prefix(size->whole);
    size = frame_size(bytes);
  }
  carry_ = bytes;
}

void LiveSocket::take_frame(std::string_view frame) {
  const std::string_view payload = frame.substr(frame_size(frame)->header);
  switch (static_cast<Opcode>(byte_at(frame, 0) & 0x0FU)) {
    case Opcode::kText:
      if (!closed_) on_text_(payload);
      return;
    case Opcode::kPing: send(masked_frame(Opcode::kPong, payload)); return;
    case Opcode::kPong: return;
    case Opcode::kClose: return lost(asio::error::eof);
  }
  throw std::runtime_error("a frame of an unknown kind");
}

void LiveSocket::close() {
  closed_ = true;
  on_open_ = nullptr;
  on_text_ = nullptr;
  ErrorCode ignored;
  socket_.close(ignored);
}

void LiveSocket::lost(const ErrorCode& error) {
  if (!closed_) throw std::runtime_error("a connection was lost: " + error.message());
}

}  // namespace waystation::load

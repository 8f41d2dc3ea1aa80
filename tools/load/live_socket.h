// A WebSocket client cheap enough to stand beside the server it measures: frames are masked when
// they are rendered, not when they are sent; all connections read into one buffer; and a frame that
// arrived whole is handed on where it lies. It trusts the server to speak RFC 6455, does not check
// UTF-8, and expects every message in one frame, as this server sends them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tools/load/loop.h"

namespace waystation::load {

// A text frame as a client sends it, masked.
[[nodiscard]] std::string client_frame(std::string_view text);

class LiveSocket : public std::enable_shared_from_this<LiveSocket> {
 public:
  using OnOpen = std::function<void()>;
  using OnText = std::function<void(std::string_view)>;  // the view ends with the call

  explicit LiveSocket(Loop& loop) : loop_(loop), socket_(loop.context()) {}

  // Connects and upgrades at /v1/live. A connection that fails or is lost throws out of the loop.
  void open(const tcp::endpoint& server, OnOpen on_open, OnText on_text);
  // A rendered frame. What the kernel does not take at once is copied and sent later.
  void send(std::string_view frame);
  void close();

  [[nodiscard]] std::uint64_t bytes_received() const { return bytes_received_; }

 private:
  void upgrade(const tcp::endpoint& server);
  void wait_readable();
  void wait_writable();
  void read();
  void take(std::string_view bytes);
  void take_upgrade(std::string_view bytes);
  void take_frame(std::string_view frame);
  void lost(const ErrorCode& error);

  Loop& loop_;
  tcp::socket socket_;
  OnOpen on_open_;
  OnText on_text_;
  bool open_ = false;
  bool closed_ = false;
  std::string carry_;   // the beginning of what has not arrived whole
  std::string unsent_;  // the end of what the kernel has not taken
  std::uint64_t bytes_received_ = 0;
};

}  // namespace waystation::load

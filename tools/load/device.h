// One device on the wire, with no more memory of the records than the highest seq that it has seen.
// What arrives is told apart by its first bytes and searched for the few values that are needed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sync/stamp.h"
#include "tools/load/live_socket.h"

namespace waystation::load {

struct Identity {
  std::string id;
  std::string token;
};

class Device {
 public:
  using OnMessage = std::function<void(Device&, std::string_view)>;

  Device(Loop& loop, Identity identity) : loop_(loop), identity_(std::move(identity)) {}
  ~Device() { disconnect(); }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // Connects and says hello; `greeted` (may be empty) is called on the welcome.
  void connect(const tcp::endpoint& server, std::function<void(Device&)> greeted = {});
  void disconnect();

  // A rendered push. It is sent again should the server be busy.
  void push(std::string frame);
  // Pulls from the cursor to more:false, page by page.
  void pull();
  // Starts from nothing, or from what another device held.
  void set_cursor(std::string cursor) { cursor_ = std::move(cursor); }
  void on_receipt(OnMessage handler) { on_receipt_ = std::move(handler); }
  void on_changes(OnMessage handler) { on_changes_ = std::move(handler); }

  // Its hello, now.
  [[nodiscard]] std::string hello_text() const;

  // The number of the next op, counted up by the caller's rendering.
  [[nodiscard]] std::uint64_t& next_n() { return next_n_; }
  [[nodiscard]] bool greeted() const { return greeted_; }
  [[nodiscard]] bool caught_up() const { return caught_up_; }
  [[nodiscard]] const std::string& cursor() const { return cursor_; }
  [[nodiscard]] Seq newest() const { return newest_; }
  [[nodiscard]] std::uint64_t busy() const { return busy_; }
  [[nodiscard]] std::uint64_t bytes_received() const {
    return socket_ == nullptr ? 0 : socket_->bytes_received();
  }

 private:
  void say_hello();
  void send_pull();
  void take(std::string_view text);
  void take_changes(std::string_view text);
  void take_busy(std::string_view text);

  Loop& loop_;
  Identity identity_;
  std::shared_ptr<LiveSocket> socket_;
  std::function<void(Device&)> on_greeted_;
  OnMessage on_receipt_;
  OnMessage on_changes_;
  std::string push_;  // until its receipt
  std::string cursor_;
  std::uint64_t next_n_ = 1;
  Seq newest_ = 0;
  std::uint64_t busy_ = 0;
  bool greeted_ = false;
  bool caught_up_ = false;
};

// The number behind the last, or the first, occurrence of `key`; 0 without one.
[[nodiscard]] Seq last_number(std::string_view text, std::string_view key);
[[nodiscard]] Seq first_number(std::string_view text, std::string_view key);
[[nodiscard]] std::size_t count_of(std::string_view text, std::string_view word);

}  // namespace waystation::load

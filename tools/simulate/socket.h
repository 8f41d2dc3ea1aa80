// One simulated WebSocket between a device and the server: two rows of frames on their way, a
// server that writes one frame at a time, and a way to break, with what was under way arriving in
// part. A frame that was cut in the middle never arrives, although earlier ones did.
//
// The server's end is the production Connection. Nothing happens by itself: the simulation calls.
// One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "server/connection.h"

namespace waystation::simulate {

// A frame that has left the server, and the step in which it was made.
struct SaidFrame {
  std::string text;
  std::uint64_t made = 0;
};

class Socket final : public ConnectionPort, public std::enable_shared_from_this<Socket> {
 public:
  // `step` counts the steps of the simulation; it and the service outlive the socket.
  [[nodiscard]] static std::shared_ptr<Socket> open(Service& service, const std::uint64_t& step);
  explicit Socket(const std::uint64_t& step) : step_(step) {}

  // --- the device's end -------------------------------------------------------------------------
  void device_sends(std::string frame);
  [[nodiscard]] std::optional<SaidFrame> device_reads();
  // The line is dead, or the server has closed, and all that came before has been read.
  [[nodiscard]] bool over() const {
    return device_gone_ || ((broken_ || server_gone_) && to_device_.empty());
  }
  [[nodiscard]] std::uint16_t close_code() const { return close_code_; }
  // Nobody will move it any more.
  [[nodiscard]] bool done() const { return server_gone_ && posted_.empty() && over(); }

  // --- moves, each false when there is nothing to do
  // ----------------------------------------------
  bool run_posted();  // a piece of work on the connection's thread
  bool server_reads();
  // The frame being written leaves the server; not when `window` are on their way already.
  bool server_writes(std::size_t window);

  // The line breaks: the first `to_server` and `to_device` frames under way still arrive.
  void cut(std::size_t to_server, std::size_t to_device);
  void device_closes();
  void kill();  // the server's process is gone
  void hello_overdue();
  void go_away();  // the server stops

  [[nodiscard]] const Connection& connection() const { return *connection_; }
  [[nodiscard]] std::size_t frames_to_server() const { return to_server_.size(); }
  [[nodiscard]] std::size_t frames_to_device() const { return to_device_.size(); }
  // What the server sent, in order, as it leaves: for the witness.
  std::function<void(const SaidFrame&)> on_said;

  // ConnectionPort.
  void send(Frame frame) override { writing_ = std::move(frame); }
  void close(std::uint16_t code, const std::string& reason) override;
  void ready() override {}
  void post(std::function<void()> what) override;

 private:
  struct Posted {
    std::uint64_t made;
    std::function<void()> what;
  };
  // Notes when the frames that it adds to the outbox were made.
  void run(std::uint64_t made, const std::function<void()>& what);
  void end_server();

  std::shared_ptr<Connection> connection_;
  std::deque<std::string> to_server_;
  std::deque<SaidFrame> to_device_;
  std::deque<Posted> posted_;
  std::deque<std::uint64_t> made_;  // of each frame in the outbox
  Frame writing_;
  const std::uint64_t& step_;
  bool broken_ = false;  // what is under way arrives, nothing after it
  bool device_gone_ = false;
  bool server_gone_ = false;
  std::uint16_t close_code_ = 0;
};

}  // namespace waystation::simulate

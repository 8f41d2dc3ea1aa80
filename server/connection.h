// The protocol of one WebSocket connection, without sockets, timers or a thread: frames in, frames
// out. It holds to the order of hello, push and pull, to the stretches of live reading (epochs), to
// a bounded outbox and to the close codes. LiveSession is the shell around it in the field; the
// simulator and the fuzzer bring shells of their own.
//
// Threads: a connection has one thread (its shell's), on which all functions but deliver() and
// shut_out() are called; these two come from any thread and go through ConnectionPort::post().
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/fanout.h"
#include "server/service.h"

namespace waystation {

// What a connection needs of its shell. All but post() are called on the connection's thread.
class ConnectionPort {
 public:
  ConnectionPort() = default;
  ConnectionPort(const ConnectionPort&) = delete;
  ConnectionPort& operator=(const ConnectionPort&) = delete;
  virtual ~ConnectionPort() = default;

  // Sends one text message, and calls Connection::written() later, not from within. No other is
  // given before.
  virtual void send(Frame frame) = 0;
  // Sends a close frame; called once, when everything before it has gone out. Nothing is sent
  // after.
  virtual void close(std::uint16_t code, const std::string& reason) = 0;
  // The next frame may be read: Connection::ready() has become true.
  virtual void ready() = 0;
  // A close has been decided. It is sent behind the answers that wait, for which a shell need not
  // wait for ever. Called once, perhaps from within.
  virtual void closing() {}
  // Calls it on the connection's thread, later. From any thread.
  virtual void post(std::function<void()> what) = 0;
};

class Connection final : public LiveSink, public std::enable_shared_from_this<Connection> {
 public:
  // Answers that may wait before the next frame is read.
  static constexpr std::size_t kOutboxFrames = 8;
  // What the handling of one frame and what comes by itself may add to them: welcome, receipt,
  // changes, an error, a live message, a wipe.
  static constexpr std::size_t kOutboxMost = kOutboxFrames + 6;

  // The service outlives it. The port may end before it does; then nothing is sent any more.
  Connection(Service& service, std::weak_ptr<ConnectionPort> port)
      : service_(service), port_(std::move(port)) {}
  ~Connection() override { end(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Takes one frame; its bytes are not needed after. Precondition: ready().
  void take(std::string_view bytes);
  // The last frame has been answered and there is room for more answers.
  [[nodiscard]] bool ready() const { return !busy_ && outbox_.size() <= kOutboxFrames; }
  // The frame last given to the port has gone out.
  void written();
  // No hello came within limits::kHelloTimeoutMs.
  void hello_overdue();
  // The server stops. (1001)
  void go_away();
  // The peer is gone, or the port: nothing is sent and nobody is listened to any more.
  void end();

  // A close frame is due or under way: frames that still come are not to be taken.
  [[nodiscard]] bool closing() const { return closing_; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] std::uint64_t device() const { return device_; }  // 0: no hello yet
  [[nodiscard]] std::size_t outbox() const { return outbox_.size(); }

  // Frames so far that could not be read before there was a hello, and hellos without a good token:
  // for the shell to count against the address. Later ones count against the device.
  [[nodiscard]] std::size_t bad_frames() const { return bad_frames_; }

  // LiveSink, from any thread.
  void deliver(Frame frame, std::uint64_t epoch) override;
  void shut_out(Code why) override;

 private:
  struct Outgoing {
    Frame frame;
    Fanout::Id reader = 0;  // the reader whose live message it is; 0: an answer
  };

  void post(std::function<void()> what);
  [[nodiscard]] bool authenticate(const Hello& hello);
  void exchange(ClientFrame frame);
  void bad_frame(const Error& error);
  // The device is to come back in that many ms or later.
  void put_off(std::int64_t wait_ms);
  void shut_out_for_a_while();
  void start_pull();
  void pulled(const Result<PullPage>& page);
  void done();  // the frame has been answered
  void take_live(Frame frame, std::uint64_t epoch);
  void send(std::string text);
  void send(Outgoing outgoing);
  void send_next();
  void fail(const Error& error);
  void close(std::uint16_t code, std::string_view reason);

  Service& service_;
  std::weak_ptr<ConnectionPort> port_;
  std::deque<Outgoing> outbox_;  // the front is the one on its way
  std::optional<Pull> pull_;     // of the frame at hand
  std::uint64_t device_ = 0;
  std::unique_ptr<DeviceLimits::Visit> visit_;  // of device_
  std::size_t bad_frames_ = 0;
  std::size_t received_ = 0;  // bytes of the frame at hand
  Fanout::Id reader_ = 0;
  std::uint64_t epoch_ = 0;         // of the current stretch of live reading
  std::uint64_t reader_epoch_ = 0;  // the first one of this reader
  bool live_ = false;
  bool busy_ = false;  // a frame is being answered
  bool closing_ = false;
  bool ended_ = false;
  std::uint16_t close_code_ = 0;  // to be sent when the outbox is empty
  std::string close_reason_;
};

}  // namespace waystation

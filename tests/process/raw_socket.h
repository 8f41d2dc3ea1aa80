// A TCP connection on which a test says exactly the bytes it wants to, with a deadline on every
// wait. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace waystation::testing {

inline constexpr std::chrono::milliseconds kPatience(30'000);

struct RawAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

struct RawFrame {
  int opcode = 0;
  std::string payload;
};

class RawSocket {
 public:
  // `from`: an address of this machine (127.0.0.0/8) to come from; empty: 127.0.0.1.
  explicit RawSocket(std::uint16_t port, const std::string& from = {});
  ~RawSocket();
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  // False when the other side has closed, or did not take it in time.
  bool send(std::string_view bytes);

  // The next HTTP answer; nothing when the connection ends, or in time nothing comes.
  // `head`: the request was a HEAD, whose answer has no body whatever its headers say.
  [[nodiscard]] std::optional<RawAnswer> answer(bool head = false,
                                                std::chrono::milliseconds patience = kPatience);
  // True when the other side ends the connection and has sent nothing more before it.
  [[nodiscard]] bool ends(std::chrono::milliseconds patience = kPatience);
  // All that comes until the other side ends the connection or the time is over.
  [[nodiscard]] std::string rest(std::chrono::milliseconds patience);

  // --- as a WebSocket -------------------------------------------------------------------------
  [[nodiscard]] bool upgrade();  // to /v1/live
  bool send_frame(int opcode, std::string_view payload);
  [[nodiscard]] std::optional<RawFrame> frame(std::chrono::milliseconds patience = kPatience);

  void reset();  // ends the connection with an RST

 private:
  // Reads until `held_` has `bytes` bytes, or (0) any new ones.
  bool fill(std::size_t bytes, std::chrono::steady_clock::time_point deadline);

  int socket_ = -1;
  std::string held_;
  bool ended_ = false;
};

}  // namespace waystation::testing

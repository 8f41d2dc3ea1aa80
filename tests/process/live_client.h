// A WebSocket client that waits, with a deadline on every wait. What it sends and receives is held
// to schemas/messages/, unless a call is named "unchecked". One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tests/process/message_schemas.h"
#include "tests/process/raw_socket.h"
#include "tests/process/test_server.h"

namespace waystation::testing {

struct LiveOptions {
  int receive_buffer = 0;     // of the socket; 0: the system's own
  bool check_schemas = true;  // off where a test is about quantity
};

class LiveClient {
 public:
  // Connects and upgrades. Where that fails the client is closed from the start.
  explicit LiveClient(const TestServer& server, const LiveOptions& options = {});
  ~LiveClient();
  LiveClient(const LiveClient&) = delete;
  LiveClient& operator=(const LiveClient&) = delete;

  // False when the connection has ended.
  bool send(std::string_view frame);
  bool unchecked(std::string_view bytes);
  bool unchecked_binary(std::string_view bytes);

  // The next frame as text; nothing when the connection ends, or in time nothing comes.
  [[nodiscard]] std::optional<std::string> receive(std::chrono::milliseconds patience = kPatience);
  // The same, read. Null where there is none.
  [[nodiscard]] Json next(std::chrono::milliseconds patience = kPatience);
  [[nodiscard]] Json ask(std::string_view frame);            // send() and next()
  [[nodiscard]] Json ask_unchecked(std::string_view bytes);  // the same with any bytes
  // Goes on reading to the first message of this kind, and gives its value.
  [[nodiscard]] Json next_of(const std::string& kind);

  // Reads on until the connection ends; gives the close code, 0 where it ended without one, and -1
  // where it did not end in time.
  [[nodiscard]] int close_code(std::chrono::milliseconds patience = kPatience);
  [[nodiscard]] bool open() const;

  void close();  // takes leave
  void drop();   // RST

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
  bool check_schemas_ = true;
};

}  // namespace waystation::testing

// A TLS connection that a test speaks on, with a deadline on every wait; it trusts every
// certificate and tells which one was shown. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waystation::testing {

struct TlsOptions {
  int highest_version = 0;             // TLS1_1_VERSION …; 0: what the library has
  std::vector<std::string> protocols;  // for ALPN; empty: none is offered
};

class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, const TlsOptions& options = {});
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  [[nodiscard]] bool open() const;             // the handshake came to its end
  [[nodiscard]] std::string name() const;      // of the certificate
  [[nodiscard]] std::string protocol() const;  // chosen by ALPN; empty: none
  [[nodiscard]] std::string version() const;   // "TLSv1.3"

  // One HTTP exchange: the answer whole, head and body; empty when there is none.
  [[nodiscard]] std::string ask(std::string_view request);

  // As a WebSocket.
  [[nodiscard]] bool upgrade();  // to /v1/live
  // Sends a text frame and reads the next; empty when there is none.
  [[nodiscard]] std::string ask_live(std::string_view frame);

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace waystation::testing

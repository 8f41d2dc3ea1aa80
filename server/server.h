// The listening server: an I/O context a thread, a session stays on the one it was given. start()
// binds; stop() refuses new connections, says goodbye to live ones, and ends the threads. With a
// certificate in the settings it speaks TLS, else plain HTTP. Called from one thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/config.h"
#include "server/gate.h"
#include "server/http_session.h"
#include "server/service.h"
#include "server/tls.h"

namespace waystation {

class Server {
 public:
  // The service outlives the server.
  Server(Service& service, const Config& config);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Reads the pages, binds and serves. Errors: kIo (address in use, no right to it; pages that
  // cannot be read), kConfigInvalid (a certificate that cannot be used; plain HTTP beyond loopback
  // that was not asked for; a folder of pages that holds too much).
  [[nodiscard]] Status start();
  void stop();

  // Reads the certificate anew, also when its files look the same.
  void reload_certificate();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] bool secure() const { return tls_ != nullptr; }
  [[nodiscard]] std::size_t connections() const { return gate_->visits(); }

 private:
  struct Worker {
    asio::io_context context{1};
    std::thread thread;
  };

  [[nodiscard]] Status secure(const Address& address);
  asio::awaitable<void> accept_all();
  asio::awaitable<void> watch_certificate();
  asio::awaitable<void> tidy_now_and_then();
  void serve(tcp::socket socket);
  void remember(const std::shared_ptr<LiveSession>& session);

  Service& service_;
  Config config_;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<tcp::acceptor> acceptor_;
  std::size_t next_worker_ = 0;
  std::shared_ptr<Gate> gate_;
  std::unique_ptr<Tls> tls_;  // null: plain HTTP
  Pages pages_;
  HttpSessionHooks hooks_;
  std::mutex sessions_mutex_;
  std::vector<std::weak_ptr<LiveSession>> sessions_;
  std::size_t sessions_swept_ = 0;
};

}  // namespace waystation

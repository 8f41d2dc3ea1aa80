// The listening server: an I/O context a thread, a session stays on the one it was given. start()
// binds; stop() refuses new connections, says goodbye to live ones, and ends the threads. Called
// from one thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/config.h"
#include "server/http_session.h"
#include "server/service.h"

namespace waystation {

class Server {
 public:
  // The service outlives the server.
  Server(Service& service, const Config& config);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds and serves. Errors: kIo (address in use, no right to it).
  [[nodiscard]] Status start();
  void stop();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::size_t connections() const { return connections_->load(); }

 private:
  struct Worker {
    asio::io_context context{1};
    std::thread thread;
  };

  asio::awaitable<void> accept_all();
  void serve(tcp::socket socket);
  void remember(const std::shared_ptr<LiveSession>& session);

  Service& service_;
  Config config_;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<tcp::acceptor> acceptor_;
  std::size_t next_worker_ = 0;
  std::shared_ptr<std::atomic<std::size_t>> connections_;
  HttpSessionHooks hooks_;
  std::mutex sessions_mutex_;
  std::vector<std::weak_ptr<LiveSession>> sessions_;
  std::size_t sessions_swept_ = 0;
};

}  // namespace waystation

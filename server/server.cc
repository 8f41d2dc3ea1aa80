#include "server/server.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <chrono>

namespace waystation {
namespace {

// How long live clients have to take leave when the server stops.
constexpr auto kGoodbye = std::chrono::milliseconds(200);
// After a failed accept (no file descriptors left) the listener rests, so that it does not spin.
constexpr auto kAcceptRest = std::chrono::milliseconds(50);

}  // namespace

Server::Server(Service& service, const Config& config)
    : service_(service),
      config_(config),
      connections_(std::make_shared<std::atomic<std::size_t>>(0)) {
  hooks_.live_started = [this](const std::shared_ptr<LiveSession>& session) { remember(session); };
}

Server::~Server() { stop(); }

Status Server::start() {
  const auto endpoint = parse_endpoint(config_.listen);
  if (!endpoint) return endpoint.error();
  ErrorCode error;
  const auto address = asio::ip::make_address(endpoint->address, error);
  if (error)
    return Error{Code::kConfigInvalid, fmt::format("{}: {}", config_.listen, error.message())};
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t threads = config_.io_threads != 0 ? config_.io_threads : cores;
  for (std::size_t i = 0; i < threads; ++i) workers_.push_back(std::make_unique<Worker>());
  acceptor_ = std::make_unique<tcp::acceptor>(workers_[0]->context);
  const tcp::endpoint where(address, endpoint->port);
  acceptor_->open(where.protocol(), error);
  if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_->bind(where, error);
  if (!error) acceptor_->listen(asio::socket_base::max_listen_connections, error);
  if (error) return Error{Code::kIo, fmt::format("{}: {}", config_.listen, error.message())};
  port_ = acceptor_->local_endpoint().port();
  asio::co_spawn(workers_[0]->context, accept_all(), asio::detached);
  for (auto& worker : workers_) {
    worker->thread = std::thread([raw = worker.get()] {
      const auto guard = asio::make_work_guard(raw->context);
      raw->context.run();
    });
  }
  return {};
}

asio::awaitable<void> Server::accept_all() {
  while (acceptor_->is_open()) {
    asio::io_context& context = workers_[next_worker_++ % workers_.size()]->context;
    tcp::socket socket(context);
    ErrorCode error;
    co_await acceptor_->async_accept(socket, into(error));
    if (!error) {
      serve(std::move(socket));
    } else if (acceptor_->is_open()) {
      asio::steady_timer rest(workers_[0]->context, kAcceptRest);
      co_await rest.async_wait(into(error));
    }
  }
}

void Server::serve(tcp::socket socket) {
  if (connections_->load() >= config_.connections) return;  // closing it tells enough
  ErrorCode ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  connections_->fetch_add(1);
  const auto executor = socket.get_executor();
  auto ended = [count = connections_](const std::exception_ptr& failure) {
    count->fetch_sub(1);
    if (failure == nullptr) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      spdlog::error("a session ended badly: {}", error.what());
    }
  };
  asio::co_spawn(executor,
                 run_http_session(beast::tcp_stream(std::move(socket)), &service_, &hooks_),
                 std::move(ended));
}

void Server::remember(const std::shared_ptr<LiveSession>& session) {
  const std::lock_guard lock(sessions_mutex_);
  sessions_.push_back(session);
  if (sessions_.size() > sessions_swept_ * 2 + 64) {
    std::erase_if(sessions_, [](const auto& weak) { return weak.expired(); });
    sessions_swept_ = sessions_.size();
  }
}

void Server::stop() {
  if (workers_.empty()) return;
  auto close = [this] {
    ErrorCode ignored;
    acceptor_->close(ignored);
  };
  asio::post(workers_[0]->context, std::move(close));
  bool anybody = false;
  {
    const std::lock_guard lock(sessions_mutex_);
    for (const auto& weak : sessions_) {
      if (const auto session = weak.lock()) {
        session->close_going_away();
        anybody = true;
      }
    }
  }
  if (anybody) std::this_thread::sleep_for(kGoodbye);
  for (auto& worker : workers_) worker->context.stop();
  for (auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
  // Callbacks on their way still post to the contexts: only then may these go.
  service_.drain();
  acceptor_.reset();
  workers_.clear();
}

}  // namespace waystation

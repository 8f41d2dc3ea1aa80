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
// How long a new certificate may lie there before it is seen.
constexpr auto kCertificateLook = std::chrono::seconds(3);
// Photos that are not wanted any more: it counts in days when they go.
constexpr auto kTidyEvery = std::chrono::minutes(30);

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Server::Server(Service& service, const Config& config)
    : service_(service), config_(config), gate_(Gate::make(Gate::settings_of(config), steady_ms)) {
  hooks_.live_started = [this](const std::shared_ptr<LiveSession>& session) { remember(session); };
  hooks_.pages = &pages_;
}

Server::~Server() { stop(); }

Status Server::start() {
  const auto endpoint = parse_endpoint(config_.listen);
  if (!endpoint) return endpoint.error();
  ErrorCode error;
  const auto address = asio::ip::make_address(endpoint->address, error);
  if (error)
    return Error{Code::kConfigInvalid, fmt::format("{}: {}", config_.listen, error.message())};
  if (auto secured = secure(address); !secured) return secured.error();
  auto pages = Pages::load(web_folder(config_));
  if (!pages) return pages.error();
  pages_ = std::move(*pages);
  if (pages_.missing())
    spdlog::warn("{} holds no pages: /app/ and /office/ say so", web_folder(config_));
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
  asio::co_spawn(workers_[0]->context, tidy_now_and_then(), asio::detached);
  if (tls_ != nullptr) asio::co_spawn(workers_[0]->context, watch_certificate(), asio::detached);
  for (auto& worker : workers_) {
    worker->thread = std::thread([raw = worker.get()] {
      const auto guard = asio::make_work_guard(raw->context);
      raw->context.run();
    });
  }
  return {};
}

Status Server::secure(const Address& address) {
  if (config_.tls_certificate.empty() != config_.tls_key.empty()) {
    return Error{Code::kConfigInvalid, "tls_certificate and tls_key go together"};
  }
  if (!config_.tls_certificate.empty()) {
    auto tls = Tls::open(config_.tls_certificate, config_.tls_key);
    if (!tls) return tls.error();
    tls_ = std::move(*tls);
    return {};
  }
  if (address.is_loopback()) return {};
  if (!config_.plain_http) {
    return Error{Code::kConfigInvalid,
                 fmt::format("{} is not this machine alone: give a certificate (tls_certificate, "
                             "tls_key), or set plain_http",
                             config_.listen)};
  }
  spdlog::warn("plain HTTP on {}: whoever is on the way reads and changes what is sent",
               config_.listen);
  return {};
}

asio::awaitable<void> Server::watch_certificate() {
  asio::steady_timer timer(workers_[0]->context);
  while (true) {
    timer.expires_after(kCertificateLook);
    ErrorCode error;
    co_await timer.async_wait(into(error));
    if (error) co_return;
    tls_->reload_if_changed();
  }
}

asio::awaitable<void> Server::tidy_now_and_then() {
  asio::steady_timer timer(workers_[0]->context);
  while (true) {
    timer.expires_after(kTidyEvery);
    ErrorCode error;
    co_await timer.async_wait(into(error));
    if (error) co_return;
    service_.tidy_blobs();
  }
}

void Server::reload_certificate() {
  if (tls_ != nullptr) tls_->reload();
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
  ErrorCode error;
  const tcp::endpoint from = socket.remote_endpoint(error);
  if (error) return;
  auto peer = std::make_unique<EdgePeer>();
  peer->address = from.address();
  peer->visit = gate_->enter(from.address());
  if (peer->visit == nullptr) return;  // closing it tells enough
  socket.set_option(tcp::no_delay(true), error);
  const auto executor = socket.get_executor();
  auto ended = [](const std::exception_ptr& failure) {
    if (failure == nullptr) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& fault) {
      spdlog::error("a session ended badly: {}", fault.what());
    }
  };
  auto stream =
      std::make_unique<EdgeStream>(std::move(socket), tls_ == nullptr ? nullptr : tls_->context());
  asio::co_spawn(
      executor,
      run_http_session(std::move(stream), std::move(peer), &service_, &gate_->trusted(), &hooks_),
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

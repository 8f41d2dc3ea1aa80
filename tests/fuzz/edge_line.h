// Raw bytes to a production session over a pair of sockets in this process, with a server that is
// moved step by step behind it. One thread, and no time goes by.
//
// In the input "<<>>" ends a piece: the server has handled what came before when the next arrives.
// "$" with nine "D", and "$" with 42 "T", stand for the device's id and token, of
// the same lengths, so that lengths in frames and headers hold.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <string>

#include "server/gate.h"
#include "server/http_session.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/stepped_server.h"

namespace waystation::fuzz {

class EdgeLine {
 public:
  explicit EdgeLine(const Beginning& beginning)
      : all_(beginning), server_(testing::copy_of(*beginning.disk)) {
    std::array<int, 2> ends{};
    WS_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
    ours_ = ends[1];
    tcp::socket socket(context_);
    socket.assign(tcp::v4(), ends[0]);  // nothing of it is peculiar to TCP but what may fail
    Config config;
    config.trusted_proxies = {"203.0.113.7"};  // so that forwarded headers are read, too
    gate_ = Gate::make(Gate::settings_of(config), [] { return testing::kStart; });
    auto peer = std::make_unique<EdgePeer>();
    peer->address = boost::asio::ip::make_address("203.0.113.7");
    peer->visit = gate_->enter(peer->address);
    auto stream = std::make_unique<EdgeStream>(std::move(socket), nullptr);
    hooks_.live_started = [](const std::shared_ptr<LiveSession>&) {};
    asio::co_spawn(context_,
                   run_http_session(std::move(stream), std::move(peer), &server_.service(),
                                    &gate_->trusted(), &hooks_),
                   [this](const std::exception_ptr& failure) {
                     WS_CHECK(failure == nullptr);
                     ended_ = true;
                   });
  }
  ~EdgeLine() { close(ours_); }
  EdgeLine(const EdgeLine&) = delete;
  EdgeLine& operator=(const EdgeLine&) = delete;

  // Says the input, piece by piece, and takes leave; then the session must have ended, and an
  // honest device is served.
  void say_all(std::string_view input) {
    const std::string bytes = filled_in(input);
    std::string_view rest = bytes;
    for (int pieces = 0; pieces < 50; ++pieces) {
      const std::size_t end = rest.find("<<>>");
      say(rest.substr(0, end));
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 4);
    }
    shutdown(ours_, SHUT_WR);
    settle();
    WS_CHECK(ended_);
    WS_CHECK(gate_->visits() == 0 && gate_->unknown() == 0);
    Replica honest(*Replica::load(all_.honest));
    expect_honest_service(server_, honest);
  }

  void say(std::string_view bytes) {
    settle();
    while (!bytes.empty()) {
      const ssize_t sent = send(ours_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0 && errno != EAGAIN) break;  // it has closed
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      settle();
    }
    settle();
  }

  // All that the session has said.
  [[nodiscard]] const std::string& heard() const { return heard_; }

 private:
  void settle() {
    bool moved = true;
    for (std::size_t steps = 0; moved; ++steps) {
      WS_CHECK(steps < 1'000'000);
      context_.restart();
      moved = context_.poll() > 0;
      moved = server_.step() || moved;
      moved = hear() || moved;
    }
  }
  bool hear() {
    std::array<char, 65536> buffer{};
    const ssize_t got = recv(ours_, buffer.data(), buffer.size(), 0);
    if (got <= 0) return false;
    heard_.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
  }
  [[nodiscard]] std::string filled_in(std::string_view input) const {
    std::string bytes(input);
    const auto fill = [&](const std::string& mark, const std::string& value) {
      WS_CHECK(mark.size() == value.size());
      for (std::size_t at = bytes.find(mark); at != std::string::npos;
           at = bytes.find(mark, at + mark.size())) {
        bytes.replace(at, mark.size(), value);
      }
    };
    fill("$" + std::string(all_.device.size() - 1, 'D'), all_.device);
    fill("$" + std::string(all_.token.size() - 1, 'T'), all_.token);
    return bytes;
  }

  const Beginning& all_;
  Server server_;
  asio::io_context context_{1};
  std::shared_ptr<Gate> gate_;
  HttpSessionHooks hooks_;
  int ours_ = -1;
  bool ended_ = false;
  std::string heard_;
};

}  // namespace waystation::fuzz

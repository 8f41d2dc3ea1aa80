#include "tools/simulate/socket.h"

namespace waystation::simulate {

std::shared_ptr<Socket> Socket::open(Service& service, const std::uint64_t& step) {
  auto socket = std::make_shared<Socket>(step);
  socket->connection_ = std::make_shared<Connection>(service, socket->weak_from_this());
  return socket;
}

void Socket::device_sends(std::string frame) {
  if (!broken_) to_server_.push_back(std::move(frame));
}

std::optional<SaidFrame> Socket::device_reads() {
  if (device_gone_ || to_device_.empty()) return std::nullopt;
  SaidFrame frame = std::move(to_device_.front());
  to_device_.pop_front();
  return frame;
}

void Socket::post(std::function<void()> what) { posted_.push_back(Posted{step_, std::move(what)}); }

void Socket::run(std::uint64_t made, const std::function<void()>& what) {
  const std::size_t before = connection_->outbox();
  what();
  for (std::size_t i = before; i < connection_->outbox(); ++i) made_.push_back(made);
}

bool Socket::run_posted() {
  if (posted_.empty()) return false;
  const Posted next = std::move(posted_.front());
  posted_.pop_front();
  run(next.made, next.what);
  return true;
}

bool Socket::server_reads() {
  if (server_gone_ || !connection_->ready()) return false;
  if (to_server_.empty()) {
    if (!broken_ && !device_gone_) return false;
    end_server();
    return true;
  }
  const std::string frame = std::move(to_server_.front());
  to_server_.pop_front();
  if (!connection_->closing()) run(step_, [&] { connection_->take(frame); });
  return true;
}

bool Socket::server_writes(std::size_t window) {
  if (server_gone_ || writing_ == nullptr || to_device_.size() >= window) return false;
  SaidFrame said{*writing_, made_.empty() ? step_ : made_.front()};
  if (!made_.empty()) made_.pop_front();
  writing_.reset();
  if (on_said) on_said(said);
  if (!device_gone_ && !broken_) to_device_.push_back(std::move(said));
  connection_->written();
  return true;
}

void Socket::hello_overdue() {
  run(step_, [this] { connection_->hello_overdue(); });
}

void Socket::go_away() {
  run(step_, [this] { connection_->go_away(); });
}

void Socket::cut(std::size_t to_server, std::size_t to_device) {
  broken_ = true;
  if (to_server_.size() > to_server) to_server_.resize(to_server);
  if (to_device_.size() > to_device) to_device_.resize(to_device);
}

void Socket::device_closes() {
  device_gone_ = true;
  to_device_.clear();
}

void Socket::end_server() {
  server_gone_ = true;
  connection_->end();
  writing_.reset();
  made_.clear();
}

void Socket::kill() {
  end_server();
  posted_.clear();
  to_server_.clear();
}

void Socket::close(std::uint16_t code, const std::string& /*reason*/) {
  close_code_ = code;
  end_server();
}

}  // namespace waystation::simulate

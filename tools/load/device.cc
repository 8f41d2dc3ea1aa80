#include "tools/load/device.h"

#include <fmt/format.h>

#include <charconv>

#include "tools/load/render.h"

namespace waystation::load {
namespace {

Seq number_at(std::string_view text, std::size_t at) {
  Seq value = 0;
  std::from_chars(text.data() + at, text.data() + text.size(), value);
  return value;
}

bool starts_with(std::string_view text, std::string_view begin) {
  return text.substr(0, begin.size()) == begin;
}

}  // namespace

Seq last_number(std::string_view text, std::string_view key) {
  const std::size_t at = text.rfind(key);
  return at == std::string_view::npos ? 0 : number_at(text, at + key.size());
}

Seq first_number(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  return at == std::string_view::npos ? 0 : number_at(text, at + key.size());
}

std::size_t count_of(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + word.size())) {
    ++count;
  }
  return count;
}

void Device::connect(const tcp::endpoint& server, std::function<void(Device&)> greeted) {
  disconnect();
  on_greeted_ = std::move(greeted);
  socket_ = std::make_shared<LiveSocket>(loop_);
  socket_->open(
      server, [this] { say_hello(); }, [this](std::string_view text) { take(text); });
}

void Device::disconnect() {
  if (socket_ != nullptr) socket_->close();
  socket_.reset();
  greeted_ = false;
  caught_up_ = false;
}

std::string Device::hello_text() const {
  const Moment now = moment();
  return fmt::format(
      R"({{"hello":{{"v":1,"device":"{}","token":"{}","clock":{{"wall":{},"mono":{},"boot":"{}"}}}}}})",
      identity_.id, identity_.token, now.wall_ms, now.mono_ms, kBoot);
}

void Device::say_hello() { socket_->send(client_frame(hello_text())); }

void Device::push(std::string frame) {
  push_ = std::move(frame);
  socket_->send(push_);
}

void Device::pull() {
  caught_up_ = false;
  send_pull();
}

void Device::send_pull() {
  socket_->send(client_frame(fmt::format(R"({{"pull":{{"cursor":"{}","limit":1000}}}})", cursor_)));
}

void Device::take(std::string_view text) {
  if (starts_with(text, R"({"changes")")) return take_changes(text);
  if (starts_with(text, R"({"receipt")")) {
    push_.clear();
    if (on_receipt_) on_receipt_(*this, text);
    return;
  }
  if (starts_with(text, R"({"welcome")")) {
    greeted_ = true;
    if (on_greeted_) on_greeted_(*this);
    return;
  }
  if (starts_with(text, R"({"busy")")) return take_busy(text);
  throw std::runtime_error(fmt::format("the server sent {}", text.substr(0, 300)));
}

void Device::take_changes(std::string_view text) {
  constexpr std::string_view kCursor = R"("cursor":")";
  const std::size_t start = text.find(kCursor) + kCursor.size();
  const std::size_t end = text.find('"', start);
  cursor_ = text.substr(start, end - start);
  const bool more = text.find(R"("more":true)", end) == end + 2;
  // Live changes come in the order of seqs, and the digest behind them bears the scope's newest:
  // the last seq of a message is its highest.
  newest_ = std::max(newest_, last_number(text, R"("seq":)"));
  // Ask before looking: the server works on the next page meanwhile.
  if (more) send_pull();
  caught_up_ = !more;
  if (on_changes_) on_changes_(*this, text);
}

void Device::take_busy(std::string_view text) {
  if (push_.empty()) throw std::runtime_error("the server is busy, and not with a push");
  ++busy_;
  const auto timer = std::make_shared<asio::steady_timer>(loop_.context());
  timer->expires_after(std::chrono::milliseconds(first_number(text, R"("retry_after_ms":)")));
  timer->async_wait([timer, socket = socket_, frame = push_](const ErrorCode& error) {
    if (!error) socket->send(frame);
  });
}

}  // namespace waystation::load

#include "server/connection.h"

#include "sync/limits.h"

namespace waystation {
namespace {

// "Try again later" (the registry of RFC 6455's close codes).
constexpr std::uint16_t kTryAgainLater = 1013;

}  // namespace

void Connection::post(std::function<void()> what) {
  if (const auto port = port_.lock()) port->post(std::move(what));
}

void Connection::take(std::string_view bytes) {
  WS_CHECK(ready());
  if (closing_ || ended_) return;
  busy_ = true;
  received_ = bytes.size();
  Result<ClientFrame> decoded = decode_frame(bytes);
  if (!decoded) {
    bad_frame(decoded.error());
    return done();
  }
  pull_ = std::move(decoded->pull);
  if (decoded->hello && !authenticate(*decoded->hello)) return done();
  if (device_ == 0) {
    fail(Error{Code::kAuthRequired, "say hello first"});
    return done();
  }
  if (decoded->hello || decoded->push || decoded->wiped) return exchange(std::move(*decoded));
  start_pull();
}

bool Connection::authenticate(const Hello& hello) {
  const auto account = service_.greet(hello);
  if (!account) {
    ++bad_frames_;
    fail(account.error());
    return false;
  }
  const std::uint64_t device = (*account)->device;
  if (device_ != device) {
    auto visit = service_.enter(device);
    if (visit == nullptr) {
      shut_out_for_a_while();
      return false;
    }
    visit_ = std::move(visit);
    if (reader_ != 0) service_.fanout().detach(reader_);
    live_ = false;
    device_ = device;
    reader_ = service_.fanout().attach(weak_from_this(), device);
    reader_epoch_ = ++epoch_;
  }
  return true;
}

// Counts against the device, or, where there is none yet, in the shell against the address.
void Connection::bad_frame(const Error& error) {
  if (device_ == 0) ++bad_frames_;
  fail(error);
  if (device_ != 0 && service_.strike(device_)) shut_out_for_a_while();
}

void Connection::put_off(std::int64_t wait_ms) {
  if (!closing_) send(encode_busy(service_.retry_after_ms(wait_ms)));
}

void Connection::shut_out_for_a_while() {
  put_off(device_ == 0 ? 0 : service_.wait_ms(device_));
  close(kTryAgainLater, name(Code::kBusy));
}

void Connection::exchange(ClientFrame frame) {
  const std::size_t ops = frame.push ? frame.push->ops.size() : 0;
  if (const std::int64_t wait = service_.take(device_, ops, received_); wait > 0) {
    put_off(wait);
    return done();
  }
  const bool asks_more = frame.push.has_value() || pull_.has_value();
  auto answered = [self = shared_from_this(), asks_more](Result<ExchangeRequest::Reply> reply) {
    auto shared = std::make_shared<Result<ExchangeRequest::Reply>>(std::move(reply));
    self->post([self, shared, asks_more] {
      if (self->ended_) return;
      if (!*shared) {
        self->fail(shared->error());
        return self->done();
      }
      if (!(*shared)->welcome.empty()) self->send(std::move((*shared)->welcome));
      if (!(*shared)->wipe.empty()) self->send(std::move((*shared)->wipe));
      if (!(*shared)->wiped.empty()) self->send(std::move((*shared)->wiped));
      if (!(*shared)->receipt.empty()) self->send(std::move((*shared)->receipt));
      if ((*shared)->closed && asks_more) {
        self->fail(Error{Code::kAuthRevoked, "the office has shut this device out"});
        return self->done();
      }
      self->start_pull();
    });
  };
  service_.exchange(device_, std::move(frame), std::move(answered));
}

void Connection::start_pull() {
  if (!pull_) return done();
  if (const std::int64_t wait = service_.wait_ms(device_); wait > 0) {
    put_off(wait);
    return done();
  }
  // From here until the pull has been answered nothing live is sent: what the device shows must
  // not go back, and the pull covers it all.
  ++epoch_;
  live_ = false;
  service_.fanout().stop(reader_);
  auto answered = [self = shared_from_this()](Result<PullPage> page) {
    auto shared = std::make_shared<Result<PullPage>>(std::move(page));
    self->post([self, shared] { self->pulled(*shared); });
  };
  Pull pull = std::move(*pull_);
  pull_.reset();
  service_.pull_page(device_, std::move(pull), std::move(answered));
}

void Connection::pulled(const Result<PullPage>& page) {
  if (ended_) return;
  if (!page) {
    fail(page.error());
    return done();
  }
  std::string changes = encode_changes(page->head, page->items);
  service_.count_bytes(device_, changes.size());
  send(std::move(changes));
  if (!page->head.more) {
    live_ = true;
    service_.fanout().go_live(reader_, page->next.base, epoch_);
  }
  done();
}

void Connection::done() {
  busy_ = false;
  pull_.reset();
  if (!ready()) return;
  if (const auto port = port_.lock()) port->ready();
}

void Connection::deliver(Frame frame, std::uint64_t epoch) {
  post([self = shared_from_this(), frame = std::move(frame), epoch]() mutable {
    self->take_live(std::move(frame), epoch);
  });
}

void Connection::take_live(Frame frame, std::uint64_t epoch) {
  if (ended_ || closing_) return;
  if (live_ && epoch == epoch_) {
    send(Outgoing{std::move(frame), reader_});
  } else if (epoch >= reader_epoch_) {  // not one that an earlier device on this connection had
    service_.fanout().written(reader_);
  }
}

void Connection::shut_out(Code why) {
  post([self = shared_from_this(), why] {
    self->fail(Error{why, why == Code::kAuthRevoked ? "the office has shut this device out"
                                                    : "the office has decided about this device"});
  });
}

void Connection::hello_overdue() {
  if (device_ == 0) fail(Error{Code::kAuthRequired, "no hello came in time"});
}

void Connection::go_away() { close(1001, "the server stops"); }

void Connection::end() {
  if (ended_) return;
  ended_ = true;
  outbox_.clear();
  visit_.reset();
  if (reader_ != 0) service_.fanout().detach(reader_);
  reader_ = 0;
}

void Connection::fail(const Error& error) {
  if (closing_ || ended_) return;
  if (error.code == Code::kBusy) return send(encode_busy(service_.retry_after_ms()));
  send(encode_error(error));
  const CodeInfo& about = info(error.code);
  if (about.close != 0) close(about.close, about.name);
}

void Connection::close(std::uint16_t code, std::string_view reason) {
  if (closing_ || ended_) return;
  closing_ = true;
  close_code_ = code;
  close_reason_ = std::string(reason);
  if (const auto port = port_.lock()) port->closing();
  if (outbox_.empty()) send_next();
}

void Connection::send(std::string text) {
  send(Outgoing{std::make_shared<const std::string>(std::move(text)), 0});
}

void Connection::send(Outgoing outgoing) {
  if (ended_) return;
  outbox_.push_back(std::move(outgoing));
  if (outbox_.size() == 1) send_next();
}

void Connection::send_next() {
  const auto port = port_.lock();
  if (port == nullptr) return;
  if (!outbox_.empty()) {
    port->send(outbox_.front().frame);
  } else if (closing_) {
    port->close(close_code_, close_reason_);
  }
}

void Connection::written() {
  if (ended_ || outbox_.empty()) return;
  const Fanout::Id reader = outbox_.front().reader;
  const bool was_ready = ready();
  outbox_.pop_front();
  if (reader != 0) service_.fanout().written(reader);
  send_next();
  if (was_ready || !ready()) return;
  if (const auto port = port_.lock()) port->ready();
}

}  // namespace waystation

#include "server/http_session.h"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <chrono>
#include <optional>

#include "server/await.h"
#include "server/http_message.h"
#include "sync/limits.h"

namespace waystation {
namespace {

namespace http = beast::http;
using Parser = http::request_parser<http::string_body>;

// How long `bytes` may take at the slowest pace that is waited for.
std::chrono::milliseconds slowest(std::size_t bytes, int grace_ms) {
  return std::chrono::milliseconds(grace_ms + static_cast<std::int64_t>(bytes) * 1000 /
                                                  limits::kSlowestBytesPerSecond);
}

class HttpSession {
 public:
  HttpSession(std::unique_ptr<EdgeStream> stream, std::unique_ptr<EdgePeer> peer, Service* service,
              const Networks* trusted, const HttpSessionHooks* hooks)
      : stream_(std::move(*stream)),
        deadline_(stream_.get_executor()),
        peer_(std::move(peer)),
        service_(service),
        trusted_(trusted),
        hooks_(hooks),
        client_{plain_address(peer_->address), false} {}

  asio::awaitable<void> run() {
    const bool greeted = co_await stream_.handshake();
    if (!greeted) {
      peer_->visit->strike();
      co_return;
    }
    bool goes_on = true;
    while (goes_on) goes_on = co_await serve_one();
    if (!upgraded_) co_await stream_.goodbye();
  }

 private:
  // One request. False: it was the last.
  asio::awaitable<bool> serve_one() {
    Parser parser;
    parser.header_limit(limits::kHeaderBytes);
    parser.body_limit(limits::kFrameBytes);
    ErrorCode error;
    start_deadline(std::chrono::milliseconds(limits::kHttpTimeoutMs));
    co_await http::async_read_header(stream_, buffer_, parser, into(error));
    stop_deadline();
    if (error) co_return co_await refuse_to_read(error, parser.got_some());
    see_client(parser.get());
    shape_.secure = client_.secure;
    if (const auto refusal = refusal_of(parser.get())) co_return co_await refuse(*refusal);
    co_await read_body(parser, error);
    if (error) co_return co_await refuse_to_read(error, true);
    HttpRequest request = parser.release();
    peer_->visit->bytes(request.body().size());
    if (beast::websocket::is_upgrade(request) && request.target() == "/v1/live") {
      co_await upgrade(std::move(request));
      co_return false;
    }
    co_return co_await answer(request);
  }

  // Why the body is not even read.
  std::optional<ApiReply> refusal_of(const HttpFields& header) {
    if (!room_) return busy(0);
    if (const auto wrong = encoding_error(header)) return problem(*wrong);
    const std::int64_t wait = peer_->visit->request();
    return wait > 0 ? std::optional<ApiReply>(busy(wait)) : std::nullopt;
  }

  // A body has a time of grace, and then must keep up with a pace that any phone has.
  asio::awaitable<void> read_body(Parser& parser, ErrorCode& error) {
    const auto began = std::chrono::steady_clock::now();
    std::size_t bytes = 0;
    parser.eager(true);
    while (!error && !parser.is_done()) {
      const auto left = began + slowest(bytes, limits::kBodyGraceMs);
      start_deadline(std::chrono::duration_cast<std::chrono::milliseconds>(
          left - std::chrono::steady_clock::now()));
      bytes += co_await http::async_read_some(stream_, buffer_, parser, into(error));
      stop_deadline();
    }
  }

  asio::awaitable<bool> answer(const HttpRequest& request) {
    HttpShape shape = shape_;
    shape.version = request.version();
    shape.keep_alive = request.keep_alive();
    shape.head_only = request.method() == http::verb::head;
    ApiRequest api = to_api(request);
    api.peer = client_.client.to_string();
    api.secure = client_.secure;
    const bool asks = api.path.starts_with("/v1/");
    auto start = [this, &api](auto callback) {
      service_->api(std::move(api), std::move(callback));
    };
    const asio::any_io_executor executor = stream_.get_executor();
    ApiReply reply = co_await await_callback<ApiReply>(executor, std::move(start));
    if (asks && reply.status < 300) peer_->visit->known();
    const bool shut_out = reply.status == info(Code::kAuthBadToken).http && peer_->visit->strike();
    const bool written = co_await respond(reply, shape);
    co_return written&& shape.keep_alive && !shut_out;
  }

  // Whom the request is for, and whether there is room for that address.
  void see_client(const HttpFields& header) {
    room_ = true;
    client_ = Forwarded{plain_address(peer_->address), stream_.secure()};
    if (!trusted_->hold(client_.client)) return;
    const std::string proto = all_values(header, "X-Forwarded-Proto");
    client_ = forwarded_for(client_.client, *trusted_, all_values(header, "X-Forwarded-For"), proto,
                            all_values(header, "Forwarded"));
    room_ = peer_->visit->speaks_for(client_.client);
  }

  [[nodiscard]] ApiReply busy(std::int64_t wait_ms) const {
    ApiReply reply = problem(Error{Code::kBusy, "too much comes from this address"});
    reply.retry_after_ms = service_->retry_after_ms(wait_ms);
    return reply;
  }

  // The last answer, to one who may still be sending.
  asio::awaitable<bool> refuse(const ApiReply& reply) {
    HttpShape last;
    last.secure = shape_.secure;
    co_await respond(reply, last);
    co_await stream_.linger();
    co_return false;
  }

  asio::awaitable<bool> refuse_to_read(ErrorCode error, bool asked) {
    const auto wrong = read_error(error, limit_->expired);
    const bool timed_out = limit_->expired;
    const bool at_rest = served_ && !asked;  // a kept connection on which nothing was asked
    if (!wrong || at_rest) co_return false;
    if (!timed_out) peer_->visit->strike();
    const ApiReply reply = problem(*wrong);
    co_return co_await refuse(reply);
  }

  // A fresh one for each wait: a late expiry finds that nobody waits for it any more.
  struct Limit {
    bool over = false;  // what it limits has come to its end
    bool expired = false;
  };
  void start_deadline(std::chrono::milliseconds time) {
    limit_ = std::make_shared<Limit>();
    deadline_.expires_after(time);
    auto expired = [this, weak = std::weak_ptr<Limit>(limit_)](const ErrorCode& cancelled) {
      const auto limit = weak.lock();
      if (cancelled || limit == nullptr || limit->over) return;
      limit->expired = true;
      stream_.bare().cancel();
    };
    deadline_.async_wait(std::move(expired));
  }
  void stop_deadline() {
    limit_->over = true;
    deadline_.cancel();
  }

  // Awaited at once: what it refers to outlives it.
  asio::awaitable<bool> respond(const ApiReply& reply, const HttpShape& shape) {
    HttpResponse response = to_response(reply, shape);
    ErrorCode error;
    stream_.bare().expires_after(slowest(response.body().size(), limits::kWriteGraceMs));
    co_await http::async_write(stream_, response, into(error));
    stream_.bare().expires_never();
    peer_->visit->bytes(response.body().size());
    served_ = true;
    co_return !error;
  }

  asio::awaitable<void> upgrade(HttpRequest request) {
    upgraded_ = true;
    stream_.bare().expires_never();
    auto session = std::make_shared<LiveSession>(std::move(stream_), std::move(peer_->visit),
                                                 client_.secure, *service_);
    hooks_->live_started(session);
    co_await LiveSession::run(std::move(session), std::move(request));
  }

  EdgeStream stream_;
  asio::steady_timer deadline_;
  std::unique_ptr<EdgePeer> peer_;
  Service* service_;
  const Networks* trusted_;
  const HttpSessionHooks* hooks_;
  beast::flat_buffer buffer_;
  Forwarded client_;  // of the request at hand
  HttpShape shape_;
  bool room_ = true;
  bool served_ = false;
  bool upgraded_ = false;
  std::shared_ptr<Limit> limit_;
};

}  // namespace

asio::awaitable<void> run_http_session(std::unique_ptr<EdgeStream> stream,
                                       std::unique_ptr<EdgePeer> peer, Service* service,
                                       const Networks* trusted, const HttpSessionHooks* hooks) {
  const auto session =
      std::make_unique<HttpSession>(std::move(stream), std::move(peer), service, trusted, hooks);
  co_await session->run();
}

}  // namespace waystation

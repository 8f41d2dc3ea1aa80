#include "server/http_session.h"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <charconv>
#include <chrono>
#include <optional>

#include "server/await.h"
#include "server/linger.h"
#include "sync/limits.h"

namespace waystation {
namespace {

namespace http = beast::http;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size()) {
      const auto parsed = std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
      if (parsed.ec == std::errc() && parsed.ptr == text.data() + i + 3) {
        out += static_cast<char>(value);
        i += 2;
        continue;
      }
    }
    out += text[i] == '+' ? ' ' : text[i];
  }
  return out;
}

ApiRequest to_api(const Request& request) {
  ApiRequest api;
  api.method = std::string(request.method_string());
  const std::string_view target(request.target().data(), request.target().size());
  const std::size_t mark = target.find('?');
  api.path = percent_decode(target.substr(0, mark));
  std::string_view rest = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const std::size_t equal = std::min(pair.find('='), pair.size());
    api.query[percent_decode(pair.substr(0, equal))] =
        equal < pair.size() ? percent_decode(pair.substr(equal + 1)) : std::string();
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const auto given = request[http::field::authorization];
  constexpr std::string_view kBearer = "Bearer ";
  if (given.starts_with(kBearer)) api.bearer = std::string(given.substr(kBearer.size()));
  api.body = request.body();
  return api;
}

// What the request asks of the form of its answer.
struct Shape {
  unsigned version = 11;
  bool keep_alive = false;
  bool head_only = false;
};

// Any other encoding of the body leaves its end, or its meaning, open (RFC 9112, 6.1 and 6.3).
bool plain_encoding(const Request& request) {
  const auto given = request[http::field::transfer_encoding];
  return given.empty() || beast::iequals(given, "chunked");
}

Response to_response(const ApiReply& reply, const Shape& shape) {
  Response response(static_cast<http::status>(reply.status), shape.version);
  response.set(http::field::content_type,
               reply.problem ? "application/problem+json" : "application/json");
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  if (reply.retry_after_ms > 0) {
    response.set(http::field::retry_after, std::to_string((reply.retry_after_ms + 999) / 1000));
  }
  response.keep_alive(shape.keep_alive);
  response.body() = reply.body;
  response.prepare_payload();
  if (shape.head_only) response.body().clear();  // the length stays
  return response;
}

// What to answer a request that could not be read; nothing: there is nobody to answer.
std::optional<Error> read_error(const ErrorCode& error, bool timed_out) {
  if (timed_out) return Error{Code::kHttpTimeout, "the request did not arrive in time"};
  if (error == http::error::body_limit) return Error{Code::kBodyTooLarge, "at most 1 MiB"};
  if (error == http::error::header_limit) return Error{Code::kHttpHeaderTooLarge, "at most 16 KiB"};
  if (error == http::error::end_of_stream || error == http::error::partial_message) {
    return std::nullopt;
  }
  if (error.category() == http::make_error_code(http::error::bad_target).category()) {
    return Error{Code::kHttpBadRequest, error.message()};
  }
  return std::nullopt;
}

class HttpSession {
 public:
  HttpSession(beast::tcp_stream stream, Service* service, const HttpSessionHooks* hooks)
      : stream_(std::move(stream)),
        deadline_(stream_.get_executor()),
        service_(service),
        hooks_(hooks) {
    ErrorCode unknown;
    const auto peer = stream_.socket().remote_endpoint(unknown);
    if (!unknown) peer_ = peer.address().to_string();
  }

  asio::awaitable<void> run() {
    bool served = false;
    while (true) {
      http::request_parser<http::string_body> parser;
      parser.header_limit(limits::kHeaderBytes);
      parser.body_limit(limits::kFrameBytes);
      ErrorCode error;
      start_deadline();
      co_await http::async_read(stream_, buffer_, parser, into(error));
      deadline_.cancel();
      if (error) {
        const auto answer = read_error(error, *timed_out_);
        const bool nothing_asked = served && !parser.got_some();  // a kept connection at rest
        if (answer && !nothing_asked) {
          const ApiReply reply = problem(*answer);
          const Shape last;
          co_await respond(reply, last);
          co_await linger(&stream_);
        }
        break;
      }
      Request request = parser.release();
      if (beast::websocket::is_upgrade(request) && request.target() == "/v1/live") {
        co_await upgrade(std::move(request));
        co_return;
      }
      if (!plain_encoding(request)) {
        const ApiReply refusal =
            problem(Error{Code::kHttpBadRequest, "a body is sent plain or chunked"});
        const Shape last;
        co_await respond(refusal, last);
        co_await linger(&stream_);
        break;
      }
      Shape shape;
      shape.version = request.version();
      shape.keep_alive = request.keep_alive();
      shape.head_only = request.method() == http::verb::head;
      ApiRequest api = to_api(request);
      api.peer = peer_;
      auto start = [this, &api](auto callback) {
        service_->api(std::move(api), std::move(callback));
      };
      const asio::any_io_executor executor = stream_.get_executor();
      ApiReply reply = co_await await_callback<ApiReply>(executor, std::move(start));
      const bool written = co_await respond(reply, shape);
      if (!written || !shape.keep_alive) break;
      served = true;
    }
    ErrorCode ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
  }

 private:
  void start_deadline() {
    // A fresh flag for each request: a late expiry of an earlier timer sets one nobody looks at.
    timed_out_ = std::make_shared<bool>(false);
    deadline_.expires_after(std::chrono::milliseconds(limits::kHttpTimeoutMs));
    auto expired = [this, flag = timed_out_,
                    weak = std::weak_ptr<bool>(alive_)](const ErrorCode& cancelled) {
      if (cancelled || weak.expired()) return;
      *flag = true;
      stream_.cancel();
    };
    deadline_.async_wait(std::move(expired));
  }

  // Awaited at once: what it refers to outlives it.
  asio::awaitable<bool> respond(const ApiReply& reply, const Shape& shape) {
    Response response = to_response(reply, shape);
    ErrorCode error;
    stream_.expires_after(std::chrono::milliseconds(limits::kIdleTimeoutMs));
    co_await http::async_write(stream_, response, into(error));
    stream_.expires_never();
    co_return !error;
  }

  asio::awaitable<void> upgrade(Request request) {
    stream_.expires_never();
    auto session = std::make_shared<LiveSession>(std::move(stream_), *service_);
    hooks_->live_started(session);
    co_await LiveSession::run(std::move(session), std::move(request));
  }

  beast::tcp_stream stream_;
  asio::steady_timer deadline_;
  Service* service_;
  const HttpSessionHooks* hooks_;
  std::string peer_;
  beast::flat_buffer buffer_;
  std::shared_ptr<bool> timed_out_ = std::make_shared<bool>(false);
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

asio::awaitable<void> run_http_session(beast::tcp_stream stream, Service* service,
                                       const HttpSessionHooks* hooks) {
  const auto session = std::make_unique<HttpSession>(std::move(stream), service, hooks);
  co_await session->run();
}

}  // namespace waystation

#include "server/http_session.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/read_size.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <chrono>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "server/await.h"
#include "server/edge_limits.h"
#include "server/http_message.h"

namespace waystation {
namespace {

namespace http = beast::http;
using Parser = http::request_parser<http::string_body>;

constexpr std::string_view kSyncPath = "/v1/sync";
constexpr std::size_t kPiece = 64 * 1024;

std::size_t count_of(const HttpFields& fields) {
  return static_cast<std::size_t>(std::distance(fields.begin(), fields.end()));
}

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
    rest();
    const bool greeted = co_await stream_.handshake();
    if (!peer_->visit->wake()) co_return stream_.close();
    limit_->over = true;
    if (!greeted) {
      peer_->visit->strike();
      co_return;
    }
    bool goes_on = true;
    while (goes_on) goes_on = co_await serve_one();
    if (cut_) co_return stream_.close();
    if (!upgraded_) co_await stream_.goodbye();
  }

 private:
  // One request. False: it was the last.
  asio::awaitable<bool> serve_one() {
    Parser parser;
    parser.header_limit(limits::kHeaderBytes);
    parser.body_limit(std::max(limits::kFrameBytes, service_->upload_bytes()));
    ErrorCode error;
    const std::int64_t left = peer_->visit->unknown_left_ms().value_or(limits::kHttpTimeoutMs);
    buffer_.shrink_to_fit();  // it may rest for long
    rest();
    start_deadline(std::chrono::milliseconds(std::min<std::int64_t>(left, limits::kHttpTimeoutMs)));
    const std::size_t read =
        co_await http::async_read_header(stream_, buffer_, parser, into(error));
    stop_deadline();
    cut_ = !peer_->visit->wake();
    if (cut_) co_return false;
    peer_->visit->bytes(read);
    if (error) co_return co_await refuse_to_read(error, parser.got_some());
    see_client(parser.get());
    shape_.secure = client_.secure;
    std::optional<ApiReply> refusal = refusal_of(parser);
    if (refusal) co_return co_await refuse(*refusal);
    if (is_upload(parser.get())) co_return co_await take_upload(parser);
    const std::size_t headers = count_of(parser.get());
    const bool room = co_await read_body(parser, error);
    if (!room) {
      refusal = busy(0);
      co_return co_await refuse(*refusal);
    }
    if (error) co_return co_await refuse_to_read(error, true);
    if (count_of(parser.get()) != headers) {
      // They would pass for headers, behind what a proxy has looked at.
      refusal = problem(Error{Code::kHttpBadRequest, "a body has no trailer"});
      co_return co_await refuse(*refusal);
    }
    HttpRequest request = parser.release();
    if (beast::websocket::is_upgrade(request) && request.target() == "/v1/live") {
      co_await upgrade(std::move(request));
      co_return false;
    }
    co_return co_await answer(request);
  }

  // Why the body is not even read.
  std::optional<ApiReply> refusal_of(Parser& parser) {
    const auto& header = parser.get();
    if (!room_) return busy(0);
    if (const auto wrong = encoding_error(header)) return problem(*wrong);
    const std::size_t most = most_body(header);
    parser.body_limit(most);
    if (parser.content_length().value_or(0) > most) {
      return problem(Error{Code::kBodyTooLarge, "at most 1 MiB, and 16 KiB without a token"});
    }
    const std::int64_t wait = peer_->visit->request();
    return wait > 0 ? std::optional<ApiReply>(busy(wait)) : std::nullopt;
  }

  // Bytes of a photo: they go to the disk as they come, once it is known who sends them.
  static bool is_upload(const http::request<http::string_body>& header) {
    return header.method() == http::verb::patch && header.target().starts_with("/v1/blobs/");
  }

  [[nodiscard]] std::size_t most_body(const http::request<http::string_body>& header) const {
    const bool token = header.count(http::field::authorization) + header.count("Cookie") > 0;
    if (token && is_upload(header)) return service_->upload_bytes();
    return token || header.target() == kSyncPath ? limits::kFrameBytes : limits::kUnknownBodyBytes;
  }

  asio::awaitable<bool> take_upload(Parser& parser) {
    HttpShape shape = shape_;
    shape.version = parser.get().version();
    shape.keep_alive = parser.get().keep_alive();
    ApiRequest api = to_api(parser.get());
    api.peer = client_.client.to_string();
    api.secure = client_.secure;
    const asio::any_io_executor executor = stream_.get_executor();
    auto start = [this, &api](auto callback) { service_->begin_upload(api, std::move(callback)); };
    UploadStart begun = co_await await_callback<UploadStart>(executor, std::move(start));
    if (begun.refused) {
      if (begun.refused->status == info(Code::kAuthBadToken).http) peer_->visit->strike();
      co_return co_await refuse(*begun.refused);
    }
    peer_->visit->known();
    UploadInHandPtr upload = std::move(begun.upload);
    ErrorCode error;
    const Status taken = co_await read_upload(parser, upload, error);
    // What has come counts, however it ended.
    auto finish = [this, &upload](auto callback) {
      service_->end_upload(upload, std::move(callback));
    };
    ApiReply reply = co_await await_callback<ApiReply>(executor, std::move(finish));
    if (error) co_return co_await refuse_to_read(error, true);
    if (!taken) {
      reply = problem(taken.error());
      co_return co_await refuse(reply);
    }
    const bool written = co_await respond(reply, shape);
    co_return written&& shape.keep_alive;
  }

  // As read_body(), but that each piece is written before the next is read.
  asio::awaitable<Status> read_upload(Parser& parser, UploadInHandPtr upload, ErrorCode& error) {
    const auto began = std::chrono::steady_clock::now();
    const asio::any_io_executor executor = stream_.get_executor();
    std::size_t bytes = 0;
    parser.eager(true);
    feed(parser, error);
    while (!error) {
      std::string piece = std::exchange(parser.get().body(), std::string());
      if (!piece.empty()) {
        auto write = [this, &upload, &piece](auto callback) {
          service_->write_upload(upload, std::move(piece), std::move(callback));
        };
        const Status written = co_await await_callback<Status>(executor, std::move(write));
        if (!written) co_return written;
      }
      if (parser.is_done()) co_return Status{};
      co_await read_piece(began, bytes, 2 * service_->upload_bytes(), error);
      if (!error) feed(parser, error);
    }
    co_return Status{};
  }

  // The next piece of a body that has begun then and of which so many bytes have come, at most
  // `most`. A body has a time of grace, and then must keep up with a pace that any phone has.
  asio::awaitable<std::size_t> read_piece(std::chrono::steady_clock::time_point began,
                                          std::size_t& bytes, std::size_t most, ErrorCode& error) {
    // What a fast line brings comes in few pieces; those who are unknown get no room in advance.
    if (peer_->visit->is_known()) buffer_.reserve(kPiece);
    const std::size_t size = beast::read_size(buffer_, kPiece);
    if (size == 0 || bytes > most) {
      error = http::error::buffer_overflow;
      co_return 0;
    }
    const auto left = began + slowest(bytes, limits::kBodyGraceMs);
    start_deadline(std::chrono::duration_cast<std::chrono::milliseconds>(
        left - std::chrono::steady_clock::now()));
    const auto room = buffer_.prepare(size);
    const std::size_t read = co_await stream_.async_read_some(room, into(error));
    stop_deadline();
    buffer_.commit(read);
    bytes += read;
    peer_->visit->bytes(read);
    if (error == asio::error::eof) error = http::error::partial_message;
    co_return read;
  }

  // False: those who are unknown hold too much together. Beast's own read goes on within itself as
  // long as a line is not whole, so that nobody would see what comes: here each piece counts.
  asio::awaitable<bool> read_body(Parser& parser, ErrorCode& error) {
    const auto began = std::chrono::steady_clock::now();
    std::size_t bytes = 0;
    parser.eager(true);
    feed(parser, error);
    while (!error && !parser.is_done()) {
      const std::size_t read = co_await read_piece(began, bytes, limits::kRawBodyBytes, error);
      if (!peer_->visit->hold(read)) co_return false;
      if (!error) feed(parser, error);
    }
    co_return true;
  }

  void feed(Parser& parser, ErrorCode& error) {
    if (buffer_.size() == 0 || parser.is_done()) return;
    buffer_.consume(parser.put(buffer_.data(), error));
    if (error == http::error::need_more) error = {};
  }

  asio::awaitable<bool> answer(const HttpRequest& request) {
    HttpShape shape = shape_;
    shape.version = request.version();
    shape.keep_alive = request.keep_alive();
    shape.head_only = request.method() == http::verb::head;
    ApiRequest api = to_api(request);
    api.peer = client_.client.to_string();
    api.secure = client_.secure;
    if (hooks_->pages != nullptr && !Service::has_path(api.path)) {
      co_return co_await show(request, api.path, shape);
    }
    const bool asks = api.path.starts_with("/v1/");
    const bool sync = api.path == kSyncPath;
    auto start = [this, &api](auto callback) {
      service_->api(std::move(api), std::move(callback));
    };
    const asio::any_io_executor executor = stream_.get_executor();
    ApiReply reply = co_await await_callback<ApiReply>(executor, std::move(start));
    peer_->visit->let_go();
    if (asks && reply.status < 300) peer_->visit->known();
    const bool wrong = reply.status == info(Code::kAuthBadToken).http ||
                       (sync && reply.status == 400 && !peer_->visit->is_known());
    const bool shut_out = wrong && peer_->visit->strike();
    shape.keep_alive = shape.keep_alive && !shut_out && !peer_->visit->spent();
    const bool written = co_await respond(reply, shape);
    co_return written&& shape.keep_alive;
  }

  asio::awaitable<bool> show(const HttpRequest& request, std::string_view path, HttpShape& shape) {
    const std::string accepts = all_values(request, "Accept-Encoding");
    const std::string known = all_values(request, "If-None-Match");
    const auto method = request.method_string();
    const PageRequest asked{std::string_view(method.data(), method.size()), path, accepts, known};
    const PageAnswer page = hooks_->pages->answer(asked);
    peer_->visit->let_go();
    shape.keep_alive = shape.keep_alive && !peer_->visit->spent();
    bool written = false;
    if (page.error) {
      ApiReply reply = problem(*page.error);
      written = co_await respond(reply, shape);
    } else {
      HttpPage response = to_response(page, shape);
      written = co_await send(response);
    }
    co_return written&& shape.keep_alive;
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
  asio::awaitable<bool> refuse(ApiReply& reply) {
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
    ApiReply reply = problem(*wrong);
    co_return co_await refuse(reply);
  }

  // Until the visit wakes. A fresh limit, as for a deadline: who is sent away late, is not any
  // more.
  void rest() {
    limit_ = std::make_shared<Limit>();
    auto leave = [this, executor = stream_.get_executor(), weak = std::weak_ptr<Limit>(limit_)] {
      auto cut = [this, weak] {
        const auto limit = weak.lock();
        if (limit != nullptr && !limit->over) stream_.bare().cancel();
      };
      asio::post(executor, std::move(cut));
    };
    peer_->visit->rest(std::move(leave));
  }

  // A fresh one for each wait: a late expiry finds that nobody waits for it any more.
  struct Limit {
    bool over = false;  // what it limits has come to its end
    bool expired = false;
  };
  void start_deadline(std::chrono::milliseconds time) {
    if (limit_ == nullptr || limit_->over) limit_ = std::make_shared<Limit>();
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

  // Piece by piece, as the other side takes them. Awaited at once.
  asio::awaitable<bool> send_file(ApiReply& reply, const HttpShape& shape) {
    HttpFile response = file_response(reply, shape);
    http::response_serializer<http::buffer_body> serializer(response);
    const asio::any_io_executor executor = stream_.get_executor();
    ErrorCode error;
    stream_.bare().expires_after(slowest(limits::kHeaderBytes, limits::kWriteGraceMs));
    co_await http::async_write_header(stream_, serializer, into(error));
    while (!error && !shape.head_only && reply.file->left() > 0) {
      auto start = [this, &reply](auto callback) {
        service_->read_blob(reply.file, std::move(callback));
      };
      Result<std::string> piece =
          co_await await_callback<Result<std::string>>(executor, std::move(start));
      if (!piece) co_return false;  // the length that was told cannot be kept any more
      response.body().data = piece->data();
      response.body().size = piece->size();
      response.body().more = reply.file->left() > 0;
      stream_.bare().expires_after(slowest(piece->size(), limits::kWriteGraceMs));
      co_await http::async_write(stream_, serializer, into(error));
      if (error == http::error::need_buffer) error = {};
      peer_->visit->bytes(piece->size());
    }
    stream_.bare().expires_never();
    served_ = true;
    co_return !error;
  }

  // Awaited at once: what it refers to outlives it.
  asio::awaitable<bool> respond(ApiReply& reply, const HttpShape& shape) {
    if (reply.file != nullptr) co_return co_await send_file(reply, shape);
    HttpResponse response = to_response(reply, shape);
    co_return co_await send(response);
  }

  template <typename Response>
  asio::awaitable<bool> send(Response& response) {
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
  beast::flat_buffer buffer_{limits::kUnreadBytes};
  Forwarded client_;  // of the request at hand
  HttpShape shape_;
  bool room_ = true;
  bool cut_ = false;  // it had to make room
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

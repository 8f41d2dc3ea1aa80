#include "tools/client/http_client.h"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <simdjson.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>

#include "server/asio.h"
#include "server/config.h"
#include "server/secrets.h"
#include "sync/canonical.h"
#include "sync/wire.h"

namespace waystation {
namespace {

namespace http = beast::http;
constexpr std::chrono::seconds kPatience(60);
constexpr std::size_t kLargestAnswer = 64U << 20U;

std::string& trusted_certificate() {
  static std::string file;
  return file;
}

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Certificate read_certificate(const std::string& file) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> in(BIO_new_file(file.c_str(), "r"), BIO_free);
  return {in == nullptr ? nullptr : PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr),
          X509_free};
}

}  // namespace

void speak_tls_with(std::string certificate_file) {
  trusted_certificate() = std::move(certificate_file);
}

struct HttpClient::Connection {
  asio::io_context context{1};
  beast::tcp_stream stream{context};
  asio::ssl::context context_of_tls{asio::ssl::context::tls_client};
  std::unique_ptr<asio::ssl::stream<beast::tcp_stream&>> tls;  // null: plain
  beast::flat_buffer buffer;

  // Calls it with the stream to speak over.
  template <typename Use>
  void with_stream(Use use) {
    if (tls != nullptr) return use(*tls);
    use(stream);
  }

  // The handshake, and whether the certificate is the one that is trusted.
  Status secure(const std::string& address, const std::string& file) {
    const Certificate wanted = read_certificate(file);
    if (wanted == nullptr) return Error{Code::kIo, fmt::format("{}: not a certificate", file)};
    tls = std::make_unique<asio::ssl::stream<beast::tcp_stream&>>(stream, context_of_tls);
    const ErrorCode error = step(
        [&](auto done) { tls->async_handshake(asio::ssl::stream_base::client, std::move(done)); });
    if (error) return Error{Code::kIo, fmt::format("{}: {}", address, error.message())};
    const Certificate shown(SSL_get1_peer_certificate(tls->native_handle()), X509_free);
    if (shown == nullptr || X509_cmp(shown.get(), wanted.get()) != 0) {
      return Error{Code::kIo, fmt::format("{} does not show the certificate in {}", address, file)};
    }
    return {};
  }

  // Runs one asynchronous step to its end, under the stream's deadline.
  template <typename Start>
  ErrorCode step(Start start) {
    ErrorCode result = asio::error::would_block;
    stream.expires_after(kPatience);
    start([&result](ErrorCode error, auto&&...) { result = error; });
    context.restart();
    context.run();
    return result;
  }
};

HttpClient::HttpClient(std::string address, std::string bearer)
    : address_(std::move(address)), bearer_(std::move(bearer)) {}

HttpClient::~HttpClient() = default;

Status HttpClient::connect() {
  const auto endpoint = parse_endpoint(address_);
  if (!endpoint) return endpoint.error();
  ErrorCode error;
  const auto address = asio::ip::make_address(endpoint->address, error);
  if (error) return Error{Code::kIo, fmt::format("{}: {}", address_, error.message())};
  auto made = std::make_unique<Connection>();
  const tcp::endpoint where(address, endpoint->port);
  error = made->step([&](auto done) { made->stream.async_connect(where, std::move(done)); });
  if (error) return Error{Code::kIo, fmt::format("{}: {}", address_, error.message())};
  made->stream.socket().set_option(tcp::no_delay(true), error);
  if (!trusted_certificate().empty()) {
    if (auto secured = made->secure(address_, trusted_certificate()); !secured) return secured;
  }
  connection_ = std::move(made);
  return {};
}

Result<HttpAnswer> HttpClient::once(const std::string& method, const std::string& target,
                                    const std::string& body) {
  if (connection_ == nullptr) {
    if (auto connected = connect(); !connected) return connected.error();
  }
  http::request<http::string_body> request;
  request.version(11);
  request.method_string(method);
  request.target(target);
  request.set(http::field::host, address_);
  if (!bearer_.empty()) request.set(http::field::authorization, "Bearer " + bearer_);
  if (!body.empty()) request.set(http::field::content_type, "application/json");
  for (const auto& [name, value] : headers_) {
    if (!value.empty()) request.set(name, value);
  }
  request.body() = body;
  request.prepare_payload();
  Connection& connection = *connection_;
  ErrorCode error = connection.step([&](auto done) {
    connection.with_stream(
        [&](auto& stream) { http::async_write(stream, request, std::move(done)); });
  });
  http::response_parser<http::string_body> parser;
  parser.body_limit(kLargestAnswer);
  if (!error) {
    error = connection.step([&](auto done) {
      connection.with_stream([&](auto& stream) {
        http::async_read(stream, connection.buffer, parser, std::move(done));
      });
    });
  }
  if (error) {
    connection_.reset();
    return Error{Code::kIo, fmt::format("{}: {}", address_, error.message())};
  }
  const auto& response = parser.get();
  HttpAnswer answer{static_cast<int>(response.result_int()),
                    std::string(response[http::field::content_type]), response.body()};
  for (const auto& field : response) {
    if (field.name() == http::field::set_cookie) answer.cookies.emplace_back(field.value());
  }
  answer.retry_after = std::string(response[http::field::retry_after]);
  answer.location = std::string(response[http::field::location]);
  if (!response.keep_alive()) connection_.reset();
  return answer;
}

Result<HttpAnswer> HttpClient::request(const std::string& method, const std::string& target,
                                       const std::string& body) {
  const bool kept = connection_ != nullptr;
  auto answer = once(method, target, body);
  return answer.ok() || !kept ? std::move(answer) : once(method, target, body);
}

std::string json_text(const std::string& json, const std::string& key) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view value;
  if (parser.parse(json).get(root) != simdjson::SUCCESS) return {};
  if (root[key].get(value) != simdjson::SUCCESS) return {};
  return std::string(value);
}

Error problem_of(const HttpAnswer& answer) {
  const std::string code = json_text(answer.body, "code");
  for (const CodeInfo& known : all_codes()) {
    if (known.name == code) return Error{known.code, json_text(answer.body, "detail")};
  }
  return Error{Code::kIo, fmt::format("the server answered {}", answer.status)};
}

Result<Enrolled> enroll_over_http(const std::string& address, const std::string& admin_token,
                                  const std::vector<std::string>& scopes, std::string_view role,
                                  const std::string& name) {
  HttpClient client(address, admin_token);
  std::string body = "{\"scopes\":";
  append_string_array(body, scopes);
  body += ",\"role\":";
  append_json_string(body, role);
  body += ",\"name\":";
  append_json_string(body, name);
  body += "}";
  const auto code = client.request("POST", "/v1/codes", body);
  if (!code) return code.error();
  if (code->status != 200) return problem_of(*code);
  body = fmt::format(R"({{"code":"{}","request":"{}","name":)", json_text(code->body, "code"),
                     random_token());
  append_json_string(body, name);
  body += "}";
  const auto enrolled = client.request("POST", "/v1/enroll", body);
  if (!enrolled) return enrolled.error();
  if (enrolled->status != 200) return problem_of(*enrolled);
  return Enrolled{json_text(enrolled->body, "device"), json_text(enrolled->body, "token")};
}

}  // namespace waystation

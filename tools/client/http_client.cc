#include "tools/client/http_client.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <boost/asio/ip/tcp.hpp>
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

}  // namespace

struct HttpClient::Connection {
  asio::io_context context{1};
  beast::tcp_stream stream{context};
  beast::flat_buffer buffer;

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
  ErrorCode error = connection.step(
      [&](auto done) { http::async_write(connection.stream, request, std::move(done)); });
  http::response_parser<http::string_body> parser;
  parser.body_limit(kLargestAnswer);
  if (!error) {
    error = connection.step([&](auto done) {
      http::async_read(connection.stream, connection.buffer, parser, std::move(done));
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
                                  const std::vector<std::string>& scopes, const std::string& name) {
  HttpClient client(address, admin_token);
  std::string body = "{\"scopes\":";
  append_string_array(body, scopes);
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

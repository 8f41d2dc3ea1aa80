#include "tests/process/tls_client.h"

#include <openssl/ssl.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <chrono>
#include <sstream>

#include "server/asio.h"

namespace waystation::testing {
namespace {

constexpr std::chrono::seconds kTlsPatience(30);

}  // namespace

struct TlsClient::Connection {
  asio::io_context context{1};
  asio::ssl::context tls{asio::ssl::context::tls_client};
  std::unique_ptr<beast::websocket::stream<asio::ssl::stream<beast::tcp_stream>>> socket;
  beast::flat_buffer buffer;
  bool open = false;

  asio::ssl::stream<beast::tcp_stream>& stream() { return socket->next_layer(); }
  beast::tcp_stream& tcp() { return beast::get_lowest_layer(*socket); }

  // Runs one step to its end.
  template <typename Start>
  bool step(Start start) {
    ErrorCode result = asio::error::would_block;
    tcp().expires_after(kTlsPatience);
    start([&result](ErrorCode error, auto&&...) { result = error; });
    context.restart();
    context.run();
    return !result;
  }
};

TlsClient::TlsClient(std::uint16_t port, const TlsOptions& options)
    : connection_(std::make_unique<Connection>()) {
  Connection& c = *connection_;
  SSL_CTX* raw = c.tls.native_handle();
  SSL_CTX_set_security_level(raw, 0);  // old versions are offered, too
  SSL_CTX_set_min_proto_version(raw, 0);
  SSL_CTX_set_max_proto_version(raw, options.highest_version);
  std::string offered;
  for (const std::string& protocol : options.protocols) {
    offered += static_cast<char>(protocol.size());
    offered += protocol;
  }
  if (!offered.empty()) {
    SSL_CTX_set_alpn_protos(raw, reinterpret_cast<const unsigned char*>(offered.data()),
                            static_cast<unsigned>(offered.size()));
  }
  using Socket = beast::websocket::stream<asio::ssl::stream<beast::tcp_stream>>;
  c.socket = std::make_unique<Socket>(c.context, c.tls);
  const tcp::endpoint where(asio::ip::address_v4::loopback(), port);
  c.open = c.step([&](auto done) { c.tcp().async_connect(where, std::move(done)); }) &&
           c.step([&](auto done) {
             c.stream().async_handshake(asio::ssl::stream_base::client, std::move(done));
           });
}

TlsClient::~TlsClient() = default;

bool TlsClient::open() const { return connection_->open; }

std::string TlsClient::name() const {
  X509* shown = SSL_get0_peer_certificate(connection_->stream().native_handle());
  if (shown == nullptr) return {};
  std::string name(64, '\0');
  const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName,
                                             name.data(), static_cast<int>(name.size()));
  name.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return name;
}

std::string TlsClient::protocol() const {
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(connection_->stream().native_handle(), &chosen, &size);
  return {reinterpret_cast<const char*>(chosen), size};
}

std::string TlsClient::version() const {
  return SSL_get_version(connection_->stream().native_handle());
}

std::string TlsClient::ask(std::string_view request) {
  Connection& c = *connection_;
  const auto bytes = asio::buffer(request.data(), request.size());
  namespace http = beast::http;
  http::response<http::string_body> response;
  const bool answered =
      c.step([&](auto done) { asio::async_write(c.stream(), bytes, std::move(done)); }) &&
      c.step([&](auto done) { http::async_read(c.stream(), c.buffer, response, std::move(done)); });
  if (!answered) return {};
  std::ostringstream text;
  text << response;
  return text.str();
}

bool TlsClient::upgrade() {
  Connection& c = *connection_;
  return c.step([&](auto done) { c.socket->async_handshake("a", "/v1/live", std::move(done)); });
}

std::string TlsClient::ask_live(std::string_view frame) {
  Connection& c = *connection_;
  const auto bytes = asio::buffer(frame.data(), frame.size());
  c.buffer.clear();
  const bool answered = c.step([&](auto done) { c.socket->async_write(bytes, std::move(done)); }) &&
                        c.step([&](auto done) { c.socket->async_read(c.buffer, std::move(done)); });
  return answered ? beast::buffers_to_string(c.buffer.data()) : std::string();
}

}  // namespace waystation::testing

#include "server/tls.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <spdlog/spdlog.h>

#include <array>
#include <system_error>

namespace waystation {
namespace {

namespace ssl = boost::asio::ssl;

// Of TLS 1.2; all those of 1.3 are good.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

constexpr std::array<unsigned char, 9> kHttp11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// A client that speaks none of what it may be asked for here is told so (RFC 7301).
int choose_protocol(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* in, unsigned int in_size, void* /*argument*/) {
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, out_size, kHttp11.data(), kHttp11.size(), in, in_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Result<std::shared_ptr<ssl::context>> read(const std::string& certificate, const std::string& key) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* raw = context->native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(
      raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);  // an idle connection is to cost little
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  const auto wrong = [](const std::string& file, const std::string& why) {
    return Error{Code::kConfigInvalid, fmt::format("{}: {}", file, why)};
  };
  if (SSL_CTX_set_cipher_list(raw, kCiphers) != 1) return wrong("TLS", "no ciphers");
  boost::system::error_code error;
  // Never asks on the terminal.
  const auto no_password = [](std::size_t, ssl::context::password_purpose) {
    return std::string();
  };
  context->set_password_callback(no_password, error);
  context->use_certificate_chain_file(certificate, error);
  if (error) return wrong(certificate, error.message());
  context->use_private_key_file(key, ssl::context::pem, error);
  if (error) return wrong(key, error.message());
  if (SSL_CTX_check_private_key(raw) != 1) return wrong(key, "not the key of the certificate");
  return context;
}

}  // namespace

Result<std::unique_ptr<Tls>> Tls::open(const std::string& certificate, const std::string& key) {
  std::unique_ptr<Tls> tls(new Tls(certificate, key));
  tls->seen_ = tls->look();
  auto context = read(certificate, key);
  if (!context) return context.error();
  tls->context_ = std::move(*context);
  return tls;
}

std::shared_ptr<ssl::context> Tls::context() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

Tls::Look Tls::look() const {
  std::error_code missing;  // then the time is the smallest
  Look now;
  now.certificate_time = std::filesystem::last_write_time(certificate_, missing);
  now.key_time = std::filesystem::last_write_time(key_, missing);
  return now;
}

void Tls::reload() {
  const Look now = look();
  auto context = read(certificate_, key_);
  const std::lock_guard lock(mutex_);
  seen_ = now;
  if (!context) {
    spdlog::error("the new certificate is not taken, the old one stays: {}",
                  context.error().context);
    return;
  }
  context_ = std::move(*context);
  spdlog::info("certificate read anew from {}", certificate_);
}

void Tls::reload_if_changed() {
  {
    const Look now = look();
    const std::lock_guard lock(mutex_);
    if (now == seen_) return;
  }
  reload();
}

}  // namespace waystation

// The server's side of TLS: a certificate and its key from files, 1.2 and later, ciphers with
// forward secrecy alone, ALPN http/1.1. The files are read anew when they change; new connections
// take what was read last, and those that are open stay as they are. Thread-safe.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "sync/result.h"

namespace waystation {

class Tls {
 public:
  // Errors: kConfigInvalid (no such file, not PEM, the key of another certificate).
  [[nodiscard]] static Result<std::unique_ptr<Tls>> open(const std::string& certificate,
                                                         const std::string& key);

  [[nodiscard]] std::shared_ptr<boost::asio::ssl::context> context() const;

  // Reads the files anew; what is wrong with them is logged, and the old certificate stays.
  void reload();
  // The same if they have changed since they were last read. Cheap: two look-ups of files.
  void reload_if_changed();

 private:
  // Enough to see that a file is another one: a new name for the old file, or a new time.
  struct Look {
    std::filesystem::file_time_type certificate_time;
    std::filesystem::file_time_type key_time;
    friend bool operator==(const Look&, const Look&) = default;
  };

  Tls(std::string certificate, std::string key)
      : certificate_(std::move(certificate)), key_(std::move(key)) {}
  [[nodiscard]] Look look() const;

  const std::string certificate_;
  const std::string key_;
  mutable std::mutex mutex_;
  std::shared_ptr<boost::asio::ssl::context> context_;
  Look seen_{};
};

}  // namespace waystation

// A phone that uploads, in the words of the tus protocol; each request on a connection of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/process/messages.h"
#include "tests/process/raw_socket.h"
#include "tests/process/test_server.h"

namespace waystation::testing {

[[nodiscard]] std::string base64(const std::string& bytes);
[[nodiscard]] std::string hash_of(const std::string& bytes);  // SHA-256 in hex
// Bytes that differ from those of another seed.
[[nodiscard]] std::string picture(std::size_t size, unsigned seed = 1);
[[nodiscard]] std::string header(const RawAnswer& answer, const std::string& name);
[[nodiscard]] std::string code_of(const RawAnswer& answer);

class Tus {
 public:
  Tus(const TestServer& server, const Enrolled& device)
      : server_(server), bearer_(device.device + "." + device.token) {}

  [[nodiscard]] RawAnswer request(const std::string& method, const std::string& target,
                                  const std::string& headers = {},
                                  const std::string& body = {}) const;
  [[nodiscard]] RawAnswer create(std::size_t length, const std::string& hash) const;
  // The place of a new upload of these bytes.
  [[nodiscard]] std::string begin(const std::string& bytes) const;
  [[nodiscard]] RawAnswer patch(const std::string& place, std::size_t offset,
                                const std::string& bytes) const;
  // Announces `bytes` from offset on, sends the first `sent` of them, and hangs up.
  void cut_off(const std::string& place, std::size_t offset, const std::string& bytes,
               std::size_t sent) const;
  // What HEAD says; nothing where the upload is not there.
  [[nodiscard]] std::optional<std::size_t> offset(const std::string& place) const;
  void upload(const std::string& bytes) const;
  [[nodiscard]] RawAnswer get(const std::string& hash, const std::string& scope,
                              const std::string& id, const std::string& headers = {}) const;

 private:
  [[nodiscard]] std::string head_of(const std::string& method, const std::string& target,
                                    const std::string& headers, std::size_t length) const;

  const TestServer& server_;
  std::string bearer_;
};

}  // namespace waystation::testing

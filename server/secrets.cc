#include "server/secrets.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "sync/bytes.h"
#include "sync/device_id.h"
#include "sync/result.h"

namespace waystation {
namespace {

template <std::size_t N>
std::array<unsigned char, N> random_bytes(const RandomBytes& random) {
  std::array<unsigned char, N> bytes{};
  random(bytes);
  return bytes;
}

std::uint64_t random_bits(unsigned bits, const RandomBytes& random) {
  std::uint64_t value = 0;
  for (const unsigned char byte : random_bytes<8>(random)) value = value << 8U | byte;
  return value & ((std::uint64_t{1} << bits) - 1);
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string mac(SHA256_DIGEST_LENGTH, '\0');
  unsigned size = 0;
  WS_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                reinterpret_cast<unsigned char*>(mac.data()), &size) != nullptr);
  return mac;
}

}  // namespace

const RandomBytes& os_random() {
  static const RandomBytes kRandom = [](std::span<unsigned char> bytes) {
    WS_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  };
  return kRandom;
}

std::int64_t random_between(std::int64_t low, std::int64_t high, const RandomBytes& random) {
  // 53 bits over a small range: the bias is far below what anybody could measure.
  return low + static_cast<std::int64_t>(random_bits(53, random) %
                                         static_cast<std::uint64_t>(high - low + 1));
}

std::string random_token(const RandomBytes& random) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  // base64url; 43 characters of 6 bits hold 258: each is drawn by itself.
  std::string token;
  for (const unsigned char byte : random_bytes<43>(random)) token += kAlphabet[byte & 63U];
  return token;
}

std::string random_incarnation(const RandomBytes& random) {
  std::string text;
  for (const unsigned char byte : random_bytes<16>(random)) text += fmt::format("{:02x}", byte);
  return text;
}

std::string code_hash(std::string_view digits, std::string_view admin_token) {
  return hmac_sha256(admin_token, digits);
}

std::string handover_mac(std::string_view token_hash, std::string_view text) {
  return hex_of(hmac_sha256(hmac_sha256(token_hash, "waystation handover 1"), text));
}

std::uint64_t random_device(const RandomBytes& random) {
  std::uint64_t device = 0;
  while (device == 0) device = random_bits(50, random);
  return device;
}

std::string random_code(const RandomBytes& random) {
  return format_device_id(random_bits(50, random));
}

std::string display_code(std::string_view digits) {
  return fmt::format("{}-{}", digits.substr(0, 5), digits.substr(5));
}

bool equal_secrets(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<std::string> admin_token(const std::string& folder, bool create) {
  if (const char* given = std::getenv("WAYSTATION_ADMIN_TOKEN"); given != nullptr && *given != 0) {
    if (std::strlen(given) >= kAdminTokenChars) return std::string(given);
    return Error{Code::kIo, fmt::format("WAYSTATION_ADMIN_TOKEN needs {} characters or more: "
                                        "whoever guesses it has everything",
                                        kAdminTokenChars)};
  }
  const std::string path = folder + "/admin.token";
  std::ifstream in(path);
  std::string token;
  if (in >> token && token.size() >= kAdminTokenChars) return token;
  if (!create) {
    return Error{Code::kIo,
                 fmt::format("{} cannot be read: is that the server's data folder?", path)};
  }
  token = random_token();
  const int file =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
  const std::string line = token + "\n";
  // One that was there keeps its mode when it is opened.
  const bool written = file >= 0 && ::fchmod(file, S_IRUSR | S_IWUSR) == 0 &&
                       ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  if (file >= 0) ::close(file);
  if (!written) return Error{Code::kIo, fmt::format("{} cannot be written", path)};
  return token;
}

}  // namespace waystation

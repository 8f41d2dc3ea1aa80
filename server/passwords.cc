#include "server/passwords.h"

#include <fmt/format.h>
#include <liboath/oath.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "sync/device_id.h"
#include "sync/limits.h"

namespace waystation {
namespace {

// Three passes over 64 MiB: above OWASP's least (19 MiB, two passes), and a flood of attempts takes
// one thread and 64 MiB of the machine.
constexpr unsigned long long kPasses = crypto_pwhash_OPSLIMIT_MODERATE;
constexpr std::size_t kMemory = crypto_pwhash_MEMLIMIT_INTERACTIVE;

// The library must be ready before it is used, from whatever thread comes first.
void ready() {
  static const int kReady = sodium_init();
  WS_CHECK(kReady >= 0);
}

std::size_t code_points(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

std::string signature(std::string_view key, std::string_view account, std::string_view id,
                      std::int64_t expires_ms) {
  ready();
  WS_CHECK(key.size() >= crypto_auth_KEYBYTES);
  // Neither a name nor an id holds a line feed.
  const std::string text = fmt::format("browser\n{}\n{}\n{}", account, id, expires_ms);
  std::array<unsigned char, crypto_auth_BYTES> mac{};
  crypto_auth(mac.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
              reinterpret_cast<const unsigned char*>(key.data()));
  std::string hex;
  for (const unsigned char byte : mac) hex += fmt::format("{:02x}", byte);
  return hex;
}

}  // namespace

std::optional<std::string> password_fault(std::string_view password, std::string_view name) {
  if (code_points(password) < limits::kPasswordPoints) {
    return fmt::format("it has fewer than {} characters", limits::kPasswordPoints);
  }
  if (password.find('\0') != std::string_view::npos)
    return "it holds a character that nobody types";
  std::array<bool, 256> seen{};
  for (const char c : password) seen.at(static_cast<unsigned char>(c)) = true;
  if (std::count(seen.begin(), seen.end(), true) < 5) return "it repeats a few characters";
  if (name.size() >= 3 && password.find(name) != std::string_view::npos) {
    return "it holds the name of the account";
  }
  return std::nullopt;
}

Result<std::string> hash_password(std::string_view password) {
  ready();
  std::array<char, crypto_pwhash_STRBYTES> out{};
  if (crypto_pwhash_str(out.data(), password.data(), password.size(), kPasses, kMemory) != 0) {
    return Error{Code::kInternal, "there is no memory to hash a password"};
  }
  return std::string(out.data());
}

bool password_matches(std::string_view hash, std::string_view password) {
  ready();
  // Made anew by each process: nobody knows what it is the hash of.
  static const std::string kNobodys = [] {
    const auto made = hash_password(random_token());
    WS_CHECK(made.ok());
    return *made;
  }();
  const std::string against(hash.empty() ? std::string_view(kNobodys) : hash);
  const bool right =
      crypto_pwhash_str_verify(against.c_str(), password.data(), password.size()) == 0;
  return right && !hash.empty();
}

// --- the second factor ------------------------------------------------------------------------

std::string random_totp_secret(const RandomBytes& random) {
  std::array<unsigned char, 20> bytes{};
  random(bytes);
  return std::string(bytes.begin(), bytes.end());
}

std::string totp_code(std::string_view secret, std::int64_t time_s, unsigned digits) {
  std::array<char, 16> code{};
  WS_CHECK(oath_totp_generate(secret.data(), secret.size(), time_s, kTotpStepS,
                              OATH_TOTP_DEFAULT_START_TIME, digits, code.data()) == OATH_OK);
  return code.data();
}

std::optional<std::uint64_t> totp_match(std::string_view secret, std::string_view code,
                                        std::int64_t time_s, std::uint64_t used) {
  std::optional<std::uint64_t> found;
  const std::int64_t now = std::max<std::int64_t>(time_s / kTotpStepS, 1);
  for (std::int64_t step = now - 1; step <= now + 1; ++step) {
    const bool same = equal_secrets(totp_code(secret, step * kTotpStepS), code);
    if (same && static_cast<std::uint64_t>(step) > used) found = static_cast<std::uint64_t>(step);
  }
  return found;
}

std::string base32(std::string_view bytes) {
  char* out = nullptr;
  std::size_t size = 0;
  WS_CHECK(oath_base32_encode(bytes.data(), bytes.size(), &out, &size) == OATH_OK);
  std::string text(out, size);
  std::free(out);  // NOLINT(cppcoreguidelines-no-malloc): the library's allocation
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

std::string totp_uri(std::string_view secret, std::string_view account) {
  std::string label;
  for (const char c : account) label += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return fmt::format("otpauth://totp/Waystation:{}?secret={}&issuer=Waystation", label,
                     base32(secret));
}

std::string random_recovery_code(const RandomBytes& random) {
  std::array<unsigned char, 16> bytes{};
  random(bytes);
  std::string code;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0 && i % 4 == 0) code += '-';
    code += kCrockford[bytes.at(i) % kCrockford.size()];  // 256 is a multiple of 32
  }
  return code;
}

// --- cookies of known browsers ----------------------------------------------------------------

std::string sign_browser(std::string_view key, std::string_view account, std::string_view id,
                         std::int64_t expires_ms) {
  return fmt::format("{}.{}.{}", id, expires_ms, signature(key, account, id, expires_ms));
}

std::optional<std::string> known_browser(std::string_view key, std::string_view account,
                                         std::string_view cookie, std::int64_t now_ms) {
  const std::size_t first = cookie.find('.');
  const std::size_t second = cookie.find('.', first + 1);
  if (key.empty() || first == std::string_view::npos || second == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view id = cookie.substr(0, first);
  const std::string_view when = cookie.substr(first + 1, second - first - 1);
  std::int64_t expires_ms = 0;
  const auto parsed = std::from_chars(when.data(), when.data() + when.size(), expires_ms);
  if (parsed.ec != std::errc() || parsed.ptr != when.data() + when.size()) return std::nullopt;
  if (!equal_secrets(signature(key, account, id, expires_ms), cookie.substr(second + 1))) {
    return std::nullopt;
  }
  if (expires_ms <= now_ms) return std::nullopt;
  return std::string(id);
}

}  // namespace waystation

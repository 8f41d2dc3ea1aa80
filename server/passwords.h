// Passwords and second factors: argon2id (libsodium), time-based codes (RFC 6238, liboath), and
// signatures over what a browser keeps. docs/office-access.md has the reasons for the numbers. Any
// thread; what is slow says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/secrets.h"
#include "sync/result.h"

namespace waystation {

// What makes it too easy to guess, for people; nothing: it may be used.
[[nodiscard]] std::optional<std::string> password_fault(std::string_view password,
                                                        std::string_view name);

// Slow on purpose: about 0.15 s and 64 MiB. The salt comes from libsodium. Errors: kInternal (no
// memory).
[[nodiscard]] Result<std::string> hash_password(std::string_view password);
// As slow. An empty hash, of an account that has none or is not there, takes the same time and is
// never right.
[[nodiscard]] bool password_matches(std::string_view hash, std::string_view password);

// --- the second factor ------------------------------------------------------------------------
inline constexpr std::int64_t kTotpStepS = 30;
inline constexpr unsigned kTotpDigits = 6;

[[nodiscard]] std::string random_totp_secret(const RandomBytes& random);  // 160 bits
// The code of the step that `time_s` lies in. `digits`: 6 to 8.
[[nodiscard]] std::string totp_code(std::string_view secret, std::int64_t time_s,
                                    unsigned digits = kTotpDigits);
// The step whose code this is, of the one before, the one of now and the one after, if it is later
// than `used`: a code is good once.
[[nodiscard]] std::optional<std::uint64_t> totp_match(std::string_view secret,
                                                      std::string_view code, std::int64_t time_s,
                                                      std::uint64_t used);
[[nodiscard]] std::string base32(std::string_view bytes);
// otpauth://… for the QR code.
[[nodiscard]] std::string totp_uri(std::string_view secret, std::string_view account);

// 80 bits as 16 Crockford digits: ABCD-EFGH-JKMN-PQRS. Its digits are what is hashed.
[[nodiscard]] std::string random_recovery_code(const RandomBytes& random);

// --- cookies of known browsers ----------------------------------------------------------------
// <id>.<expires>.<signature>: says that this browser has signed in to `account` before.
[[nodiscard]] std::string sign_browser(std::string_view key, std::string_view account,
                                       std::string_view id, std::int64_t expires_ms);
// Its id; nothing: not signed for this account, or expired.
[[nodiscard]] std::optional<std::string> known_browser(std::string_view key,
                                                       std::string_view account,
                                                       std::string_view cookie,
                                                       std::int64_t now_ms);

}  // namespace waystation

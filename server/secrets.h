// Random secrets and their hashes. Any thread, as far as the source of random bytes allows it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "sync/result.h"

namespace waystation {

// Fills the bytes at random. The operating system's in the field, a seeded one in the simulator.
using RandomBytes = std::function<void(std::span<unsigned char>)>;
[[nodiscard]] const RandomBytes& os_random();

[[nodiscard]] std::string random_token(const RandomBytes& random = os_random());  // 256 bits
[[nodiscard]] std::string random_incarnation(
    const RandomBytes& random = os_random());  // 128 bits, hex
[[nodiscard]] std::uint64_t random_device(
    const RandomBytes& random = os_random());  // a device id, never 0
// Evenly in [low, high]. Precondition: low <= high.
[[nodiscard]] std::int64_t random_between(std::int64_t low, std::int64_t high,
                                          const RandomBytes& random = os_random());
// 50 bits as 10 Crockford digits, and as written for people: ABCDE-FGHJK.
[[nodiscard]] std::string random_code(const RandomBytes& random = os_random());
[[nodiscard]] std::string display_code(std::string_view digits);

// What is kept of a code: HMAC-SHA-256 under the administrator's token. A plain hash of 50 bits
// could be reversed by whoever sees it, or the part of it that is the code's id.
[[nodiscard]] std::string code_hash(std::string_view digits, std::string_view admin_token);

// What ops are signed by that another device hands in: HMAC-SHA-256 of `text`, in hex, under a key
// that the device derives from its token and the server from the hash that it keeps of it.
// docs/protocol.md, "Hand-over".
[[nodiscard]] std::string handover_mac(std::string_view token_hash, std::string_view text);

// Equal, in a time that does not depend on where they differ.
[[nodiscard]] bool equal_secrets(std::string_view a, std::string_view b);

// The administrator's token: from WAYSTATION_ADMIN_TOKEN, or from `folder`/admin.token, which is
// made (readable by its owner only) when it is missing and `create` is set. Errors: kIo, also when
// it has less than kAdminTokenChars.
inline constexpr std::size_t kAdminTokenChars = 32;
[[nodiscard]] Result<std::string> admin_token(const std::string& folder, bool create);

}  // namespace waystation

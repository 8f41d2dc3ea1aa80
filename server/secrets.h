// Random secrets and their hashes. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sync/result.h"

namespace waystation {

[[nodiscard]] std::string random_token();        // 256 bits, base64url
[[nodiscard]] std::string random_incarnation();  // 128 bits, hex
[[nodiscard]] std::uint64_t random_device();     // a device id, never 0
// 50 bits as 10 Crockford digits, and as written for people: ABCDE-FGHJK.
[[nodiscard]] std::string random_code();
[[nodiscard]] std::string display_code(std::string_view digits);

// Equal, in a time that does not depend on where they differ.
[[nodiscard]] bool equal_secrets(std::string_view a, std::string_view b);

// The administrator's token: from WAYSTATION_ADMIN_TOKEN, or from `folder`/admin.token, which is
// made (readable by its owner only) when it is missing and `create` is set. Errors: kIo.
[[nodiscard]] Result<std::string> admin_token(const std::string& folder, bool create);

}  // namespace waystation

// What the subcommands that speak to a running server share.
#pragma once

#include <string>

#include "server/config.h"
#include "sync/result.h"

namespace waystation::cli {

inline constexpr const char* kServerHelp =
    "address:port of the running server (default: the setting listen)";

// For an option that takes a role; empty: it is one.
[[nodiscard]] std::string role_check(const std::string& text);

// `server`, or the setting listen where that is empty.
[[nodiscard]] std::string server_address(const Config& config, const std::string& server);

// One request as the administrator; gives the body of the answer as canonical JSON. Errors: what
// the server says; kIo with what to do when nobody answers.
[[nodiscard]] Result<std::string> ask_as_admin(const Config& config, const std::string& server,
                                               const std::string& method, const std::string& target,
                                               const std::string& body = {});

}  // namespace waystation::cli

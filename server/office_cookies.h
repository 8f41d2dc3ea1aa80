// What goes between an office browser and the server around a session: cookies, the token against
// forged requests, and where a request comes from. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/service.h"
#include "storage/office.h"

namespace waystation {

// Under TLS with "__Host-" in front, which a browser takes only from this host, over TLS, for all
// paths.
inline constexpr std::string_view kSessionCookie = "waystation";
inline constexpr std::string_view kBrowserCookie = "waystation-known";

// The value of a cookie by the name that it has on this connection; empty: not sent.
[[nodiscard]] std::string cookie_value(const ApiRequest& request, std::string_view name);
// Values of Set-Cookie.
[[nodiscard]] std::string session_cookie(bool secure, std::string_view id);
[[nodiscard]] std::string ended_session_cookie(bool secure);
[[nodiscard]] std::string browser_cookie(bool secure, std::string_view value);

// Follows from the session's id, which cannot be told from it.
[[nodiscard]] std::string csrf_token(std::string_view session_id);

// A browser says where a request comes from; other programs say nothing. Errors: kAuthCsrf.
[[nodiscard]] Status check_origin(const ApiRequest& request);

// The answer that tells of a session. `zone`: in which days begin; empty where none are counted.
[[nodiscard]] std::string session_text(const OfficeAccount& account, const OfficeSession& session,
                                       std::string_view csrf, std::string_view zone);

}  // namespace waystation

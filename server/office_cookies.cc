#include "server/office_cookies.h"

#include <fmt/format.h>

#include "sync/bytes.h"
#include "sync/canonical.h"
#include "sync/digest.h"
#include "sync/limits.h"

namespace waystation {
namespace {

std::string full_name(bool secure, std::string_view name) {
  return fmt::format("{}{}", secure ? "__Host-" : "", name);
}

std::string cookie(bool secure, std::string_view name, std::string_view value,
                   std::string_view more) {
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict{}{}", full_name(secure, name), value,
                     secure ? "; Secure" : "", more);
}

}  // namespace

std::string cookie_value(const ApiRequest& request, std::string_view name) {
  const std::string wanted = full_name(request.secure, name) + "=";
  std::string_view rest = request.cookie;
  while (!rest.empty()) {
    std::string_view pair = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
    if (pair.starts_with(wanted)) return std::string(pair.substr(wanted.size()));
  }
  return {};
}

std::string session_cookie(bool secure, std::string_view id) {
  return cookie(secure, kSessionCookie, id, "");
}

std::string ended_session_cookie(bool secure) {
  return cookie(secure, kSessionCookie, "", "; Max-Age=0");
}

std::string browser_cookie(bool secure, std::string_view value) {
  return cookie(secure, kBrowserCookie, value,
                fmt::format("; Max-Age={}", limits::kKnownBrowserMs / 1000));
}

std::string csrf_token(std::string_view session_id) {
  return hex_of(sha256(fmt::format("csrf\n{}", session_id)));
}

Status check_origin(const ApiRequest& request) {
  if (!request.fetch_site.empty() && request.fetch_site != "same-origin" &&
      request.fetch_site != "none") {
    return Error{Code::kAuthCsrf, "Sec-Fetch-Site says that it comes from elsewhere"};
  }
  if (request.origin.empty()) return {};
  const std::string_view origin = request.origin;
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos || request.host.empty() ||
      origin.substr(scheme + 3) != request.host) {
    return Error{Code::kAuthCsrf, "Origin is not this server"};
  }
  return {};
}

std::string session_text(const OfficeAccount& account, const OfficeSession& session,
                         std::string_view csrf, std::string_view zone) {
  std::string out = "{\"name\":";
  append_json_string(out, account.name);
  out += ",\"display\":";
  append_json_string(out, account.display);
  if (!zone.empty()) {
    out += ",\"zone\":";
    append_json_string(out, zone);
  }
  return out + fmt::format(R"(,"role":"{}","csrf":"{}","second_factor":{},"expires":{}}})",
                           role_name(account.role), csrf, !account.totp_secret.empty(),
                           session.opened_ms + limits::kSessionMs);
}

}  // namespace waystation

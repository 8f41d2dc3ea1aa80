#include "server/http_message.h"

#include <array>
#include <boost/beast/http/error.hpp>
#include <charconv>

namespace waystation {
namespace {

namespace http = beast::http;

// By their names in lower case, as the service asks for them.
constexpr std::array kBlobHeaders{
    "tus-resumable", "upload-length", "upload-offset", "upload-metadata",
    "content-type",  "range",         "if-range",      "if-none-match",
};

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size()) {
      const auto parsed = std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
      if (parsed.ec == std::errc() && parsed.ptr == text.data() + i + 3) {
        out += static_cast<char>(value);
        i += 2;
        continue;
      }
    }
    out += text[i] == '+' ? ' ' : text[i];
  }
  return out;
}

void set_headers(HttpFields& fields, const ApiReply& reply, const HttpShape& shape) {
  if (!reply.body.empty()) {
    fields.set(http::field::content_type,
               reply.problem ? "application/problem+json" : "application/json");
  }
  fields.set(http::field::cache_control, "no-store");
  set_security_headers(fields, shape.secure);
  for (const auto& [name, value] : reply.headers) fields.set(name, value);
  if (reply.retry_after_ms > 0) {
    fields.set(http::field::retry_after, std::to_string((reply.retry_after_ms + 999) / 1000));
  }
  for (const std::string& cookie : reply.cookies) fields.insert(http::field::set_cookie, cookie);
}

}  // namespace

ApiRequest to_api(const HttpRequest& request) {
  ApiRequest api;
  api.method = std::string(request.method_string());
  const std::string_view target(request.target().data(), request.target().size());
  const std::size_t mark = target.find('?');
  api.path = percent_decode(target.substr(0, mark));
  std::string_view rest = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const std::size_t equal = std::min(pair.find('='), pair.size());
    api.query[percent_decode(pair.substr(0, equal))] =
        equal < pair.size() ? percent_decode(pair.substr(equal + 1)) : std::string();
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const auto given = request[http::field::authorization];
  constexpr std::string_view kBearer = "Bearer ";
  if (given.starts_with(kBearer)) api.bearer = std::string(given.substr(kBearer.size()));
  api.body = request.body();
  api.cookie = all_values(request, "Cookie");
  api.csrf = all_values(request, "X-CSRF-Token");
  api.origin = all_values(request, "Origin");
  api.fetch_site = all_values(request, "Sec-Fetch-Site");
  api.host = all_values(request, "Host");
  if (api.path.starts_with("/v1/blobs")) {
    for (const char* name : kBlobHeaders) {
      if (std::string value = all_values(request, name); !value.empty()) {
        api.headers[name] = std::move(value);
      }
    }
  }
  return api;
}

void set_security_headers(HttpFields& fields, bool secure) {
  fields.set("X-Content-Type-Options", "nosniff");
  fields.set("Content-Security-Policy",
             "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
  fields.set("Referrer-Policy", "no-referrer");
  fields.set("Cross-Origin-Resource-Policy", "same-origin");
  if (secure) fields.set("Strict-Transport-Security", "max-age=31536000");
}

HttpResponse to_response(ApiReply& reply, const HttpShape& shape) {
  HttpResponse response(static_cast<http::status>(reply.status), shape.version);
  set_headers(response, reply, shape);
  response.keep_alive(shape.keep_alive);
  response.body() = std::move(reply.body);
  response.prepare_payload();
  if (shape.head_only) response.body().clear();  // the length stays
  return response;
}

HttpFile file_response(const ApiReply& reply, const HttpShape& shape) {
  HttpFile response(static_cast<http::status>(reply.status), shape.version);
  set_headers(response, reply, shape);
  response.keep_alive(shape.keep_alive);
  response.content_length(reply.file->left());
  response.body().data = nullptr;
  response.body().more = true;
  return response;
}

HttpPage to_response(const PageAnswer& page, const HttpShape& shape) {
  HttpPage response(static_cast<http::status>(page.status), shape.version);
  set_security_headers(response, shape.secure);
  for (const auto& [name, value] : page.headers) {
    response.set(beast::string_view(name.data(), name.size()), value);
  }
  response.keep_alive(shape.keep_alive);
  response.body() = beast::span<const char>(page.body.data(), page.body.size());
  response.prepare_payload();
  if (shape.head_only) response.body() = {};  // the length stays
  return response;
}

std::optional<Error> encoding_error(const HttpFields& header) {
  // Any other transfer encoding leaves the body's end, or its meaning, open (RFC 9112, 6.1, 6.3).
  const auto transfer = header[http::field::transfer_encoding];
  if (!transfer.empty() && !beast::iequals(transfer, "chunked")) {
    return Error{Code::kHttpBadRequest, "a body is sent plain or chunked"};
  }
  // Nothing is ever decompressed: a small body stays a small body.
  const std::string content = all_values(header, "Content-Encoding");
  if (!content.empty() && !beast::iequals(content, "identity")) {
    return Error{Code::kHttpEncoding, "a body is sent without Content-Encoding"};
  }
  return std::nullopt;
}

std::optional<Error> read_error(const ErrorCode& error, bool timed_out) {
  if (timed_out) return Error{Code::kHttpTimeout, "the request did not arrive in time"};
  if (error == http::error::body_limit)
    return Error{Code::kBodyTooLarge, "at most 1 MiB, and 16 KiB without a token"};
  if (error == http::error::header_limit) return Error{Code::kHttpHeaderTooLarge, "at most 16 KiB"};
  if (error == http::error::end_of_stream || error == http::error::partial_message) {
    return std::nullopt;
  }
  if (error.category() == http::make_error_code(http::error::bad_target).category()) {
    return Error{Code::kHttpBadRequest, error.message()};
  }
  return std::nullopt;
}

std::string all_values(const HttpFields& fields, std::string_view name) {
  std::string all;
  const auto range = fields.equal_range(beast::string_view(name.data(), name.size()));
  for (auto at = range.first; at != range.second; ++at) {
    if (!all.empty()) all += ", ";
    all += std::string(at->value());
  }
  return all;
}

}  // namespace waystation

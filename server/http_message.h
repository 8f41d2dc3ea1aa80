// Between the messages of HTTP and the requests and replies of the Service. Pure; any thread.
#pragma once

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>

#include "server/asio.h"
#include "server/pages.h"
#include "server/service.h"

namespace waystation {

using HttpRequest = beast::http::request<beast::http::string_body>;
using HttpResponse = beast::http::response<beast::http::string_body>;
// Whose bytes are written one after another.
using HttpFile = beast::http::response<beast::http::buffer_body>;
// Of bytes that outlive it.
using HttpPage = beast::http::response<beast::http::span_body<const char>>;
using HttpFields = beast::http::fields;

// What the request asks of the form of its answer.
struct HttpShape {
  unsigned version = 11;
  bool keep_alive = false;
  bool head_only = false;
  bool secure = false;  // the client speaks TLS, to us or to a proxy
};

[[nodiscard]] ApiRequest to_api(const HttpRequest& request);
[[nodiscard]] HttpResponse to_response(ApiReply& reply, const HttpShape& shape);  // takes the body
// Precondition: the reply has a file.
[[nodiscard]] HttpFile file_response(const ApiReply& reply, const HttpShape& shape);
// Precondition: the page is no error.
[[nodiscard]] HttpPage to_response(const PageAnswer& page, const HttpShape& shape);

// What browsers are told of every answer: nothing is to be guessed, framed, run or passed on.
void set_security_headers(HttpFields& fields, bool secure);

// Why the body of this request is not read; nothing: it is.
[[nodiscard]] std::optional<Error> encoding_error(const HttpFields& header);

// What to answer a request that could not be read; nothing: there is nobody to answer.
[[nodiscard]] std::optional<Error> read_error(const ErrorCode& error, bool timed_out);

// All lines of a header that may be given several times, joined by ", ".
[[nodiscard]] std::string all_values(const HttpFields& fields, std::string_view name);

}  // namespace waystation

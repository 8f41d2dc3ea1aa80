// A blocking HTTP/1.1 client for the command-line programs and the tests: one connection,
// kept open and opened again when it was lost. Not thread-safe.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sync/result.h"

namespace waystation {

// From now on the clients of this process speak TLS, and take a server for the right one when it
// shows this very certificate (a PEM file, the server's own). Empty: plain HTTP. Before threads
// start.
void speak_tls_with(std::string certificate_file);

struct HttpAnswer {
  int status = 0;
  std::string content_type;
  std::string body;
  std::vector<std::string> cookies = {};  // values of Set-Cookie
  std::string retry_after = {};
  std::string location = {};
};

class HttpClient {
 public:
  // `address` is address:port. Nothing is sent yet.
  explicit HttpClient(std::string address, std::string bearer = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Sent with every request from now on; an empty value takes it back.
  void set_header(const std::string& name, const std::string& value) { headers_[name] = value; }

  // One request. An idempotent GET is sent again once when a kept connection turns out dead; so is
  // a POST, for every POST of the protocol may be repeated. Errors: kIo (no connection, no answer
  // within 60 s).
  [[nodiscard]] Result<HttpAnswer> request(const std::string& method, const std::string& target,
                                           const std::string& body = {});

 private:
  struct Connection;
  [[nodiscard]] Result<HttpAnswer> once(const std::string& method, const std::string& target,
                                        const std::string& body);
  [[nodiscard]] Status connect();

  std::string address_;
  std::string bearer_;
  std::map<std::string, std::string> headers_;
  std::unique_ptr<Connection> connection_;
};

// The Error of a problem document, or of a status that came without one.
[[nodiscard]] Error problem_of(const HttpAnswer& answer);

// The string member `key` of a JSON object; empty when it has none.
[[nodiscard]] std::string json_text(const std::string& json, const std::string& key);

struct Enrolled {
  std::string device;
  std::string token;
};
// A code from the administrator's token and the enrolment with it. `name` is shown to the office.
[[nodiscard]] Result<Enrolled> enroll_over_http(const std::string& address,
                                                const std::string& admin_token,
                                                const std::vector<std::string>& scopes,
                                                std::string_view role, const std::string& name);

}  // namespace waystation

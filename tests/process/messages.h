// The messages that the tests send, and the office and its devices as the tests use them over HTTP.
// What is sent and what comes is held to schemas/messages/, unless a call is named "unchecked".
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sync/stamp.h"
#include "sync/wire.h"
#include "tests/process/message_schemas.h"
#include "tests/process/test_server.h"
#include "tools/client/http_client.h"

namespace waystation::testing {

struct Reply {
  int status = 0;
  std::string content_type;
  Json body;
  std::string text;

  // The code of a problem document, or of the error or busy in the place of a message.
  [[nodiscard]] std::string code() const;
};

// The clocks of this machine: what an honest device says.
[[nodiscard]] ClockReading clock_now();
[[nodiscard]] Json clock_json();

// One op, written now. `edits` is merged in: {"set":{…}}.
[[nodiscard]] Json op_of(std::uint64_t n, const std::string& scope, const std::string& coll,
                         const std::string& id, const Json& edits, Seq base = 0);
[[nodiscard]] Json note_of(std::uint64_t n, const std::string& scope, const std::string& id,
                           const std::string& text);

[[nodiscard]] Json hello_of(const Enrolled& device);                 // the value of "hello"
[[nodiscard]] std::string hello_frame(const Enrolled& device);       // {"hello":…}
[[nodiscard]] std::string push_frame(const std::vector<Json>& ops);  // {"push":…}
[[nodiscard]] std::string pull_frame(const std::string& cursor);     // {"pull":…}
// One body for POST /v1/sync.
[[nodiscard]] Json sync_body(const Enrolled& device, const std::vector<Json>& ops,
                             const std::optional<std::string>& cursor = std::nullopt);

// "ok" or the code of the refusal.
[[nodiscard]] std::string verdict_code(const Json& result);
[[nodiscard]] std::string verdict_codes(const Json& receipt);  // joined by spaces

// A request on that connection with its headers; both sides are held to the schemas of the path.
Reply ask(HttpClient& client, const std::string& method, const std::string& target,
          const Json& body = nullptr);

// Requests to one server with one bearer token, each on a connection of its own. One thread.
class HttpCaller {
 public:
  explicit HttpCaller(const TestServer& server, std::string bearer = {});

  // Any path of the interface; both sides are held to the schema of the path.
  Reply call(const std::string& method, const std::string& target, const Json& body = nullptr);
  // POST /v1/sync.
  Reply sync(const Json& frame);
  // Bytes as they are; the answer is held to the schema all the same.
  Reply unchecked(const std::string& method, const std::string& target, const std::string& bytes);

 private:
  Reply send(const std::string& method, const std::string& target, const std::string& bytes);

  std::string address_;
  std::string bearer_;
};

// The office: the administrator's token, and a device that holds all scopes. One thread.
class Office {
 public:
  explicit Office(const TestServer& server);

  Enrolled enroll(const std::vector<std::string>& scopes, const std::string& name = "a device");
  void make_scopes(const std::vector<std::string>& scopes);
  Json set_scopes(const Enrolled& device, const std::vector<std::string>& scopes);
  Json revoke(const Enrolled& device);

  // Ops by the office's own device; they must be taken.
  void write(const std::string& scope, const std::string& coll, const std::string& id,
             const Json& edits);
  void write_all(const std::vector<Json>& ops);  // their n is set here
  [[nodiscard]] const Enrolled& device() const { return device_; }

  // The record as GET /v1/records gives it; null when it is not there.
  Json record(const std::string& scope, const std::string& coll, const std::string& id);
  Json quarantine(const Enrolled& device);  // all of a device
  Json device_row(const Enrolled& device);
  HttpCaller& http() { return admin_; }

 private:
  HttpCaller admin_;
  HttpCaller open_;
  Enrolled device_;
  std::uint64_t next_n_ = 1;
};

}  // namespace waystation::testing

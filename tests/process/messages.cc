#include "tests/process/messages.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "server/secrets.h"

namespace waystation::testing {
namespace {

constexpr const char* kBoot = "the boot of this test";

std::int64_t ms(auto since_epoch) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

void check_answer(const std::string& method, const std::string& target, const Reply& reply) {
  const bool problem = reply.content_type == "application/problem+json";
  EXPECT_TRUE(problem || reply.content_type == "application/json") << reply.content_type;
  const PathSchemas schemas = path_schemas(method, target);
  EXPECT_TRUE(problem || schemas.listed) << method << " " << target << " is not in openapi.json";
  const std::string schema = problem ? "problem" : schemas.reply;
  if (!schema.empty()) expect_valid(schema, reply.body);
  if (problem && reply.body.is_object()) {
    EXPECT_EQ(reply.body.value("status", 0), reply.status);
  }
}

Reply exchange(HttpClient& client, const std::string& method, const std::string& target,
               const std::string& bytes) {
  const auto answer = client.request(method, target, bytes);
  if (!answer) {
    ADD_FAILURE() << method << " " << target << ": " << answer.error().context;
    return {};
  }
  Reply reply{answer->status, answer->content_type, parse_json(answer->body), answer->body};
  check_answer(method, target, reply);
  return reply;
}

}  // namespace

std::string Reply::code() const {
  if (!body.is_object()) return {};
  if (body.contains("code")) return body["code"];
  if (body.contains("error")) return body["error"].value("code", "");
  return body.contains("busy") ? "busy" : "";
}

ClockReading clock_now() {
  return ClockReading{ms(std::chrono::system_clock::now().time_since_epoch()),
                      ms(std::chrono::steady_clock::now().time_since_epoch()), kBoot};
}

Json clock_json() {
  const ClockReading clock = clock_now();
  return Json{{"wall", clock.wall_ms}, {"mono", clock.mono_ms}, {"boot", clock.boot}};
}

Json op_of(std::uint64_t n, const std::string& scope, const std::string& coll,
           const std::string& id, const Json& edits, Seq base) {
  Json op{{"n", n}, {"scope", scope}, {"coll", coll}, {"id", id}};
  op.update(clock_json());
  op["schema"] = 1;
  op["base"] = base;
  op.update(edits);
  return op;
}

Json note_of(std::uint64_t n, const std::string& scope, const std::string& id,
             const std::string& text) {
  return op_of(n, scope, "note", id, Json{{"set", {{"text", text}}}});
}

Json hello_of(const Enrolled& device) {
  return Json{{"v", 1},
              {"device", device.device},
              {"token", device.token},
              {"schema", 1},
              {"app", "tests"},
              {"cursor", ""},
              {"clock", clock_json()},
              {"queued", 0},
              {"oldest", 0}};
}

std::string hello_frame(const Enrolled& device) { return Json{{"hello", hello_of(device)}}.dump(); }

std::string push_frame(const std::vector<Json>& ops) {
  return Json{{"push", {{"ops", Json(ops)}}}}.dump();
}

std::string pull_frame(const std::string& cursor) {
  return Json{{"pull", {{"cursor", cursor}}}}.dump();
}

Json sync_body(const Enrolled& device, const std::vector<Json>& ops,
               const std::optional<std::string>& cursor) {
  Json body{{"hello", hello_of(device)}};
  if (!ops.empty()) body["push"] = Json{{"ops", Json(ops)}};
  if (cursor) body["pull"] = Json{{"cursor", *cursor}};
  return body;
}

std::string verdict_code(const Json& result) {
  if (result.is_object() && result.contains("ok")) return "ok";
  if (result.is_object() && result.contains("refused")) return result["refused"].value("code", "");
  return "no verdict";
}

std::string verdict_codes(const Json& receipt) {
  std::string codes;
  if (!receipt.is_object() || !receipt.contains("results")) return "no receipt";
  for (const Json& result : receipt["results"]) {
    if (!codes.empty()) codes += ' ';
    codes += verdict_code(result);
  }
  return codes;
}

// --- HTTP -------------------------------------------------------------------------------------

Reply ask(HttpClient& client, const std::string& method, const std::string& target,
          const Json& body) {
  const std::string schema = path_schemas(method, target).request;
  if (!schema.empty() && !body.is_null()) expect_valid(schema, body);
  return exchange(client, method, target, body.is_null() ? std::string() : body.dump());
}

HttpCaller::HttpCaller(const TestServer& server, std::string bearer)
    : address_(server.address()), bearer_(std::move(bearer)) {}

Reply HttpCaller::send(const std::string& method, const std::string& target,
                       const std::string& bytes) {
  HttpClient client(address_, bearer_);
  return exchange(client, method, target, bytes);
}

Reply HttpCaller::call(const std::string& method, const std::string& target, const Json& body) {
  HttpClient client(address_, bearer_);
  return ask(client, method, target, body);
}

Reply HttpCaller::sync(const Json& frame) { return call("POST", "/v1/sync", frame); }

Reply HttpCaller::unchecked(const std::string& method, const std::string& target,
                            const std::string& bytes) {
  return send(method, target, bytes);
}

// --- the office -------------------------------------------------------------------------------

Office::Office(const TestServer& server) : admin_(server, server.admin_token()), open_(server) {
  device_ = enroll({"*"}, "the office");
}

Enrolled Office::enroll(const std::vector<std::string>& scopes, const std::string& name) {
  const Reply code = admin_.call("POST", "/v1/codes", Json{{"scopes", scopes}});
  if (code.status != 200) throw std::runtime_error("no code: " + code.text);
  const Reply enrolled = open_.call("POST", "/v1/enroll",
                                    Json{{"code", code.body["code"]},
                                         {"request", random_token()},
                                         {"name", name},
                                         {"app", "tests"}});
  if (enrolled.status != 200) throw std::runtime_error("not enrolled: " + enrolled.text);
  return Enrolled{enrolled.body["device"], enrolled.body["token"]};
}

void Office::make_scopes(const std::vector<std::string>& scopes) {
  for (const std::string& scope : scopes) {
    std::string id = scope;
    std::replace(id.begin(), id.end(), '/', '-');
    write(scope, "scope", id, Json{{"set", {{"title", "范围 " + scope}}}});
  }
}

Json Office::set_scopes(const Enrolled& device, const std::vector<std::string>& scopes) {
  const Reply reply =
      admin_.call("PUT", "/v1/devices/" + device.device + "/scopes", Json{{"scopes", scopes}});
  EXPECT_EQ(reply.status, 200) << reply.text;
  return reply.body;
}

Json Office::revoke(const Enrolled& device) {
  const Reply reply = admin_.call("POST", "/v1/devices/" + device.device + "/revoke");
  EXPECT_EQ(reply.status, 200) << reply.text;
  return reply.body;
}

void Office::write(const std::string& scope, const std::string& coll, const std::string& id,
                   const Json& edits) {
  write_all({op_of(0, scope, coll, id, edits)});
}

void Office::write_all(const std::vector<Json>& ops) {
  std::vector<Json> numbered = ops;
  for (Json& op : numbered) op["n"] = next_n_++;
  const Reply reply = open_.sync(sync_body(device_, numbered));
  ASSERT_EQ(reply.status, 200) << reply.text;
  for (const Json& result : reply.body["receipt"]["results"]) {
    ASSERT_EQ(verdict_code(result), "ok") << result;
  }
}

Json Office::record(const std::string& scope, const std::string& coll, const std::string& id) {
  const Reply reply =
      admin_.call("GET", fmt::format("/v1/records?scope={}&coll={}&id={}", scope, coll, id));
  EXPECT_EQ(reply.status, 200) << reply.text;
  if (!reply.body.is_object() || reply.body.value("records", Json::array()).empty()) return nullptr;
  return reply.body["records"][0];
}

Json Office::quarantine(const Enrolled& device) {
  const Reply reply = admin_.call("GET", "/v1/quarantine?limit=1000&device=" + device.device);
  EXPECT_EQ(reply.status, 200) << reply.text;
  return reply.body.is_object() ? reply.body.value("quarantine", Json::array()) : Json::array();
}

Json Office::device_row(const Enrolled& device) {
  const Reply reply = admin_.call("GET", "/v1/devices");
  for (const Json& row : reply.body.value("devices", Json::array())) {
    if (row["device"] == device.device) return row;
  }
  return nullptr;
}

}  // namespace waystation::testing

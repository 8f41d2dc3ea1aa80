// Bytes that are no HTTP, or too much of it, or too little: on a raw socket.

#include <fmt/format.h>

#include <ostream>

#include "sync/limits.h"
#include "tests/hostile/hostile_server.h"

namespace waystation::testing {
namespace {

using namespace std::string_literals;

struct BadRequest {
  const char* name;
  std::string bytes;
  const char* code;
  friend void PrintTo(const BadRequest& row, std::ostream* out) { *out << row.name; }
};

std::string post_headers(const std::string& headers) {
  return "POST /v1/sync HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n";
}

const std::vector<BadRequest> kBadRequests{
    {"ALineOfRubbish", "\x01\x02\x03 rubbish \xFF\r\n\r\n"s, "http.bad_request"},
    {"TheStartOfTls", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s + std::string(300, '\0'),
     "http.bad_request"},
    {"NoVersion", "GET /healthz\r\n\r\n", "http.bad_request"},
    {"AVersionThatIsNone", "GET /healthz HTTP/9.9\r\nHost: a\r\n\r\n", "http.bad_request"},
    {"TheStartOfHttp2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http.bad_request"},
    {"TwoSpacesInTheFirstLine", "GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n", "http.bad_request"},
    {"ASpaceBeforeTheColon", post_headers("Content-Length : 5\r\n") + "hello", "http.bad_request"},
    {"ANulInAHeader", post_headers("X: a\0b\r\n"s), "http.bad_request"},
    {"ALengthAndChunks",
     post_headers("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") +
         "0\r\n\r\nGET /v1/devices HTTP/1.1\r\n\r\n",
     "http.bad_request"},
    {"TwoLengthsThatDiffer", post_headers("Content-Length: 5\r\nContent-Length: 50\r\n") + "hello",
     "http.bad_request"},
    {"ALengthBelowNothing", post_headers("Content-Length: -5\r\n") + "hello", "http.bad_request"},
    {"ALengthWithASign", post_headers("Content-Length: +5\r\n") + "hello", "http.bad_request"},
    {"ALengthInHex", post_headers("Content-Length: 0x5\r\n") + "hello", "http.bad_request"},
    {"ALengthBeyond64Bits", post_headers("Content-Length: 99999999999999999999999\r\n") + "hello",
     "http.bad_request"},
    {"AChunkSizeThatIsNone",
     post_headers("Transfer-Encoding: chunked\r\n") + "five\r\nhello\r\n0\r\n\r\n",
     "http.bad_request"},
    {"AChunkLongerThanItSays",
     post_headers("Transfer-Encoding: chunked\r\n") + "2\r\nhello\r\n0\r\n\r\n",
     "http.bad_request"},
    {"AnEncodingThatHasNoEnd",
     post_headers("Transfer-Encoding: gzip\r\n") + "GET /v1/devices HTTP/1.1\r\nHost: a\r\n\r\n",
     "http.bad_request"},
    {"ChunksThatAreNotTheLastEncoding",
     post_headers("Transfer-Encoding: chunked, identity\r\n") + "5\r\nhello\r\n0\r\n\r\n",
     "http.bad_request"},
    {"AHeaderThatIsTooLarge",
     "GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n",
     "http.header_too_large"},
    {"ManyHeaders",
     "GET /healthz HTTP/1.1\r\nHost: a\r\n" +
         [] {
           std::string lines;
           for (int i = 0; i < 2000; ++i) lines += fmt::format("X{}: {}\r\n", i, i);
           return lines;
         }() +
         "\r\n",
     "http.header_too_large"},
    {"ATargetThatIsTooLong", "GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n",
     "http.header_too_large"},
    {"ABodyOneByteTooLarge",
     post_headers(fmt::format("Content-Length: {}\r\n", limits::kFrameBytes + 1)) +
         std::string(limits::kFrameBytes + 1, ' '),
     "body.too_large"},
    {"ALengthOfATerabyte", post_headers("Content-Length: 1099511627776\r\n") + "hello",
     "body.too_large"},
};

class BadHttp : public HostileServer, public ::testing::WithParamInterface<BadRequest> {};

TEST_P(BadHttp, IsAnsweredOnceAndTheConnectionEnds) {
  const CodeInfo& code = about(GetParam().code);
  RawSocket raw(server().port());
  raw.send(GetParam().bytes);
  const auto answer = raw.answer();
  ASSERT_TRUE(answer.has_value()) << "no answer";
  EXPECT_EQ(answer->status, code.http);
  EXPECT_EQ(answer->headers.count("content-type"), 1U);
  const Json body = parse_json(answer->body);
  expect_valid("problem", body);
  EXPECT_EQ(body.value("code", ""), code.name) << body;
  EXPECT_TRUE(raw.ends()) << "more than one answer";
  expect_all_are_served();
}

INSTANTIATE_TEST_SUITE_P(Table, BadHttp, ::testing::ValuesIn(kBadRequests),
                         [](const auto& row) { return std::string(row.param.name); });

// --- paths and methods ------------------------------------------------------------------------

struct WrongAddress {
  const char* name;
  const char* method;
  const char* target;
  const char* code;
  friend void PrintTo(const WrongAddress& row, std::ostream* out) { *out << row.name; }
};

const std::vector<WrongAddress> kWrongAddresses{
    {"APathThatIsNotThere", "GET", "/v1/nothing", "http.not_found"},
    {"APathThatClimbs", "GET", "/v1/../admin.token", "http.not_found"},
    {"APathThatClimbsEncoded", "GET", "/%2e%2e/%2e%2e/etc/passwd", "http.not_found"},
    {"ANulInThePath", "GET", "/v1/sync%00", "http.not_found"},
    {"LiveWithoutAnUpgrade", "GET", "/v1/live", "http.not_found"},
    {"SyncIsNotRead", "GET", "/v1/sync", "http.method"},
    {"HealthIsNotWritten", "POST", "/healthz", "http.method"},
    {"AMethodThatIsNone", "BREW", "/v1/sync", "http.method"},
    {"DeletingAllDevices", "DELETE", "/v1/devices", "http.method"},
    {"ADeviceThatIsNotThere", "POST", "/v1/devices/0123456789/revoke", "http.not_found"},
    {"AnActionThatIsNotThere", "POST", "/v1/devices/0123456789/praise", "http.not_found"},
    {"RecordsOfNoScope", "GET", "/v1/records", "message.invalid"},
    {"RecordsOfAScopeIdThatIsNone", "GET", "/v1/records?scope=%00%ff", "message.invalid"},
    {"RecordsOfAScopeThatIsNotThere", "GET", "/v1/records?scope=nowhere", "scope.unknown"},
    {"APageTokenThatIsNone", "GET", "/v1/records?scope=s&after=zz", "cursor.invalid"},
    {"TheQuarantineOfNoDevice", "GET", "/v1/quarantine?device=!", "message.invalid"},
};

class WrongAddresses : public HostileServer, public ::testing::WithParamInterface<WrongAddress> {};

TEST_P(WrongAddresses, AreAnsweredAndTheConnectionGoesOn) {
  const CodeInfo& code = about(GetParam().code);
  HttpCaller http(server(), server().admin_token());
  const Reply reply = http.unchecked(GetParam().method, GetParam().target, "");
  EXPECT_EQ(reply.code(), code.name) << reply.text;
  EXPECT_EQ(reply.status, code.http);
  EXPECT_EQ(http.call("GET", "/healthz").status, 200);
  expect_all_are_served();
}

INSTANTIATE_TEST_SUITE_P(Table, WrongAddresses, ::testing::ValuesIn(kWrongAddresses),
                         [](const auto& row) { return std::string(row.param.name); });

struct WrongToken {
  const char* name;
  const char* bearer;
  const char* code;
  friend void PrintTo(const WrongToken& row, std::ostream* out) { *out << row.name; }
};

const std::vector<WrongToken> kWrongTokens{
    {"None", "", "auth.required"},
    {"OneThatIsNobodys", "guessed", "auth.bad_token"},
    {"ADotAlone", ".", "auth.unknown_device"},
    {"ADeviceThatIsNotThere", "0123456789.secret", "auth.unknown_device"},
    {"AVeryLongOne",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "auth.bad_token"},
};

class WrongTokens : public HostileServer, public ::testing::WithParamInterface<WrongToken> {};

TEST_P(WrongTokens, OpenNothing) {
  const CodeInfo& code = about(GetParam().code);
  HttpCaller http(server(), GetParam().bearer);
  for (const char* target : {"/v1/records?scope=s", "/v1/conflicts", "/v1/quarantine",
                             "/v1/devices", "/v1/devices/0123456789/revoke"}) {
    const Reply reply = http.unchecked("GET", target, "");
    EXPECT_EQ(reply.code(), code.name) << target << " " << reply.text;
    EXPECT_EQ(reply.status, code.http);
  }
  expect_all_are_served();
}

INSTANTIATE_TEST_SUITE_P(Table, WrongTokens, ::testing::ValuesIn(kWrongTokens),
                         [](const auto& row) { return std::string(row.param.name); });

// --- one of a kind ----------------------------------------------------------------------------

class HttpRequests : public HostileServer {
 protected:
  [[nodiscard]] std::string good_request(std::uint64_t n) const {
    const std::string body =
        sync_body(device(), {note_of(n, kScope, "raw", "on a raw socket")}).dump();
    return post_headers(fmt::format("Content-Length: {}\r\n", body.size())) + body;
  }
  void expect_timeout(RawSocket& raw) {
    const auto answer = raw.answer();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 408);
    EXPECT_EQ(parse_json(answer->body).value("code", ""), "http.timeout");
    EXPECT_TRUE(raw.ends());
  }
};

TEST_F(HttpRequests, InChunksAreTaken) {
  const std::string body = sync_body(device(), {note_of(1, kScope, "raw", "in chunks")}).dump();
  std::string request = post_headers("Transfer-Encoding: chunked\r\n");
  for (std::size_t at = 0; at < body.size(); at += 7) {
    const std::string part = body.substr(at, 7);
    request += fmt::format("{:x}\r\n{}\r\n", part.size(), part);
  }
  RawSocket raw(server().port());
  raw.send(request + "0\r\n\r\n");
  const auto answer = raw.answer();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(verdict_codes(parse_json(answer->body)["receipt"]), "ok");
  expect_all_are_served();
}

TEST_F(HttpRequests, ByteByByteAreTaken) {
  RawSocket raw(server().port());
  for (const char c : good_request(1)) ASSERT_TRUE(raw.send(std::string(1, c)));
  const auto answer = raw.answer();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
}

TEST_F(HttpRequests, InOnePacketAreAnsweredInTurn) {
  RawSocket raw(server().port());
  raw.send(good_request(1) + good_request(2) + "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  for (int n = 1; n <= 2; ++n) {
    const auto answer = raw.answer();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(parse_json(answer->body)["receipt"]["results"][0]["n"], n);
  }
  const auto health = raw.answer();
  ASSERT_TRUE(health.has_value());
  EXPECT_EQ(health->body, R"({"status":"ok"})");
}

// RFC 9110, 9.3.2: no content. A body here would be read as the next answer.
TEST_F(HttpRequests, ForTheHeadAloneHaveAnAnswerWithoutABody) {
  RawSocket raw(server().port());
  raw.send("HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(raw.answer(true).has_value());
  raw.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto next = raw.answer();
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->status, 200) << next->body;
  EXPECT_EQ(next->body, R"({"status":"ok"})");
}

TEST_F(HttpRequests, WithALengthThatIsTooShortAreReadThatFar) {
  const std::string body = sync_body(device(), {note_of(1, kScope, "raw", "cut")}).dump();
  RawSocket raw(server().port());
  raw.send(post_headers(fmt::format("Content-Length: {}\r\n", body.size() - 10)) + body);
  const auto cut = raw.answer();
  ASSERT_TRUE(cut.has_value());
  EXPECT_EQ(parse_json(cut->body).value("code", ""), "json.invalid");
  // What lies behind is not a request.
  const auto rest = raw.answer();
  ASSERT_TRUE(rest.has_value());
  EXPECT_EQ(rest->status, 400);
  EXPECT_EQ(parse_json(rest->body).value("code", ""), "http.bad_request");
  EXPECT_TRUE(raw.ends());
  EXPECT_EQ(next_n(device()), 1U);
  expect_all_are_served();
}

TEST_F(HttpRequests, WithALengthThatIsTooLongEndInATimeout) {
  const std::string body = sync_body(device(), {note_of(1, kScope, "half", "waits")}).dump();
  RawSocket raw(server().port());
  raw.send(post_headers(fmt::format("Content-Length: {}\r\n", body.size() + 10)) + body);
  expect_all_are_served();
  expect_timeout(raw);
  EXPECT_EQ(office().record(kScope, "note", "half"), Json(nullptr)) << "taken half";
  expect_all_are_served();
}

TEST_F(HttpRequests, WithHalfAHeaderAreHeldToADeadlineWhileOthersAreServed) {
  RawSocket raw(server().port());
  raw.send("POST /v1/sync HTTP/1.1\r\nHost: a\r\nContent-Le");
  expect_all_are_served();
  expect_timeout(raw);
  expect_all_are_served();
}

TEST_F(HttpRequests, ThatDripAreHeldToTheSameDeadline) {
  RawSocket raw(server().port());
  raw.send("GET /healthz HTTP/1.1\r\nX: ");
  // A byte now and then does not buy more time.
  bool ended = false;
  for (int i = 0; i < 150 && !ended; ++i) {
    raw.send("a");
    ended = !raw.rest(std::chrono::milliseconds(200)).empty();
  }
  EXPECT_TRUE(ended) << "still held after 30 s";
  expect_all_are_served();
}

TEST_F(HttpRequests, OfASilentConnectionAreNotWaitedForForEver) {
  RawSocket raw(server().port());
  expect_all_are_served();
  const std::string said = raw.rest(kPatience);
  EXPECT_TRUE(raw.ends());
  EXPECT_TRUE(said.empty() || said.find("http.timeout") != std::string::npos) << said;
}

// Whoever asks next on it would take what it was told unasked for the answer.
TEST_F(HttpRequests, ThatDoNotComeOnAKeptConnectionAreNotAnswered) {
  RawSocket raw(server().port());
  raw.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(raw.answer().has_value());
  EXPECT_EQ(raw.rest(kPatience), "");
  EXPECT_TRUE(raw.ends());
}

TEST_F(HttpRequests, ThatNeverEndHoldNobodyUp) {
  std::vector<std::unique_ptr<RawSocket>> held;
  for (int i = 0; i < 300; ++i) {
    held.push_back(std::make_unique<RawSocket>(server().port()));
    held.back()->send("POST /v1/sync HTTP/1.1\r\nHost: a\r\nX: " + std::string(8000, 'a'));
  }
  expect_all_are_served();
  for (auto& raw : held) raw->reset();
  expect_all_are_served();
}

TEST_F(HttpRequests, OfAHundredMegabytesAreRefusedWithoutBeingHeld) {
  constexpr std::size_t kPart = 1U << 20U;
  const std::string part(kPart, ' ');
  const std::string chunk = fmt::format("{:x}\r\n", kPart) + part + "\r\n";
  const std::uint64_t before = server().resident_bytes();
  for (const bool chunked : {false, true}) {
    SCOPED_TRACE(chunked ? "in chunks" : "with its length");
    RawSocket raw(server().port());
    raw.send(chunked ? post_headers("Transfer-Encoding: chunked\r\n")
                     : post_headers(fmt::format("Content-Length: {}\r\n", 100 * kPart)));
    std::uint64_t most = before;
    for (int i = 0; i < 100 && raw.send(chunked ? chunk : part); ++i) {
      most = std::max(most, server().resident_bytes());
    }
    const auto answer = raw.answer();
    ASSERT_TRUE(answer.has_value()) << "the answer was lost";
    EXPECT_EQ(answer->status, 413);
    EXPECT_EQ(parse_json(answer->body).value("code", ""), "body.too_large");
    EXPECT_LT(most, before + (32U << 20U));
  }
  expect_all_are_served();
}

TEST_F(HttpRequests, ForTheOfficeWithBadBodiesChangeNothing) {
  HttpCaller admin(server(), server().admin_token());
  const std::string scopes = "/v1/devices/" + device().device + "/scopes";
  for (const char* body :
       {"", "{", "[]", "{}", R"({"scopes":"s"})", R"({"scopes":[5]})", R"({"scopes":["a b"]})",
        R"({"scopes":["s"],"uses":0})", R"({"scopes":["s"],"uses":1e99})",
        R"({"scopes":["s"],"expires_s":-1})", "{\"scopes\":[\"\xFF\"]}"}) {
    const Reply code = admin.unchecked("POST", "/v1/codes", body);
    EXPECT_EQ(code.status, 400) << body << " " << code.text;
  }
  for (const char* body : {"", "{", "{}", R"({"scopes":"s"})", R"({"scopes":[null]})"}) {
    EXPECT_EQ(admin.unchecked("PUT", scopes, body).status, 400) << body;
  }
  EXPECT_EQ(admin.unchecked("PUT", scopes, R"({"scopes":["nowhere"]})").code(), "scope.unknown");
  EXPECT_EQ(office().device_row(device())["scopes"], Json::array({kScope}));
  expect_all_are_served();
}

TEST_F(HttpRequests, ToEnrolWithAGuessedCodeAreRefused) {
  HttpCaller http(server());
  const auto enroll = [&](const std::string& code, const std::string& request) {
    return http.unchecked("POST", "/v1/enroll", Json{{"code", code}, {"request", request}}.dump());
  };
  EXPECT_EQ(enroll("ABCDE-FGHJK", "sixteen characters").code(), "code.invalid");
  EXPECT_EQ(enroll("", "sixteen characters").code(), "code.invalid");
  EXPECT_EQ(enroll("ABCDE-FGHJK", "too short").code(), "message.invalid");
  EXPECT_EQ(enroll(std::string(1000, 'A'), "sixteen characters").code(), "message.invalid");
  expect_all_are_served();
}

}  // namespace
}  // namespace waystation::testing

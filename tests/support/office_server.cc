#include "tests/support/office_server.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>

#include "storage/schema_files.h"
#include "sync/canonical.h"
#include "tests/support/json.h"

namespace waystation::testing {
namespace {

constexpr const char* kToken = "the administrator's token of the test";

std::shared_ptr<const Reports> reports() {
  static const auto loaded = std::make_shared<const Reports>(
      *load_reports(WS_SOURCE_DIR "/schemas", schemas(), *projections()));
  return loaded;
}

std::string quoted(const std::string& text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

std::string member(const std::string& json, const std::string& key) {
  const JsonText text(json);
  return text_of(text.root(), key);
}

std::string code_of(const ApiReply& reply) {
  return reply.status == 200 ? "ok" : member(reply.body, "code");
}

// --- a browser --------------------------------------------------------------------------------

ApiReply Browser::send(ApiRequest request) {
  request.peer = peer_;
  for (const auto& [name, value] : cookies) {
    if (!request.cookie.empty()) request.cookie += "; ";
    request.cookie += fmt::format("{}={}", name, value);
  }
  ApiReply reply = server_->call(std::move(request));
  for (const std::string& cookie : reply.cookies) {
    const std::string pair = cookie.substr(0, cookie.find(';'));
    const std::size_t equal = pair.find('=');
    cookies[pair.substr(0, equal)] = pair.substr(equal + 1);
  }
  return reply;
}

ApiReply Browser::send(const std::string& method, const std::string& path,
                       const std::string& body) {
  ApiRequest request;
  request.method = method;
  request.path = path;
  request.body = body;
  request.csrf = csrf;
  return send(std::move(request));
}

ApiReply Browser::sign_in(const std::string& name, const std::string& password,
                          const std::string& code) {
  ApiReply reply = send("POST", "/v1/session",
                        fmt::format(R"({{"name":{},"password":{},"code":{}}})", quoted(name),
                                    quoted(password), quoted(code)));
  if (reply.status == 200) csrf = member(reply.body, "csrf");
  return reply;
}

// --- the server -------------------------------------------------------------------------------

OfficeServer::OfficeServer() { open(); }

OfficeServer::~OfficeServer() { service_->abandon(); }

void OfficeServer::open() {
  Surroundings around;
  around.now_ms = [this] { return now; };
  around.threads = Threads::kStepped;
  around.schemas = std::make_shared<const Schemas>(schemas());
  around.projections = projections();
  around.reports = reports();
  around.policy = policy;
  around.master = master();
  around.erasures.append = [this](const Erasure& erasure) {
    erasures.push_back(erasure);
    return Status{};
  };
  around.erasures.read = [this] { return Result<std::vector<Erasure>>(erasures); };
  auto opened = Service::over(share(disk_), {}, kToken, std::move(around));
  WS_CHECK(opened.ok());
  service_ = std::move(*opened);
}

void OfficeServer::restart() {
  service_->abandon();
  service_.reset();
  open();
}

ApiReply OfficeServer::call(ApiRequest request) {
  std::optional<ApiReply> reply;
  service_->api(std::move(request), [&](ApiReply answer) { reply = std::move(answer); });
  while (!reply && (service_->step_writer() || service_->step_reader())) {
  }
  while (service_->step_writer()) {
  }
  return reply.value_or(ApiReply{0, "{}", false, 0});
}

ApiReply OfficeServer::admin(const std::string& method, const std::string& path,
                             const std::string& body) {
  ApiRequest request;
  request.method = method;
  request.path = path;
  request.body = body;
  request.bearer = kToken;
  return call(std::move(request));
}

OfficeServer::Tablet OfficeServer::enroll_tablet(const std::string& role) {
  const ApiReply code = admin(
      "POST", "/v1/codes", fmt::format(R"({{"scopes":["*"],"role":"{}","name":"tablet"}})", role));
  ApiRequest enroll;
  enroll.method = "POST";
  enroll.path = "/v1/enroll";
  enroll.body = fmt::format(R"({{"code":"{}","request":"a tablet asks for this"}})",
                            member(code.body, "code"));
  const ApiReply made = call(std::move(enroll));
  return {member(made.body, "device"), member(made.body, "token")};
}

ApiReply OfficeServer::use_link(const std::string& secret, const std::string& password,
                                const std::string& name) {
  return Browser(*this).send("POST", "/v1/office/setup",
                             fmt::format(R"({{"secret":{},"password":{},"name":{}}})",
                                         quoted(secret), quoted(password), quoted(name)));
}

void OfficeServer::make_first(const std::string& name) {
  const std::string secret = member(admin("POST", "/v1/office/first").body, "secret");
  const ApiReply made = use_link(secret, kPassword, name);
  EXPECT_EQ(made.status, 200) << made.body;
}

void OfficeServer::make(const std::string& name, const std::string& role) {
  const ApiReply made =
      admin("POST", "/v1/office/accounts",
            fmt::format(R"({{"name":{},"role":{}}})", quoted(name), quoted(role)));
  EXPECT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(use_link(member(made.body, "secret"), kPassword).status, 200);
}

Browser OfficeServer::sign_in(const std::string& name) {
  Browser browser(*this);
  const ApiReply reply = browser.sign_in(name);
  EXPECT_EQ(reply.status, 200) << reply.body;
  return browser;
}

std::vector<AuditEntry> OfficeServer::audit_log() const {
  std::vector<AuditEntry> entries;
  const Status walked = for_each_audit(*disk_, nullptr, 0, [&](const AuditEntry& entry) {
    entries.push_back(entry);
    return true;
  });
  EXPECT_TRUE(walked.ok());
  return entries;
}

std::vector<std::string> OfficeServer::audited() const {
  std::vector<std::string> words;
  for (const AuditEntry& entry : audit_log()) words.push_back(entry.note.what);
  return words;
}

}  // namespace waystation::testing

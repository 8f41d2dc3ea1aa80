#include "server/service.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "storage/schema_files.h"
#include "storage/upgrade.h"
#include "sync/canonical.h"
#include "sync/device_id.h"
#include "sync/digest.h"
#include "sync/limits.h"

namespace waystation {
namespace {

constexpr std::string_view kPersons = "/v1/persons/";

// What the messages of one POST /v1/sync have come to so far.
struct SyncReply {
  std::vector<std::string> frames;
  Service::ApiDone done;

  void finish() { done(ApiReply{200, join_messages(frames), false, 0}); }

  // The failed message's place is taken by its error; what came before it stands.
  void fail(const Error& error, std::int64_t retry_after_ms) {
    const bool busy = error.code == Code::kBusy;
    if (frames.empty() && !busy) return done(problem(error));
    frames.push_back(busy ? encode_busy(retry_after_ms) : encode_error(error));
    done(ApiReply{info(error.code).http, join_messages(frames), false, busy ? retry_after_ms : 0});
  }
};

}  // namespace

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

ApiReply problem(const Error& error) {
  return ApiReply{info(error.code).http, encode_problem(error), true, 0};
}

Result<std::unique_ptr<Service>> Service::open(const Config& config) {
  std::error_code error;
  std::filesystem::create_directories(config.data, error);
  if (error) return Error{Code::kIo, fmt::format("{}: {}", config.data, error.message())};
  auto kv = open_rocks(config.data + "/store",
                       config.recover ? OpenMode::kRecover : OpenMode::kReadWrite);
  if (!kv) {
    if (kv.error().code != Code::kStoreCorrupt) return kv.error();
    return Error{Code::kStoreCorrupt,
                 kv.error().context + "; see docs/operations.md, \"A damaged store\""};
  }
  auto token = waystation::admin_token(config.data, true);
  if (!token) return token.error();
  Surroundings around;
  auto master = waystation::master_key(master_key_file(config), true);
  if (!master) return master.error();
  around.master = *master;
  const std::string journal = erasures_file(config);
  around.erasures.append = [journal](const Erasure& one) { return append_erasure(journal, one); };
  around.erasures.read = [journal] { return read_erasures(journal); };
  return over(std::move(*kv), config, std::move(*token), std::move(around));
}

Result<std::unique_ptr<Service>> Service::over(std::unique_ptr<Kv> kv, const Config& config,
                                               std::string admin_token, Surroundings surroundings) {
  std::unique_ptr<Service> service(new Service());
  service->surroundings_ = std::move(surroundings);
  const Surroundings& around = service->surroundings_;
  if (around.schemas != nullptr) {
    service->schemas_ = *around.schemas;
  } else {
    auto schemas = load_schemas(schemas_folder(config));
    if (!schemas) return schemas.error();
    service->schemas_ = std::move(*schemas);
  }
  auto store = Store::open(std::move(kv), random_incarnation(around.random),
                           config.recover ? Store::Life::kNew : Store::Life::kGoesOn);
  if (!store) return store.error();
  service->store_ = std::move(*store);
  if (around.master) service->store_->use(*around.master);
  service->admin_token_ = std::move(admin_token);
  const auto upgraded = upgrade(*service->store_, service->schemas_, around.now_ms());
  if (!upgraded) return upgraded.error();
  if (upgraded->records > 0) {
    spdlog::info("{} records of {} collections carried forward to newer schemas", upgraded->records,
                 upgraded->collections);
  }
  ApplierSettings settings;
  settings.offline_ms = static_cast<std::int64_t>(config.offline_days) * 86'400'000;
  settings.random = around.random;
  settings.erasing = [raw = service.get()](const std::string& person, std::int64_t now_ms) {
    const auto& append = raw->surroundings_.erasures.append;
    return append ? append(Erasure{person, now_ms}) : Status{};
  };
  service->applier_ = std::make_unique<Applier>(*service->store_, service->schemas_, settings);
  if (auto started = service->applier_->start(); !started) return started.error();
  if (auto erased = service->erase_again(); !erased) return erased.error();
  service->fanout_ = std::make_unique<Fanout>(*service->store_, around.threads);
  const auto observe = [raw = service.get()](const GroupOutcome& outcome) {
    raw->fanout_->committed(outcome);
  };
  service->writer_ =
      std::make_unique<Writer>(*service->applier_, around.now_ms, observe, around.threads);
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t readers =
      config.reader_threads != 0 ? config.reader_threads : std::max<std::size_t>(1, cores / 2);
  service->readers_ = std::make_unique<ReaderPool>(readers, around.threads);
  return service;
}

void Service::drain() {
  if (readers_ != nullptr) readers_->stop();
  if (writer_ != nullptr) writer_->stop();
  if (fanout_ != nullptr) fanout_->stop_thread();
}

void Service::abandon() {
  readers_->abandon();
  writer_->abandon();
  fanout_->stop_thread();
}

std::int64_t Service::retry_after_ms() const {
  return random_between(500, 2500, surroundings_.random);
}

Result<AccountPtr> Service::authenticate(std::string_view device, std::string_view token) const {
  const auto id = parse_device_id(device);
  AccountPtr account = id ? store_->accounts().find(*id) : nullptr;
  if (account == nullptr) {
    return Error{Code::kAuthUnknownDevice, "enrol the device first"};
  }
  if (!equal_secrets(sha256(token), account->token_hash)) {
    return Error{Code::kAuthBadToken, "the token is not this device's"};
  }
  if (account->revoked) return Error{Code::kAuthRevoked, "the office has shut this device out"};
  return account;
}

void Service::exchange(std::uint64_t device, std::optional<Hello> hello, std::optional<Push> push,
                       ExchangeDone done) {
  if (hello) hello->received_ms = surroundings_.now_ms();
  if (push) {
    for (Op& op : push->ops) {
      schemas_.admit(op);
    }
  }
  ExchangeRequest request;
  request.device = device;
  request.hello = std::move(hello);
  request.push = std::move(push);
  request.done = done;
  if (!writer_->submit(std::move(request))) done(Error{Code::kBusy, ""});
}

void Service::pull_page(std::uint64_t device, Pull pull, PullDone done) {
  auto job = [this, device, pull = std::move(pull), done] {
    const AccountPtr account = store_->accounts().find(device);
    if (account == nullptr || account->revoked) {
      done(Error{account == nullptr ? Code::kAuthUnknownDevice : Code::kAuthRevoked, ""});
      return;
    }
    done(waystation::pull(*store_, *account, pull.cursor, pull.limit));
  };
  if (!readers_->submit(std::move(job))) done(Error{Code::kBusy, ""});
}

// --- HTTP -------------------------------------------------------------------------------------

void Service::read(ApiDone done, std::function<ApiReply()> job) {
  const auto run = [done, job = std::move(job)] { done(job()); };
  if (!readers_->submit(run)) {
    ApiReply busy = problem(Error{Code::kBusy, "too many requests wait"});
    busy.retry_after_ms = retry_after_ms();
    done(std::move(busy));
  }
}

void Service::write(Request request, const ApiDone& busy) {
  if (writer_->submit(std::move(request))) return;
  ApiReply reply = problem(Error{Code::kBusy, "too many ops wait"});
  reply.retry_after_ms = retry_after_ms();
  busy(std::move(reply));
}

Result<Service::Caller> Service::caller(const ApiRequest& request) const {
  if (request.bearer.empty()) {
    return Error{Code::kAuthRequired, "Authorization: Bearer <token> is missing"};
  }
  if (equal_secrets(sha256(request.bearer), sha256(admin_token_))) return Caller{};
  const std::size_t dot = request.bearer.find('.');
  if (dot == std::string::npos) return Error{Code::kAuthBadToken, "not a token of this server"};
  auto account = authenticate(std::string_view(request.bearer).substr(0, dot),
                              std::string_view(request.bearer).substr(dot + 1));
  if (!account) return account.error();
  return Caller{std::move(*account)};
}

void Service::api(ApiRequest request, ApiDone done) {
  const auto is = [&](std::string_view path) { return request.path == path; };
  const bool get = request.method == "GET" || request.method == "HEAD";
  const bool post = request.method == "POST";
  const auto wrong_method = [&] {
    done(problem(Error{Code::kHttpMethod, fmt::format("{} {}", request.method, request.path)}));
  };
  if (is("/healthz")) return get ? health(false, done) : wrong_method();
  if (is("/readyz")) return get ? health(true, done) : wrong_method();
  if (is("/v1/enroll")) return post ? enroll(request, std::move(done)) : wrong_method();
  if (is("/v1/sync")) return post ? sync(request, std::move(done)) : wrong_method();

  const bool action = request.path.rfind("/v1/devices/", 0) == 0;
  const bool person = request.path.rfind(kPersons, 0) == 0;
  const Lister lister = lister_of(request.path);
  const bool known = action || person || lister != nullptr || is("/v1/codes") ||
                     is("/v1/devices") || is("/v1/backup");
  if (!known) return done(problem(Error{Code::kHttpNotFound, request.path}));
  const auto who = caller(request);
  if (!who) return done(problem(who.error()));
  if (lister != nullptr) {
    return get ? (this->*lister)(request, *who, std::move(done)) : wrong_method();
  }
  if (!who->admin())
    return done(problem(Error{Code::kAuthForbidden, "for the administrator only"}));
  if (person) return post ? erase(request, std::move(done)) : wrong_method();
  if (is("/v1/backup")) return post ? backup(request, std::move(done)) : wrong_method();
  if (is("/v1/codes")) return post ? create_code(request, std::move(done)) : wrong_method();
  if (is("/v1/devices")) return get ? devices(std::move(done)) : wrong_method();
  device_action(request, std::move(done));
}

void Service::health(bool ready, const ApiDone& done) const {
  if (!ready || !store_->read_only()) return done(ApiReply{200, R"({"status":"ok"})", false, 0});
  std::string body = R"({"status":"read_only","reason":)";
  append_json_string(body, store_->read_only_reason());
  body += '}';
  done(ApiReply{503, std::move(body), false, 0});
}

void Service::enroll(const ApiRequest& request, ApiDone done) {
  auto body = decode_enroll(request.body);
  if (!body) return done(problem(body.error()));
  const auto digits = crockford_digits(body->code);
  if (!digits || digits->size() != kDeviceIdChars) {
    return done(problem(Error{Code::kCodeInvalid, "a code has 10 letters and digits"}));
  }
  EnrollRequest enroll;
  enroll.code_hash = sha256(*digits);
  enroll.request_hash = sha256(body->request);
  enroll.name = body->name;
  enroll.app = body->app;
  do {
    enroll.new_device = random_device(surroundings_.random);
  } while (store_->accounts().find(enroll.new_device) != nullptr);
  const std::string token = random_token(surroundings_.random);
  enroll.new_token_hash = sha256(token);
  enroll.done = [this, token, done](Result<EnrollRequest::Reply> result) {
    if (!result) return done(problem(result.error()));
    const Account& account = *result->account;
    spdlog::info("device {} enrolled", format_device_id(account.device));
    std::string out = fmt::format(R"({{"device":"{}","token":"{}","scopes":)",
                                  format_device_id(account.device), token);
    append_string_array(out, account.scopes());
    out += fmt::format(R"(,"incarnation":"{}"}})", store_->incarnation());
    done(ApiReply{200, std::move(out), false, 0});
  };
  write(std::move(enroll), done);
}

void Service::sync(const ApiRequest& request, ApiDone done) {
  auto frame = decode_frame(request.body);
  if (!frame) return done(problem(frame.error()));
  if (!frame->hello) {
    return done(problem(Error{Code::kAuthRequired, "POST /v1/sync needs a hello in its frame"}));
  }
  const auto account = authenticate(frame->hello->device, frame->hello->token);
  if (!account) return done(problem(account.error()));
  const std::uint64_t device = (*account)->device;
  auto reply = std::make_shared<SyncReply>();
  reply->done = std::move(done);
  std::optional<Pull> pull = std::move(frame->pull);
  auto exchanged = [this, device, reply, pull](Result<ExchangeRequest::Reply> result) {
    if (!result) return reply->fail(result.error(), retry_after_ms());
    reply->frames.push_back(std::move(result->welcome));
    if (!result->receipt.empty()) reply->frames.push_back(std::move(result->receipt));
    if (!pull) return reply->finish();
    auto pulled = [this, reply](Result<PullPage> page) {
      if (!page) return reply->fail(page.error(), retry_after_ms());
      reply->frames.push_back(encode_changes(page->head, page->items));
      reply->finish();
    };
    pull_page(device, *pull, std::move(pulled));
  };
  exchange(device, std::move(frame->hello), std::move(frame->push), std::move(exchanged));
}

void Service::create_code(const ApiRequest& request, ApiDone done) {
  auto body = decode_code_request(request.body);
  if (!body) return done(problem(body.error()));
  const std::string digits = random_code(surroundings_.random);
  CodeRequest code;
  code.code_hash = sha256(digits);
  code.code.scopes = std::move(body->scopes);
  code.code.name = std::move(body->name);
  code.code.uses_left = body->uses;
  code.code.expires_ms = surroundings_.now_ms() + body->expires_s * 1000;
  std::string answer = fmt::format(R"({{"code":"{}","expires":{},"uses":{}}})",
                                   display_code(digits), code.code.expires_ms, code.code.uses_left);
  code.done = [done, answer = std::move(answer)](const Status& status) {
    done(status.ok() ? ApiReply{200, answer, false, 0} : problem(status.error()));
  };
  write(std::move(code), done);
}

void Service::backup(const ApiRequest& request, ApiDone done) {
  auto to = decode_backup_request(request.body);
  if (!to) return done(problem(to.error()));
  // Also before it waits: a wrong folder is to change nothing.
  if (auto checked = surroundings_.backups.check(*to); !checked)
    return done(problem(checked.error()));
  auto note = std::make_shared<BackupNote>();
  BackupRequest backup;
  backup.copy = [this, note, folder = *to]() -> Status {
    const auto made = surroundings_.backups.back_up(*store_, folder, surroundings_.now_ms());
    if (!made) return made.error();
    *note = *made;
    return {};
  };
  backup.done = [done, note, folder = *to](const Status& status) {
    if (!status) return done(problem(status.error()));
    spdlog::info("backup made in {}", folder);
    std::string out = "{\"folder\":";
    append_json_string(out, folder);
    out += fmt::format(R"(,"incarnation":"{}","position":{},"made":{}}})", note->incarnation,
                       note->position, note->made_ms);
    done(ApiReply{200, std::move(out), false, 0});
  };
  write(std::move(backup), done);
}

Status Service::erase_again() {
  if (!surroundings_.erasures.read || store_->keyring() == nullptr) return {};
  const auto erasures = surroundings_.erasures.read();
  if (!erasures) return erasures.error();
  for (const Erasure& erasure : *erasures) {
    PersonKey key{};
    const auto state = store_->keyring()->find(erasure.person, key);
    if (!state) return state.error();
    if (*state == KeyState::kErased) continue;
    Status done;
    std::vector<Request> requests;
    requests.emplace_back(EraseRequest{erasure.person, [&done](const Result<EraseReport>& report) {
                                         if (!report) done = report.error();
                                       }});
    (void)applier_->apply(requests, surroundings_.now_ms());
    if (!done) return done;
    spdlog::info("{} was erased after this copy of the store was made, and is erased again",
                 erasure.person);
  }
  return {};
}

// /v1/persons/{id}/erase
void Service::erase(const ApiRequest& request, ApiDone done) {
  const std::string_view rest = std::string_view(request.path).substr(kPersons.size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos || rest.substr(slash) != "/erase") {
    return done(problem(Error{Code::kHttpNotFound, request.path}));
  }
  const std::string person(rest.substr(0, slash));
  EraseRequest erase;
  erase.person = person;
  erase.done = [this, done, person](Result<EraseReport> report) {
    if (!report) return done(problem(report.error()));
    spdlog::info("a person is erased: {} records cleared", report->records.size());
    const EraseReport made = std::move(*report);
    read(done, [this, made, person] {
      const auto remains = what_remains(*store_, person, made);
      return remains ? ApiReply{200, *remains, false, 0} : problem(remains.error());
    });
  };
  write(std::move(erase), done);
}

void Service::devices(ApiDone done) {
  read(std::move(done), [this] {
    ApiReply reply;
    reply.body = R"({"devices":[)";
    bool first = true;
    for (const AccountPtr& account : store_->accounts().all()) {
      const auto text = describe_device(*store_, *account);
      if (!text) return problem(text.error());
      if (!first) reply.body += ',';
      first = false;
      reply.body += *text;
    }
    reply.body += "]}";
    return reply;
  });
}

ApiReply Service::account_reply(const Result<AccountPtr>& account) const {
  if (!account) {
    return problem(account.error().code == Code::kAuthUnknownDevice
                       ? Error{Code::kHttpNotFound, "no such device"}
                       : account.error());
  }
  const auto text = describe_device(*store_, **account);
  return text ? ApiReply{200, *text, false, 0} : problem(text.error());
}

// /v1/devices/{id}/revoke and /v1/devices/{id}/scopes
void Service::device_action(const ApiRequest& request, ApiDone done) {
  const std::string_view rest = std::string_view(request.path).substr(sizeof("/v1/devices/") - 1);
  const std::size_t slash = rest.find('/');
  const auto device = parse_device_id(rest.substr(0, slash));
  const std::string_view action =
      slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  const bool revoke = action == "revoke";
  const bool scopes = action == "scopes";
  if (!device || (!revoke && !scopes)) {
    return done(problem(Error{Code::kHttpNotFound, request.path}));
  }
  if (request.method != (revoke ? "POST" : "PUT")) {
    return done(
        problem(Error{Code::kHttpMethod, fmt::format("{} {}", request.method, request.path)}));
  }
  auto answer = [this, done, revoke](Result<AccountPtr> account) {
    if (revoke && account.ok()) {
      spdlog::info("device {} is shut out", format_device_id((*account)->device));
    }
    done(account_reply(account));
  };
  if (revoke) {
    return write(RevokeRequest{*device, std::move(answer)}, done);
  }
  auto body = decode_scopes_request(request.body);
  if (!body) return done(problem(body.error()));
  write(ScopesRequest{*device, std::move(*body), std::move(answer)}, done);
}

}  // namespace waystation

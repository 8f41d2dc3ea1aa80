// What the office decides about devices, over HTTP: enrolment codes, branches, standing, wipe.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <optional>

#include "server/service.h"
#include "sync/device_id.h"
#include "sync/digest.h"

namespace waystation {
namespace {

Error or_no_device(const Error& error) {
  if (error.code != Code::kAuthUnknownDevice) return error;
  return Error{Code::kHttpNotFound, "no such device"};
}

// What a QR code holds. Whoever shows it puts the address that devices reach in place of {server}.
std::string enrolment_text(const std::string& digits) {
  return fmt::format("waystation:enroll?code={}&server={{server}}", digits);
}

std::optional<Standing> standing_of(std::string_view action) {
  if (action == "drain") return Standing::kDraining;
  if (action == "revoke") return Standing::kClosed;
  if (action == "restore") return Standing::kActive;
  return std::nullopt;
}

}  // namespace

void Service::enroll(const ApiRequest& request, ApiDone done) {
  auto body = decode_enroll(request.body);
  if (!body) return done(problem(body.error()));
  const std::int64_t wait_ms = guesses_.admit(request.peer, surroundings_.now_ms());
  if (wait_ms > 0) {
    ApiReply limited = problem(Error{Code::kCodeLimited, "too many wrong codes"});
    limited.retry_after_ms = wait_ms;
    return done(std::move(limited));
  }
  const auto digits = crockford_digits(body->code);
  if (!digits || digits->size() != kDeviceIdChars) {
    guesses_.wrong(request.peer, surroundings_.now_ms());
    guesses_.decided(request.peer);
    return done(problem(Error{Code::kCodeInvalid, "a code has 10 letters and digits"}));
  }
  EnrollRequest enroll;
  enroll.code_hash = code_hash(*digits, admin_token_);
  enroll.request_hash = sha256(body->request);
  enroll.name = body->name;
  enroll.app = body->app;
  do {
    enroll.new_device = random_device(surroundings_.random);
  } while (store_->accounts().find(enroll.new_device) != nullptr);
  const std::string token = random_token(surroundings_.random);
  enroll.new_token_hash = sha256(token);
  enroll.done = [this, token, done, peer = request.peer](Result<EnrollRequest::Reply> result) {
    guesses_.decided(peer);
    if (!result) {
      // One that was right before it was used up or expired is no guess.
      const bool wrong = result.error().code == Code::kCodeInvalid;
      if (wrong) guesses_.wrong(peer, surroundings_.now_ms());
      return done(problem(result.error()));
    }
    const Account& account = *result->account;
    spdlog::info("device {} enrolled", format_device_id(account.device));
    std::string out = fmt::format(R"({{"device":"{}","token":"{}","scopes":)",
                                  format_device_id(account.device), token);
    append_string_array(out, store_->entered_by(account));
    out +=
        fmt::format(R"(,"role":"{}","incarnation":"{}"}})", account.role(), store_->incarnation());
    done(ApiReply{200, std::move(out), false, 0});
  };
  write(std::move(enroll), [this, done, peer = request.peer](ApiReply busy) {
    guesses_.decided(peer);
    done(std::move(busy));
  });
}

void Service::create_code(const ApiRequest& request, const Caller& caller, ApiDone done) {
  auto body = decode_code_request(request.body);
  if (!body) return done(problem(body.error()));
  std::optional<std::uint64_t> replaces = 0;
  if (!body->replaces.empty()) replaces = parse_device_id(body->replaces);
  if (!replaces) return done(problem(Error{Code::kMessageInvalid, "replaces: not a device id"}));
  if (store_->office().get()->is_desk(*replaces)) {
    return done(problem(Error{Code::kHttpNotFound, "no such device"}));
  }
  const std::string digits = random_code(surroundings_.random);
  CodeRequest code;
  code.by = caller.who;
  code.code_hash = code_hash(digits, admin_token_);
  code.code.scopes = std::move(body->scopes);
  code.code.role = std::move(body->role);
  code.code.name = std::move(body->name);
  code.code.uses_left = body->uses;
  code.code.expires_ms = surroundings_.now_ms() + body->expires_s * 1000;
  code.code.replaces = *replaces;
  std::string answer =
      fmt::format(R"({{"code":"{}","id":"{}","qr":"{}","role":{},"expires":{},"uses":{}}})",
                  display_code(digits), code_id(code.code_hash), enrolment_text(digits),
                  role_or_null(code.code), code.code.expires_ms, code.code.uses_left);
  code.done = [done, answer = std::move(answer)](const Status& status) {
    if (status.ok()) return done(ApiReply{200, answer, false, 0});
    done(problem(or_no_device(status.error())));
  };
  write(std::move(code), done);
}

void Service::codes(ApiDone done) {
  read(std::move(done), [this] {
    auto text = list_codes(*store_, surroundings_.now_ms());
    return text ? ApiReply{200, std::move(*text), false, 0} : problem(text.error());
  });
}

void Service::withdraw_code(const ApiRequest& request, const Caller& caller, ApiDone done) {
  WithdrawRequest withdraw;
  withdraw.by = caller.who;
  withdraw.id = request.path.substr(sizeof("/v1/codes/") - 1);
  withdraw.done = [done, id = withdraw.id](const Status& status) {
    if (!status) return done(problem(status.error()));
    done(ApiReply{200, fmt::format(R"({{"withdrawn":"{}"}})", id), false, 0});
  };
  write(std::move(withdraw), done);
}

ApiReply Service::account_reply(const Result<AccountPtr>& account) const {
  if (!account) return problem(or_no_device(account.error()));
  const auto text = describe_device(*store_, **account);
  return text ? ApiReply{200, *text, false, 0} : problem(text.error());
}

// /v1/devices/{id}/…: drain, revoke, restore, wipe; scopes, role
void Service::device_action(const ApiRequest& request, const Caller& caller, ApiDone done) {
  const std::string_view rest = std::string_view(request.path).substr(sizeof("/v1/devices/") - 1);
  const std::size_t slash = rest.find('/');
  const auto device = parse_device_id(rest.substr(0, slash));
  const std::string_view action =
      slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  const bool scopes = action == "scopes";
  const bool role = action == "role";
  const auto standing = standing_of(action);
  // A desk is its account's: it has no standing of its own.
  const bool none = !device || store_->office().get()->is_desk(*device);
  if (none || (!scopes && !role && !standing && action != "wipe")) {
    return done(problem(Error{Code::kHttpNotFound, request.path}));
  }
  if (request.method != (scopes || role ? "PUT" : "POST")) {
    return done(
        problem(Error{Code::kHttpMethod, fmt::format("{} {}", request.method, request.path)}));
  }
  auto answer = [this, done, what = std::string(action)](Result<AccountPtr> account) {
    if (account.ok()) {
      spdlog::info("device {}: {}", format_device_id((*account)->device), what);
    }
    done(account_reply(account));
  };
  if (standing) {
    auto was = decode_standing_request(request.body);
    if (!was) return done(problem(was.error()));
    return write(
        StandingRequest{*device, *standing, std::move(answer), caller.who, std::move(*was)}, done);
  }
  if (scopes) {
    auto body = decode_scopes_request(request.body);
    if (!body) return done(problem(body.error()));
    return write(ScopesRequest{*device, std::move(body->scopes), std::move(answer), caller.who,
                               std::move(body->was)},
                 done);
  }
  if (role) {
    auto wanted = decode_role_request(request.body);
    if (!wanted) return done(problem(wanted.error()));
    return write(RoleRequest{*device, std::move(wanted->role), std::move(answer), caller.who,
                             std::move(wanted->was)},
                 done);
  }
  auto wipe = decode_wipe_request(request.body);
  if (!wipe) return done(problem(wipe.error()));
  write(WipeRequest{*device, wipe->now, std::move(answer), caller.who, std::move(wipe->was)}, done);
}

}  // namespace waystation

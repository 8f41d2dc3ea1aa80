// Whoever proves who they are: signing in, the one-time link, and what people do to their own
// account. The slow part runs on the hashing thread; what is decided is decided on the writer's
// thread, so that a code or a link is good once however many requests come at the same time.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "server/office.h"
#include "server/office_cookies.h"
#include "server/passwords.h"
#include "sync/canonical.h"
#include "sync/device_id.h"
#include "sync/digest.h"
#include "sync/limits.h"

namespace waystation {
namespace {

ApiReply slow_down(std::int64_t wait_ms) {
  ApiReply reply = problem(Error{Code::kAuthSlowDown, "see Retry-After"});
  reply.retry_after_ms = wait_ms;
  return reply;
}

// The network that an address lies in, for the audit log: enough to see where an attack comes from,
// too little to name a household.
std::string network_of(const std::string& peer) {
  const std::string address = throttle_address(peer);
  if (address.ends_with("/64")) return address;
  const std::size_t dot = address.rfind('.');
  return dot == std::string::npos ? address : address.substr(0, dot) + ".0/24";
}

std::string on_account(const std::string& name) { return "account " + name; }
std::string by_account(const std::string& name) { return "office " + name; }

// Ends the sessions that have expired, and of the account's own those that are too many.
void tidy_sessions(const OfficeTables& tables, const std::string& account, std::int64_t now_ms,
                   OfficeChange& change) {
  std::vector<std::pair<std::int64_t, std::string>> own;
  for (const auto& [hash, session] : tables.sessions) {
    if (now_ms >= session.opened_ms + limits::kSessionMs ||
        now_ms >= session.seen_ms + limits::kSessionIdleMs + limits::kSessionTouchMs) {
      change.sessions.emplace_back(hash, std::nullopt);
    } else if (session.account == account) {
      own.emplace_back(session.seen_ms, hash);
    }
  }
  std::sort(own.begin(), own.end());
  for (std::size_t i = 0; i + limits::kSessionsPerAccount <= own.size(); ++i) {
    change.sessions.emplace_back(own[i].second, std::nullopt);
  }
}

}  // namespace

// One attempt, from the request to its answer.
struct Office::SignIn {
  std::string name;
  SignInBody body;
  std::string peer;
  bool secure = false;
  std::optional<std::string> browser;  // it has signed in to this account before
  std::vector<LoginThrottle::Key> keys;
  std::vector<LoginThrottle::Key> factor_keys;
  // Found on the hashing thread.
  std::string checked_hash;
  bool right = false;
  // Drawn beforehand, so that the writer draws nothing.
  std::string session_id;
  std::string browser_id;
  std::string browser_key;
  // What became of it.
  ApiReply reply;
  bool signed_in = false;
  bool says_nothing = false;  // about whether somebody guesses
};

OfficeChange Office::failed(const std::string& name, const std::string& peer,
                            const OfficeTables& tables, std::int64_t now_ms) {
  OfficeChange change;
  const auto left_out = failures_.admit(now_ms);
  if (!left_out) return change;
  AuditDetails details;
  details.text("network", network_of(peer));
  if (*left_out > 0) details.number("not_listed", static_cast<std::int64_t>(*left_out));
  // A name that is none may be a password in the wrong place.
  const bool known = tables.find(name) != nullptr;
  change.audit.push_back({"nobody", "session.failed",
                          known ? on_account(name) : std::string("an unknown account"),
                          details.json()});
  return change;
}

void Office::sign_in(const ApiRequest& request, ApiDone done) {
  if (auto origin = check_origin(request); !origin) return done(problem(origin.error()));
  auto body = decode_sign_in(request.body);
  if (!body) return done(problem(body.error()));
  auto attempt = std::make_shared<SignIn>();
  attempt->body = std::move(*body);
  attempt->name = login_name(attempt->body.name).value_or("");
  attempt->peer = request.peer;
  attempt->secure = request.secure;
  const std::int64_t now_ms = now();
  const std::string key = store_.office().get()->browser_key;
  attempt->browser =
      known_browser(key, attempt->name, cookie_value(request, kBrowserCookie), now_ms);
  const std::string address = throttle_address(request.peer);
  if (attempt->browser) {
    attempt->keys = {{"browser/" + *attempt->browser, LoginThrottle::kBrowser}};
  } else {
    attempt->keys = {{attempt->name + "/at/" + address, LoginThrottle::kAccountAtAddress},
                     {"address/" + address, LoginThrottle::kAddress}};
    attempt->factor_keys = {{"factor/" + attempt->name, LoginThrottle::kSecondFactor}};
  }
  if (const std::int64_t wait_ms = throttle_.admit(attempt->keys, now_ms); wait_ms > 0) {
    return done(slow_down(wait_ms));
  }
  attempt->session_id = random_token(around_.random);
  attempt->browser_id = attempt->browser ? *attempt->browser : random_token(around_.random);
  attempt->browser_key = random_token(around_.random);
  auto job = [this, attempt, done] {
    const OfficeAccountPtr account = store_.office().get()->find(attempt->name);
    if (account != nullptr && account->active()) attempt->checked_hash = account->password_hash;
    attempt->right = password_matches(attempt->checked_hash, attempt->body.password);
    OfficeRequest decide;
    decide.change = [this, attempt](const OfficeTables& tables, std::int64_t when_ms) {
      return judge(*attempt, tables, when_ms);
    };
    decide.done = [this, attempt, done](const Status& status) {
      if (status.ok() && attempt->signed_in) {
        throttle_.succeeded(attempt->keys);
        throttle_.succeeded(attempt->factor_keys);
      } else if (!status.ok() || attempt->says_nothing) {
        throttle_.take_back(attempt->keys);
      }
      done(status.ok() ? std::move(attempt->reply) : problem(status.error()));
    };
    if (!write_(std::move(decide))) {
      throttle_.take_back(attempt->keys);
      done(busy());
    }
  };
  const std::string network = attempt->browser ? "" : throttle_network(request.peer);
  if (!hash(network, std::move(job))) {
    throttle_.take_back(attempt->keys);
    done(busy());
  }
}

// A code of the second factor, or one of the recovery codes, which is then used up.
bool Office::second_factor_right(OfficeAccount& account, const std::string& code,
                                 std::int64_t now_ms, AuditDetails& details) const {
  std::string digits;
  std::copy_if(code.begin(), code.end(), std::back_inserter(digits),
               [](char c) { return c != ' '; });
  if (const auto step = totp_match(account.totp_secret, digits, now_ms / 1000, account.totp_step)) {
    account.totp_step = *step;
    return true;
  }
  const auto typed = crockford_digits(code);
  if (!typed) return false;
  const std::string hash = sha256(*typed);
  const auto at = std::find_if(account.recovery.begin(), account.recovery.end(),
                               [&](const std::string& kept) { return equal_secrets(kept, hash); });
  if (at == account.recovery.end()) return false;
  account.recovery.erase(at);
  details.number("recovery_codes_left", static_cast<std::int64_t>(account.recovery.size()));
  return true;
}

Result<OfficeChange> Office::judge(SignIn& attempt, const OfficeTables& tables,
                                   std::int64_t now_ms) {
  const OfficeAccountPtr known = tables.find(attempt.name);
  // The account may have changed while the password was hashed.
  if (!attempt.right || known == nullptr || !known->active() ||
      known->password_hash != attempt.checked_hash) {
    attempt.reply = problem(Error{Code::kAuthSignIn, "check them and try again"});
    return failed(attempt.name, attempt.peer, tables, now_ms);
  }
  OfficeAccount account = *known;
  AuditDetails details;
  if (!account.totp_secret.empty()) {
    if (attempt.body.code.empty()) {
      attempt.says_nothing = true;
      attempt.reply = problem(Error{Code::kAuthSecondFactor, "send it as \"code\""});
      return OfficeChange{};
    }
    const std::int64_t wait_ms = throttle_.admit(attempt.factor_keys, now_ms);
    if (wait_ms > 0) {
      attempt.says_nothing = true;
      attempt.reply = slow_down(wait_ms);
      return OfficeChange{};
    }
    if (!second_factor_right(account, attempt.body.code, now_ms, details)) {
      attempt.reply = problem(Error{Code::kAuthSignIn, "check them and try again"});
      return failed(attempt.name, attempt.peer, tables, now_ms);
    }
  }
  OfficeChange change;
  account.signed_in_ms = now_ms;
  details.flag("known_browser", attempt.browser.has_value())
      .text("network", network_of(attempt.peer));
  change.audit.push_back(
      {by_account(account.name), "session.opened", on_account(account.name), details.json()});
  open_session(attempt, tables, std::move(account), now_ms, change);
  return change;
}

void Office::open_session(SignIn& attempt, const OfficeTables& tables, OfficeAccount account,
                          std::int64_t now_ms, OfficeChange& change) {
  tidy_sessions(tables, account.name, now_ms, change);
  const OfficeSession session{account.name, now_ms, now_ms};
  change.sessions.emplace_back(sha256(attempt.session_id), session);
  if (tables.browser_key.empty()) change.browser_key = attempt.browser_key;
  const std::string& key = tables.browser_key.empty() ? attempt.browser_key : tables.browser_key;
  attempt.signed_in = true;
  attempt.reply = ApiReply{
      200, session_text(account, session, csrf_token(attempt.session_id), zone()), false, 0};
  attempt.reply.cookies = {
      session_cookie(attempt.secure, attempt.session_id),
      browser_cookie(attempt.secure, sign_browser(key, account.name, attempt.browser_id,
                                                  now_ms + limits::kKnownBrowserMs))};
  change.accounts.push_back(std::move(account));
}

// --- the one-time link ------------------------------------------------------------------------

namespace {

// The account that the link is for; for that of the first administrator a new one under `name`.
// Errors: kLinkInvalid, kMessageInvalid, kAccountExists.
Result<OfficeAccount> link_target(const OfficeTables& tables, const std::string& link_hash,
                                  const SetupBody& body, std::int64_t now_ms) {
  const Error invalid{Code::kLinkInvalid, "ask an administrator for a new one"};
  if (!tables.first.hash.empty() && equal_secrets(tables.first.hash, link_hash)) {
    if (tables.first.expires_ms <= now_ms || tables.has_administrator()) return invalid;
    const auto name = login_name(body.name);
    if (!name) return Error{Code::kMessageInvalid, "body.name is required: the name to sign in"};
    if (tables.find(*name) != nullptr) return Error{Code::kAccountExists, "choose another name"};
    OfficeAccount account;
    account.name = *name;
    account.display = body.display.empty() ? *name : body.display;
    account.role = OfficeRole::kAdministrator;
    account.made_ms = now_ms;
    return account;
  }
  for (const auto& [name, account] : tables.accounts) {
    if (account->link_hash.empty() || !equal_secrets(account->link_hash, link_hash)) continue;
    if (account->link_expires_ms <= now_ms || account->disabled) return invalid;
    return *account;
  }
  return invalid;
}

}  // namespace

void Office::setup(const ApiRequest& request, ApiDone done) {
  if (auto origin = check_origin(request); !origin) return done(problem(origin.error()));
  auto body = decode_setup(request.body);
  if (!body) return done(problem(body.error()));
  const std::vector<LoginThrottle::Key> keys{
      {"link/" + throttle_address(request.peer), LoginThrottle::kAddress}};
  const std::int64_t now_ms = now();
  if (const std::int64_t wait_ms = throttle_.admit(keys, now_ms); wait_ms > 0) {
    return done(slow_down(wait_ms));
  }
  const std::string link_hash = sha256(body->secret);
  const auto target = link_target(*store_.office().get(), link_hash, *body, now_ms);
  if (!target) {
    if (target.error().code != Code::kLinkInvalid) throttle_.take_back(keys);
    return done(problem(target.error()));
  }
  throttle_.take_back(keys);
  if (const auto fault = password_fault(body->password, target->name)) {
    return done(problem(Error{Code::kPasswordWeak, *fault}));
  }
  auto job = [this, link_hash, body = *body, done] {
    auto hashed = hash_password(body.password);
    if (!hashed) return done(problem(hashed.error()));
    auto name = std::make_shared<std::string>();
    auto role = std::make_shared<OfficeRole>();
    auto change = [=, hash = std::move(*hashed)](const OfficeTables& tables, std::int64_t when_ms) {
      auto account = link_target(tables, link_hash, body, when_ms);
      if (!account) return Result<OfficeChange>(account.error());
      account->password_hash = hash;
      account->link_hash.clear();
      account->link_expires_ms = 0;
      *name = account->name;
      *role = account->role;
      OfficeChange out;
      out.end_sessions_of(tables, account->name);
      const bool first = tables.find(account->name) == nullptr;
      if (first) out.first = FirstLink{};
      out.audit.push_back(
          {by_account(*name), first ? "account.made" : "account.password", on_account(*name),
           AuditDetails().text("role", role_name(*role)).flag("by_link", true).json()});
      out.accounts.push_back(std::move(*account));
      return Result<OfficeChange>(std::move(out));
    };
    write(std::move(change), done, [name, role] {
      std::string text = "{\"name\":";
      append_json_string(text, *name);
      return ApiReply{200, text + fmt::format(R"(,"role":"{}"}})", role_name(*role)), false, 0};
    });
  };
  // Whoever holds a link is known.
  if (!hash("", std::move(job))) done(busy());
}

// --- one's own account ------------------------------------------------------------------------

void Office::change_password(const ApiRequest& request, const OfficePerson& person, ApiDone done) {
  auto body = decode_password_change(request.body);
  if (!body) return done(problem(body.error()));
  if (const auto fault = password_fault(body->new_password, person.account)) {
    return done(problem(Error{Code::kPasswordWeak, *fault}));
  }
  const std::vector<LoginThrottle::Key> keys{{"own/" + person.account, LoginThrottle::kBrowser}};
  if (const std::int64_t wait_ms = throttle_.admit(keys, now()); wait_ms > 0) {
    return done(slow_down(wait_ms));
  }
  auto job = [this, person, keys, body = *body, done] {
    const OfficeAccountPtr account = store_.office().get()->find(person.account);
    const std::string known = account == nullptr ? std::string() : account->password_hash;
    if (!password_matches(known, body.password)) {
      return done(problem(Error{Code::kAuthSignIn, "the present password is another"}));
    }
    throttle_.succeeded(keys);
    auto hashed = hash_password(body.new_password);
    if (!hashed) return done(problem(hashed.error()));
    auto change = [=, hash = std::move(*hashed)](const OfficeTables& tables, std::int64_t) {
      const OfficeAccountPtr now_known = tables.find(person.account);
      if (now_known == nullptr || now_known->password_hash != known || now_known->disabled) {
        return Result<OfficeChange>(
            Error{Code::kAuthRequired, "the account has changed: sign in again"});
      }
      OfficeAccount changed = *now_known;
      changed.password_hash = hash;
      OfficeChange out;
      out.end_sessions_of(tables, person.account, person.session_hash);
      out.audit.push_back(
          {by_account(person.account), "account.password", on_account(person.account)});
      out.accounts.push_back(std::move(changed));
      return Result<OfficeChange>(std::move(out));
    };
    write(std::move(change), done, [] { return ApiReply{200, "{}", false, 0}; });
  };
  if (!hash("", std::move(job))) {
    throttle_.take_back(keys);
    done(busy());
  }
}

void Office::begin_second_factor(const ApiRequest& request, const OfficePerson& person,
                                 ApiDone done) {
  auto body = decode_second_factor(request.body);
  if (!body) return done(problem(body.error()));
  const std::vector<LoginThrottle::Key> keys{{"own/" + person.account, LoginThrottle::kBrowser}};
  if (const std::int64_t wait_ms = throttle_.admit(keys, now()); wait_ms > 0) {
    return done(slow_down(wait_ms));
  }
  const std::string secret = random_totp_secret(around_.random);
  auto job = [this, person, keys, secret, password = body->password, done] {
    const OfficeAccountPtr account = store_.office().get()->find(person.account);
    const std::string known = account == nullptr ? std::string() : account->password_hash;
    if (!password_matches(known, password)) {
      return done(problem(Error{Code::kAuthSignIn, "the present password is another"}));
    }
    throttle_.succeeded(keys);
    auto change = [person, known, secret](const OfficeTables& tables, std::int64_t) {
      const OfficeAccountPtr now_known = tables.find(person.account);
      if (now_known == nullptr || now_known->password_hash != known) {
        return Result<OfficeChange>(
            Error{Code::kAuthRequired, "the account has changed: sign in again"});
      }
      OfficeChange out;
      out.accounts.push_back(*now_known);
      out.accounts.back().totp_pending = secret;
      return Result<OfficeChange>(std::move(out));
    };
    write(std::move(change), done, [secret, name = person.account] {
      return ApiReply{
          200,
          fmt::format(R"({{"secret":"{}","uri":"{}"}})", base32(secret), totp_uri(secret, name)),
          false, 0};
    });
  };
  if (!hash("", std::move(job))) {
    throttle_.take_back(keys);
    done(busy());
  }
}

void Office::confirm_second_factor(const ApiRequest& request, const OfficePerson& person,
                                   ApiDone done) {
  auto body = decode_second_factor(request.body);
  if (!body) return done(problem(body.error()));
  const std::vector<LoginThrottle::Key> keys{{"own/" + person.account, LoginThrottle::kBrowser}};
  if (const std::int64_t wait_ms = throttle_.admit(keys, now()); wait_ms > 0) {
    return done(slow_down(wait_ms));
  }
  std::vector<std::string> codes;
  while (codes.size() < limits::kRecoveryCodes) {
    codes.push_back(random_recovery_code(around_.random));
  }
  auto change = [person, codes, code = body->code](const OfficeTables& tables,
                                                   std::int64_t when_ms) {
    const OfficeAccountPtr known = tables.find(person.account);
    if (known == nullptr || known->totp_pending.empty()) {
      return Result<OfficeChange>(Error{Code::kAuthSignIn, "ask for a new secret first"});
    }
    const auto step = totp_match(known->totp_pending, code, when_ms / 1000, 0);
    if (!step) {
      return Result<OfficeChange>(
          Error{Code::kAuthSignIn, "the code does not match: is the phone's clock right?"});
    }
    OfficeAccount account = *known;
    account.totp_secret = std::exchange(account.totp_pending, {});
    account.totp_step = *step;
    account.recovery.clear();
    for (const std::string& text : codes)
      account.recovery.push_back(sha256(*crockford_digits(text)));
    OfficeChange out;
    out.end_sessions_of(tables, person.account, person.session_hash);
    out.audit.push_back(
        {by_account(person.account), "account.second_factor", on_account(person.account)});
    out.accounts.push_back(std::move(account));
    return Result<OfficeChange>(std::move(out));
  };
  write(std::move(change), done, [this, keys, codes] {
    throttle_.succeeded(keys);
    std::string text = "{\"recovery\":";
    append_string_array(text, codes);
    return ApiReply{200, text + "}", false, 0};
  });
}

}  // namespace waystation

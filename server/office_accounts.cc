// What administrators do to accounts.
#include <fmt/format.h>

#include <algorithm>

#include "server/office.h"
#include "sync/canonical.h"
#include "sync/digest.h"
#include "sync/limits.h"

namespace waystation {
namespace {

std::string on_account(const std::string& name) { return "account " + name; }

// The last account that can administer is not taken away by somebody who has but an account; who
// holds the administrator's token can always make another.
Status keeps_an_administrator(const OfficeTables& before, const OfficeChange& change,
                              const Office::Asker& asker) {
  if (!asker.person || !before.has_administrator()) return {};
  if (apply_change(before, change)->has_administrator()) return {};
  return Error{Code::kAccountLast, ""};
}

bool as_seen(const OfficeAccount& account, const AccountSeen& was) {
  return (!was.display || *was.display == account.display) &&
         (!was.role || *was.role == role_name(account.role)) &&
         (!was.disabled || *was.disabled == account.disabled);
}

std::string link_reply(const std::string& account, const std::string& secret,
                       std::int64_t expires_ms) {
  return fmt::format(R"({{{}"secret":"{}","path":"/office/setup#{}","expires":{}}})",
                     account.empty() ? "" : "\"account\":" + account + ",", secret, secret,
                     expires_ms);
}

}  // namespace

std::string describe_account(const OfficeTables& tables, const OfficeAccount& account) {
  const auto sessions =
      std::count_if(tables.sessions.begin(), tables.sessions.end(),
                    [&](const auto& named) { return named.second.account == account.name; });
  std::string out = "{\"name\":";
  append_json_string(out, account.name);
  out += ",\"display\":";
  append_json_string(out, account.display);
  out += fmt::format(
      R"(,"role":"{}","disabled":{},"password":{},"second_factor":{},"recovery_codes":{},)"
      R"("sessions":{},"made":{},"signed_in":{},"link_expires":{}}})",
      role_name(account.role), account.disabled, !account.password_hash.empty(),
      !account.totp_secret.empty(), account.recovery.size(), sessions, account.made_ms,
      account.signed_in_ms == 0 ? "null" : std::to_string(account.signed_in_ms),
      account.link_hash.empty() ? "null" : std::to_string(account.link_expires_ms));
  return out;
}

void Office::list_accounts(const ApiDone& done) const {
  const OfficeTablesPtr tables = store_.office().get();
  std::string out = "{\"accounts\":[";
  bool first = true;
  for (const auto& [name, account] : tables->accounts) {
    if (!first) out += ',';
    first = false;
    out += describe_account(*tables, *account);
  }
  done(ApiReply{200, out + "]}", false, 0});
}

void Office::make_account(const ApiRequest& request, const Asker& asker, ApiDone done) {
  auto body = decode_account_body(request.body);
  if (!body) return done(problem(body.error()));
  const auto name = body->name ? login_name(*body->name) : std::nullopt;
  const auto role = parse_office_role(body->role.value_or("office"));
  if (!name || !role) {
    return done(problem(Error{Code::kMessageInvalid,
                              name ? "body.role is office or administrator"
                                   : "body.name is 1 to 64 bytes without white space or \"/\""}));
  }
  const std::string secret = random_token(around_.random);
  auto made = std::make_shared<OfficeAccount>();
  made->name = *name;
  made->display = body->display.value_or(*name);
  made->role = *role;
  made->link_hash = sha256(secret);
  auto change = [made, who = asker.who](const OfficeTables& tables, std::int64_t now_ms) {
    if (tables.find(made->name) != nullptr) {
      return Result<OfficeChange>(Error{Code::kAccountExists, "reset it to get a new link"});
    }
    if (tables.accounts.size() >= limits::kOfficeAccounts) {
      return Result<OfficeChange>(Error{
          Code::kMessageInvalid, fmt::format("at most {} accounts", limits::kOfficeAccounts)});
    }
    made->made_ms = now_ms;
    made->link_expires_ms = now_ms + limits::kLinkMs;
    OfficeChange out;
    out.accounts.push_back(*made);
    out.audit.push_back({who, "account.made", on_account(made->name),
                         AuditDetails().text("role", role_name(made->role)).json()});
    return Result<OfficeChange>(std::move(out));
  };
  write(std::move(change), done, [made, secret] {
    return ApiReply{200, link_reply(describe_account({}, *made), secret, made->link_expires_ms),
                    false, 0};
  });
}

void Office::change_account(const ApiRequest& request, const Asker& asker, const std::string& name,
                            ApiDone done) {
  auto body = decode_account_body(request.body);
  if (!body) return done(problem(body.error()));
  const auto role = body->role ? parse_office_role(*body->role) : std::nullopt;
  if (body->role && !role) {
    return done(problem(Error{Code::kMessageInvalid, "body.role is office or administrator"}));
  }
  auto text = std::make_shared<std::string>();
  auto change = [=](const OfficeTables& tables, std::int64_t) {
    const OfficeAccountPtr known = tables.find(login_name(name).value_or(""));
    if (known == nullptr)
      return Result<OfficeChange>(Error{Code::kHttpNotFound, "no such account"});
    OfficeAccount account = *known;
    if (!as_seen(account, body->was)) {
      return Result<OfficeChange>(Error{Code::kAccountChanged, "show it anew"});
    }
    AuditDetails details;
    if (body->display && *body->display != account.display) {
      account.display = *body->display;
      details.flag("display", true);
    }
    if (role && *role != account.role) {
      account.role = *role;
      details.text("role", role_name(*role));
    }
    OfficeChange out;
    if (body->disabled && *body->disabled != account.disabled) {
      account.disabled = *body->disabled;
      details.flag("disabled", account.disabled);
      if (account.disabled) {
        account.link_hash.clear();
        out.end_sessions_of(tables, account.name);
      }
    }
    out.audit.push_back({asker.who, "account.changed", on_account(account.name), details.json()});
    out.accounts.push_back(std::move(account));
    if (auto kept = keeps_an_administrator(tables, out, asker); !kept) {
      return Result<OfficeChange>(kept.error());
    }
    *text = describe_account(*apply_change(tables, out), out.accounts.front());
    return Result<OfficeChange>(std::move(out));
  };
  write(std::move(change), done, [text] { return ApiReply{200, *text, false, 0}; });
}

// Of somebody who has lost the password or the phone, or may have lost it to somebody else: nothing
// of the old holds from now on.
void Office::reset_account(const Asker& asker, const std::string& name, ApiDone done) {
  const std::string secret = random_token(around_.random);
  auto text = std::make_shared<std::string>();
  auto change = [=](const OfficeTables& tables, std::int64_t now_ms) {
    const OfficeAccountPtr known = tables.find(login_name(name).value_or(""));
    if (known == nullptr)
      return Result<OfficeChange>(Error{Code::kHttpNotFound, "no such account"});
    OfficeAccount account = *known;
    account.password_hash.clear();
    account.totp_secret.clear();
    account.totp_pending.clear();
    account.recovery.clear();
    account.link_hash = sha256(secret);
    account.link_expires_ms = now_ms + limits::kLinkMs;
    OfficeChange out;
    out.end_sessions_of(tables, account.name);
    out.audit.push_back({asker.who, "account.reset", on_account(account.name)});
    out.accounts.push_back(std::move(account));
    if (auto kept = keeps_an_administrator(tables, out, asker); !kept) {
      return Result<OfficeChange>(kept.error());
    }
    const OfficeAccount& now_is = out.accounts.front();
    *text = link_reply(describe_account(*apply_change(tables, out), now_is), secret,
                       now_is.link_expires_ms);
    return Result<OfficeChange>(std::move(out));
  };
  write(std::move(change), done, [text] { return ApiReply{200, *text, false, 0}; });
}

void Office::make_first_link(const Asker& asker, ApiDone done) {
  const std::string secret = random_token(around_.random);
  auto expires_ms = std::make_shared<std::int64_t>(0);
  auto change = [=, who = asker.who](const OfficeTables& tables, std::int64_t now_ms) {
    if (tables.has_administrator()) {
      return Result<OfficeChange>(
          Error{Code::kAccountExists, "an administrator is there: accounts are made by them"});
    }
    *expires_ms = now_ms + limits::kLinkMs;
    OfficeChange out;
    out.first = FirstLink{sha256(secret), *expires_ms};
    out.audit.push_back({who, "account.first_link", ""});
    return Result<OfficeChange>(std::move(out));
  };
  write(std::move(change), done, [secret, expires_ms] {
    return ApiReply{200, link_reply("", secret, *expires_ms), false, 0};
  });
}

}  // namespace waystation

// Sessions, cookies and the way to each request; signing in is in office_sign_in.cc.
#include "server/office.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/office_cookies.h"
#include "sync/canonical.h"
#include "sync/digest.h"
#include "sync/limits.h"

namespace waystation {
namespace {

constexpr std::string_view kAccounts = "/v1/office/accounts";

bool is_session_path(std::string_view path) {
  return path == "/v1/session" || path.starts_with("/v1/session/");
}

bool expired(const OfficeSession& session, std::int64_t now_ms) {
  return now_ms >= session.opened_ms + limits::kSessionMs ||
         now_ms >= session.seen_ms + limits::kSessionIdleMs + limits::kSessionTouchMs;
}

}  // namespace

std::optional<std::uint64_t> FailureLog::admit(std::int64_t now_ms) {
  // Sixty at once, and one a minute: an attack shows from its first attempt, and a day of it takes
  // about 1,500 entries.
  constexpr std::int64_t kMost = 60;
  constexpr std::int64_t kEveryMs = 60'000;
  const std::lock_guard lock(mutex_);
  if (filled_ms_ == 0) {
    filled_ms_ = now_ms;
    tokens_ = kMost;
  }
  const std::int64_t gained = std::max<std::int64_t>(0, (now_ms - filled_ms_) / kEveryMs);
  tokens_ = std::min(kMost, tokens_ + gained);
  filled_ms_ += gained * kEveryMs;
  if (tokens_ == 0) {
    ++left_out_;
    return std::nullopt;
  }
  --tokens_;
  return std::exchange(left_out_, 0);
}

Office::Office(Store& store, Surroundings surroundings, Write write)
    : store_(store),
      around_(std::move(surroundings)),
      write_(std::move(write)),
      hashers_(1, around_.threads, limits::kHashQueue) {}

bool Office::hash(const std::string& network, std::function<void()> job) {
  if (network.empty()) return hashers_.submit(std::move(job));
  if (!let_wait(network)) return false;
  auto counted = [this, network, job = std::move(job)] {
    job();
    no_longer_waits(network);
  };
  if (hashers_.submit(std::move(counted))) return true;
  no_longer_waits(network);
  return false;
}

bool Office::let_wait(const std::string& network) {
  const std::lock_guard lock(strangers_mutex_);
  const auto at = strangers_by_network_.find(network);
  const std::size_t own = at == strangers_by_network_.end() ? 0 : at->second;
  if (strangers_waiting_ >= limits::kStrangersHashed || own >= limits::kStrangersOfNetwork) {
    return false;
  }
  ++strangers_waiting_;
  ++strangers_by_network_[network];
  return true;
}

void Office::no_longer_waits(const std::string& network) {
  const std::lock_guard lock(strangers_mutex_);
  --strangers_waiting_;
  const auto at = strangers_by_network_.find(network);
  if (--at->second == 0) strangers_by_network_.erase(at);
}

ApiReply Office::busy() const {
  ApiReply reply = problem(Error{Code::kBusy, "too many requests wait"});
  reply.retry_after_ms = random_between(500, 2500, around_.random);
  return reply;
}

void Office::write(Change change, const ApiDone& done, std::function<ApiReply()> reply) {
  OfficeRequest request;
  request.change = std::move(change);
  request.done = [done, reply = std::move(reply)](const Status& status) {
    done(status.ok() ? reply() : problem(status.error()));
  };
  if (!write_(std::move(request))) done(busy());
}

// --- sessions ---------------------------------------------------------------------------------

Result<OfficePerson> Office::person(const ApiRequest& request) {
  const std::string id = cookie_value(request, kSessionCookie);
  if (id.empty()) return Error{Code::kAuthRequired, "sign in first"};
  const OfficeTablesPtr tables = store_.office().get();
  const std::string hash = sha256(id);
  const auto at = tables->sessions.find(hash);
  const std::int64_t now_ms = now();
  if (at == tables->sessions.end() || expired(at->second, now_ms)) {
    return Error{Code::kAuthRequired, "the session has ended: sign in again"};
  }
  const OfficeAccountPtr account = tables->find(at->second.account);
  if (account == nullptr || !account->active()) {
    return Error{Code::kAuthRequired, "the session has ended: sign in again"};
  }
  if (now_ms - at->second.seen_ms >= limits::kSessionTouchMs && !store_.read_only()) {
    OfficeRequest touch;
    touch.change = [hash](const OfficeTables& current, std::int64_t when_ms) {
      OfficeChange change;
      const auto found = current.sessions.find(hash);
      if (found != current.sessions.end() && when_ms > found->second.seen_ms) {
        OfficeSession session = found->second;
        session.seen_ms = when_ms;
        change.sessions.emplace_back(hash, std::move(session));
      }
      return Result<OfficeChange>(std::move(change));
    };
    touch.done = [](const Status&) {};
    (void)write_(std::move(touch));  // where it is not taken, the next request says it again
  }
  return OfficePerson{account->name, account->role, hash, csrf_token(id)};
}

Status Office::check_csrf(const ApiRequest& request, const OfficePerson& person) {
  if (auto origin = check_origin(request); !origin) return origin;
  if (!equal_secrets(request.csrf, person.csrf)) {
    return Error{Code::kAuthCsrf, "X-CSRF-Token is not that of the session"};
  }
  return {};
}

std::string_view Office::zone() const {
  const Projections* counted = store_.projections();
  return counted == nullptr ? std::string_view() : counted->zone().name;
}

void Office::show_session(const OfficePerson& person, const ApiDone& done) const {
  const OfficeTablesPtr tables = store_.office().get();
  const OfficeAccountPtr account = tables->find(person.account);
  const auto session = tables->sessions.find(person.session_hash);
  if (account == nullptr || session == tables->sessions.end()) {
    return done(problem(Error{Code::kAuthRequired, "the session has ended: sign in again"}));
  }
  done(ApiReply{200, session_text(*account, session->second, person.csrf, zone()), false, 0});
}

void Office::sign_out(const ApiRequest& request, const OfficePerson& person, ApiDone done) {
  auto change = [person](const OfficeTables&, std::int64_t) {
    OfficeChange out;
    out.sessions.emplace_back(person.session_hash, std::nullopt);
    out.audit.push_back({"office " + person.account, "session.ended", "account " + person.account});
    return Result<OfficeChange>(std::move(out));
  };
  write(std::move(change), done, [secure = request.secure] {
    ApiReply reply{200, "{}", false, 0};
    reply.cookies.push_back(ended_session_cookie(secure));
    return reply;
  });
}

// --- the way to each request ------------------------------------------------------------------

bool Office::has_path(std::string_view path) {
  return is_session_path(path) || path.starts_with("/v1/office/");
}

bool Office::open_to_all(const ApiRequest& request) {
  return (request.path == "/v1/session" || request.path == "/v1/office/setup") &&
         request.method == "POST";
}

void Office::handle(const ApiRequest& request, const Asker& asker, ApiDone done) {
  const std::string& path = request.path;
  const std::string& method = request.method;
  const bool get = method == "GET" || method == "HEAD";
  const bool post = method == "POST";
  const bool put = method == "PUT";
  const auto wrong_method = [&] {
    done(problem(Error{Code::kHttpMethod, fmt::format("{} {}", method, path)}));
  };
  if (open_to_all(request)) {
    return path == "/v1/session" ? sign_in(request, std::move(done))
                                 : setup(request, std::move(done));
  }
  if (path == "/v1/office/setup") return wrong_method();
  if (is_session_path(path)) {
    if (!asker.person) return done(problem(Error{Code::kAuthRequired, "sign in first"}));
    const OfficePerson& person = *asker.person;
    if (path == "/v1/session") {
      if (get) return show_session(person, done);
      return method == "DELETE" ? sign_out(request, person, std::move(done)) : wrong_method();
    }
    if (path == "/v1/session/password") {
      return put ? change_password(request, person, std::move(done)) : wrong_method();
    }
    if (path == "/v1/session/second-factor") {
      if (post) return begin_second_factor(request, person, std::move(done));
      return put ? confirm_second_factor(request, person, std::move(done)) : wrong_method();
    }
    return done(problem(Error{Code::kHttpNotFound, path}));
  }
  if (!asker.administrator) {
    return done(problem(Error{Code::kAuthForbidden, "for administrators only"}));
  }
  if (path == "/v1/office/first") {
    return post ? make_first_link(asker, std::move(done)) : wrong_method();
  }
  if (path == kAccounts) {
    if (get) return list_accounts(done);
    return post ? make_account(request, asker, std::move(done)) : wrong_method();
  }
  if (!path.starts_with(std::string(kAccounts) + "/")) {
    return done(problem(Error{Code::kHttpNotFound, path}));
  }
  const std::string_view rest = std::string_view(path).substr(kAccounts.size() + 1);
  const std::size_t slash = rest.find('/');
  const std::string name(rest.substr(0, slash));
  if (slash == std::string_view::npos) {
    return put ? change_account(request, asker, name, std::move(done)) : wrong_method();
  }
  if (rest.substr(slash + 1) != "reset") {
    return done(problem(Error{Code::kHttpNotFound, path}));
  }
  return post ? reset_account(asker, name, std::move(done)) : wrong_method();
}

}  // namespace waystation

// Office accounts over HTTP: signing in and out, sessions in cookies, passwords, second factors,
// one-time links, and what administrators do to accounts. docs/protocol.md, "Sessions";
// docs/office-access.md has the reasons.
//
// All functions from any thread. Passwords are hashed on one thread of its own with a bounded
// queue; every change goes through the writer, with its entry in the audit log.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/login_throttle.h"
#include "server/reader_pool.h"
#include "server/service.h"
#include "storage/office.h"
#include "storage/store.h"
#include "sync/office_bodies.h"

namespace waystation {

// Lets through so many entries about failed attempts, and counts the others.
class FailureLog {
 public:
  // How many were not written since the last one that was; nothing: this one is not to be written.
  [[nodiscard]] std::optional<std::uint64_t> admit(std::int64_t now_ms);

 private:
  std::mutex mutex_;
  std::int64_t filled_ms_ = 0;
  std::int64_t tokens_ = 0;
  std::uint64_t left_out_ = 0;
};

class Office {
 public:
  using ApiDone = Service::ApiDone;
  // False: the writer's queue is full.
  using Write = std::function<bool(Request)>;
  // The store outlives it.
  Office(Store& store, Surroundings surroundings, Write write);

  void stop() { hashers_.stop(); }
  bool step() { return hashers_.step(); }
  void abandon() { hashers_.abandon(); }

  // The session that the request shows by its cookie, still good; its use is noted. Errors:
  // kAuthRequired.
  [[nodiscard]] Result<OfficePerson> person(const ApiRequest& request);
  // For a request that changes something by the right of a cookie. Errors: kAuthCsrf.
  [[nodiscard]] static Status check_csrf(const ApiRequest& request, const OfficePerson& person);

  [[nodiscard]] static bool has_path(std::string_view path);
  // Whoever has the right name and password, or the link, may.
  [[nodiscard]] static bool open_to_all(const ApiRequest& request);
  // Who asks: the name for the audit log, and the session; nothing: the administrator's token.
  struct Asker {
    std::string who;
    bool administrator = false;
    std::optional<OfficePerson> person;
  };
  void handle(const ApiRequest& request, const Asker& asker, ApiDone done);

 private:
  struct SignIn;

  void sign_in(const ApiRequest& request, ApiDone done);
  [[nodiscard]] Result<OfficeChange> judge(SignIn& attempt, const OfficeTables& tables,
                                           std::int64_t now_ms);
  [[nodiscard]] OfficeChange failed(const std::string& name, const std::string& peer,
                                    const OfficeTables& tables, std::int64_t now_ms);
  [[nodiscard]] bool second_factor_right(OfficeAccount& account, const std::string& code,
                                         std::int64_t now_ms, AuditDetails& details) const;
  void open_session(SignIn& attempt, const OfficeTables& tables, OfficeAccount account,
                    std::int64_t now_ms, OfficeChange& change);
  void setup(const ApiRequest& request, ApiDone done);
  // Of the days that the store counts.
  [[nodiscard]] std::string_view zone() const;
  void show_session(const OfficePerson& person, const ApiDone& done) const;
  void sign_out(const ApiRequest& request, const OfficePerson& person, ApiDone done);
  void change_password(const ApiRequest& request, const OfficePerson& person, ApiDone done);
  void begin_second_factor(const ApiRequest& request, const OfficePerson& person, ApiDone done);
  void confirm_second_factor(const ApiRequest& request, const OfficePerson& person, ApiDone done);

  // For administrators (office_accounts.cc).
  void list_accounts(const ApiDone& done) const;
  void make_account(const ApiRequest& request, const Asker& asker, ApiDone done);
  void change_account(const ApiRequest& request, const Asker& asker, const std::string& name,
                      ApiDone done);
  void reset_account(const Asker& asker, const std::string& name, ApiDone done);
  void make_first_link(const Asker& asker, ApiDone done);

  // Runs it on the hashing thread; false: too many wait. `network`: where a stranger comes from;
  // empty: a browser that has signed in.
  [[nodiscard]] bool hash(const std::string& network, std::function<void()> job);
  [[nodiscard]] bool let_wait(const std::string& network);
  void no_longer_waits(const std::string& network);
  using Change = std::function<Result<OfficeChange>(const OfficeTables&, std::int64_t)>;
  // Writes and answers: with `reply` when it is written.
  void write(Change change, const ApiDone& done, std::function<ApiReply()> reply);
  [[nodiscard]] ApiReply busy() const;
  [[nodiscard]] std::int64_t now() const { return around_.now_ms(); }

  Store& store_;
  Surroundings around_;
  Write write_;
  LoginThrottle throttle_;
  FailureLog failures_;
  std::mutex strangers_mutex_;
  std::size_t strangers_waiting_ = 0;
  std::map<std::string, std::size_t> strangers_by_network_;  // those that wait
  ReaderPool hashers_;
};

// {"name":…}: an account as administrators see it.
[[nodiscard]] std::string describe_account(const OfficeTables& tables,
                                           const OfficeAccount& account);

}  // namespace waystation

// The office's accounts and sessions as they are kept: their rows, and the table of all of them
// that every thread looks into. What may be done with them is decided in server/office.h.
//
// A table is never changed once it is published: the writer makes a new one for a group that
// changes it and publishes it behind the commit. Any thread may keep the one that it got.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/audit.h"
#include "storage/kv.h"
#include "sync/result.h"

namespace waystation {

enum class OfficeRole : std::uint8_t { kOffice, kAdministrator };
[[nodiscard]] std::string_view role_name(OfficeRole role);
[[nodiscard]] std::optional<OfficeRole> parse_office_role(std::string_view name);

struct OfficeAccount {
  std::string name;     // to sign in with; as login_name() gives it
  std::string display;  // for people
  OfficeRole role = OfficeRole::kOffice;
  std::string password_hash;          // argon2id with its parameters; empty: none yet
  std::string totp_secret;            // empty: no second factor
  std::string totp_pending;           // one that has not been confirmed by a code
  std::uint64_t totp_step = 0;        // the latest time step whose code was used
  std::vector<std::string> recovery;  // SHA-256 of each code that is left
  bool disabled = false;
  std::string link_hash;  // SHA-256 of the secret that sets the password, once; empty: none
  std::int64_t link_expires_ms = 0;
  std::int64_t made_ms = 0;
  std::int64_t signed_in_ms = 0;  // 0: never

  // Somebody can sign in with it.
  [[nodiscard]] bool active() const { return !disabled && !password_hash.empty(); }
};
using OfficeAccountPtr = std::shared_ptr<const OfficeAccount>;

struct OfficeSession {
  std::string account;
  std::int64_t opened_ms = 0;
  std::int64_t seen_ms = 0;  // as last written: behind the truth by limits::kSessionTouchMs
};

// The secret that makes the first administrator, once.
struct FirstLink {
  std::string hash;  // SHA-256; empty: none
  std::int64_t expires_ms = 0;
};

// An answer to a person's edits, kept so that the request can be repeated.
struct KeptEdits {
  std::int64_t time_ms = 0;
  std::string hash;    // of what was asked for, by a key of the store's
  std::string answer;  // as it was sent
};
// Its row. `account`: empty for the administrator's token.
[[nodiscard]] std::string kept_edits_key(std::string_view account, std::string_view request);
inline constexpr std::string_view kKeptEditsPrefix = "e/";

[[nodiscard]] std::string encode_kept_edits(const KeptEdits& kept);
[[nodiscard]] Result<KeptEdits> decode_kept_edits(std::string_view bytes);
[[nodiscard]] std::string encode_office_account(const OfficeAccount& account);
[[nodiscard]] Result<OfficeAccount> decode_office_account(std::string_view bytes);
[[nodiscard]] std::string encode_office_session(const OfficeSession& session);
[[nodiscard]] Result<OfficeSession> decode_office_session(std::string_view bytes);
[[nodiscard]] std::string encode_first_link(const FirstLink& link);
[[nodiscard]] Result<FirstLink> decode_first_link(std::string_view bytes);

struct OfficeTables {
  std::map<std::string, OfficeAccountPtr, std::less<>> accounts;  // by name
  std::map<std::string, OfficeSession, std::less<>> sessions;     // by SHA-256 of their id
  FirstLink first;
  std::string browser_key;  // signs the cookies of known browsers; empty: none made yet
  // The devices by which accounts write, made when first needed. By account; "" is whoever has the
  // administrator's token.
  std::map<std::string, std::uint64_t, std::less<>> desks;

  [[nodiscard]] OfficeAccountPtr find(std::string_view name) const;  // null: none
  [[nodiscard]] bool has_administrator() const;                      // an active one
  [[nodiscard]] bool is_desk(std::uint64_t device) const;
};
using OfficeTablesPtr = std::shared_ptr<const OfficeTables>;

[[nodiscard]] Result<OfficeTablesPtr> load_office(const Kv& kv);

// What a request makes of the tables, and what the audit log says of it.
struct OfficeChange {
  std::vector<OfficeAccount> accounts;                                         // new or changed
  std::vector<std::pair<std::string, std::optional<OfficeSession>>> sessions;  // nothing: ended
  std::optional<FirstLink> first;
  std::optional<std::string> browser_key;
  std::vector<std::pair<std::string, std::uint64_t>> desks = {};  // new ones
  std::vector<AuditNote> audit;

  void end_sessions_of(const OfficeTables& tables, std::string_view account,
                       std::string_view but_hash = {});
};
// Ends the sessions, withdraws the links and has a new key made for known browsers.
[[nodiscard]] OfficeChange forget_secrets(const OfficeTables& tables);
[[nodiscard]] OfficeTablesPtr apply_change(const OfficeTables& tables, const OfficeChange& change);
void put_change(Batch& batch, const OfficeChange& change);

// The published table. Any thread.
class OfficeDirectory {
 public:
  [[nodiscard]] OfficeTablesPtr get() const {
    const std::lock_guard lock(mutex_);
    return tables_;
  }
  void publish(OfficeTablesPtr tables) {
    const std::lock_guard lock(mutex_);
    tables_ = std::move(tables);
  }

 private:
  mutable std::mutex mutex_;
  OfficeTablesPtr tables_ = std::make_shared<const OfficeTables>();
};

}  // namespace waystation

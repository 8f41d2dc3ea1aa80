// The bodies of the office's requests over HTTP: signing in, passwords, accounts. Decoding is
// total; an error names the member and never what stands in it. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sync/result.h"
#include "sync/stamp.h"

namespace waystation {

// The name to sign in with, as accounts are kept under it: ASCII letters in lower case. Nothing:
// not a name (1 to 64 bytes of UTF-8 without white space, control characters and "/").
[[nodiscard]] std::optional<std::string> login_name(std::string_view typed);

struct SignInBody {
  std::string name;  // as typed
  std::string password;
  std::string code;  // of the second factor, or a recovery code; empty: none
};
[[nodiscard]] Result<SignInBody> decode_sign_in(std::string_view bytes);

// The one-time link: with a name it makes the first administrator, without one it sets the password
// of the account that it was made for.
struct SetupBody {
  std::string secret;
  std::string password;
  std::string name;
  std::string display;
};
[[nodiscard]] Result<SetupBody> decode_setup(std::string_view bytes);

struct PasswordBody {
  std::string password;  // the one of now
  std::string new_password;
};
[[nodiscard]] Result<PasswordBody> decode_password_change(std::string_view bytes);

struct SecondFactorBody {
  std::string password;  // to begin
  std::string code;      // to confirm
};
[[nodiscard]] Result<SecondFactorBody> decode_second_factor(std::string_view bytes);

// What whoever changes an account believes to change; nothing is said of what is not there.
struct AccountSeen {
  std::optional<std::string> display;
  std::optional<std::string> role;
  std::optional<bool> disabled;
};
struct AccountBody {
  std::optional<std::string> name;
  std::optional<std::string> display;
  std::optional<std::string> role;
  std::optional<bool> disabled;
  AccountSeen was;
};
[[nodiscard]] Result<AccountBody> decode_account_body(std::string_view bytes);

// {"coll":"…","scope":"…"}: what was exported.
struct ExportBody {
  std::string coll;
  std::string scope;  // empty: all
};
[[nodiscard]] Result<ExportBody> decode_export_note(std::string_view bytes);

// One edit by a person: an op to which the server gives its number and its time.
struct PersonEdit {
  std::string scope;
  std::string coll;
  std::string id;
  std::optional<Seq> if_seq;  // the record's when the person looked; 0: it was not there
  bool has_schema = false;
  bool has_base = false;
  std::string members;  // of the op, canonical, joined by commas: all but what the server gives
};
// A record that is not edited, and is to be as the person saw it all the same.
struct ExpectedRecord {
  std::string scope;
  std::string coll;
  std::string id;
  Seq seq = 0;  // 0: it was not there
};
struct EditsBody {
  std::string request;  // the client's random name for it, so that it can be repeated
  std::vector<PersonEdit> edits;
  std::vector<ExpectedRecord> expected;
  std::string text;  // canonical: all that was asked for
};
// Errors: kMessageInvalid, kPushTooManyOps, and of an op without canonical text what it has against
// it.
[[nodiscard]] Result<EditsBody> decode_edits(std::string_view bytes);

}  // namespace waystation

// The wire format: client frames in, server messages out. docs/protocol.md.
//
// Decoding is total: whatever the bytes, the answer is a frame or an Error. Inside a push each op
// is decoded by itself: an op that is malformed carries its refusal and its text (for the
// quarantine), and the others go on. Pure; any thread (one simdjson parser a thread).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sync/digest.h"
#include "sync/op.h"
#include "sync/result.h"

namespace waystation {

inline constexpr int kProtocolVersion = 1;

struct ClockReading {
  std::int64_t wall_ms = 0;
  std::int64_t mono_ms = 0;
  std::string boot;
};

struct Hello {
  std::string device;
  std::string token;
  ClockReading clock;
  std::uint32_t schema = 1;
  std::string app;
  std::string cursor;
  std::uint64_t queued = 0;
  std::int64_t oldest_ms = 0;
  // When the server read it: the moment that `clock` speaks of. Set by the server; 0: now.
  std::int64_t received_ms = 0;
};

struct Push {
  std::vector<Op> ops;
};

struct Pull {
  std::string cursor;
  std::size_t limit = 0;  // 0: the server's page size
};

// The device has removed all that it held.
struct Wiped {
  std::uint64_t discarded = 0;  // ops that had no verdict
};

struct ClientFrame {
  std::optional<Hello> hello;
  std::optional<Wiped> wiped;
  std::optional<Push> push;
  std::optional<Pull> pull;
};

[[nodiscard]] Result<ClientFrame> decode_frame(std::string_view bytes);

// --- bodies of other requests -----------------------------------------------------------------
struct EnrollBody {
  std::string code;     // as typed
  std::string request;  // the device's random name for this attempt, so that it can be repeated
  std::string name;
  std::string app;
};
[[nodiscard]] Result<EnrollBody> decode_enroll(std::string_view bytes);

struct CodeBody {
  std::vector<std::string> scopes;
  std::string replaces;  // a device id; then there are no scopes, no role and one use
  std::string role;      // one of kRoles
  std::string name;
  std::uint64_t uses = 1;
  std::int64_t expires_s = 86'400;
};
[[nodiscard]] Result<CodeBody> decode_code_request(std::string_view bytes);

// {"scopes":[…],"was":[…]}
struct ScopesBody {
  std::vector<std::string> scopes;
  std::optional<std::vector<std::string>> was;  // what whoever asks believes to replace
};
[[nodiscard]] Result<ScopesBody> decode_scopes_request(std::string_view bytes);

// {"role":"…","was":"…"}: one of kRoles.
struct RoleBody {
  std::string role;
  std::optional<std::string> was;  // as above
};
[[nodiscard]] Result<RoleBody> decode_role_request(std::string_view bytes);

// How whoever decides about a device believes it to stand.
struct StandingSeen {
  std::string state;         // "active", "draining" or "closed"
  std::int64_t wipe_ms = 0;  // when it was ordered to wipe itself; 0: it was not
};
// {"was":{"state":"…","wipe":ms|null}}, {} or nothing at all: to drain, to revoke, to restore.
[[nodiscard]] Result<std::optional<StandingSeen>> decode_standing_request(std::string_view bytes);

// {"now":true,"was":…}, {} or nothing at all.
struct WipeBody {
  bool now = false;
  std::optional<StandingSeen> was;
};
[[nodiscard]] Result<WipeBody> decode_wipe_request(std::string_view bytes);

// {"to":"/folder"}
[[nodiscard]] Result<std::string> decode_backup_request(std::string_view bytes);

// One stored op (canonical text) back into an Op: for replays, checks and the inspector.
[[nodiscard]] Result<Op> decode_op(std::string_view json);

// --- ops that another device carries ----------------------------------------------------------
struct HandoverOutline {
  std::string device;  // who wrote the ops, as it stands there
  std::string mac;     // as it stands there
  std::string text;    // what the mac is of: {"device":…,"ops":[…]} in canonical form
  std::size_t ops = 0;
};
// Nothing: `admit` did not want them decoded. Errors besides those of a frame: an op that has no
// canonical text refuses all of it, for then nothing can be said of who wrote it.
[[nodiscard]] Result<std::optional<Push>> decode_handover(
    std::string_view bytes, const std::function<bool(const HandoverOutline&)>& admit);

// --- shapes that several places check ---------------------------------------------------------
[[nodiscard]] bool valid_scope_id(std::string_view id);
[[nodiscard]] bool valid_record_id(std::string_view id);
[[nodiscard]] bool valid_name(std::string_view name);

// The member of an op that holds edits of a kind.
[[nodiscard]] std::optional<EditKind> edit_kind(std::string_view member);
[[nodiscard]] std::string_view member_of(EditKind kind);

// --- server messages, each as a whole frame ---------------------------------------------------
struct Welcome {
  std::string incarnation;
  std::int64_t time_ms = 0;
  std::uint64_t applied = 0;
  std::vector<std::string> scopes;
  std::optional<std::uint64_t> backed_up = std::nullopt;  // nothing: no backup is set up
  bool draining = false;
  std::string_view role = {};  // outlives it; empty: none
};
[[nodiscard]] std::string encode_welcome(const Welcome& welcome);

// An order of the office to remove everything.
struct Wipe {
  std::int64_t ordered_ms = 0;
  bool now = false;  // without handing in first
};
[[nodiscard]] std::string encode_wipe(const Wipe& wipe);
[[nodiscard]] std::string encode_wiped(std::int64_t confirmed_ms);

// One verdict, as it is stored and repeated word for word.
struct Leased {  // what a lease op was given
  std::string field;
  std::int64_t amount = 0;
};
[[nodiscard]] std::string encode_verdict_ok(std::uint64_t n, Seq seq,
                                            const std::vector<std::string>& lost_fields,
                                            const std::optional<Leased>& leased = std::nullopt);
[[nodiscard]] std::string encode_verdict_refused(std::uint64_t n, const Refusal& refusal);

// The seq that an accepting verdict tells; nothing for a refusal.
[[nodiscard]] std::optional<Seq> seq_of_verdict(std::string_view verdict);
// What the op's lease was given; nothing where the verdict speaks of none.
[[nodiscard]] std::optional<std::int64_t> leased_of_verdict(std::string_view verdict);

struct Receipt {
  std::uint64_t applied = 0;
  std::uint64_t expected = 0;         // 0: no gap
  std::vector<std::string> verdicts;  // encoded
  std::optional<std::uint64_t> backed_up = std::nullopt;
};
[[nodiscard]] std::string encode_receipt(const Receipt& receipt);

struct ScopeDigest {
  std::string scope;
  Seq seq = 0;
  Digest digest;
};
struct ChangesHead {
  std::string cursor;
  bool more = false;
  bool reset = false;
  std::vector<std::string> left;
  std::vector<ScopeDigest> digests;
};
// `items` is the inside of the changes array: change objects joined by commas.
[[nodiscard]] std::string encode_changes(const ChangesHead& head, std::string_view items);

// Appends one change object. `visible` is the canonical text of the fields; empty means deleted.
void append_change(std::string& out, std::string_view scope, std::string_view coll,
                   std::string_view id, Seq seq, std::string_view visible, std::size_t conflicts);

[[nodiscard]] std::string encode_busy(std::int64_t retry_after_ms);
[[nodiscard]] std::string encode_error(const Error& error);
// RFC 9457.
[[nodiscard]] std::string encode_problem(const Error& error);

// Joins frames of one message each into the reply of POST /v1/sync.
[[nodiscard]] std::string join_messages(const std::vector<std::string>& frames);

// Appends `["a","b"]`.
void append_string_array(std::string& out, const std::vector<std::string>& items);

}  // namespace waystation

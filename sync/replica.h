// The device's side: (a) the state as the server last told it, (b) its own ops without a final
// receipt, (c) its cursor. What the user sees is (a) with (b) laid over it. What a client must do,
// and no more; docs/protocol.md, "How to write a client".
//
// What must be durable: an edit, or a number given up after a restore, before it is pushed
// (unsaved() tells), for a number is used once. The rest may be saved late, as long as it is saved
// whole: save() is all of it.
// Pure: frames in, frames out; the caller owns sockets, clocks and storage. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "sync/digest.h"
#include "sync/result.h"
#include "sync/stamp.h"
#include "sync/wire.h"

namespace waystation {

// An edit before it has a number. `edits` is the inside of the op's JSON object that says what is
// done, such as `"set":{"text":"x"},"inc":{"rider":1}` or `"del":true`.
struct Draft {
  std::string scope;
  std::string coll;
  std::string id;
  std::string edits;
  std::uint32_t schema = 1;  // version of the collection's schema that it is written under
};

struct HeldRecord {
  Seq seq = 0;
  std::string fields;  // canonical JSON as received; empty: deleted
  std::size_t conflicts = 0;
  Digest part;  // what it adds to its scope's digest
};

struct RefusedOp {
  std::uint64_t n = 0;
  std::string code;
  std::string op;
};

class Replica {
 public:
  using Key = std::tuple<std::string, std::string, std::string>;  // scope, collection, id

  Replica(std::string device, std::string token)
      : device_(std::move(device)), token_(std::move(token)) {}

  // Records an edit at the given reading of the device's clocks. Returns its n.
  std::uint64_t edit(const Draft& draft, const ClockReading& clock);

  // The whole durable state as JSON text, and back. Errors: kInputInvalid.
  [[nodiscard]] std::string save() const;
  [[nodiscard]] static Result<Replica> load(std::string_view saved);
  // Something must be saved before the next push.
  [[nodiscard]] bool unsaved() const { return unsaved_; }
  void saved() { unsaved_ = false; }

  // The server knows nothing of the device (it was restored from before the enrolment, or the
  // device was set up anew with what waited kept): all that it still holds is handed in under the
  // new name, numbered from 1.
  void enrolled_anew(std::string device, std::string token);

  // --- an order to wipe -------------------------------------------------------------------------
  // The office wants everything removed: at once, or when nothing waits any more. The caller then
  // calls wipe(), makes that durable, and goes on sending hello() and wiped() until gone().
  [[nodiscard]] bool must_wipe() const {
    return wiping_ == Wiping::kNow || (wiping_ == Wiping::kWhenHandedIn && waiting() == 0);
  }
  void wipe();
  [[nodiscard]] bool is_wiped() const { return wiping_ == Wiping::kDone || gone(); }
  // The server knows: the device may forget who it was.
  [[nodiscard]] bool gone() const { return wiping_ == Wiping::kConfirmed; }

  // --- frames to send -------------------------------------------------------------------------
  [[nodiscard]] std::string hello(const ClockReading& clock) const;
  // At most max_ops waiting ops, in order; empty when none wait.
  [[nodiscard]] std::string push(std::size_t max_ops) const;
  [[nodiscard]] std::string pull(std::size_t limit) const;
  [[nodiscard]] std::string wiped() const;
  // All that a POST /v1/sync takes at once.
  [[nodiscard]] std::string exchange(const ClockReading& clock, std::size_t max_ops,
                                     std::size_t limit) const;

  // --- frames received ------------------------------------------------------------------------
  // Takes in one server frame, or the reply of a sync that holds several messages. An error or busy
  // message is returned as an Error (kBusy: context holds the milliseconds).
  [[nodiscard]] Status receive(std::string_view frame);

  // --- what the device knows ------------------------------------------------------------------
  [[nodiscard]] const std::string& device() const { return device_; }
  [[nodiscard]] const std::string& token() const { return token_; }
  // Own ops without a verdict that the server is known to have.
  [[nodiscard]] std::size_t waiting() const;
  // Own ops that are kept at all: also those that are not backed up yet, or not seen in a change.
  [[nodiscard]] std::size_t kept() const { return ops_.size(); }
  // The kept ops as they would be sent, without their number: what must come back after a restore.
  [[nodiscard]] std::vector<std::string> kept_texts() const;
  // The numbers of all kept ops, also of those that only say that one was lost.
  [[nodiscard]] std::vector<std::uint64_t> kept_numbers() const;
  // What it may read and write, as of the last welcome; empty: it has not been told.
  [[nodiscard]] const std::string& role() const { return role_; }
  [[nodiscard]] const std::string& incarnation() const { return incarnation_; }
  [[nodiscard]] std::uint64_t applied() const { return applied_; }
  [[nodiscard]] std::uint64_t last_n() const { return next_n_ - 1; }
  [[nodiscard]] bool more() const { return more_; }
  [[nodiscard]] const std::string& cursor() const { return cursor_; }
  [[nodiscard]] const std::map<Key, HeldRecord>& records() const { return records_; }
  [[nodiscard]] const HeldRecord* find(const Key& key) const;
  // What the user sees: the record with the device's own ops laid over it; nothing when it is not
  // there. Registers, counters, sets, logs and deletes; quotas as the server told them.
  [[nodiscard]] std::optional<std::string> view(const Key& key) const;
  [[nodiscard]] Digest digest(const std::string& scope) const;
  [[nodiscard]] std::uint64_t digests_checked() const { return digests_checked_; }
  // Scopes whose digest differed from the server's.
  [[nodiscard]] const std::vector<std::string>& digest_faults() const { return digest_faults_; }
  [[nodiscard]] const std::vector<RefusedOp>& refused() const { return refused_; }
  [[nodiscard]] std::uint64_t lost_values() const { return lost_values_; }
  // Verdicts as received, by n; kept when the caller asks for it.
  void keep_verdicts() { keep_verdicts_ = true; }
  [[nodiscard]] const std::map<std::uint64_t, std::string>& verdicts() const { return verdicts_; }
  // Verdicts that differed from an earlier one for the same n.
  [[nodiscard]] std::uint64_t verdict_faults() const { return verdict_faults_; }
  // Times that the server knew less than before, in the same incarnation.
  [[nodiscard]] std::uint64_t applied_faults() const { return applied_faults_; }
  // Changes that brought a record with a lower seq than the one held.
  [[nodiscard]] std::uint64_t seq_faults() const { return seq_faults_; }

 private:
  struct OwnOp {
    std::uint64_t n = 0;
    Key key;
    std::string edits;
    std::string tail;    // its JSON behind the number
    Seq seq = 0;         // of its verdict, once it was accepted
    bool shown = true;   // laid over the record
    bool fades = false;  // judged: the next pull that ends brings what came of it
  };
  enum class Wiping : std::uint8_t { kNo, kWhenHandedIn, kNow, kDone, kConfirmed };
  friend struct ReplicaReader;

  void set_record(const Key& key, HeldRecord record);
  void remove_scope(const std::string& scope);
  [[nodiscard]] bool holds(const std::string& scope) const;
  [[nodiscard]] bool covered(const OwnOp& op) const;
  void begin_life(std::uint64_t applied);  // of a restored server that knows ops up to there
  void forget_covered();

  std::string device_;
  std::string token_;
  std::string incarnation_;
  std::string role_;
  std::uint64_t next_n_ = 1;
  std::uint64_t applied_ = 0;
  std::optional<std::uint64_t> backed_up_;  // nothing: no backup is set up
  bool unsaved_ = false;
  Wiping wiping_ = Wiping::kNo;
  std::uint64_t discarded_ = 0;      // ops that the wipe took without a verdict
  std::deque<OwnOp> ops_;            // in order of n
  std::vector<std::string> scopes_;  // that it holds, as last told
  std::string cursor_;
  bool more_ = true;
  std::map<Key, HeldRecord> records_;
  std::map<std::string, Digest> digests_;
  std::map<std::string, Seq> digest_seqs_;  // up to where it holds all of a scope
  std::vector<std::string> digest_faults_;
  std::uint64_t digests_checked_ = 0;
  std::vector<RefusedOp> refused_;
  std::uint64_t lost_values_ = 0;
  bool keep_verdicts_ = false;
  std::map<std::uint64_t, std::string> verdicts_;
  std::uint64_t verdict_faults_ = 0;
  std::uint64_t applied_faults_ = 0;
  std::uint64_t seq_faults_ = 0;
#ifdef WS_BROKEN_VARIANTS
  std::vector<Key> last_changed_;  // by the last message; Broken::kCursorEarly does not save them
#endif
};

}  // namespace waystation

// The one writer of a store: it gives ops their place, judges them, applies them, and commits all
// that waited as one synced batch. Replies are given after the commit, never before (law 1).
//
// It is pure with respect to time, randomness and I/O other than the store it is given: the time,
// new ids and secrets come with the requests. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "storage/audit.h"
#include "storage/codec.h"
#include "storage/keys.h"
#include "storage/membership.h"
#include "storage/office.h"
#include "storage/rules.h"
#include "storage/scope_tree.h"
#include "storage/sealed.h"
#include "storage/store.h"
#include "sync/office_bodies.h"
#include "sync/projection.h"
#include "sync/record.h"
#include "sync/schema.h"
#include "sync/wire.h"

namespace waystation {

// hello, push and wiped of one frame. The caller has checked the token.
struct ExchangeRequest {
  std::uint64_t device = 0;
  std::optional<Hello> hello;
  std::optional<Push> push;
  std::optional<Wiped> wiped;   // then nothing else of the frame is taken
  std::string carried_by = {};  // for the audit log: another device hands in this push
  struct Reply {
    std::string welcome;  // encoded frames; empty where not asked for
    std::string wipe;
    std::string wiped;
    std::string receipt;
    bool closed = false;  // it was told to wipe itself, or thanked for it: no more is taken
  };
  std::function<void(Result<Reply>)> done;
};

struct EnrollRequest {
  std::string code_hash;
  std::string request_hash;
  std::string name;
  std::string app;
  std::uint64_t new_device = 0;  // random; must not be enrolled yet
  std::string new_token_hash;    // of a fresh secret
  struct Reply {
    AccountPtr account;
  };
  std::function<void(Result<Reply>)> done;
};

struct CodeRequest {
  std::string code_hash;
  CodeRow code;
  std::function<void(Status)> done;
  std::string by = {};  // for the audit log: who asks, here and below
};

// Gives a device another role.
struct RoleRequest {
  std::uint64_t device = 0;
  std::string role;  // one of kRoles
  std::function<void(Result<AccountPtr>)> done;
  std::string by = {};
  std::optional<std::string> was = {};  // another: kDeviceChanged
};

// Takes back an open code, named by the first hex digits of its hash (kCodeIdChars).
struct WithdrawRequest {
  std::string id;
  std::function<void(Status)> done;
  std::string by = {};
};

// Says anew which branches a device is granted.
struct ScopesRequest {
  std::uint64_t device = 0;
  std::vector<std::string> scopes;
  std::function<void(Result<AccountPtr>)> done;
  std::string by = {};
  std::optional<std::vector<std::string>> was = {};  // others: kDeviceChanged
};

// Active again takes back an order to wipe that was not confirmed yet.
struct StandingRequest {
  std::uint64_t device = 0;
  Standing standing = Standing::kClosed;
  std::function<void(Result<AccountPtr>)> done;
  std::string by = {};
  std::optional<StandingSeen> was = {};  // another: kDeviceChanged
};

// Stands until the device confirms it. An active device is draining from then on.
struct WipeRequest {
  std::uint64_t device = 0;
  bool now = false;  // without handing in first
  std::function<void(Result<AccountPtr>)> done;
  std::string by = {};
  std::optional<StandingSeen> was = {};  // another: kDeviceChanged
};

// A copy of the store. `copy` is called on the writer's thread, behind the commit of the group, and
// takes what is committed; when it succeeds, every op applied by then counts as backed up.
struct BackupRequest {
  std::function<Status()> copy;
  std::function<void(Status)> done;
  std::string by = {};
  std::string folder = {};  // for the audit log
};

struct ClearedRecord {
  std::string scope;
  std::string coll;
  std::string id;
  std::vector<std::string> fields;
};
struct EraseReport {
  KeyState before = KeyState::kNone;   // kErased: nothing was left to be done
  std::vector<ClearedRecord> records;  // what was on show and is cleared
  Seq seq = 0;                         // devices that have pulled up to it have heard
};
// All that is personal about somebody becomes unreadable, for ever.
struct EraseRequest {
  std::string row;                   // person_row() of whom; a mark may be all that is known
  std::vector<std::string> persons;  // record ids whose row that is; empty: no record shows any
  std::function<void(Result<EraseReport>)> done;
  std::string by = {};  // for the audit log
};

// What the office does to its accounts and sessions, and anything else that the audit log is to
// tell of. `change` is called on the writer's thread with the tables as of this request and
// decides; what it gives is written with the group. An error changes nothing. It must be short.
struct OfficeRequest {
  std::function<Result<OfficeChange>(const OfficeTables& tables, std::int64_t now_ms)> change;
  std::function<void(Status)> done;
};

// What somebody of the office edits, all of it in one group. Their desk, a device that nobody has a
// token for, is made on first use.
struct EditsRequest {
  std::string account;       // empty: whoever has the administrator's token
  std::string session_hash;  // must still be open; empty: the token
  EditsBody body;
  std::uint64_t new_device = 0;  // for the desk: random; must not be enrolled yet
  std::string new_token_hash;    // of a secret that nobody knows
  struct Reply {
    std::string answer;   // {"device":…,"results":[…]}
    std::string changed;  // in place of it: the records that are not as they were seen, as JSON
  };
  std::function<void(Result<Reply>)> done;
  std::string by = {};
};

// A blob has come: `present` is written into the records that name it, so many in one group.
struct PresenceRequest {
  std::string hash;
  std::string after;  // where the one before ended; empty: from the start
  // Where to go on; empty: all of them know.
  std::function<void(Result<std::string>)> done;
};

// Blobs that no record has named for long. Those that none names now are given to `remove`, on the
// writer's thread.
struct BlobSweepRequest {
  std::vector<std::string> hashes;
  std::function<void(const std::string& hash)> remove;
  std::function<void(Status)> done;
};

using Request =
    std::variant<ExchangeRequest, EnrollRequest, CodeRequest, WithdrawRequest, ScopesRequest,
                 RoleRequest, StandingRequest, WipeRequest, BackupRequest, OfficeRequest,
                 EraseRequest, EditsRequest, PresenceRequest, BlobSweepRequest>;

// What a committed group changed, for those who watch.
struct GroupOutcome {
  std::vector<std::string> scopes;      // with new changes
  std::vector<std::uint64_t> accounts;  // changed by the office
  std::vector<std::uint64_t> greet;     // those among them that must say hello again
  Seq position = 0;
  std::size_t ops = 0;  // judged for the first time
  std::size_t refused = 0;
};

struct ApplierSettings {
  // How long a device may stay away and still be told of each deletion.
  std::int64_t offline_ms = std::int64_t{180} * 86'400'000;
  // Fills with random bytes: where the keys of persons come from.
  std::function<void(std::span<unsigned char>)> random = secure_random;
  // Called before anything is done about an erasure, and must have made it durable elsewhere that
  // the person is erased: a backup that is older must not bring anything back. When it fails nobody
  // is erased.
  std::function<Status(const std::string& row, std::int64_t now_ms)> erasing;
  // Whether the blob is there, whole and synced. What comes of the answer is an op of the server's,
  // so that it is asked once and holds for everybody who reads the log. Null: none is.
  std::function<bool(const std::string& hash)> has_blob;
};

class Applier {
 public:
  // The store and the schemas outlive it.
  Applier(Store& store, const Schemas& schemas, ApplierSettings settings = {})
      : store_(store), schemas_(schemas), settings_(settings) {}

  // Reads the position and digests. Call once.
  [[nodiscard]] Status start();

  // Takes a whole group, commits it, and calls every `done`. What the server has to do by itself by
  // now_ms comes first, so that an empty group is of use too. When the commit fails the store goes
  // read-only and every `done` gets kStoreReadOnly.
  GroupOutcome apply(std::vector<Request>& requests, std::int64_t now_ms);

  // When the server next has something to do by itself, ms since 1970.
  [[nodiscard]] std::int64_t next_due_ms() const {
    return store_.read_only() ? std::numeric_limits<std::int64_t>::max()
                              : std::min(next_due_ms_, next_purge_ms_);
  }

 private:
  struct Entry {  // a record at hand
    Record record;
    bool dirty = false;
    Seq stored_seq = 0;              // where the change index has it; 0: nowhere
    std::string stored_blob;         // under which kBlobs has it; empty: nowhere
    Digest stored_part;              // what it adds to the digest as stored
    std::vector<Digest> view_parts;  // the same for each view; empty: nothing
    std::size_t size_bound = 0;      // at least the size of its visible text
    std::size_t counted = 0;         // its part of cached_bytes_
    // What it gave to the projections before this group; null: it is not dirty, or gives nothing.
    std::unique_ptr<const Projected> gave;
  };
  struct Device {
    DeviceState state;
    bool dirty = false;
    LogChunk pending;  // verdicts of this group
  };
  struct Scope {
    DigestRow row;
    std::vector<Digest> views;  // by index; empty: none has anything
    std::vector<bool> moved;    // those that are to be written with the group
    bool dirty = false;
  };
  struct Group;  // the state of one apply()

  void take(Group& group, ExchangeRequest& request);
  void take(Group& group, EnrollRequest& request);
  void take(Group& group, CodeRequest& request);
  void take(Group& group, WithdrawRequest& request);
  void take(Group& group, ScopesRequest& request);
  void take(Group& group, StandingRequest& request);
  void take(Group& group, WipeRequest& request);
  void take(Group& group, BackupRequest& request);
  void take(Group& group, RoleRequest& request);
  void take(Group& group, EraseRequest& request);
  void take(Group& group, OfficeRequest& request);
  void take(Group& group, EditsRequest& request);
  void take(Group& group, PresenceRequest& request);
  void take(Group& group, BlobSweepRequest& request);

  // The act is in the audit log when, and only when, the group is committed (office_acts.cc).
  void audit(Group& group, AuditNote note);
  void audit_review(Group& group, const std::string& who, const Op& op);
  void audit_carried(Group& group, const ExchangeRequest& request, std::uint64_t first,
                     std::uint64_t last);

  [[nodiscard]] Result<Device*> device(std::uint64_t id);
  void touch(Group& group, std::uint64_t id,
             Device& device);  // its state is written with the group
  [[nodiscard]] Result<Entry*> entry(const std::string& key);
  // When its clocks were read, by the server's: ms since 1970.
  std::int64_t greet(Group& group, Device& device, const Account& account, const Hello& hello);
  [[nodiscard]] Status push(Group& group, Device& device, AccountPtr account, Push& push,
                            Receipt& receipt);
  [[nodiscard]] Result<std::string> repeat(Group& group, Device& device, std::uint64_t id,
                                           const Op& op, bool erased);
  // `not_taken`: nothing more is kept of its person.
  [[nodiscard]] Result<std::string> judge(Group& group, Device& device, const Account& account,
                                          Op& op, bool not_taken);
  // What stands against it but the record itself: standing, scopes, policy, what it replays.
  // `seen`: what its author had seen.
  [[nodiscard]] Result<std::optional<Refusal>> against(const Account& account, const Op& op,
                                                       const Written& written, Seq seen,
                                                       bool not_taken);
  // Takes it in, unless the record is against it: applied, logged, told of. Gives the verdict.
  [[nodiscard]] Result<std::variant<std::string, Refusal>> take_in(Group& group, Device& device,
                                                                   std::uint64_t id, Op& op,
                                                                   std::int64_t authored_ms,
                                                                   const std::string& who);
  struct Applied {
    OpPlace place;
    Effects effects;
    [[nodiscard]] std::string verdict(std::uint64_t n) const;
  };
  // Gives the op its place and applies it, whoever wrote it. Refuses what the record has against
  // it.
  [[nodiscard]] Result<std::variant<Applied, Refusal>> put_in_place(Group& group, Device& device,
                                                                    std::uint64_t id, Op& op,
                                                                    std::int64_t authored_ms);
  [[nodiscard]] Result<std::optional<Refusal>> check_replay(const Account& account, const Op& op);
  [[nodiscard]] std::optional<Refusal> check_record(const Entry& entry, const Op& op,
                                                    const OpPlace& place,
                                                    const Collection& collection,
                                                    std::size_t& size_bound) const;
  void log(Group& group, Device& device, std::uint64_t n, LogEntry entry);
  [[nodiscard]] Status keep_effects(Group& group, const Op& op, const Effects& effects);
  [[nodiscard]] std::string refuse(Group& group, Device& device, std::uint64_t id, const Op& op,
                                   Refusal refusal);

  // Edits by people of the office (person_edits.cc).
  struct Editor {
    std::string role;
    std::string display;
  };
  [[nodiscard]] Status load_kept_edits();
  void sweep_kept_edits(Group& group);
  [[nodiscard]] static Result<Editor> editor_of(const OfficeTables& tables,
                                                const EditsRequest& request);
  [[nodiscard]] Result<std::optional<KeptEdits>> kept_edits(const Group& group,
                                                            const std::string& key) const;
  [[nodiscard]] bool sees(const Editor& editor, std::string_view scope,
                          std::string_view coll) const;
  // Errors: kAccessDenied, of what the role does not see.
  [[nodiscard]] Status check_expected(const Editor& editor, const EditsBody& body) const;
  // The records that are not as the person saw them, as JSON objects joined by commas.
  [[nodiscard]] Result<std::string> changed_since(const Editor& editor, const EditsBody& body);
  std::uint64_t desk_of(Group& group, const EditsRequest& request, const Editor& editor);
  // A desk has the role and the name of its account.
  void align_desk(Group& group, std::uint64_t device, std::string_view role,
                  const std::string& name);
  [[nodiscard]] Result<std::variant<std::string, Refusal>> edit(Group& group, Device& desk,
                                                                std::uint64_t id,
                                                                const PersonEdit& edit,
                                                                const std::string& who);
  [[nodiscard]] Result<std::string> edit_all(Group& group, std::uint64_t id,
                                             const EditsRequest& request);

  // Persons (persons.cc).
  struct Subject {
    bool erased = false;     // the op's person is
    bool not_taken = false;  // and it would bring something of them back
  };
  [[nodiscard]] Result<Subject> seal_personal(Group& group, Op& op);
  [[nodiscard]] Result<KeyState> person_key(Group& group, std::string_view person,
                                            PersonKey& key) const;
  [[nodiscard]] Result<KeyState> make_person_key(Group& group, std::string_view person,
                                                 PersonKey& key);
  // Keys for unseal_all, those of this group too. What cannot be read is told in `failed`; both
  // outlive what is returned.
  [[nodiscard]] FindKey finder(Group& group, Status& failed) const;
  // What everybody may see of a record, as Store::plain, also by keys that are not committed yet.
  [[nodiscard]] Result<std::string_view> plain(Group& group, std::string_view visible,
                                               std::string& room) const;
  [[nodiscard]] Result<std::optional<Match>> match(Group& group, const Record& record,
                                                   const Collection& collection);
  [[nodiscard]] Result<KeyState> row_state(Group& group, const std::string& row) const;
  // `report` says what is on show.
  [[nodiscard]] Status erase_person(Group& group, const EraseRequest& request, EraseReport& report);
  [[nodiscard]] Result<std::vector<ClearedRecord>> shown_of(const Group& group,
                                                            const std::string& person);
  // Gets destroyed keys off the disk, once nobody reads a state that still has them.
  void purge(std::int64_t now_ms);

  // What the server does by itself (own_ops.cc). `edits` is the inside of an op that says what is
  // done; what the record has against it is passed over.
  [[nodiscard]] Status own(Group& group, const std::string& scope, const std::string& coll,
                           const std::string& id, const std::string& edits);
  [[nodiscard]] Status keep_ledger(Group& group, const Op& op, std::uint64_t author, bool valid,
                                   const MovedField& moved);
  [[nodiscard]] Status tell_of_refusal(Group& group, std::uint64_t device, const Op& op,
                                       const Refusal& refusal, const std::string& id);
  [[nodiscard]] Status tell_of_replay(Group& group, std::uint64_t device, const Op& op);
  [[nodiscard]] Status do_what_is_due(Group& group);
  [[nodiscard]] Status look_at(Group& group, const std::string& key);
  [[nodiscard]] Status reclaim_leases(Group& group, const std::string& key);
  [[nodiscard]] Status close_open(Group& group, const std::string& key);
  [[nodiscard]] Status bury(Group& group, const std::string& key);
  [[nodiscard]] Status match_duplicates(Group& group, std::size_t dirty_index);
  [[nodiscard]] Status arm(Group& group, const std::string& key, Entry& entry);
  [[nodiscard]] Result<Seq> may_bury(Group& group);
  [[nodiscard]] Result<const Record*> parent_of(const std::string& scope, const Record& record,
                                                const CloseRule& rule);
  // Photos (photos.cc): what the record says of its blob is so, and kBlobs lists it.
  [[nodiscard]] Status tell_presence(Group& group, std::size_t dirty_index);
  [[nodiscard]] Status write_presence(Group& group, const std::string& key, bool present);
  void list_blob(Group& group, const std::string& key, Entry& entry);
  void dirty(Group& group, Entry& entry, const std::string& key);
  // The projections (counting.cc).
  [[nodiscard]] Status load_corrections();
  [[nodiscard]] Status count_records(Group& group);
  void count(Entry& entry);  // how much memory it takes by now

  void back_up(BackupRequest& request, std::int64_t now_ms);
  [[nodiscard]] std::optional<std::uint64_t> backed_up(const DeviceState& state) const;
  // The digests of views (roles.cc).
  [[nodiscard]] Status load_view_digests();
  void move_views(Scope& scope, Entry& entry, std::vector<Digest> parts);
  void put_digests(Group& group, const std::string& id, Scope& scope);

  // The office (device_accounts.cc).
  [[nodiscard]] Status load_office();
  // The account, to be changed: written with the group.
  [[nodiscard]] Account& draft(Group& group, std::uint64_t device);
  void grant(Account& account, std::vector<std::string> branches, const Place& place);
  void inherit(Account& fresh, const Account& old, const Place& place);
  void stand(Group& group, Account& account, Standing standing);
  void take_wiped(Group& group, ExchangeRequest& request, const Account& account);
  void tell_to_wipe(Group& group, ExchangeRequest& request, const Account& account);
  [[nodiscard]] Status check_branches(const std::vector<std::string>& branches) const;
  // A scope was born, moved, or lost its record: who holds what follows from that.
  void place_scope(Group& group, const std::string& scope, const Record& record);
  void hold_anew(Group& group);  // every account, as the tree has it
  void sweep_codes(Group& group);
  void close_accounts(Group& group);
  [[nodiscard]] Status close_records(Group& group);
  void close_devices(Group& group);
  [[nodiscard]] Status commit(Group& group);
  void fail(Group& group, const Error& error);

  Store& store_;
  const Schemas& schemas_;
  ApplierSettings settings_;
  Seq position_ = 0;
  std::int64_t next_due_ms_ = 0;
  bool purge_all_ = false;
  std::uint64_t to_purge_ = 0;       // Kv::written() behind the last erasure
  std::int64_t purge_again_ms_ = 0;  // how long was waited last for who reads an older state
  std::int64_t next_purge_ms_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t bury_looked_ms_ = 0;  // when may_bury_ was worked out
  Seq may_bury_ = 0;
  bool backups_ = false;  // one has been made
  // Hashes of records that another one corrects, or did: who is not among them needs no look.
  std::unordered_set<std::uint64_t> corrected_;
  AuditHead audit_head_;
  std::unordered_map<std::string, Entry> records_;
  std::size_t cached_bytes_ = 0;  // of records_, about
  std::unordered_map<std::uint64_t, Device> devices_;
  std::unordered_map<std::string, Scope> scopes_;
  ScopeTree tree_;
  BranchHolders holders_;
  bool held_anew_ = false;                // since the start
  std::map<std::string, CodeRow> codes_;  // by hash
  std::int64_t sweep_ms_ = 0;             // when the next code is to go
  // Kept answers to edits, oldest first: since when, and their keys.
  std::deque<std::pair<std::int64_t, std::string>> kept_edits_;
  std::unordered_map<std::string, std::uint64_t>
      enrolled_by_;  // hashes of code and request → device
};

}  // namespace waystation

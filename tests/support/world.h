// A server without sockets, threads or a disk: the applier over an in-memory store, with a clock
// that stands still until the test moves it. Given, when, then:
//
//   World world;                                         // scope "t" exists
//   const auto phone = world.enroll({"t"});
//   const Answer answer = world.push(phone, {op(1).does(R"("set":{"text":"a"})")});
//   EXPECT_EQ(world.visible(), R"({"text":"a"})");
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/applier.h"
#include "storage/memory_kv.h"
#include "storage/projections.h"
#include "storage/store.h"
#include "sync/schema.h"
#include "sync/wire.h"

namespace waystation::testing {

inline constexpr std::int64_t kStart = 1'767'225'600'000;  // 2026-01-01T00:00:00Z
inline constexpr std::uint64_t kOffice = 1;                // the device that holds all scopes
inline constexpr std::string_view kIncarnation = "000102030405060708090a0b0c0d0e0f";

// The schemas of schemas/collections/, read once.
[[nodiscard]] const Schemas& schemas();
// Those of schemas/projections/, read once.
[[nodiscard]] const std::shared_ptr<const Projections>& projections();

// One op as a device writes it: about note "n1" in scope "t" unless told otherwise.
struct OpText {
  std::uint64_t n = 1;
  std::string scope = "t";
  std::string coll = "note";
  std::string id = "n1";
  std::int64_t wall = kStart;
  std::int64_t mono = 0;
  std::string boot = "a boot without hello";
  std::uint32_t schema = 1;
  Seq base = 0;
  std::string edits = R"("set":{"text":"a"})";

  OpText in(std::string other_scope) const;
  OpText on(std::string other_coll, std::string other_id) const;
  OpText written(std::int64_t wall_ms) const;
  OpText since_boot(std::string boot_name, std::int64_t mono_ms) const;
  OpText having_seen(Seq seq) const;
  OpText does(std::string what) const;
  [[nodiscard]] std::string json() const;
};
[[nodiscard]] OpText op(std::uint64_t n);

// The op as the server takes it in: decoded, and held to its schema.
[[nodiscard]] Op received(const OpText& text);
[[nodiscard]] Op received(std::string_view json);

// What a device is told of a push.
struct Answer {
  std::optional<Code> error;  // the request as a whole failed
  std::string error_context;
  std::string welcome;
  std::string receipt;
  std::uint64_t applied = 0;
  std::uint64_t expected = 0;
  std::vector<std::string> verdicts;  // word for word

  // "ok", or the code of the refusal, of the i-th verdict.
  [[nodiscard]] std::string code(std::size_t i = 0) const;
  [[nodiscard]] Seq seq(std::size_t i = 0) const;
  [[nodiscard]] std::vector<std::string> lost(std::size_t i = 0) const;
  // All of them, joined by spaces.
  [[nodiscard]] std::string codes() const;
};

struct OpenConflict {
  std::string field;
  std::uint64_t device = 0;
  std::uint64_t n = 0;
  std::uint32_t part = 0;
  std::string kind;
  std::string value;
  friend auto operator<=>(const OpenConflict&, const OpenConflict&) = default;
};
std::ostream& operator<<(std::ostream& out, const OpenConflict& conflict);

struct Quarantined {
  std::uint64_t device = 0;
  std::uint64_t n = 0;
  std::uint64_t variant = 0;
  QuarantineRow row;
};

struct PushOf {
  std::uint64_t device;
  std::vector<Op> ops;
};

class World {
 public:
  // With scope "t", written by the office's device.
  World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // An equal world that goes its own way.
  [[nodiscard]] std::unique_ptr<World> fork() const;

  std::int64_t now = kStart;
  std::int64_t offline_ms = ApplierSettings{}.offline_ms;  // as of the next reopen()
  // The list of erasures, and whether it can be written.
  std::vector<std::string> erased_rows;
  Status list_of_erasures;

  // --- the office -----------------------------------------------------------------------------
  // Enrols a device with the next number, or with the one given, through a code of its own.
  std::uint64_t enroll(const std::vector<std::string>& scopes, std::string_view role = kRoleOffice);
  void enroll_as(std::uint64_t device, const std::vector<std::string>& scopes,
                 std::string_view role = kRoleOffice);
  void have_scope(const std::string& scope);
  // Makes it, or moves it, below `parent`; empty: below none.
  void hang(const std::string& scope, const std::string& parent);
  Result<AccountPtr> set_scopes(std::uint64_t device, const std::vector<std::string>& scopes);
  Result<AccountPtr> set_role(std::uint64_t device, const std::string& role);
  // Starts the server anew, by these declarations; those of schemas/projections/ from the start on.
  void count_by(std::shared_ptr<const Projections> projections);
  // Starts the server anew with it. Without one all may do everything.
  void set_policy(std::shared_ptr<const Policy> policy);
  Result<AccountPtr> stand(std::uint64_t device, Standing standing);
  Result<AccountPtr> revoke(std::uint64_t device);
  Result<AccountPtr> wipe(std::uint64_t device, bool at_once = false);
  Status make_code(const std::string& code, const CodeRow& row);
  Result<EraseReport> erase(const std::string& person);
  Result<AccountPtr> enroll_with(const std::string& code, const std::string& request,
                                 std::uint64_t new_device, const std::string& token = "secret");

  // --- devices --------------------------------------------------------------------------------
  Answer push(std::uint64_t device, const std::vector<OpText>& ops);
  Answer push_json(std::uint64_t device, const std::vector<std::string>& ops);
  Answer hello(std::uint64_t device, const ClockReading& clock);
  // All requests in one group: one write.
  std::vector<Answer> push_together(std::vector<PushOf> pushes);
  GroupOutcome apply(std::vector<Request>& group);
  // Time goes by, and the server does what is due by then.
  void pass(std::int64_t ms);

  // --- what is there --------------------------------------------------------------------------
  // Canonical fields, "deleted", or "nothing".
  [[nodiscard]] std::string visible(const std::string& coll = "note", const std::string& id = "n1",
                                    const std::string& scope = "t") const;
  [[nodiscard]] std::optional<Record> record(const std::string& coll, const std::string& id,
                                             const std::string& scope = "t") const;
  [[nodiscard]] std::vector<OpenConflict> conflicts(const std::string& coll = "note",
                                                    const std::string& id = "n1",
                                                    const std::string& scope = "t") const;
  [[nodiscard]] std::size_t conflict_count(const std::string& coll = "note",
                                           const std::string& id = "n1",
                                           const std::string& scope = "t") const;
  [[nodiscard]] std::string digest(const std::string& scope = "t") const;
  // The same from the records themselves.
  [[nodiscard]] std::string recomputed_digest(const std::string& scope = "t") const;
  [[nodiscard]] std::vector<Quarantined> quarantine() const;
  [[nodiscard]] std::optional<DeviceState> state(std::uint64_t device) const;
  [[nodiscard]] std::vector<LogEntry> log(std::uint64_t device) const;
  [[nodiscard]] Seq position() const;

  // --- the disk -------------------------------------------------------------------------------
  [[nodiscard]] MemoryKv& disk() { return *disk_; }
  [[nodiscard]] const MemoryKv& disk() const { return *disk_; }
  [[nodiscard]] Store& store() { return *store_; }
  [[nodiscard]] const Store& store() const { return *store_; }
  // Stops and starts the server.
  void reopen();
  // A copy of the store; what it holds counts as backed up.
  [[nodiscard]] std::shared_ptr<MemoryKv> back_up();
  // Goes on from a backup, as a new life.
  void restore(const MemoryKv& backup);

 private:
  explicit World(std::shared_ptr<MemoryKv> disk);
  void open(const std::string& incarnation, Store::Life life);

  std::shared_ptr<MemoryKv> disk_;
  std::shared_ptr<const Policy> policy_;
  std::shared_ptr<const Projections> projections_;  // null: those of schemas/projections/
  std::unique_ptr<Store> store_;
  std::unique_ptr<Applier> applier_;
  std::uint64_t next_device_ = 2;
  std::uint64_t codes_made_ = 0;
  std::uint64_t lives_ = 1;
};

// The master key of every World.
[[nodiscard]] MasterKey master();

// A Kv that lets a test keep the disk when the store over it is gone.
[[nodiscard]] std::unique_ptr<Kv> share(std::shared_ptr<MemoryKv> disk);
// All rows of all columns, for "nothing was changed".
[[nodiscard]] std::vector<std::string> dump(const MemoryKv& disk);
[[nodiscard]] std::shared_ptr<MemoryKv> copy_of(const MemoryKv& disk);

}  // namespace waystation::testing

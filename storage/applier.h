// The one writer of a store: it gives ops their place, judges them, applies them, and commits all
// that waited as one synced batch. Replies are given after the commit, never before (law 1).
//
// It is pure with respect to time, randomness and I/O other than the store it is given: the time,
// new ids and secrets come with the requests. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "storage/codec.h"
#include "storage/store.h"
#include "sync/record.h"
#include "sync/schema.h"
#include "sync/wire.h"

namespace waystation {

// hello and push of one frame. The caller has checked the token.
struct ExchangeRequest {
  std::uint64_t device = 0;
  std::optional<Hello> hello;
  std::optional<Push> push;
  struct Reply {
    std::string welcome;  // encoded frames; empty where not asked for
    std::string receipt;
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
};

struct ScopesRequest {
  std::uint64_t device = 0;
  std::vector<std::string> scopes;
  std::function<void(Result<AccountPtr>)> done;
};

struct RevokeRequest {
  std::uint64_t device = 0;
  std::function<void(Result<AccountPtr>)> done;
};

using Request =
    std::variant<ExchangeRequest, EnrollRequest, CodeRequest, ScopesRequest, RevokeRequest>;

// What a committed group changed, for those who watch.
struct GroupOutcome {
  std::vector<std::string> scopes;      // with new changes
  std::vector<std::uint64_t> accounts;  // changed by the office
  Seq position = 0;
  std::size_t ops = 0;  // judged for the first time
  std::size_t refused = 0;
};

class Applier {
 public:
  // The store and the schemas outlive it.
  Applier(Store& store, const Schemas& schemas) : store_(store), schemas_(schemas) {}

  // Reads the position and digests. Call once.
  [[nodiscard]] Status start();

  // Takes a whole group, commits it, and calls every `done`. When the commit fails the store goes
  // read-only and every `done` gets kStoreReadOnly.
  GroupOutcome apply(std::vector<Request>& requests, std::int64_t now_ms);

 private:
  struct Entry {  // a record at hand
    Record record;
    bool dirty = false;
    Seq stored_seq = 0;          // where the change index has it
    Digest stored_part;          // what it adds to the digest as stored
    std::size_t size_bound = 0;  // at least the size of its visible text
  };
  struct Device {
    DeviceState state;
    bool dirty = false;
    LogChunk pending;  // verdicts of this group
  };
  struct Scope {
    DigestRow row;
    bool dirty = false;
  };
  struct Group;  // the state of one apply()

  void take(Group& group, ExchangeRequest& request);
  void take(Group& group, EnrollRequest& request);
  void take(Group& group, CodeRequest& request);
  void take(Group& group, ScopesRequest& request);
  void take(Group& group, RevokeRequest& request);

  [[nodiscard]] Result<Device*> device(std::uint64_t id);
  void touch(Group& group, std::uint64_t id,
             Device& device);  // its state is written with the group
  [[nodiscard]] Result<Entry*> entry(const std::string& key);
  void greet(Group& group, Device& device, const Account& account, const Hello& hello);
  [[nodiscard]] Status push(Group& group, Device& device, const Account& account, Push& push,
                            Receipt& receipt);
  [[nodiscard]] Result<std::string> repeat(Group& group, Device& device, std::uint64_t id,
                                           const Op& op);
  [[nodiscard]] Result<std::string> judge(Group& group, Device& device, const Account& account,
                                          Op& op);
  [[nodiscard]] std::optional<Refusal> check_scope(const Account& account, const Op& op,
                                                   std::int64_t authored_ms) const;
  [[nodiscard]] std::optional<Refusal> check_record(const Entry& entry, const Op& op,
                                                    const OpPlace& place,
                                                    const Collection& collection,
                                                    std::size_t& size_bound) const;
  void log(Group& group, Device& device, std::uint64_t n, LogEntry entry);
  void keep_effects(Group& group, const Op& op, const Effects& effects);
  [[nodiscard]] std::string refuse(Group& group, Device& device, std::uint64_t id, const Op& op,
                                   Refusal refusal);
  void store_account(Group& group, Account account);
  void close_records(Group& group);
  void close_devices(Group& group);
  [[nodiscard]] Status commit(Group& group);
  void fail(Group& group, const Error& error);

  Store& store_;
  const Schemas& schemas_;
  Seq position_ = 0;
  std::unordered_map<std::string, Entry> records_;
  std::unordered_map<std::uint64_t, Device> devices_;
  std::unordered_map<std::string, Scope> scopes_;
};

}  // namespace waystation

// The state of one group while an Applier takes it. Internal to storage/applier.cc and own_ops.cc.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "storage/applier.h"

namespace waystation {

struct Applier::Group {
  std::int64_t now_ms = 0;
  Batch batch;
  bool must_sync = false;
  std::vector<std::pair<Entry*, std::string>> dirty_records;  // with their keys
  std::vector<std::pair<std::uint64_t, Device*>> dirty_devices;
  std::vector<std::string> dirty_scopes;
  std::unordered_map<std::string, std::optional<std::string>> conflicts;
  std::map<std::string, std::optional<std::string>> matches;
  // Rows of kBlobs: put (true) or erased by this group.
  std::map<std::string, bool> blobs;
  std::unordered_set<std::string> looked_at;                   // records that were due
  std::map<std::uint64_t, std::shared_ptr<Account>> accounts;  // changed in this group
  // By row: keys that this group has made; nothing: it has erased the person.
  std::map<std::string, std::optional<PersonKey>, std::less<>> persons;
  std::vector<std::string> erased;     // rows
  std::optional<LogChunk> last_chunk;  // last one read for a repeat
  std::uint64_t last_chunk_device = 0;
  std::unordered_set<std::string> reused;  // quarantined in this group for a reused number
  std::vector<BackupRequest> backups;
  OfficeTablesPtr office;                  // changed in this group; null: not
  std::map<std::string, KeptEdits> edits;  // answered in this group, by key
  bool audited = false;
  // Called after the commit, with whether it succeeded.
  std::vector<std::function<void(bool)>> replies;
  GroupOutcome outcome;
  Status failed;  // after something had been changed that belongs with it: all or nothing

  // As of this group: what it has changed itself is not published before it is committed.
  [[nodiscard]] AccountPtr account(const Store& store, std::uint64_t device) const {
    const auto at = accounts.find(device);
    return at != accounts.end() ? at->second : store.accounts().find(device);
  }

  [[nodiscard]] OfficeTablesPtr tables(const Store& store) const {
    return office != nullptr ? office : store.office().get();
  }

  void must(const Status& done) {
    if (failed.ok() && !done.ok()) failed = done;
  }

  template <typename Done, typename Reply>
  void reply(const Store& store, Done done, Reply value) {
    replies.push_back([&store, done = std::move(done), value = std::move(value)](bool ok) mutable {
      if (ok) {
        done(std::move(value));
      } else {
        done(Error{Code::kStoreReadOnly, store.read_only_reason()});
      }
    });
  }
};

}  // namespace waystation

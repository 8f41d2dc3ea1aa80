// The lists of people of the office: a table in memory for each collection that is asked for, read
// in the background on a thread of its own and kept up from the change index (docs/architecture.md,
// "Lists"). Nothing of them lies on the disk.
//
// ask() on readers' threads, at most a bounded catching up each; the rest from any thread. With
// Threads::kStepped there is no thread and step() reads a part on the caller's.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "storage/list_table.h"
#include "storage/scope_tree.h"
#include "storage/store.h"
#include "storage/threads.h"
#include "sync/schema.h"

namespace waystation {

struct ListAsk {
  ListQuery query;
  std::string under;           // this scope and what lies below; empty: everywhere
  const View* view = nullptr;  // what the asker sees
  ScopeFilter allowed;
};
struct ListReply {
  std::string text;  // the answer as JSON; empty where the table is still being read
  double done = 0;   // how far that is
};

class ListTables {
 public:
  using Clock = std::function<std::int64_t()>;  // ms, which never goes back
  // The store and the schemas outlive it. `bytes`: of all tables together; 0: there are none.
  ListTables(const Store& store, const Schemas& schemas, std::size_t bytes,
             Threads threads = Threads::kOwn, Clock now_ms = {});
  ~ListTables() { stop(); }
  ListTables(const ListTables&) = delete;
  ListTables& operator=(const ListTables&) = delete;

  // Whether a page can be had at once; where not, the table is read from now on. In the reply the
  // text is empty. Errors: kListTooLarge (until it is tried again), kCollectionUnknown.
  [[nodiscard]] Result<ListReply> look(const std::string& coll);
  // One page. Errors: as above, kListField, kAccessDenied, kScopeUnknown, kStoreCorrupt, kIo.
  [[nodiscard]] Result<ListReply> ask(const ListAsk& ask);

  void stop();  // ends the thread
  bool step();  // kStepped: reads a part or makes an order; false when there is nothing to do
  // What the thread does now and then: ready tables that nobody asks for do not fall behind, nor
  // keep what was erased, nor grow beyond what they may have.
  void keep_up();
  // What the tables have by now, which is what they may have at most but for the moment in which an
  // order is made (40 bytes a record) or somebody's page catches up.
  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] std::size_t most_bytes() const { return most_bytes_; }

 private:
  enum class State : std::uint8_t { kNone, kReading, kReady, kTooLarge };
  struct Kept {
    std::string coll;
    std::shared_mutex mutex;  // of what follows but the atomics
    std::unique_ptr<ListTable> table;
    Seq seq = 0;     // the table holds everything up to it
    ScopeTree tree;  // of the collection "scope" alone
    Status failed;   // why it could not be read, until somebody was told
    std::atomic<State> state = State::kNone;
    std::atomic<double> done = 0;
    std::atomic<std::size_t> bytes = 0;
    std::atomic<std::uint64_t> used = 0;  // when it was asked for last, in the order of asking
    std::atomic<std::int64_t> used_ms = kNever;
    // Of one that is too large: when it is tried again, and what the others had at that time.
    std::atomic<std::int64_t> again_ms = 0;
    std::atomic<std::size_t> beside = 0;
    std::atomic<unsigned> failures = 0;  // in a row
    // The thread's alone: how far it has read.
    std::vector<std::string> scopes;
    std::string at;           // where to go on: a key; empty: at the start of scopes[next]
    std::size_t next = 0;     // among the scopes
    std::size_t counted = 0;  // rows, before any is read
    std::size_t read = 0;
    bool begun = false;
    bool counting = true;
  };
  using KeptPtr = std::shared_ptr<Kept>;
  // An order that somebody would have used.
  struct Wish {
    KeptPtr kept;
    std::string field;
    bool descending = false;
  };
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min() / 2;

  [[nodiscard]] KeptPtr find(const std::string& coll);
  void enqueue(const KeptPtr& kept);
  [[nodiscard]] ListReply progress(const Kept& kept) const;
  // False: more has changed than may be caught up with at once, or deletions were buried meanwhile.
  struct Bounds {
    std::size_t entries;  // of the change index, looked at
    std::size_t records;  // read
  };
  static const Bounds kAtOnce;
  static const Bounds kInBackground;
  [[nodiscard]] Result<bool> catch_up(Kept& kept, const Bounds& most);
  [[nodiscard]] Status take_record(Kept& kept, std::string_view scope, std::string_view id,
                                   std::string_view bytes);
  [[nodiscard]] Result<std::vector<std::string>> scopes_under(const std::string& scope,
                                                              bool& ready);
  [[nodiscard]] Result<std::string> page_text(const ListAsk& ask, const ListTable::Page& page,
                                              Seq seq) const;

  void run();
  void begin(Kept& kept);
  // True: the table is ready, or will not be.
  [[nodiscard]] Result<bool> read_part(Kept& kept);
  [[nodiscard]] Result<bool> walk_part(Kept& kept);
  void finish(Kept& kept, State state);
  [[nodiscard]] bool make_room(const Kept& kept);
  [[nodiscard]] static std::size_t expected_bytes(const Kept& kept);
  [[nodiscard]] std::size_t bytes_beside(const Kept& kept) const;
  void put_off(Kept& kept);
  [[nodiscard]] bool tried_again(const Kept& kept) const;
  void wish_for(const KeptPtr& kept, const ListQuery& query);
  [[nodiscard]] bool grant_wish();
  void make_order(const Wish& wish);
  void keep_within_bounds();

  const Store& store_;
  const Schemas& schemas_;
  std::size_t most_bytes_;
  Threads threads_;
  Clock now_ms_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, KeptPtr> kept_;
  std::deque<KeptPtr> queue_;
  std::deque<Wish> wishes_;
  std::atomic<std::uint64_t> uses_ = 0;
  bool ending_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace waystation

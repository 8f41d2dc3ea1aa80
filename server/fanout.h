// Sends each connected device what changed for it, as it is committed.
//
// Nothing is queued for a reader: each has a position, and at most one message on its way. When its
// message has gone out and something has changed since, it gets all of that at once, each record in
// its latest state. Devices with the same
// scopes and view at the same position share one message, made once.
// A reader that is too far behind is told to pull. Rounds pause for as long as the last one cost,
// so that in a rush fan-out takes a bounded share of the machine and coalesces the rest.
//
// Threads: all public functions from any thread; sinks are called on the fan-out's own thread and
// must only post. With Threads::kStepped there is no thread: step() makes a round on the caller's,
// and no pause is taken.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "storage/applier.h"
#include "storage/pull.h"
#include "storage/store.h"
#include "storage/threads.h"

namespace waystation {

using Frame = std::shared_ptr<const std::string>;

class LiveSink {
 public:
  LiveSink() = default;
  LiveSink(const LiveSink&) = delete;
  LiveSink& operator=(const LiveSink&) = delete;
  virtual ~LiveSink() = default;

  // A message for the stretch of live reading that began with `epoch`. When it has gone out (or was
  // dropped because the stretch had ended) the sink calls Fanout::written().
  virtual void deliver(Frame frame, std::uint64_t epoch) = 0;
  // The office has shut the device out, or it must say hello again: say so and close.
  virtual void shut_out(Code why) = 0;
};

class Fanout {
 public:
  using Id = std::uint64_t;

  explicit Fanout(const Store& store, Threads threads = Threads::kOwn);
  ~Fanout() { stop_thread(); }
  Fanout(const Fanout&) = delete;
  Fanout& operator=(const Fanout&) = delete;

  // A connection of a device; not live yet.
  [[nodiscard]] Id attach(std::weak_ptr<LiveSink> sink, std::uint64_t device);
  void detach(Id id);
  // The device holds everything up to `base` and wants what comes.
  void go_live(Id id, Seq base, std::uint64_t epoch);
  void stop(Id id);  // it pulls again
  void written(Id id);

  void committed(const GroupOutcome& outcome);
  void stop_thread();  // no sink is called any more

  bool step();  // kStepped: one round; false when nobody waits for one

  [[nodiscard]] std::size_t attached() const;
  [[nodiscard]] bool online(std::uint64_t device) const;  // has a connection
  [[nodiscard]] std::size_t devices() const;              // that have a connection

 private:
  struct Reader {
    std::weak_ptr<LiveSink> sink;
    std::uint64_t device = 0;
    Seq position = 0;
    std::uint64_t epoch = 0;
    bool live = false;
    bool writing = false;             // a message is on its way
    bool pending = false;             // something may have changed for it
    bool behind = false;              // it missed an earlier round: its own position counts
    std::vector<std::string> scopes;  // those it is listed under
  };
  struct Delivery {
    std::weak_ptr<LiveSink> sink;
    Frame frame;
    std::uint64_t epoch = 0;
  };
  struct Round;

  void run();
  void list_under_scopes(Id id, Reader& reader);
  void unlist(Id id, Reader& reader);
  void mark(Id id);
  // One round over all that is pending, under the lock for looking up and without it for reading.
  void round(std::unique_lock<std::mutex>& lock);

  const Store& store_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::unordered_map<Id, Reader> readers_;
  std::unordered_map<std::string, std::unordered_set<Id>> by_scope_;  // "*" for those who see all
  std::unordered_map<std::uint64_t, std::unordered_set<Id>> by_device_;
  std::vector<Id> pending_;
  Id next_id_ = 1;
  Seq position_ = 0;             // committed
  Seq last_position_ = 0;        // of the last round
  std::size_t round_bytes_ = 0;  // handed to sockets by the last round
  bool ending_ = false;
  Threads threads_;
  std::thread thread_;
};

}  // namespace waystation

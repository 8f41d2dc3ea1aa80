// The writer's thread around an Applier: it takes what waits, as one group, and commits it with one
// sync (group commit as in LevelDB's DBImpl::Write). submit() from any thread; `done` callbacks and
// the observer run on the writer's thread and must be short. With Threads::kStepped there is no
// thread and step() takes a group on the caller's.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "storage/applier.h"
#include "storage/threads.h"

namespace waystation {

struct WriterStats {
  std::uint64_t groups = 0;
  std::uint64_t ops = 0;
  std::uint64_t refused = 0;
  std::uint64_t busy_us = 0;  // time spent applying and committing
};

class Writer {
 public:
  using Clock = std::function<std::int64_t()>;  // ms since 1970
  using Observer = std::function<void(const GroupOutcome&)>;

  // The applier has been started and outlives the writer. The observer is called after each group
  // that changed something.
  Writer(Applier& applier, Clock clock, Observer observer, Threads threads = Threads::kOwn);
  ~Writer() { stop(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // False when the queue is full: nothing was taken, the client is told to come back.
  [[nodiscard]] bool submit(Request request);

  void stop();  // applies what was submitted, then ends the thread; nothing is taken any more

  // kStepped: applies one group; false when nothing waits.
  bool step();
  // kStepped: forgets what was submitted, as when the process ends; nothing is taken any more.
  void abandon();

  [[nodiscard]] WriterStats stats() const;
  [[nodiscard]] std::size_t waiting_ops() const;

 private:
  void run();
  // Takes the next group off the queue. Under the lock; the queue is not empty.
  void take_group(std::vector<Request>& group);
  void apply_group(std::vector<Request>& group);
  [[nodiscard]] static std::size_t weight(const Request& request);

  Applier& applier_;
  Clock clock_;
  Observer observer_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Request> queue_;
  std::size_t queued_ops_ = 0;
  bool ending_ = false;
  Threads threads_;
  WriterStats stats_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace waystation

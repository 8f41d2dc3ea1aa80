// What happens today, for walls that want to be told when it changes (GET /v1/today, a long poll).
// However many ask, it is read once for all of them, after a commit that may concern it and at most
// every limits::kTodayPauseMs; what devices say of themselves is looked at every second. Nothing is
// read while nobody asks.
//
// Threads: all public functions from any thread; answers come on a thread of its own. With
// Threads::kStepped there is none: step() answers on the caller's.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/fanout.h"
#include "storage/store.h"
#include "storage/threads.h"
#include "storage/today.h"
#include "sync/result.h"

namespace waystation {

class TodayWatch {
 public:
  // The body of an answer. Errors: kBusy, kStoreCorrupt, kIo.
  using Done = std::function<void(Result<std::string>)>;

  // All outlive it.
  TodayWatch(const Store& store, const Fanout& fanout, std::function<std::int64_t()> now_ms,
             Threads threads = Threads::kOwn);
  ~TodayWatch() { stop(); }
  TodayWatch(const TodayWatch&) = delete;
  TodayWatch& operator=(const TodayWatch&) = delete;

  // Answers when what is shown differs from what `token` names, or after wait_ms; earlier where
  // more of `who` wait than may, the oldest first. kBusy: too many wait, of him or of all.
  void ask(const std::string& who, std::string token, std::int64_t wait_ms, Done done);
  void changed();  // something has been committed
  void stop();     // answers all that wait, and takes nothing more

  bool step();  // kStepped: answers who is to be answered by now; false: nobody

 private:
  using Clock = std::chrono::steady_clock;
  struct Asker {
    std::string who;
    std::string token;
    Clock::time_point until;
    Done done;
  };
  struct Figures {
    Today today;
    std::string token;
    std::string body;  // without its beginning, which tells the time
  };

  void run();
  // Under the lock. False: he has no place.
  [[nodiscard]] bool make_place(const std::string& who);
  // Under the lock, which is given up while the store is read. Whether anybody was answered.
  bool round(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] Status look(bool read_again);
  [[nodiscard]] std::string told(std::int64_t now) const;

  const Store& store_;
  const Fanout& fanout_;
  std::function<std::int64_t()> now_ms_;
  Threads threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Asker> askers_;
  bool asked_ = false;   // since the last round
  bool changed_ = true;  // since it was last read
  bool ending_ = false;
  Figures figures_;  // of the thread that makes rounds
  std::thread thread_;
};

}  // namespace waystation

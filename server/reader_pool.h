// Threads that read the store, so that no RocksDB call runs on an I/O thread. Bounded: when too
// many jobs wait, the client is told to come back. submit() from any thread. With Threads::kStepped
// there are no threads and step() runs a job on the caller's.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/threads.h"
#include "sync/limits.h"

namespace waystation {

class ReaderPool {
 public:
  using Job = std::function<void()>;

  explicit ReaderPool(std::size_t count, Threads threads = Threads::kOwn,
                      std::size_t most_waiting = limits::kReaderQueue);
  ~ReaderPool() { stop(); }
  ReaderPool(const ReaderPool&) = delete;
  ReaderPool& operator=(const ReaderPool&) = delete;

  [[nodiscard]] bool submit(Job job);  // false: full
  void stop();                         // runs what was submitted, then ends the threads

  bool step();     // kStepped: runs one job; false when none waits
  void abandon();  // kStepped: forgets the jobs, as when the process ends; none is taken any more

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool ending_ = false;
  Threads mode_;
  std::size_t most_waiting_;
  std::vector<std::thread> threads_;
};

}  // namespace waystation

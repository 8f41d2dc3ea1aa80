// Threads that read the store, so that no RocksDB call runs on an I/O thread. Bounded: when too
// many jobs wait, the client is told to come back. submit() from any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace waystation {

class ReaderPool {
 public:
  using Job = std::function<void()>;

  explicit ReaderPool(std::size_t threads);
  ~ReaderPool() { stop(); }
  ReaderPool(const ReaderPool&) = delete;
  ReaderPool& operator=(const ReaderPool&) = delete;

  [[nodiscard]] bool submit(Job job);  // false: full
  void stop();                         // runs what was submitted, then ends the threads

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace waystation

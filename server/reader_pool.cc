#include "server/reader_pool.h"

#include <algorithm>

#include "server/edge_limits.h"
#include "sync/result.h"

namespace waystation {

ReaderPool::ReaderPool(std::size_t count, Threads threads, std::size_t most_waiting)
    : mode_(threads), most_waiting_(most_waiting) {
  if (mode_ == Threads::kStepped) return;
  for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { run(); });
}

void ReaderPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  while (mode_ == Threads::kStepped && step()) {
  }
}

void ReaderPool::abandon() {
  WS_CHECK(mode_ == Threads::kStepped);
  ending_ = true;
  pulls_.clear();
  lists_.clear();
}

bool ReaderPool::step() {
  WS_CHECK(mode_ == Threads::kStepped);
  Job job;
  {
    const std::lock_guard lock(mutex_);
    if (empty()) return false;
    job = next();
  }
  job();
  return true;
}

ReaderPool::Job ReaderPool::next() {
  constexpr std::size_t kTurnsOfLists = 4;
  const bool both = !pulls_.empty() && !lists_.empty();
  const bool list = both ? ++turns_ % kTurnsOfLists == 0 : pulls_.empty();
  std::deque<Job>& jobs = list ? lists_ : pulls_;
  Job job = std::move(jobs.front());
  jobs.pop_front();
  return job;
}

bool ReaderPool::submit(Job job, Turn turn) {
  {
    const std::lock_guard lock(mutex_);
    const bool pull = turn == Turn::kPull;
    std::deque<Job>& jobs = pull ? pulls_ : lists_;
    const std::size_t most = pull ? most_waiting_ : std::min(most_waiting_, limits::kListQueue);
    if (ending_ || jobs.size() >= most) return false;
    jobs.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

void ReaderPool::run() {
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return ending_ || !empty(); });
      if (empty()) return;
      job = next();
    }
    job();
  }
}

}  // namespace waystation

#include "server/reader_pool.h"

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
  jobs_.clear();
}

bool ReaderPool::step() {
  WS_CHECK(mode_ == Threads::kStepped);
  Job job;
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.empty()) return false;
    job = std::move(jobs_.front());
    jobs_.pop_front();
  }
  job();
  return true;
}

bool ReaderPool::submit(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (ending_ || jobs_.size() >= most_waiting_) return false;
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

void ReaderPool::run() {
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

}  // namespace waystation

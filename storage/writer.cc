#include "storage/writer.h"

#include <chrono>

#include "sync/limits.h"

namespace waystation {
namespace {

// How late the server may be with what it does by itself.
constexpr std::chrono::seconds kLookForDues{1};

}  // namespace

Writer::Writer(Applier& applier, Clock clock, Observer observer, Threads threads)
    : applier_(applier),
      clock_(std::move(clock)),
      observer_(std::move(observer)),
      threads_(threads) {
  if (threads_ == Threads::kOwn) thread_ = std::thread([this] { run(); });
}

void Writer::stop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  while (threads_ == Threads::kStepped && step()) {
  }
}

void Writer::abandon() {
  WS_CHECK(threads_ == Threads::kStepped);
  ending_ = true;
  queued_ops_ = 0;
  queue_.clear();
}

// Never above a group's for an ordinary push; an op with many or large values counts as several.
std::size_t Writer::weight(const Request& request) {
  if (const auto* edits = std::get_if<EditsRequest>(&request)) {
    return 1 + std::max(edits->body.edits.size(), edits->body.text.size() / limits::kQueuedOpBytes);
  }
  const auto* exchange = std::get_if<ExchangeRequest>(&request);
  if (exchange == nullptr || !exchange->push) return 1;
  std::size_t sum = 1;
  for (const Op& op : exchange->push->ops) {
    std::size_t bytes = op.canonical.size();
    for (const Edit& edit : op.edits) bytes += edit.values.size() * sizeof(Value);
    sum += std::max<std::size_t>(1, bytes / limits::kQueuedOpBytes);
  }
  return sum;
}

bool Writer::submit(Request request) {
  const std::size_t ops = weight(request);
  {
    const std::lock_guard lock(mutex_);
    if (ending_ || queued_ops_ + ops > limits::kWriterQueueOps) return false;
    queued_ops_ += ops;
    queue_.push_back(std::move(request));
  }
  wake_.notify_one();
  return true;
}

WriterStats Writer::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

std::size_t Writer::waiting_ops() const {
  const std::lock_guard lock(mutex_);
  return queued_ops_;
}

bool Writer::is_due() const { return clock_() >= applier_.next_due_ms(); }

void Writer::take_group(std::vector<Request>& group) {
  std::size_t ops = 0;
  while (!queue_.empty() && (group.empty() || ops + weight(queue_.front()) <= limits::kGroupOps)) {
    ops += weight(queue_.front());
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_ops_ -= ops;
}

void Writer::apply_group(std::vector<Request>& group) {
  const auto start = std::chrono::steady_clock::now();
  const GroupOutcome outcome = applier_.apply(group, clock_());
  group.clear();
  if (!outcome.scopes.empty() || !outcome.accounts.empty()) observer_(outcome);
  const auto spent = std::chrono::steady_clock::now() - start;
  const std::lock_guard lock(mutex_);
  ++stats_.groups;
  stats_.ops += outcome.ops;
  stats_.refused += outcome.refused;
  stats_.busy_us += static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(spent).count());
}

bool Writer::step() {
  WS_CHECK(threads_ == Threads::kStepped);
  std::vector<Request> group;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.empty() && !is_due()) return false;
    take_group(group);
  }
  apply_group(group);
  return true;
}

void Writer::run() {
  std::vector<Request> group;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      while (!ending_ && queue_.empty() && !is_due()) wake_.wait_for(lock, kLookForDues);
      if (ending_ && queue_.empty()) return;
      take_group(group);
    }
    apply_group(group);
  }
}

}  // namespace waystation

#include "server/fanout.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "sync/cursor.h"
#include "sync/limits.h"

namespace waystation {
namespace {

// A message that only says "pull": it goes on from `base`.
std::string pull_again(const Store& store, Seq base) {
  Cursor cursor;
  cursor.incarnation = store.incarnation_number();
  cursor.base = base;
  ChangesHead head;
  head.more = true;
  head.cursor = encode_cursor(cursor);
  return encode_changes(head, "");
}

using SteadyClock = std::chrono::steady_clock;

// What writing to sockets costs, for the pause after a round: loopback and a 10 Gbit/s card are of
// this order, and a slow uplink holds back its own reader only.
constexpr double kSocketBytesPerSecond = 400e6;
constexpr auto kLongestPause = std::chrono::milliseconds(250);

}  // namespace

// Readers of one round that get the same message.
struct Fanout::Round {
  struct Key {
    std::vector<std::string> scopes;
    std::size_t view;  // its index: an order that is the same in every run
    Seq base;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Member {
    Id id;
    std::weak_ptr<LiveSink> sink;
    std::uint64_t epoch;
  };
  struct Share {
    std::vector<PullScope> scopes;
    const View* view = nullptr;  // of the store's policy
    std::vector<Member> members;
  };
  std::map<Key, Share> shares;
};

Fanout::Fanout(const Store& store, Threads threads) : store_(store), threads_(threads) {
  // What was committed before this start: a reader must not be set back behind it.
  if (const auto position = store.position()) position_ = last_position_ = *position;
  if (threads_ == Threads::kOwn) thread_ = std::thread([this] { run(); });
}

void Fanout::stop_thread() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Fanout::Id Fanout::attach(std::weak_ptr<LiveSink> sink, std::uint64_t device) {
  const std::lock_guard lock(mutex_);
  const Id id = next_id_++;
  Reader& reader = readers_[id];
  reader.sink = std::move(sink);
  reader.device = device;
  by_device_[device].insert(id);
  return id;
}

void Fanout::detach(Id id) {
  const std::lock_guard lock(mutex_);
  const auto at = readers_.find(id);
  if (at == readers_.end()) return;
  unlist(id, at->second);
  const auto device = by_device_.find(at->second.device);
  device->second.erase(id);
  if (device->second.empty()) by_device_.erase(device);
  readers_.erase(at);
}

void Fanout::list_under_scopes(Id id, Reader& reader) {
  unlist(id, reader);
  const AccountPtr account = store_.accounts().find(reader.device);
  if (account == nullptr) return;
  reader.scopes = account->holds_all() ? std::vector<std::string>{"*"} : account->scopes();
  for (const std::string& scope : reader.scopes) by_scope_[scope].insert(id);
}

void Fanout::unlist(Id id, Reader& reader) {
  for (const std::string& scope : reader.scopes) {
    const auto at = by_scope_.find(scope);
    at->second.erase(id);
    if (at->second.empty()) by_scope_.erase(at);
  }
  reader.scopes.clear();
}

void Fanout::mark(Id id) {
  const auto at = readers_.find(id);
  if (at == readers_.end() || at->second.pending) return;
  at->second.pending = true;
  pending_.push_back(id);
}

void Fanout::go_live(Id id, Seq base, std::uint64_t epoch) {
  {
    const std::lock_guard lock(mutex_);
    const auto at = readers_.find(id);
    if (at == readers_.end()) return;
    Reader& reader = at->second;
    reader.live = true;
    reader.position = base;
    reader.epoch = epoch;
    reader.behind = true;  // something may have been committed since its pull
    list_under_scopes(id, reader);
    mark(id);
  }
  wake_.notify_one();
}

void Fanout::stop(Id id) {
  const std::lock_guard lock(mutex_);
  const auto at = readers_.find(id);
  if (at == readers_.end()) return;
  at->second.live = false;
  unlist(id, at->second);
}

void Fanout::written(Id id) {
  bool more = false;
  {
    const std::lock_guard lock(mutex_);
    const auto at = readers_.find(id);
    if (at == readers_.end()) return;
    at->second.writing = false;
    more = at->second.behind;
    if (more) mark(id);
  }
  if (more) wake_.notify_one();
}

void Fanout::committed(const GroupOutcome& outcome) {
  std::vector<std::pair<std::shared_ptr<LiveSink>, Code>> shut_out;
  {
    const std::lock_guard lock(mutex_);
    position_ = outcome.position;
    const auto mark_all = [this](const std::string& scope) {
      const auto at = by_scope_.find(scope);
      if (at == by_scope_.end()) return;
      for (const Id id : at->second) mark(id);
    };
    for (const std::string& scope : outcome.scopes) mark_all(scope);
    if (!outcome.scopes.empty()) mark_all("*");
    for (const std::uint64_t device : outcome.accounts) {
      const auto at = by_device_.find(device);
      if (at == by_device_.end()) continue;
      const AccountPtr account = store_.accounts().find(device);
      // One that has to wipe itself hears of it at its next hello.
      const bool closed = account == nullptr || (account->closed() && !account->wipe_due());
      const bool greets =
          std::find(outcome.greet.begin(), outcome.greet.end(), device) != outcome.greet.end();
      for (const Id id : at->second) {
        // It may have gone live between the commit and this: listed as it was before.
        if (Reader& reader = readers_[id]; reader.live) list_under_scopes(id, reader);
        mark(id);
        if (!closed && !greets) continue;
        shut_out.emplace_back(readers_[id].sink.lock(),
                              closed ? Code::kAuthRevoked : Code::kDeviceChanged);
      }
    }
  }
  for (const auto& [sink, why] : shut_out) {
    if (sink != nullptr) sink->shut_out(why);
  }
  wake_.notify_one();
}

std::size_t Fanout::attached() const {
  const std::lock_guard lock(mutex_);
  return readers_.size();
}

bool Fanout::online(std::uint64_t device) const {
  const std::lock_guard lock(mutex_);
  return by_device_.contains(device);
}

std::size_t Fanout::devices() const {
  const std::lock_guard lock(mutex_);
  return by_device_.size();
}

bool Fanout::step() {
  WS_CHECK(threads_ == Threads::kStepped);
  std::unique_lock lock(mutex_);
  if (ending_ || pending_.empty()) return false;
  round(lock);
  return true;
}

void Fanout::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return ending_ || !pending_.empty(); });
    if (ending_) return;
    const auto start = SteadyClock::now();
    round(lock);
    const auto sockets = std::chrono::duration_cast<SteadyClock::duration>(
        std::chrono::duration<double>(static_cast<double>(round_bytes_) / kSocketBytesPerSecond));
    const auto cost = SteadyClock::now() - start + sockets;
    const auto pause = std::min<SteadyClock::duration>(cost, kLongestPause);
    if (pause > std::chrono::milliseconds(1)) {
      wake_.wait_for(lock, pause, [this] { return ending_; });
    }
  }
}

void Fanout::round(std::unique_lock<std::mutex>& lock) {
  // Known before the scopes are looked up: no scope with a change up to it is missed.
  const Seq target = std::max(position_, last_position_);
  Round round;
  std::vector<Delivery> deliveries;
  std::vector<Id> marked = std::move(pending_);
  pending_.clear();
  for (const Id id : marked) {
    const auto at = readers_.find(id);
    if (at == readers_.end()) continue;
    Reader& reader = at->second;
    reader.pending = false;
    if (!reader.live) continue;
    if (reader.writing) {
      if (!reader.behind) reader.position = std::max(reader.position, last_position_);
      reader.behind = true;
      continue;
    }
    // A reader that missed no round holds all up to the last one, whatever its own last message
    // was: so readers of one scope share their messages whatever else they read.
    const Seq base = reader.behind ? reader.position : std::max(reader.position, last_position_);
    reader.behind = false;
    const AccountPtr account = store_.accounts().find(reader.device);
    if (account == nullptr || !account->active()) continue;
    if (account->changed > base) {
      reader.live = false;  // its scopes have changed
      deliveries.push_back(Delivery{reader.sink,
                                    std::make_shared<const std::string>(pull_again(store_, base)),
                                    reader.epoch});
      continue;
    }
    std::vector<PullScope> scopes = changed_scopes(store_, *account, base);
    // A pull may have seen a commit that is not told of here yet.
    reader.position = std::max(base, target);
    if (scopes.empty() || base >= target) continue;
    const View& view = store_.view_of(*account);
    Round::Key key{{}, view.index, base};
    for (const PullScope& scope : scopes) key.scopes.push_back(scope.scope);
    Round::Share& share = round.shares[std::move(key)];
    if (share.members.empty()) {
      share.scopes = std::move(scopes);
      share.view = &view;
    }
    share.members.push_back(Round::Member{id, reader.sink, reader.epoch});
    reader.writing = true;
  }
  last_position_ = target;
  lock.unlock();

  std::size_t bytes = 0;
  std::vector<Id> to_pull;
  std::vector<Id> nothing;
  for (auto& [key, share] : round.shares) {
    Cursor cursor;
    cursor.incarnation = store_.incarnation_number();
    cursor.base = key.base;
    cursor.target = target;
    auto page = pull_scopes(store_, *share.view, share.scopes, cursor, limits::kLiveRecords);
    if (page.ok() && page->count == 0 && !page->head.more) {
      for (const Round::Member& member : share.members) nothing.push_back(member.id);
      continue;
    }
    // Where reading failed the reader's own pull will tell why.
    const auto frame = std::make_shared<const std::string>(
        page.ok() ? encode_changes(page->head, page->items) : pull_again(store_, key.base));
    const bool must_pull = !page.ok() || page->head.more;
    for (const Round::Member& member : share.members) {
      if (must_pull) to_pull.push_back(member.id);
      deliveries.push_back(Delivery{member.sink, frame, member.epoch});
    }
    bytes += frame->size() * share.members.size();
  }
  for (const Delivery& delivery : deliveries) {
    if (const auto sink = delivery.sink.lock()) sink->deliver(delivery.frame, delivery.epoch);
  }
  lock.lock();
  round_bytes_ = bytes;
  for (const Id id : to_pull) {
    const auto at = readers_.find(id);
    if (at != readers_.end()) at->second.live = false;
  }
  for (const Id id : nothing) {
    const auto at = readers_.find(id);
    if (at != readers_.end()) at->second.writing = false;
  }
}

}  // namespace waystation

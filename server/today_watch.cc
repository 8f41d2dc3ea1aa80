#include "server/today_watch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <utility>

#include "sync/bytes.h"
#include "sync/canonical.h"
#include "sync/digest.h"
#include "sync/limits.h"

namespace waystation {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPause(limits::kTodayPauseMs);
constexpr milliseconds kLook(1000);
constexpr std::size_t kTokenBytes = 12;

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += fmt::format("\"{}\":", name);
  append_json_string(out, text);
  out += ',';
}

void append_hours(std::string& out, const DayHours& hours) {
  out += fmt::format("\"hours\":[{}]", fmt::join(hours, ","));
}

void append_visits(std::string& out, const Today& today) {
  out += fmt::format(R"("visits":{{"total":{},)", today.visits);
  append_hours(out, today.hours);
  out += ",\"stations\":[";
  for (const StationToday& station : today.stations) {
    if (&station != &today.stations.front()) out += ',';
    out += '{';
    append_member(out, "scope", station.scope);
    append_member(out, "id", station.id);
    append_member(out, "name", station.name);
    append_member(out, "division", station.division);
    out += fmt::format("\"total\":{},", station.total);
    append_hours(out, station.hours);
    out += '}';
  }
  out += "]}";
}

void append_people(std::string& out, const Today& today) {
  out += fmt::format(R"("people":{{"present":{},"came":{},"events":[)", today.present, today.came);
  for (const EventToday& event : today.events) {
    if (&event != &today.events.front()) out += ',';
    out += '{';
    append_member(out, "scope", event.scope);
    append_member(out, "id", event.id);
    append_member(out, "title", event.title);
    append_member(out, "division", event.division);
    append_member(out, "state", event.state);
    append_member(out, "starts", event.starts);
    append_member(out, "ends", event.ends);
    out += fmt::format(R"("present":{},"came":{}}})", event.present, event.came);
  }
  out += "]}";
}

void append_districts(std::string& out, const Today& today) {
  out += "\"districts\":[";
  for (const DistrictToday& district : today.districts) {
    if (&district != &today.districts.front()) out += ',';
    out += '{';
    append_member(out, "code", district.code);
    append_member(out, "name", district.name);
    out += fmt::format(R"("visits":{},"present":{}}})", district.visits, district.present);
  }
  out += ']';
}

std::string body_of(const Today& today, const std::string& zone, std::size_t online,
                    const Waiting& waiting) {
  std::string out;
  append_member(out, "day", today.day);
  append_member(out, "zone", zone);
  append_visits(out, today);
  out += ',';
  append_people(out, today);
  out += ',';
  append_districts(out, today);
  out += fmt::format(R"(,"devices":{{"known":{},"online":{}}})", waiting.known, online);
  out += fmt::format(R"(,"waiting":{{"ops":{},"devices":{},"oldest":{}}}}})", waiting.ops,
                     waiting.devices, waiting.oldest_ms);
  return out;
}

}  // namespace

TodayWatch::TodayWatch(const Store& store, const Fanout& fanout,
                       std::function<std::int64_t()> now_ms, Threads threads)
    : store_(store), fanout_(fanout), now_ms_(std::move(now_ms)), threads_(threads) {
  if (threads_ == Threads::kOwn) thread_ = std::thread([this] { run(); });
}

// The oldest of too many gets its answer in the next round and not at once: whoever has a wall more
// than there are places for asks again, and must not go round without a pause.
bool TodayWatch::make_place(const std::string& who) {
  if (askers_.size() >= limits::kTodayAskers) return false;
  const auto now = Clock::now();
  std::size_t all = 0;
  std::size_t waiting = 0;
  Asker* oldest = nullptr;
  for (Asker& asker : askers_) {
    if (asker.who != who) continue;
    ++all;
    if (asker.until <= now) continue;
    ++waiting;
    if (oldest == nullptr) oldest = &asker;
  }
  if (all >= 2 * limits::kTodayAskersEach) return false;
  if (waiting >= limits::kTodayAskersEach) oldest->until = now;
  return true;
}

void TodayWatch::ask(const std::string& who, std::string token, std::int64_t wait_ms, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (!ending_ && make_place(who)) {
      askers_.push_back(
          {who, std::move(token), Clock::now() + milliseconds(wait_ms), std::move(done)});
      asked_ = true;
      done = nullptr;
    }
  }
  if (done != nullptr) return done(Error{Code::kBusy, "too many wait for what happens today"});
  wake_.notify_one();
}

void TodayWatch::changed() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(changed_, true) || askers_.empty()) return;
  }
  wake_.notify_one();
}

void TodayWatch::stop() {
  std::vector<Asker> left;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  {
    const std::lock_guard lock(mutex_);
    left.swap(askers_);
  }
  for (const Asker& asker : left) asker.done(Error{Code::kBusy, "the server is being stopped"});
}

bool TodayWatch::step() {
  WS_CHECK(threads_ == Threads::kStepped);
  std::unique_lock lock(mutex_);
  return !ending_ && !askers_.empty() && round(lock);
}

void TodayWatch::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return ending_ || !askers_.empty(); });
    if (ending_) return;
    round(lock);
    wake_.wait_for(lock, kPause, [this] { return ending_; });
    const auto due = [this] { return ending_ || changed_ || asked_; };
    if (!askers_.empty()) wake_.wait_for(lock, kLook - kPause, due);
  }
}

bool TodayWatch::round(std::unique_lock<std::mutex>& lock) {
  asked_ = false;
  const bool read_again = std::exchange(changed_, false);
  lock.unlock();
  const Status looked = look(read_again);
  const auto now = Clock::now();
  lock.lock();
  std::vector<Asker> answered;
  std::vector<Asker> left;
  for (Asker& asker : askers_) {
    const bool due = !looked || asker.token != figures_.token || asker.until <= now;
    (due ? answered : left).push_back(std::move(asker));
  }
  askers_ = std::move(left);
  if (!looked) changed_ = true;
  lock.unlock();
  for (const Asker& asker : answered) {
    asker.done(looked ? Result<std::string>(told(now_ms_())) : Result<std::string>(looked.error()));
  }
  lock.lock();
  return !answered.empty();
}

Status TodayWatch::look(bool read_again) {
  const std::int64_t now = now_ms_();
  const Zone& zone = store_.projections()->zone();
  if (read_again || figures_.today.day != bucket_of(now, Bucket::kDay, zone)) {
    auto today = read_today(store_, now);
    if (!today) return today.error();
    figures_.today = std::move(*today);
  }
  const auto waiting = read_waiting(store_);
  if (!waiting) return waiting.error();
  figures_.body = body_of(figures_.today, zone.name, fanout_.devices(), *waiting);
  figures_.token = hex_of(sha256(figures_.body).substr(0, kTokenBytes));
  return {};
}

std::string TodayWatch::told(std::int64_t now) const {
  return fmt::format(R"({{"token":"{}","time":{},)", figures_.token, now) + figures_.body;
}

}  // namespace waystation

#include "server/gate.h"

#include <algorithm>

#include "server/edge_limits.h"
#include "sync/result.h"

namespace waystation {

Gate::Settings Gate::settings_of(const Config& config) {
  Settings settings;
  settings.connections = config.connections;
  settings.connections_per_address = config.connections_per_address;
  settings.connects_per_minute = static_cast<double>(config.connects_per_minute);
  settings.bytes_per_second = static_cast<double>(config.kib_per_second) * 1024;
  settings.limit_loopback = config.limit_loopback;
  auto trusted = Networks::parse(config.trusted_proxies);
  WS_CHECK(trusted.ok());  // load_config() has looked
  settings.trusted = std::move(*trusted);
  return settings;
}

std::shared_ptr<Gate> Gate::make(Settings settings, Clock clock) {
  return std::shared_ptr<Gate>(new Gate(std::move(settings), std::move(clock)));
}

Gate::Gate(Settings settings, Clock clock)
    : settings_(std::move(settings)),
      clock_(std::move(clock)),
      connects_({settings_.connects_per_minute / 60, settings_.connects_per_minute},
                limits::kRatedKeys),
      requests_({settings_.connects_per_minute / 60 * limits::kRequestsPerConnect,
                 settings_.connects_per_minute * limits::kRequestsPerConnect},
                limits::kRatedKeys),
      bytes_({settings_.bytes_per_second * limits::kAddressShare,
              settings_.bytes_per_second * limits::kAddressShare * limits::kBytesBurstSeconds},
             limits::kRatedKeys),
      strikes_({limits::kAddressStrikesPerSecond, limits::kAddressStrikes}, limits::kRatedKeys) {}

std::unique_ptr<Gate::Visit> Gate::enter(const Address& from) {
  const Address address = plain_address(from);
  const std::lock_guard lock(mutex_);
  const std::string key = limited(address) ? address_key(address) : std::string();
  if (!key.empty() && connects_.wait_ms(key, clock_()) > 0) return nullptr;
  if (!make_room(key)) return nullptr;
  if (!key.empty() && connects_.take(key, 1, clock_()) > 0) return nullptr;
  take_place(key, false);
  std::unique_ptr<Visit> visit(new Visit(shared_from_this()));
  visit->key_ = key;
  visit->unknown_since_ = clock_();
  visit->turn_ = ++turns_;
  return visit;
}

// Half for those who have not said who they are: silence alone fills no server.
bool Gate::room_in_all() const {
  return all_.visits < settings_.connections &&
         all_.unknown < std::max<std::size_t>(1, settings_.connections / 2);
}

bool Gate::make_room(const std::string& key) {
  if (!key.empty() && strikes_.wait_ms(key, clock_()) > 0) return false;
  if (!room_for(key)) {
    const auto found = by_address_.find(key);
    if (found == by_address_.end() || !send_away(found->second.resting)) return false;
  }
  return (room_in_all() || send_away(all_.resting)) && room_in_all() && room_for(key);
}

bool Gate::send_away(const Resting& resting) {
  if (resting.empty()) return false;
  Visit* const visit = resting.begin()->second;
  if (clock_() - visit->unknown_since_ < limits::kUnknownRestMs) return false;
  const std::function<void()> leave = visit->leave_;
  visit->end_rest();
  give_place(visit->key_, false);
  visit->gone_ = true;
  leave();
  return true;
}

bool Gate::limited(const Address& address) const {
  if (settings_.trusted.hold(address)) return false;
  return settings_.limit_loopback || !address.is_loopback();
}

bool Gate::room_for(const std::string& key) {
  if (key.empty()) return true;
  if (strikes_.wait_ms(key, clock_()) > 0) return false;
  const auto found = by_address_.find(key);
  if (found == by_address_.end()) return true;
  const std::size_t most = settings_.connections_per_address;
  return found->second.visits < most && found->second.unknown < std::max<std::size_t>(1, most / 2);
}

void Gate::take_place(const std::string& key, bool known) {
  const std::size_t unknown = known ? 0 : 1;
  ++all_.visits;
  all_.unknown += unknown;
  if (key.empty()) return;
  Count& count = by_address_[key];
  ++count.visits;
  count.unknown += unknown;
}

void Gate::give_place(const std::string& key, bool known) {
  const std::size_t unknown = known ? 0 : 1;
  --all_.visits;
  all_.unknown -= unknown;
  if (key.empty()) return;
  const auto found = by_address_.find(key);
  --found->second.visits;
  found->second.unknown -= unknown;
  if (found->second.visits == 0) by_address_.erase(found);
}

std::size_t Gate::visits() const {
  const std::lock_guard lock(mutex_);
  return all_.visits;
}

std::size_t Gate::unknown() const {
  const std::lock_guard lock(mutex_);
  return all_.unknown;
}

// --- a visit ------------------------------------------------------------------------------------

Gate::Visit::~Visit() {
  let_go();
  const std::lock_guard lock(gate_->mutex_);
  end_rest();
  if (!gone_) gate_->give_place(key_, known_);
}

bool Gate::Visit::speaks_for(const Address& client) {
  const Address address = plain_address(client);
  const std::lock_guard lock(gate_->mutex_);
  if (gone_) return false;
  std::string key = gate_->limited(address) ? address_key(address) : std::string();
  const bool same = key == key_;
  if (!same && !gate_->room_for(key)) return false;
  const std::int64_t now = gate_->clock_();
  // Whoever asks through the proxy comes anew, though the proxy's connection stays.
  if (!same && !key.empty() && gate_->connects_.take(key, 1, now) > 0) return false;
  if (same && !known_) return true;
  gate_->give_place(key_, known_);
  gate_->take_place(key, false);
  key_ = std::move(key);
  known_ = false;
  unknown_since_ = now;
  turn_ = ++gate_->turns_;
  asked_ = 0;
  return true;
}

void Gate::Visit::known() {
  if (known_) return;
  let_go();
  const std::lock_guard lock(gate_->mutex_);
  if (gone_) return;
  end_rest();
  gate_->give_place(key_, false);
  gate_->take_place(key_, true);
  known_ = true;
}

std::optional<std::int64_t> Gate::Visit::unknown_left_ms() const {
  if (known_) return std::nullopt;
  const std::int64_t left = unknown_since_ + limits::kUnknownMs - gate_->clock_();
  return std::max<std::int64_t>(0, left);
}

bool Gate::Visit::spent() const {
  return !known_ && (asked_ >= limits::kUnknownRequests || *unknown_left_ms() == 0);
}

void Gate::Visit::rest(std::function<void()> leave) {
  if (known_) return;
  const std::lock_guard lock(gate_->mutex_);
  if (gone_) return leave();
  leave_ = std::move(leave);
  gate_->all_.resting.emplace(turn_, this);
  if (!key_.empty()) gate_->by_address_[key_].resting.emplace(turn_, this);
}

void Gate::Visit::end_rest() {
  if (leave_ == nullptr) return;
  leave_ = nullptr;
  gate_->all_.resting.erase({turn_, this});
  const auto found = gate_->by_address_.find(key_);
  if (found != gate_->by_address_.end()) found->second.resting.erase({turn_, this});
}

bool Gate::Visit::wake() {
  if (known_) return true;
  const std::lock_guard lock(gate_->mutex_);
  end_rest();
  return !gone_;
}

bool Gate::Visit::hold(std::size_t bytes) {
  if (known_) return true;
  const std::lock_guard lock(gate_->mutex_);
  if (gate_->held_ + bytes > limits::kUnknownHeldBytes) return false;
  gate_->held_ += bytes;
  held_ += bytes;
  return true;
}

void Gate::Visit::let_go() {
  if (held_ == 0) return;
  const std::lock_guard lock(gate_->mutex_);
  gate_->held_ -= held_;
  held_ = 0;
}

std::int64_t Gate::Visit::request() {
  if (!known_) ++asked_;
  if (key_.empty()) return 0;
  const std::lock_guard lock(gate_->mutex_);
  const std::int64_t now = gate_->clock_();
  const std::int64_t shut_out = gate_->strikes_.wait_ms(key_, now);
  if (shut_out > 0) return shut_out;
  const std::int64_t bytes = gate_->bytes_.wait_ms(key_, now);
  return bytes > 0 ? bytes : gate_->requests_.take(key_, 1, now);
}

void Gate::Visit::bytes(std::size_t count) {
  if (key_.empty()) return;
  const std::lock_guard lock(gate_->mutex_);
  gate_->bytes_.spend(key_, static_cast<double>(count), gate_->clock_());
}

bool Gate::Visit::strike() {
  if (key_.empty()) return false;
  const std::lock_guard lock(gate_->mutex_);
  return gate_->strikes_.strike(key_, limits::kShutOutSeconds, gate_->clock_());
}

}  // namespace waystation

// Who may come in: how many connections at one time, in all and by one address, how many of them
// may be unknown (have not shown a token that is good), how often an address may come, ask and be
// wrong. What an address may do suits a town whose phones stand behind one (docs/security.md).
//
// Limits by address do not hold for visits without an address: those from this machine (unless
// limit_loopback is set), and those of a trusted proxy until it says whom it speaks for.
//
// Unknown connections make room for each other: where there is none for a new one, the one that has
// been unknown for longest and says nothing has to go.
//
// Thread-safe. A visit belongs to one session, keeps the gate alive, and gives its place back when
// it goes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "server/config.h"
#include "server/limiter.h"
#include "server/networks.h"

namespace waystation {

class Gate : public std::enable_shared_from_this<Gate> {
 public:
  using Clock = std::function<std::int64_t()>;  // ms

  class Visit {
   public:
    ~Visit();
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

    // A trusted proxy says whom the next request is for, who is unknown at first. False: there is
    // no room for that address, or it comes too often.
    [[nodiscard]] bool speaks_for(const Address& client);
    // A good token was shown: from now on it does not count among the unknown.
    void known();

    [[nodiscard]] bool is_known() const { return known_; }
    // For how many ms it may still be unknown, not below 0; nothing: it is known.
    [[nodiscard]] std::optional<std::int64_t> unknown_left_ms() const;
    // It is unknown, and has asked as often or been there as long as it may.
    [[nodiscard]] bool spent() const;

    // It says nothing: until it wakes, or is known, it may have to make room for a new one. Its
    // place is then gone, and `leave` is called, from any thread and under the lock of the gate.
    void rest(std::function<void()> leave);
    // False: it had to make room, and is to end.
    [[nodiscard]] bool wake();

    // What has come of a request that is not answered yet. False: the unknown hold too much.
    [[nodiscard]] bool hold(std::size_t bytes);
    void let_go();  // of all of it

    // One more request. 0, or in how many ms it may be made.
    [[nodiscard]] std::int64_t request();
    // What was received and sent. Counts against the next request.
    void bytes(std::size_t count);
    // A frame that cannot be read, a wrong token. True: the address is shut out for a while.
    bool strike();

   private:
    friend class Gate;
    explicit Visit(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
    void end_rest();  // under the lock

    std::shared_ptr<Gate> gate_;
    std::string key_;  // empty: limits by address do not hold
    bool known_ = false;
    std::int64_t unknown_since_ = 0;
    std::uint64_t turn_ = 0;       // the order in which they became unknown, also within a ms
    std::size_t asked_ = 0;        // while it was unknown
    std::size_t held_ = 0;         // bytes
    std::function<void()> leave_;  // empty: it does not rest
    bool gone_ = false;            // it had to make room
  };

  struct Settings {
    std::size_t connections = 0;
    std::size_t connections_per_address = 0;
    double connects_per_minute = 0;
    double bytes_per_second = 0;
    bool limit_loopback = false;
    Networks trusted;
  };
  [[nodiscard]] static Settings settings_of(const Config& config);

  [[nodiscard]] static std::shared_ptr<Gate> make(Settings settings, Clock clock);

  // A new connection. Null: it is to be closed.
  [[nodiscard]] std::unique_ptr<Visit> enter(const Address& from);

  [[nodiscard]] const Networks& trusted() const { return settings_.trusted; }
  [[nodiscard]] std::size_t visits() const;
  [[nodiscard]] std::size_t unknown() const;

 private:
  using Resting = std::set<std::pair<std::uint64_t, Visit*>>;  // by their turns
  struct Count {
    std::size_t visits = 0;
    std::size_t unknown = 0;
    Resting resting;
  };

  Gate(Settings settings, Clock clock);

  // All below: under the lock.
  [[nodiscard]] bool limited(const Address& address) const;
  [[nodiscard]] bool room_for(const std::string& key);
  [[nodiscard]] bool room_in_all() const;
  // Also by sending away one that rests.
  [[nodiscard]] bool make_room(const std::string& key);
  [[nodiscard]] bool send_away(const Resting& resting);
  void take_place(const std::string& key, bool known);
  void give_place(const std::string& key, bool known);

  Settings settings_;
  Clock clock_;
  mutable std::mutex mutex_;
  std::uint64_t turns_ = 0;
  Count all_;
  std::unordered_map<std::string, Count> by_address_;  // those with a connection
  std::size_t held_ = 0;                               // bytes, by the unknown
  Limiter connects_;
  Limiter requests_;
  Limiter bytes_;
  Limiter strikes_;
};

}  // namespace waystation

// Who may come in: how many connections at one time, in all and by one address, how many of them
// may be unknown (have not shown a token that is good), how often an address may come, ask and be
// wrong. What an address may do suits a town whose phones stand behind one (docs/security.md).
//
// Limits by address do not hold for visits without an address: those from this machine (unless
// limit_loopback is set), and those of a trusted proxy until it says whom it speaks for.
//
// Thread-safe. A visit belongs to one session, keeps the gate alive, and gives its place back when
// it goes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

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

    // A trusted proxy says whom the next request is for. False: there is no room for that address.
    [[nodiscard]] bool speaks_for(const Address& client);
    // A good token was shown: from now on it does not count among the unknown.
    void known();

    // One more request. 0, or in how many ms it may be made.
    [[nodiscard]] std::int64_t request();
    // What was received and sent. Counts against the next request.
    void bytes(std::size_t count);
    // A frame that cannot be read, a wrong token. True: the address is shut out for a while.
    bool strike();

   private:
    friend class Gate;
    explicit Visit(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}

    std::shared_ptr<Gate> gate_;
    std::string key_;  // empty: limits by address do not hold
    bool known_ = false;
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
  struct Count {
    std::size_t visits = 0;
    std::size_t unknown = 0;
  };

  Gate(Settings settings, Clock clock);

  // All below: under the lock.
  [[nodiscard]] bool limited(const Address& address) const;
  [[nodiscard]] bool room_for(const std::string& key);
  void take_place(const std::string& key, bool known);
  void give_place(const std::string& key, bool known);

  Settings settings_;
  Clock clock_;
  mutable std::mutex mutex_;
  Count all_;
  std::unordered_map<std::string, Count> by_address_;  // those with a connection
  Limiter connects_;
  Limiter requests_;
  Limiter bytes_;
  Limiter strikes_;
};

}  // namespace waystation

// A simulated phone or tablet: the Replica, its clocks, what it has saved, and what its app does
// over a line that fails. It talks either over a WebSocket or by single exchanges. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sync/replica.h"
#include "tools/simulate/clocks.h"
#include "tools/simulate/findings.h"
#include "tools/simulate/random.h"
#include "tools/simulate/socket.h"

namespace waystation::simulate {

class Device {
 public:
  Device(std::string name, std::string token);

  // --- what people and machines do to it --------------------------------------------------------
  void edit(const Draft& draft, std::int64_t true_ms);
  void save();   // all of it
  void crash();  // back to what was saved; connections are gone
  void enrolled_anew(std::string name, std::string token);

  // --- talking ----------------------------------------------------------------------------------
  // The next frame that the app wants to send on its socket; empty when it waits. Saves first what
  // must be durable.
  [[nodiscard]] std::string next_frame(Random& random, std::size_t max_ops, std::size_t page,
                                       std::int64_t true_ms);
  // The body of a single exchange.
  [[nodiscard]] std::string exchange(std::size_t max_ops, std::size_t page, std::int64_t true_ms);
  // A frame or an answer has arrived.
  void hears(std::string_view text, std::int64_t true_ms, Findings& findings);
  void hears_problem(std::string_view code, std::int64_t retry_after_ms, std::int64_t true_ms,
                     Findings& findings);
  void hangs_up();
  // A pull has been answered since there was something to be asked for.
  [[nodiscard]] bool settled() const;
  // Own ops that also a crash does not take.
  [[nodiscard]] std::vector<std::string> safe_ops() const;
  [[nodiscard]] std::set<std::uint64_t> safe_numbers() const;
  // It has something to ask for or to hand in, and may.
  [[nodiscard]] bool greeted() const { return greeted_; }
  // Wipes itself where the office wants it and nothing stands against it.
  void obey();

  [[nodiscard]] const std::string& name() const { return replica.device(); }
  [[nodiscard]] std::uint64_t id() const { return id_; }

  Replica replica;
  DeviceClocks clocks;
  std::shared_ptr<Socket> socket;
  std::uint64_t post = 0;           // the exchange that it waits for; 0: none
  std::uint64_t post_given_up = 0;  // the step in which it stops waiting
  std::uint64_t away_until = 0;     // step
  std::int64_t wait_until_ms = 0;
  bool revoked = false;  // for good, as it has heard: shut out, or wiped and known to be
  bool unknown = false;  // the server does not know it: it must be enrolled anew
  bool slow = false;
  bool newer_app = false;  // built with the newer schemas
  std::uint64_t edits = 0;
  std::int64_t edited_ms = 0;  // true time of the last one

 private:
  void check(Findings& findings);

  Replica saved_;
  std::uint64_t id_ = 0;
  bool hello_sent_ = false;
  bool greeted_ = false;
  bool push_out_ = false;
  bool pull_out_ = false;
  bool pulled_ = false;  // on this connection, to the end
  bool wiped_out_ = false;
};

}  // namespace waystation::simulate

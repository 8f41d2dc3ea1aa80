// What a simulation is to be: what the command line asked for, and what is drawn from the seed.
// Plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waystation::simulate {

// What can go wrong, each with a rate of its own, and each to be switched off by --without.
enum class Fault : std::uint8_t {
  kLoss,       // a connection breaks, also in the middle of a frame; a request or an answer is lost
  kDuplicate,  // a request arrives twice, the second time possibly much later
  kSlow,       // a device reads slowly
  kCrash,      // the server's machine loses power
  kRestart,    // the server is stopped and started
  kRestore,    // it is set up from an older backup
  kTorn,       // power is lost during a write
  kSync,       // a sync fails
  kFull,       // the disk is full
  kRead,       // a read fails
  kServerClock,  // the server's clock is set
  kDeviceClock,  // a device's clock is set, also to 1970 and 2099
  kReboot,       // a device's machine starts anew
  kDeviceCrash,  // a device goes back to what it had saved
  kReinstall,    // a device is set up anew and knows nothing
  kScopes,       // the office moves a device to other scopes
  kRevoke,       // the office drains, shuts out, restores or wipes a device
  kAbsence,      // hours or days pass
  kSchema,       // the server, or a device, gets newer schemas
  kBadOps,       // ops that are to be refused
  kRepeats,      // ops are handed in again, as they were and with other content
  kTree,         // the office makes a scope, or moves one to below another
  kRoles,        // the office gives a device another role, or everybody another policy
  kErase,        // the office erases a person
};
inline constexpr std::size_t kFaults = 24;
[[nodiscard]] std::string_view name(Fault fault);
[[nodiscard]] std::optional<Fault> parse_fault(std::string_view text);

using FaultSet = std::array<bool, kFaults>;  // by fault

struct Request {
  std::uint64_t seed = 1;
  std::uint64_t steps = 2000;
  std::size_t devices = 0;  // at most; 0: as drawn
  FaultSet without{};       // those switched off
  bool trace = false;       // print each step
};

// The command that repeats it.
[[nodiscard]] std::string command_line(const Request& request);

// Drawn from the seed alone, so that shorter runs of one seed are prefixes of longer ones.
struct Plan {
  std::size_t devices = 0;
  std::size_t scopes = 0;
  std::size_t collections = 0;
  std::size_t records = 0;  // hot ones of each collection
  std::size_t max_ops = 0;  // a push
  std::size_t page = 0;     // records a pull
  std::size_t window = 0;   // frames between server and device before the server waits
  std::uint64_t edit = 0;   // weights
  std::uint64_t talk = 0;
  std::uint64_t move = 0;
  std::uint64_t serve = 0;
  std::uint64_t live = 0;                     // per mille of talks that are WebSockets
  std::uint64_t deletes = 0;                  // per mille of edits
  std::uint64_t save = 0;                     // per mille of messages after which a device saves
  std::uint64_t told_backups = 0;             // per mille of backups that devices hear of
  std::uint64_t roles = 0;                    // per mille of devices that are not the office's
  std::size_t offline_days = 180;             // how long a device may stay away
  std::array<std::uint64_t, kFaults> rate{};  // per 100,000 steps; of kSlow, kBadOps: per mille

  [[nodiscard]] static Plan draw(const Request& request);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::uint64_t of(Fault fault) const {
    return rate[static_cast<std::size_t>(fault)];
  }
};

}  // namespace waystation::simulate

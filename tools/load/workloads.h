// The workloads of tools/bench. Each call is one run and adds its samples to the report; only
// catch_up() does all its runs in one call, for its set-up is long.
#pragma once

#include <cstdint>
#include <string>

#include "tools/load/report.h"

namespace waystation::load {

struct Settings {
  std::string program;  // the waystation binary
  std::string folder;   // where data folders are made
  std::uint64_t seed = 1;
};

// `count` devices come online with 50 waiting edits each and push them at once.
void after_event(const Settings& settings, std::size_t count, bool subscribed, Report& report);
// One writer, an edit every 20 ms; how long until each reader has it.
void live(const Settings& settings, std::size_t readers, std::size_t edits, Report& report);
// A new device pulls a scope of that many records; one that was away pulls 1,000 changes.
void catch_up(const Settings& settings, std::size_t count, int runs, Report& report);
// The memory that a connected device costs.
void idle(const Settings& settings, std::size_t count, Report& report);
// Devices that edit, with nobody attacking and under each attack (attackers.h).
void attack(const Settings& settings, std::size_t edits, Report& report);
// Edits and first fills beside so many MiB of photos, and without them.
void photos(const Settings& settings, std::size_t mib, Report& report);
// What RocksDB and the disk make of the same writes, without a server.
void raw(const Settings& settings, Report& report);

}  // namespace waystation::load

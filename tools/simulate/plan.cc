#include "tools/simulate/plan.h"

#include <fmt/format.h>

#include "tools/simulate/random.h"

namespace waystation::simulate {
namespace {

// With the most that is drawn for it.
struct FaultInfo {
  std::string_view name;
  std::uint64_t most;
};
constexpr std::array<FaultInfo, kFaults> kInfo{{
    {"loss", 3000},    {"duplicate", 20'000}, {"slow", 900},         {"crash", 400},
    {"restart", 200},  {"restore", 100},      {"torn", 200},         {"sync", 100},
    {"full", 100},     {"read", 100},         {"server_clock", 200}, {"device_clock", 600},
    {"reboot", 600},   {"device_crash", 800}, {"reinstall", 80},     {"scopes", 800},
    {"revoke", 200},   {"absence", 300},      {"schema", 200},       {"bad_ops", 150},
    {"repeats", 1500}, {"tree", 600},         {"roles", 500},        {"erase", 100},
}};

}  // namespace

std::string_view name(Fault fault) { return kInfo[static_cast<std::size_t>(fault)].name; }

std::optional<Fault> parse_fault(std::string_view text) {
  for (std::size_t i = 0; i < kFaults; ++i) {
    if (kInfo[i].name == text) return static_cast<Fault>(i);
  }
  return std::nullopt;
}

std::string command_line(const Request& request) {
  std::string out =
      fmt::format("waystation simulate --seed {} --steps {}", request.seed, request.steps);
  if (request.devices != 0) out += fmt::format(" --devices {}", request.devices);
  std::string off;
  for (std::size_t i = 0; i < kFaults; ++i) {
    if (!request.without[i]) continue;
    off += off.empty() ? " --without " : ",";
    off += kInfo[i].name;
  }
  return out + off;
}

Plan Plan::draw(const Request& request) {
  Random random(request.seed * 2 + 1);
  Plan plan;
  const auto size = [&](std::int64_t low, std::int64_t high) {
    return static_cast<std::size_t>(random.between(low, high));
  };
  plan.devices = size(2, 8);
  plan.scopes = size(1, 4);
  plan.collections = size(1, 5);
  plan.records = size(1, 6);
  plan.max_ops = random.chance(300) ? 1 : size(2, 40);
  plan.page = random.chance(400) ? size(1, 3) : size(4, 50);
  plan.window = size(1, 4);
  plan.edit = random.below(30) + 3;
  plan.talk = random.below(30) + 5;
  plan.move = random.below(60) + 30;
  plan.serve = random.below(60) + 20;
  plan.live = random.below(1001);
  plan.deletes = random.chance(300) ? 0 : random.below(200);
  plan.save = random.below(1001);
  plan.told_backups = random.chance(300) ? 0 : random.chance(500) ? 1000 : random.below(1001);
  plan.offline_days = random.chance(500) ? 180 : size(1, 4);
  for (std::size_t i = 0; i < kFaults; ++i) {
    // A third of the kinds is left out, so that each seed has a character of its own.
    const bool in = !random.chance(333);
    const std::uint64_t rate = random.below(kInfo[i].most) + 1;
    plan.rate[i] = in && !request.without[i] ? rate : 0;
  }
  plan.roles = random.chance(400) ? 0 : random.below(1001);
  if (request.devices != 0) plan.devices = std::min(plan.devices, request.devices);
  return plan;
}

std::string Plan::text() const {
  std::string out = fmt::format(
      "devices {} scopes {} collections {} records {} ops {} page {} window {} edit {} talk {} "
      "move {} serve {} live {} deletes {} save {} told_backups {} offline_days {} roles {}",
      devices, scopes, collections, records, max_ops, page, window, edit, talk, move, serve, live,
      deletes, save, told_backups, offline_days, roles);
  for (std::size_t i = 0; i < kFaults; ++i) {
    if (rate[i] != 0) out += fmt::format(" {} {}", kInfo[i].name, rate[i]);
  }
  return out;
}

}  // namespace waystation::simulate

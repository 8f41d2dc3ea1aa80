// The office of a simulation: its reviews, and what it decides about devices and scopes on the way.
#include <fmt/format.h>

#include <array>

#include "sync/device_id.h"
#include "tools/simulate/policies.h"
#include "tools/simulate/simulation.h"
#include "tools/simulate/store_view.h"

namespace waystation::simulate {
namespace {

constexpr std::size_t kNewScopes = 4;

// Whether the engine takes in ops that settle, and ops that stand for a refused one.
bool knows_of(const char* member) {
  const auto op = decode_op(fmt::format(
      R"({{"n":1,"scope":"s","coll":"note","id":"x","wall":0,"mono":0,"boot":"b","set":{{"text":"a"}},{}}})",
      member));
  return op && !op->refusal && (!op->settlements.empty() || op->replays.has_value());
}

}  // namespace

std::optional<Draft> Simulation::review(const Device& device) {
  static const bool kSettles =
      knows_of(R"("settle":[{"field":"text","by":"7K3M9QX2PA","n":5,"part":0}])");
  static const bool kReplays = knows_of(R"("replays":{"device":"7K3M9QX2PA","n":5})");
  if (kReplays && random_.chance(300)) {
    std::vector<Witness::Name> refused;
    for (const auto& [op, verdict] : witness_.verdicts()) {
      if (!code_of_verdict(verdict).empty()) refused.push_back(op);
    }
    if (refused.empty()) return std::nullopt;
    const Witness::Name& op = random_.pick(refused);
    Draft draft = workload_.edit(device.replica, scopes_, schemas_of(device));
    draft.edits += fmt::format(R"(,"replays":{{"device":"{}","n":{}}})", format_device_id(op.first),
                               op.second);
    return draft;
  }
  if (!kSettles) return std::nullopt;
  const auto conflicts = stored_conflicts(service_->store());
  if (conflicts.empty()) return std::nullopt;
  auto at = conflicts.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(random_.below(conflicts.size())));
  const ModelConflict& lost = random_.pick(at->second);
  Draft draft{at->first.scope, at->first.coll, at->first.id, {}};
  draft.edits = fmt::format(R"("{}":[{{"field":"{}","by":"{}","n":{},"part":{}}}])",
                            random_.chance(800) ? "settle" : "reopen", lost.field,
                            format_device_id(lost.device), lost.n, lost.part);
  return draft;
}

// What became of the device's ops is no longer promised: it may not be heard any more.
void Simulation::decide(Device& device) {
  static constexpr std::array kActions{"revoke", "drain", "drain", "restore", "restore", "wipe"};
  const std::string action = kActions.at(random_.below(kActions.size()));
  const std::string body = action == "wipe" && random_.chance(300) ? R"({"now":true})" : "";
  const ApiReply reply =
      office("POST", fmt::format("/v1/devices/{}/{}", device.name(), action), body);
  std::erase_if(must_return_, [&](const Held& held) { return held.device == &device; });
  // Somebody opens the app again: a device that was shut out says hello once more.
  if (action != "revoke" && reply.status == 200 && !device.replica.gone()) device.revoked = false;
  trace_.line("{} {}: {} {}: {}", step_, device.name(), action, body, reply.status);
}

void Simulation::change_roles(Device& device) {
  if (random_.chance(200)) {
    policy_ = draw_policy(random_, schemas_);
    trace_.line("{} another policy: {}", step_, policy_);
    return restart();
  }
  if (&device == devices_[0].get() || device.revoked || device.unknown) return;
  const std::string role = draw_role();
  const ApiReply reply = office("PUT", fmt::format("/v1/devices/{}/role", device.name()),
                                fmt::format(R"({{"role":"{}"}})", role));
  trace_.line("{} {} is to be {}: {}", step_, device.name(), role, reply.status);
}

void Simulation::erase_somebody() {
  const std::string person = random_.chance(700) ? fmt::format("r{}", random_.below(plan_.records))
                                                 : fmt::format("k{}", random_.below(2));
  erased_.schemas = schemas_.newest.get();
  erased_.asked.insert(person);
  const ApiReply reply = office("POST", fmt::format("/v1/persons/{}/erase", person), "");
  if (reply.status == 200) erased_.done.insert(person);
  trace_.line("{} {} is erased: {} {}", step_, person, reply.status, reply.body);
}

void Simulation::change_tree() {
  Device& office_device = *devices_[0];
  if (office_device.unknown || office_device.edited_ms == true_ms_) return;
  std::string scope = random_.pick(scopes_);
  if (scopes_.size() < plan_.scopes + kNewScopes && random_.chance(300)) {
    scope = fmt::format("s{}", scopes_.size());
    scopes_.push_back(scope);
  }
  const std::string parent =
      random_.chance(250) ? "null" : fmt::format("\"{}\"", random_.pick(scopes_));
  office_device.edit(Draft{scope, "scope", scope, R"("set":{"parent":)" + parent + "}"}, true_ms_);
  office_device.save();
  trace_.line("{} {} is to hang below {}", step_, scope, parent);
}

}  // namespace waystation::simulate

#include "tools/simulate/witness.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/keys.h"
#include "sync/device_id.h"
#include "tools/simulate/store_view.h"

namespace waystation::simulate {

namespace dom = simdjson::dom;

namespace {

std::string text_of(dom::object object, std::string_view key) {
  std::string_view value;
  if (object[key].get(value) != simdjson::SUCCESS) return {};
  return std::string(value);
}

std::uint64_t number_of(dom::object object, std::string_view key) {
  std::int64_t value = 0;
  if (object[key].get(value) != simdjson::SUCCESS) return 0;
  return static_cast<std::uint64_t>(value);
}

std::string op_name(std::uint64_t device, std::uint64_t n) {
  return fmt::format("op {}/{}", format_device_id(device), n);
}

}  // namespace

void Witness::said(std::uint64_t device, std::string_view text, const When& when) {
  dom::object root;
  if (parser_.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) {
    findings_.report(0, "every frame of the server is a JSON object", std::string(text));
    return;
  }
  for (const auto message : root) {
    dom::object body;
    if (message.value.get(body) != simdjson::SUCCESS) continue;
    if (message.key == "receipt") receipt(device, body, when.now);
    if (message.key == "welcome") welcome(device, body, when.asked);
    if (message.key == "changes") changes(device, body, when.made);
  }
}

void Witness::receipt(std::uint64_t device, dom::object message, std::uint64_t now) {
  dom::array results;
  if (message["results"].get(results) != simdjson::SUCCESS) return;
  for (const dom::element result : results) {
    dom::object object;
    if (result.get(object) != simdjson::SUCCESS) continue;
    const std::uint64_t n = number_of(object, "n");
    const std::string verdict = simdjson::minify(result);
    const Name op{device, n};
    std::string_view code;
    if (object["refused"]["code"].get(code) == simdjson::SUCCESS && code == "op.reused") {
      const auto expected = expected_reuse_.find(op);
      if (expected == expected_reuse_.end()) {
        findings_.report(2, "a verdict for " + op_name(device, n) + ", sent as before", verdict);
      } else {
        reused_[op].insert(expected->second.begin(), expected->second.end());
      }
      continue;
    }
    const auto [at, fresh] = verdicts_.emplace(op, verdict);
    if (!fresh && at->second != verdict) {
      findings_.report(2, op_name(device, n) + " has one verdict: " + at->second, verdict);
    }
    auto& heard = highest_[device];
    if (heard.empty() || heard.back().n < n) heard.push_back(Heard{now, n});
  }
}

void Witness::welcome(std::uint64_t device, dom::object message, std::uint64_t asked) {
  const auto at = highest_.find(device);
  if (at == highest_.end()) return;
  // What was heard of before it was asked for: frames of two connections overtake each other.
  std::uint64_t known = 0;
  for (const Heard& heard : at->second) {
    if (heard.step < asked) known = heard.n;
  }
  const std::uint64_t applied = number_of(message, "applied");
  if (applied >= known) return;
  findings_.report(1,
                   fmt::format("welcome tells {} at least applied {}, up to where it had verdicts",
                               format_device_id(device), known),
                   fmt::format("applied {}", applied));
}

void Witness::changes(std::uint64_t device, dom::object message, std::uint64_t made) {
  dom::array items;
  if (message["changes"].get(items) != simdjson::SUCCESS) return;
  for (const dom::element item : items) {
    dom::object object;
    if (item.get(object) != simdjson::SUCCESS) continue;
    const std::string scope = text_of(object, "scope");
    if (!was_shown(device, object, made)) {
      findings_.report(7,
                       fmt::format("{} is sent only what its role shows", format_device_id(device)),
                       simdjson::minify(item));
    }
    if (may_see(device, scope, made)) continue;
    findings_.report(7,
                     fmt::format("{} is sent nothing of scope {}, which it does not hold",
                                 format_device_id(device), scope),
                     simdjson::minify(item));
  }
}

bool Witness::may_see(std::uint64_t device, std::string_view scope, std::uint64_t made) const {
  const auto at = stays_.find(device);
  if (at == stays_.end()) return false;
  for (const std::string_view name : {scope, std::string_view("*")}) {
    const auto stays = at->second.find(name);
    if (stays == at->second.end()) continue;
    for (const Stay& stay : stays->second) {
      // Made in the step in which it left: whichever came first there.
      if (stay.from <= made && made <= stay.until) return true;
    }
  }
  return false;
}

bool Witness::was_shown(std::uint64_t device, dom::object change, std::uint64_t made) const {
  const auto at = sightings_.find(device);
  if (at == sightings_.end()) return false;
  const std::string scope = text_of(change, "scope");
  const std::string coll = text_of(change, "coll");
  dom::object fields;
  const bool live = change["fields"].get(fields) == simdjson::SUCCESS;
  return std::any_of(at->second.begin(), at->second.end(), [&](const Sighting& sighting) {
    if (made < sighting.stay.from || made > sighting.stay.until) return false;
    const PolicyModel& policy = *policies_[sighting.policy];
    if (!policy.enters(sighting.role, scope) || !policy.sees(sighting.role, coll)) return false;
    if (!live) return true;
    for (const auto field : fields) {
      if (!policy.shows(sighting.role, coll, field.key)) return false;
    }
    return true;
  });
}

void Witness::goes_by(std::shared_ptr<const PolicyModel> policy) {
  if (policies_.empty() || policies_.back() != policy) policies_.push_back(std::move(policy));
}

bool Witness::allowed(std::uint64_t device, std::string_view op) const {
  const auto at = sightings_.find(device);
  return at != sightings_.end() &&
         std::any_of(at->second.begin(), at->second.end(), [&](const Sighting& sighting) {
           const auto first = policies_.begin() + static_cast<std::ptrdiff_t>(sighting.policy);
           return std::any_of(first, policies_.end(), [&](const auto& policy) {
             return policy->allows(sighting.role, op);
           });
         });
}

void Witness::sees(std::uint64_t device, std::string_view role, std::uint64_t step) {
  Sighting now{policies_.size() - 1, std::string(role), Stay{step}};
  std::vector<Sighting>& all = sightings_[device];
  if (!all.empty()) {
    Sighting& last = all.back();
    if (last.policy == now.policy && last.role == now.role) return;
    last.stay.until = std::min(last.stay.until, step);
  }
  all.push_back(std::move(now));
}

void Witness::holds(std::uint64_t device, const std::vector<std::string>& scopes,
                    std::uint64_t step) {
  auto& by_scope = stays_[device];
  for (auto& [scope, stays] : by_scope) {
    const bool still = std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
    if (!still) stays.back().until = std::min(stays.back().until, step);
  }
  for (const std::string& scope : scopes) {
    std::vector<Stay>& stays = by_scope[scope];
    if (stays.empty() || stays.back().until != UINT64_MAX) stays.push_back(Stay{step});
  }
}

void Witness::expects_reuse(std::uint64_t device, std::uint64_t n, std::string canonical_op) {
  expected_reuse_[{device, n}].insert(std::move(canonical_op));
}

void Witness::reopened(const Store& store, std::uint64_t step) {
  look_up(store, step);
  std::map<Name, std::string> missing = verdicts_;
  for_each_logged(store, [&](const Logged& op) {
    const auto at = missing.find({op.device, op.n});
    if (at == missing.end()) return;
    if (at->second != op.entry.verdict) {
      findings_.report(1, op_name(op.device, op.n) + " keeps its verdict " + at->second,
                       op.entry.verdict);
    }
    missing.erase(at);
  });
  if (missing.empty()) return;
  const auto& [op, verdict] = *missing.begin();
  findings_.report(1, op_name(op.first, op.second) + " is in the log, with " + verdict,
                   fmt::format("it is not ({} such)", missing.size()));
}

void Witness::restored(const Store& store, std::uint64_t step) {
  std::set<Name> known;
  for_each_logged(store, [&](const Logged& op) { known.insert({op.device, op.n}); });
  highest_.clear();
  std::erase_if(verdicts_, [&](const auto& row) { return known.count(row.first) == 0; });
  for (const auto& [op, verdict] : verdicts_) highest_[op.first] = {Heard{0, op.second}};
  expected_reuse_.clear();
  reused_.clear();
  look_up(store, step);
}

void Witness::look_up(const Store& store, std::uint64_t step) {
  for (const auto& [device, stays] : stays_) {
    const AccountPtr account = store.accounts().find(device);
    AccountPtr& known = accounts_[device];
    if (account == known) continue;
    known = account;
    const bool served = account != nullptr && account->active();
    holds(device, served ? account->scopes() : std::vector<std::string>{}, step);
    if (account != nullptr) sees(device, account->role(), step);
  }
}

}  // namespace waystation::simulate

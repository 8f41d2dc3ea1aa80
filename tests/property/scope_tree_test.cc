// Random trees, moves, cycles and grants: what each account holds is what a plain recomputation
// says, and a device that pulls now and then ends with the records of just these scopes.
#include "storage/scope_tree.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <map>
#include <set>

#include "storage/pull.h"
#include "sync/replica.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

constexpr std::size_t kScopes = 9;
constexpr std::size_t kPhones = 3;

// What RapidCheck draws for one step, and shrinks.
struct Step {
  std::uint8_t what = 0;  // hang, hang, hang, hang, grant, cut, pull, restart
  std::uint8_t scope = 0;
  std::uint8_t other = 0;
  std::uint8_t phone = 0;
  std::uint8_t limit = 0;
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << fmt::format("{}: scope {} other {} phone {} page {}", step.what, step.scope,
                            step.other, step.phone, step.limit);
}

rc::Gen<std::vector<Step>> steps() {
  const auto below = [](std::uint8_t end) {
    return rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::uint8_t>(0, end));
  };
  return rc::gen::container<std::vector<Step>>(rc::gen::build<Step>(
      rc::gen::set(&Step::what, below(8)), rc::gen::set(&Step::scope, below(kScopes)),
      rc::gen::set(&Step::other, below(kScopes)), rc::gen::set(&Step::phone, below(kPhones)),
      rc::gen::set(&Step::limit, below(4))));
}

std::string scope_name(std::uint8_t number) { return fmt::format("s{}", number); }

// The plain model: parents and grants in maps, everything worked out anew by walking upwards.
struct Model {
  std::map<std::string, std::string> parents;
  std::map<std::uint64_t, std::set<std::string>> grants;

  [[nodiscard]] bool covers(const std::set<std::string>& granted, const std::string& scope) const {
    for (std::string at = scope; parents.count(at) != 0; at = parents.at(at)) {
      if (granted.count(at) != 0) return true;
      if (leads_back(at)) return false;  // in a cycle each stands for itself
    }
    return false;
  }
  [[nodiscard]] bool leads_back(const std::string& scope) const {
    std::string at = parents.at(scope);
    for (std::size_t i = 0; i < parents.size() && parents.count(at) != 0; ++i) {
      if (at == scope) return true;
      at = parents.at(at);
    }
    return false;
  }
  [[nodiscard]] std::vector<std::string> held(std::uint64_t device) const {
    const std::set<std::string>& granted = grants.at(device);
    if (granted.count("*") != 0) return {"*"};
    std::vector<std::string> scopes;
    for (const auto& [scope, parent] : parents) {
      if (covers(granted, scope)) scopes.push_back(scope);
    }
    return scopes;
  }
};

RC_GTEST_PROP(ScopeTrees, GiveEachAccountWhatAPlainRecomputationSays, ()) {
  World world;
  Model model;
  model.parents["t"] = "";
  std::array<std::uint64_t, kPhones> phones{};
  std::vector<Replica> replicas;
  for (std::uint64_t& phone : phones) {
    phone = world.enroll({"t"});
    model.grants[phone] = {"t"};
    replicas.emplace_back("phone", "token");
  }
  const auto pulls = [&](std::size_t which, std::size_t limit) {
    const auto page = pull(world.store(), phones.at(which), replicas[which].cursor(), limit);
    RC_ASSERT(page.ok());
    RC_ASSERT(replicas[which].receive(encode_changes(page->head, page->items)).ok());
    return page->head.more;
  };
  for (const Step& step : *steps()) {
    const std::string scope = scope_name(step.scope);
    const std::uint64_t phone = phones.at(step.phone % kPhones);
    ++world.now;
    switch (step.what) {
      case 4: {
        std::vector<std::string> granted;
        if (step.limit == 0) granted.emplace_back("*");
        for (const std::string& name : {scope, scope_name(step.other)}) {
          if (model.parents.count(name) != 0) granted.push_back(name);
        }
        RC_ASSERT(world.set_scopes(phone, granted).ok());
        model.grants[phone] = {granted.begin(), granted.end()};
        break;
      }
      case 5:
        if (model.parents.count(scope) == 0) break;
        world.hang(scope, "");
        model.parents[scope] = "";
        break;
      case 6: (void)pulls(step.phone % kPhones, step.limit + 1U); break;
      case 7: world.reopen(); break;
      default:
        world.hang(scope, scope_name(step.other));
        model.parents[scope] = scope_name(step.other);
    }
    for (const std::uint64_t device : phones) {
      RC_ASSERT(world.store().accounts().find(device)->scopes() == model.held(device));
    }
  }
  for (std::size_t i = 0; i < kPhones; ++i) {
    while (pulls(i, 3)) {
    }
    std::set<std::string> seen;
    for (const auto& [key, record] : replicas[i].records()) {
      if (!record.fields.empty()) seen.insert(std::get<0>(key));
    }
    std::set<std::string> due;
    for (const auto& [name, parent] : model.parents) {
      const std::set<std::string>& granted = model.grants.at(phones.at(i));
      if (granted.count("*") != 0 || model.covers(granted, name)) due.insert(name);
    }
    // A scope whose record says nothing any more shows an empty record; it is there all the same.
    RC_ASSERT(seen == due);
    RC_ASSERT(replicas[i].digest_faults().empty());
    RC_ASSERT(replicas[i].seq_faults() == 0);
  }
}

}  // namespace
}  // namespace waystation::testing

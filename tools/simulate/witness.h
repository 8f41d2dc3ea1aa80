// Who listens to all that leaves the server and remembers it: what was said must stay true. Laws 1
// and 2 (verdicts), 7 (who is sent what), 12 (what the server knows after a restore). One thread.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/store.h"
#include "tools/simulate/findings.h"
#include "tools/simulate/policy_model.h"

namespace waystation::simulate {

// The steps in which a frame came about.
struct When {
  std::uint64_t asked = 0;  // not before this
  std::uint64_t made = 0;   // its changes
  std::uint64_t now = 0;    // it leaves the server
};

class Witness {
 public:
  explicit Witness(Findings& findings) : findings_(findings) {}

  // A frame, or the answer to a sync, leaves the server.
  void said(std::uint64_t device, std::string_view text, const When& when);

  // A device that is enrolled: what it holds is looked up from now on.
  void knows(std::uint64_t device) { stays_[device]; }
  // What each device holds in step `step`, as the store has it, and what its role shows by the
  // policy in force; one that is not active is sent nothing. check_scopes() tells whether the store
  // has it right.
  void look_up(const Store& store, std::uint64_t step);
  // By which policy the server that runs from now on decides.
  void goes_by(std::shared_ptr<const PolicyModel> policy);
  // Whether any role that the device had allows the op, by the policy of then or a later one: the
  // role is that of when it was written, the policy that of when it arrived.
  [[nodiscard]] bool allowed(std::uint64_t device, std::string_view op) const;
  // An op that is about to be handed in under a number that is used, with other content.
  void expects_reuse(std::uint64_t device, std::uint64_t n, std::string canonical_op);

  // The server has come back on its store. Law 1: all that was said is there.
  void reopened(const Store& store, std::uint64_t step);
  // It was restored: what the store does not hold was never said in this life.
  void restored(const Store& store, std::uint64_t step);

  using Name = std::pair<std::uint64_t, std::uint64_t>;  // device, n
  [[nodiscard]] const std::map<Name, std::string>& verdicts() const { return verdicts_; }
  // Contents that reused a number and must be in the quarantine.
  [[nodiscard]] const std::map<Name, std::set<std::string>>& reused() const { return reused_; }

 private:
  struct Stay {
    std::uint64_t from = 0;
    std::uint64_t until = UINT64_MAX;
  };
  struct Sighting {
    std::size_t policy = 0;  // of policies_
    std::string role;
    Stay stay;
  };
  void holds(std::uint64_t device, const std::vector<std::string>& scopes, std::uint64_t step);
  void sees(std::uint64_t device, std::string_view role, std::uint64_t step);
  void receipt(std::uint64_t device, simdjson::dom::object message, std::uint64_t now);
  void welcome(std::uint64_t device, simdjson::dom::object message, std::uint64_t asked);
  void changes(std::uint64_t device, simdjson::dom::object message, std::uint64_t made);
  [[nodiscard]] bool may_see(std::uint64_t device, std::string_view scope,
                             std::uint64_t made) const;
  // All of a change by one role of the time.
  [[nodiscard]] bool was_shown(std::uint64_t device, simdjson::dom::object change,
                               std::uint64_t made) const;

  Findings& findings_;
  simdjson::dom::parser parser_;
  std::map<Name, std::string> verdicts_;
  // By device: the highest n with a verdict, and in which step that was heard of.
  struct Heard {
    std::uint64_t step = 0;
    std::uint64_t n = 0;
  };
  std::map<std::uint64_t, std::vector<Heard>> highest_;
  std::map<Name, std::set<std::string>> expected_reuse_;
  std::map<Name, std::set<std::string>> reused_;
  std::map<std::uint64_t, std::map<std::string, std::vector<Stay>, std::less<>>> stays_;
  std::map<std::uint64_t, std::vector<Sighting>> sightings_;
  std::map<std::uint64_t, AccountPtr> accounts_;              // as last looked up
  std::vector<std::shared_ptr<const PolicyModel>> policies_;  // that were in force, the latest last
};

}  // namespace waystation::simulate

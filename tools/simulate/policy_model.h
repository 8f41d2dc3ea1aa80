// What a policy file says, read plainly and apart from the engine (sync/policy.h, sync/view.h):
// what that does is held against this. Immutable once made; one thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace waystation::simulate {

class PolicyModel {
 public:
  // `text`: as draw_policy() gives it. `newest`: fields are called as in the newest schemas.
  PolicyModel(const std::string& text, bool newest);

  [[nodiscard]] bool enters(std::string_view role, std::string_view scope) const;
  [[nodiscard]] bool sees(std::string_view role, std::string_view coll) const;
  // Also by a name that the field had, has, or left something under.
  [[nodiscard]] bool shows(std::string_view role, std::string_view coll,
                           std::string_view field) const;
  // Everything that an op (JSON) does, but for the creation: whether the record was there the op
  // does not tell.
  [[nodiscard]] bool allows(std::string_view role, std::string_view op) const;

 private:
  struct Rule {
    bool seen = false;
    std::set<std::string> hidden;
    bool writes = false;
    std::optional<std::set<std::string>> fields;
    std::optional<std::set<std::string>> deeds;
  };
  struct Role {
    bool system = false;
    Rule others;
    std::map<std::string, Rule, std::less<>> collections;
  };
  [[nodiscard]] static Rule rule_of(std::string_view text);
  [[nodiscard]] const Rule& rule(std::string_view role, std::string_view coll) const;
  [[nodiscard]] bool among(const std::set<std::string>& names, std::string_view coll,
                           std::string_view field) const;

  bool newest_;
  std::map<std::string, Role, std::less<>> roles_;
};

}  // namespace waystation::simulate

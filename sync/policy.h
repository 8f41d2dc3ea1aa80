// Who may read and write what: the roles of the policy file (schemas/policy.json; format in
// schemas/policy.schema.json; docs/access.md). Scopes are not its matter but for those of the
// system, whose ids begin with "system:".
//
// Read once, then immutable: any thread. Errors name the file, the path inside it and the reason.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sync/op.h"
#include "sync/schema.h"
#include "sync/view.h"

namespace waystation {

inline constexpr std::string_view kRoleVolunteer = "volunteer";
inline constexpr std::string_view kRoleLead = "lead";
inline constexpr std::string_view kRoleStation = "station";
inline constexpr std::string_view kRoleOffice = "office";
inline constexpr std::string_view kRoleAdministrator = "administrator";
inline constexpr std::array kRoles{kRoleVolunteer, kRoleLead, kRoleStation, kRoleOffice,
                                   kRoleAdministrator};
[[nodiscard]] bool is_role(std::string_view name);
// The role of accounts and codes from before there were roles: they keep what they could do.
[[nodiscard]] std::string_view role_before_roles(bool holds_all);

[[nodiscard]] inline bool is_system_scope(std::string_view scope) {
  return scope.substr(0, 7) == "system:";
}

// What an op does to a record, by the word that the policy and the wire have for it: those of the
// edits, "settle", "reopen", "create" and "delete".
using Deeds = std::uint32_t;  // a set of them
[[nodiscard]] std::optional<Deeds> deed(std::string_view word);
[[nodiscard]] std::vector<std::string_view> words_of(Deeds deeds);

// What a role may write of one collection.
struct Writing {
  bool any = true;
  std::optional<FieldNames> fields;  // nothing: every field
  // Nothing: every deed, with `fields` all but the creation and the delete.
  std::optional<Deeds> deeds;

  [[nodiscard]] bool whole() const { return any && !fields && !deeds; }
  [[nodiscard]] bool allows(Deeds one, std::string_view field) const;
  // Of a record as a whole: to write one that is not there, or was deleted; to delete one.
  [[nodiscard]] bool allows_create() const;
  [[nodiscard]] bool allows_delete() const;
  // Whether it can do more to a field than append and add to it. Empty: to any.
  [[nodiscard]] bool replaces(std::string_view field) const;
};

struct CollectionRule {
  Sight read;
  FieldNames not_told;  // what `read` hides, with names that only older versions had
  Writing write;
};

// The view of a role that sees everything: no digest is kept for it but the scope's.
inline constexpr std::size_t kNotKept = std::numeric_limits<std::size_t>::max();

struct Role {
  std::string name;
  Title title;
  bool system = true;  // enters the scopes of the system
  CollectionRule others;
  std::map<std::string, CollectionRule, std::less<>> collections;
  std::size_t view = kNotKept;  // among Policy::views()

  // `place` is told where in the policy the rule stands.
  [[nodiscard]] const CollectionRule& rule(std::string_view coll,
                                           std::string* place = nullptr) const;
};

// The answer to "may this role", for people.
struct Decision {
  bool allowed = false;
  std::string reason;
};

// A document of roles to which no collection is told apart: those of `all` read and write
// everything, those of `system` enter the scopes of the system.
[[nodiscard]] std::string blanket_policy(const std::set<std::string_view>& all,
                                         const std::set<std::string_view>& system);

class Policy {
 public:
  // Errors: kPolicyInvalid.
  [[nodiscard]] static Result<Policy> parse(const SchemaFile& file, const Schemas& schemas);
  // All may do everything: for tools over a store of their own.
  [[nodiscard]] static std::shared_ptr<const Policy> open_to_all();

  // An unknown role sees and does nothing.
  [[nodiscard]] const Role& role(std::string_view name) const;
  [[nodiscard]] const View& view_of(std::string_view role_name) const;
  [[nodiscard]] bool enters(std::string_view role_name, std::string_view scope) const;
  // What the role has against an op, which was carried forward to the current schemas; nothing: it
  // may be taken. Looks at the op alone, so that a refusal tells nothing of what is stored.
  [[nodiscard]] std::optional<std::string> against(std::string_view role_name, const Op& op) const;

  // The same of an op that writes a record that is not there. Where the role does not see the
  // collection it is asked of every op, so that a refusal tells nothing either.
  [[nodiscard]] std::optional<std::string> against_birth(std::string_view role_name,
                                                         std::string_view coll) const;
  [[nodiscard]] bool sees(std::string_view role_name, std::string_view coll) const;

  [[nodiscard]] Decision may_read(std::string_view role_name, std::string_view coll,
                                  std::string_view field) const;
  [[nodiscard]] Decision may_write(std::string_view role_name, std::string_view coll,
                                   std::string_view field, Deeds one) const;

  // The document that it was read from, as JSON without spaces: for people who are shown what
  // holds.
  [[nodiscard]] const std::string& document() const { return document_; }

  // Those that are not whole, by index.
  [[nodiscard]] const std::vector<View>& views() const { return views_; }

 private:
  Policy() = default;
  friend class PolicyReader;

  void make_views();

  std::map<std::string, Role, std::less<>> roles_;
  Role nobody_;
  bool open_ = false;
  std::string document_;
  std::vector<View> views_;
  View whole_;
  View blind_;
};

}  // namespace waystation

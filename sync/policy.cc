#include "sync/policy.h"

#include <fmt/format.h>

#include <algorithm>

#include "sync/wire.h"

namespace waystation {
namespace {

// Behind the edits, in the order of EditKind.
constexpr Deeds kSettle = 1U << 10U;
constexpr Deeds kReopen = 1U << 11U;
constexpr Deeds kDelete = 1U << 12U;
constexpr Deeds kCreate = 1U << 13U;

Deeds deed_of(EditKind kind) { return 1U << static_cast<unsigned>(kind); }

static_assert(static_cast<unsigned>(EditKind::kReclaim) < 10);

std::string joined(const FieldNames& names) { return fmt::format("{}", fmt::join(names, ", ")); }

std::string rule_text(const Writing& write) {
  if (!write.any) return "\"none\"";
  if (write.whole()) return "\"all\"";
  std::string out;
  if (write.fields) out += fmt::format("the fields {}", joined(*write.fields));
  if (write.deeds) {
    out +=
        fmt::format("{}{} alone", out.empty() ? "" : ", ", fmt::join(words_of(*write.deeds), ", "));
  }
  return out;
}

std::string rule_text(const Sight& read) {
  if (!read.seen) return "\"none\"";
  return read.hidden.empty() ? "\"all\"" : fmt::format("all but {}", joined(read.hidden));
}

}  // namespace

bool is_role(std::string_view name) {
  return std::find(kRoles.begin(), kRoles.end(), name) != kRoles.end();
}

std::string_view role_before_roles(bool holds_all) { return holds_all ? kRoleOffice : kRoleLead; }

std::optional<Deeds> deed(std::string_view word) {
  if (const auto kind = edit_kind(word)) return deed_of(*kind);
  if (word == "settle") return kSettle;
  if (word == "reopen") return kReopen;
  if (word == "delete") return kDelete;
  if (word == "create") return kCreate;
  return std::nullopt;
}

std::vector<std::string_view> words_of(Deeds deeds) {
  std::vector<std::string_view> words;
  for (unsigned kind = 0; kind <= static_cast<unsigned>(EditKind::kReclaim); ++kind) {
    if ((deeds & (1U << kind)) != 0) words.push_back(member_of(static_cast<EditKind>(kind)));
  }
  if ((deeds & kSettle) != 0) words.emplace_back("settle");
  if ((deeds & kReopen) != 0) words.emplace_back("reopen");
  if ((deeds & kDelete) != 0) words.emplace_back("delete");
  if ((deeds & kCreate) != 0) words.emplace_back("create");
  return words;
}

bool Writing::allows(Deeds one, std::string_view field) const {
  if (one == kDelete) return allows_delete();
  if (one == kCreate) return allows_create();
  return any && (!deeds || (*deeds & one) != 0) && (!fields || among(*fields, field));
}

bool Writing::allows_create() const {
  return any && (deeds ? (*deeds & kCreate) != 0 : !fields.has_value());
}

bool Writing::replaces(std::string_view field) const {
  if (!any) return false;
  if (fields && !field.empty() && !among(*fields, field)) return false;
  const Deeds harmless = deed_of(EditKind::kAppend) | deed_of(EditKind::kAdd) | kCreate;
  return !deeds || (*deeds & ~harmless) != 0;
}

// It takes the whole record away: who may write some fields deletes only where that is said.
bool Writing::allows_delete() const {
  return any && (deeds ? (*deeds & kDelete) != 0 : !fields.has_value());
}

const CollectionRule& Role::rule(std::string_view coll, std::string* place) const {
  const auto at = collections.find(coll);
  const bool own = at != collections.end();
  if (place != nullptr) {
    *place = own ? fmt::format("/roles/{}/collections/{}", name, coll)
                 : fmt::format("/roles/{}/others", name);
  }
  return own ? at->second : others;
}

std::string blanket_policy(const std::set<std::string_view>& all,
                           const std::set<std::string_view>& system) {
  std::string roles;
  for (const std::string_view role : kRoles) {
    const std::string_view may = all.contains(role) ? "all" : "none";
    roles +=
        fmt::format(R"({}"{}":{{"title":{{"zh":"{}","en":"{}"}},"system":{},)"
                    R"("others":{{"read":"{}","write":"{}"}},"collections":{{}}}})",
                    roles.empty() ? "" : ",", role, role, role, system.contains(role), may, may);
  }
  return fmt::format(R"({{"version":1,"roles":{{{}}}}})", roles);
}

std::shared_ptr<const Policy> Policy::open_to_all() {
  static const std::shared_ptr<const Policy> open = [] {
    const std::set<std::string_view> everybody(kRoles.begin(), kRoles.end());
    Policy policy;
    policy.document_ = blanket_policy(everybody, everybody);
    policy.open_ = true;
    policy.nobody_ = Role{};
    return std::make_shared<const Policy>(std::move(policy));
  }();
  return open;
}

const Role& Policy::role(std::string_view name) const {
  const auto at = roles_.find(name);
  return at == roles_.end() ? nobody_ : at->second;
}

const View& Policy::view_of(std::string_view role_name) const {
  if (open_) return whole_;
  const auto at = roles_.find(role_name);
  if (at == roles_.end()) return blind_;
  return at->second.view < views_.size() ? views_[at->second.view] : whole_;
}

bool Policy::enters(std::string_view role_name, std::string_view scope) const {
  return !is_system_scope(scope) || role(role_name).system;
}

std::optional<std::string> Policy::against(std::string_view role_name, const Op& op) const {
  if (open_) return std::nullopt;
  if (!enters(role_name, op.scope)) {
    return fmt::format("the role {} does not enter scopes of the system", role_name);
  }
  const Writing& write = role(role_name).rule(op.coll).write;
  if (write.whole()) return std::nullopt;
  const auto refused = [&](Deeds one, const std::string& field) -> std::optional<std::string> {
    if (write.allows(one, field)) return std::nullopt;
    const Decision decision = may_write(role_name, op.coll, field, one);
    return fmt::format("{} of {}{}{}: {}", words_of(one).front(), op.coll, field.empty() ? "" : ".",
                       field, decision.reason);
  };
  if (op.del) return refused(kDelete, "");
  for (const Edit& edit : op.edits) {
    if (edit.weak) continue;  // a migration's, not the author's
    if (auto reason = refused(deed_of(edit.kind), edit.field)) return reason;
  }
  for (const Settlement& settlement : op.settlements) {
    if (auto reason = refused(settlement.reopen ? kReopen : kSettle, settlement.field)) {
      return reason;
    }
  }
  return std::nullopt;
}

std::optional<std::string> Policy::against_birth(std::string_view role_name,
                                                 std::string_view coll) const {
  if (open_ || role(role_name).rule(coll).write.allows_create()) return std::nullopt;
  return fmt::format("create {}: {}", coll, may_write(role_name, coll, "", kCreate).reason);
}

bool Policy::sees(std::string_view role_name, std::string_view coll) const {
  return open_ || role(role_name).rule(coll).read.seen;
}

Decision Policy::may_read(std::string_view role_name, std::string_view coll,
                          std::string_view field) const {
  if (open_) return {true, "allowed: there is no policy"};
  std::string place;
  const Sight& read = role(role_name).rule(coll, &place).read;
  const bool allowed = read.shows(field);
  return {allowed, fmt::format("{} {}/read: {}", allowed ? "allowed by" : "refused because of",
                               place, rule_text(read))};
}

Decision Policy::may_write(std::string_view role_name, std::string_view coll,
                           std::string_view field, Deeds one) const {
  if (open_) return {true, "allowed: there is no policy"};
  std::string place;
  const Writing& write = role(role_name).rule(coll, &place).write;
  const bool allowed = write.allows(one, field);
  return {allowed, fmt::format("{} {}/write: {}", allowed ? "allowed by" : "refused because of",
                               place, rule_text(write))};
}

void Policy::make_views() {
  nobody_.name = "nobody";
  nobody_.system = false;
  nobody_.others = CollectionRule{Sight{false, {}}, {}, Writing{false, {}, {}}};
  blind_ = View(Sight{false, {}}, {});
  for (auto& [name, role] : roles_) {
    std::map<std::string, Sight, std::less<>> sights;
    for (const auto& [coll, rule] : role.collections) sights.emplace(coll, rule.read);
    View view(role.others.read, std::move(sights));
    role.view = kNotKept;
    if (view.whole()) continue;
    const auto at = std::find_if(views_.begin(), views_.end(),
                                 [&](const View& other) { return other.name() == view.name(); });
    role.view = static_cast<std::size_t>(at - views_.begin());
    if (at != views_.end()) continue;
    view.index = views_.size();
    views_.push_back(std::move(view));
  }
  whole_.index = kNotKept;
  blind_.index = kNotKept - 1;  // those who see nothing share no message with those who see all
}

}  // namespace waystation

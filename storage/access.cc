#include "storage/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "storage/codec.h"
#include "storage/keys.h"
#include "storage/permission.h"
#include "sync/canonical.h"
#include "sync/device_id.h"
#include "sync/schema_check.h"
#include "sync/wire.h"

namespace waystation {
namespace {

// A decision with its reason twice: in English, and as a code with what the code is about, for
// pages in another language.
struct Why {
  bool allowed = false;
  std::string reason;
  std::string_view code;
  std::string about;  // the members of an object

  Why& with(std::string_view member, std::string_view text) {
    append_member(member);
    append_json_string(about, text);
    return *this;
  }
  Why& with_json(std::string_view member, std::string_view json) {
    append_member(member);
    about += json;
    return *this;
  }

 private:
  void append_member(std::string_view member) {
    about += fmt::format("{}\"{}\":", about.empty() ? "" : ",", member);
  }
};

std::string names_text(const FieldNames& names) {
  std::string out;
  append_string_array(out, {names.begin(), names.end()});
  return out;
}

// As the policy file has it.
std::string rule_text(const Sight& read) {
  if (!read.seen) return R"("none")";
  if (read.hidden.empty()) return R"("all")";
  return fmt::format(R"({{"all_but":{}}})", names_text(read.hidden));
}

std::string rule_text(const Writing& write) {
  if (!write.any) return R"("none")";
  if (write.whole()) return R"("all")";
  std::string out;
  if (write.fields) out += fmt::format(R"("fields":{})", names_text(*write.fields));
  if (write.deeds) {
    const std::vector<std::string_view> does = words_of(*write.deeds);
    out += out.empty() ? R"("does":)" : R"(,"does":)";
    append_string_array(out, {does.begin(), does.end()});
  }
  return fmt::format("{{{}}}", out);
}

std::string text_of(const Why& why, const std::vector<std::string_view>* does = nullptr) {
  std::string out = fmt::format(R"({{"allowed":{},"reason":)", why.allowed);
  append_json_string(out, why.reason);
  out += fmt::format(R"(,"code":"{}","about":{{{}}})", why.code, why.about);
  if (does != nullptr) {
    out += ",\"does\":";
    append_string_array(out, {does->begin(), does->end()});
  }
  return out + '}';
}

std::vector<std::string_view> words_for(MergeType merge) {
  switch (merge) {
    case MergeType::kRegister: return {"set", "settle", "reopen"};
    case MergeType::kCounter: return {"inc", "settle", "reopen"};
    case MergeType::kSet: return {"add", "remove", "settle", "reopen"};
    case MergeType::kLog: return {"append", "settle", "reopen"};
    case MergeType::kQuota: return {"grant", "lease", "spend", "return", "reclaim"};
  }
  WS_CHECK(false);
}

// Written at this moment, by an author who has seen everything.
constexpr Written kNow{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<Seq>::max()};

class Explanation {
 public:
  Explanation(const Store& store, const Collection& collection, const Account& account,
              const AccessQuery& query, std::optional<Record> record)
      : policy_(store.policy()),
        collection_(collection),
        account_(account),
        query_(query),
        there_(store.scopes().exists(query.scope)),
        record_(std::move(record)),
        scope_(of_scope()) {}

  std::string text() const {
    std::string out = fmt::format(R"({{"device":"{}","name":)", format_device_id(account_.device));
    append_json_string(out, account_.name);
    out += ",\"role\":";
    append_json_string(out, account_.role());
    out += ",\"earlier\":[";
    bool first = true;
    for (const RoleTerm& term : account_.roles) {
      if (term.left == 0) continue;
      out += first ? "{\"role\":" : ",{\"role\":";
      append_json_string(out, term.role);
      out += fmt::format(R"(,"until":{}}})", term.left_ms);
      first = false;
    }
    const auto left = left_ms();
    out += fmt::format(R"(],"left":{},)", left ? std::to_string(*left) : "null");
    out += fmt::format(R"("scope":"{}","coll":"{}","id":"{}","exists":{},"read":{},"write":{},)",
                       query_.scope, query_.coll, query_.id, exists(), text_of(read("")),
                       text_of(any_write()));
    out += fmt::format(R"("delete":{},"fields":[)", text_of(write("", "delete")));
    first = true;
    for (const FieldSpec& spec : collection_.fields) {
      append_field(out, first, spec.name, spec.merge);
    }
    if (exists()) {
      for (const Field& field : record_->fields) {
        if (collection_.field(field.name) == nullptr) {
          append_field(out, first, field.name, field.type);
        }
      }
    }
    return out + "]}";
  }

 private:
  Why of_scope() const {
    if (account_.closed()) return {false, "refused because the device is shut out", "shut_out", ""};
    if (!account_.active()) {
      return {false, "refused because the office has ended its work", "ended", ""};
    }
    if (!account_.holds(query_.scope)) {
      return Why{false,
                 fmt::format("refused because the device does not hold scope {}", query_.scope),
                 "scope_not_held", ""}
          .with("scope", query_.scope);
    }
    if (!policy_.enters(account_.role(), query_.scope)) {
      return Why{false,
                 fmt::format("refused because of /roles/{}/system: the role does not enter "
                             "scopes of the system",
                             account_.role()),
                 "system_scope", ""}
          .with("role", account_.role());
    }
    return {true, "", "", ""};
  }

  Why read(std::string_view field) const {
    if (!scope_.allowed) return scope_;
    return by_policy(policy_.may_read(account_.role(), query_.coll, field), "read");
  }

  // `what`: "read" or "write", of the rule that has decided.
  Why by_policy(const Decision& decision, std::string_view what) const {
    const Role& role = policy_.role(account_.role());
    if (role.name.empty()) return {decision.allowed, decision.reason, "no_policy", ""};
    std::string place;
    const CollectionRule& rule = role.rule(query_.coll, &place);
    return Why{decision.allowed, decision.reason, "policy", ""}
        .with("place", fmt::format("{}/{}", place, what))
        .with_json("rule", what == "read" ? rule_text(rule.read) : rule_text(rule.write));
  }

  // Since when it no longer writes there: what it wrote before is judged by what it held then.
  std::optional<std::int64_t> left_ms() const {
    if (account_.closed()) return std::nullopt;
    std::optional<std::int64_t> left;
    if (!account_.active()) left = account_.inactive_ms;
    const bool births = query_.coll == "scope";  // by who holds all scopes now, and nobody else
    if (account_.holds_all() || (!births && account_.holds(query_.scope))) return left;
    std::optional<std::int64_t> last;
    for (const Grant& grant : account_.grants) {
      if (births || grant.left == 0 || (grant.scope != "*" && grant.scope != query_.scope))
        continue;
      last = std::max(last.value_or(0), grant.left_ms);
    }
    return left && last ? std::min(left, last) : last;
  }

  // Does `word` to a field; with an empty field: to the record.
  Op trial(std::string_view field, std::string_view word) const {
    Op op;
    op.scope = query_.scope;
    op.coll = query_.coll;
    op.id = query_.id;
    op.schema = collection_.version;
    op.base = kNow.base;
    if (word == "delete") {
      op.del = true;
    } else if (word == "settle" || word == "reopen") {
      op.settlements.push_back({std::string(field), {}, 0, word == "reopen"});
    } else {
      const auto kind = edit_kind(word);
      WS_CHECK(kind.has_value());
      add_edit(op, field, *kind);
      // A fact is written whole.
      for (const FieldSpec& spec : collection_.fields) {
        if (!collection_.facts || exists() || !spec.required || spec.name == field) continue;
        add_edit(op, spec.name, *edit_kind(words_for(spec.merge).front()));
      }
    }
    return op;
  }

  void add_edit(Op& op, std::string_view field, EditKind kind) const {
    Edit edit;
    edit.kind = kind;
    edit.field = std::string(field);
    Value value;
    if (kind == EditKind::kReclaim) {
      value = text_value(format_device_id(account_.device));
    } else if (kind == EditKind::kSet || kind == EditKind::kAdd || kind == EditKind::kRemove ||
               kind == EditKind::kAppend) {
      value = text_value(part_of_id(field));
    } else {
      value.type = ValueType::kInteger;
      value.json = "1";
      value.integer = 1;
      value.number = 1;
    }
    edit.values.push_back(std::move(value));
    op.edits.push_back(std::move(edit));
  }

  static Value text_value(std::string_view text) {
    Value value;
    value.type = ValueType::kString;
    append_json_string(value.json, text);
    value.length_points = static_cast<std::uint32_t>(text.size());
    return value;
  }

  // What a part of a natural key must say.
  std::string_view part_of_id(std::string_view field) const {
    std::string_view rest = query_.id;
    for (const std::string& part : collection_.key) {
      const std::size_t end = std::min(rest.find('~'), rest.size());
      if (part == field) return rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return "x";
  }

  // The verdict that it would get, by the writer's own checks and in its order. Not by the value,
  // and not by what is left of a quota: that is no matter of who it is.
  std::optional<Refusal> verdict(const Op& op) const {
    if (auto refusal = check_op(collection_, op, Author::kDevice, Held::kToTheUnchanging)) {
      return refusal;
    }
    if (auto refusal = check_standing(account_, kNow)) return refusal;
    if (auto refusal = check_scope(account_, op, kNow, there_)) return refusal;
    const Record none;
    const Record& record = record_ ? *record_ : none;
    const bool makes_it = record.made_by(account_.device, kNow.base);
    if (auto refusal = check_policy(policy_, account_, op, kNow, makes_it)) return refusal;
    const bool moves = !op.edits.empty() && merge_type_of(op.edits[0].kind) == MergeType::kQuota;
    if (moves) return std::nullopt;
    OpPlace place;
    place.device = account_.device;
    place.seq = kNow.base;
    return record.check(op, place, collection_);
  }

  Why write(std::string_view field, std::string_view word) const {
    const auto one = deed(word);
    WS_CHECK(one.has_value());
    if (account_.closed()) return scope_;
    Why by_rule = by_policy(policy_.may_write(account_.role(), query_.coll, field, *one), "write");
    const auto refusal = verdict(trial(field, word));
    if (!refusal) {
      by_rule.allowed = true;
      return by_rule;
    }
    if (refusal->code == Code::kAccessDenied && scope_.allowed && !by_rule.allowed) return by_rule;
    if (!scope_.allowed && refusal->code != Code::kFieldDerived) return scope_;
    const std::string_view code = name(refusal->code);
    return Why{false, fmt::format("refused because of {}: {}", code, refusal->detail), code, ""}
        .with("detail", refusal->detail);
  }

  // Of the record as a whole: whether there is anything that it may write.
  Why any_write() const {
    std::optional<Why> why;
    for (const FieldSpec& spec : collection_.fields) {
      std::vector<std::string_view> does;
      Why one = write_field(spec.name, spec.merge, does);
      if (one.allowed) return one;
      if (!why && !spec.by_server) why = std::move(one);
    }
    return why.value_or(
        Why{false, "refused because only the server writes this collection", "server_only", ""});
  }

  Why write_field(std::string_view field, MergeType merge,
                  std::vector<std::string_view>& does) const {
    Why decision;
    for (const std::string_view word : words_for(merge)) {
      Why one = write(field, word);
      if (one.allowed) does.push_back(word);
      if (decision.reason.empty() || (one.allowed && !decision.allowed)) decision = std::move(one);
    }
    return decision;
  }

  void append_field(std::string& out, bool& first, std::string_view field, MergeType merge) const {
    out += first ? "{\"field\":" : ",{\"field\":";
    first = false;
    append_json_string(out, field);
    std::vector<std::string_view> does;
    const Why written = write_field(field, merge, does);
    out += fmt::format(R"(,"read":{},"write":{}}})", text_of(read(field)), text_of(written, &does));
  }

  [[nodiscard]] bool exists() const { return record_ && record_->exists(); }

  const Policy& policy_;
  const Collection& collection_;
  const Account& account_;
  const AccessQuery& query_;
  bool there_;  // the scope
  std::optional<Record> record_;
  Why scope_;
};

}  // namespace

Result<std::string> explain_access(const Store& store, const Schemas& schemas,
                                   const AccessQuery& query) {
  const AccountPtr account = store.accounts().find(query.device);
  if (account == nullptr) return Error{Code::kHttpNotFound, "no such device"};
  const Collection* collection = schemas.find(query.coll);
  if (collection == nullptr) {
    return Error{Code::kCollectionUnknown,
                 fmt::format("there is no collection \"{}\"", query.coll)};
  }
  std::string bytes;
  const auto found =
      store.kv().get(Column::kRecords, keys::record(query.scope, query.coll, query.id), bytes);
  if (!found) return found.error();
  std::optional<Record> record;
  if (*found) {
    auto decoded = decode_record(bytes);
    if (!decoded) return decoded.error();
    record = std::move(*decoded);
  }
  return Explanation(store, *collection, *account, query, std::move(record)).text();
}

}  // namespace waystation

// Random policies, roles, scopes, standings and records: what `explain_access` says is what the
// writer does with an op that is written now, and what a pull brings.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <memory>
#include <set>

#include "storage/access.h"
#include "tests/support/handset.h"
#include "tests/support/json.h"

namespace waystation::testing {
namespace {

// A collection, two of its fields that rules speak of, and ids: of a record that is there, of one
// that is deleted (where that is possible), of one that never was.
struct Shape {
  const char* coll;
  const char* field;
  const char* other;
  std::array<const char*, 3> ids;
};
constexpr std::array<Shape, 9> kShapes{{
    {"note", "text", "tags", {"n1", "n2", "n3"}},
    {"volunteer", "name", "phone_tail", {"v1", "v2", "v3"}},
    {"station_day", "water", "rest", {"s1~2026-01-01", "s1~2026-01-02", "s1"}},
    {"attendance", "signed_in", "note", {"e1~v1", "e1~v2", "e1"}},
    {"visit", "visitor", "note", {"x1", "x2", "x3"}},
    {"duplicate", "state", "reason", {"d1", "d2", "d3"}},
    {"quota", "note", "places", {"q1", "q2", "q3"}},
    {"refused", "state", "reason", {"0000000001~2", "r2", "r3"}},
    {"scope", "title", "parent", {"t", "u", "n1"}},
}};
const std::array<std::string, 4> kScopes{"t", "u", "system:office", "nowhere"};

// {0} and {1} are the fields of the shape.
constexpr std::array<const char*, 11> kRules{
    R"({{"read":"all","write":"all"}})",
    R"({{"read":"all","write":"none"}})",
    R"({{"read":"none","write":"none"}})",
    R"({{"read":"none","write":{{"does":["append","add","create"]}}}})",
    R"({{"read":"all","write":{{"does":["create","set","grant"]}}}})",
    R"({{"read":"all","write":{{"does":["settle","inc","delete"]}}}})",
    R"({{"read":"all","write":{{"does":["set","add","reopen"]}}}})",
    R"({{"read":"all","write":{{"fields":["{0}"]}}}})",
    R"({{"read":{{"all_but":["{1}"]}},"write":{{"fields":["{0}"]}}}})",
    R"({{"read":{{"all_but":["{1}"]}},"write":"none"}})",
    R"({{"read":"all","write":{{"fields":["{0}","{1}"],"does":["create","set","add"]}}}})",
};

struct Draw {
  std::uint32_t shape = 0;
  std::uint32_t id = 0;
  std::uint32_t scope = 0;
  std::uint32_t held = 0;
  std::uint32_t standing = 0;
  std::array<std::uint32_t, 2> roles{};  // one after the other
  std::array<std::uint32_t, 2> rules{};  // of the one that is held, and of all others
  bool system = false;
};

template <std::size_t N>
std::uint32_t any(const std::array<const char*, N>& /*of*/) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::uint32_t>(0, N));
}
std::uint32_t below(std::uint32_t most) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::uint32_t>(0, most));
}

std::shared_ptr<const Policy> policy_of(const Draw& draw) {
  const Shape& shape = kShapes.at(draw.shape);
  std::string roles;
  for (std::size_t role = 0; role < kRoles.size(); ++role) {
    const bool held = role == draw.roles[1];
    const std::string rule =
        fmt::format(fmt::runtime(kRules.at(draw.rules[held ? 0 : 1])), shape.field, shape.other);
    std::string others;  // what tells of the fields that are hidden
    for (const char* tale : {"duplicate", "ledger"}) {
      if (std::string_view(shape.coll) == tale) continue;
      others += fmt::format(R"(,"{}":{{"read":"none","write":"none"}})", tale);
    }
    roles += fmt::format(R"({}"{}":{{"title":{{"zh":"样","en":"Sample"}},"system":{},)"
                         R"("others":{{"read":"all","write":"all"}},)"
                         R"("collections":{{"{}":{}{}}}}})",
                         roles.empty() ? "" : ",", kRoles.at(role), draw.system, shape.coll, rule,
                         others);
  }
  auto policy =
      Policy::parse({"drawn", fmt::format(R"({{"version":1,"roles":{{{}}}}})", roles)}, schemas());
  if (!policy) RC_DISCARD(policy.error().context);  // of fields that are parts of a key, say
  return std::make_shared<const Policy>(std::move(*policy));
}

std::string value_of(const Collection& collection, const FieldSpec& spec, const std::string& id) {
  std::string rest = id;
  for (const std::string& part : collection.key) {
    const std::size_t end = std::min(rest.find('~'), rest.size());
    if (part == spec.name) return fmt::format("\"{}\"", rest.substr(0, end));
    rest = rest.substr(std::min(end + 1, rest.size()));
  }
  if (!spec.choices.empty()) return fmt::format("\"{}\"", spec.choices.begin()->first);
  switch (spec.type) {
    case FieldType::kString: return R"("a")";
    case FieldType::kBoolean: return "true";
    case FieldType::kTime: return R"("2026-01-01T08:00:00+08:00")";
    case FieldType::kDate: return R"("2026-01-01")";
    case FieldType::kInteger:
    case FieldType::kNumber:
      return std::to_string(static_cast<std::int64_t>(std::max(spec.min, 1.0)));
  }
  return "null";
}

std::string edit_of(const Collection& collection, const FieldSpec& spec, const std::string& word,
                    const std::string& id) {
  const std::string value = value_of(collection, spec, id);
  if (word == "settle" || word == "reopen") {
    return fmt::format(R"("{}":[{{"field":"{}","by":"2GRBXQVH8J","n":1}}])", word, spec.name);
  }
  if (word == "add" || word == "remove" || word == "append") {
    return fmt::format(R"("{}":{{"{}":[{}]}})", word, spec.name, value);
  }
  return fmt::format(R"("{}":{{"{}":{}}})", word, spec.name, word == "inc" ? "1" : value);
}

std::vector<std::string> words_of(const FieldSpec& spec) {
  switch (spec.merge) {
    case MergeType::kRegister: return {"set", "settle", "reopen"};
    case MergeType::kCounter: return {"inc", "settle", "reopen"};
    case MergeType::kSet: return {"add", "remove", "settle", "reopen"};
    case MergeType::kLog: return {"append", "settle", "reopen"};
    case MergeType::kQuota: return {"grant"};  // the others ask what is left of it
  }
  return {};
}

class Explained {
 public:
  explicit Explained(const Draw& draw) : draw_(draw), phone_(world_, {"t"}) {
    world_.have_scope("u");
    std::uint64_t n = world_.state(kOffice)->applied;
    const auto write = [&](const char* coll, const char* id, const char* edits) {
      RC_ASSERT(world_.push(kOffice, {op(++n).on(coll, id).does(edits)}).codes() == "ok");
    };
    write("note", "n1", R"("set":{"text":"a"},"add":{"tags":["a"]})");
    write("note", "n2", R"("set":{"text":"a"})");
    write("note", "n2", R"("del":true)");
    write("volunteer", "v1", R"("set":{"name":"a","phone_tail":"1234"})");
    write("station_day", "s1~2026-01-01", R"("inc":{"water":1,"rest":1})");
    write("attendance", "e1~v1", R"("set":{"event":"e1","volunteer":"v1","note":"a"})");
    write("visit", "x1", R"("set":{"visitor":"other","at":"2026-01-01T08:00:00+08:00"})");
    write("quota", "q1", R"("grant":{"places":9},"set":{"note":"a"})");
    // Refused, so that the server writes of it.
    RC_ASSERT(world_.push(phone_.device, {op(1).does(R"("set":{"text":1})")}).codes() ==
              "field.type");
    world_.pass(1000);
    RC_ASSERT(world_.set_role(phone_.device, std::string(kRoles.at(draw.roles[0]))).ok());
    RC_ASSERT(world_.set_role(phone_.device, std::string(kRoles.at(draw.roles[1]))).ok());
    const std::array<std::vector<std::string>, 5> held{
        {{"t"}, {"u"}, {"*"}, {"t", "u", "system:office"}, {}}};
    RC_ASSERT(world_.set_scopes(phone_.device, held.at(draw.held)).ok());
    const std::array<Standing, 5> standing{Standing::kActive, Standing::kActive, Standing::kActive,
                                           Standing::kDraining, Standing::kClosed};
    RC_ASSERT(world_.stand(phone_.device, standing.at(draw.standing)).ok());
    world_.set_policy(policy_of(draw));
    world_.pass(1000);
  }

  void check() {
    const Shape& shape = kShapes.at(draw_.shape);
    const Collection& collection = *schemas().find(shape.coll);
    const std::string& scope = kScopes.at(draw_.scope);
    const std::string id = shape.ids.at(draw_.id);
    const auto text =
        explain_access(world_.store(), schemas(), {phone_.device, scope, shape.coll, id});
    RC_ASSERT(text.ok());
    const JsonText told(*text);
    const bool erases = bool(told.root()["delete"]["allowed"]);
    compare("delete", erases, scope, collection, id, R"("del":true)");
    const bool there = bool(told.root()["exists"]);
    for (const dom::element field : dom::array(told.root()["fields"])) {
      const FieldSpec* spec = collection.field(text_of(field, "field"));
      RC_ASSERT(spec != nullptr);
      std::set<std::string> does;
      for (const dom::element word : dom::array(field["write"]["does"])) {
        does.emplace(std::string_view(word));
      }
      for (const std::string& word : words_of(*spec)) {
        std::string edits = edit_of(collection, *spec, word, id);
        const bool settles = word == "settle" || word == "reopen";
        if (collection.facts && !there && !settles) edits = whole(collection, *spec, word, id);
        compare(spec->name + " " + word, does.contains(word), scope, collection, id, edits);
      }
    }
    compare_reads(told, scope, shape.coll, id);
  }

 private:
  // A fact is written whole.
  static std::string whole(const Collection& collection, const FieldSpec& spec,
                           const std::string& word, const std::string& id) {
    std::string set;
    for (const FieldSpec& other : collection.fields) {
      if (!other.required || (other.name == spec.name && word == "set")) continue;
      set += fmt::format(R"({}"{}":{})", set.empty() ? "" : ",", other.name,
                         value_of(collection, other, id));
    }
    if (word != "set") return edit_of(collection, spec, word, id) + ",\"set\":{" + set + "}";
    return fmt::format(R"("set":{{"{}":{}{}{}}})", spec.name, value_of(collection, spec, id),
                       set.empty() ? "" : ",", set);
  }

  void compare(const std::string& what, bool allowed, const std::string& scope,
               const Collection& collection, const std::string& id, const std::string& edits) {
    const auto other = world_.fork();
    OpText text =
        op(2).in(scope).on(collection.name, id).does(edits).having_seen(other->position());
    text.schema = collection.version;
    const std::string verdict = other->push(phone_.device, {text.written(other->now)}).codes();
    if ((verdict == "ok") != allowed) {
      RC_FAIL(fmt::format("{} of {}/{}/{}: told {}, and the verdict is \"{}\"", what, scope,
                          collection.name, id, allowed, verdict));
    }
  }

  void compare_reads(const JsonText& told, const std::string& scope, const std::string& coll,
                     const std::string& id) {
    const std::string visible = world_.visible(coll, id, scope);
    if (visible.front() != '{') return;
    (void)phone_.sync();
    const HeldRecord* held = phone_.replica.find({scope, coll, id});
    RC_ASSERT((held != nullptr) == bool(told.root()["read"]["allowed"]));
    const JsonText fields(visible);
    for (const dom::element field : dom::array(told.root()["fields"])) {
      const std::string name = testing::text_of(field, "field");
      if (!testing::has(fields.root(), name)) continue;
      const bool shown =
          held != nullptr && held->fields.find("\"" + name + "\":") != std::string::npos;
      RC_ASSERT(shown == bool(field["read"]["allowed"]));
    }
  }

  Draw draw_;
  World world_;
  Handset phone_;
};

RC_GTEST_PROP(Explained, WhatIsToldIsWhatIsDone, ()) {
  Draw draw;
  draw.shape = below(kShapes.size());
  draw.id = below(3);
  draw.scope = *rc::gen::weightedElement<std::uint32_t>({{6, 0}, {2, 1}, {2, 2}, {1, 3}});
  draw.held = below(5);
  draw.standing = below(5);
  draw.roles = {below(kRoles.size()), below(kRoles.size())};
  draw.rules = {any(kRules), any(kRules)};
  draw.system = below(2) == 1;
  Explained(draw).check();
}

}  // namespace
}  // namespace waystation::testing

// Random policies, moves between roles and scopes, and ops, against a slow plain model of who may
// what: which ops are refused, and what each device ends up with.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>

#include "storage/verify.h"
#include "sync/digest.h"
#include "tests/support/handset.h"
#include "tests/support/json.h"

namespace waystation::testing {
namespace {

constexpr std::size_t kDevices = 3;
const std::array<std::string, 2> kScopes{"t", "u"};

struct Shape {
  std::string coll;
  std::vector<std::string> fields;
};
const std::array<Shape, 3> kShapes{{{"note", {"text", "about", "tags"}},
                                    {"volunteer", {"name", "phone_tail", "skills"}},
                                    {"station_day", {"water", "rest", "other"}}}};

// One rule as it is drawn: small numbers, which RapidCheck shrinks.
struct RuleDraw {
  std::uint8_t read = 0;    // 0, 1: all; 2: none; else but for the fields whose bit is in `hidden`
  std::uint8_t hidden = 1;  // of kShapes[…].fields
  std::uint8_t write = 0;   // 0, 1: all; 2: none; 3: fields; 4: deeds; 5: both
  std::uint8_t fields = 1;
  std::uint8_t deeds = 1;  // of kDeedWords
};
constexpr std::array<const char*, 5> kDeedWords{"set", "inc", "add", "delete", "create"};

using PolicyDraw = std::array<std::array<RuleDraw, kShapes.size()>, kRoles.size()>;

struct Step {
  std::uint8_t kind = 0;
  std::uint8_t device = 0;
  std::uint8_t what = 0;
  std::uint8_t scope = 0;
};

std::ostream& operator<<(std::ostream& out, const RuleDraw& rule) {
  return out << fmt::format("{{read {} hidden {} write {} fields {} deeds {}}}", rule.read,
                            rule.hidden, rule.write, rule.fields, rule.deeds);
}
std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << fmt::format("{{kind {} device {} what {} scope {}}}", step.kind, step.device,
                            step.what, step.scope);
}

std::uint8_t bit_of(std::string_view deed) {
  for (std::size_t i = 0; i < kDeedWords.size(); ++i) {
    if (deed == kDeedWords[i]) return static_cast<std::uint8_t>(1U << i);
  }
  return 0;
}

rc::Gen<RuleDraw> rules() {
  const auto bits = rc::gen::inRange<std::uint8_t>(1, 8);
  return rc::gen::resize(
      rc::kNominalSize, rc::gen::build<RuleDraw>(
                            rc::gen::set(&RuleDraw::read, rc::gen::inRange<std::uint8_t>(0, 5)),
                            rc::gen::set(&RuleDraw::hidden, bits),
                            rc::gen::set(&RuleDraw::write, rc::gen::inRange<std::uint8_t>(0, 6)),
                            rc::gen::set(&RuleDraw::fields, bits),
                            rc::gen::set(&RuleDraw::deeds, rc::gen::inRange<std::uint8_t>(1, 32))));
}

rc::Gen<PolicyDraw> policies() {
  return rc::gen::map(
      rc::gen::container<std::vector<RuleDraw>>(kRoles.size() * kShapes.size(), rules()),
      [](const std::vector<RuleDraw>& flat) {
        PolicyDraw all;
        for (std::size_t i = 0; i < flat.size(); ++i) {
          RuleDraw rule = flat[i];
          // What is not read is not written: else the policy does not load.
          if (rule.read == 2) rule.write = 2;
          if (rule.read > 2) {
            rule.fields = static_cast<std::uint8_t>(rule.fields & ~rule.hidden);
            rule.deeds = static_cast<std::uint8_t>(rule.deeds & ~bit_of("delete"));
            if (rule.write < 2 || rule.write == 4) rule.write = 3;
            if (rule.fields == 0 || (rule.write == 5 && rule.deeds == 0)) rule.write = 2;
          }
          all[i / kShapes.size()][i % kShapes.size()] = rule;
        }
        return all;
      });
}

rc::Gen<Step> steps() {
  return rc::gen::resize(
      rc::kNominalSize,
      rc::gen::build<Step>(
          rc::gen::set(&Step::kind, rc::gen::weightedElement<std::uint8_t>(
                                        {{8, 0}, {3, 1}, {2, 2}, {1, 3}, {1, 4}, {1, 5}})),
          rc::gen::set(&Step::device, rc::gen::inRange<std::uint8_t>(0, kDevices)),
          rc::gen::set(&Step::what, rc::gen::inRange<std::uint8_t>(0, 40)),
          rc::gen::set(&Step::scope, rc::gen::inRange<std::uint8_t>(0, 4))));
}

std::string list_of(const std::vector<std::string>& names, unsigned bits) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if ((bits >> i & 1U) != 0) out += fmt::format("{}\"{}\"", out.empty() ? "" : ",", names[i]);
  }
  return "[" + out + "]";
}

std::string text_of(const PolicyDraw& draw) {
  std::string roles;
  for (std::size_t role = 0; role < kRoles.size(); ++role) {
    std::string collections;
    for (std::size_t i = 0; i < kShapes.size(); ++i) {
      const RuleDraw& rule = draw[role][i];
      const std::string fields = list_of(kShapes[i].fields, rule.fields);
      const std::string deeds = list_of({kDeedWords.begin(), kDeedWords.end()}, rule.deeds);
      const std::string read =
          rule.read < 2 ? R"("all")"
          : rule.read == 2
              ? R"("none")"
              : fmt::format(R"({{"all_but":{}}})", list_of(kShapes[i].fields, rule.hidden));
      const std::string write = rule.write < 2    ? R"("all")"
                                : rule.write == 2 ? R"("none")"
                                : rule.write == 3 ? fmt::format(R"({{"fields":{}}})", fields)
                                : rule.write == 4
                                    ? fmt::format(R"({{"does":{}}})", deeds)
                                    : fmt::format(R"({{"fields":{},"does":{}}})", fields, deeds);
      collections += fmt::format(R"({}"{}":{{"read":{},"write":{}}})", i == 0 ? "" : ",",
                                 kShapes[i].coll, read, write);
    }
    // Who does not read what they are compared by does not read what comes of that.
    const RuleDraw& people = draw[role][1];
    if (people.read == 2 || (people.read > 2 && (people.hidden & 3U) != 0)) {
      collections += R"(,"duplicate":{"read":"none","write":"none"})";
    }
    roles += fmt::format(R"({}"{}":{{"title":{{"zh":"样","en":"Sample"}},"system":{},)"
                         R"("others":{{"read":"all","write":"all"}},"collections":{{{}}}}})",
                         role == 0 ? "" : ",", kRoles[role], role == 3, collections);
  }
  return fmt::format(R"({{"version":1,"roles":{{{}}}}})", roles);
}

// An op of the kinds that the model knows: one field and one deed, or a delete.
struct Edit {
  std::size_t shape = 0;
  std::size_t field = 0;
  std::string deed;
  std::string id;
  std::string edits;
};

Edit edit_of(const Step& step) {
  Edit edit;
  edit.shape = step.what % kShapes.size();
  edit.field = step.what / 3 % 3;
  const Shape& shape = kShapes[edit.shape];
  const std::string& field = shape.fields[edit.field];
  edit.id = shape.coll == "station_day" ? "s1~2026-01-01" : fmt::format("r{}", step.what % 2);
  if (step.what >= 36 && shape.coll != "station_day") {
    edit.deed = "delete";
    edit.edits = R"("del":true)";
  } else if (shape.coll == "station_day") {
    edit.deed = "inc";
    edit.edits = fmt::format(R"("inc":{{"{}":{}}})", field, 1 + step.what % 3);
  } else if (edit.field == 2) {
    edit.deed = "add";
    edit.edits = fmt::format(R"("add":{{"{}":["{}"]}})", field, step.what % 5);
  } else {
    edit.deed = "set";
    edit.edits = fmt::format(R"("set":{{"{}":"{}"}})", field, step.what);
  }
  return edit;
}

bool may_write(const RuleDraw& rule, const Edit& edit) {
  if (rule.write < 2) return true;
  if (rule.write == 2) return false;
  const bool deed_known = rule.write >= 4;
  bool does = false;
  for (std::size_t i = 0; i < kDeedWords.size(); ++i) {
    if (edit.deed == kDeedWords[i]) does = (rule.deeds >> i & 1U) != 0;
  }
  if (edit.deed == "delete") return deed_known && does;
  if (deed_known && !does) return false;
  return rule.write == 4 || (rule.fields >> edit.field & 1U) != 0;
}

// Of a record that is not there.
bool may_create(const RuleDraw& rule) {
  return rule.write < 2 || (rule.write >= 4 && (rule.deeds & bit_of("create")) != 0);
}

// The plain model of one device: all that it ever was.
struct Term {
  std::size_t what;  // role, or scope
  std::int64_t from = 0;
  std::int64_t until = std::numeric_limits<std::int64_t>::max();

  [[nodiscard]] bool held() const { return until == std::numeric_limits<std::int64_t>::max(); }
};
struct ModelDevice {
  std::vector<Term> roles;
  std::vector<Term> scopes;
  std::vector<std::pair<Edit, std::pair<std::size_t, std::int64_t>>> written;  // scope, when

  static bool had(const std::vector<Term>& terms, std::int64_t at,
                  const std::function<bool(std::size_t)>& good) {
    for (const Term& term : terms) {
      if (at <= term.until && good(term.what)) return true;
    }
    return false;
  }
  // Whether a good role was in force in that scope: both are held, or both were when it was
  // written.
  [[nodiscard]] bool had_both(std::size_t scope, std::int64_t at,
                              const std::function<bool(std::size_t)>& good) const {
    for (const Term& role : roles) {
      for (const Term& place : scopes) {
        if (place.what != scope || !good(role.what) || at > role.until || at > place.until)
          continue;
        if ((role.held() && place.held()) || (at >= role.from && at >= place.from)) return true;
      }
    }
    return false;
  }
  static bool has(const std::vector<Term>& terms, std::size_t what) {
    for (const Term& term : terms) {
      if (term.until == std::numeric_limits<std::int64_t>::max() && term.what == what) return true;
    }
    return false;
  }
  static void end(std::vector<Term>& terms, std::size_t what, std::int64_t now) {
    for (Term& term : terms) {
      if (term.until == std::numeric_limits<std::int64_t>::max() && term.what == what) {
        term.until = now;
      }
    }
  }
  [[nodiscard]] std::size_t role() const {
    for (std::size_t i = 0; i < kRoles.size(); ++i) {
      if (has(roles, i)) return i;
    }
    return 0;
  }
};

// What a device may hold of a record.
std::optional<std::string> seen(const RuleDraw& rule, const Shape& shape,
                                const std::string& visible) {
  if (rule.read == 2) return std::nullopt;
  if (rule.read < 2) return visible;
  const JsonText text(visible);
  std::string out;
  for (const auto field : dom::object(text.root())) {
    bool hidden = false;
    for (std::size_t i = 0; i < shape.fields.size(); ++i) {
      hidden = hidden || (field.key == shape.fields[i] && (rule.hidden >> i & 1U) != 0);
    }
    if (hidden) continue;
    out += fmt::format("{}\"{}\":{}", out.empty() ? "" : ",", field.key,
                       simdjson::minify(field.value));
  }
  return "{" + out + "}";
}

class Course {
 public:
  explicit Course(const PolicyDraw& first) : policy_(first) {
    world_.have_scope("u");
    adopt(first);
    for (std::size_t i = 0; i < kDevices; ++i) {
      phones_.push_back(std::make_unique<Handset>(world_, std::vector<std::string>{"t"}));
      models_.emplace_back();
      models_[i].scopes.push_back(Term{0});
      models_[i].roles.push_back(Term{3});  // enrolled as the office
      RC_ASSERT(phones_[i]->sync());
    }
  }

  void take(const Step& step, const PolicyDraw& other) {
    world_.pass(1000);
    Handset& phone = *phones_[step.device];
    ModelDevice& model = models_[step.device];
    switch (step.kind) {
      case 0: {
        const Edit edit = edit_of(step);
        const std::size_t scope = step.scope % kScopes.size();
        phone.edit(edit.edits, kShapes[edit.shape].coll, edit.id, kScopes[scope]);
        model.written.emplace_back(edit, std::pair(scope, world_.now));
        break;
      }
      case 1: sync(step.device); break;
      case 2: {
        const std::size_t role = step.what % kRoles.size();
        RC_ASSERT(world_.set_role(phone.device, std::string(kRoles[role])).ok());
        if (role == model.role()) break;
        ModelDevice::end(model.roles, model.role(), world_.now);
        model.roles.push_back(Term{role, world_.now});
        break;
      }
      case 3: {
        std::vector<std::string> held;
        for (std::size_t i = 0; i < kScopes.size(); ++i) {
          const bool holds = (step.scope >> i & 1U) != 0;
          if (holds) held.push_back(kScopes[i]);
          if (holds && !ModelDevice::has(model.scopes, i))
            model.scopes.push_back(Term{i, world_.now});
          if (!holds) ModelDevice::end(model.scopes, i, world_.now);
        }
        RC_ASSERT(world_.set_scopes(phone.device, held).ok());
        break;
      }
      case 4: adopt(other); break;
      default: world_.reopen(); break;
    }
  }

  void end() {
    world_.pass(1000);
    for (std::size_t i = 0; i < kDevices; ++i) sync(i);
    for (std::size_t i = 0; i < kDevices; ++i) {
      RC_ASSERT(phones_[i]->sync(2));
      compare(i);
    }
    const auto report = verify(world_.store(), [](std::uint64_t) {});
    RC_ASSERT(report.ok());
    if (report->faults != 0) RC_FAIL(report->first_faults.front());
  }

 private:
  void adopt(const PolicyDraw& draw) {
    policy_ = draw;
    auto made = Policy::parse({"drawn", text_of(draw)}, schemas());
    if (!made) RC_FAIL(made.error().context);
    world_.set_policy(std::make_shared<const Policy>(std::move(*made)));
  }

  // Hands in what waits, and holds each verdict against the model.
  void sync(std::size_t device) {
    Handset& phone = *phones_[device];
    ModelDevice& model = models_[device];
    const std::size_t before = phone.replica.applied();
    RC_ASSERT(phone.sync());
    const auto log = world_.log(phone.device);
    RC_ASSERT(log.size() == model.written.size());
    for (std::size_t n = before; n < log.size(); ++n) {
      const auto& [edit, where] = model.written[n];
      const auto [scope, at] = where;
      const bool in_scope =
          ModelDevice::had(model.scopes, at, [&](std::size_t held) { return held == scope; });
      const auto judged = [&](const std::function<bool(const RuleDraw&)>& good) {
        return model.had_both(scope, at,
                              [&](std::size_t role) { return good(policy_[role][edit.shape]); });
      };
      const bool in_role = judged([&](const RuleDraw& rule) { return may_write(rule, edit); });
      const bool in_any_case = judged([&](const RuleDraw& rule) {
        return may_write(rule, edit) && (edit.deed == "delete" || may_create(rule));
      });
      const JsonText verdict(log[n].verdict);
      const std::string code = testing::has(verdict.root(), "refused")
                                   ? testing::text_of(verdict.root()["refused"], "code")
                                   : "";
      const char* expected = !in_scope ? "scope.forbidden" : !in_role ? "access.denied" : "";
      // Whether the record was there is not the model's matter.
      const bool birth = in_scope && in_role && !in_any_case && code == "access.denied";
      if (code != expected && !birth) {
        RC_FAIL(fmt::format("device {} op {} ({}): \"{}\" and not \"{}\"", device, n + 1, log[n].op,
                            code, expected));
      }
    }
    // Refused ones are kept whole.
    std::size_t kept = 0;
    for (const Quarantined& row : world_.quarantine()) kept += row.device == phone.device ? 1 : 0;
    RC_ASSERT(kept == phone.replica.refused().size());
  }

  void compare(std::size_t device) {
    const ModelDevice& model = models_[device];
    const Replica& replica = phones_[device]->replica;
    std::map<std::string, Digest> sums;
    std::size_t expected = 0;
    for (std::size_t scope = 0; scope < kScopes.size(); ++scope) {
      for (std::size_t i = 0; i < kShapes.size(); ++i) {
        for (const char* id : {"r0", "r1", "s1~2026-01-01"}) {
          const std::string visible = world_.visible(kShapes[i].coll, id, kScopes[scope]);
          std::optional<std::string> shown;
          if (visible.front() == '{' && ModelDevice::has(model.scopes, scope)) {
            shown = seen(policy_[model.role()][i], kShapes[i], visible);
          }
          const HeldRecord* held = replica.find({kScopes[scope], kShapes[i].coll, id});
          const std::string holds = held == nullptr || held->fields.empty() ? "" : held->fields;
          if (holds != shown.value_or("")) {
            RC_FAIL(fmt::format("device {} holds of {}/{}/{}: \"{}\" and not \"{}\"", device,
                                kScopes[scope], kShapes[i].coll, id, holds, shown.value_or("")));
          }
          if (!shown) continue;
          ++expected;
          sums[kScopes[scope]].add(digest_of_record(kScopes[scope], kShapes[i].coll, id, *shown));
        }
      }
    }
    // And nothing besides, but for the records of the scopes themselves.
    std::size_t live = 0;
    for (const auto& [key, held] : replica.records()) {
      if (held.fields.empty()) continue;
      const auto& [scope, coll, id] = key;
      if (coll == "scope") {
        sums[scope].add(digest_of_record(scope, coll, id, held.fields));
      } else {
        ++live;
      }
    }
    RC_ASSERT(live == expected);
    RC_ASSERT(replica.digests_checked() > 0U);
    for (const std::string& scope : kScopes) RC_ASSERT(replica.digest(scope) == sums[scope]);
  }

  World world_;
  PolicyDraw policy_;
  std::vector<std::unique_ptr<Handset>> phones_;
  std::vector<ModelDevice> models_;
};

RC_GTEST_PROP(Access, IsWhatThePlainModelSays, ()) {
  const auto first = *policies();
  const auto other = *policies();
  const auto course_steps = *rc::gen::container<std::vector<Step>>(steps());
  Course course(first);
  for (const Step& step : course_steps) course.take(step, other);
  course.end();
}

}  // namespace
}  // namespace waystation::testing

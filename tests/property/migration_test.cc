// Schemas of any steps, and ops of any version of them.
#include "sync/migration.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "sync/scalar.h"
#include "sync/wire.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

struct Kind {
  std::string merge = "register";
  std::string type = "string";
};
using Fields = std::map<std::string, Kind>;

template <typename T>
T one_of(const std::vector<T>& all) {
  return all[*rc::gen::inRange<std::size_t>(0, all.size())];
}

std::string some_type() {
  return one_of<std::string>({"string", "integer", "number", "boolean", "time", "date"});
}

Kind some_kind() {
  const auto merge = one_of<std::string>({"register", "register", "counter", "set", "set", "log"});
  // Texts can be split, and are what most conversions start from.
  const bool text = *rc::gen::arbitrary<bool>();
  return {merge, merge == "counter" ? "integer" : text ? "string" : some_type()};
}

std::string some_default(const std::string& type) {
  if (type == "integer") return "7";
  if (type == "number") return "0.5";
  if (type == "boolean") return "true";
  if (type == "time") return R"("2028-02-29T12:00:00+08:00")";
  return type == "date" ? R"("2028-02-29")" : R"("by default")";
}

// Versions of one collection, each with steps that are right.
class Release {
 public:
  Release() {
    for (int i = *rc::gen::inRange(1, 5); i > 0; --i) fields_[fresh()] = some_kind();
    write();
    for (int i = *rc::gen::inRange(0, 5); i > 0; --i) next();
  }

  [[nodiscard]] std::size_t versions() const { return files_.size() - 1; }
  // What a server knew when that version was the latest.
  [[nodiscard]] Schemas as_of(std::size_t version) const {
    auto parsed =
        Schemas::parse({files_.begin(), files_.begin() + static_cast<std::ptrdiff_t>(version) + 1});
    if (!parsed) RC_FAIL(parsed.error().context);
    return std::move(*parsed);
  }
  // What the collection is called in a version.
  [[nodiscard]] const std::string& name(std::size_t version) const { return names_[version]; }
  // Of every version, and some that are of none.
  [[nodiscard]] const std::vector<std::string>& field_names() const { return all_; }

 private:
  std::string fresh() {
    // Now and then one that was a field before, and one that another edit's value is kept under.
    std::string made = *rc::gen::inRange(0, 4) == 0 ? fmt::format("f{}", *rc::gen::inRange(0, 4))
                       : *rc::gen::inRange(0, 8) == 0
                           ? fmt::format("f{}_v1", *rc::gen::inRange(0, 4))
                           : fmt::format("f{}", fields_made_++);
    while (fields_.count(made) != 0 || before_.count(made) != 0) made += "x";
    all_.push_back(made);
    return made;
  }

  void next() {
    std::string steps;
    const auto add = [&steps](const std::string& step) {
      steps += (steps.empty() ? "" : ",") + step;
    };
    if (*rc::gen::inRange(0, 4) == 0) fields_[fresh()] = some_kind();
    if (*rc::gen::inRange(0, 4) == 0 && fields_.size() > 1) fields_.erase(some_field());
    for (int i = *rc::gen::inRange(0, 5); i > 0; --i) add(step());
    if (*rc::gen::inRange(0, 3) == 0) {
      moved_from_ = names_.back();
      collection_ = fmt::format("c{}", files_.size());
    }
    if (!steps.empty()) migrate_ = fmt::format(R"(,"migrate":[{}])", steps);
    write();
  }

  std::string some_field() {
    auto at = fields_.begin();
    std::advance(at, *rc::gen::inRange<std::size_t>(0, fields_.size()));
    return at->first;
  }

  // Only fields that this version did not just gain can be stepped from, but for a default.
  std::string step() {
    const std::string from = some_field();
    const Kind kind = fields_.at(from);
    if (known_.count(from) == 0) return set_default();
    switch (*rc::gen::inRange(0, 4)) {
      case 0: {
        if (retyped_.count(from) != 0) return set_default();
        const std::string into = fresh();
        fields_.erase(from);
        fields_[into] = kind;
        known_.erase(from);
        return fmt::format(R"({{"rename":{{"from":"{}","to":"{}"}}}})", from, into);
      }
      case 1: {
        if (kind.merge != "register" || kind.type != "string" || retyped_.count(from) != 0) {
          return set_default();
        }
        const std::string first = fresh();
        fields_[first] = {};
        const std::string second = fresh();
        fields_[second] = {};
        fields_.erase(from);
        known_.erase(from);
        return fmt::format(R"({{"split":{{"from":"{}","into":["{}","{}"],"at":"{}"}}}})", from,
                           first, second, one_of<std::string>({" ", "-", "--"}));
      }
      case 2:
        if (kind.merge == "counter" || retyped_.count(from) != 0) return set_default();
        fields_[from].type = some_type();
        retyped_.insert(from);
        return fmt::format(R"({{"retype":{{"field":"{}"}}}})", from);
      default: return set_default();
    }
  }

  // Of a field that stays: a register made for it.
  std::string set_default() {
    const std::string field = fresh();
    const std::string type = some_type();
    fields_[field] = {"register", type};
    return fmt::format(R"({{"default":{{"field":"{}","value":{}}}}})", field, some_default(type));
  }

  void write() {
    if (files_.empty()) {
      files_.push_back({"scope", R"({"collection":"scope","version":1,"title":{"zh":"x","en":"x"},
        "fields":{"f":{"merge":"register","type":"boolean","title":{"zh":"x","en":"x"}}}})"});
      names_.emplace_back("scope");
    }
    std::string text;
    for (const auto& [field, kind] : fields_) {
      const bool numeric = kind.type == "integer" || kind.type == "number";
      text +=
          fmt::format(R"({}"{}":{{"merge":"{}","type":"{}","title":{{"zh":"x","en":"x"}}{}{}{}}})",
                      text.empty() ? "" : ",", field, kind.merge, kind.type,
                      kind.type == "string" ? R"(,"max_length":100)" : "",
                      numeric ? R"(,"min":-1e9,"max":1e9)" : "",
                      kind.merge == "set" || kind.merge == "log" ? R"(,"max_items":9)" : "");
    }
    const std::string move =
        moved_from_.empty() ? "" : fmt::format(R"(,"moved_from":"{}")", moved_from_);
    files_.push_back(
        {fmt::format("version {}", files_.size()),
         fmt::format(
             R"({{"collection":"{}","version":{},"title":{{"zh":"x","en":"x"}},"fields":{{{}}}{}{}}})",
             collection_, files_.size(), text, migrate_, move)});
    names_.push_back(collection_);
    moved_from_.clear();
    migrate_.clear();
    retyped_.clear();
    known_.clear();
    for (const auto& [field, kind] : fields_) known_.insert(field);
    before_ = known_;
  }

  std::vector<SchemaFile> files_;
  std::vector<std::string> names_;
  std::string collection_ = "c";
  std::string moved_from_;
  std::string migrate_;
  Fields fields_;
  std::set<std::string> before_;   // the fields of the version before
  std::set<std::string> known_;    // of the version before, as the steps have left them
  std::set<std::string> retyped_;  // in this version
  std::vector<std::string> all_{"later", "later_v1"};
  int fields_made_ = 0;
};

// A text of words that stand nowhere else in the op, or another scalar.
Value some_value(int& words) {
  switch (*rc::gen::inRange(0, 8)) {
    case 0: return scalar_value("null");
    case 1: return scalar_value(*rc::gen::arbitrary<bool>() ? "true" : "false");
    case 2: return scalar_value(std::to_string(1000 + words++));
    case 3: return string_value(std::to_string(1000 + words++));
    case 4: return scalar_value(fmt::format("{}.5", 1000 + words++));
    case 5: return string_value("2028-02-29");
    default: {
      std::string text;
      for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
        text += fmt::format("w{}w{}", words++, one_of<std::string>({" ", "-", "--", "\"", "\n"}));
      }
      return string_value(text);
    }
  }
}

// One that the field takes.
Value right_value(const FieldSpec& spec, int& words) {
  switch (spec.type) {
    case FieldType::kInteger: return scalar_value(std::to_string(1000 + words++));
    case FieldType::kNumber: return scalar_value(fmt::format("{}.5", 1000 + words++));
    case FieldType::kBoolean: return scalar_value("false");
    case FieldType::kTime: return string_value("2028-02-29T12:00:00Z");
    case FieldType::kDate: return string_value("2028-02-29");
    case FieldType::kString: break;
  }
  if (*rc::gen::inRange(0, 3) == 0) return string_value(std::to_string(1000 + words++));
  Value value = some_value(words);
  return value.type == ValueType::kString ? value : string_value(value.json);
}

EditKind right_kind(MergeType merge) {
  switch (merge) {
    case MergeType::kCounter: return EditKind::kInc;
    case MergeType::kSet: return EditKind::kAdd;
    case MergeType::kLog: return EditKind::kAppend;
    default: return EditKind::kSet;
  }
}

// Any edits that the wire lets through, right or (one field in twenty) wrong by the schema.
Op some_op(const Release& release, std::size_t version) {
  Op op;
  op.n = 1;
  op.scope = "t";
  op.coll = release.name(version);
  op.id = "x";
  op.schema = static_cast<std::uint32_t>(version);
  op.base = *rc::gen::element<Seq>(0, 7);
  int words = 0;
  const Schemas schemas = release.as_of(version);
  const Collection* collection = schemas.find(op.coll);
  RC_ASSERT(collection != nullptr);
  std::set<std::string> used;
  for (int i = *rc::gen::inRange(1, 9); i > 0; --i) {
    Edit edit;
    edit.field = one_of(release.field_names());
    if (!used.insert(edit.field).second) continue;
    edit.kind = *rc::gen::element(EditKind::kSet, EditKind::kSet, EditKind::kSet, EditKind::kInc,
                                  EditKind::kAdd, EditKind::kAppend);
    const FieldSpec* spec = collection->field(edit.field);
    const bool right = spec != nullptr && *rc::gen::inRange(0, 20) != 0;
    if (right) edit.kind = right_kind(spec->merge);
    const auto value = [&] { return right ? right_value(*spec, words) : some_value(words); };
    const bool single = edit.kind == EditKind::kSet || edit.kind == EditKind::kInc;
    for (int v = single ? 1 : *rc::gen::inRange(1, 4); v > 0; --v) {
      edit.values.push_back(value());
    }
    op.edits.push_back(edit);
    if (edit.kind == EditKind::kAdd && *rc::gen::arbitrary<bool>()) {
      edit.kind = EditKind::kRemove;
      edit.values = {value()};
      op.edits.push_back(edit);
    }
  }
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
    op.settlements.push_back(Settlement{one_of(release.field_names()), {5, 1}, 0, false});
  }
  return op;
}

// What an op says, in one line.
std::string shown(const Op& op) {
  std::string out = op.coll + (op.del ? " del" : "");
  for (const Edit& edit : op.edits) {
    out +=
        fmt::format(" {}{} {}:", edit.weak ? "weak " : "", static_cast<int>(edit.kind), edit.field);
    for (const Value& value : edit.values) {
      out += fmt::format(" {}/{}/{}/{}/{}", static_cast<int>(value.type), value.json, value.integer,
                         value.number, value.length_points);
    }
  }
  for (const Settlement& one : op.settlements) out += " settle " + one.field;
  return out;
}

// From one version to the next by what a server of that time knew, and so on to the last.
Op carried_step_by_step(const Release& release, Op op, std::size_t version) {
  for (; version < release.versions(); ++version) {
    const Schemas before = release.as_of(version);
    const Schemas after = release.as_of(version + 1);
    const Collection* now = before.find(release.name(version));
    const Collection* then = after.find(release.name(version + 1));
    RC_ASSERT(now != nullptr && then != nullptr);
    carry_forward(op, *now, *then);
  }
  return op;
}

std::size_t some_version(const Release& release) {
  return *rc::gen::inRange<std::size_t>(1, release.versions() + 1);
}

RC_GTEST_PROP(Migrations, OfTheCurrentVersionChangeNothing, ()) {
  const Release release;
  Op op = some_op(release, release.versions());
  const std::string before = shown(op);
  const Schemas schemas = release.as_of(release.versions());
  schemas.admit(op);
  RC_ASSERT(shown(op) == before);
  op.refusal.reset();
  op.schema += *rc::gen::inRange(0U, 3U);
  schemas.admit(op);
  RC_ASSERT(shown(op) == before);
}

RC_GTEST_PROP(Migrations, InOneGoAreThoseOfEachStep, ()) {
  const Release release;
  const std::size_t version = some_version(release);
  Op op = some_op(release, version);
  const Op received = op;
  const Schemas schemas = release.as_of(release.versions());
  schemas.admit(op);
  RC_TAG(op.refusal ? "refused" : "carried");
  if (op.refusal) {
    RC_ASSERT(shown(op) == shown(received));
    // It would have been refused when its version was the latest.
    RC_ASSERT(release.as_of(version).check(received)->code == op.refusal->code);
    return;
  }
  RC_ASSERT(!release.as_of(version).check(received));
  RC_ASSERT(shown(op) == shown(carried_step_by_step(release, received, version)));
  RC_ASSERT(op.coll == release.name(release.versions()));
}

// Which fields an op has is what the engine relies on: each once, but for add and remove.
RC_GTEST_PROP(Migrations, OfAnyEditsLeaveAnOpThatTheWireWouldTake, ()) {
  const Release release;
  const std::size_t version = some_version(release);
  const Op op = carried_step_by_step(release, some_op(release, version), version);
  std::map<std::string, std::multiset<EditKind>> kinds;
  for (const Edit& edit : op.edits) {
    RC_ASSERT(valid_name(edit.field));
    RC_ASSERT(!edit.values.empty());
    kinds[edit.field].insert(edit.kind);
    if (edit.weak) {
      RC_ASSERT(edit.kind == EditKind::kSet && op.base == 0);
    }
    for (const Value& value : edit.values) {
      const bool scalar = value.type != ValueType::kArray && value.type != ValueType::kObject;
      RC_ASSERT(scalar && scalar_value(value.json).type == value.type);
    }
  }
  for (const auto& [field, all] : kinds) {
    RC_ASSERT(all.size() == 1 || all == (std::multiset{EditKind::kAdd, EditKind::kRemove}));
  }
}

// Each word of each value is still there: converted without its quotes, split apart.
void expect_no_loss(const Op& received, const Op& op) {
  std::string texts;
  for (const Edit& edit : op.edits) {
    for (const Value& value : edit.values) texts += value.json + "|";
  }
  for (const Edit& edit : received.edits) {
    for (const Value& value : edit.values) {
      if (value.type == ValueType::kNull || value.type == ValueType::kBool) continue;
      const std::string text = value.type == ValueType::kString ? text_of(value) : value.json;
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find_first_of(" -\"\n", at), text.size());
        RC_ASSERT(texts.find(text.substr(at, end - at)) != std::string::npos);
        at = end + 1;
      }
    }
  }
  RC_ASSERT(op.settlements.size() == received.settlements.size());
}

RC_GTEST_PROP(Migrations, LoseNoValue, ()) {
  const Release release;
  for (int ops = 0; ops < 10; ++ops) {
    const std::size_t version = some_version(release);
    const Op received = some_op(release, version);
    expect_no_loss(received, carried_step_by_step(release, received, version));
  }
}

}  // namespace
}  // namespace waystation::testing

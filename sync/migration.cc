#include "sync/migration.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "sync/limits.h"
#include "sync/scalar.h"

namespace waystation {
namespace {

// -?(0|[1-9][0-9]*), and with `fraction` all that JSON takes for a number. So "007" stays a text:
// as a number it would not be found again by who looks for what was written.
bool is_number_text(std::string_view text, bool fraction) {
  const auto digits = [&text] {
    const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(end);
    return end;
  };
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool zero = text.starts_with('0');
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (!fraction) return text.empty();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  return text.empty();
}

std::optional<Value> number_of(const Value& value, bool fraction) {
  if (value.type == ValueType::kInteger) return value;
  if (value.type == ValueType::kNumber) return fraction ? std::optional(value) : std::nullopt;
  if (value.type != ValueType::kString || !is_number_text(unquoted(value), fraction)) {
    return std::nullopt;
  }
  return number_value(unquoted(value));
}

std::optional<Value> boolean_of(const Value& value) {
  if (value.type == ValueType::kBool) return value;
  if (value.json == R"("true")") return scalar_value("true");
  if (value.json == R"("false")") return scalar_value("false");
  return std::nullopt;
}

std::optional<Value> string_of(const Value& value) {
  switch (value.type) {
    case ValueType::kString: return value;
    case ValueType::kBool:
    case ValueType::kInteger:
    case ValueType::kNumber: return string_value(value.json);
    default: return std::nullopt;
  }
}

// Works on the edits of one op, for the steps from one version to the next.
class Step {
 public:
  Step(Op& op, const Collection& before, const Collection& after)
      : op_(op), before_(before), after_(after) {}

  // A field that the version before did not know may have been written all the same. Where it is
  // now a field of another merge type, or the server's own, it was another field of that name.
  void set_foreign_aside() {
    for (std::size_t i = 0; i < op_.edits.size(); ++i) {
      const Edit& edit = op_.edits[i];
      if (before_.field(edit.field) != nullptr) continue;
      const FieldSpec* spec = after_.field(edit.field);
      if (spec == nullptr) continue;
      if (spec->merge == merge_type_of(edit.kind) && !spec->by_server) continue;
      const std::string from = edit.field;
      rename_edits(from, kept_name(from));
    }
  }

  void rename(const std::string& from, const std::string& into) {
    rename_settlements(from, into);
    if (!has(from)) return;
    if (has(into) && is_weak(from)) {
      erase(from);
      return;
    }
    if (is_weak(into)) erase(into);
    rename_edits(from, has(into) ? kept_name(into) : into);
  }

  void split(const Migration& step) {
    rename_settlements(step.field, step.into[0]);
    const auto is_whole = [&step](const Edit& edit) {
      return edit.field == step.field && edit.kind == EditKind::kSet;
    };
    auto at = std::find_if(op_.edits.begin(), op_.edits.end(), is_whole);
    if (at == op_.edits.end()) return;
    const Edit whole = *at;
    const Value& value = whole.values[0];
    if (value.type != ValueType::kString && value.type != ValueType::kNull) {
      rename_edits(step.field, kept_name(step.field));
      return;
    }
    if (!whole.weak) {
      for (const std::string& into : step.into) {
        if (is_weak(into)) erase(into);
      }
      at = std::find_if(op_.edits.begin(), op_.edits.end(), is_whole);
    }
    // The first part stands in the place of the whole, the others behind all that is there.
    std::vector<Edit> parts = cut(whole, step);
    at = op_.edits.erase(at);
    if (parts.empty()) return;
    op_.edits.insert(at, std::move(parts[0]));
    std::move(parts.begin() + 1, parts.end(), std::back_inserter(op_.edits));
  }

  void set_default(const Migration& step) {
    if (op_.base != 0 || op_.edits.empty() || has(step.field)) return;
    Edit edit;
    edit.field = step.field;
    edit.values.push_back(scalar_value(step.value));
    edit.weak = true;
    op_.edits.push_back(std::move(edit));
  }

  void retype(const std::string& field, FieldType type) {
    const std::string kept = kept_name(field);
    std::vector<Edit> apart;
    for (Edit& edit : op_.edits) {
      if (edit.field != field) continue;
      std::vector<Value> values;
      std::vector<Value> left;
      for (Value& value : edit.values) {
        const bool clears = edit.kind == EditKind::kSet && value.type == ValueType::kNull;
        auto made = clears ? std::optional(value) : converted(value, type);
        if (made) {
          values.push_back(std::move(*made));
        } else {
          left.push_back(std::move(value));
        }
      }
      if (values.empty()) {
        edit.field = kept;
        edit.values = std::move(left);
        continue;
      }
      edit.values = std::move(values);
      if (!left.empty()) apart.push_back(Edit{edit.kind, kept, std::move(left), edit.weak});
    }
    std::move(apart.begin(), apart.end(), std::back_inserter(op_.edits));
  }

 private:
  [[nodiscard]] bool has(std::string_view field) const {
    return std::any_of(op_.edits.begin(), op_.edits.end(),
                       [field](const Edit& edit) { return edit.field == field; });
  }
  // A default stands there, which gives way to any other write.
  [[nodiscard]] bool is_weak(std::string_view field) const {
    return std::any_of(op_.edits.begin(), op_.edits.end(),
                       [field](const Edit& edit) { return edit.field == field && edit.weak; });
  }
  void erase(const std::string& field) {
    std::erase_if(op_.edits, [&field](const Edit& edit) { return edit.field == field; });
  }
  void rename_edits(const std::string& from, const std::string& into) {
    for (Edit& edit : op_.edits) {
      if (edit.field == from) edit.field = into;
    }
  }
  void rename_settlements(const std::string& from, const std::string& into) {
    for (Settlement& settlement : op_.settlements) {
      if (settlement.field == from) settlement.field = into;
    }
  }

  // A name for what cannot stay under its own: that of no field, and of nothing else in the op.
  [[nodiscard]] std::string kept_name(std::string_view field,
                                      const std::vector<std::string>& taken = {}) const {
    for (int tries = 1;; ++tries) {
      const std::string tail = tries == 1 ? fmt::format("_v{}", before_.version)
                                          : fmt::format("_v{}_{}", before_.version, tries);
      std::string name(field.substr(0, limits::kNameBytes - tail.size()));
      name += tail;
      if (has(name) || before_.field(name) != nullptr || after_.field(name) != nullptr) continue;
      if (std::find(taken.begin(), taken.end(), name) == taken.end()) return name;
    }
  }

  // An edit for each part of the text, those that get nothing clear their field.
  [[nodiscard]] std::vector<Edit> cut(const Edit& whole, const Migration& step) const {
    const bool clears = whole.values[0].type == ValueType::kNull;
    const std::string text = clears ? "" : text_of(whole.values[0]);
    std::optional<std::string_view> rest;
    if (!clears) rest = text;
    std::vector<Edit> parts;
    std::vector<std::string> names = step.into;
    for (std::size_t i = 0; i < step.into.size(); ++i) {
      Value value = scalar_value("null");
      if (rest) {
        const bool last = i + 1 == step.into.size();
        const std::size_t end = last ? std::string_view::npos : rest->find(step.at);
        value = string_value(rest->substr(0, end));
        if (end == std::string_view::npos) {
          rest.reset();
        } else {
          rest->remove_prefix(end + step.at.size());
        }
      }
      if (has(step.into[i])) {
        if (whole.weak) continue;
        names[i] = kept_name(step.into[i], names);
      }
      parts.push_back(Edit{EditKind::kSet, names[i], {std::move(value)}, whole.weak});
    }
    return parts;
  }

  Op& op_;
  const Collection& before_;
  const Collection& after_;
};

}  // namespace

std::optional<Value> converted(const Value& value, FieldType type) {
  switch (type) {
    case FieldType::kString: return string_of(value);
    case FieldType::kInteger: return number_of(value, false);
    case FieldType::kNumber: return number_of(value, true);
    case FieldType::kBoolean: return boolean_of(value);
    case FieldType::kTime:
      if (value.type == ValueType::kString && is_time(unquoted(value))) return value;
      return std::nullopt;
    case FieldType::kDate:
      if (value.type == ValueType::kString && is_date(unquoted(value))) return value;
      return std::nullopt;
  }
  WS_CHECK(false);
}

void carry_forward(Op& op, const Collection& before, const Collection& after) {
  Step step(op, before, after);
  step.set_foreign_aside();
  for (const Migration& migration : after.migrations) {
    switch (migration.kind) {
      case Migration::Kind::kRename: step.rename(migration.field, migration.into[0]); break;
      case Migration::Kind::kSplit: step.split(migration); break;
      case Migration::Kind::kDefault: step.set_default(migration); break;
      case Migration::Kind::kRetype: {
        const FieldSpec* spec = after.field(migration.field);
        WS_CHECK(spec != nullptr);  // the loader saw to it
        step.retype(migration.field, spec->type);
        break;
      }
    }
  }
  op.coll = after.name;
}

}  // namespace waystation

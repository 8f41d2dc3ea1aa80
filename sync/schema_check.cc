#include "sync/schema_check.h"

#include <fmt/format.h>

#include "sync/device_id.h"
#include "sync/limits.h"
#include "sync/scalar.h"

namespace waystation {
namespace {

// A refusal is kept, and read by people who may not read the field: it names the field and the
// rule, never a value.
Refusal wrong_type(std::string_view field, std::string_view expected) {
  return Refusal{Code::kFieldType, fmt::format("{}: must be {}", field, expected)};
}

std::optional<Refusal> check_string(const FieldSpec& spec, const Value& value) {
  if (value.type != ValueType::kString) return wrong_type(spec.name, "a string");
  if (!spec.choices.empty()) {
    if (spec.choices.count(std::string(unquoted(value))) == 0) {
      return Refusal{Code::kFieldLimit, fmt::format("{}: not one of the choices", spec.name)};
    }
  } else if (value.length_points > spec.max_length) {
    return Refusal{Code::kFieldLimit,
                   fmt::format("{}: at most {} characters", spec.name, spec.max_length)};
  }
  return std::nullopt;
}

// What a quota can be asked at all; what it holds is known when the op is applied.
std::optional<Refusal> check_move(const FieldSpec& spec, const Edit& edit, Held held) {
  const Value& value = edit.values[0];
  if (edit.kind == EditKind::kReclaim) {
    if (value.type != ValueType::kString || !parse_device_id(unquoted(value))) {
      return wrong_type(spec.name, "the id of a device");
    }
    return std::nullopt;
  }
  if (value.type != ValueType::kInteger) return wrong_type(spec.name, "an integer");
  if (edit.kind != EditKind::kGrant) {
    if (value.integer > 0) return std::nullopt;
    return Refusal{Code::kFieldLimit, fmt::format("{}: must be above zero", spec.name)};
  }
  if (value.integer == 0) {
    return Refusal{Code::kFieldLimit, fmt::format("{}: a grant is not zero", spec.name)};
  }
  if (held == Held::kToAll && value.number > spec.max) {
    return Refusal{Code::kFieldLimit,
                   fmt::format("{}: at most {} may be granted", spec.name, spec.max)};
  }
  return std::nullopt;
}

std::optional<Refusal> check_limits(const FieldSpec& spec, const Edit& edit) {
  for (const Value& value : edit.values) {
    if (edit.kind == EditKind::kSet && value.type == ValueType::kNull) continue;  // clears it
    if (auto refusal = check_value(spec, value)) return refusal;
  }
  if (spec.max_items > 0 && edit.values.size() > spec.max_items) {
    return Refusal{Code::kFieldLimit,
                   fmt::format("{}: at most {} items", spec.name, spec.max_items)};
  }
  return std::nullopt;
}

std::optional<Refusal> check_edit(const Collection& collection, const Edit& edit, Author author,
                                  Held held) {
  for (const Value& value : edit.values) {
    if (value.json.size() > limits::kStringBytes + 2) {  // with its quotes
      return Refusal{Code::kFieldLimit, fmt::format("{}: a value has at most {} bytes", edit.field,
                                                    limits::kStringBytes)};
    }
  }
  const MergeType merge = merge_type_of(edit.kind);
  const FieldSpec* spec = collection.field(edit.field);
  if (spec == nullptr) {
    // Written by a newer client: kept. But a quota is decided and not merged, and of one that it
    // does not know the server cannot tell what may be given.
    if (merge != MergeType::kQuota) return std::nullopt;
    return Refusal{Code::kFieldKind, fmt::format("{} is no quota that is known", edit.field)};
  }
  if (spec->merge != merge) {
    return Refusal{Code::kFieldKind, fmt::format("{} is a {}", spec->name, to_string(spec->merge))};
  }
  if (spec->by_server && author != Author::kServer) {
    return Refusal{Code::kFieldDerived, fmt::format("only the server writes {}", spec->name)};
  }
  if (merge == MergeType::kQuota) return check_move(*spec, edit, held);
  return held == Held::kToAll ? check_limits(*spec, edit) : std::nullopt;
}

std::optional<Refusal> check_key(const Collection& collection, const Op& op) {
  if (collection.key.empty()) return std::nullopt;
  std::string_view rest = op.id;
  for (std::size_t i = 0; i < collection.key.size(); ++i) {
    const bool last = i + 1 == collection.key.size();
    const std::size_t end = last ? rest.size() : rest.find('~');
    if (end == std::string_view::npos || end == 0 ||
        (last && rest.find('~') != std::string_view::npos)) {
      return Refusal{Code::kRecordKey,
                     fmt::format("the id must be {}", fmt::join(collection.key, "~"))};
    }
    const std::string_view part = rest.substr(0, end);
    for (const Edit& edit : op.edits) {
      if (edit.field == collection.key[i] &&
          (edit.values[0].type != ValueType::kString || unquoted(edit.values[0]) != part)) {
        return Refusal{Code::kRecordKey,
                       fmt::format("{} must be as the id says: {}", edit.field, part)};
      }
    }
    rest.remove_prefix(last ? end : end + 1);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> check_value(const FieldSpec& spec, const Value& value) {
  switch (spec.type) {
    case FieldType::kString: return check_string(spec, value);
    case FieldType::kBoolean:
      if (value.type != ValueType::kBool) return wrong_type(spec.name, "true or false");
      return std::nullopt;
    case FieldType::kTime:
      if (value.type != ValueType::kString || !is_time(unquoted(value))) {
        return wrong_type(spec.name,
                          "a time with offset such as 2026-01-01T08:30:00+08:00 (RFC 3339)");
      }
      return std::nullopt;
    case FieldType::kDate:
      if (value.type != ValueType::kString || !is_date(unquoted(value))) {
        return wrong_type(spec.name, "a date such as 2026-01-01");
      }
      return std::nullopt;
    case FieldType::kInteger:
    case FieldType::kNumber:
      if (value.type != ValueType::kInteger &&
          (spec.type == FieldType::kInteger || value.type != ValueType::kNumber)) {
        return wrong_type(spec.name, spec.type == FieldType::kInteger ? "an integer" : "a number");
      }
      if (value.number < spec.min || value.number > spec.max) {
        return Refusal{Code::kFieldLimit,
                       fmt::format("{}: must be {} to {}", spec.name, spec.min, spec.max)};
      }
      return std::nullopt;
  }
  WS_CHECK(false);
}

std::optional<Refusal> check_op(const Collection& collection, const Op& op, Author author,
                                Held held) {
  if (op.del && !collection.deletable) {
    return Refusal{Code::kDeleteForbidden, fmt::format("records of {} are not deleted", op.coll)};
  }
  if (auto refusal = check_key(collection, op)) return refusal;
  const Edit* moves = nullptr;
  for (const Edit& edit : op.edits) {
    if (auto refusal = check_edit(collection, edit, author, held)) return refusal;
    if (merge_type_of(edit.kind) != MergeType::kQuota) continue;
    // Its verdict tells of one move, and so does its entry in the ledger.
    if (moves != nullptr) return Refusal{Code::kOpInvalid, "an op moves at most one quota"};
    moves = &edit;
  }
  return std::nullopt;
}

}  // namespace waystation

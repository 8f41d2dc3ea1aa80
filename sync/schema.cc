#include "sync/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sync/canonical.h"
#include "sync/json_dom.h"
#include "sync/limits.h"
#include "sync/wire.h"

namespace waystation {
namespace {

namespace dom = simdjson::dom;

template <typename Enum, std::size_t N>
using Names = std::array<std::pair<std::string_view, Enum>, N>;

constexpr Names<MergeType, 5> kMergeNames{{{"register", MergeType::kRegister},
                                           {"counter", MergeType::kCounter},
                                           {"set", MergeType::kSet},
                                           {"log", MergeType::kLog},
                                           {"quota", MergeType::kQuota}}};
constexpr Names<FieldType, 6> kTypeNames{{{"string", FieldType::kString},
                                          {"integer", FieldType::kInteger},
                                          {"number", FieldType::kNumber},
                                          {"boolean", FieldType::kBoolean},
                                          {"time", FieldType::kTime},
                                          {"date", FieldType::kDate}}};

// Reads one file; stops at the first thing that is wrong and says where it stands.
class Loader {
 public:
  explicit Loader(const SchemaFile& file) : file_(file) {}

  Result<Collection> load() {
    const auto document = json::parse(file_.text);
    if (!document) return wrong("", document.error().context);
    dom::object root;
    if (document->root.get(root) != simdjson::SUCCESS) return wrong("", "must be an object");
    Collection made;
    read_collection(made, root);
    if (!problem_.empty()) return Error{Code::kSchemaInvalid, problem_};
    return made;
  }

 private:
  Error wrong(std::string_view path, std::string_view reason) {
    fail(path, reason);
    return Error{Code::kSchemaInvalid, problem_};
  }
  void fail(std::string_view path, std::string_view reason) {
    if (problem_.empty()) {
      problem_ = fmt::format("{}: {}: {}", file_.name, path.empty() ? "/" : path, reason);
    }
  }

  void only_keys(dom::object object, std::string_view path,
                 std::initializer_list<std::string_view> known) {
    std::set<std::string_view> seen;
    for (const auto member : object) {
      if (std::find(known.begin(), known.end(), member.key) == known.end()) {
        fail(fmt::format("{}/{}", path, member.key), "unknown key");
      }
      if (!seen.insert(member.key).second) {
        fail(fmt::format("{}/{}", path, member.key), "stands twice");
      }
    }
  }

  std::string text(dom::object object, std::string_view path, std::string_view key) {
    const auto found = json::find(object, key);
    std::string_view value;
    if (!found || found->get(value) != simdjson::SUCCESS || value.empty()) {
      fail(fmt::format("{}/{}", path, key), "must be a filled string");
    }
    return std::string(value);
  }

  bool flag(dom::object object, std::string_view path, std::string_view key, bool otherwise) {
    const auto found = json::find(object, key);
    bool value = otherwise;
    if (found && found->get(value) != simdjson::SUCCESS) {
      fail(fmt::format("{}/{}", path, key), "must be true or false");
    }
    return value;
  }

  std::int64_t whole(dom::object object, std::string_view path, std::string_view key,
                     std::int64_t min, std::int64_t max) {
    const auto found = json::find(object, key);
    const auto value = found ? json::integer(*found) : std::nullopt;
    if (!value || *value < min || *value > max) {
      fail(fmt::format("{}/{}", path, key),
           fmt::format("must be an integer from {} to {}", min, max));
      return min;
    }
    return *value;
  }

  double number(dom::object object, std::string_view path, std::string_view key) {
    const auto found = json::find(object, key);
    double value = 0;
    if (!found || found->get(value) != simdjson::SUCCESS) {
      fail(fmt::format("{}/{}", path, key), "must be a number");
    }
    return value;
  }

  Title title(dom::object object, std::string_view path) {
    const std::string at = fmt::format("{}/title", path);
    const auto found = json::find(object, "title");
    dom::object value;
    if (!found || found->get(value) != simdjson::SUCCESS) {
      fail(at, "must be an object with zh and en");
      return {};
    }
    only_keys(value, at, {"zh", "en"});
    return Title{text(value, at, "zh"), text(value, at, "en")};
  }

  template <typename Enum, std::size_t N>
  Enum one_of(dom::object object, std::string_view path, std::string_view key,
              const Names<Enum, N>& names) {
    const std::string word = text(object, path, key);
    for (const auto& [known, value] : names) {
      if (known == word) return value;
    }
    std::string all;
    for (const auto& [known, value] : names) all += fmt::format(" {}", known);
    fail(fmt::format("{}/{}", path, key), fmt::format("\"{}\" is none of:{}", word, all));
    return names[0].second;
  }

  void read_choices(FieldSpec& spec, dom::object object, const std::string& path) {
    const auto found = json::find(object, "enum");
    if (!found) return;
    dom::object choices;
    if (spec.type != FieldType::kString || found->get(choices) != simdjson::SUCCESS ||
        choices.size() == 0) {
      fail(path + "/enum", "must be a filled object of value to title, on a string field");
      return;
    }
    for (const auto choice : choices) {
      const std::string at = fmt::format("{}/enum/{}", path, choice.key);
      dom::object titles;
      if (!valid_name(choice.key) || choice.value.get(titles) != simdjson::SUCCESS) {
        fail(at, "must be a name with titles zh and en");
        continue;
      }
      only_keys(titles, at, {"zh", "en"});
      spec.choices.emplace(choice.key, Title{text(titles, at, "zh"), text(titles, at, "en")});
    }
  }

  FieldSpec read_field(std::string_view field_name, dom::element element, bool facts) {
    const std::string path = fmt::format("/fields/{}", field_name);
    FieldSpec spec;
    spec.name = std::string(field_name);
    dom::object object;
    if (element.get(object) != simdjson::SUCCESS) {
      fail(path, "must be an object");
      return spec;
    }
    only_keys(
        object, path,
        {"merge", "type", "title", "required", "enum", "max_length", "min", "max", "max_items"});
    if (!valid_name(field_name)) fail(path, "is not a field name ([a-z][a-z0-9_]*)");
    spec.merge = one_of(object, path, "merge", kMergeNames);
    spec.type = one_of(object, path, "type", kTypeNames);
    spec.title = title(object, path);
    spec.required = flag(object, path, "required", false);
    if (spec.required && (!facts || spec.merge != MergeType::kRegister)) {
      fail(path + "/required", "only a register of a facts collection can be required");
    }
    read_choices(spec, object, path);
    if (spec.type == FieldType::kString && spec.choices.empty()) {
      spec.max_length = static_cast<std::uint32_t>(
          whole(object, path, "max_length", 1, static_cast<std::int64_t>(limits::kStringBytes)));
    }
    const bool numeric = spec.type == FieldType::kInteger || spec.type == FieldType::kNumber;
    if (numeric) {
      spec.min = number(object, path, "min");
      spec.max = number(object, path, "max");
      if (spec.min > spec.max) fail(path + "/min", "is above max");
    }
    if (spec.merge == MergeType::kCounter && spec.type != FieldType::kInteger) {
      fail(path + "/type", "a counter is an integer");
    }
    if (spec.merge == MergeType::kSet || spec.merge == MergeType::kLog) {
      spec.max_items = static_cast<std::size_t>(
          whole(object, path, "max_items", 1, static_cast<std::int64_t>(limits::kEntriesPerField)));
    }
    return spec;
  }

  void read_collection(Collection& made, dom::object root) {
    only_keys(root, "", {"collection", "version", "title", "facts", "deletable", "key", "fields"});
    made.name = text(root, "", "collection");
    if (!valid_name(made.name)) fail("/collection", "is not a name ([a-z][a-z0-9_]*)");
    made.version = static_cast<std::uint32_t>(whole(root, "", "version", 1, 1'000'000));
    made.title = title(root, "");
    made.facts = flag(root, "", "facts", false);
    made.deletable = flag(root, "", "deletable", true) && !made.facts;
    const auto fields = json::find(root, "fields");
    dom::object field_object;
    if (!fields || fields->get(field_object) != simdjson::SUCCESS || field_object.size() == 0) {
      fail("/fields", "must be a filled object");
      return;
    }
    only_unique(field_object);
    for (const auto field : field_object) {
      made.fields.push_back(read_field(field.key, field.value, made.facts));
    }
    read_key(made, root);
  }

  void only_unique(dom::object fields) {
    std::set<std::string_view> seen;
    for (const auto field : fields) {
      if (!seen.insert(field.key).second)
        fail(fmt::format("/fields/{}", field.key), "stands twice");
    }
  }

  void read_key(Collection& made, dom::object root) {
    const auto found = json::find(root, "key");
    if (!found) return;
    dom::array parts;
    if (found->get(parts) != simdjson::SUCCESS || parts.size() < 2) {
      fail("/key", "must be an array of two or more field names");
      return;
    }
    for (const dom::element part : parts) {
      std::string_view word;
      const bool good = part.get(word) == simdjson::SUCCESS;
      const FieldSpec* spec = good ? made.field(word) : nullptr;
      if (spec == nullptr || spec->merge != MergeType::kRegister) {
        fail("/key", fmt::format("\"{}\" is not a register of this collection", word));
        return;
      }
      made.key.emplace_back(word);
    }
  }

  const SchemaFile& file_;
  std::string problem_;
};

std::string_view unquoted(const Value& value) {
  return std::string_view(value.json).substr(1, value.json.size() - 2);
}

bool two_digits(std::string_view text, std::size_t at, int min, int max) {
  const char a = text[at];
  const char b = text[at + 1];
  if (a < '0' || a > '9' || b < '0' || b > '9') return false;
  const int number = (a - '0') * 10 + (b - '0');
  return number >= min && number <= max;
}

bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  if (!two_digits(text, 0, 0, 99) || !two_digits(text, 2, 0, 99)) return false;
  if (!two_digits(text, 5, 1, 12) || !two_digits(text, 8, 1, 31)) return false;
  const int year =
      (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + text[3] - '0';
  const int month = (text[5] - '0') * 10 + text[6] - '0';
  const int day = (text[8] - '0') * 10 + text[9] - '0';
  constexpr std::array kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= kDays.at(static_cast<std::size_t>(month - 1)) + (month == 2 && leap ? 1 : 0);
}

// RFC 3339 with an offset: the instant, the offset and the local date in one value.
bool is_time(std::string_view text) {
  if (text.size() < 20 || !is_date(text.substr(0, 10)) || text[10] != 'T') return false;
  if (!two_digits(text, 11, 0, 23) || text[13] != ':' || !two_digits(text, 14, 0, 59)) return false;
  if (text[16] != ':' || !two_digits(text, 17, 0, 60)) return false;
  std::size_t at = 19;
  if (text[at] == '.') {
    const std::size_t start = ++at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    if (at == start || at - start > 9) return false;
  }
  const std::string_view zone = text.substr(std::min(at, text.size()));
  if (zone == "Z") return true;
  return zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && two_digits(zone, 1, 0, 23) &&
         zone[3] == ':' && two_digits(zone, 4, 0, 59);
}

Refusal wrong_type(const FieldSpec& spec, std::string_view expected) {
  return Refusal{Code::kFieldType, fmt::format("{}: must be {}", spec.name, expected)};
}

std::optional<Refusal> check_string(const FieldSpec& spec, const Value& value) {
  if (value.type != ValueType::kString) return wrong_type(spec, "a string");
  if (!spec.choices.empty()) {
    if (spec.choices.count(std::string(unquoted(value))) == 0) {
      return Refusal{Code::kFieldLimit,
                     fmt::format("{}: {} is not one of the choices", spec.name, value.json)};
    }
  } else if (value.length_points > spec.max_length) {
    return Refusal{Code::kFieldLimit, fmt::format("{}: {} characters, at most {}", spec.name,
                                                  value.length_points, spec.max_length)};
  }
  return std::nullopt;
}

std::optional<Refusal> check_value(const FieldSpec& spec, const Value& value) {
  switch (spec.type) {
    case FieldType::kString: return check_string(spec, value);
    case FieldType::kBoolean:
      if (value.type != ValueType::kBool) return wrong_type(spec, "true or false");
      return std::nullopt;
    case FieldType::kTime:
      if (value.type != ValueType::kString || !is_time(unquoted(value))) {
        return wrong_type(spec, "a time with offset such as 2026-01-01T08:30:00+08:00 (RFC 3339)");
      }
      return std::nullopt;
    case FieldType::kDate:
      if (value.type != ValueType::kString || !is_date(unquoted(value))) {
        return wrong_type(spec, "a date such as 2026-01-01");
      }
      return std::nullopt;
    case FieldType::kInteger:
    case FieldType::kNumber:
      if (value.type != ValueType::kInteger &&
          (spec.type == FieldType::kInteger || value.type != ValueType::kNumber)) {
        return wrong_type(spec, spec.type == FieldType::kInteger ? "an integer" : "a number");
      }
      if (value.number < spec.min || value.number > spec.max) {
        return Refusal{Code::kFieldLimit, fmt::format("{}: {} is outside {} to {}", spec.name,
                                                      value.json, spec.min, spec.max)};
      }
      return std::nullopt;
  }
  WS_CHECK(false);
}

std::optional<Refusal> check_edit(const Collection& collection, const Edit& edit) {
  for (const Value& value : edit.values) {
    if (value.json.size() > limits::kStringBytes + 2) {  // with its quotes
      return Refusal{Code::kFieldLimit, fmt::format("{}: a value has at most {} bytes", edit.field,
                                                    limits::kStringBytes)};
    }
  }
  const FieldSpec* spec = collection.field(edit.field);
  if (spec == nullptr) return std::nullopt;  // written by a newer client: kept
  if (spec->merge != merge_type_of(edit.kind)) {
    return Refusal{Code::kFieldKind, fmt::format("{} is a {}", spec->name, to_string(spec->merge))};
  }
  for (const Value& value : edit.values) {
    if (edit.kind == EditKind::kSet && value.type == ValueType::kNull) continue;  // clears it
    if (auto refusal = check_value(*spec, value)) return refusal;
  }
  if (spec->max_items > 0 && edit.values.size() > spec->max_items) {
    return Refusal{Code::kFieldLimit, fmt::format("{}: {} items, at most {}", spec->name,
                                                  edit.values.size(), spec->max_items)};
  }
  return std::nullopt;
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
        return Refusal{Code::kRecordKey, fmt::format("{} is {} but the id says {}", edit.field,
                                                     edit.values[0].json, part)};
      }
    }
    rest.remove_prefix(last ? end : end + 1);
  }
  return std::nullopt;
}

}  // namespace

MergeType merge_type_of(EditKind kind) {
  switch (kind) {
    case EditKind::kSet: return MergeType::kRegister;
    case EditKind::kInc: return MergeType::kCounter;
    case EditKind::kAdd:
    case EditKind::kRemove: return MergeType::kSet;
    case EditKind::kAppend: return MergeType::kLog;
    case EditKind::kGrant:
    case EditKind::kLease:
    case EditKind::kSpend:
    case EditKind::kReturn:
    case EditKind::kReclaim: return MergeType::kQuota;
  }
  WS_CHECK(false);
}

std::string_view to_string(MergeType type) {
  for (const auto& [word, value] : kMergeNames) {
    if (value == type) return word;
  }
  WS_CHECK(false);
}

const FieldSpec* Collection::field(std::string_view field_name) const {
  for (const FieldSpec& spec : fields) {
    if (spec.name == field_name) return &spec;
  }
  return nullptr;
}

Result<Schemas> Schemas::parse(const std::vector<SchemaFile>& files) {
  Schemas made;
  for (const SchemaFile& file : files) {
    Loader loader(file);
    auto collection = loader.load();
    if (!collection) return collection.error();
    const std::string collection_name = collection->name;
    auto [at, fresh] = made.collections_.try_emplace(collection_name, std::move(*collection));
    if (!fresh) {
      return Error{
          Code::kSchemaInvalid,
          fmt::format("{}: /collection: \"{}\" stands in another file too", file.name, at->first)};
    }
  }
  if (made.collections_.count("scope") == 0) {
    return Error{Code::kSchemaInvalid, "the collection \"scope\" is missing: no scope could exist"};
  }
  return made;
}

const Collection* Schemas::find(std::string_view name) const {
  const auto at = collections_.find(name);
  return at == collections_.end() ? nullptr : &at->second;
}

std::optional<Refusal> Schemas::check(const Op& op) const {
  const Collection* collection = find(op.coll);
  if (collection == nullptr) {
    return Refusal{Code::kCollectionUnknown, fmt::format("there is no collection \"{}\"", op.coll)};
  }
  if (op.del) {
    if (!collection->deletable) {
      return Refusal{Code::kDeleteForbidden, fmt::format("records of {} are not deleted", op.coll)};
    }
  }
  if (auto refusal = check_key(*collection, op)) return refusal;
  for (const Edit& edit : op.edits) {
    if (auto refusal = check_edit(*collection, edit)) return refusal;
  }
  return std::nullopt;
}

}  // namespace waystation

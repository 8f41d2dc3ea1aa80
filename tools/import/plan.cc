#include "tools/import/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "sync/canonical.h"
#include "sync/record.h"
#include "sync/wire.h"
#include "tools/json_view.h"

namespace waystation {
namespace {

Error invalid(std::string reason) { return Error{Code::kInputInvalid, std::move(reason)}; }

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// The text of a cell that must be text; empty when it is not there (a JSON null says the same).
Result<std::string> cell_text(const InputLine& line, const std::string& column) {
  const auto at = line.cells.find(column);
  if (at == line.cells.end() || (at->second.json && at->second.text == "null")) {
    return std::string();
  }
  if (!at->second.json) return at->second.text;
  if (at->second.text[0] != '"') return invalid(fmt::format("{}: must be a string", column));
  return json_plain(at->second.text);
}

// The same for one that must be filled.
Result<std::string> filled_text(const InputLine& line, const std::string& column) {
  auto text = cell_text(line, column);
  if (text.ok() && text->empty()) return invalid(fmt::format("{} is missing", column));
  return text;
}

Result<std::string> register_value(const FieldSpec& spec, const Cell& cell) {
  if (cell.json) return cell.text;
  switch (spec.type) {
    case FieldType::kString:
    case FieldType::kTime:
    case FieldType::kDate: return quoted(cell.text);
    case FieldType::kBoolean:
      if (cell.text == "true" || cell.text == "false") return cell.text;
      return invalid(fmt::format("{}: \"{}\" is not true or false", spec.name, cell.text));
    case FieldType::kInteger:
    case FieldType::kNumber: break;
  }
  auto number = canonicalize(cell.text);
  const bool good =
      number.ok() && ((*number)[0] == '-' || ((*number)[0] >= '0' && (*number)[0] <= '9'));
  if (!good) return invalid(fmt::format("{}: \"{}\" is not a number", spec.name, cell.text));
  return number;
}

Result<std::vector<std::string>> set_elements(const FieldSpec& spec, const Cell& cell) {
  std::vector<std::string> elements;
  if (cell.json) {
    if (cell.text != "null" && cell.text[0] != '[') {
      return invalid(fmt::format("{}: must be an array", spec.name));
    }
    for (const std::string_view item : json_items(cell.text)) elements.emplace_back(item);
  } else {
    std::string_view rest = cell.text;
    while (!rest.empty()) {
      std::string_view part = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(rest.size(), part.size() + 1));
      while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
      while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
      if (!part.empty()) elements.push_back(quoted(part));
    }
  }
  std::sort(elements.begin(), elements.end());
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  return elements;
}

// The name of a scope has room for fewer characters than the title of an event.
std::string shortened(std::string_view text, std::size_t most_points) {
  std::size_t points = 0;
  std::size_t last_but_one = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) continue;
    ++points;
    if (points == most_points) last_but_one = at;
    if (points > most_points) return fmt::format("{}…", text.substr(0, last_but_one));
  }
  return std::string(text);
}

bool digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Names the choices where a value is none of them.
Error explain(const Collection& collection, const Refusal& refusal) {
  const auto field = collection.field(refusal.detail.substr(0, refusal.detail.find(':')));
  Error error{refusal.code, refusal.detail};
  if (field != nullptr && !field->choices.empty() && refusal.code == Code::kFieldLimit) {
    error.context += ":";
    for (const auto& [choice, title] : field->choices) error.context += " " + choice;
  }
  return error;
}

template <typename Text>
std::string array_text(const std::vector<Text>& items) {
  return fmt::format("[{}]", fmt::join(items, ","));
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (!out.empty()) out += ',';
  out += fmt::format("\"{}\":{}", name, value);
}

void append_edit(std::string& out, std::string_view kind, const std::string& members) {
  if (!members.empty()) append_member(out, kind, "{" + members + "}");
}

}  // namespace

std::optional<ImportKind> parse_import_kind(std::string_view word) {
  if (word == "divisions") return ImportKind::kDivisions;
  if (word == "stations") return ImportKind::kStations;
  if (word == "events") return ImportKind::kEvents;
  if (word == "roster") return ImportKind::kRoster;
  if (word == "attendance") return ImportKind::kAttendance;
  if (word == "visits") return ImportKind::kVisits;
  return std::nullopt;
}

std::optional<ScopeRoot> parse_scope_root(std::string_view text) {
  const std::size_t equal = text.find('=');
  ScopeRoot root{std::string(text.substr(0, equal)), {}};
  if (equal != std::string_view::npos) root.title = std::string(text.substr(equal + 1));
  if (!valid_scope_id(root.id)) return std::nullopt;
  return root;
}

Planner::Planner(const Schemas& schemas, ImportKind kind, ScopeRoot root)
    : schemas_(schemas), kind_(kind), root_(std::move(root)) {}

InputColumns Planner::columns() const {
  InputColumns columns;
  std::string coll;
  switch (kind_) {
    case ImportKind::kDivisions:
      columns.required = {"district_code", "district",     "town_code",
                          "town",          "village_code", "village"};
      return columns;
    case ImportKind::kStations:
      columns.required = {"id", "name"};
      coll = "station";
      break;
    case ImportKind::kEvents:
      columns.required = {"id", "title"};
      coll = "event";
      break;
    case ImportKind::kRoster:
      columns.required = {"number", "name"};
      (root_.id.empty() ? columns.required : columns.optional).emplace_back("scope");
      coll = "volunteer";
      break;
    case ImportKind::kAttendance:
      columns.required = {"event", "volunteer"};
      coll = "attendance";
      break;
    case ImportKind::kVisits:
      columns.required = {"station", "id"};
      coll = "visit";
      break;
  }
  const Collection* collection = schemas_.find(coll);
  if (collection == nullptr) return columns;
  for (const FieldSpec& spec : collection->fields) {
    const bool taken = spec.merge == MergeType::kRegister || spec.merge == MergeType::kSet;
    const auto& required = columns.required;
    if (taken && std::find(required.begin(), required.end(), spec.name) == required.end()) {
      columns.optional.push_back(spec.name);
    }
  }
  return columns;
}

PlannedRecord Planner::scope_record(std::string id, std::string_view title, std::string_view kind,
                                    std::string_view parent) const {
  PlannedRecord record;
  record.scope = std::move(id);
  record.coll = "scope";
  record.id = record.scope;
  std::replace(record.id.begin(), record.id.end(), '/', '-');
  const Collection* collection = schemas_.find("scope");
  const FieldSpec* spec = collection == nullptr ? nullptr : collection->field("title");
  record.registers["title"] =
      quoted(spec == nullptr ? std::string(title) : shortened(title, spec->max_length));
  record.registers["kind"] = quoted(kind);
  if (!parent.empty()) record.registers["parent"] = quoted(parent);
  return record;
}

// Takes over the cells that are fields of the record's collection, but not the column `skip`.
Status Planner::fill(PlannedRecord& record, const InputLine& line, std::string_view skip) const {
  const Collection* collection = schemas_.find(record.coll);
  if (collection == nullptr) {
    return Error{Code::kCollectionUnknown,
                 fmt::format("the schemas have no collection \"{}\"", record.coll)};
  }
  for (const auto& [column, cell] : line.cells) {
    const FieldSpec* spec = collection->field(column);
    if (spec == nullptr || column == skip) continue;
    if (spec->merge == MergeType::kSet) {
      auto elements = set_elements(*spec, cell);
      if (!elements) return elements.error();
      record.sets[column] = std::move(*elements);
    } else {
      auto value = register_value(*spec, cell);
      if (!value) return value.error();
      record.registers[column] = std::move(*value);
    }
  }
  return {};
}

// What the server would say of the op that makes this record.
Status Planner::check(const PlannedRecord& record) const {
  if (!valid_scope_id(record.scope)) {
    return Error{Code::kRecordId, fmt::format("\"{}\" is not a scope id", record.scope)};
  }
  std::string json = R"({"n":1,"wall":0,"mono":0,"boot":"-","scope":)";
  append_json_string(json, record.scope);
  json += ",\"coll\":" + quoted(record.coll) + ",\"id\":" + quoted(record.id) + ",";
  json += edits_between({}, record) + "}";
  const auto op = decode_op(json);
  if (!op) return op.error();
  const Collection* collection = schemas_.find(record.coll);
  if (op->refusal) return Error{op->refusal->code, op->refusal->detail};
  if (const auto refusal = schemas_.check(*op)) {
    return collection == nullptr ? Error{refusal->code, refusal->detail}
                                 : explain(*collection, *refusal);
  }
  return {};
}

Result<Plan> Planner::divisions(const InputLine& line) const {
  struct Level {
    const char* code_column;
    const char* name_column;
    const char* kind;
    std::size_t code_digits;
  };
  // The statistical division codes: two digits each for province, city and county, then three each
  // for town and village.
  static constexpr Level kLevels[] = {{"district_code", "district", "district", 6},
                                      {"town_code", "town", "town", 9},
                                      {"village_code", "village", "community", 12}};
  Plan plan;
  std::string parent = root_.id;
  if (!root_.title.empty()) {
    plan.records.push_back(scope_record(root_.id, root_.title, "city", {}));
    plan.records.back().registers["code"] = quoted(root_.id);
  }
  for (const Level& level : kLevels) {
    auto code = filled_text(line, level.code_column);
    if (!code) return code.error();
    const auto title = filled_text(line, level.name_column);
    if (!title) return title.error();
    if (!digits(*code) || code->size() != level.code_digits) {
      return invalid(
          fmt::format("{}: \"{}\" has not {} digits", level.code_column, *code, level.code_digits));
    }
    if (digits(parent) && code->compare(0, parent.size(), parent) != 0) {
      return invalid(fmt::format("{}: {} does not lie in {}", level.code_column, *code, parent));
    }
    plan.records.push_back(scope_record(*code, *title, level.kind, parent));
    plan.records.back().registers["code"] = quoted(*code);
    parent = std::move(*code);
  }
  return plan;
}

// A station or an event: a scope of its own, and in it the record.
Result<Plan> Planner::place(const InputLine& line, std::string_view coll,
                            std::string_view name_column) const {
  const auto id = filled_text(line, "id");
  if (!id) return id.error();
  const auto title = filled_text(line, std::string(name_column));
  if (!title) return title.error();
  const auto division = cell_text(line, "division");
  if (!division) return division.error();
  if (!valid_record_id(*id) || !valid_scope_id(fmt::format("{}:{}", coll, *id)) ||
      id->find('~') != std::string::npos) {
    return invalid(fmt::format("id: \"{}\" is not an id (letters, digits and . _ : -)", *id));
  }
  Plan plan;
  const std::string parent = division->empty() ? root_.id : *division;
  if (!parent.empty()) plan.needs.push_back(parent);
  plan.records.push_back(scope_record(fmt::format("{}:{}", coll, *id), *title, coll, parent));
  PlannedRecord record;
  record.scope = plan.records[0].scope;
  record.coll = std::string(coll);
  record.id = *id;
  if (auto filled = fill(record, line, "id"); !filled) return filled.error();
  plan.records.push_back(std::move(record));
  return plan;
}

Result<Plan> Planner::roster(const InputLine& line) const {
  auto scope = root_.id.empty() ? filled_text(line, "scope") : cell_text(line, "scope");
  if (!scope) return scope.error();
  if (scope->empty()) scope = root_.id;
  const auto number = filled_text(line, "number");
  if (!number) return number.error();
  if (const auto title = filled_text(line, "name"); !title) return title.error();
  if (!valid_record_id(*number)) {
    return invalid(
        fmt::format("number: \"{}\" is not an id (letters, digits and . _ : ~ -)", *number));
  }
  Plan plan;
  plan.needs.push_back(*scope);
  PlannedRecord record;
  record.scope = *scope;
  record.coll = "volunteer";
  record.id = *number;
  if (auto filled = fill(record, line, "scope"); !filled) return filled.error();
  plan.records.push_back(std::move(record));
  return plan;
}

// Who came to an event: one record for one person, whoever enters it.
Result<Plan> Planner::attendance(const InputLine& line) const {
  const auto event = filled_text(line, "event");
  if (!event) return event.error();
  const auto volunteer = filled_text(line, "volunteer");
  if (!volunteer) return volunteer.error();
  Plan plan;
  PlannedRecord record;
  record.scope = fmt::format("event:{}", *event);
  record.coll = "attendance";
  record.id = fmt::format("{}~{}", *event, *volunteer);
  plan.needs.push_back(record.scope);
  if (auto filled = fill(record, line, {}); !filled) return filled.error();
  plan.records.push_back(std::move(record));
  return plan;
}

Result<Plan> Planner::visit(const InputLine& line) const {
  const auto station = filled_text(line, "station");
  if (!station) return station.error();
  const auto id = filled_text(line, "id");
  if (!id) return id.error();
  if (!valid_record_id(*id)) {
    return invalid(fmt::format("id: \"{}\" is not an id (letters, digits and . _ : ~ -)", *id));
  }
  Plan plan;
  PlannedRecord record;
  record.scope = fmt::format("station:{}", *station);
  record.coll = "visit";
  record.id = *id;
  plan.needs.push_back(record.scope);
  if (auto filled = fill(record, line, {}); !filled) return filled.error();
  plan.records.push_back(std::move(record));
  return plan;
}

Result<Plan> Planner::plan_of(const InputLine& line) const {
  switch (kind_) {
    case ImportKind::kDivisions: return divisions(line);
    case ImportKind::kStations: return place(line, "station", "name");
    case ImportKind::kEvents: return place(line, "event", "title");
    case ImportKind::kRoster: return roster(line);
    case ImportKind::kAttendance: return attendance(line);
    case ImportKind::kVisits: return visit(line);
  }
  return invalid("no such kind");
}

Result<Plan> Planner::plan(const InputLine& line) {
  if (!line.problem.empty()) return invalid(line.problem);
  Result<Plan> plan = plan_of(line);
  if (!plan) return plan;
  std::vector<PlannedRecord> fresh;
  std::vector<std::pair<std::string, Earlier>> named;
  for (PlannedRecord& record : plan->records) {
    const std::string key = fmt::format("{} {} {}", record.scope, record.coll, record.id);
    const std::uint64_t content = hash_value(edits_between({}, record));
    if (const auto at = earlier_.find(key); at != earlier_.end()) {
      if (at->second.content == content) continue;
      return invalid(fmt::format("{} {} stands in line {} with other values", record.coll,
                                 record.id, at->second.line));
    }
    if (auto checked = check(record); !checked) return checked.error();
    named.emplace_back(key, Earlier{line.line, content});
    fresh.push_back(std::move(record));
  }
  for (auto& entry : named) earlier_.insert(std::move(entry));
  plan->records = std::move(fresh);
  return plan;
}

std::string edits_between(std::string_view held, const PlannedRecord& planned) {
  const JsonObject fields(held);
  std::string set;
  for (const auto& [field, value] : planned.registers) {
    const std::string_view now = fields.raw(field);
    if (now == value || (now.empty() && value == "null")) continue;
    append_member(set, field, value);
  }
  std::string add;
  std::string remove;
  for (const auto& [field, wanted] : planned.sets) {
    auto held_items = json_items(fields.raw(field));
    std::sort(held_items.begin(), held_items.end());
    std::vector<std::string> missing;
    std::vector<std::string_view> surplus;
    std::set_difference(wanted.begin(), wanted.end(), held_items.begin(), held_items.end(),
                        std::back_inserter(missing));
    std::set_difference(held_items.begin(), held_items.end(), wanted.begin(), wanted.end(),
                        std::back_inserter(surplus));
    if (!missing.empty()) append_member(add, field, array_text(missing));
    if (!surplus.empty()) append_member(remove, field, array_text(surplus));
  }
  std::string edits;
  append_edit(edits, "set", set);
  append_edit(edits, "add", add);
  append_edit(edits, "remove", remove);
  return edits;
}

}  // namespace waystation

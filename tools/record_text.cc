#include "tools/record_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/csv.h"
#include "tools/json_view.h"

namespace waystation {
namespace {

// A set joined by ";", where that can be taken apart again; else its JSON.
std::string set_text(std::string_view array) {
  std::string joined;
  for (const std::string_view item : json_items(array)) {
    const std::string text = json_plain(item);
    const bool simple =
        item[0] == '"' && !text.empty() && text[0] != '[' && text.find(';') == std::string::npos;
    if (!simple) return std::string(array);
    if (!joined.empty()) joined += ';';
    joined += text;
  }
  return joined;
}

std::string value_text(const FieldSpec& spec, std::string_view value) {
  return spec.merge == MergeType::kSet && value.substr(0, 1) == "[" ? set_text(value)
                                                                    : json_plain(value);
}

// Fields that the schema does not know, as one object; empty when there are none.
std::string unknown_fields(const Collection& collection, const JsonObject& fields) {
  std::string object;
  for (const auto& [name, value] : fields.members()) {
    if (collection.field(name) != nullptr) continue;
    object += fmt::format("{}\"{}\":{}", object.empty() ? "{" : ",", name, value);
  }
  if (!object.empty()) object += '}';
  return object;
}

}  // namespace

// Guarded is text alone: a number with a sign is no formula.
void RecordWriter::cell(std::string& out, std::string_view text, bool guard) const {
  if (guard && format_ == ExportFormat::kCsvExcel) {
    append_csv_cell(out, guard_formula(text));
  } else {
    append_csv_cell(out, text);
  }
}

void RecordWriter::end_line(std::string& out) const {
  out += format_ == ExportFormat::kCsvExcel ? "\r\n" : "\n";
}

std::string RecordWriter::head() const {
  if (format_ == ExportFormat::kJsonLines) return {};
  std::string out;
  if (format_ == ExportFormat::kCsvExcel) out += kByteOrderMark;
  out += "scope,id";
  for (const FieldSpec& spec : collection_.fields) out += "," + spec.name;
  out += ",more";
  end_line(out);
  return out;
}

void RecordWriter::append(std::string& out, std::string_view scope, std::string_view id,
                          std::string_view fields) const {
  if (format_ == ExportFormat::kJsonLines) {
    // Scope, collection and id hold nothing that JSON escapes.
    out += fmt::format(R"({{"scope":"{}","coll":"{}","id":"{}","fields":{}}})", scope,
                       collection_.name, id, fields);
    out += '\n';
    return;
  }
  const JsonObject members(fields);
  cell(out, scope, true);
  out += ',';
  cell(out, id, true);
  for (const FieldSpec& spec : collection_.fields) {
    const std::string_view value = members.raw(spec.name);
    out += ',';
    cell(out, value_text(spec, value), value.substr(0, 1) == "\"" || value.substr(0, 1) == "[");
  }
  out += ',';
  cell(out, unknown_fields(collection_, members), false);
  end_line(out);
}

}  // namespace waystation

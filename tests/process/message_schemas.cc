#include "tests/process/message_schemas.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#include <vector>

namespace waystation::testing {
namespace {

using SchemaMap = std::map<std::string, std::unique_ptr<valijson::Schema>>;

SchemaMap load() {
  SchemaMap schemas;
  for (const auto& file : std::filesystem::directory_iterator(WS_SOURCE_DIR "/schemas/messages")) {
    std::ifstream in(file.path());
    const auto text = nlohmann::json::parse(in);
    auto schema = std::make_unique<valijson::Schema>();
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(text), *schema);
    schemas[file.path().stem().string()] = std::move(schema);
  }
  return schemas;
}

const SchemaMap& all() {
  static const SchemaMap schemas = load();
  return schemas;
}

using Segments = std::vector<std::string>;

struct Operation {
  std::string method;
  Segments path;  // "{id}" stands for any segment
  PathSchemas schemas;
};

Segments segments_of(const std::string& target) {
  Segments segments;
  std::istringstream path(target.substr(0, target.find('?')));
  for (std::string segment; std::getline(path, segment, '/');) segments.push_back(segment);
  return segments;
}

bool same_path(const Segments& listed, const Segments& asked) {
  return std::equal(
      listed.begin(), listed.end(), asked.begin(), asked.end(),
      [](const std::string& a, const std::string& b) { return a == b || a.front() == '{'; });
}

// The name in {"content":{"application/json":{"schema":{"$ref":"./messages/NAME.json"}}}}.
std::string schema_name(const nlohmann::json& holder) {
  const nlohmann::json::json_pointer place("/content/application~1json/schema/$ref");
  if (!holder.is_object() || !holder.contains(place)) return {};
  return std::filesystem::path(holder[place].get<std::string>()).stem().string();
}

std::vector<Operation> load_operations() {
  std::ifstream in(WS_SOURCE_DIR "/schemas/openapi.json");
  const auto document = nlohmann::json::parse(in);
  std::vector<Operation> operations;
  for (const auto& [path, methods] : document["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      if (method == "parameters") continue;
      Operation row{method, segments_of(path), {}};
      std::transform(method.begin(), method.end(), row.method.begin(),
                     [](unsigned char c) { return std::toupper(c); });
      row.schemas.listed = true;
      row.schemas.request = schema_name(operation.value("requestBody", nlohmann::json()));
      row.schemas.reply = schema_name(operation["responses"].value("200", nlohmann::json()));
      operations.push_back(std::move(row));
    }
  }
  return operations;
}

}  // namespace

std::string faults_of(const std::string& name, const Json& message) {
  const auto at = all().find(name);
  if (at == all().end()) throw std::runtime_error("no schema " + name);
  thread_local valijson::Validator validator;
  valijson::ValidationResults results;
  const nlohmann::json plain = message;
  if (validator.validate(*at->second, valijson::adapters::NlohmannJsonAdapter(plain), &results)) {
    return {};
  }
  std::string faults = name + ":";
  for (valijson::ValidationResults::Error error; results.popError(error);) {
    std::string where;
    for (const std::string& part : error.context) where += part;
    faults += fmt::format("\n  {}: {}", where, error.description);
  }
  return faults;
}

void expect_valid(const std::string& name, const Json& message) {
  const std::string faults = faults_of(name, message);
  if (faults.empty()) return;
  ADD_FAILURE() << "a message does not keep to its schema " << faults << "\n"
                << message.dump().substr(0, 2000);
}

PathSchemas path_schemas(const std::string& method, const std::string& target) {
  static const std::vector<Operation> operations = load_operations();
  const Segments asked = segments_of(target);
  for (const Operation& operation : operations) {
    if (operation.method == method && same_path(operation.path, asked)) return operation.schemas;
  }
  return {};
}

std::vector<std::string> message_schemas() {
  std::vector<std::string> names;
  for (const auto& [name, schema] : all()) names.push_back(name);
  return names;
}

Json parse_json(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) {
    ADD_FAILURE() << "not JSON: " << text.substr(0, 500);
    return nullptr;
  }
  return json;
}

}  // namespace waystation::testing

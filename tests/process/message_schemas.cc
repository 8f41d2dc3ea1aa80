#include "tests/process/message_schemas.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

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

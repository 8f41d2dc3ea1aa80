#include "tests/support/json.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace waystation::testing {

JsonText::JsonText(std::string_view text) {
  const auto error = parser_.parse(text.data(), text.size()).get(root_);
  if (error != simdjson::SUCCESS) {
    std::fprintf(stderr, "a test reads text that is not JSON: %.200s\n", std::string(text).c_str());
    std::abort();
  }
}

std::string read_source(const std::string& path) {
  const std::string whole = std::string(WS_SOURCE_DIR) + "/" + path;
  std::ifstream file(whole, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", whole.c_str());
    std::abort();
  }
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool source_exists(const std::string& path) {
  return std::ifstream(std::string(WS_SOURCE_DIR) + "/" + path).good();
}

JsonText vectors(const std::string& name) {
  return JsonText(read_source("schemas/vectors/" + name + ".json"));
}

std::string text_of(dom::element object, std::string_view key) {
  return std::string(std::string_view(object[key]));
}

bool has(dom::element object, std::string_view key) {
  return object[key].error() == simdjson::SUCCESS;
}

}  // namespace waystation::testing

// Holds messages to schemas/messages/*.json (JSON Schema draft-07). The schemas are read once; any
// thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace waystation::testing {

using Json = nlohmann::ordered_json;

// What the schema schemas/messages/`name`.json has against the message; empty: nothing.
[[nodiscard]] std::string faults_of(const std::string& name, const Json& message);

// The same as a failure of the test, which says where the message comes from.
void expect_valid(const std::string& name, const Json& message);

// The schemas of a request's body and of its good answer, as schemas/openapi.json has them; empty
// where it has none.
struct PathSchemas {
  std::string request;
  std::string reply;
  bool listed = false;  // whether there is such a method of such a path
};
[[nodiscard]] PathSchemas path_schemas(const std::string& method, const std::string& target);

// The names of all schemas of messages.
[[nodiscard]] std::vector<std::string> message_schemas();

// The text as JSON; a failure of the test and null when it is not JSON.
[[nodiscard]] Json parse_json(std::string_view text);

}  // namespace waystation::testing

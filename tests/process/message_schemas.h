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

// The names of all schemas of messages.
[[nodiscard]] std::vector<std::string> message_schemas();

// The text as JSON; a failure of the test and null when it is not JSON.
[[nodiscard]] Json parse_json(std::string_view text);

}  // namespace waystation::testing

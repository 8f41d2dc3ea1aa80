// The answers of the server are flat enough to be read so. Pure.
#pragma once

#include <string>

namespace waystation::simulate {

// The text of a member of a flat JSON object that the server wrote; empty: there is none.
inline std::string member(const std::string& json, const std::string& key) {
  const std::string start = "\"" + key + "\":\"";
  const std::size_t at = json.find(start);
  if (at == std::string::npos) return {};
  const std::size_t from = at + start.size();
  return json.substr(from, json.find('"', from) - from);
}

}  // namespace waystation::simulate

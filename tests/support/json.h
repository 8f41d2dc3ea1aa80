// What tests read JSON with: test vectors and the server's replies.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

namespace waystation::testing {

namespace dom = simdjson::dom;

// A parsed text that owns what its elements point into.
class JsonText {
 public:
  explicit JsonText(std::string_view text);
  JsonText(const JsonText&) = delete;
  JsonText& operator=(const JsonText&) = delete;
  ~JsonText() = default;
  [[nodiscard]] dom::element root() const { return root_; }

 private:
  dom::parser parser_;
  dom::element root_;
};

// A file below the root of the source tree.
[[nodiscard]] std::string read_source(const std::string& path);
[[nodiscard]] bool source_exists(const std::string& path);
// The cases of a file of schemas/vectors/.
[[nodiscard]] JsonText vectors(const std::string& name);

// Members of objects that must be there.
[[nodiscard]] std::string text_of(dom::element object, std::string_view key);
[[nodiscard]] bool has(dom::element object, std::string_view key);

}  // namespace waystation::testing

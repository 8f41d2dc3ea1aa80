// One value of each layout of storage/codec.h with everything in it, and a function for each that
// reads bytes and writes what it read.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sync/errors.h"

namespace waystation::testing {

struct Layout {
  const char* name;
  std::vector<std::string> samples;
  // Decodes, and encodes what came out; the code of the error where there was one.
  std::function<std::optional<std::string>(std::string_view, Code*)> again;
};

[[nodiscard]] const std::vector<Layout>& layouts();

}  // namespace waystation::testing

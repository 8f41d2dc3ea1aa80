// Ids that are natural keys: the values of the fields that the collection names, in its order,
// joined by "~". Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "sync/schema.h"

namespace waystation {

// Which part of the ids of a collection a field is.
struct KeyPlace {
  std::size_t at = 0;
  std::size_t of = 0;  // so many parts; 0: the field is none of them
};
[[nodiscard]] KeyPlace key_place(const Collection& collection, std::string_view field);

// That part of an id; nothing where the field is none, and of an id of another form.
[[nodiscard]] std::optional<std::string_view> key_part(const KeyPlace& place, std::string_view id);

}  // namespace waystation

#include "sync/natural_key.h"

#include <algorithm>

namespace waystation {

KeyPlace key_place(const Collection& collection, std::string_view field) {
  const auto at = std::find(collection.key.begin(), collection.key.end(), field);
  if (at == collection.key.end()) return {};
  return {static_cast<std::size_t>(at - collection.key.begin()), collection.key.size()};
}

std::optional<std::string_view> key_part(const KeyPlace& place, std::string_view id) {
  if (place.of == 0) return std::nullopt;
  const auto parts = static_cast<std::size_t>(std::count(id.begin(), id.end(), '~')) + 1;
  if (parts != place.of) return std::nullopt;
  for (std::size_t i = 0; i < place.at; ++i) id.remove_prefix(id.find('~') + 1);
  return id.substr(0, id.find('~'));
}

}  // namespace waystation

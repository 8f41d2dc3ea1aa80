#include "storage/page_token.h"

namespace waystation {
namespace {

// Tells them apart from what is sealed of persons.
constexpr std::string_view kWhat = "page";

// Where the payload of a sealed text begins, up to its last quote.
std::size_t payload_at(std::string_view sealed) { return sealed.rfind('.') + 1; }

}  // namespace

std::string page_token(const PersonKey& key, std::string_view place) {
  const std::string sealed = seal(key, kWhat, place);
  const std::size_t from = payload_at(sealed);
  return sealed.substr(from, sealed.size() - from - 1);
}

Result<std::string> place_of_token(const PersonKey& key, std::string_view token) {
  std::string sealed = seal(key, kWhat, "");
  sealed.resize(payload_at(sealed));
  sealed += token;
  sealed += '"';
  const auto found = find_sealed(sealed, 0);
  if (found && found->begin == 0 && found->end == sealed.size()) {
    if (auto place = unseal(key, sealed, *found)) return std::move(*place);
  }
  return Error{Code::kCursorInvalid, "after: not one of ours"};
}

}  // namespace waystation

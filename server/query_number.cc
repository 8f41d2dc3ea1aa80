#include "server/query_number.h"

#include <charconv>

#include "sync/limits.h"

namespace waystation {

std::optional<std::uint64_t> query_number(const ApiRequest& request, const std::string& key) {
  const auto at = request.query.find(key);
  if (at == request.query.end()) return std::nullopt;
  std::uint64_t number = 0;
  const char* const end = at->second.data() + at->second.size();
  const auto read = std::from_chars(at->second.data(), end, number);
  const bool whole = read.ec == std::errc() && read.ptr == end;
  if (!whole || number > static_cast<std::uint64_t>(limits::kMaxInteger)) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> query_number(const ApiRequest& request, const std::string& key,
                                          std::uint64_t otherwise) {
  return request.query.contains(key) ? query_number(request, key) : otherwise;
}

}  // namespace waystation

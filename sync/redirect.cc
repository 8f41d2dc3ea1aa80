#include "sync/redirect.h"

#include <algorithm>
#include <unordered_map>

#include "sync/limits.h"

namespace waystation {

Result<Redirected> follow_redirects(
    const std::string& id,
    const std::function<Result<RedirectStep>(const std::string& id)>& look_up) {
  std::vector<std::string> path;
  std::unordered_map<std::string, std::size_t> places;  // in the path
  std::string at = id;
  while (true) {
    const auto step = look_up(at);
    if (!step) return step.error();
    if (!step->there && !path.empty()) {
      at = std::move(path.back());
      path.pop_back();
      return Redirected{std::move(at), std::move(path)};
    }
    if (step->into.empty()) return Redirected{std::move(at), std::move(path)};
    if (path.size() == limits::kRedirects) {
      return Error{Code::kMessageInvalid, "id: more redirects than are followed"};
    }
    places.emplace(at, path.size());
    path.push_back(std::move(at));
    at = step->into;
    const auto met = places.find(at);
    if (met == places.end()) continue;
    const auto ring = path.begin() + static_cast<std::ptrdiff_t>(met->second);
    const auto smallest = std::min_element(ring, path.end());
    return Redirected{*smallest, std::vector<std::string>(path.begin(), smallest)};
  }
}

}  // namespace waystation

#include "sync/file_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace waystation {

namespace dom = simdjson::dom;

std::string place_and_reason(std::string_view file, std::string_view path,
                             std::string_view reason) {
  return fmt::format("{}: {}: {}", file, path.empty() ? "/" : path, reason);
}

void FileReader::fail(std::string_view path, std::string_view reason) {
  if (problem_.empty()) problem_ = place_and_reason(name_, path, reason);
}

std::optional<dom::object> FileReader::document(std::string_view text) {
  const auto document = json::parse(text);
  dom::object root;
  if (!document) {
    fail("", document.error().context);
  } else if (document->root.get(root) != simdjson::SUCCESS) {
    fail("", "must be an object");
  } else {
    return root;
  }
  return std::nullopt;
}

void FileReader::each(dom::object object, std::string_view path, std::string_view key,
                      std::size_t most, const Each& visit) {
  const auto found = json::find(object, key);
  if (!found) return;
  const std::string at = fmt::format("{}/{}", path, key);
  dom::array array;
  if (found->get(array) != simdjson::SUCCESS || array.size() > most) {
    return fail(at, fmt::format("must be an array of at most {}", most));
  }
  std::size_t i = 0;
  for (const dom::element element : array) {
    const std::string place = fmt::format("{}/{}", at, i++);
    dom::object one;
    if (element.get(one) != simdjson::SUCCESS) return fail(place, "must be an object");
    visit(one, place);
  }
}

void FileReader::only_unique(dom::object object, std::string_view path) {
  std::set<std::string_view> seen;
  for (const auto member : object) {
    if (!seen.insert(member.key).second)
      fail(fmt::format("{}/{}", path, member.key), "stands twice");
  }
}

void FileReader::only_keys(dom::object object, std::string_view path,
                           std::initializer_list<std::string_view> known) {
  for (const auto member : object) {
    if (std::find(known.begin(), known.end(), member.key) == known.end()) {
      fail(fmt::format("{}/{}", path, member.key), "unknown key");
    }
  }
  only_unique(object, path);
}

std::string FileReader::text(dom::object object, std::string_view path, std::string_view key) {
  const auto found = json::find(object, key);
  std::string_view value;
  if (!found || found->get(value) != simdjson::SUCCESS || value.empty()) {
    fail(fmt::format("{}/{}", path, key), "must be a filled string");
  }
  return std::string(value);
}

bool FileReader::flag(dom::object object, std::string_view path, std::string_view key,
                      bool otherwise) {
  const auto found = json::find(object, key);
  bool value = otherwise;
  if (found && found->get(value) != simdjson::SUCCESS) {
    fail(fmt::format("{}/{}", path, key), "must be true or false");
  }
  return value;
}

std::int64_t FileReader::whole(dom::object object, std::string_view path, std::string_view key,
                               std::int64_t min, std::int64_t max) {
  const auto found = json::find(object, key);
  const auto value = found ? json::integer(*found) : std::nullopt;
  if (!value || *value < min || *value > max) {
    fail(fmt::format("{}/{}", path, key),
         fmt::format("must be an integer from {} to {}", min, max));
    return min;
  }
  return *value;
}

double FileReader::number(dom::object object, std::string_view path, std::string_view key) {
  const auto found = json::find(object, key);
  double value = 0;
  if (!found || found->get(value) != simdjson::SUCCESS) {
    fail(fmt::format("{}/{}", path, key), "must be a number");
  }
  return value;
}

Title FileReader::title(dom::object object, std::string_view path) {
  const std::string at = fmt::format("{}/title", path);
  const auto found = json::find(object, "title");
  dom::object value;
  if (!found || found->get(value) != simdjson::SUCCESS) {
    fail(at, "must be an object with zh and en");
    return {};
  }
  only_keys(value, at, {"zh", "en"});
  return Title{text(value, at, "zh"), text(value, at, "en")};
}

}  // namespace waystation

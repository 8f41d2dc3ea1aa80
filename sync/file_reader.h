// Reads a JSON file of ours (a schema, the policy): remembers the first thing that is wrong and
// where it stands. Internal to sync/. Pure; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "sync/json_dom.h"
#include "sync/schema.h"

namespace waystation {

class FileReader {
 public:
  // `name` is that of the file, and outlives the reader.
  FileReader(std::string_view name, Code code) : name_(name), code_(code) {}

  void fail(std::string_view path, std::string_view reason);
  [[nodiscard]] bool failed() const { return !problem_.empty(); }
  [[nodiscard]] Error error() const { return Error{code_, problem_}; }

  // The object that the file's text is, valid until the next parse on this thread; nothing, and
  // failed(), where it is none.
  [[nodiscard]] std::optional<json::dom::object> document(std::string_view text);
  // Each object of an array that need not be there, with its place.
  using Each = std::function<void(json::dom::object object, const std::string& path)>;
  void each(json::dom::object object, std::string_view path, std::string_view key, std::size_t most,
            const Each& visit);

  void only_keys(json::dom::object object, std::string_view path,
                 std::initializer_list<std::string_view> known);
  // No key twice.
  void only_unique(json::dom::object object, std::string_view path);
  // A filled string.
  std::string text(json::dom::object object, std::string_view path, std::string_view key);
  // `otherwise` where the key is not there.
  bool flag(json::dom::object object, std::string_view path, std::string_view key, bool otherwise);
  // Required.
  std::int64_t whole(json::dom::object object, std::string_view path, std::string_view key,
                     std::int64_t min, std::int64_t max);
  double number(json::dom::object object, std::string_view path, std::string_view key);
  Title title(json::dom::object object, std::string_view path);

 private:
  std::string_view name_;
  Code code_;
  std::string problem_;
};

// "file: /path: reason"
[[nodiscard]] std::string place_and_reason(std::string_view file, std::string_view path,
                                           std::string_view reason);

}  // namespace waystation

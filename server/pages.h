// The pages: what the build of server/web made, read whole into memory at the start, so that a
// request is a look-up in a table and no name of a file ever comes from outside. The folder holds
// one folder for each application (app/ is the companion), served under its name; `x.br` and `x.gz`
// beside `x` are the same bytes compressed. Immutable once loaded; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sync/result.h"

namespace waystation {

struct PageRequest {
  std::string_view method;
  std::string_view path;  // decoded, without the query
  std::string_view accept_encoding;
  std::string_view if_none_match;
};

struct PageAnswer {
  int status = 200;
  std::vector<std::pair<std::string_view, std::string>> headers;
  std::string_view body;       // lives as long as the pages
  std::optional<Error> error;  // then a problem document takes the place of all of it
};

class Pages {
 public:
  static constexpr std::size_t kMostBytes =
      std::size_t{32} * 1024 * 1024;  // with what is compressed
  static constexpr std::size_t kMostFiles = 2000;

  // An application of the program's own that is not in the folder, or has no page there, is
  // answered with kPagesMissing. Errors: kConfigInvalid (more than the limits), kIo.
  [[nodiscard]] static Result<Pages> load(const std::string& folder);

  [[nodiscard]] bool missing() const { return applications_.empty(); }
  // What is answered to anything outside of /v1/ and the checks of health.
  [[nodiscard]] PageAnswer answer(const PageRequest& request) const;

 private:
  struct Form {  // one file as it lies there
    std::string bytes;
    std::string tag;  // entity tag, with its quotes
  };
  struct Page {
    Form plain;
    std::array<std::optional<Form>, 2> compressed;  // as kCodings
    std::string_view type;
    std::string_view caching;
  };

  [[nodiscard]] Status read_all(const std::string& folder);
  [[nodiscard]] const Page* find(std::string_view path) const;

  std::map<std::string, Page, std::less<>> pages_;  // by path, from the first slash on
  std::map<std::string, std::string, std::less<>> applications_;  // "/app" → path of its index
};

}  // namespace waystation

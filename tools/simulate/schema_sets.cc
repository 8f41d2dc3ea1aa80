#include "tools/simulate/schema_sets.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace waystation::simulate {

Result<SchemaSets> load_schema_sets(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator at(fs::path(folder) / "collections", error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().extension() == ".json") paths.push_back(at->path());
  }
  if (error) return Error{Code::kIo, fmt::format("{}: {}", folder, error.message())};
  std::sort(paths.begin(), paths.end());
  std::vector<SchemaFile> first;
  std::vector<SchemaFile> all;
  for (const fs::path& path : paths) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) return Error{Code::kIo, fmt::format("{}: cannot be read", path.string())};
    const SchemaFile file{path.string(), text.str()};
    if (path.stem().extension() == ".v1") first.push_back(file);
    all.push_back(file);
  }
  SchemaSets sets;
  auto oldest = Schemas::parse(first);
  if (!oldest) return oldest.error();
  auto newest = Schemas::parse(all);
  if (!newest) return newest.error();
  sets.first = std::make_shared<const Schemas>(std::move(*oldest));
  sets.newest = std::make_shared<const Schemas>(std::move(*newest));
  return sets;
}

}  // namespace waystation::simulate

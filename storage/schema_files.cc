#include "storage/schema_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace waystation {

Result<Schemas> load_schemas(const std::string& folder) {
  namespace fs = std::filesystem;
  const fs::path collections = fs::path(folder) / "collections";
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator at(collections, error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().extension() == ".json") paths.push_back(at->path());
  }
  if (error) return Error{Code::kIo, fmt::format("{}: {}", collections.string(), error.message())};
  std::sort(paths.begin(), paths.end());
  std::vector<SchemaFile> files;
  for (const fs::path& path : paths) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) return Error{Code::kIo, fmt::format("{}: cannot be read", path.string())};
    files.push_back(SchemaFile{path.string(), text.str()});
  }
  return Schemas::parse(files);
}

}  // namespace waystation

#include "storage/schema_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace waystation {
namespace {

Result<SchemaFile> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return Error{Code::kIo, fmt::format("{}: cannot be read", path)};
  return SchemaFile{path, text.str()};
}

// The .json files of a folder, by name.
Result<std::vector<SchemaFile>> read_folder(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".json") paths.push_back(at->path());
  }
  if (error) return Error{Code::kIo, fmt::format("{}: {}", folder.string(), error.message())};
  std::sort(paths.begin(), paths.end());
  std::vector<SchemaFile> files;
  for (const fs::path& path : paths) {
    auto file = read_file(path.string());
    if (!file) return file.error();
    files.push_back(std::move(*file));
  }
  return files;
}

Result<std::vector<SchemaFile>> read_folder_if_there(const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) return std::vector<SchemaFile>();
  return read_folder(folder);
}

}  // namespace

Result<Schemas> load_schemas(const std::string& folder) {
  const auto files = read_folder(std::filesystem::path(folder) / "collections");
  if (!files) return files.error();
  return Schemas::parse(*files);
}

Result<Reports> load_reports(const std::string& folder, const Schemas& schemas,
                             const Projections& projections) {
  const auto files = read_folder_if_there(std::filesystem::path(folder) / "reports");
  if (!files) return files.error();
  return Reports::parse(*files, schemas, projections);
}

Result<std::shared_ptr<const Projections>> load_projections(const std::string& folder,
                                                            const Schemas& schemas,
                                                            const Zone& zone) {
  const auto files = read_folder_if_there(std::filesystem::path(folder) / "projections");
  if (!files) return files.error();
  auto made = Projections::parse(*files, schemas, zone);
  if (!made) return made.error();
  return std::make_shared<const Projections>(std::move(*made));
}

std::shared_ptr<const Policy> policy_without_file(const Schemas& schemas) {
  const std::set<std::string_view> office{kRoleOffice, kRoleAdministrator};
  const std::set<std::string_view> all{kRoleLead, kRoleOffice, kRoleAdministrator};
  auto policy = Policy::parse({"no policy file", blanket_policy(all, office)}, schemas);
  WS_CHECK(policy.ok());
  return std::make_shared<const Policy>(std::move(*policy));
}

Result<std::shared_ptr<const Policy>> load_policy(const std::string& path, const Schemas& schemas) {
  const auto file = read_file(path);
  if (!file) return file.error();
  auto policy = Policy::parse(*file, schemas);
  if (!policy) return policy.error();
  return std::make_shared<const Policy>(std::move(*policy));
}

}  // namespace waystation

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

}  // namespace

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
    auto file = read_file(path.string());
    if (!file) return file.error();
    files.push_back(std::move(*file));
  }
  return Schemas::parse(files);
}

std::shared_ptr<const Policy> policy_without_file(const Schemas& schemas) {
  std::string roles;
  for (const std::string_view role : kRoles) {
    const bool office = role == kRoleOffice || role == kRoleAdministrator;
    const std::string_view may = office || role == kRoleLead ? "all" : "none";
    roles += fmt::format(R"({}"{}":{{"title":{{"zh":"{}","en":"{}"}},"system":{},)"
                         R"("others":{{"read":"{}","write":"{}"}},"collections":{{}}}})",
                         roles.empty() ? "" : ",", role, role, role, office, may, may);
  }
  auto policy = Policy::parse(
      {"no policy file", fmt::format(R"({{"version":1,"roles":{{{}}}}})", roles)}, schemas);
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

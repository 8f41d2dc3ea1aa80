#include "tools/simulate/schema_sets.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace waystation::simulate {
namespace {

std::string text_field(std::string_view name) {
  return fmt::format(
      R"("{}":{{"merge":"register","type":"string","title":{{"zh":"样","en":"Sample"}},)"
      R"("max_length":50}})",
      name);
}

SchemaFile sample(int version, const std::string& fields, const std::string& steps) {
  return {fmt::format("sample.v{}.json", version),
          fmt::format(R"({{"collection":"sample","version":{},"title":{{"zh":"样","en":"Sample"}},)"
                      R"({}"fields":{{{},"tags":{{"merge":"set","type":"string","title":)"
                      R"({{"zh":"样","en":"Sample"}},"max_length":50,"max_items":20}}}}}})",
                      version, steps, fields)};
}

// A collection of the simulation's own with more versions than those released have by now: each
// step of a migration, and a field that is renamed twice, so that the order of steps matters.
std::vector<SchemaFile> samples() {
  const std::string integer =
      R"("size":{"merge":"register","type":"integer","title":{"zh":"样","en":"Sample"},)"
      R"("min":0,"max":9})";
  return {sample(1, text_field("one") + "," + text_field("whole") + "," + text_field("size"), ""),
          sample(2,
                 text_field("two") + "," + text_field("whole") + "," + text_field("size") + "," +
                     text_field("state"),
                 R"("migrate":[{"rename":{"from":"one","to":"two"}},)"
                 R"({"default":{"field":"state","value":"new"}}],)"),
          sample(3,
                 text_field("three") + "," + text_field("whole") + "," + integer + "," +
                     text_field("state"),
                 R"("migrate":[{"rename":{"from":"two","to":"three"}},)"
                 R"({"retype":{"field":"size"}}],)"),
          sample(4,
                 text_field("three") + "," + text_field("left") + "," + text_field("right") + "," +
                     integer + "," + text_field("state"),
                 R"("migrate":[{"split":{"from":"whole","into":["left","right"],"at":"b"}}],)")};
}

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
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) return Error{Code::kIo, fmt::format("{}: cannot be read", path.string())};
    files.push_back(SchemaFile{path.string(), text.str()});
  }
  return files;
}

Result<std::shared_ptr<const Projections>> fitting(const std::vector<SchemaFile>& files,
                                                   const Schemas& schemas) {
  std::vector<SchemaFile> fit;
  for (const SchemaFile& file : files) {
    if (Projections::parse({file}, schemas, Zone{}).ok()) fit.push_back(file);
  }
  auto made = Projections::parse(fit, schemas, Zone{});
  if (!made) return made.error();
  return std::make_shared<const Projections>(std::move(*made));
}

}  // namespace

Result<SchemaSets> load_schema_sets(const std::string& folder) {
  auto files = read_folder(std::filesystem::path(folder) / "collections");
  if (!files) return files.error();
  std::vector<SchemaFile> all = std::move(*files);
  std::vector<SchemaFile> first;
  for (const SchemaFile& file : all) {
    if (std::filesystem::path(file.name).stem().extension() == ".v1") first.push_back(file);
  }
  for (const SchemaFile& file : samples()) {
    if (file.name == "sample.v1.json") first.push_back(file);
    all.push_back(file);
  }
  SchemaSets sets;
  auto oldest = Schemas::parse(first);
  if (!oldest) return oldest.error();
  auto newest = Schemas::parse(all);
  if (!newest) return newest.error();
  sets.first = std::make_shared<const Schemas>(std::move(*oldest));
  sets.newest = std::make_shared<const Schemas>(std::move(*newest));
  const auto declared = read_folder(std::filesystem::path(folder) / "projections");
  if (!declared) return declared.error();
  auto first_counts = fitting(*declared, *sets.first);
  if (!first_counts) return first_counts.error();
  auto newest_counts = fitting(*declared, *sets.newest);
  if (!newest_counts) return newest_counts.error();
  sets.first_counts = std::move(*first_counts);
  sets.newest_counts = std::move(*newest_counts);
  return sets;
}

}  // namespace waystation::simulate

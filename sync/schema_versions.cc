// How the versions of a collection hang together, and collections with each other.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "sync/scalar.h"
#include "sync/schema_check.h"
#include "sync/schema_loader.h"

namespace waystation {
namespace {

using Problem = std::optional<Error>;
using FilesByVersion = std::map<std::uint32_t, LoadedFile>;
using FilesByName = std::map<std::string, FilesByVersion, std::less<>>;

std::uint32_t last_version(const FilesByVersion& files) { return files.rbegin()->first; }

// --- which versions there are -----------------------------------------------------------------

// The version that the first file of a collection must have.
Problem check_first(const FilesByName& all, const LoadedFile& file) {
  const Collection& first = file.collection;
  if (first.moved_from.empty()) {
    if (first.version == 1) return std::nullopt;
    return schema_error(file.name, "/version",
                        fmt::format("version 1 of \"{}\" is missing", first.name));
  }
  const auto old = all.find(first.moved_from);
  if (old == all.end()) {
    return schema_error(file.name, "/moved_from",
                        fmt::format("there is no collection \"{}\"", first.moved_from));
  }
  const std::uint32_t last = last_version(old->second);
  if (first.version == last + 1) return std::nullopt;
  return schema_error(
      file.name, "/version",
      fmt::format("must be {}: the last version of \"{}\" is {}", last + 1, old->first, last));
}

Problem check_numbers(const FilesByName& all, const FilesByVersion& files) {
  if (auto problem = check_first(all, files.begin()->second)) return problem;
  std::uint32_t expected = files.begin()->first;
  for (const auto& [version, file] : files) {
    if (version != expected) {
      return schema_error(
          file.name, "/version",
          fmt::format("version {} of \"{}\" is missing", expected, file.collection.name));
    }
    if (version != files.begin()->first && !file.collection.moved_from.empty()) {
      return schema_error(file.name, "/moved_from",
                          "stands only in the first version of a collection");
    }
    ++expected;
  }
  return std::nullopt;
}

// --- from one version to the next -------------------------------------------------------------

struct Shape {
  MergeType merge;
  FieldType type;
};

// Follows the fields through the steps between two versions.
class Steps {
 public:
  Steps(const LoadedFile& before, const LoadedFile& after)
      : before_(before.collection), after_(after.collection), file_(after.name) {
    for (const FieldSpec& spec : before_.fields) {
      fields_.emplace(spec.name, Shape{spec.merge, spec.type});
    }
    key_ = before_.key;
    person_ = before_.person;
  }

  Problem check() {
    for (std::size_t i = 0; i < after_.migrations.size(); ++i) {
      take(after_.migrations[i], fmt::format("/migrate/{}", i));
    }
    check_fields();
    check_whole();
    check_personal();
    return problem_;
  }

 private:
  void fail(std::string_view path, std::string_view reason) {
    if (!problem_) problem_ = schema_error(file_, path, reason);
  }

  // A field as the steps so far have left it.
  const Shape* from(const std::string& field, const std::string& path) {
    const auto at = fields_.find(field);
    if (at != fields_.end()) return &at->second;
    fail(path, fmt::format("\"{}\" is not a field of version {}", field, before_.version));
    return nullptr;
  }

  // A field that a step makes.
  void make(const std::string& field, Shape shape, const std::string& path) {
    if (!fields_.emplace(field, shape).second) {
      fail(path, fmt::format("\"{}\" is a field already", field));
    }
    made_.emplace_back(field, path);
  }

  void take(const Migration& step, const std::string& path) {
    switch (step.kind) {
      case Migration::Kind::kRename: return rename(step, path + "/rename");
      case Migration::Kind::kSplit: return split(step, path + "/split");
      case Migration::Kind::kDefault: return set_default(step, path + "/default");
      case Migration::Kind::kRetype: return retype(step, path + "/retype");
    }
  }

  void rename(const Migration& step, const std::string& path) {
    const Shape* shape = from(step.field, path + "/from");
    if (shape == nullptr) return;
    const Shape kept = *shape;
    fields_.erase(step.field);
    make(step.into[0], kept, path + "/to");
    std::replace(key_.begin(), key_.end(), step.field, step.into[0]);
    if (person_ == step.field) person_ = step.into[0];
  }

  void split(const Migration& step, const std::string& path) {
    const Shape* shape = from(step.field, path + "/from");
    if (shape == nullptr) return;
    if (shape->merge != MergeType::kRegister || shape->type != FieldType::kString) {
      fail(path + "/from", fmt::format("\"{}\" is not a register of type string", step.field));
    }
    for (const std::string& into : step.into) {
      make(into, Shape{MergeType::kRegister, FieldType::kString}, path + "/into");
    }
    fields_.erase(step.field);
  }

  void set_default(const Migration& step, const std::string& path) {
    const FieldSpec* spec = after_.field(step.field);
    if (spec == nullptr || spec->merge != MergeType::kRegister) {
      fail(path + "/field",
           fmt::format("\"{}\" is not a register of version {}", step.field, after_.version));
      return;
    }
    if (step.value.empty()) return;
    if (auto refusal = check_value(*spec, scalar_value(step.value))) {
      fail(path + "/value", refusal->detail);
    }
  }

  void retype(const Migration& step, const std::string& path) {
    const Shape* shape = from(step.field, path + "/field");
    if (shape == nullptr) return;
    if (shape->merge == MergeType::kQuota) {
      fail(path + "/field", fmt::format("\"{}\" is a quota", step.field));
    }
    const FieldSpec* spec = after_.field(step.field);
    if (spec == nullptr) {
      fail(path + "/field",
           fmt::format("\"{}\" is not a field of version {}", step.field, after_.version));
      return;
    }
    fields_.at(step.field).type = spec->type;
  }

  void check_fields() {
    for (const auto& [field, path] : made_) {
      if (fields_.count(field) != 0 && after_.field(field) == nullptr) {
        fail(path, fmt::format("\"{}\" is not a field of version {}", field, after_.version));
      }
    }
    for (const FieldSpec& spec : after_.fields) {
      const auto at = fields_.find(spec.name);
      if (at == fields_.end()) continue;
      const std::string path = fmt::format("/fields/{}", spec.name);
      // What was written could be neither merged nor kept apart.
      if (at->second.merge != spec.merge) {
        fail(path + "/merge", fmt::format("was a {} in version {}: a field keeps its merge type",
                                          to_string(at->second.merge), before_.version));
      }
      if (at->second.type != spec.type) {
        fail(path + "/type",
             fmt::format("has another type than in version {}: a \"retype\" step is missing",
                         before_.version));
      }
    }
  }

  // What holds for all records and cannot be changed for those that exist.
  void check_whole() {
    if (after_.key != key_) fail("/key", "another natural key: records would need other ids");
    if (after_.facts != before_.facts) {
      fail("/facts", "records that exist are facts, or are not, for good");
    }
    for (const auto& [field, shape] : fields_) {
      if (shape.merge != MergeType::kQuota || after_.field(field) != nullptr) continue;
      fail("/fields", fmt::format("\"{}\" is missing, a quota in version {}: what was leased of it "
                                  "is out there",
                                  field, before_.version));
    }
  }

  // What is personal is sealed by the name of its field, and by the person whom its record is
  // about. A step that gives a value another name may also set one aside under a name that no
  // schema knows (sync/migration.h): it would lie readable there.
  void check_personal() {
    if (!before_.person.empty() && after_.person != person_) {
      fail("/person", fmt::format("was \"{}\" in version {}: what is sealed under the keys of "
                                  "these persons would be another's",
                                  before_.person, before_.version));
    }
    for (std::size_t i = 0; i < after_.migrations.size(); ++i) {
      const Migration& step = after_.migrations[i];
      const FieldSpec* spec = before_.field(step.field);
      if (spec == nullptr || !spec->personal || step.kind == Migration::Kind::kDefault) continue;
      fail(fmt::format("/migrate/{}", i),
           fmt::format("\"{}\" is personal: it keeps its name and its type", step.field));
    }
    for (const FieldSpec& spec : before_.fields) {
      if (!spec.personal) continue;
      const FieldSpec* kept = after_.field(spec.name);
      if (kept != nullptr && kept->personal) continue;
      fail(kept == nullptr ? "/fields" : fmt::format("/fields/{}/personal", spec.name),
           fmt::format("\"{}\" is personal in version {} and stays so: what was written of it "
                       "would lie readable",
                       spec.name, before_.version));
    }
  }

  const Collection& before_;
  const Collection& after_;
  const std::string& file_;
  std::string person_;  // as the steps so far have left it
  std::map<std::string, Shape> fields_;
  std::vector<std::pair<std::string, std::string>> made_;  // field, and the path that names it
  std::vector<std::string> key_;
  Problem problem_;
};

// --- what a rule says of another collection ---------------------------------------------------

Problem check_parent(const FilesByName& all, const LoadedFile& file) {
  if (!file.collection.close) return std::nullopt;
  const CloseRule& rule = *file.collection.close;
  const auto parent = all.find(rule.parent_coll);
  if (parent == all.end()) {
    return schema_error(file.name, "/close/parent_collection",
                        fmt::format("there is no collection \"{}\"", rule.parent_coll));
  }
  const FieldSpec* ends = parent->second.rbegin()->second.collection.field(rule.parent_ends);
  if (ends == nullptr || ends->merge != MergeType::kRegister || ends->type != FieldType::kTime) {
    return schema_error(file.name, "/close/parent_ends",
                        fmt::format("\"{}\" is not a register of type time of \"{}\"",
                                    rule.parent_ends, rule.parent_coll));
  }
  return std::nullopt;
}

// --- all of it --------------------------------------------------------------------------------

Result<FilesByName> by_name(std::vector<LoadedFile> files) {
  FilesByName all;
  for (LoadedFile& file : files) {
    FilesByVersion& versions = all[file.collection.name];
    const std::uint32_t version = file.collection.version;
    const auto there = versions.find(version);
    if (there != versions.end()) {
      return schema_error(file.name, "/version",
                          fmt::format("version {} of \"{}\" stands in {} too", version,
                                      there->second.collection.name, there->second.name));
    }
    versions.emplace(version, std::move(file));
  }
  return all;
}

// Which collection the records of a collection moved to.
using Moves = std::map<std::string, const FilesByVersion*, std::less<>>;

Result<Moves> moves_of(const FilesByName& all) {
  Moves moves;
  for (const auto& [name, files] : all) {
    const LoadedFile& first = files.begin()->second;
    if (first.collection.moved_from.empty()) continue;
    const auto [at, fresh] = moves.emplace(first.collection.moved_from, &files);
    if (!fresh) {
      return schema_error(first.name, "/moved_from",
                          fmt::format("\"{}\" has moved to \"{}\" already", at->first,
                                      at->second->begin()->second.collection.name));
    }
  }
  return moves;
}

// No collection that was moved from is reached again: else there would be no current one.
Problem check_circles(const FilesByName& all, const Moves& moves) {
  for (const auto& [name, files] : all) {
    std::set<std::string_view> seen{name};
    for (auto at = moves.find(name); at != moves.end();) {
      const LoadedFile& next = at->second->begin()->second;
      if (!seen.insert(next.collection.name).second) {
        return schema_error(next.name, "/moved_from", "the moves go round in a circle");
      }
      at = moves.find(next.collection.name);
    }
  }
  return std::nullopt;
}

// The first field up to a version that is kept as a sum, without what it is the sum of.
struct Sum {
  const Collection* version = nullptr;
  const FieldSpec* spec = nullptr;
};

// Which incs a delete takes with it can be told only where each was kept, and ops of every version
// come in for good: deletes of one that had them, and incs of one that kept the sum alone.
Problem check_deletable(const std::vector<const LoadedFile*>& files) {
  const Collection* deletable = nullptr;  // an earlier version whose records can be deleted
  Sum any;
  Sum kept;  // in a version whose records cannot
  for (const LoadedFile* file : files) {
    const Collection& version = file->collection;
    if (version.deletable && kept.spec != nullptr) {
      return schema_error(file->name, "/deletable",
                          fmt::format("records could not be deleted in version {}, so \"{}\" has "
                                      "kept the sum alone",
                                      kept.version->version, kept.spec->name));
    }
    for (const FieldSpec& spec : version.fields) {
      if (spec.merge != MergeType::kCounter && spec.merge != MergeType::kQuota) continue;
      if (any.spec == nullptr || spec.merge == MergeType::kQuota) any = Sum{&version, &spec};
    }
    if (version.deletable) {
      if (deletable == nullptr) deletable = &version;
      continue;
    }
    if (any.spec == nullptr) continue;
    if (kept.spec == nullptr) kept = any;
    if (deletable == nullptr) continue;
    const bool here = version.field(any.spec->name) != nullptr;
    return schema_error(
        file->name, here ? fmt::format("/fields/{}/merge", any.spec->name) : "/deletable",
        fmt::format("records could be deleted in version {}: a {} needs a collection of its own",
                    deletable->version, to_string(any.spec->merge)));
  }
  return std::nullopt;
}

// Everything from the first version on, over all moves.
Result<Versions> chain(const FilesByVersion& first, const Moves& moves) {
  std::vector<const LoadedFile*> files;
  for (const FilesByVersion* at = &first; at != nullptr;) {
    for (const auto& [version, file] : *at) files.push_back(&file);
    const auto next = moves.find(files.back()->collection.name);
    at = next == moves.end() ? nullptr : next->second;
  }
  if (!files[0]->collection.migrations.empty()) {
    return schema_error(files[0]->name, "/migrate", "there is no version before this one");
  }
  Versions versions;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (i > 0) {
      if (auto problem = Steps(*files[i - 1], *files[i]).check()) return *problem;
    }
    versions.push_back(files[i]->collection);
  }
  if (auto problem = check_deletable(files)) return *problem;
  return versions;
}

}  // namespace

Result<std::vector<Versions>> link_versions(std::vector<LoadedFile> files) {
  const auto all = by_name(std::move(files));
  if (!all) return all.error();
  const auto moves = moves_of(*all);
  if (!moves) return moves.error();
  if (auto problem = check_circles(*all, *moves)) return *problem;
  std::vector<Versions> lines;
  for (const auto& [name, versions] : *all) {
    if (auto problem = check_numbers(*all, versions)) return *problem;
  }
  for (const auto& [name, versions] : *all) {
    if (moves->count(name) == 0) {
      if (auto problem = check_parent(*all, versions.rbegin()->second)) return *problem;
    }
    if (!versions.begin()->second.collection.moved_from.empty()) continue;
    auto line = chain(versions, *moves);
    if (!line) return line.error();
    lines.push_back(std::move(*line));
  }
  return lines;
}

}  // namespace waystation

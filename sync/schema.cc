#include "sync/schema.h"

#include <fmt/format.h>

#include <algorithm>

#include "sync/broken.h"
#include "sync/migration.h"
#include "sync/schema_check.h"
#include "sync/schema_loader.h"

namespace waystation {

MergeType merge_type_of(EditKind kind) {
  switch (kind) {
    case EditKind::kSet: return MergeType::kRegister;
    case EditKind::kInc: return MergeType::kCounter;
    case EditKind::kAdd:
    case EditKind::kRemove: return MergeType::kSet;
    case EditKind::kAppend: return MergeType::kLog;
    case EditKind::kGrant:
    case EditKind::kLease:
    case EditKind::kSpend:
    case EditKind::kReturn:
    case EditKind::kReclaim: return MergeType::kQuota;
  }
  WS_CHECK(false);
}

const FieldSpec* Collection::field(std::string_view field_name) const {
  for (const FieldSpec& spec : fields) {
    if (spec.name == field_name) return &spec;
  }
  return nullptr;
}

Result<Schemas> Schemas::parse(const std::vector<SchemaFile>& files) {
  std::vector<LoadedFile> loaded;
  for (const SchemaFile& file : files) {
    auto collection = load_collection(file);
    if (!collection) return collection.error();
    loaded.push_back(LoadedFile{file.name, std::move(*collection)});
  }
  auto lines = link_versions(std::move(loaded));
  if (!lines) return lines.error();
  Schemas made;
  made.lines_ = std::move(*lines);
  for (std::size_t line = 0; line < made.lines_.size(); ++line) {
    for (const Collection& version : made.lines_[line]) {
      const auto [at, fresh] =
          made.names_.try_emplace(version.name, Place{line, version.version, version.version});
      if (!fresh) at->second.last = version.version;
    }
    const Collection& current = made.lines_[line].back();
    made.collections_.emplace(current.name, current);
  }
  if (made.collections_.count("scope") == 0) {
    return Error{Code::kSchemaInvalid, "the collection \"scope\" is missing: no scope could exist"};
  }
  return made;
}

const Collection* Schemas::find(std::string_view name) const {
  const auto at = collections_.find(name);
  return at == collections_.end() ? nullptr : &at->second;
}

std::string_view Schemas::current_name(std::string_view name) const {
  const auto at = names_.find(name);
  return at == names_.end() ? std::string_view() : lines_[at->second.line].back().name;
}

std::vector<std::string> Schemas::former_names(std::string_view name) const {
  std::vector<std::string> former;
  const auto at = names_.find(name);
  if (at == names_.end()) return former;
  for (const Collection& version : lines_[at->second.line]) {
    const bool known = !former.empty() && former.back() == version.name;
    if (version.name != lines_[at->second.line].back().name && !known) {
      former.push_back(version.name);
    }
  }
  return former;
}

std::optional<Schemas::Written> Schemas::written(const Op& op) const {
  const auto at = names_.find(op.coll);
  if (at == names_.end()) return std::nullopt;
  const std::vector<Collection>& line = lines_[at->second.line];
  // A name that the records have moved away from has no versions to come.
  const bool current = at->second.last == line.back().version;
  if (op.schema > at->second.last && !current) return std::nullopt;
  const std::uint32_t version = std::clamp(op.schema, at->second.first, at->second.last);
  return Written{&line, version, op.schema > version};
}

std::optional<Refusal> Schemas::check(const Op& op, Author author) const {
  const auto found = written(op);
  if (!found) {
    return Refusal{Code::kCollectionUnknown, fmt::format("there is no collection \"{}\"", op.coll)};
  }
  return check_op((*found->line)[found->version - 1], op, author,
                  found->newer ? Held::kToTheUnchanging : Held::kToAll);
}

void Schemas::admit(Op& op, Author author) const {
  if (op.refusal) return;
  op.refusal = check(op, author);
  if (!op.refusal) bring_forward(op);
}

void Schemas::bring_forward(Op& op) const {
  const auto found = written(op);
  if (!found) return;
  const std::vector<Collection>& line = *found->line;
  const auto steps = static_cast<std::uint32_t>(line.size()) - found->version;
  for (std::uint32_t i = 0; i < steps; ++i) {
    const bool backwards = broken(Broken::kMigrationOrder);
    const std::uint32_t version = found->version + (backwards ? steps - 1 - i : i);
    carry_forward(op, line[version - 1], line[version]);
  }
}

const std::vector<Collection>* Schemas::versions(std::string_view name) const {
  const auto place = names_.find(name);
  return place == names_.end() ? nullptr : &lines_[place->second.line];
}

std::vector<std::string> Schemas::new_fields(std::string_view name, std::uint32_t from) const {
  std::vector<std::string> fields;
  const std::vector<Collection>* line = versions(name);
  if (line == nullptr || from == 0 || from > line->size()) return fields;
  for (const FieldSpec& spec : line->back().fields) {
    if ((*line)[from - 1].field(spec.name) == nullptr) fields.push_back(spec.name);
  }
  return fields;
}

bool Schemas::migrates(std::string_view name, std::uint32_t from) const {
  const std::vector<Collection>* line = versions(name);
  if (line == nullptr) return false;
  for (std::size_t i = from; i < line->size(); ++i) {
    const Collection& version = (*line)[i];
    // Where records can be deleted each inc is kept, also those of counters that are not known.
    const bool itemises = i > 0 && version.deletable && !(*line)[i - 1].deletable;
    if (itemises || !version.migrations.empty() || !version.moved_from.empty()) return true;
  }
  return false;
}

}  // namespace waystation

// Reads the declarations of projections, holds them against the schemas, and says by a fingerprint
// what decides about what is kept.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sync/bytes.h"
#include "sync/digest.h"
#include "sync/file_reader.h"
#include "sync/projection.h"
#include "sync/wire.h"

namespace waystation {

namespace dom = simdjson::dom;

namespace {

constexpr std::size_t kMostParts = 8;
constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::size_t kMostMeasures = 16;
// A text that things are grouped by lies in a key.
constexpr std::uint32_t kPartPoints = 256;

constexpr std::array<std::pair<std::string_view, Bucket>, 3> kBuckets{
    {{"hour", Bucket::kHour}, {"day", Bucket::kDay}, {"month", Bucket::kMonth}}};

std::string text_of(const std::vector<ProjectionCondition>& when) {
  std::string out;
  for (const ProjectionCondition& condition : when) {
    out += fmt::format("if {} {} {}\n", condition.field, static_cast<int>(condition.is),
                       condition.value);
  }
  return out;
}

}  // namespace

class ProjectionReader : private FileReader {
 public:
  ProjectionReader(const SchemaFile& file, const Schemas& schemas)
      : FileReader(file.name, Code::kSchemaInvalid), file_(file), schemas_(schemas) {}

  Status load(Projections& into) {
    if (const auto root = document(file_.text)) read(into, *root);
    return failed() ? Status{error()} : Status{};
  }

  static void finish(Projections& into) { into.finish(); }
  static void set_zone(Projections& into, const Zone& zone) { into.zone_ = zone; }

 private:
  void read(Projections& into, dom::object root) {
    only_keys(root, "",
              {"projection", "title", "collection", "by", "measures", "when", "corrects", "voids",
               "keep"});
    Projection made;
    made.name = text(root, "", "projection");
    made.title = title(root, "");
    made.coll = text(root, "", "collection");
    if (!valid_name(made.name)) fail("/projection", "is not a name ([a-z][a-z0-9_]*)");
    collection_ = schemas_.find(made.coll);
    if (collection_ == nullptr) return fail("/collection", "there is no such collection");
    made.by = parts(root);
    made.measures = measures(root);
    made.when = conditions(root, "");
    read_correction(made, root);
    if (!failed()) read_keep(into, root);
    if (failed()) return;
    if (!into.corrects_.emplace(made.coll, made.corrects).second &&
        into.corrects_[made.coll] != made.corrects) {
      return fail("/corrects", "another projection of this collection says otherwise");
    }
    const std::string name = made.name;
    if (!into.all_.emplace(name, std::move(made)).second) {
      fail("/projection", "another file has this name");
    }
  }

  // A field that things may be counted by: anybody who sees a number could read it.
  const FieldSpec* field(const std::string& name, const std::string& path, MergeType merge) {
    const FieldSpec* spec = collection_->field(name);
    if (spec == nullptr || spec->merge != merge) {
      fail(path, fmt::format("{} has no {} \"{}\"", collection_->name, to_string(merge), name));
      return nullptr;
    }
    if (spec->personal) {
      fail(path, fmt::format("\"{}\" is personal: it cannot be counted by", name));
      return nullptr;
    }
    return spec;
  }

  void typed(const std::string& name, const std::string& path, FieldType type,
             std::string_view word) {
    const FieldSpec* spec = field(name, path, MergeType::kRegister);
    if (spec != nullptr && spec->type != type) fail(path, fmt::format("must be {}", word));
  }

  void bounded_text(const std::string& name, const std::string& path, MergeType merge) {
    const FieldSpec* spec = field(name, path, merge);
    if (spec == nullptr) return;
    const bool date = spec->type == FieldType::kDate;
    const bool text = spec->type == FieldType::kString &&
                      (!spec->choices.empty() || spec->max_length <= kPartPoints);
    if (!date && !text) {
      fail(path, fmt::format("must be a date, or a string of at most {} characters or of an enum",
                             kPartPoints));
    }
  }

  Bucket bucket(dom::object object, const std::string& path) {
    const std::string word = text(object, path, "bucket");
    for (const auto& [known, value] : kBuckets) {
      if (known == word) return value;
    }
    fail(path + "/bucket", "must be hour, day or month");
    return Bucket::kDay;
  }

  ProjectionPart part(dom::object object, const std::string& path) {
    using From = ProjectionPart::From;
    only_keys(object, path,
              {"name", "field", "after", "elements", "scope", "record", "time", "instant", "bucket",
               "of"});
    ProjectionPart made;
    made.name = text(object, path, "name");
    if (!valid_name(made.name)) fail(path + "/name", "is not a name ([a-z][a-z0-9_]*)");
    std::size_t kinds = 0;
    const auto is = [&](std::string_view key, From from) {
      if (!json::find(object, key)) return false;
      ++kinds;
      made.from = from;
      return true;
    };
    if (is("field", From::kField)) {
      made.field = text(object, path, "field");
      bounded_text(made.field, path + "/field", MergeType::kRegister);
      made.key = key_place(*collection_, made.field);
    }
    if (json::find(object, "after")) made.after = text(object, path, "after");
    if (!made.after.empty() && made.from != From::kField) fail(path + "/after", "goes with field");
    if (is("elements", From::kElements)) {
      made.field = text(object, path, "elements");
      bounded_text(made.field, path + "/elements", MergeType::kSet);
    }
    if (is("scope", From::kScope) && !flag(object, path, "scope", false)) fail(path, "scope: true");
    if (is("record", From::kRecord) && !flag(object, path, "record", false)) {
      fail(path, "record: true");
    }
    if (is("time", From::kTime)) {
      made.field = text(object, path, "time");
      typed(made.field, path + "/time", FieldType::kTime, "a time");
    }
    if (is("instant", From::kInstant)) {
      made.field = text(object, path, "instant");
      typed(made.field, path + "/instant", FieldType::kInteger, "an integer of ms since 1970");
    }
    if (kinds != 1) fail(path, "needs one of field, elements, scope, record, time, instant");
    const bool timed = made.from == From::kTime || made.from == From::kInstant;
    if (timed) made.bucket = bucket(object, path);
    if (!timed && json::find(object, "bucket")) fail(path + "/bucket", "goes with a time");
    if (json::find(object, "of")) {
      made.of = text(object, path, "of");
      if (schemas_.find(made.of) == nullptr) fail(path + "/of", "there is no such collection");
    }
    return made;
  }

  std::vector<ProjectionPart> parts(dom::object root) {
    std::vector<ProjectionPart> made;
    each(root, "", "by", kMostParts, [&](dom::object object, const std::string& path) {
      ProjectionPart one = part(object, path);
      for (const ProjectionPart& other : made) {
        if (other.name == one.name) fail(path + "/name", "stands twice");
      }
      made.push_back(std::move(one));
    });
    if (made.empty()) fail("/by", "must name at least one part");
    return made;
  }

  std::vector<ProjectionCondition> conditions(dom::object object, const std::string& path) {
    std::vector<ProjectionCondition> made;
    each(object, path, "when", kMostParts, [&](dom::object one, const std::string& at) {
      only_keys(one, at, {"field", "is", "equals"});
      ProjectionCondition condition;
      condition.field = text(one, at, "field");
      (void)field(condition.field, at + "/field", MergeType::kRegister);
      const auto equals = json::find(one, "equals");
      if (equals.has_value() == json::find(one, "is").has_value()) {
        return fail(at, "needs one of is and equals");
      }
      if (equals) {
        condition.is = ProjectionCondition::Is::kEqual;
        (void)json::append_canonical(condition.value, *equals, 1, {});
      } else if (text(one, at, "is") == "absent") {
        condition.is = ProjectionCondition::Is::kAbsent;
      } else if (text(one, at, "is") != "shown") {
        fail(at + "/is", "must be shown or absent");
      }
      made.push_back(std::move(condition));
    });
    return made;
  }

  void read_minutes(ProjectionMeasure& made, dom::object object, const std::string& path) {
    made.kind = ProjectionMeasure::Kind::kMinutes;
    only_keys(object, path, {"field", "from", "to"});
    if (json::find(object, "field")) {
      made.field = text(object, path, "field");
      typed(made.field, path + "/field", FieldType::kInteger, "an integer");
    }
    made.from = text(object, path, "from");
    typed(made.from, path + "/from", FieldType::kTime, "a time");
    const auto to = json::find(object, "to");
    dom::array array;
    if (!to || to->get(array) != simdjson::SUCCESS || array.size() == 0) {
      return fail(path + "/to", "must be a filled array of time fields");
    }
    for (const dom::element element : array) {
      std::string_view name;
      if (element.get(name) != simdjson::SUCCESS) return fail(path + "/to", "must name fields");
      made.to.emplace_back(name);
      typed(made.to.back(), path + "/to", FieldType::kTime, "a time");
    }
    // One of two clocks may be wrong by years: nothing is open for longer than the server lets it
    // be.
    const auto& close = collection_->close;
    if (close && close->opened == made.from) made.most = close->longest_ms / kMinuteMs;
  }

  std::vector<ProjectionMeasure> measures(dom::object root) {
    std::vector<ProjectionMeasure> made;
    each(root, "", "measures", kMostMeasures, [&](dom::object object, const std::string& path) {
      only_keys(object, path, {"name", "count", "sum", "otherwise", "minutes", "when"});
      ProjectionMeasure one;
      one.name = text(object, path, "name");
      if (!valid_name(one.name)) fail(path + "/name", "is not a name ([a-z][a-z0-9_]*)");
      for (const ProjectionMeasure& other : made) {
        if (other.name == one.name) fail(path + "/name", "stands twice");
      }
      const auto minutes = json::find(object, "minutes");
      const bool sum = json::find(object, "sum").has_value();
      const bool count = json::find(object, "count").has_value();
      if ((minutes ? 1 : 0) + (sum ? 1 : 0) + (count ? 1 : 0) != 1) {
        return fail(path, "needs one of count, sum, minutes");
      }
      if (count && !flag(object, path, "count", false)) fail(path + "/count", "must be true");
      if (sum) {
        one.kind = ProjectionMeasure::Kind::kSum;
        one.field = text(object, path, "sum");
        typed(one.field, path + "/sum", FieldType::kInteger, "an integer");
        if (json::find(object, "otherwise")) {
          one.otherwise = whole(object, path, "otherwise", 0, 1'000'000);
        }
      }
      dom::object between;
      if (minutes && minutes->get(between) != simdjson::SUCCESS) {
        return fail(path + "/minutes", "must be an object");
      }
      if (minutes) read_minutes(one, between, path + "/minutes");
      one.when = conditions(object, path);
      made.push_back(std::move(one));
    });
    if (made.empty()) fail("/measures", "must name at least one measure");
    return made;
  }

  void read_correction(Projection& made, dom::object root) {
    if (json::find(root, "corrects")) {
      made.corrects = text(root, "", "corrects");
      typed(made.corrects, "/corrects", FieldType::kString, "a string");
      if (!collection_->facts) fail("/corrects", "goes with a collection of facts");
    }
    if (!json::find(root, "voids")) return;
    made.voids = text(root, "", "voids");
    typed(made.voids, "/voids", FieldType::kBoolean, "a boolean");
    if (made.corrects.empty()) fail("/voids", "goes with corrects");
  }

  void read_keep(Projections& into, dom::object root) {
    const auto found = json::find(root, "keep");
    if (!found) return;
    dom::object all;
    if (found->get(all) != simdjson::SUCCESS) return fail("/keep", "must be an object");
    only_unique(all, "/keep");
    for (const auto member : all) {
      const std::string path = fmt::format("/keep/{}", member.key);
      collection_ = schemas_.find(member.key);
      dom::array names;
      if (collection_ == nullptr) return fail(path, "there is no such collection");
      if (member.value.get(names) != simdjson::SUCCESS) return fail(path, "must be an array");
      KeptFields& kept = into.kept_[collection_->name];
      for (const dom::element element : names) {
        std::string_view name;
        if (element.get(name) != simdjson::SUCCESS) return fail(path, "must name fields");
        if (field(std::string(name), path, MergeType::kRegister) == nullptr) return;
        kept.fields.emplace_back(name);
      }
      for (const FieldSpec& spec : collection_->fields) {
        if (spec.redirect) kept.redirect = spec.name;
      }
    }
  }

  const SchemaFile& file_;
  const Schemas& schemas_;
  const Collection* collection_ = nullptr;
};

void Projections::finish() {
  std::string all = fmt::format("3 zone {}\n", zone_.offset_minutes);
  for (auto& [coll, kept] : kept_) {
    std::sort(kept.fields.begin(), kept.fields.end());
    kept.fields.erase(std::unique(kept.fields.begin(), kept.fields.end()), kept.fields.end());
    all += fmt::format("keep {} {} {}\n", coll, fmt::join(kept.fields, " "), kept.redirect);
  }
  for (const auto& [name, projection] : all_) {
    over_[projection.coll].push_back(&projection);
    all += fmt::format("projection {} of {} {} {}\n", name, projection.coll, projection.corrects,
                       projection.voids);
    for (const ProjectionPart& part : projection.by) {
      all += fmt::format("by {} {} {} {} {} {}/{}\n", part.name, static_cast<int>(part.from),
                         part.field, static_cast<int>(part.bucket), part.after, part.key.at,
                         part.key.of);
    }
    for (const ProjectionMeasure& measure : projection.measures) {
      all += fmt::format("measure {} {} {} {} {} {} {}\n{}", measure.name,
                         static_cast<int>(measure.kind), measure.field, measure.otherwise,
                         measure.from, fmt::join(measure.to, ","), measure.most,
                         text_of(measure.when));
    }
    all += text_of(projection.when);
  }
  fingerprint_ = hex_of(sha256(all));
}

Result<Projections> Projections::parse(const std::vector<SchemaFile>& files, const Schemas& schemas,
                                       const Zone& zone) {
  Projections made;
  ProjectionReader::set_zone(made, zone);
  for (const SchemaFile& file : files) {
    if (auto loaded = ProjectionReader(file, schemas).load(made); !loaded) return loaded.error();
  }
  ProjectionReader::finish(made);
  return made;
}

}  // namespace waystation

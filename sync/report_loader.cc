// Reads the declarations of reports and holds them against the projections.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sync/file_reader.h"
#include "sync/report.h"
#include "sync/wire.h"

namespace waystation {

namespace dom = simdjson::dom;

namespace {

constexpr std::array<std::pair<std::string_view, CellType>, 9> kTypes{
    {{"text", CellType::kText},
     {"enum", CellType::kEnum},
     {"date", CellType::kDate},
     {"month", CellType::kMonth},
     {"hour", CellType::kHour},
     {"time", CellType::kTime},
     {"integer", CellType::kInteger},
     {"minutes", CellType::kMinutes},
     {"points", CellType::kPoints}}};

// Of whatever is listed in a declaration.
constexpr std::size_t kMost = 64;

class ReportReader : private FileReader {
 public:
  ReportReader(const SchemaFile& file, const Schemas& schemas, const Projections& projections)
      : FileReader(file.name, Code::kSchemaInvalid),
        file_(file),
        schemas_(schemas),
        projections_(projections) {}

  Result<Report> load() {
    Report made;
    if (const auto root = document(file_.text)) read(made, *root);
    if (failed()) return error();
    return made;
  }

 private:
  void read(Report& made, dom::object root) {
    only_keys(root, "",
              {"report", "title", "about", "sources", "dimensions", "measures", "by", "detail",
               "fields"});
    made.name = text(root, "", "report");
    if (!valid_name(made.name)) fail("/report", "is not a name ([a-z][a-z0-9_]*)");
    made.title = title(root, "");
    made.about = titled(root, "", "about");
    read_sources(made, root);
    if (failed()) return;
    each(root, "", "dimensions", kMost, [&](dom::object object, const std::string& path) {
      made.dimensions.push_back(dimension(made, object, path));
    });
    each(root, "", "measures", kMost, [&](dom::object object, const std::string& path) {
      made.measures.push_back(measure(made, object, path));
    });
    made.by = names(root, "", "by");
    for (const std::string& name : made.by) {
      if (made.dimension(name) == nullptr) fail("/by", fmt::format("no dimension \"{}\"", name));
    }
    made.detail = flag(root, "", "detail", false);
    each(root, "", "fields", kMost, [&](dom::object object, const std::string& path) {
      only_keys(object, path, {"name", "title", "type", "record"});
      made.fields.push_back(ReportShow{column(object, path), {}, text(object, path, "record")});
      known_field(projections_.find(made.sources[0][0])->coll, made.fields.back().record,
                  path + "/record");
    });
    if (made.measures.empty()) fail("/measures", "must name at least one");
    check_names(made);
    if (made.detail) check_detail(made);
  }

  // Every column has a name of its own, and none is that of a query's member.
  void check_names(const Report& made) {
    std::vector<std::string> all{"from", "to", "by", "measures", "sort", "limit", "after", "lang"};
    const auto take = [&](const ReportColumn& column) {
      if (std::find(all.begin(), all.end(), column.name) != all.end()) {
        fail("", fmt::format("\"{}\" is the name of more than one thing", column.name));
      }
      all.push_back(column.name);
    };
    for (const ReportDimension& dimension : made.dimensions) {
      take(dimension.column);
      for (const ReportShow& show : dimension.shows) take(show.column);
      if (dimension.named) take(dimension.named->column);
    }
    for (const ReportMeasure& measure : made.measures) take(measure.column);
    for (const ReportShow& field : made.fields) take(field.column);
  }

  void check_detail(const Report& made) {
    const Projection* projection = projections_.find(made.sources[0][0]);
    bool scope = false;
    bool record = false;
    for (const ProjectionPart& part : projection->by) {
      scope = scope || part.from == ProjectionPart::From::kScope;
      record = record || part.from == ProjectionPart::From::kRecord;
    }
    if (made.sources.size() != 1 || made.sources[0].size() != 1 || !scope || !record) {
      fail("/detail", "goes with one projection that is by scope and record");
    }
    for (std::size_t i = 0; i < made.measures.size(); ++i) {
      if (made.measures[i].distinct.empty()) continue;
      fail(fmt::format("/measures/{}/distinct", i), "goes not with detail: a row is one record");
    }
  }

  void read_sources(Report& made, dom::object root) {
    const auto found = json::find(root, "sources");
    dom::array array;
    if (!found || found->get(array) != simdjson::SUCCESS || array.size() == 0) {
      return fail("/sources", "must be a filled array of arrays of projections");
    }
    for (const dom::element element : array) {
      dom::array list;
      if (element.get(list) != simdjson::SUCCESS || list.size() == 0) {
        return fail("/sources", "must be a filled array of arrays of projections");
      }
      made.sources.emplace_back();
      for (const dom::element one : list) {
        std::string_view name;
        const bool is_name = one.get(name) == simdjson::SUCCESS;
        const Projection* projection = is_name ? projections_.find(name) : nullptr;
        if (projection == nullptr) {
          return fail("/sources", fmt::format("there is no projection \"{}\"", name));
        }
        // A period is a range of rows.
        const auto from = projection->by.front().from;
        if (from != ProjectionPart::From::kTime && from != ProjectionPart::From::kInstant) {
          return fail("/sources", fmt::format("\"{}\" does not begin with a time", name));
        }
        made.sources.back().emplace_back(name);
      }
    }
  }

  Title titled(dom::object object, const std::string& path, std::string_view key) {
    const std::string at = fmt::format("{}/{}", path, key);
    const auto found = json::find(object, key);
    dom::object value;
    if (!found || found->get(value) != simdjson::SUCCESS) {
      fail(at, "must be an object with zh and en");
      return {};
    }
    only_keys(value, at, {"zh", "en"});
    return Title{text(value, at, "zh"), text(value, at, "en")};
  }

  std::vector<std::string> names(dom::object object, const std::string& path,
                                 std::string_view key) {
    std::vector<std::string> all;
    const auto found = json::find(object, key);
    if (!found) return all;
    dom::array array;
    if (found->get(array) != simdjson::SUCCESS) {
      fail(fmt::format("{}/{}", path, key), "must be an array of names");
      return all;
    }
    for (const dom::element element : array) {
      std::string_view name;
      if (element.get(name) != simdjson::SUCCESS) {
        fail(fmt::format("{}/{}", path, key), "must be an array of names");
        return all;
      }
      all.emplace_back(name);
    }
    return all;
  }

  ReportColumn column(dom::object object, const std::string& path) {
    ReportColumn made;
    made.name = text(object, path, "name");
    if (!valid_name(made.name)) fail(path + "/name", "is not a name ([a-z][a-z0-9_]*)");
    made.title = title(object, path);
    const std::string word = text(object, path, "type");
    for (const auto& [known, type] : kTypes) {
      if (known == word) {
        made.type = type;
        return made;
      }
    }
    fail(path + "/type", fmt::format("\"{}\" is no type of a cell", word));
    return made;
  }

  void known_field(const std::string& coll, const std::string& field, const std::string& path) {
    const Collection* collection = schemas_.find(coll);
    if (collection == nullptr || collection->field(field) == nullptr) {
      fail(path, fmt::format("{} has no field \"{}\"", coll, field));
    }
  }

  void kept_field(const std::string& coll, const std::string& field, const std::string& path) {
    const KeptFields* kept = projections_.kept(coll);
    if (kept == nullptr ||
        std::find(kept->fields.begin(), kept->fields.end(), field) == kept->fields.end()) {
      fail(path, fmt::format("no projection keeps \"{}\" of {}", field, coll));
    }
  }

  // The collection that a part's values name, in any projection of the report.
  std::string named_by(const Report& report, const std::string& part, const std::string& path) {
    bool known = false;
    std::string of;
    for (const auto& source : report.sources) {
      for (const std::string& name : source) {
        const Projection* projection = projections_.find(name);
        const auto at = projection->part(part);
        if (!at) continue;
        known = true;
        if (!projection->by[*at].of.empty()) of = projection->by[*at].of;
      }
    }
    if (!known) fail(path, fmt::format("no projection of this report has a part \"{}\"", part));
    return of;
  }

  ReportDimension dimension(const Report& report, dom::object object, const std::string& path) {
    only_keys(object, path, {"name", "title", "type", "parts", "shows", "named", "choices"});
    ReportDimension made;
    made.column = column(object, path);
    each(object, path, "parts", kMost, [&](dom::object one, const std::string& at) {
      only_keys(one, at, {"part", "kept", "from", "to"});
      ReportPart part;
      part.part = text(one, at, "part");
      const std::string of = named_by(report, part.part, at + "/part");
      if (json::find(one, "kept")) {
        part.kept = text(one, at, "kept");
        kept_field(of, part.kept, at + "/kept");
      }
      if (json::find(one, "from")) part.from = whole(one, at, "from", 0, 1000);
      if (json::find(one, "to")) part.to = whole(one, at, "to", 1, 1000);
      made.parts.push_back(std::move(part));
    });
    if (made.parts.empty()) {
      fail(path + "/parts", "must name at least one");
      return made;
    }
    const std::string of = named_by(report, made.parts[0].part, path);
    each(object, path, "shows", kMost, [&](dom::object one, const std::string& at) {
      only_keys(one, at, {"name", "title", "type", "kept", "record"});
      ReportShow show{column(one, at), {}, {}};
      if (json::find(one, "kept")) {
        show.kept = text(one, at, "kept");
        kept_field(of, show.kept, at + "/kept");
      } else {
        show.record = text(one, at, "record");
        known_field(of, show.record, at + "/record");
      }
      made.shows.push_back(std::move(show));
    });
    read_naming(made, object, path);
    read_choices(made, object, path);
    return made;
  }

  void read_naming(ReportDimension& made, dom::object object, const std::string& path) {
    const auto found = json::find(object, "named");
    if (!found) return;
    const std::string at = path + "/named";
    dom::object one;
    if (found->get(one) != simdjson::SUCCESS) return fail(at, "must be an object");
    only_keys(one, at, {"name", "title", "type", "collection", "match", "field"});
    ReportNaming named{column(one, at), text(one, at, "collection"), text(one, at, "match"),
                       text(one, at, "field")};
    kept_field(named.coll, named.match, at + "/match");
    kept_field(named.coll, named.field, at + "/field");
    made.named = std::move(named);
  }

  void read_choices(ReportDimension& made, dom::object object, const std::string& path) {
    const auto found = json::find(object, "choices");
    if (found.has_value() != (made.column.type == CellType::kEnum)) {
      return fail(path + "/choices", "goes with the type enum");
    }
    if (!found) return;
    const std::string at = path + "/choices";
    dom::object one;
    if (found->get(one) != simdjson::SUCCESS) return fail(at, "must be an object");
    only_keys(one, at, {"collection", "field"});
    const Collection* collection = schemas_.find(text(one, at, "collection"));
    const FieldSpec* field =
        collection == nullptr ? nullptr : collection->field(text(one, at, "field"));
    if (field == nullptr || field->choices.empty()) return fail(at, "there is no such enum");
    made.choices = field->choices;
  }

  ReportMeasure measure(const Report& report, dom::object object, const std::string& path) {
    only_keys(object, path,
              {"name", "title", "type", "source", "measure", "distinct", "where", "plus", "minus",
               "on_request"});
    ReportMeasure made;
    made.column = column(object, path);
    if (!is_number(made.column.type)) fail(path + "/type", "must be integer, minutes or points");
    made.on_request = flag(object, path, "on_request", false);
    made.plus = names(object, path, "plus");
    made.minus = names(object, path, "minus");
    if (!made.plus.empty() || !made.minus.empty()) {
      check_made_of(report, made, path);
      for (const char* key : {"source", "measure", "distinct", "where"}) {
        if (json::find(object, key)) {
          fail(fmt::format("{}/{}", path, key), "goes not with plus and minus");
        }
      }
      return made;
    }
    if (json::find(object, "source")) {
      made.source =
          whole(object, path, "source", 0, static_cast<std::int64_t>(report.sources.size()) - 1);
    }
    const bool distinct = json::find(object, "distinct").has_value();
    if (distinct) made.distinct = text(object, path, "distinct");
    if (!distinct) made.measure = text(object, path, "measure");
    read_where(made, object, path);
    const auto& source = report.sources[made.source];
    const bool some = std::any_of(source.begin(), source.end(), [&](const std::string& name) {
      return has(*projections_.find(name), made);
    });
    if (!some) fail(path, "no projection of its source has that");
    return made;
  }

  static bool has(const Projection& projection, const ReportMeasure& measure) {
    const bool counted = measure.distinct.empty() ? projection.measure(measure.measure).has_value()
                                                  : projection.part(measure.distinct).has_value();
    return counted && std::all_of(measure.where.begin(), measure.where.end(), [&](const auto& one) {
             return projection.part(one.first).has_value();
           });
  }

  void check_made_of(const Report& report, const ReportMeasure& made, const std::string& path) {
    for (const auto* list : {&made.plus, &made.minus}) {
      for (const std::string& name : *list) {
        const auto other = std::find_if(report.measures.begin(), report.measures.end(),
                                        [&](const auto& one) { return one.column.name == name; });
        if (other == report.measures.end() || !other->plus.empty() || !other->minus.empty()) {
          fail(path, fmt::format("there is no measure \"{}\" before it", name));
        } else if (!other->distinct.empty()) {
          fail(path, fmt::format("different ones, as \"{}\" counts, cannot be added up", name));
        }
      }
    }
  }

  void read_where(ReportMeasure& made, dom::object object, const std::string& path) {
    const auto found = json::find(object, "where");
    if (!found) return;
    dom::object parts;
    if (found->get(parts) != simdjson::SUCCESS) return fail(path + "/where", "must be an object");
    for (const auto member : parts) {
      std::string_view value;
      if (member.value.get(value) != simdjson::SUCCESS) {
        return fail(path + "/where", "must be texts by parts");
      }
      made.where.emplace(member.key, value);
    }
  }

  const SchemaFile& file_;
  const Schemas& schemas_;
  const Projections& projections_;
};

}  // namespace

std::string_view to_string(CellType type) {
  for (const auto& [word, known] : kTypes) {
    if (known == type) return word;
  }
  return "text";
}

const ReportDimension* Report::dimension(std::string_view dimension_name) const {
  for (const ReportDimension& dimension : dimensions) {
    if (dimension.column.name == dimension_name) return &dimension;
  }
  return nullptr;
}

Result<Reports> Reports::parse(const std::vector<SchemaFile>& files, const Schemas& schemas,
                               const Projections& projections) {
  Reports made;
  for (const SchemaFile& file : files) {
    auto loaded = ReportReader(file, schemas, projections).load();
    if (!loaded) return loaded.error();
    const std::string name = loaded->name;
    if (!made.all_.emplace(name, std::move(*loaded)).second) {
      return Error{Code::kSchemaInvalid,
                   place_and_reason(file.name, "/report", "another file has this name")};
    }
  }
  return made;
}

const Report* Reports::find(std::string_view name) const {
  const auto at = all_.find(name);
  return at == all_.end() ? nullptr : &at->second;
}

}  // namespace waystation

// What is counted of records as ops are applied: the declarations of schemas/projections/*.json
// (format in schemas/projection.schema.json; docs/reports.md), and what one record gives them. A
// record's part follows from what it shows alone, so that it can be taken away again exactly.
// Read once, then immutable; pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sync/natural_key.h"
#include "sync/record.h"
#include "sync/schema.h"

namespace waystation {

// Where days begin: the same offset all year round.
struct Zone {
  std::string name = "Asia/Shanghai";
  int offset_minutes = 480;
};
// "Asia/Shanghai", "UTC", or an offset as "+08:00". Nothing: none of them.
[[nodiscard]] std::optional<Zone> parse_zone(std::string_view text);

enum class Bucket : std::uint8_t { kHour, kDay, kMonth };
// "2026-01-31T08", "2026-01-31", "2026-01": the part of the zone's calendar that holds the instant.
[[nodiscard]] std::string bucket_of(std::int64_t ms, Bucket bucket, const Zone& zone);

// One part of what a projection is grouped by.
struct ProjectionPart {
  enum class From : std::uint8_t {
    kField,     // what a register shows
    kElements,  // each element of a set by itself
    kScope,     // of the record
    kRecord,    // its id
    kTime,      // the bucket that a time lies in
    kInstant,   // the same of an integer of ms since 1970
  };
  std::string name;
  From from = From::kField;
  std::string field;
  KeyPlace key;       // kField: where it stands in the id, which tells it while the record does not
  std::string after;  // kField: what the text begins with, and is left out; without it no group
  Bucket bucket = Bucket::kDay;
  std::string of;  // the collection that this is the id of, or whose record tells of the scope
};

struct ProjectionCondition {
  enum class Is : std::uint8_t { kShown, kAbsent, kEqual };
  std::string field;
  Is is = Is::kShown;
  std::string value;  // kEqual: canonical JSON
};

struct ProjectionMeasure {
  enum class Kind : std::uint8_t {
    kCount,    // one each
    kSum,      // of an integer field
    kMinutes,  // of an integer field, else of the time between two
  };
  std::string name;
  Kind kind = Kind::kCount;
  std::string field;           // kMinutes: may be empty
  std::int64_t otherwise = 0;  // kSum: where the field shows nothing
  std::string from;            // kMinutes: times; the first of `to` that is there counts
  std::vector<std::string> to;
  std::int64_t most = 0;  // kMinutes between two times, of which one may be wrong; 0: no bound
  std::vector<ProjectionCondition> when;  // else it counts 0
};

struct Projection {
  std::string name;
  Title title;
  std::string coll;
  std::vector<ProjectionPart> by;
  std::vector<ProjectionMeasure> measures;
  std::vector<ProjectionCondition> when;
  // Of facts: the field that names a record of the same scope which this one replaces, and the flag
  // of one that only takes it back. Empty: nothing is corrected.
  std::string corrects;
  std::string voids;

  [[nodiscard]] std::optional<std::size_t> part(std::string_view part_name) const;
  [[nodiscard]] std::optional<std::size_t> measure(std::string_view measure_name) const;
};

// Fields of a collection that are kept beside the sums by the ids of its records, and whether a
// record leads to another.
struct KeptFields {
  std::vector<std::string> fields;
  std::string redirect;  // field; empty: none
};

class Projections {
 public:
  Projections() = default;
  Projections(Projections&&) = default;
  Projections& operator=(Projections&&) = default;
  Projections(const Projections&) = delete;  // it points into itself
  Projections& operator=(const Projections&) = delete;

  // Errors: kSchemaInvalid, with the file, the path in it and the reason.
  [[nodiscard]] static Result<Projections> parse(const std::vector<SchemaFile>& files,
                                                 const Schemas& schemas, const Zone& zone);

  [[nodiscard]] const Projection* find(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, Projection, std::less<>>& all() const { return all_; }
  [[nodiscard]] const KeptFields* kept(std::string_view coll) const;
  [[nodiscard]] const std::map<std::string, KeptFields, std::less<>>& kept_of() const {
    return kept_;
  }
  [[nodiscard]] const Zone& zone() const { return zone_; }
  // Those over a collection; null: none.
  [[nodiscard]] const std::vector<const Projection*>* over(std::string_view coll) const;
  // The field by which records of a collection correct each other; empty: none.
  [[nodiscard]] std::string_view corrects(std::string_view coll) const;
  // Whether anything is kept of its records.
  [[nodiscard]] bool concern(std::string_view coll) const {
    return over(coll) != nullptr || kept(coll) != nullptr;
  }

  // Of all that decides what is kept, and of nothing else: titles may change freely. 64 hex digits.
  [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }

 private:
  friend class ProjectionReader;
  void finish();
  std::map<std::string, Projection, std::less<>> all_;
  std::map<std::string, KeptFields, std::less<>> kept_;
  std::map<std::string, std::vector<const Projection*>, std::less<>> over_;
  std::map<std::string, std::string, std::less<>> corrects_;
  std::string fingerprint_;
  Zone zone_;
};

using Sums = std::vector<std::int64_t>;

// What is kept of one record beside the sums.
struct KeptRow {
  Seq born = 0;                     // of the record: of all with one id the first stands for it
  bool deleted = false;             // it keeps its place, and shows nothing
  std::vector<std::string> fields;  // in the order of KeptFields; JSON, empty: nothing

  friend bool operator==(const KeptRow&, const KeptRow&) = default;
};

// What one record gives.
struct Projected {
  std::map<std::string, Sums> sums;  // by row_name(); without what counts 0
  std::string corrects;              // the id that it names; empty: none
  std::optional<KeptRow> kept;
  std::string into;  // where it leads; empty: nowhere
};
// Its own part, whether or not another record corrects it. Of a deleted one that it was there.
[[nodiscard]] Projected project(const Projections& projections, std::string_view scope,
                                std::string_view coll, std::string_view id, const Record& record);

// The projection's name and the parts, each ended by byte 0, which none of them holds.
[[nodiscard]] std::string row_name(std::string_view projection,
                                   const std::vector<std::string>& parts);
// The parts; nothing: it is not such a name.
[[nodiscard]] std::optional<std::vector<std::string_view>> parts_of(std::string_view row,
                                                                    std::string_view projection);
// The same into a list that is used again; false: it is not such a name.
[[nodiscard]] bool read_parts(std::string_view row, std::string_view projection,
                              std::vector<std::string_view>& into);

// The text of a JSON string; empty for anything else.
[[nodiscard]] std::string json_text(std::string_view json);

// Adds b to a, which grows to its length.
void add_to(Sums& a, const Sums& b, std::int64_t times = 1);
[[nodiscard]] bool all_zero(const Sums& sums);

}  // namespace waystation

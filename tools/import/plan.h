// What a line of an import asks for: which records should hold which values. Lines are held against
// the schemas here, before anything is sent. The difference to what a record holds already is all
// that is handed in, so an import can be run again. Pure; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sync/result.h"
#include "sync/schema.h"
#include "tools/import/input.h"

namespace waystation {

enum class ImportKind : std::uint8_t {
  kDivisions,
  kStations,
  kEvents,
  kRoster,
  kAttendance,
  kVisits
};

[[nodiscard]] std::optional<ImportKind> parse_import_kind(std::string_view word);

// The scope above: of the districts, or of stations and events without a division; for a roster the
// scope of the lines that name none.
struct ScopeRoot {
  std::string id;
  std::string title;  // empty: its own record is left alone
};
// "4452=揭阳市" or "4452". Nothing when the id cannot be a scope's.
[[nodiscard]] std::optional<ScopeRoot> parse_scope_root(std::string_view text);

struct PlannedRecord {
  std::string scope;
  std::string coll;
  std::string id;
  std::map<std::string, std::string> registers;          // canonical JSON; null: is to be empty
  std::map<std::string, std::vector<std::string>> sets;  // all elements, canonical JSON
};

struct Plan {
  std::vector<std::string> needs;      // scopes that must exist already
  std::vector<PlannedRecord> records;  // in the order in which they are to be written
};

class Planner {
 public:
  // The schemas outlive it.
  Planner(const Schemas& schemas, ImportKind kind, ScopeRoot root);

  [[nodiscard]] InputColumns columns() const;

  // What a line asks for. Records that an earlier line asked for in the same words (the district of
  // each village) are left out. Errors: kInputInvalid and what the schemas say; the context is the
  // reason, for people.
  [[nodiscard]] Result<Plan> plan(const InputLine& line);

 private:
  [[nodiscard]] Result<Plan> plan_of(const InputLine& line) const;
  [[nodiscard]] Result<Plan> divisions(const InputLine& line) const;
  [[nodiscard]] Result<Plan> place(const InputLine& line, std::string_view coll,
                                   std::string_view name_column) const;
  [[nodiscard]] Result<Plan> roster(const InputLine& line) const;
  [[nodiscard]] Result<Plan> attendance(const InputLine& line) const;
  [[nodiscard]] Result<Plan> visit(const InputLine& line) const;
  [[nodiscard]] PlannedRecord scope_record(std::string id, std::string_view title,
                                           std::string_view kind, std::string_view parent) const;
  [[nodiscard]] Status fill(PlannedRecord& record, const InputLine& line,
                            std::string_view skip) const;
  [[nodiscard]] Status check(const PlannedRecord& record) const;

  const Schemas& schemas_;
  ImportKind kind_;
  ScopeRoot root_;
  struct Earlier {
    std::size_t line;
    std::uint64_t content;  // hash
  };
  std::unordered_map<std::string, Earlier> earlier_;
};

// The edits that bring a record from `held` (canonical JSON of its visible fields; empty: there is
// no such record) to what is planned, as the inside of an op: "set":{…},"add":{…},"remove":{…}.
// Empty: nothing differs.
[[nodiscard]] std::string edits_between(std::string_view held, const PlannedRecord& planned);

}  // namespace waystation

// What the parts of a row stand for, at the moment of reading: fields of the record that an id
// names, and for whom a merged person's figures count. One snapshot; one thread. Errors besides
// those that stand with a function: kReportTooLarge, where all of them are more than may be held.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/id_numbers.h"
#include "storage/keys.h"
#include "storage/report_budget.h"
#include "storage/store.h"
#include "sync/projection.h"

namespace waystation {

class ReportNames {
 public:
  // All outlive it.
  ReportNames(const Store& store, const Snapshot& snapshot, const Projections& projections,
              ReportBudget& budget)
      : store_(store), snapshot_(snapshot), projections_(projections), budget_(budget) {}

  // Whether remaining() says of anybody another id than his own.
  [[nodiscard]] Result<bool> any_merged(const std::string& coll);
  // The id that the record counts for by now. Errors: kStoreCorrupt, kIo.
  [[nodiscard]] Result<std::string> remaining(const std::string& coll, const std::string& id);
  // The text of a kept field of what the part's value names; empty: none.
  [[nodiscard]] Result<std::string> kept(const ProjectionPart& part, const std::string& value,
                                         const std::string& field);
  // The text of any field of that record, opened where it is sealed. Empty also where the person
  // has been erased.
  [[nodiscard]] Result<std::string> field(const ProjectionPart& part, const std::string& value,
                                          const std::string& field);
  [[nodiscard]] Result<std::string> field_of(const std::string& scope, const std::string& coll,
                                             const std::string& id, const std::string& field);
  // `field` of the record of `coll` whose `match` is the value.
  [[nodiscard]] Result<std::string> name_of(const std::string& coll, const std::string& match,
                                            const std::string& value, const std::string& field);

 private:
  // Of all records with one id, in whatever scopes, the first that was made: whoever writes another
  // later renames nothing and redirects nobody.
  struct Kept {
    bool there = false;  // false: it was deleted, or never was
    Seq born = 0;
    std::string scope;
    std::string id;
    std::vector<std::string> fields;
  };
  // Where a merged record leads.
  struct Lead {
    std::map<std::string, std::string, std::less<>> into;  // by the scope of the one that says so
    std::string end;                                       // of the chain; empty: not yet known
  };
  using Merged = std::unordered_map<std::string, Lead>;  // by id
  // A kept field of all records of a collection. Few are the different texts of what is grouped by.
  struct Texts {
    std::size_t asked = 0;  // one by one
    enum class State : std::uint8_t { kUnread, kRead, kTooMany } state = State::kUnread;
    IdNumbers numbers;  // of the texts; who has none stands not here
    std::vector<std::string> texts;
  };
  [[nodiscard]] static Kept kept_of(const keys::KeptKey& key, KeptRow row);
  [[nodiscard]] static std::size_t weight(const Kept& kept);
  [[nodiscard]] Result<Merged*> merged(const std::string& coll);
  [[nodiscard]] Result<const Kept*> find(const ProjectionPart& part, const std::string& value);
  [[nodiscard]] Status read_texts(const std::string& coll, const std::string& field, Texts& texts);
  [[nodiscard]] Result<Kept> read(const std::string& coll, const std::string& id) const;
  [[nodiscard]] Result<const std::unordered_map<std::string, Kept>*> by_scope(
      const std::string& coll);
  [[nodiscard]] const std::string* kept_json(const std::string& coll, const Kept& kept,
                                             const std::string& field) const;
  [[nodiscard]] std::string text_of(const std::string& coll, const Kept& kept,
                                    const std::string& field) const;

  [[nodiscard]] Result<const Record*> record(const std::string& scope, const std::string& coll,
                                             const std::string& id);

  // The last ones that fields were read of: a row reads several of one.
  struct AtHand {
    std::string key;
    Record record;
  };
  std::array<AtHand, 2> at_hand_;
  std::size_t oldest_ = 0;
  const Store& store_;
  const Snapshot& snapshot_;
  const Projections& projections_;
  ReportBudget& budget_;
  std::map<std::string, Merged> merged_;                                 // by collection
  std::map<std::string, std::unordered_map<std::string, Kept>> scopes_;  // the same
  std::map<std::string, std::unordered_map<std::string, Kept>> ids_;     // the same
  std::size_t ids_bytes_ = 0;
  std::map<std::pair<std::string, std::string>, Texts> texts_;  // by collection and field
  std::map<std::string, std::unordered_map<std::string, std::string>>
      by_match_;  // by what is asked
};

}  // namespace waystation

// What a store holds of a person: looked up before an erasure, for its report. Reads every record,
// device log, conflict and refused op once: cost follows the store. Const on the store; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "storage/store.h"
#include "sync/result.h"
#include "sync/schema.h"

namespace waystation {

struct PersonTraces {
  // Values sealed under the person's key: unreadable once it is destroyed.
  std::uint64_t history_ops = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t refused = 0;
  // Records about the person, by collection: what is not personal in them stays.
  std::map<std::string, std::uint64_t> records;
  std::vector<std::string> also;  // ids of records that were merged into theirs: the same person
  // Where the person's name, or another long personal text of theirs, stands in what is not sealed
  // under their key: free text, and fields that no schema marks as personal.
  struct Place {
    std::string scope;
    std::string coll;
    std::string id;
  };
  static constexpr std::size_t kPlaces = 200;
  std::vector<Place> mentions;  // at most kPlaces
  std::uint64_t mentioned_records = 0;
  std::uint64_t mentioned_ops = 0;
  std::uint64_t mentioned_conflicts = 0;
  std::uint64_t mentioned_refused = 0;
};

// Errors: kStoreCorrupt, kIo, kMasterKey.
[[nodiscard]] Result<PersonTraces> traces_of(const Store& store, const Schemas& schemas,
                                             const std::string& person);

// Which record ids the rows of the keyring (person_row()) belong to, as far as a record tells.
// By row.
[[nodiscard]] Result<std::map<std::string, std::vector<std::string>>> persons_of_rows(
    const Store& store, const Schemas& schemas, const std::vector<std::string>& rows);

// How many active devices that may see one of `scopes` have not pulled up to `seq` yet, as far as
// they have told. Errors: kStoreCorrupt, kIo.
[[nodiscard]] Result<std::uint64_t> devices_behind(const Store& store,
                                                   const std::vector<std::string>& scopes, Seq seq);

}  // namespace waystation

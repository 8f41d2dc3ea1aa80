// What a store has counted, in words: "visits_day 2026-01-01 station:s1 courier" → "1 2".
#pragma once

#include <map>
#include <string>

#include "storage/store.h"
#include "sync/projection.h"

namespace waystation::testing {

using Counted = std::map<std::string, std::string>;

// What is kept, and what a recount of the records gives; rows that say nothing are left out. Rows
// that are not sums begin with their kind: "c …", "k …", "m …".
[[nodiscard]] Counted kept_rows(const Store& store);
[[nodiscard]] Counted recounted_rows(const Store& store, const Projections& projections);

// Kept rows without what tells which record was made first: that follows from the order of arrival.
[[nodiscard]] Counted without_births(Counted rows);

// Of one projection, by the parts of its rows.
[[nodiscard]] Counted of_projection(const Counted& rows, const std::string& projection);

}  // namespace waystation::testing

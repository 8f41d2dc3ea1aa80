// What the office looks at when it works something off: one conflict in full, who changed a record,
// and where a record leads that was merged into another. Read from a snapshot; const on the store;
// any thread.
#pragma once

#include <cstdint>
#include <string>

#include "storage/lists.h"
#include "storage/store.h"
#include "sync/schema.h"

namespace waystation {

// A lost value.
struct ConflictName {
  std::string scope;
  std::string coll;
  std::string id;
  std::string field;
  Dot dot;
  std::uint32_t part = 0;
};

// {scope, coll, id, seq, field, merge, kind, state, value, part, lost, winner?, review?}. `lost`
// and `winner` say who wrote, when, and what the author saw of the field: all up to the op's base,
// and the author's own ops before it. Cost follows the record's history. Errors: kHttpNotFound.
[[nodiscard]] Result<std::string> show_conflict(const Store& store, const Schemas& schemas,
                                                const ConflictName& name);

struct HistoryQuery {
  std::string scope;
  std::string coll;
  std::string id;
  std::string after;  // `next` of the page before
  std::size_t limit = 100;
  const CollectionRule* rule = nullptr;  // what is read of the ops; null: everything
};
// {device, name, n, seq, stamp, received, op}, the oldest first. Errors: kCursorInvalid.
[[nodiscard]] Result<ListPage> list_history(const Store& store, const Schemas& schemas,
                                            const HistoryQuery& query);

// As list_records() for one id, of the record that it leads to, with `redirected_from` where that
// is another.
[[nodiscard]] Result<ListPage> follow_record(const Store& store, const Schemas& schemas,
                                             const RecordQuery& query);

}  // namespace waystation

// Pages of records, conflicts and quarantine for people and tools, straight from a snapshot.
// Const on the store; any thread. Each list goes on from the token that the page before gave.
// A page reads what its caller may see, and ends after a bounded number of reads: one with few
// items or none is not the last while it has a token.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "storage/keys.h"
#include "storage/store.h"
#include "sync/policy.h"
#include "sync/result.h"
#include "sync/view.h"

namespace waystation {

struct ListPage {
  std::string items;  // JSON objects joined by commas
  std::string next;   // empty: the last page
};

struct RecordQuery {
  std::string scope;  // empty, with coll: all that `allowed` lets through
  std::string coll;   // empty: all
  std::string id;     // with scope and coll: this record alone
  std::string after;
  std::size_t limit = 100;
  const View* view = nullptr;  // what is seen of them; null: everything
};
using ScopeFilter = std::function<bool(std::string_view scope)>;
// {scope, coll, id, seq, fields | deleted, conflicts?}
[[nodiscard]] Result<ListPage> list_records(const Store& store, const RecordQuery& query,
                                            const ScopeFilter& allowed = {});

struct ConflictQuery {
  std::string scope;     // empty: all that `allowed` lets through
  bool settled = false;  // those in place of the open ones
  std::string after;
  std::size_t limit = 100;
  const View* view = nullptr;  // of fields that it shows; null: of all
};
// {scope, coll, id, field, kind, value, by, n, part?, stamp, winner?: {value, by}}, and of settled
// ones review: {by, n, stamp}.
[[nodiscard]] Result<ListPage> list_conflicts(const Store& store, const ConflictQuery& query,
                                              const ScopeFilter& allowed);

struct QuarantineQuery {
  std::optional<std::uint64_t> device;
  std::string after;
  std::size_t limit = 100;
  const Role* role = nullptr;  // what it may read of the ops; null: everything
};
// {device, n, code, detail, received, op}
[[nodiscard]] Result<ListPage> list_quarantine(const Store& store, const QuarantineQuery& query);

// One device as the office sees it.
[[nodiscard]] Result<std::string> describe_device(const Store& store, const Account& account);

// The enrolment codes that can be used at now_ms: {"codes":[…]}, each without its secret.
[[nodiscard]] Result<std::string> list_codes(const Store& store, std::int64_t now_ms);

// Calls `each` for every live record of a collection over all scopes, from one snapshot, at
// constant memory. `each` returns false to stop.
[[nodiscard]] Status for_each_record(
    const Store& store, std::string_view coll, std::string_view scope,
    const std::function<bool(std::string_view scope, std::string_view id,
                             std::string_view visible)>& each);

// Every record of a collection over all scopes, also deleted ones, by its key alone.
[[nodiscard]] Status for_each_record_key(const Store& store, std::string_view coll,
                                         const std::function<void(const keys::RecordKey&)>& each);

}  // namespace waystation

// Views over a store: what a record looks like in one, the digests that are kept for each view that
// is not whole, and the change from one policy to another (docs/access.md).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/codec.h"
#include "storage/store.h"
#include "sync/policy.h"

namespace waystation {

// Appends the change object of a record as the view shows it; false: it shows nothing of its
// collection, and nothing is appended. `bytes` is the record's value, `head` its head. A view that
// shows all of it costs no copy. Any thread. Errors: kStoreCorrupt.
[[nodiscard]] Result<bool> append_seen(std::string& out, const View& view, std::string_view scope,
                                       std::string_view coll, std::string_view id,
                                       const RecordHead& head, std::string_view bytes);

// What a live record adds to the digest of each view, in their order; `whole` is what it adds to
// the scope's. Pure; any thread.
[[nodiscard]] std::vector<Digest> view_parts(const std::vector<View>& views, std::string_view scope,
                                             std::string_view coll, std::string_view id,
                                             std::string_view visible, const Digest& whole);

struct PolicyReport {
  std::uint64_t devices = 0;  // see something else than before, and start afresh
  std::uint64_t records = 0;  // digests of views were made from so many; 0: they stood
};

// From now on the policy decides. Devices whose roles saw something else under the one before start
// afresh with their next pull; the digests of views are made anew where they are not those of this
// policy. Cut off, it is done again. Before the applier starts; one thread. Errors: kStoreCorrupt,
// kIo.
[[nodiscard]] Result<PolicyReport> adopt_policy(Store& store, std::shared_ptr<const Policy> policy,
                                                std::int64_t now_ms);

}  // namespace waystation

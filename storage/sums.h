// The sums of one row of a projection, and how a change is added to what is there without reading
// it. docs/storage-format.md, docs/reports.md. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "sync/projection.h"
#include "sync/result.h"

namespace waystation {

[[nodiscard]] std::string encode_sums(const Sums& sums);
// Errors: kStoreCorrupt.
[[nodiscard]] Result<Sums> decode_sums(std::string_view bytes);
// The same into sums that are used again; false: it is damaged.
[[nodiscard]] bool read_sums(std::string_view bytes, Sums& into);

// What a kAdd of `change` leaves in place of `before` (empty: nothing was there). What cannot be
// read makes a value that cannot be read either, so that it is found and not passed over.
[[nodiscard]] std::string added(std::string_view before, std::string_view change);

}  // namespace waystation

// Sealing ops: under whose key, and those that a store took in before their fields were personal,
// in the device logs and in the quarantine. Records are made anew from them (storage/upgrade.h).
// docs/personal-data.md. What changes a store runs before the applier starts, on one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store.h"
#include "sync/schema.h"

namespace waystation {

// Under whose key the personal values of an op about the record lie; empty: it is about nobody.
// What is refused because its id is none has a name made from that id, so that it is kept sealed
// too.
[[nodiscard]] std::string key_holder(const Collection& collection, std::string_view record_id);

// Where it is noted how the ops of a collection lie sealed, and what: which way, then which fields
// (personal_fields()). Empty: nothing of it is personal.
[[nodiscard]] std::string sealed_note_key(std::string_view coll);
[[nodiscard]] std::string sealed_note(const std::vector<Collection>& versions);
// Whether ops of the collection may lie there unsealed. Without a keyring nothing is to be sealed.
[[nodiscard]] Result<bool> has_to_be_sealed(const Store& store, const Schemas& schemas,
                                            const std::string& coll);

// Idempotent: what is sealed stays. Gives how many ops were sealed. Errors: kStoreCorrupt, kIo,
// kMasterKey.
[[nodiscard]] Result<std::uint64_t> seal_logs(
    Store& store, const Schemas& schemas,
    const std::function<void(std::span<unsigned char>)>& random);

}  // namespace waystation

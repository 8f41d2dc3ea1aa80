// Personal fields of ops: which they are, and their values sealed before anything is stored
// (docs/personal-data.md). Pure; any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sync/op.h"
#include "sync/schema.h"

namespace waystation {

// The person whom a record of the collection is about; empty where it is about nobody.
[[nodiscard]] std::string_view person_of(const Collection& collection, std::string_view record_id);

// Whether a field of that name is personal in any of the versions of a collection.
[[nodiscard]] bool personal_in_any(const std::vector<Collection>& versions, std::string_view field);
[[nodiscard]] bool holds_personal(const std::vector<Collection>& versions);
// Which fields are, by name: what a store notes of how it was sealed. Empty: none.
[[nodiscard]] std::string personal_fields(const std::vector<Collection>& versions);

// A JSON text to stand in a value's place.
using SealValue = std::function<std::string(std::string_view value)>;

// The op's JSON with the value of every field that is personal in any version of its collection
// replaced, whatever kind of edit it stands in; null stays. What is no op stays as it is.
[[nodiscard]] std::string seal_op_text(const Schemas& schemas, std::string_view canonical,
                                       const SealValue& seal);

// The same with the edits of an op that has been brought forward.
void seal_edits(const Collection& collection, Op& op, const SealValue& seal);

// Whether a string in the text begins as sealed values do: no client sends that.
[[nodiscard]] bool looks_sealed(std::string_view canonical);

}  // namespace waystation

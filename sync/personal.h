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

// The versions of the collection that an op is about; null: of none that is known. Where it could
// not be read and names several, one that is about somebody.
[[nodiscard]] const std::vector<Collection>* versions_of(const Schemas& schemas, const Op& op);

// The JSON of an op about somebody, with the value of every field that is personal in any version
// of its collection replaced, whatever kind of edit it stands in, and members that mean nothing; of
// one that could not be read everything but its header. null stays. Nothing that is left as it
// stands begins as a sealed value does.
[[nodiscard]] std::string seal_op_text(const std::vector<Collection>& versions, const Op& op,
                                       const SealValue& seal);

// The same with the edits of an op that has been brought forward.
void seal_edits(const Collection& collection, Op& op, const SealValue& seal);

// Whether a string in the text begins as sealed values do: no client sends that.
[[nodiscard]] bool looks_sealed(std::string_view canonical);
// With all such strings made harmless: they begin with U+0001 x1. instead.
[[nodiscard]] std::string without_sealed(std::string canonical);

}  // namespace waystation

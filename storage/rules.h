// What the server has to do about a record by itself, and when: which leases are to be taken back,
// which open records are to be closed, which two may be one. docs/merge-rules.md, "What the server
// does by itself". Pure; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sync/record.h"
#include "sync/schema.h"

namespace waystation {

// --- open records -----------------------------------------------------------------------------
struct Closing {
  std::int64_t due_ms = 0;  // when it is to be closed
  std::string flag;         // what is then to be written: a time
};
// Nothing when the record is not open. `parent` may be null: unknown.
[[nodiscard]] std::optional<Closing> closing_of(const Record& record, const CloseRule& rule,
                                                const Record* parent);
// The id of the record that `parent` of the rule names.
[[nodiscard]] std::optional<std::string> parent_id(const Record& record, const CloseRule& rule);

// --- dues -------------------------------------------------------------------------------------
// When the server has to look at the record; 0: never. `closing`: as closing_of() says.
// `bury_ms`: how long after its deletion a tombstone may be buried.
[[nodiscard]] std::int64_t due_of(const Record& record, const Collection& collection,
                                  const std::optional<Closing>& closing, std::int64_t bury_ms);

// --- duplicates -------------------------------------------------------------------------------
struct Match {
  std::string key;   // equal for records that may be one: a hash, so that it holds no name
  std::string like;  // equal where the text is; empty: has none
};
// How texts that are sealed are read, and what may be kept of them.
struct MatchTexts {
  std::function<std::string(std::string_view json)> open;  // empty: nothing is sealed
  std::function<std::string(std::string_view text)> hash;
};
// Nothing when it has no text to be compared, is deleted, or has been merged into another.
[[nodiscard]] std::optional<Match> match_of(const Record& record, const Collection& collection,
                                            const MatchTexts& texts = {});
[[nodiscard]] bool may_be_one(const DuplicateRule& rule, Seq born, std::string_view like,
                              Seq other_born, std::string_view other_like);
// The id of the record in `duplicate` about the two.
[[nodiscard]] std::string candidate_id(std::string_view a, std::string_view b);

// --- photos -----------------------------------------------------------------------------------
// The hash of the blob that a record of this collection names; empty where it names none.
[[nodiscard]] std::string named_blob(std::string_view coll, const Record& record);

}  // namespace waystation

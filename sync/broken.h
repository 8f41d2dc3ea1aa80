// Faults that can be put into the engine on purpose, to show that the simulator finds them. A build
// without WS_BROKEN_VARIANTS has none of this: broken() is false there, and what it guards is not
// compiled in. docs/testing.md lists what each does. The one in force is set before anything runs.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace waystation {

enum class Broken : std::uint8_t {
  kNone,
  kVerdictBeforeSync,   // receipts leave before their group is on the disk
  kCursorEarly,         // a device stores the cursor before what came with it
  kTieByArrival,        // of two writes with equal times the later arrival is on show
  kRemoveWins,          // a remove also takes what it had not seen
  kDoubleCount,         // a repeat is counted again
  kLostBase,            // what the author had seen is forgotten
  kTombstoneDropped,    // a deleted record is forgotten at once
  kLeaseNotCounted,     // a lease is given without being taken from what is free
  kSkippedN,            // a gap in a device's numbers is passed over
  kDigestNotUpdated,    // a deleted record stays in the digest
  kMigrationOrder,      // the steps of a migration are taken in the wrong order
  kQuarantineDropped,   // a refused op is not kept
  kBackedUpEarly,       // what is applied is told to be in a backup
  kHiddenFieldSent,     // a record is sent with fields that the role does not see
  kWriteWallSkipped,    // an op is taken whatever the role may write
  kResetForgotten,      // a device with another role goes on with what it holds
  kViewDigestNotMoved,  // the digest of what a role sees stays as it was
};

inline constexpr std::array<std::pair<std::string_view, Broken>, 17> kBrokenVariants{{
    {"verdict_before_sync", Broken::kVerdictBeforeSync},
    {"cursor_early", Broken::kCursorEarly},
    {"tie_by_arrival", Broken::kTieByArrival},
    {"remove_wins", Broken::kRemoveWins},
    {"double_count", Broken::kDoubleCount},
    {"lost_base", Broken::kLostBase},
    {"tombstone_dropped", Broken::kTombstoneDropped},
    {"lease_not_counted", Broken::kLeaseNotCounted},
    {"skipped_n", Broken::kSkippedN},
    {"digest_not_updated", Broken::kDigestNotUpdated},
    {"migration_order", Broken::kMigrationOrder},
    {"quarantine_dropped", Broken::kQuarantineDropped},
    {"backed_up_early", Broken::kBackedUpEarly},
    {"hidden_field_sent", Broken::kHiddenFieldSent},
    {"write_wall_skipped", Broken::kWriteWallSkipped},
    {"reset_forgotten", Broken::kResetForgotten},
    {"view_digest_not_moved", Broken::kViewDigestNotMoved},
}};

#ifdef WS_BROKEN_VARIANTS
inline Broken broken_in_force = Broken::kNone;
[[nodiscard]] inline bool broken(Broken variant) { return broken_in_force == variant; }
#else
[[nodiscard]] constexpr bool broken(Broken /*variant*/) { return false; }
#endif

}  // namespace waystation

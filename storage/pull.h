// Reading what changed for a device. The cost follows the change: index entries and records read
// are counted, and depend neither on the size of the store nor on its history (law 5).
// Const on the store; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store.h"
#include "sync/cursor.h"
#include "sync/result.h"
#include "sync/wire.h"

namespace waystation {

struct PullWork {
  std::uint64_t index_entries = 0;
  std::uint64_t records = 0;
};

// One scope of a pull. `fill`: the device holds nothing of it yet.
struct PullScope {
  std::string scope;
  bool fill = false;
};

struct PullPage {
  ChangesHead head;  // its cursor is encoded
  Cursor next;
  std::string items;  // the inside of the changes array
  std::size_t count = 0;
  PullWork work;
};

// One page for a device, by its account as it is in the snapshot that is read. Errors:
// kAuthUnknownDevice, kAuthRevoked, kCursorInvalid, kStoreCorrupt, kIo.
[[nodiscard]] Result<PullPage> pull(const Store& store, std::uint64_t device,
                                    std::string_view cursor_text, std::size_t limit);

// The part that all devices with the same scopes and position share: the live messages of a fan-out
// are made once with it. `scopes` is sorted; cursor.base is what the device holds; cursor.target is
// a committed position that was known before `scopes` was looked up, so that no scope is missed.
// For a device beyond the horizon the page is empty and says `more`: it has to pull by itself.
[[nodiscard]] Result<PullPage> pull_scopes(const Store& store, const std::vector<PullScope>& scopes,
                                           const Cursor& cursor, std::size_t limit);

// The scopes of `account` with a change above `base`, sorted. A scope that was granted above
// `target` is not among them: it would lie partly behind a walk that is under way, and waits for
// the next.
[[nodiscard]] std::vector<PullScope> changed_scopes(const Store& store, const Account& account,
                                                    Seq base, Seq target = kStillShown);

}  // namespace waystation

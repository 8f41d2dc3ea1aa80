// A cursor: what a device has pulled. Opaque to the device; base64url of a small binary value.
//
// A device holds everything up to `base` in its scopes. While it catches up to `target` in pages,
// the scopes are walked in the order of their ids: all scopes before `scope` are done up to
// `target`, and `scope` itself is done up to `after_key` (a first fill, in the order of keys) or
// `after_seq` (changes, in the order of seqs). Since the position is one in the log and not in a
// node, it means the same on every node that has applied that far. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sync/result.h"
#include "sync/stamp.h"

namespace waystation {

struct Cursor {
  std::uint64_t incarnation = 0;  // the first 64 bits; 0: a device that holds nothing
  Seq base = 0;
  Seq target = 0;  // 0: no walk under way
  std::string scope;
  std::string after_key;
  Seq after_seq = 0;

  [[nodiscard]] bool walking() const { return target != 0; }
  friend bool operator==(const Cursor&, const Cursor&) = default;
};

[[nodiscard]] std::string encode_cursor(const Cursor& cursor);
// "" is the cursor of a device that holds nothing. Errors: kCursorInvalid.
[[nodiscard]] Result<Cursor> decode_cursor(std::string_view text);

}  // namespace waystation

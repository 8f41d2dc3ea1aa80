// Limits of the edge against hostile load, beside those of the protocol and the engine
// (sync/limits.h), each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sync/limits.h"

namespace waystation::limits {

// --- what comes in -----------------------------------------------------------------------------
// What is held unread of a request: a header and a good piece of the body. The parser waits in it
// for the end of a line that may never come (a chunk's extension, the trailer).
inline constexpr std::size_t kUnreadBytes = kHeaderBytes + 64 * 1024;
// A body as it comes, with the sizes and extensions of its chunks.
inline constexpr std::size_t kRawBodyBytes = 2 * kFrameBytes;
// A body without a token beside it (a code, a sign-in). A frame has its token inside.
inline constexpr std::size_t kUnknownBodyBytes = 16 * 1024;

// --- connections that have shown no good token ---------------------------------------------------
// A connection may be unknown for so long, but for a body that keeps its pace, and ask so often.
inline constexpr std::int64_t kUnknownMs = 30'000;
inline constexpr std::size_t kUnknownRequests = 32;
// One that has been unknown for at least so long, and says nothing, makes room for a new one.
inline constexpr std::int64_t kUnknownRestMs = 1'000;
// What all of them together may have said and not been answered yet.
inline constexpr std::size_t kUnknownHeldBytes = std::size_t{256} * 1024 * 1024;

// --- what is read --------------------------------------------------------------------------------
// Lists that one device, or one account of the office, has read for it or sent to it at a time: a
// page is up to half a MiB until it has been taken.
inline constexpr std::size_t kListsAtOnce = 4;
// Lists that wait for a reader; pulls have a queue of their own (kReaderQueue).
inline constexpr std::size_t kListQueue = 256;

// --- photos ------------------------------------------------------------------------------------
// Threads that read and write their files: one may be copying a backup.
inline constexpr std::size_t kBlobThreads = 2;
inline constexpr std::size_t kBlobQueue = 1024;
inline constexpr std::size_t kBlobPiece = 64 * 1024;
// A file whose records are there is marked as named no more often than this, and goes when it has
// not been for so long behind the last mark.
inline constexpr std::int64_t kBlobMarkMs = std::int64_t{7} * 86'400'000;
inline constexpr std::int64_t kBlobKeptMs = std::int64_t{30} * 86'400'000;

}  // namespace waystation::limits

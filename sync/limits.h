// Every limit of the protocol and the engine, with its reason. Times are in the unit that the name
// ends in. docs/protocol.md tells clients; a test compares the two.
#pragma once

#include <cstddef>
#include <cstdint>

namespace waystation::limits {

// --- the wire ---------------------------------------------------------------------------------
// A frame that a 2 GB phone can hold twice, and that passes a slow uplink within the idle timeout.
inline constexpr std::size_t kFrameBytes = 1024 * 1024;
// A day of a busy tablet fits one push; a group of pushes fits one write batch.
inline constexpr std::size_t kOpsPerPush = 1000;
// Nothing people record nests deeper; the decoder's stack stays small.
inline constexpr std::size_t kOpDepth = 16;
// Beyond this a whole frame is refused; up to it only the op that nests so deep.
inline constexpr std::size_t kFrameDepth = 512;
inline constexpr std::size_t kStringBytes = 64 * 1024;
inline constexpr std::int64_t kMaxInteger = (std::int64_t{1} << 53) - 1;
inline constexpr std::size_t kScopeIdBytes = 64;
inline constexpr std::size_t kRecordIdBytes = 128;
inline constexpr std::size_t kNameBytes = 64;
inline constexpr std::size_t kBootBytes = 64;
inline constexpr std::size_t kAppBytes = 128;
inline constexpr std::size_t kDeviceNameBytes = 200;
inline constexpr std::size_t kPathBytes = 4096;  // as Linux has it
// One page of changes: large enough that 100,000 records take 100 round trips, small enough that a
// page never holds a reader thread for more than a few milliseconds.
inline constexpr std::size_t kPageRecords = 1000;
inline constexpr std::size_t kPageBytes = 512 * 1024;

// --- a record ---------------------------------------------------------------------------------
// The cost of an op is bounded by the size of one record, never by its history.
inline constexpr std::size_t kRecordBytes = 64 * 1024;
// With what is not shown (adds of one element by many devices, single incs, lost values).
inline constexpr std::size_t kRecordStateBytes = 4 * kRecordBytes;
inline constexpr std::size_t kFieldsPerRecord = 256;
inline constexpr std::size_t kEntriesPerField = 1000;  // set adds, log entries, itemised incs
inline constexpr std::size_t kLostPerField = 64;       // lost values that withdraw by themselves
inline constexpr std::size_t kDeletersPerRecord = 256;
inline constexpr std::size_t kLeasesPerField = 256;
inline constexpr std::size_t kSettlementsPerOp = 64;

// Merges of merges; beyond them a chain is no longer followed.
inline constexpr std::size_t kRedirects = 1000;

// --- a device ---------------------------------------------------------------------------------
inline constexpr std::size_t kBootsPerDevice = 4;  // earlier boots whose clock is still placed
inline constexpr std::int64_t kClockWrongMs = 120'000;
inline constexpr std::size_t kScopesPerDevice = 1000;  // branches that the office may grant
// What lies below an account's branches, one by one: `welcome` lists it, and each new scope below
// rewrites the account. Who needs more holds "*", which is one entry.
inline constexpr std::size_t kScopesHeld = 4000;
// Scopes that it has left and whose end is remembered: told to a device that was away meanwhile,
// and looked up for an op from before. Beyond it the oldest are forgotten and the device starts
// anew.
inline constexpr std::size_t kScopesLeft = 4000;
// Enrolment codes that exist at one time, used ones that have not expired yet among them.
inline constexpr std::size_t kCodes = 10'000;

// --- the office -------------------------------------------------------------------------------
inline constexpr std::size_t kOfficeAccounts = 1000;
inline constexpr std::size_t kOfficeNameBytes = 64;
inline constexpr std::size_t kSessionsPerAccount = 8;  // one more ends the one longest unseen
inline constexpr std::int64_t kSessionIdleMs = 30 * 60'000;
inline constexpr std::int64_t kSessionMs = 12 * 3'600'000;  // a working day, however busy
// A session's last use is written no more often than this.
inline constexpr std::int64_t kSessionTouchMs = 60'000;
inline constexpr std::int64_t kLinkMs = 24 * 3'600'000;  // a link that sets a password
inline constexpr std::int64_t kKnownBrowserMs = std::int64_t{180} * 86'400'000;
// NIST SP 800-63B wants 8, OWASP ASVS 12; the upper end bounds what is hashed.
inline constexpr std::size_t kPasswordPoints = 12;
inline constexpr std::size_t kPasswordBytes = 512;
inline constexpr std::size_t kRecoveryCodes = 10;
// Password hashes that wait for the one thread that makes them, about 0.15 s and 64 MiB each. Half
// of the places are for browsers that have signed in before, and of the others one network has no
// more than half.
inline constexpr std::size_t kHashQueue = 16;
inline constexpr std::size_t kStrangersHashed = kHashQueue / 2;
inline constexpr std::size_t kStrangersOfNetwork = kStrangersHashed / 2;
// What a person sends at once: a form, or the rows that were ticked on one page.
inline constexpr std::size_t kEditsPerRequest = 100;
inline constexpr std::size_t kRequestNameLeastBytes = 16;
inline constexpr std::size_t kRequestNameBytes = 128;
// How long an answer to edits can be had again, and how many are kept at most.
inline constexpr std::int64_t kEditKeptMs = std::int64_t{24} * 3'600'000;
inline constexpr std::size_t kEditsKept = 100'000;
// Rows of one page of a list, and characters of what is searched for.
inline constexpr std::size_t kListRows = 200;
inline constexpr std::size_t kListQueryPoints = 100;
inline constexpr std::size_t kListFilters = 16;
// Addresses and accounts whose failed attempts are remembered.
inline constexpr std::size_t kThrottleEntries = 20'000;

// --- reports ----------------------------------------------------------------------------------
// Groups of one report: about 200 bytes each while it is read. Everybody in the city, by month.
inline constexpr std::size_t kReportRows = 1'000'000;
// What is held for them, for different ones that are counted and for names, however long the values
// are: a million of the usual groups.
inline constexpr std::size_t kReportBytes = std::size_t{256} * 1024 * 1024;
// Rows of single records in another order than their own, in memory.
inline constexpr std::size_t kReportSorted = 100'000;
inline constexpr std::size_t kReportPage = 1000;  // rows of one page of JSON
// Reports that are read or written into files at one time, one after the other; and files that wait
// or are being sent.
inline constexpr std::size_t kReportsWaiting = 16;
inline constexpr std::size_t kExports = 4;
// What an export leaves free on the disk.
inline constexpr std::uint64_t kExportFloorBytes = std::uint64_t{512} * 1024 * 1024;

// --- the server -------------------------------------------------------------------------------
// What waits for the writer: a thousand phones with fifty edits each, twice; two or three seconds
// of work. Beyond it clients are told to come back.
inline constexpr std::size_t kWriterQueueOps = 120'000;
// One synced batch: at most this many ops, so that the first in the group does not wait for long.
inline constexpr std::size_t kGroupOps = 4096;
// The wall in the office: who waits for it at one time, how many of one account (a wall in each
// room), for how long, how often it is read in a rush (an answer within a second, a bounded share
// of the machine), stations and events that it lists.
inline constexpr std::size_t kTodayAskers = 256;
inline constexpr std::size_t kTodayAskersEach = 8;
inline constexpr std::int64_t kTodayWaitMs = 30'000;
inline constexpr int kTodayPauseMs = 200;
inline constexpr std::size_t kTodayRows = 1000;
inline constexpr std::size_t kReaderQueue = 2048;  // pulls and page requests that wait
// What waits counts by its size where an op is large: so many bytes weigh as much as an op.
inline constexpr std::size_t kQueuedOpBytes = 1024;
// Decoded records that the writer keeps at hand, and about how much memory they may take.
inline constexpr std::size_t kRecordCache = 65'536;
inline constexpr std::size_t kRecordCacheBytes = std::size_t{256} * 1024 * 1024;
inline constexpr std::size_t kHeaderBytes = 16 * 1024;
inline constexpr int kHttpTimeoutMs = 10'000;  // a request's header, a TLS or WebSocket handshake
inline constexpr int kHelloTimeoutMs = 10'000;
inline constexpr int kIdleTimeoutMs = 60'000;
inline constexpr std::size_t kConnections = 20'000;

// --- the edge: limits against hostile load ------------------------------------------------------
// What a request's body, or the reader of an answer, must keep up with once its grace is over: the
// uplink of a phone at the edge of coverage does, a slowloris does not.
inline constexpr std::int64_t kSlowestBytesPerSecond = 1024;
inline constexpr int kBodyGraceMs = 10'000;
inline constexpr int kWriteGraceMs = 60'000;
// From the decision to close a connection until it is closed, whether or not the other side reads.
inline constexpr int kCloseTimeoutMs = 5'000;
// Addresses and devices that are remembered for their rates; the one unseen for longest is
// forgotten for a new one. About 200 bytes each.
inline constexpr std::size_t kRatedKeys = 65'536;
// Rates come with an allowance of this many seconds' worth, for what gathered without coverage.
inline constexpr double kOpsBurstSeconds = 100;
inline constexpr double kBytesBurstSeconds = 128;
// A town's phones may stand behind one address (carrier NAT): it may do what many devices may.
inline constexpr double kAddressShare = 16;       // bytes, against a device's
inline constexpr double kRequestsPerConnect = 5;  // requests, against new connections
// Connections and HTTP requests of one device at a time: those that a bad line left half open, too.
inline constexpr std::size_t kVisitsPerDevice = 16;
// Messages, and WebSocket control frames, on one connection; beyond, it is read more slowly.
inline constexpr double kFramesPerSecond = 200;
inline constexpr double kFramesBurst = 2000;
// Frames that could not be read, and wrong tokens. A device, or an address, that has used up its
// allowance is shut out for a while. An address has more, for others live there too.
inline constexpr double kDeviceStrikesPerSecond = 0.2;
inline constexpr double kDeviceStrikes = 60;
inline constexpr double kAddressStrikesPerSecond = 10;
inline constexpr double kAddressStrikes = 1000;
inline constexpr double kShutOutSeconds = 60;

// So many terms in roles a device's ops are judged by; of more the earliest is forgotten.
inline constexpr std::size_t kRoleTerms = 32;

// A live message with more changes than this tells the reader to pull instead.
inline constexpr std::size_t kLiveRecords = 1000;

static_assert(kPageBytes + kRecordBytes < kFrameBytes, "a page must fit a frame");
static_assert(kGroupOps >= kOpsPerPush, "one push must fit a group");
static_assert(kWriterQueueOps >= kGroupOps);
static_assert(kStringBytes <= kRecordBytes);

}  // namespace waystation::limits

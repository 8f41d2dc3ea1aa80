// Every error that a client can meet, in one table: stable name, HTTP status, WebSocket close code.
//
// The names are part of the protocol (docs/errors.md lists them; a test holds the page to the
// table). A name never changes its meaning and is never reused. Thread-safe: constant data.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace waystation {

enum class Code : std::uint8_t {
  // The bytes.
  kJsonInvalid,
  kJsonUtf8,
  kJsonNumber,
  kJsonTooDeep,
  kJsonDuplicateKey,
  kStringSurrogate,
  kBodyTooLarge,
  kFrameTooLarge,
  // The message.
  kMessageUnknown,
  kMessageInvalid,
  kVersionUnsupported,
  kPushTooManyOps,
  kCursorInvalid,
  // Who asks.
  kAuthRequired,
  kAuthUnknownDevice,
  kAuthBadToken,
  kAuthRevoked,
  kAuthForbidden,
  kAuthSignIn,
  kAuthSecondFactor,
  kAuthSlowDown,
  kAuthCsrf,
  kLinkInvalid,
  kPasswordWeak,
  kAccountExists,
  kAccountLast,
  kAccountChanged,
  kCodeInvalid,
  kCodeUsed,
  kCodeExpired,
  kCodeLimited,
  kCodeTooMany,
  // What the office decided about a device.
  kDeviceDraining,
  kDeviceChanged,
  kDeviceReplaced,
  kDeviceWiped,
  // One op: refused, kept in the quarantine.
  kOpInvalid,
  kOpReused,
  kOpLost,
  kOpReplayed,
  kScopeUnknown,
  kScopeForbidden,
  kScopeTooMany,
  kAccessDenied,
  kCollectionUnknown,
  kRecordId,
  kRecordKey,
  kRecordTooLarge,
  kFieldName,
  kFieldKind,
  kFieldType,
  kFieldLimit,
  kFieldFull,
  kFieldRequired,
  kFactsImmutable,
  kDeleteForbidden,
  kFieldDerived,
  kCollectionDerived,
  kQuotaExhausted,
  kQuotaExceeded,
  kQuotaHeld,
  kPersonErased,
  // HTTP.
  kHttpBadRequest,
  kHttpNotFound,
  kHttpMethod,
  kHttpTimeout,
  kHttpHeaderTooLarge,
  kHttpEncoding,
  kHttpRange,
  kPagesMissing,
  // Photos on their way in, and ops that another device carries.
  kUploadVersion,
  kUploadInvalid,
  kUploadType,
  kUploadOffset,
  kUploadHash,
  kUploadTooLarge,
  kUploadTooMany,
  kUploadDisk,
  kHandoverMac,
  kHandoverClosed,
  // What people of the office edit and list.
  kEditReused,
  kEditChanged,
  kEditSkipped,
  kListField,
  kListWarming,
  kListTooLarge,
  // Reports.
  kReportUnknown,
  kReportQuery,
  kReportTooLarge,
  kReportDisk,
  // Copies of the store.
  kBackupFolder,
  kBackupInvalid,
  // The server's own state.
  kStoreReadOnly,
  kStoreFormat,
  kStoreCorrupt,
  kStoreLocked,
  kSchemaInvalid,
  kPolicyInvalid,
  kConfigInvalid,
  kMasterKey,
  kErasures,
  kInputInvalid,
  kBusy,
  kIo,
  kInternal,
};

struct CodeInfo {
  Code code;
  std::string_view name;     // on the wire
  std::uint16_t http;        // status of an HTTP answer
  std::uint16_t close;       // WebSocket close code after the error, 0: the connection stays open
  std::string_view meaning;  // for people
};

// In the order of the enumeration.
[[nodiscard]] std::span<const CodeInfo> all_codes();
[[nodiscard]] const CodeInfo& info(Code code);
[[nodiscard]] inline std::string_view name(Code code) { return info(code).name; }

}  // namespace waystation

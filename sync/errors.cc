#include "sync/errors.h"

#include <array>

#include "sync/result.h"

namespace waystation {
namespace {

constexpr std::array kCodes{
    CodeInfo{Code::kJsonInvalid, "json.invalid", 400, 0, "The bytes are not one JSON object"},
    CodeInfo{Code::kJsonUtf8, "json.utf8", 400, 1007, "The bytes are not UTF-8"},
    CodeInfo{Code::kJsonNumber, "json.number", 400, 0, "An integer lies beyond 2^53-1"},
    CodeInfo{Code::kJsonTooDeep, "json.too_deep", 400, 0, "Arrays and objects nest too deep"},
    CodeInfo{Code::kJsonDuplicateKey, "json.duplicate_key", 400, 0, "An object has a key twice"},
    CodeInfo{Code::kStringSurrogate, "string.surrogate", 400, 0,
             "A string holds half of a surrogate pair"},
    CodeInfo{Code::kBodyTooLarge, "body.too_large", 413, 0, "The request's body is over the limit"},
    CodeInfo{Code::kFrameTooLarge, "frame.too_large", 413, 1009, "The frame is over the limit"},
    CodeInfo{Code::kMessageUnknown, "message.unknown", 400, 0, "The frame holds no known message"},
    CodeInfo{Code::kMessageInvalid, "message.invalid", 400, 0, "A message has a wrong shape"},
    CodeInfo{Code::kVersionUnsupported, "version.unsupported", 400, 4400,
             "The server does not speak this protocol version"},
    CodeInfo{Code::kPushTooManyOps, "push.too_many_ops", 413, 0, "The push holds too many ops"},
    CodeInfo{Code::kCursorInvalid, "cursor.invalid", 400, 0,
             "The cursor is damaged or foreign: start again with an empty one"},
    CodeInfo{Code::kAuthRequired, "auth.required", 401, 4401, "A hello or a token must come first"},
    CodeInfo{Code::kAuthUnknownDevice, "auth.unknown_device", 401, 4401,
             "No device with this id is enrolled"},
    CodeInfo{Code::kAuthBadToken, "auth.bad_token", 401, 4401, "The token is not this device's"},
    CodeInfo{Code::kAuthRevoked, "auth.revoked", 403, 4403, "The device has been shut out"},
    CodeInfo{Code::kAuthForbidden, "auth.forbidden", 403, 4403, "Not allowed for this token"},
    CodeInfo{Code::kCodeInvalid, "code.invalid", 403, 0, "No such enrolment code"},
    CodeInfo{Code::kCodeUsed, "code.used", 403, 0, "The enrolment code has been used up"},
    CodeInfo{Code::kCodeExpired, "code.expired", 403, 0, "The enrolment code has expired"},
    CodeInfo{Code::kOpInvalid, "op.invalid", 400, 0, "The op has a wrong shape"},
    CodeInfo{Code::kOpReused, "op.reused", 409, 0,
             "The op's number was used before with other content"},
    CodeInfo{Code::kScopeUnknown, "scope.unknown", 404, 0, "No such scope"},
    CodeInfo{Code::kScopeForbidden, "scope.forbidden", 403, 0,
             "The device does not hold this scope"},
    CodeInfo{Code::kCollectionUnknown, "collection.unknown", 404, 0, "No such collection"},
    CodeInfo{Code::kRecordId, "record.id", 400, 0, "The record id has a wrong shape"},
    CodeInfo{Code::kRecordKey, "record.key", 400, 0,
             "The record id does not match the natural key"},
    CodeInfo{Code::kRecordTooLarge, "record.too_large", 413, 0, "The record would grow too large"},
    CodeInfo{Code::kFieldName, "field.name", 400, 0, "The field name has a wrong shape"},
    CodeInfo{Code::kFieldKind, "field.kind", 400, 0, "The field has another merge type"},
    CodeInfo{Code::kFieldType, "field.type", 400, 0, "The value has a wrong type"},
    CodeInfo{Code::kFieldLimit, "field.limit", 400, 0, "The value is outside the field's limits"},
    CodeInfo{Code::kFieldFull, "field.full", 413, 0, "The field holds as much as it may"},
    CodeInfo{Code::kFieldRequired, "field.required", 400, 0, "A required field is missing"},
    CodeInfo{Code::kFactsImmutable, "facts.immutable", 409, 0,
             "A fact is not edited: write a new one that names it"},
    CodeInfo{Code::kDeleteForbidden, "delete.forbidden", 409, 0,
             "Records of this collection are not deleted"},
    CodeInfo{Code::kFieldDerived, "field.derived", 409, 0, "Only the server writes this field"},
    CodeInfo{Code::kCollectionDerived, "collection.derived", 409, 0,
             "Only the server creates records of this collection"},
    CodeInfo{Code::kQuotaExhausted, "quota.exhausted", 409, 0,
             "The quota has nothing left to give"},
    CodeInfo{Code::kQuotaExceeded, "quota.exceeded", 409, 0,
             "The device spent or returned more than its lease holds"},
    CodeInfo{Code::kQuotaHeld, "quota.held", 409, 0,
             "The lease may still be in use: it cannot be taken back yet"},
    CodeInfo{Code::kPersonErased, "person.erased", 410, 0,
             "The person has been erased: nothing personal is kept of them"},
    CodeInfo{Code::kHttpBadRequest, "http.bad_request", 400, 0, "Not a valid HTTP request"},
    CodeInfo{Code::kHttpNotFound, "http.not_found", 404, 0, "Nothing is here"},
    CodeInfo{Code::kHttpMethod, "http.method", 405, 0, "This path does not take this method"},
    CodeInfo{Code::kHttpTimeout, "http.timeout", 408, 0, "The request did not arrive in time"},
    CodeInfo{Code::kHttpHeaderTooLarge, "http.header_too_large", 431, 0,
             "The request's header is over the limit"},
    CodeInfo{Code::kBackupFolder, "backup.folder", 409, 0,
             "A backup needs a folder that is not there yet, a restore an empty one"},
    CodeInfo{Code::kBackupInvalid, "backup.invalid", 500, 0,
             "The folder does not hold a whole backup"},
    CodeInfo{Code::kStoreReadOnly, "store.read_only", 503, 0,
             "The disk failed: nothing is taken in until the server is started again"},
    CodeInfo{Code::kStoreFormat, "store.format", 500, 0, "The store has a newer format"},
    CodeInfo{Code::kStoreCorrupt, "store.corrupt", 500, 0, "The store holds a damaged value"},
    CodeInfo{Code::kStoreLocked, "store.locked", 500, 0, "Another process has the store open"},
    CodeInfo{Code::kSchemaInvalid, "schema.invalid", 500, 0, "A schema file is wrong"},
    CodeInfo{Code::kConfigInvalid, "config.invalid", 500, 0, "The configuration is wrong"},
    CodeInfo{Code::kMasterKey, "master_key", 500, 0, "The master key is missing or is another"},
    CodeInfo{Code::kErasures, "erasures", 500, 0, "That is no journal of erasures"},
    CodeInfo{Code::kInputInvalid, "input.invalid", 400, 0, "A line of the input is wrong"},
    CodeInfo{Code::kBusy, "busy", 503, 0, "Come back a little later"},
    CodeInfo{Code::kIo, "io", 500, 0, "Reading or writing failed"},
    CodeInfo{Code::kInternal, "internal", 500, 1011, "A fault of the server"},
};

}  // namespace

std::span<const CodeInfo> all_codes() { return kCodes; }

const CodeInfo& info(Code code) {
  const CodeInfo& found = kCodes.at(static_cast<std::size_t>(code));
  WS_CHECK(found.code == code);
  return found;
}

}  // namespace waystation

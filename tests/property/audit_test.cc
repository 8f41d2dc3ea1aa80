// Whatever is done to the rows of the audit log, the check finds it; and rows of the office come
// back as they were written.
#include "storage/audit.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "storage/keys.h"
#include "storage/memory_kv.h"
#include "storage/office.h"

namespace waystation::testing {
namespace {

struct Row {
  std::string key;
  std::string value;
};

std::vector<Row> random_log() {
  std::vector<Row> rows;
  AuditHead head;
  const int count = *rc::gen::inRange(1, 12);
  for (int i = 0; i < count; ++i) {
    const AuditEntry entry =
        next_audit_entry(head, *rc::gen::inRange<std::int64_t>(0, 2'000'000'000'000),
                         {*rc::gen::element<std::string>("office li", "device 1", "李梅"),
                          *rc::gen::element<std::string>("code.made", "session.opened"),
                          *rc::gen::element<std::string>("", "account li"),
                          AuditDetails().number("n", *rc::gen::inRange(0, 1000)).json()});
    rows.push_back({audit_key(entry.n), encode_audit(entry)});
    head = {entry.n, entry.hash};
  }
  return rows;
}

AuditHead head_of(const std::vector<Row>& rows) {
  if (rows.empty()) return {};
  const auto last = decode_audit(rows.back().key, rows.back().value);
  RC_ASSERT(last.ok());
  return {last->n, last->hash};
}

std::size_t faults(const std::vector<Row>& rows, const AuditHead& head) {
  MemoryKv disk;
  Batch batch;
  for (const Row& row : rows) batch.put(Column::kAudit, row.key, row.value);
  batch.put(Column::kMeta, std::string(keys::kAuditHead), encode_audit_head(head));
  RC_ASSERT(disk.write(batch, Durability::kSynced).ok());
  const auto checked = check_audit(disk, nullptr);
  RC_ASSERT(checked.ok());
  return checked->faults.size();
}

RC_GTEST_PROP(AuditLog, IsFreeOfFaultsAsItIsWritten, ()) {
  const auto rows = random_log();
  RC_ASSERT(faults(rows, head_of(rows)) == 0U);
}

RC_GTEST_PROP(AuditLog, EveryChangedByteIsFound, ()) {
  auto rows = random_log();
  const AuditHead head = head_of(rows);
  Row& row = rows[*rc::gen::inRange<std::size_t>(0, rows.size())];
  std::string& part = *rc::gen::arbitrary<bool>() ? row.value : row.key;
  char& byte = part[*rc::gen::inRange<std::size_t>(0, part.size())];
  byte = static_cast<char>(byte ^ *rc::gen::inRange(1, 256));
  RC_ASSERT(faults(rows, head) > 0U);
}

RC_GTEST_PROP(AuditLog, EveryCutOffOrGrownValueIsFound, ()) {
  auto rows = random_log();
  const AuditHead head = head_of(rows);
  std::string& value = rows[*rc::gen::inRange<std::size_t>(0, rows.size())].value;
  if (*rc::gen::arbitrary<bool>()) {
    value.resize(*rc::gen::inRange<std::size_t>(0, value.size()));
  } else {
    value += *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::arbitrary<char>()));
  }
  RC_ASSERT(faults(rows, head) > 0U);
}

RC_GTEST_PROP(AuditLog, EveryMissingOrSwappedOrRepeatedEntryIsFound, ()) {
  auto rows = random_log();
  const AuditHead head = head_of(rows);
  const std::size_t at = *rc::gen::inRange<std::size_t>(0, rows.size());
  const std::size_t other = *rc::gen::inRange<std::size_t>(0, rows.size());
  switch (*rc::gen::inRange(0, 3)) {
    case 0: rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(at)); break;
    case 1:
      RC_PRE(rows[at].value != rows[other].value);
      std::swap(rows[at].value, rows[other].value);
      break;
    default: rows.push_back({audit_key(rows.size() + 1), rows[at].value});
  }
  RC_ASSERT(faults(rows, head) > 0U);
}

RC_GTEST_PROP(AuditLog, AnEntryWithAHashMadeAnewBreaksTheNextOrTheHead, ()) {
  auto rows = random_log();
  const AuditHead head = head_of(rows);
  const std::size_t at = *rc::gen::inRange<std::size_t>(0, rows.size());
  auto entry = decode_audit(rows[at].key, rows[at].value);
  RC_ASSERT(entry.ok());
  const std::string before =
      at == 0 ? AuditHead{}.hash : decode_audit(rows[at - 1].key, rows[at - 1].value)->hash;
  entry->note.who += "x";
  entry->hash = audit_hash(before, *entry);
  rows[at].value = encode_audit(*entry);
  RC_ASSERT(faults(rows, head) > 0U);
}

RC_GTEST_PROP(OfficeRows, ComeBackAsTheyWereWritten, ()) {
  OfficeAccount account;
  account.name = *rc::gen::arbitrary<std::string>();
  account.display = *rc::gen::arbitrary<std::string>();
  account.role = *rc::gen::element(OfficeRole::kOffice, OfficeRole::kAdministrator);
  account.password_hash = *rc::gen::arbitrary<std::string>();
  account.totp_secret = *rc::gen::arbitrary<std::string>();
  account.totp_step = *rc::gen::arbitrary<std::uint64_t>();
  account.recovery = *rc::gen::container<std::vector<std::string>>(
      rc::gen::nonEmpty(rc::gen::arbitrary<std::string>()));
  account.disabled = *rc::gen::arbitrary<bool>();
  account.link_expires_ms = *rc::gen::inRange<std::int64_t>(0, INT64_MAX);
  const std::string bytes = encode_office_account(account);
  const auto back = decode_office_account(bytes);
  RC_ASSERT(back.ok());
  RC_ASSERT(encode_office_account(*back) == bytes);
  RC_ASSERT(back->recovery == account.recovery);
  // A value that was cut off is none.
  const std::size_t cut = *rc::gen::inRange<std::size_t>(0, bytes.size());
  RC_ASSERT(!decode_office_account(std::string_view(bytes).substr(0, cut)).ok());
}

RC_GTEST_PROP(OfficeRows, OfAnyBytesAreAValueThatIsWrittenTheSameOrNone, (std::string bytes)) {
  if (*rc::gen::arbitrary<bool>() && !bytes.empty()) bytes[0] = 1;
  if (const auto account = decode_office_account(bytes)) {
    RC_ASSERT(encode_office_account(*account) == bytes);
  }
  if (const auto session = decode_office_session(bytes)) {
    RC_ASSERT(encode_office_session(*session) == bytes);
  }
  if (const auto link = decode_first_link(bytes)) {
    RC_ASSERT(encode_first_link(*link) == bytes);
  }
}

}  // namespace
}  // namespace waystation::testing

// Acts of the office, and what the audit log tells of them.
#include "storage/group.h"
#include "sync/device_id.h"

namespace waystation {

void Applier::audit(Group& group, AuditNote note) {
  AuditEntry entry = next_audit_entry(audit_head_, group.now_ms, std::move(note));
  group.batch.put(Column::kAudit, audit_key(entry.n), encode_audit(entry));
  audit_head_ = AuditHead{entry.n, std::move(entry.hash)};
  group.audited = true;
  group.must_sync = true;
}

// The end of a review, whoever it comes from: who decided what becomes of what others
// wrote.
void Applier::audit_review(Group& group, const std::string& who, const Op& op) {
  const std::string on = op.scope + "/" + op.coll + "/" + op.id;
  // One entry an op, however many values it settles: what a device can add to the log is bounded by
  // its ops.
  if (!op.settlements.empty()) {
    const Settlement& settled = op.settlements.front();
    audit(group, {who, settled.reopen ? "conflict.reopened" : "conflict.settled", on,
                  AuditDetails()
                      .text("by", format_device_id(settled.dot.device))
                      .text("field", settled.field)
                      .number("n", static_cast<std::int64_t>(settled.dot.n))
                      .number("values", static_cast<std::int64_t>(op.settlements.size()))
                      .json()});
  }
  if (op.replays) {
    audit(group, {who, "refused.replayed", on,
                  AuditDetails()
                      .text("by", format_device_id(op.replays->device))
                      .number("n", static_cast<std::int64_t>(op.replays->n))
                      .json()});
  }
  if (op.coll != "refused") return;
  for (const Edit& edit : op.edits) {
    if (edit.kind != EditKind::kSet || edit.field != "state" || edit.values.empty()) continue;
    const std::string& state = edit.values.front().json;
    audit(group, {who, state == "\"dismissed\"" ? "refused.dismissed" : "refused.state", on, "{}"});
  }
}

// Ops that had a verdict before are no news.
void Applier::audit_carried(Group& group, const ExchangeRequest& request, std::uint64_t first,
                            std::uint64_t last) {
  audit(group, {request.carried_by, "device.handover", "device " + format_device_id(request.device),
                AuditDetails()
                    .number("first", static_cast<std::int64_t>(first))
                    .number("last", static_cast<std::int64_t>(last))
                    .json()});
}

void Applier::take(Group& group, OfficeRequest& request) {
  const OfficeTablesPtr tables = group.tables(store_);
  auto change = request.change(*tables, group.now_ms);
  if (!change) return request.done(change.error());
  put_change(group.batch, *change);
  group.office = apply_change(*tables, *change);
  group.must_sync = true;
  for (const OfficeAccount& account : change->accounts) {
    const auto desk = tables->desks.find(account.name);
    if (desk == tables->desks.end()) continue;
    align_desk(group, desk->second, role_name(account.role), account.display);
  }
  for (AuditNote& note : change->audit) audit(group, std::move(note));
  group.reply(store_, std::move(request.done), Status{});
}

}  // namespace waystation

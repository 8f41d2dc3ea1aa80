#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "storage/verify.h"
#include "sync/device_id.h"
#include "sync/wire.h"
#include "tools/simulate/checks.h"
#include "tools/simulate/store_view.h"

namespace waystation::simulate {
namespace {

std::string text_of(const RecordName& name) {
  return fmt::format("{}/{}/{}", name.scope, name.coll, name.id);
}

std::string text_of(const std::vector<ModelConflict>& conflicts) {
  std::string out;
  for (const ModelConflict& c : conflicts) {
    out += fmt::format("{}{} by {}/{}.{} {} {}", out.empty() ? "" : "; ", c.field, c.device, c.n,
                       c.part, c.kind, c.value);
  }
  return out.empty() ? "none" : out;
}

// The ops about a record, for whoever looks for the fault.
std::vector<std::string> history(const std::vector<LoggedOp>& ops, const RecordName& name) {
  std::vector<const LoggedOp*> about;
  for (const LoggedOp& op : ops) {
    const auto decoded = decode_op(op.op);
    if (!decoded) continue;
    if (RecordName{decoded->scope, decoded->coll, decoded->id} == name) about.push_back(&op);
  }
  std::sort(about.begin(), about.end(),
            [](const LoggedOp* a, const LoggedOp* b) { return a->seq < b->seq; });
  std::vector<std::string> lines;
  lines.reserve(about.size());
  for (const LoggedOp* op : about) {
    lines.push_back(fmt::format("{}/{} seq {} stamp {}: {}", format_device_id(op->device), op->n,
                                op->seq, op->stamp, op->op));
  }
  return lines;
}

void check_against_model(const Store& store, const Schemas& schemas, const Erased& erased,
                         Findings& findings) {
  std::vector<LoggedOp> ops;
  for_each_logged(store, [&](const Logged& op) {
    const Seq seq = seq_of_verdict(op.entry.verdict);
    if (seq == 0) return;
    ops.push_back(LoggedOp{op.device, op.n, seq, op.entry.stamp, op.entry.op});
  });
  const ModelRecords expected = slow_model(ops, schemas);
  const auto stored = stored_records(store);
  const auto conflicts = stored_conflicts(store);
  for (const auto& [name, record] : expected) {
    const auto at = stored.find(name);
    const std::string seen = at == stored.end() ? "nothing" : at->second.visible;
    if (seen != record.visible) {
      findings.report(3,
                      fmt::format("{} is {}", text_of(name),
                                  record.visible.empty() ? "deleted" : record.visible),
                      seen.empty() ? "deleted" : seen, history(ops, name));
    }
    const auto open = conflicts.find(name);
    const std::vector<ModelConflict> none;
    const auto& kept = open == conflicts.end() ? none : open->second;
    if (kept != record.conflicts && !erased.about(name.coll, name.id)) {
      findings.report(4,
                      fmt::format("conflicts of {}: {}", text_of(name), text_of(record.conflicts)),
                      text_of(kept), history(ops, name));
    }
  }
  for (const auto& [name, record] : stored) {
    if (expected.count(name) == 0 && !record.visible.empty()) {
      findings.report(3, "no op was about " + text_of(name), record.visible);
    }
  }
}

void check_digests(const Store& store, Findings& findings) {
  std::map<std::string, Digest> sums;
  for (const auto& [name, record] : stored_records(store)) {
    Digest& sum = sums[name.scope];
    if (record.visible.empty()) continue;
    sum.add(digest_of_record(name.scope, name.coll, name.id, record.visible));
  }
  const auto rows = store.kv().iterate(Column::kDigests);
  for (rows->seek(""); rows->valid(); rows->next()) {
    const auto row = decode_digest(rows->value());
    if (!row) continue;
    const Digest& sum = sums[std::string(rows->key())];
    if (sum == row->digest) continue;
    findings.report(3, fmt::format("the digest of {} is {}", rows->key(), sum.hex()),
                    row->digest.hex());
  }
}

}  // namespace

void check_merge(const Store& store, const Schemas& schemas, const Erased& erased,
                 Findings& findings) {
  check_digests(store, findings);
  check_against_model(store, schemas, erased, findings);
  // Law 14, too: what is counted equals a recount.
  const auto report = verify(
      store, [](std::uint64_t) {}, {}, {}, store.projections());
  if (!report) {
    findings.report(3, "the store can be read", report.error().context);
  } else if (report->faults != 0) {
    findings.report(3, "verify finds no fault", report->first_faults.front());
  }
}

}  // namespace waystation::simulate

#include <fmt/format.h>
#include <simdjson.h>

#include "sync/device_id.h"
#include "sync/limits.h"
#include "tools/simulate/checks.h"
#include "tools/simulate/store_view.h"

namespace waystation::simulate {

namespace dom = simdjson::dom;

namespace {

// granted = free + leased + spent, and none below zero.
void check_quota(const std::string& where, dom::object quota, Findings& findings) {
  const auto amount = [](dom::object object, std::string_view key) {
    std::int64_t value = 0;
    return object[key].get(value) == simdjson::SUCCESS ? value : 0;
  };
  std::int64_t leased = 0;
  bool negative = false;
  dom::object leases;
  if (quota["leases"].get(leases) == simdjson::SUCCESS) {
    for (const auto lease : leases) {
      dom::object one;
      if (lease.value.get(one) != simdjson::SUCCESS) continue;
      const std::int64_t left = amount(one, "left");
      leased += left;
      negative = negative || left < 0;
    }
  }
  const std::int64_t granted = amount(quota, "granted");
  const std::int64_t free = amount(quota, "free");
  const std::int64_t spent = amount(quota, "spent");
  if (granted == free + leased + spent && !negative && free >= 0 && spent >= 0 && granted >= 0) {
    return;
  }
  findings.report(9, where + ": granted = free + leased + spent, and none below zero",
                  fmt::format("{} = {} + {} + {}", granted, free, leased, spent));
}

}  // namespace

void check_bounds(const Store& store, const Schemas& schemas, std::int64_t latest_ms,
                  Findings& findings) {
  std::size_t ops = 0;
  for_each_logged(store, [&](const Logged& op) {
    ++ops;
    const Seq seq = seq_of_verdict(op.entry.verdict);
    if (seq == 0) return;
    const std::string who = fmt::format("{}/{}", format_device_id(op.device), op.n);
    if (op.entry.stamp > seq) {
      findings.report(8, fmt::format("{} is not stamped after its seq {}", who, seq),
                      std::to_string(op.entry.stamp));
    }
    // Behind a clock that was set back seqs go on from the last one; the counter may carry over.
    if (ms_from_seq(op.entry.stamp) > latest_ms + 1) {
      findings.report(8,
                      fmt::format("{} is not stamped in the server's future ({})", who, latest_ms),
                      std::to_string(ms_from_seq(op.entry.stamp)));
    }
  });
  dom::parser parser;
  for (const auto& [name, record] : stored_records(store)) {
    const Collection* collection = schemas.find(name.coll);
    if (collection == nullptr || record.visible.empty()) continue;
    for (const FieldSpec& field : collection->fields) {
      if (field.merge != MergeType::kQuota) continue;
      dom::object quota;
      if (parser.parse(record.visible)[field.name].get(quota) != simdjson::SUCCESS) continue;
      check_quota(fmt::format("{}/{}/{} {}", name.scope, name.coll, name.id, field.name), quota,
                  findings);
    }
  }
}

void check_queues(const Device& device, Findings& findings) {
  if (device.socket != nullptr) {
    const std::size_t outbox = device.socket->connection().outbox();
    if (outbox > Connection::kOutboxMost) {
      findings.report(11, fmt::format("an outbox holds at most {}", Connection::kOutboxMost),
                      std::to_string(outbox));
    }
  }
  if (device.replica.kept() > device.edits) {
    findings.report(11, fmt::format("{} keeps at most its {} edits", device.name(), device.edits),
                    std::to_string(device.replica.kept()));
  }
}

}  // namespace waystation::simulate

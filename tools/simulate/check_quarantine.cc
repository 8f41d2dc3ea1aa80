#include <fmt/format.h>

#include "storage/keys.h"
#include "sync/device_id.h"
#include "tools/simulate/checks.h"
#include "tools/simulate/store_view.h"

namespace waystation::simulate {

void check_quarantine(const Store& store, const Witness& witness, const Erased& erased,
                      Findings& findings) {
  std::map<Witness::Name, QuarantineRow> first;           // the ops themselves
  std::map<Witness::Name, std::set<std::string>> others;  // contents that reused their number
  const auto rows = store.kv().iterate(Column::kQuarantine);
  for (rows->seek(""); rows->valid(); rows->next()) {
    const auto key = keys::parse_quarantine(rows->key());
    auto row = decode_quarantine(rows->value());
    if (!key || !row || !store.make_plain(row->op)) continue;
    if (key->variant == 0) {
      first[{key->device, key->n}] = std::move(*row);
    } else {
      others[{key->device, key->n}].insert(row->op);
    }
  }
  for_each_logged(store, [&](const Logged& op) {
    const std::string code = code_of_verdict(op.entry.verdict);
    if (code.empty()) return;
    const auto at = first.find({op.device, op.n});
    const std::string who = fmt::format("{}/{}", format_device_id(op.device), op.n);
    if (at == first.end()) {
      findings.report(4, fmt::format("{} ({}) is in the quarantine", who, code), "it is not");
    } else if (at->second.code != code || at->second.op != op.entry.op) {
      findings.report(4,
                      fmt::format("{} lies whole in the quarantine: {} {}", who, code, op.entry.op),
                      at->second.code + " " + at->second.op);
    }
  });
  for (const auto& [op, contents] : witness.reused()) {
    for (const std::string& content : contents) {
      const auto at = others.find(op);
      if (at != others.end() && at->second.count(content) != 0) continue;
      if (erased.about(content)) continue;
      findings.report(4,
                      fmt::format("the other content of {}/{} is in the quarantine: {}",
                                  format_device_id(op.first), op.second, content),
                      "it is not");
    }
  }
}

}  // namespace waystation::simulate

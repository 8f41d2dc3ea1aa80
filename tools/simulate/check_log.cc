#include <fmt/format.h>

#include <map>

#include "sync/device_id.h"
#include "tools/simulate/checks.h"
#include "tools/simulate/store_view.h"

namespace waystation::simulate {
namespace {

// An op without its number: its clocks make it the only one of its kind. The log keeps canonical
// JSON, a device its own text, so both are brought into one form.
std::string identity(const std::string& canonical_op) {
  const std::size_t at = canonical_op.find("\"n\":");
  if (at == std::string::npos) return canonical_op;
  const std::size_t end = canonical_op.find(',', at);
  std::string text = canonical_op;
  if (end != std::string::npos) text.erase(at, end + 1 - at);
  return text;
}

}  // namespace

void check_log(const Store& store, const Witness& witness,
               const std::vector<std::string>& must_return, const Erased& erased,
               Findings& findings) {
  std::map<std::string, std::string> applied;  // identity → who
  std::map<std::uint64_t, std::uint64_t> next;
  std::map<Seq, std::string> by_seq;
  std::size_t said = 0;
  std::set<std::string> seen;
  for_each_logged(store, [&](const Logged& op) {
    if (op.device == 0) return;  // the server's own
    const std::string who = fmt::format("{}/{}", format_device_id(op.device), op.n);
    const std::uint64_t expected = ++next[op.device];
    if (op.n != expected) {
      findings.report(2, fmt::format("op {} of {} follows", expected, format_device_id(op.device)),
                      who);
    }
    const std::string what = fmt::format("{} {}", op.device, identity(op.entry.op));
    seen.insert(identity(op.entry.op));
    if (const Seq seq = seq_of_verdict(op.entry.verdict); seq != 0) {
      const auto [at, fresh] = applied.emplace(what, who);
      if (!fresh) findings.report(2, "one edit is applied once: " + at->second, "again as " + who);
      const auto [other, alone] = by_seq.emplace(seq, who);
      if (!alone) findings.report(2, fmt::format("seq {} is {}'s alone", seq, other->second), who);
    }
    const auto verdict = witness.verdicts().find({op.device, op.n});
    if (verdict == witness.verdicts().end()) return;
    ++said;
    if (verdict->second != op.entry.verdict) {
      findings.report(1, who + " keeps its verdict " + verdict->second, op.entry.verdict);
    }
  });
  if (said < witness.verdicts().size()) {
    for (const auto& [op, verdict] : witness.verdicts()) {
      const auto at = next.find(op.first);
      if (at != next.end() && op.second <= at->second) continue;
      findings.report(1,
                      fmt::format("op {}/{} is in the log with {}", format_device_id(op.first),
                                  op.second, verdict),
                      "it is not");
    }
  }
  for (const std::string& op : must_return) {
    if (seen.count(op) == 0 && !erased.about(op)) {  // it has no number
      findings.report(12, "what a device held at the restore comes back: " + op, "it did not");
    }
  }
}

}  // namespace waystation::simulate

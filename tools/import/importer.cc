#include "tools/import/importer.h"

#include <fmt/format.h>

#include <utility>

#include "sync/canonical.h"
#include "sync/limits.h"
#include "tools/json_view.h"

namespace waystation {

// False: there is no such scope.
Result<bool> Holdings::read(const std::string& scope, const std::string& coll, Records& records) {
  if (auto free = before_asking_(); !free) return free.error();
  std::string after;
  do {
    auto page =
        exchange_.ask("GET", fmt::format("/v1/records?scope={}&coll={}&limit={}&after={}",
                                         percent_encode(scope), coll, limits::kPageRecords, after));
    if (!page && page.error().code == Code::kScopeUnknown) return false;
    if (!page) return page.error();
    const auto text = canonicalize(*page);
    if (!text) return text.error();
    const JsonObject answer(*text);
    for (const std::string_view item : json_items(answer.raw("records"))) {
      const JsonObject record(item);
      records[record.text("id")] = Held{record.number("seq"), std::string(record.raw("fields"))};
    }
    after = answer.text("next");
  } while (!after.empty());
  return true;
}

Result<Holdings::Held> Holdings::find(const PlannedRecord& record) {
  if (const auto at = exists_.find(record.scope); at != exists_.end() && !at->second) {
    return Held{};
  }
  const auto [at, fresh] = known_.try_emplace({record.scope, record.coll});
  if (fresh) {
    const auto there = read(record.scope, record.coll, at->second);
    if (!there) return there.error();
    exists_[record.scope] = *there;
  }
  const auto held = at->second.find(record.id);
  return held == at->second.end() ? Held{} : held->second;
}

Result<bool> Holdings::exists(const std::string& scope) {
  if (const auto at = exists_.find(scope); at != exists_.end()) return at->second;
  Records records;
  const auto there = read(scope, "scope", records);
  if (!there) return there.error();
  known_[{scope, "scope"}] = std::move(records);
  exists_[scope] = *there;
  return *there;
}

void Importer::refuse(std::size_t line, std::string_view reason) {
  bad_line_(line, reason);
  if (bad_lines_.insert(line).second) ++counts_.bad_lines;
}

Status Importer::take(const InputLine& line) {
  const auto plan = planner_.plan(line);
  if (!plan) {
    const bool named = plan.error().code != Code::kInputInvalid;
    refuse(line.line, named ? fmt::format("{} ({})", plan.error().context, name(plan.error().code))
                            : plan.error().context);
    return {};
  }
  for (const std::string& scope : plan->needs) {
    const auto exists = holdings_.exists(scope);
    if (!exists) return exists.error();
    if (*exists) continue;
    refuse(line.line, fmt::format("there is no scope or division \"{}\" ({})", scope,
                                  name(Code::kScopeUnknown)));
    return {};
  }
  for (const PlannedRecord& record : plan->records) {
    const auto held = holdings_.find(record);
    if (!held) return held.error();
    std::string edits = edits_between(held->fields, record);
    if (edits.empty()) {
      ++counts_.unchanged;
      continue;
    }
    drafts_.push_back(OpDraft{record.scope, record.coll, record.id, held->seq, std::move(edits)});
    origins_.push_back(Origin{line.line, held->fields.empty()});
  }
  return drafts_.size() < limits::kOpsPerPush ? Status{} : hand_in();
}

Status Importer::hand_in() {
  if (auto settled = settle(); !settled) return settled;
  sent_ = std::exchange(drafts_, {});
  sent_origins_ = std::exchange(origins_, {});
  if (sent_.empty()) return {};
  if (pusher_ == nullptr) {
    count(std::vector<OpVerdict>(sent_.size()));
  } else {
    on_its_way_ = std::async(std::launch::async, [this] { return pusher_->push(sent_); });
  }
  return {};
}

Status Importer::settle() {
  if (!on_its_way_.valid()) return {};
  const auto verdicts = on_its_way_.get();
  if (!verdicts) return verdicts.error();
  count(*verdicts);
  return {};
}

void Importer::count(const std::vector<OpVerdict>& verdicts) {
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    if (verdicts[i].ok()) {
      ++(sent_origins_[i].created ? counts_.created : counts_.changed);
    } else {
      refuse(sent_origins_[i].line,
             fmt::format("refused by the server: {}: {}", verdicts[i].code, verdicts[i].detail));
    }
  }
}

Result<ImportCounts> Importer::run(InputReader& input, const AtPosition& at_position) {
  InputLine line;
  while (input.next(line)) {
    ++counts_.lines;
    at_position(input.position());
    if (auto taken = take(line); !taken) return taken.error();
  }
  if (auto rest = hand_in(); !rest) return rest.error();
  if (auto settled = settle(); !settled) return settled.error();
  return counts_;
}

}  // namespace waystation

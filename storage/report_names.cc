#include "storage/report_names.h"

#include <algorithm>

#include "storage/codec.h"
#include "storage/keys.h"
#include "storage/projections.h"
#include "sync/redirect.h"

namespace waystation {
namespace {

// Records that are kept at hand; beyond it they are read again.
constexpr std::size_t kAtHand = 50'000;

}  // namespace

Result<std::string> ReportNames::remaining(const std::string& coll, const std::string& id) {
  auto at = merged_.find(coll);
  if (at == merged_.end()) {
    at = merged_.emplace(coll, std::unordered_map<std::string, std::string>()).first;
    const std::string prefix = keys::merged_prefix(coll);
    auto rows = store_.kv().iterate(Column::kProjections, &snapshot_, keys::prefix_end(prefix));
    for (rows->seek(prefix); rows->valid(); rows->next()) {
      const auto key = keys::parse_kept(rows->key());
      if (!key) return Error{Code::kStoreCorrupt, "a damaged row of a projection"};
      at->second.emplace(key->id, rows->value());
    }
    if (!rows->status()) return rows->status().error();
  }
  auto& merged = at->second;
  if (!merged.contains(id)) return id;
  const auto end = follow_redirects(id, [&](const std::string& one) -> Result<RedirectStep> {
    const auto leads = merged.find(one);
    if (leads != merged.end()) return RedirectStep{true, leads->second};
    const auto there = read(coll, one);
    if (!there) return there.error();
    return RedirectStep{there->there, {}};
  });
  // Whom nobody finds counts for himself, and costs nobody else his report.
  if (!end && end.error().code == Code::kMessageInvalid) return id;
  if (!end) return end.error();
  if (end->id != id) merged[id] = end->id;
  return end->id;
}

Result<ReportNames::Kept> ReportNames::read(const std::string& coll, const std::string& id) const {
  Kept kept;
  std::string prefix = keys::kept(coll, id, "");
  auto rows = store_.kv().iterate(Column::kProjections, &snapshot_, keys::prefix_end(prefix));
  rows->seek(prefix);
  if (!rows->status()) return rows->status().error();
  if (!rows->valid()) return kept;
  auto fields = decode_kept(rows->value());
  const auto key = keys::parse_kept(rows->key());
  if (!fields || !key) return Error{Code::kStoreCorrupt, "a damaged row of a projection"};
  kept.there = true;
  kept.scope = std::string(key->scope);
  kept.id = id;
  kept.fields = std::move(*fields);
  return kept;
}

Result<const std::unordered_map<std::string, ReportNames::Kept>*> ReportNames::by_scope(
    const std::string& coll) {
  const auto known = scopes_.find(coll);
  if (known != scopes_.end()) return &known->second;
  std::unordered_map<std::string, Kept> made;
  const std::string prefix = keys::kept_prefix(coll);
  auto rows = store_.kv().iterate(Column::kProjections, &snapshot_, keys::prefix_end(prefix));
  for (rows->seek(prefix); rows->valid(); rows->next()) {
    auto fields = decode_kept(rows->value());
    const auto key = keys::parse_kept(rows->key());
    if (!fields || !key) return Error{Code::kStoreCorrupt, "a damaged row of a projection"};
    const std::string scope(key->scope);
    made.emplace(scope, Kept{true, scope, std::string(key->id), std::move(*fields)});
  }
  if (!rows->status()) return rows->status().error();
  return &scopes_.emplace(coll, std::move(made)).first->second;
}

Result<const ReportNames::Kept*> ReportNames::find(const ProjectionPart& part,
                                                   const std::string& value) {
  static const Kept kNone;
  if (part.of.empty()) return &kNone;
  if (part.from == ProjectionPart::From::kScope) {
    const auto scopes = by_scope(part.of);
    if (!scopes) return scopes.error();
    const auto at = (*scopes)->find(value);
    return at == (*scopes)->end() ? &kNone : &at->second;
  }
  auto& at_hand = ids_[part.of];
  const auto known = at_hand.find(value);
  if (known != at_hand.end()) return &known->second;
  if (at_hand.size() >= kAtHand) at_hand.clear();
  auto kept = read(part.of, value);
  if (!kept) return kept.error();
  return &at_hand.emplace(value, std::move(*kept)).first->second;
}

std::string ReportNames::text_of(const std::string& coll, const Kept& kept,
                                 const std::string& field) const {
  const KeptFields* declared = projections_.kept(coll);
  if (!kept.there || declared == nullptr) return {};
  const auto& names = declared->fields;
  const auto at = std::find(names.begin(), names.end(), field);
  const auto index = static_cast<std::size_t>(at - names.begin());
  if (at == names.end() || index >= kept.fields.size()) return {};
  std::string text = json_text(kept.fields[index]);
  std::replace(text.begin(), text.end(), '\0', ' ');  // it parts what is grouped
  return text;
}

Result<std::string> ReportNames::kept(const ProjectionPart& part, const std::string& value,
                                      const std::string& field) {
  const auto found = find(part, value);
  if (!found) return found.error();
  return text_of(part.of, **found, field);
}

Result<std::string> ReportNames::field(const ProjectionPart& part, const std::string& value,
                                       const std::string& field) {
  const auto found = find(part, value);
  if (!found) return found.error();
  if (!(*found)->there) return std::string();
  return field_of((*found)->scope, part.of, (*found)->id, field);
}

Result<std::string> ReportNames::field_of(const std::string& scope, const std::string& coll,
                                          const std::string& id, const std::string& field) {
  const auto found = record(scope, coll, id);
  if (!found) return found.error();
  std::string json = (*found)->shown(field);
  if (json.empty()) return json;
  if (auto opened = store_.make_plain(json); !opened) return opened.error();
  return json_text(json);
}

Result<const Record*> ReportNames::record(const std::string& scope, const std::string& coll,
                                          const std::string& id) {
  std::string key = keys::record(scope, coll, id);
  for (const AtHand& one : at_hand_) {
    if (one.key == key) return &one.record;
  }
  std::string bytes;
  const auto found = store_.kv().get(Column::kRecords, key, bytes, &snapshot_);
  if (!found) return found.error();
  auto decoded = *found ? decode_record(bytes) : Result<Record>(Record{});
  if (!decoded) return decoded.error();
  AtHand& place = at_hand_.at(oldest_);
  oldest_ = (oldest_ + 1) % at_hand_.size();
  place = AtHand{std::move(key), std::move(*decoded)};
  return &place.record;
}

Result<std::string> ReportNames::name_of(const std::string& coll, const std::string& match,
                                         const std::string& value, const std::string& field) {
  const std::string asked = coll + '/' + match + '/' + field;
  auto at = by_match_.find(asked);
  if (at == by_match_.end()) {
    const auto scopes = by_scope(coll);
    if (!scopes) return scopes.error();
    std::unordered_map<std::string, std::string> names;
    for (const auto& [scope, kept] : **scopes) {
      const std::string code = text_of(coll, kept, match);
      if (code.empty()) continue;
      // Of two with one code always the same one.
      std::string& name = names[code];
      name = name.empty() ? text_of(coll, kept, field) : std::min(name, text_of(coll, kept, field));
    }
    at = by_match_.emplace(asked, std::move(names)).first;
  }
  const auto name = at->second.find(value);
  return name == at->second.end() ? std::string() : name->second;
}

}  // namespace waystation

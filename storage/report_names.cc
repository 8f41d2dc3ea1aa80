#include "storage/report_names.h"

#include <algorithm>
#include <tuple>

#include "storage/codec.h"
#include "storage/keys.h"
#include "storage/projections.h"
#include "sync/redirect.h"

namespace waystation {
namespace {

// Records that are kept at hand; beyond it they are read again.
constexpr std::size_t kAtHandBytes = std::size_t{16} * 1024 * 1024;
// What one takes besides its bytes.
constexpr std::size_t kKeptBytes = 200;
constexpr std::size_t kLeadBytes = 200;

}  // namespace

ReportNames::Kept ReportNames::kept_of(const keys::KeptKey& key, KeptRow row) {
  return Kept{!row.deleted, row.born, std::string(key.scope), std::string(key.id),
              std::move(row.fields)};
}

std::size_t ReportNames::weight(const Kept& kept) {
  std::size_t bytes = kKeptBytes + kept.scope.size() + kept.id.size();
  for (const std::string& field : kept.fields) bytes += sizeof(field) + field.size();
  return bytes;
}

Result<ReportNames::Merged*> ReportNames::merged(const std::string& coll) {
  const auto known = merged_.find(coll);
  if (known != merged_.end()) return &known->second;
  Merged made;
  const std::string prefix = keys::merged_prefix(coll);
  auto rows = store_.kv().iterate(Column::kProjections, &snapshot_, keys::prefix_end(prefix));
  for (rows->seek(prefix); rows->valid(); rows->next()) {
    const auto key = keys::parse_kept(rows->key());
    if (!key) return Error{Code::kStoreCorrupt, "a damaged row of a projection"};
    if (auto room = budget_.take(kLeadBytes + rows->key().size() + rows->value().size()); !room) {
      return room.error();
    }
    made[std::string(key->id)].into.emplace(key->scope, rows->value());
  }
  if (!rows->status()) return rows->status().error();
  return &merged_.emplace(coll, std::move(made)).first->second;
}

Result<bool> ReportNames::any_merged(const std::string& coll) {
  const auto found = merged(coll);
  if (!found) return found.error();
  return !(*found)->empty();
}

Result<std::string> ReportNames::remaining(const std::string& coll, const std::string& id) {
  const auto found = merged(coll);
  if (!found) return found.error();
  Merged& all = **found;
  const auto at = all.find(id);
  if (at == all.end()) return id;
  if (!at->second.end.empty()) return at->second.end;
  const auto end = follow_redirects(id, [&](const std::string& one) -> Result<RedirectStep> {
    const auto there = read(coll, one);
    if (!there) return there.error();
    RedirectStep step{there->there, {}};
    const auto leads = all.find(one);
    if (!step.there || leads == all.end()) return step;
    const auto into = leads->second.into.find(there->scope);
    if (into != leads->second.into.end()) step.into = into->second;
    return step;
  });
  // Whom nobody finds counts for himself, and costs nobody else his report.
  const bool lost = !end && end.error().code == Code::kMessageInvalid;
  if (!end && !lost) return end.error();
  at->second.end = lost ? id : end->id;
  return at->second.end;
}

Result<ReportNames::Kept> ReportNames::read(const std::string& coll, const std::string& id) const {
  Kept kept;
  const Status read = each_kept(store_.kv(), snapshot_, keys::kept(coll, id, ""),
                                [&](const keys::KeptKey& key, KeptRow row) {
                                  if (kept.born == 0 || row.born < kept.born)
                                    kept = kept_of(key, std::move(row));
                                  return true;
                                });
  if (!read) return read.error();
  return kept;
}

Result<const std::unordered_map<std::string, ReportNames::Kept>*> ReportNames::by_scope(
    const std::string& coll) {
  const auto known = scopes_.find(coll);
  if (known != scopes_.end()) return &known->second;
  std::unordered_map<std::string, Kept> made;
  Status room;
  const auto take = [&](const keys::KeptKey& key, KeptRow row) {
    if (row.deleted) return true;  // another may be in its place
    Kept& first = made[std::string(key.scope)];
    if (first.born != 0 && first.born <= row.born) return true;
    first = kept_of(key, std::move(row));
    room = budget_.take(weight(first));
    return room.ok();
  };
  const Status read = each_kept(store_.kv(), snapshot_, keys::kept_prefix(coll), take);
  if (!read) return read.error();
  if (!room) return room.error();
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
  auto kept = read(part.of, value);
  if (!kept) return kept.error();
  ids_bytes_ += weight(*kept) + value.size();
  if (ids_bytes_ > kAtHandBytes) {
    for (auto& [coll, all] : ids_) all.clear();
    ids_bytes_ = weight(*kept) + value.size();
  }
  return &at_hand.emplace(value, std::move(*kept)).first->second;
}

// Null: it has none.
const std::string* ReportNames::kept_json(const std::string& coll, const Kept& kept,
                                          const std::string& field) const {
  const KeptFields* declared = projections_.kept(coll);
  if (!kept.there || declared == nullptr) return nullptr;
  const auto& names = declared->fields;
  const auto at = std::find(names.begin(), names.end(), field);
  const auto index = static_cast<std::size_t>(at - names.begin());
  return at == names.end() || index >= kept.fields.size() ? nullptr : &kept.fields[index];
}

std::string ReportNames::text_of(const std::string& coll, const Kept& kept,
                                 const std::string& field) const {
  const std::string* json = kept_json(coll, kept, field);
  if (json == nullptr) return {};
  std::string text = json_text(*json);
  std::replace(text.begin(), text.end(), '\0', ' ');  // it parts what is grouped
  return text;
}

Result<std::string> ReportNames::kept(const ProjectionPart& part, const std::string& value,
                                      const std::string& field) {
  Texts& texts = texts_[{part.of, field}];
  if (texts.state == Texts::State::kUnread && texts.asked++ == budget_.looks() &&
      part.from != ProjectionPart::From::kScope) {
    if (auto read = read_texts(part.of, field, texts); !read) return read.error();
  }
  if (texts.state == Texts::State::kRead) {
    const auto number = texts.numbers.find(value);
    return number ? texts.texts[*number] : std::string();
  }
  const auto found = find(part, value);
  if (!found) return found.error();
  return text_of(part.of, **found, field);
}

// Where there is no room for all, they are looked for one by one as before.
Status ReportNames::read_texts(const std::string& coll, const std::string& field, Texts& texts) {
  std::unordered_map<std::string, std::uint32_t> known;  // by the JSON of the field
  Kept first;  // of the rows of one id, which stand together
  std::size_t bytes = 0;
  const auto note = [&] {
    const std::string* json = kept_json(coll, first, field);
    if (json == nullptr || json->empty()) return;
    const auto [at, fresh] = known.emplace(*json, static_cast<std::uint32_t>(known.size()));
    if (fresh) {
      texts.texts.push_back(text_of(coll, first, field));
      bytes += kKeptBytes + json->size() + texts.texts.back().size();
    }
    texts.numbers.add(first.id, at->second);
  };
  Status stopped;
  const auto take = [&](const keys::KeptKey& key, KeptRow row) {
    stopped = budget_.go_on();
    const bool same = first.born != 0 && first.id == key.id;
    if (!same && first.born != 0) note();
    if (!same || row.born < first.born) {
      first = Kept{!row.deleted, row.born, {}, std::string(key.id), std::move(row.fields)};
    }
    return stopped.ok() && budget_.affords(bytes + texts.numbers.bytes());
  };
  const Status read = each_kept(store_.kv(), snapshot_, keys::kept_prefix(coll), take);
  if (!read) return read;
  if (!stopped) return stopped;
  if (first.born != 0) note();
  texts.state = Texts::State::kRead;
  bytes += texts.numbers.bytes();
  if (budget_.affords(bytes)) return budget_.take(bytes);
  texts = Texts{};
  texts.state = Texts::State::kTooMany;
  return {};
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
    std::unordered_map<std::string, const Kept*> first;  // of those with one code
    for (const auto& [scope, kept] : **scopes) {
      const std::string code = text_of(coll, kept, match);
      if (code.empty()) continue;
      const Kept*& of_code = first[code];
      if (of_code == nullptr ||
          std::tie(kept.born, scope) < std::tie(of_code->born, of_code->scope)) {
        of_code = &kept;
      }
    }
    std::unordered_map<std::string, std::string> names;
    for (const auto& [code, kept] : first) {
      std::string name = text_of(coll, *kept, field);
      if (auto room = budget_.take(kKeptBytes + code.size() + name.size()); !room) {
        return room.error();
      }
      names.emplace(code, std::move(name));
    }
    at = by_match_.emplace(asked, std::move(names)).first;
  }
  const auto name = at->second.find(value);
  return name == at->second.end() ? std::string() : name->second;
}

}  // namespace waystation

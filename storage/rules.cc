#include "storage/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "storage/blobs.h"
#include "sync/bytes.h"
#include "sync/digest.h"
#include "sync/limits.h"
#include "sync/time_text.h"

namespace waystation {
namespace {

std::optional<LocalTime> shown_time(const Record& record, std::string_view field) {
  const auto text = record.shown_text(field);
  return text ? parse_time(*text) : std::nullopt;
}

// Without white space (the ideographic space too) and in lower case, as far as ASCII goes.
std::string normalised(std::string_view text) {
  constexpr std::string_view kIdeographicSpace = "\xE3\x80\x80";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, kIdeographicSpace.size()) == kIdeographicSpace) {
      i += kIdeographicSpace.size() - 1;
    } else if (text[i] != ' ') {
      out += text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    }
  }
  return out;
}

// Empty: none, or no longer to be read.
std::string shown_plain(const Record& record, std::string_view field, const MatchTexts& texts) {
  std::string json = record.shown(field);
  if (texts.open) json = texts.open(json);
  if (json.size() < 2 || json.front() != '"') return {};
  return json.substr(1, json.size() - 2);
}

}  // namespace

std::optional<std::string> parent_id(const Record& record, const CloseRule& rule) {
  const auto id = record.shown_text(rule.parent);
  return id ? std::optional(std::string(*id)) : std::nullopt;
}

std::optional<Closing> closing_of(const Record& record, const CloseRule& rule,
                                  const Record* parent) {
  const auto opened = shown_time(record, rule.opened);
  if (!opened || record.shown_text(rule.closed) || record.shown_text(rule.flag)) {
    return std::nullopt;
  }
  // An opening in the future counts as of when it was written (law 8).
  const std::int64_t written_ms = ms_from_seq(record.field(rule.opened)->live.at(0).stamp);
  const LocalTime start{std::min(opened->ms, written_ms), opened->offset_minutes};
  Closing closing;
  closing.due_ms = start.ms + rule.longest_ms;
  closing.flag = format_time(LocalTime{closing.due_ms, start.offset_minutes});
  const auto ends = parent != nullptr ? shown_time(*parent, rule.parent_ends) : std::nullopt;
  if (ends && ends->ms + rule.after_ms < closing.due_ms) {
    closing.due_ms = ends->ms + rule.after_ms;
    closing.flag = format_time(LocalTime{std::max(ends->ms, start.ms), start.offset_minutes});
  }
  return closing;
}

std::int64_t due_of(const Record& record, const Collection& collection,
                    const std::optional<Closing>& closing, std::int64_t bury_ms) {
  std::optional<std::int64_t> due;
  const auto at = [&](std::int64_t ms) { due = due ? std::min(*due, ms) : ms; };
  if (record.deleted() && !record.buried) at(ms_from_seq(record.seq) + bury_ms);
  if (closing) at(closing->due_ms);
  for (const Field& field : record.fields) {
    if (field.type != MergeType::kQuota) continue;
    const FieldSpec* spec = collection.field(field.name);
    if (spec == nullptr) continue;
    if (const auto reclaim = reclaim_due_ms(field.quota, *spec)) at(*reclaim);
  }
  return due ? std::max<std::int64_t>(1, *due) : 0;
}

std::optional<Match> match_of(const Record& record, const Collection& collection,
                              const MatchTexts& texts) {
  if (!collection.duplicates) return std::nullopt;
  for (const FieldSpec& spec : collection.fields) {
    if (spec.redirect && record.shown_text(spec.name)) return std::nullopt;
  }
  const std::string text = normalised(shown_plain(record, collection.duplicates->same, texts));
  if (text.empty()) return std::nullopt;
  const std::string like = shown_plain(record, collection.duplicates->like, texts);
  constexpr std::size_t kHashBytes = 16;
  if (!texts.hash) return Match{hex_of(sha256(text).substr(0, kHashBytes)), like};
  return Match{hex_of(texts.hash(text).substr(0, kHashBytes)),
               like.empty() ? like : hex_of(texts.hash(like).substr(0, kHashBytes))};
}

bool may_be_one(const DuplicateRule& rule, Seq born, std::string_view like, Seq other_born,
                std::string_view other_like) {
  const std::int64_t apart_ms = std::abs(ms_from_seq(born) - ms_from_seq(other_born));
  return apart_ms <= rule.within_ms && (like.empty() || other_like.empty() || like == other_like);
}

std::string candidate_id(std::string_view a, std::string_view b) {
  if (b < a) std::swap(a, b);
  const std::string id = fmt::format("{}~{}", a, b);
  return id.size() <= limits::kRecordIdBytes ? id : hex_of(sha256(id));
}

std::string named_blob(std::string_view coll, const Record& record) {
  if (coll != kPhotoCollection) return {};
  const auto hash = record.shown_text(kBlobField);
  return hash && valid_blob_hash(*hash) ? std::string(*hash) : std::string();
}

}  // namespace waystation

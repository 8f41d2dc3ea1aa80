// What a photo's record says of its blob: whether the server has it. An op of the server's, written
// when the blob comes or, where it was there before, when the record does; so it reaches every
// device like any other edit. A part of the Applier.
#include <fmt/format.h>

#include <algorithm>

#include "storage/blobs.h"
#include "storage/group.h"
#include "storage/keys.h"
#include "storage/rules.h"
#include "sync/time_text.h"

namespace waystation {
namespace {

// Records that one group looks at: a blob may be named by many.
constexpr std::size_t kNamesPerGroup = 256;

}  // namespace

Status Applier::write_presence(Group& group, const std::string& key, bool present) {
  const auto parts = keys::parse_record(key);
  const std::string value = present ? fmt::format("\"{}\"", format_time(LocalTime{group.now_ms, 0}))
                                    : std::string("null");
  return own(group, std::string(parts->scope), std::string(parts->coll), std::string(parts->id),
             fmt::format(R"("set":{{"{}":{}}})", kPresentField, value));
}

// Only where the record has come to name another blob: what was said stands else.
Status Applier::tell_presence(Group& group, std::size_t dirty_index) {
  const std::string key = group.dirty_records[dirty_index].second;
  const Entry& entry = *group.dirty_records[dirty_index].first;
  const auto parts = keys::parse_record(key);
  const std::string blob = named_blob(parts->coll, entry.record);
  if (blob == entry.stored_blob || blob.empty()) return {};
  const bool present = settings_.has_blob && settings_.has_blob(blob);
  const bool said = entry.record.shown_text(kPresentField).has_value();
  if (!present && !said) return {};
  return write_presence(group, key, present);
}

void Applier::list_blob(Group& group, const std::string& key, Entry& entry) {
  std::string blob = named_blob(keys::parse_record(key)->coll, entry.record);
  if (blob == entry.stored_blob) return;
  if (!entry.stored_blob.empty()) group.blobs[keys::blob(entry.stored_blob, key)] = false;
  if (!blob.empty()) group.blobs[keys::blob(blob, key)] = true;
  entry.stored_blob = std::move(blob);
}

// Records that come to name it in this very group are told when the group is closed.
void Applier::take(Group& group, PresenceRequest& request) {
  const std::string prefix = keys::blob_prefix(request.hash);
  std::vector<std::string> names;
  std::string next;
  {
    const auto rows = store_.kv().iterate(Column::kBlobs, nullptr, keys::prefix_end(prefix));
    for (rows->seek(request.after.empty() ? prefix : request.after); rows->valid(); rows->next()) {
      if (names.size() == kNamesPerGroup) {
        next = std::string(rows->key());
        break;
      }
      const auto key = keys::parse_blob(rows->key());
      if (!key) return request.done(Error{Code::kStoreCorrupt, "a damaged name of a blob"});
      names.emplace_back(key->record_key);
    }
    if (!rows->status()) return request.done(rows->status().error());
  }
  for (const std::string& key : names) {
    auto found = entry(key);
    if (!found) return request.done(found.error());
    const Record& record = (*found)->record;
    const bool names_it = named_blob(keys::parse_record(key)->coll, record) == request.hash;
    // One whose name is of this group is looked at anew when that is closed.
    const bool listed = (*found)->stored_blob == request.hash;
    if (!names_it || !listed || record.shown_text(kPresentField)) continue;
    group.must(write_presence(group, key, true));
  }
  group.reply(store_, std::move(request.done), Result<std::string>(std::move(next)));
}

void Applier::take(Group& group, BlobSweepRequest& request) {
  for (const std::string& hash : request.hashes) {
    const auto named = is_named(store_.kv(), hash);
    if (!named) return request.done(named.error());
    // What this group has come to name is not listed yet.
    const bool named_now =
        std::any_of(group.dirty_records.begin(), group.dirty_records.end(), [&](const auto& dirty) {
          return named_blob(keys::parse_record(dirty.second)->coll, dirty.first->record) == hash;
        });
    if (!*named && !named_now) request.remove(hash);
  }
  group.reply(store_, std::move(request.done), Status{});
}

}  // namespace waystation

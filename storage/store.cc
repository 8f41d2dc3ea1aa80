#include "storage/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "storage/keys.h"
#include "sync/bytes.h"
#include "sync/wire.h"

namespace waystation {

Result<std::unique_ptr<Store>> Store::open(std::unique_ptr<Kv> kv,
                                           const std::string& new_incarnation, Life life) {
  std::unique_ptr<Store> store(new Store(std::move(kv)));
  if (auto checked = store->check_format(new_incarnation); !checked) return checked.error();
  if (life == Life::kNew) {
    if (auto begun = store->begin_new_life(new_incarnation); !begun) return begun.error();
  }
  if (auto loaded = store->load_tables(); !loaded) return loaded.error();
  return store;
}

Status Store::check_format(const std::string& new_incarnation) {
  std::string value;
  auto found = kv_->get(Column::kMeta, keys::kFormat, value);
  if (!found) return found.error();
  if (!*found) {
    if (new_incarnation.empty()) return Error{Code::kIo, "the folder holds no Waystation store"};
    Batch batch;
    std::string format;
    put_varint(format, kStoreFormat);
    batch.put(Column::kMeta, std::string(keys::kFormat), format);
    batch.put(Column::kMeta, std::string(keys::kIncarnation), new_incarnation);
    batch.put(Column::kMeta, std::string(keys::kPosition), encode_seq(0));
    incarnation_ = new_incarnation;
    return kv_->write(batch, Durability::kSynced);
  }
  ByteReader reader(value);
  const std::uint64_t format = reader.varint();
  if (!reader.done() || format == 0)
    return Error{Code::kStoreCorrupt, "the format number is damaged"};
  if (format > kStoreFormat) {
    return Error{Code::kStoreFormat,
                 fmt::format("the store has format {}, this program knows up to {}: use a newer "
                             "waystation (nothing was changed)",
                             format, kStoreFormat)};
  }
  if (format < kStoreFormat) {
    if (new_incarnation.empty()) {
      return Error{Code::kStoreFormat,
                   fmt::format("the store has format {}: start the server on it once", format)};
    }
    if (auto done = bring_up_to_date(format); !done) return done;
  }
  found = kv_->get(Column::kMeta, keys::kIncarnation, incarnation_);
  if (!found) return found.error();
  if (!*found || incarnation_.size() != 32) {
    return Error{Code::kStoreCorrupt, "the incarnation is missing"};
  }
  return {};
}

// Idempotent: an upgrade that was cut off begins again. Format 4 has roles in accounts and codes,
// which are read as those of before, and digests of views, which are made when a policy is adopted.
Status Store::bring_up_to_date(std::uint64_t format) {
  if (format < 2) {
    if (auto listed = list_history(); !listed) return listed;
  }
  Batch batch;
  std::string now;
  put_varint(now, kStoreFormat);
  batch.put(Column::kMeta, std::string(keys::kFormat), now);
  return kv_->write(batch, Durability::kSynced);
}
Status Store::list_history() {
  constexpr std::size_t kBatchBytes = 4 * 1024 * 1024;
  Batch batch;
  auto rows = kv_->iterate(Column::kDeviceLog);
  for (rows->seek(""); rows->valid(); rows->next()) {
    const auto key = keys::parse_log_chunk(rows->key());
    const auto chunk = decode_log_chunk(rows->value());
    if (!key || !chunk) return Error{Code::kStoreCorrupt, "a damaged device log"};
    for (std::size_t i = 0; i < chunk->entries.size(); ++i) {
      const auto seq = seq_of_verdict(chunk->entries[i].verdict);
      if (!seq) continue;
      const auto op = decode_op(chunk->entries[i].op);
      if (!op) return Error{Code::kStoreCorrupt, "a damaged op in a device log"};
      batch.put(Column::kHistory, keys::history(keys::record(op->scope, op->coll, op->id), *seq),
                encode_history(Dot{key->device, chunk->first_n + i}));
    }
    if (batch.bytes() < kBatchBytes) continue;
    if (auto written = kv_->write(batch, Durability::kBuffered); !written) return written;
    batch = Batch{};
  }
  if (!rows->status()) return rows->status();
  return kv_->write(batch, Durability::kBuffered);
}

Status Store::begin_new_life(const std::string& new_incarnation) {
  Batch batch;
  batch.put(Column::kMeta, std::string(keys::kIncarnation), new_incarnation);
  incarnation_ = new_incarnation;
  // What lets in whoever holds it would be good once more, although it was used or taken back
  // since: codes, one-time links, sessions, known browsers.
  const std::string codes(keys::kCodePrefix);
  const auto code_end = keys::prefix_end(codes);
  const auto rows = kv_->iterate(Column::kDevices, nullptr, code_end);
  for (rows->seek(codes); rows->valid(); rows->next()) {
    batch.erase(Column::kDevices, std::string(rows->key()));
  }
  if (!rows->status()) return rows->status();
  const auto office = load_office(*kv_);
  if (!office) return office.error();
  put_change(batch, forget_secrets(**office));
  return kv_->write(batch, Durability::kSynced);
}

Status Store::load_tables() {
  const auto account_end = keys::prefix_end(std::string(keys::kAccountPrefix));
  auto accounts = kv_->iterate(Column::kDevices, nullptr, account_end);
  for (accounts->seek(keys::kAccountPrefix); accounts->valid(); accounts->next()) {
    auto account = decode_account(accounts->value());
    if (!account) return account.error();
    accounts_.put(std::make_shared<const Account>(std::move(*account)));
  }
  if (!accounts->status()) return accounts->status();
  auto office = load_office(*kv_);
  if (!office) return office.error();
  office_.publish(std::move(*office));
  std::vector<std::pair<std::string, Seq>> newest;
  auto digests = kv_->iterate(Column::kDigests);
  for (digests->seek(""); digests->valid(); digests->next()) {
    const auto row = decode_digest(digests->value());
    if (!row) return row.error();
    newest.emplace_back(std::string(digests->key()), row->newest);
  }
  scopes_.publish(newest);
  if (!digests->status()) return digests->status();
  std::string horizon;
  const auto found = kv_->get(Column::kMeta, keys::kHorizon, horizon);
  if (!found) return found.error();
  if (*found) {
    const auto seq = decode_seq(horizon);
    if (!seq) return seq.error();
    horizon_ = *seq;
  }
  return {};
}

std::vector<std::string> Store::entered_by(const Account& account) const {
  std::vector<std::string> scopes = account.scopes();
  std::erase_if(scopes, [&](const auto& scope) { return !policy_->enters(account.role(), scope); });
  return scopes;
}

void Store::use(const MasterKey& master) {
  keyring_.emplace(*kv_, master);
  const std::string key = keyed_hash(master.bytes, "the places of pages");
  std::copy_n(key.begin(), page_key_.size(), page_key_.begin());
}

Result<std::string_view> Store::plain(std::string_view json, std::string& room, Gone gone,
                                      bool* met_erased) const {
  if (!keyring_ || !find_sealed(json, 0)) return json;
  auto opened = keyring_->open(json, gone, met_erased);
  if (!opened) return opened.error();
  room = std::move(*opened);
  return std::string_view(room);
}

Status Store::make_plain(std::string& json, Gone gone, bool* met_erased) const {
  std::string room;
  const auto opened = plain(json, room, gone, met_erased);
  if (!opened) return opened.error();
  if (opened->data() != json.data()) json = std::move(room);
  return {};
}

std::uint64_t Store::incarnation_number() const {
  return std::strtoull(incarnation_.substr(0, 16).c_str(), nullptr, 16) | 1U;
}

Result<Seq> Store::position(const Snapshot* snapshot) const {
  std::string value;
  const auto found = kv_->get(Column::kMeta, keys::kPosition, value, snapshot);
  if (!found) return found.error();
  if (!*found) return Error{Code::kStoreCorrupt, "the position is missing"};
  return decode_seq(value);
}

Result<Digest> digest_part(const Store& store, std::string_view scope, std::string_view coll,
                           std::string_view id, std::string_view visible) {
  if (visible.empty()) return Digest{};
  std::string room;
  const auto opened = store.plain(visible, room, Gone::kLeftOut);
  if (!opened) return opened.error();
  return digest_of_record(scope, coll, id, *opened);
}

void Store::go_read_only(std::string reason) {
  const std::lock_guard lock(reason_mutex_);
  if (reason_.empty()) reason_ = std::move(reason);
  read_only_.store(true, std::memory_order_release);
}

std::string Store::read_only_reason() const {
  const std::lock_guard lock(reason_mutex_);
  return reason_;
}

}  // namespace waystation

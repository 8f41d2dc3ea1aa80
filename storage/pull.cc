#include "storage/pull.h"

#include <algorithm>

#include "storage/codec.h"
#include "storage/keys.h"
#include "storage/views.h"
#include "sync/limits.h"

namespace waystation {
namespace {

// A page ends after this many reads even when they give nothing (tombstones, newer records), so
// that no page holds its thread for long.
constexpr std::size_t kReadsPerRecord = 4;
// What a digest adds to a message beside the scope's id.
constexpr std::size_t kDigestBytes = 128;

// Walks the scopes of one pull within one snapshot and fills one page.
class Walk {
 public:
  Walk(const Store& store, const Snapshot& snapshot, const View& view, const Cursor& cursor,
       std::size_t limit)
      : store_(store),
        snapshot_(snapshot),
        view_(view),
        at_(cursor),
        limit_(limit),
        reads_left_(limit * kReadsPerRecord) {}

  // Returns false when the page is full; the cursor then stands where to go on.
  Result<bool> scope(const PullScope& scope) {
    if (scope.scope < at_.scope) return true;  // done on an earlier page
    if (scope.scope > at_.scope) {
      at_.scope = scope.scope;
      at_.after_key.clear();
      at_.after_seq = 0;
    }
    if (full()) return false;
    auto whole = scope.fill ? fill(scope.scope) : changes(scope.scope);
    if (whole && *whole) {
      if (auto added = add_digest(scope.scope); !added) return added.error();
    }
    return whole;
  }

  PullPage page;
  [[nodiscard]] const Cursor& at() const { return at_; }

 private:
  [[nodiscard]] bool full() const {
    return page.count >= limit_ || page.items.size() + digest_bytes_ >= limits::kPageBytes ||
           reads_left_ == 0;
  }

  void read() { reads_left_ -= std::min<std::size_t>(reads_left_, 1); }

  Status append(std::string_view scope, std::string_view coll, std::string_view id,
                const RecordHead& head, std::string_view bytes) {
    if (page.count > 0) page.items += ',';
    const auto seen = append_seen(page.items, view_, scope, coll, id, head, bytes);
    if (!seen) return seen.error();
    WS_CHECK(*seen);  // others were passed over
    ++page.count;
    return {};
  }

  // All records of a scope up to the target, in the order of their keys; deleted ones too, so that
  // an edit of somebody who starts anew has seen the deletion. A record that has changed since lies
  // above the target and comes with the next round.
  Result<bool> fill(const std::string& scope) {
    const std::string prefix = keys::scope_prefix(scope);
    auto rows = store_.kv().iterate(Column::kRecords, &snapshot_, keys::prefix_end(prefix));
    rows->seek(at_.after_key.empty() ? prefix : prefix + at_.after_key);
    if (rows->valid() && rows->key().substr(prefix.size()) == at_.after_key) rows->next();
    while (rows->valid()) {
      if (full()) return false;
      read();
      ++page.work.records;
      const auto key = keys::parse_record(rows->key());
      const auto head = decode_record_head(rows->value());
      if (!key || !head) return Error{Code::kStoreCorrupt, "a damaged record in " + scope};
      if (!view_.of(key->coll).seen) {  // no record of it: on to the next collection
        const std::string next = keys::prefix_end(keys::collection_prefix(scope, key->coll));
        // The cursor is the device's to read: it names no record that the device may not see.
        at_.after_key = next.substr(prefix.size());
        rows->seek(next);
        continue;
      }
      at_.after_key = std::string(rows->key().substr(prefix.size()));
      if (head->seq <= at_.target && !head->buried) {
        if (auto added = append(scope, key->coll, key->id, *head, rows->value()); !added) {
          return added.error();
        }
      }
      rows->next();
    }
    if (!rows->status()) return rows->status().error();
    return true;
  }

  // What changed in (base, target], in the order of seqs.
  Result<bool> changes(const std::string& scope) {
    const Seq after = std::max(at_.base, at_.after_seq);
    auto rows =
        store_.kv().iterate(Column::kChanges, &snapshot_, keys::change(scope, at_.target + 1));
    std::string value;
    for (rows->seek(keys::change(scope, after + 1)); rows->valid(); rows->next()) {
      if (full()) return false;
      read();
      ++page.work.index_entries;
      const auto key = keys::parse_change(rows->key());
      const std::string_view pointer = rows->value();
      const std::size_t split = pointer.find('\0');
      if (!key || split == std::string_view::npos) {
        return Error{Code::kStoreCorrupt, "a damaged change entry in " + scope};
      }
      const std::string_view coll = pointer.substr(0, split);
      const std::string_view id = pointer.substr(split + 1);
      at_.after_seq = key->seq;
      if (!view_.of(coll).seen) continue;
      ++page.work.records;
      const auto found =
          store_.kv().get(Column::kRecords, keys::record(scope, coll, id), value, &snapshot_);
      if (!found) return found.error();
      const auto head = decode_record_head(value);
      if (!*found || !head || head->seq != key->seq) {
        return Error{Code::kStoreCorrupt, "the change index of " + scope + " points astray"};
      }
      if (auto added = append(scope, coll, id, *head, value); !added) return added.error();
    }
    if (!rows->status()) return rows->status().error();
    return true;
  }

  // Of a scope that is whole with this page: here and not with the last page, where the digests of
  // all scopes together may be more than a message holds. Not of one that has changed since the
  // target: the next round tells it.
  Status add_digest(const std::string& scope) {
    std::string value;
    read();
    const auto found = store_.kv().get(Column::kDigests, scope, value, &snapshot_);
    if (!found) return found.error();
    if (!*found) return {};
    const auto row = decode_digest(value);
    if (!row) return row.error();
    if (row->newest > at_.target) return {};
    const auto seen = digest_seen(scope, row->digest);
    if (!seen) return seen.error();
    page.head.digests.push_back(ScopeDigest{scope, row->newest, *seen});
    digest_bytes_ += kDigestBytes + scope.size();
    return {};
  }

  // Of what the view shows of a scope; none is kept where it shows nothing.
  Result<Digest> digest_seen(const std::string& scope, const Digest& whole) {
    if (view_.whole()) return whole;
    std::string value;
    read();
    const auto found = store_.kv().get(Column::kViewDigests, keys::view_digest(scope, view_.name()),
                                       value, &snapshot_);
    if (!found) return found.error();
    if (!*found) return Digest{};
    const auto row = decode_digest(value);
    if (!row) return row.error();
    return row->digest;
  }

  const Store& store_;
  const Snapshot& snapshot_;
  const View& view_;
  Cursor at_;
  std::size_t limit_;
  std::size_t reads_left_;
  std::size_t digest_bytes_ = 0;
};

// What the account saw at `base` and no longer sees. Where another grant covers the scope, nothing
// would fill again what the device dropped.
std::vector<std::string> left_since(const Account& account, Seq base) {
  std::vector<std::string> left;
  for (const Grant& grant : account.grants) {
    if (grant.left <= base || grant.scope == "*" || account.holds(grant.scope)) continue;
    left.push_back(grant.scope);
  }
  std::sort(left.begin(), left.end());
  left.erase(std::unique(left.begin(), left.end()), left.end());
  return left;
}

// A change of scopes and the position that it was given are seen together or not at all: whoever
// held the position without the change would never be told of it. So not from store.accounts(),
// which come to know of the change after it is committed.
Result<Account> account_at(const Store& store, const Snapshot& snapshot, std::uint64_t device) {
  std::string value;
  const auto found = store.kv().get(Column::kDevices, keys::account(device), value, &snapshot);
  if (!found) return found.error();
  if (!*found) return Error{Code::kAuthUnknownDevice, ""};
  auto account = decode_account(value);
  if (account && account->closed()) return Error{Code::kAuthRevoked, ""};
  return account;
}

// A device that is draining is told the verdicts of what it hands in, and no changes.
PullPage nothing(const Store& store, Cursor cursor, std::string_view cursor_text) {
  PullPage page;
  page.next = std::move(cursor);
  page.next.incarnation = store.incarnation_number();
  page.head.cursor = cursor_text.empty() ? encode_cursor(page.next) : std::string(cursor_text);
  return page;
}

// `cursor` has a target.
Result<PullPage> pull_at(const Store& store, const Snapshot& snapshot, const View& view,
                         const std::vector<PullScope>& scopes, Cursor cursor, std::size_t limit) {
  cursor.incarnation = store.incarnation_number();
  const std::size_t records =
      limit == 0 ? limits::kPageRecords : std::min(limit, limits::kPageRecords);
  Walk walk(store, snapshot, view, cursor, records);
  for (const PullScope& scope : scopes) {
    const auto whole = walk.scope(scope);
    if (!whole) return whole.error();
    if (!*whole) {
      walk.page.head.more = true;
      break;
    }
  }
  PullPage page = std::move(walk.page);
  bool met_erased = false;
  if (auto opened = store.make_plain(page.items, Gone::kLeftOut, &met_erased); !opened) {
    return opened.error();
  }
  // Somebody was erased since the snapshot: its digests are over more than what is sent. The round
  // that tells of the erasure has the next ones.
  if (met_erased) page.head.digests.clear();
  if (page.head.more) {
    page.next = walk.at();
  } else {
    page.next.incarnation = cursor.incarnation;
    page.next.base = cursor.target;
  }
  page.head.cursor = encode_cursor(page.next);
  return page;
}

}  // namespace

std::vector<PullScope> changed_scopes(const Store& store, const Account& account, Seq base,
                                      Seq target) {
  std::vector<PullScope> scopes;
  for (const Grant& grant : account.grants) {
    if (grant.left != 0 || grant.granted > target) continue;
    if (!store.policy().enters(account.role(), grant.scope)) continue;
    const bool fill = base == 0 || grant.granted > base;
    if (grant.scope == "*") {  // all others are among them
      scopes.clear();
      for (std::string& scope : store.scopes().newer_than(fill ? 0 : base)) {
        if (!store.policy().enters(account.role(), scope)) continue;
        scopes.push_back(PullScope{std::move(scope), fill});
      }
      return scopes;
    }
    if (store.scopes().newest(grant.scope) > (fill ? 0 : base)) {
      scopes.push_back(PullScope{grant.scope, fill});
    }
  }
  std::sort(scopes.begin(), scopes.end(),
            [](const PullScope& a, const PullScope& b) { return a.scope < b.scope; });
  return scopes;
}

Result<PullPage> pull_scopes(const Store& store, const View& view,
                             const std::vector<PullScope>& scopes, const Cursor& cursor,
                             std::size_t limit) {
  const auto snapshot = store.kv().snapshot();
  // Known before what it speaks of is committed, so it is never missed by a later look.
  if (cursor.base < store.horizon()) {
    PullPage page;
    page.next = Cursor{cursor.incarnation, cursor.base, 0, {}, {}, 0};
    page.head.more = true;
    page.head.cursor = encode_cursor(page.next);
    return page;
  }
  return pull_at(store, *snapshot, view, scopes, cursor, limit);
}

Result<PullPage> pull(const Store& store, std::uint64_t device, std::string_view cursor_text,
                      std::size_t limit) {
  auto decoded = decode_cursor(cursor_text);
  if (!decoded) return decoded.error();
  Cursor cursor = std::move(*decoded);
  // The snapshot comes before the look at the scopes: what it holds, they know (ScopeTable).
  const auto snapshot = store.kv().snapshot();
  const auto position = store.position(snapshot.get());
  if (!position) return position.error();
  const auto account = account_at(store, *snapshot, device);
  if (!account) return account.error();
  if (!account->active()) return nothing(store, std::move(cursor), cursor_text);
  const bool foreign = cursor.incarnation != 0 && cursor.incarnation != store.incarnation_number();
  const bool outdated =
      cursor.incarnation != 0 && std::max(cursor.base, cursor.target) < account->reset;
  // Deletions that it has not been told of may be buried by now.
  const Seq horizon = store.horizon();
  const bool beyond =
      (cursor.base != 0 && cursor.base < horizon) || (cursor.walking() && cursor.target < horizon);
  const bool ahead = std::max(cursor.base, cursor.target) > *position;
  std::vector<std::string> left;
  if (!cursor.walking() && cursor.base > 0) left = left_since(*account, cursor.base);
  const bool too_many = left.size() > limits::kScopesPerDevice;  // for one message
  const bool reset = foreign || outdated || ahead || beyond || too_many;
  if (reset) {
    cursor = Cursor{};
    left.clear();
  }

  const std::vector<PullScope> scopes =
      changed_scopes(store, *account, cursor.base, cursor.walking() ? cursor.target : kStillShown);
  if (!cursor.walking()) cursor.target = *position;
  auto page = pull_at(store, *snapshot, store.view_of(*account), scopes, cursor, limit);
  if (!page) return page;
  // The walk's target was set at its first page. What has changed since takes another round.
  if (!page->head.more && page->next.base < *position) {
    // So does the naming of what was left meanwhile.
    page->head.more = account->changed > page->next.base ||
                      !changed_scopes(store, *account, page->next.base).empty();
  }
  page->head.reset = reset;
  page->head.left = std::move(left);
  return page;
}

}  // namespace waystation

// The applier's part of the projections: what each record of a group gave is taken away and what it
// gives is added, in the batch that changes the records. Nothing is read for it but where facts
// correct each other. docs/reports.md.
#include <deque>
#include <set>

#include "storage/group.h"
#include "storage/keys.h"
#include "storage/projections.h"
#include "storage/sums.h"

namespace waystation {
namespace {

// What a group changes about the rows of sums.
class Change {
 public:
  void move(const Projected& before, bool counted, const Projected& after, bool counts) {
    if (counted && counts && before.sums == after.sums) return;
    if (counted) add(before, -1);
    if (counts) add(after, 1);
  }
  void put(Batch& batch) const {
    for (const auto& [row, sums] : rows_) {
      if (!all_zero(sums)) batch.add(Column::kProjections, keys::sums(row), encode_sums(sums));
    }
  }

 private:
  void add(const Projected& part, std::int64_t times) {
    for (const auto& [row, sums] : part.sums) add_to(rows_[row], sums, times);
  }
  std::map<std::string, Sums> rows_;
};

// What is kept of a record beside the sums.
void keep(Batch& batch, const keys::RecordKey& key, const Projected& before,
          const Projected& after) {
  if (before.kept != after.kept) {
    std::string row = keys::kept(key.coll, key.id, key.scope);
    if (after.kept) {
      batch.put(Column::kProjections, std::move(row), encode_kept(*after.kept));
    } else {
      batch.erase(Column::kProjections, std::move(row));
    }
  }
  if (before.into == after.into) return;
  std::string row = keys::merged(key.coll, key.id, key.scope);
  if (after.into.empty()) {
    batch.erase(Column::kProjections, std::move(row));
  } else {
    batch.put(Column::kProjections, std::move(row), after.into);
  }
}

// The records that name one in order to correct it.
struct Rivals {
  std::set<std::string> before;
  std::set<std::string> after;
};

Result<Rivals> read_rivals(const Kv& kv, const std::string& prefix) {
  Rivals rivals;
  auto rows = kv.iterate(Column::kProjections, nullptr, keys::prefix_end(prefix));
  for (rows->seek(prefix); rows->valid(); rows->next()) {
    rivals.before.emplace(rows->key().substr(prefix.size()));
  }
  if (!rows->status()) return rows->status().error();
  rivals.after = rivals.before;
  return rivals;
}

// The facts of a group, and those that they correct.
class Facts {
 public:
  struct Fact {
    std::string scope;
    std::string coll;
    std::string id;
    const Projected* before = nullptr;
    const Projected* after = nullptr;
  };
  // Gives what a record that the group does not change gives, as it is.
  using Look = std::function<Result<const Projected*>(const std::string& key)>;

  Facts(const Kv& kv, std::unordered_set<std::uint64_t>& corrected, Look look)
      : kv_(kv), corrected_(corrected), look_(std::move(look)) {}

  void take(const std::string& key, Fact fact) { facts_.emplace(key, std::move(fact)); }

  Status move(Change& change, Batch& batch) {
    if (auto renamed = rename(batch); !renamed) return renamed;
    if (auto found = find_concerned(); !found) return found;
    for (const auto& [key, fact] : facts_) {
      const auto counted = counts(fact, *fact.before, &Rivals::before);
      if (!counted) return counted.error();
      const auto counts_now = counts(fact, *fact.after, &Rivals::after);
      if (!counts_now) return counts_now.error();
      change.move(*fact.before, *counted, *fact.after, *counts_now);
    }
    return {};
  }

 private:
  Result<Rivals*> rivals(const Fact& fact, const std::string& corrected) {
    const std::string prefix = keys::correction_prefix(fact.scope, fact.coll, corrected);
    const auto at = rivals_.find(prefix);
    if (at != rivals_.end()) return &at->second;
    Rivals none;
    if (!corrected_.contains(hash_value(prefix)))
      return &rivals_.emplace(prefix, none).first->second;
    auto read = read_rivals(kv_, prefix);
    if (!read) return read.error();
    return &rivals_.emplace(prefix, std::move(*read)).first->second;
  }

  // Who corrects whom, as the group has changed it.
  Status rename(Batch& batch) {
    for (const auto& [key, fact] : facts_) {
      if (fact.before->corrects == fact.after->corrects) continue;
      if (!fact.before->corrects.empty()) {
        const auto left = rivals(fact, fact.before->corrects);
        if (!left) return left.error();
        (*left)->after.erase(fact.id);
        batch.erase(Column::kProjections,
                    keys::correction(fact.scope, fact.coll, fact.before->corrects, fact.id));
        moved_.emplace_back(fact, fact.before->corrects);
      }
      if (fact.after->corrects.empty()) continue;
      const auto joined = rivals(fact, fact.after->corrects);
      if (!joined) return joined.error();
      (*joined)->after.insert(fact.id);
      corrected_.insert(
          hash_value(keys::correction_prefix(fact.scope, fact.coll, fact.after->corrects)));
      batch.put(Column::kProjections,
                keys::correction(fact.scope, fact.coll, fact.after->corrects, fact.id), {});
      moved_.emplace_back(fact, fact.after->corrects);
    }
    return {};
  }

  // The corrected ones, and those that corrected them before, may count otherwise now.
  Status find_concerned() {
    for (const auto& [fact, corrected] : moved_) {
      const auto found = rivals(fact, corrected);
      if (!found) return found.error();
      std::set<std::string> ids = (*found)->before;
      ids.insert((*found)->after.begin(), (*found)->after.end());
      ids.insert(corrected);
      for (const std::string& id : ids) {
        const std::string key = keys::record(fact.scope, fact.coll, id);
        if (facts_.contains(key)) continue;
        const auto stands = look_(key);
        if (!stands) return stands.error();
        facts_.emplace(key, Fact{fact.scope, fact.coll, id, *stands, *stands});
      }
    }
    return {};
  }

  // Nobody corrects it, and where it corrects another it is the one of its rivals that counts.
  Result<bool> counts(const Fact& fact, const Projected& part,
                      std::set<std::string> Rivals::*when) {
    const auto by = rivals(fact, fact.id);
    if (!by) return by.error();
    if (!((*by)->*when).empty()) return false;
    if (part.corrects.empty()) return true;
    const auto of = rivals(fact, part.corrects);
    if (!of) return of.error();
    const std::set<std::string>& all = (*of)->*when;
    return !all.empty() && *all.rbegin() == fact.id;
  }

  const Kv& kv_;
  std::unordered_set<std::uint64_t>& corrected_;
  Look look_;
  std::map<std::string, Fact> facts_;  // by the key of the record
  std::map<std::string, Rivals> rivals_;
  std::vector<std::pair<Fact, std::string>> moved_;  // whose corrections changed
};

}  // namespace

Status Applier::load_corrections() {
  if (store_.projections() == nullptr) {
    // Nobody counts from here on: what stands would not be right any more.
    std::string ignored;
    const auto noted = store_.kv().get(Column::kMeta, keys::kProjections, ignored);
    if (!noted) return noted.error();
    if (!*noted) return {};
    Batch batch;
    batch.erase(Column::kMeta, std::string(keys::kProjections));
    return store_.kv().write(batch, Durability::kSynced);
  }
  const std::string prefix(keys::kCorrectionPrefix);
  auto rows = store_.kv().iterate(Column::kProjections, nullptr, keys::prefix_end(prefix));
  for (rows->seek(prefix); rows->valid(); rows->next()) {
    const std::string_view key = rows->key();
    const std::size_t end = key.rfind('\0');
    if (end == std::string_view::npos) return Error{Code::kStoreCorrupt, "a damaged correction"};
    corrected_.insert(hash_value(key.substr(0, end + 1)));
  }
  return rows->status();
}

Status Applier::count_records(Group& group) {
  const Projections* projections = store_.projections();
  if (projections == nullptr) return {};
  Change change;
  std::deque<Projected> parts;  // that outlive the facts
  Facts facts(store_.kv(), corrected_, [&](const std::string& key) -> Result<const Projected*> {
    auto found = entry(key);
    if (!found) return found.error();
    const auto named = keys::parse_record(key);
    WS_CHECK(named.has_value());
    parts.push_back(project(*projections, named->scope, named->coll, named->id, (*found)->record));
    return &parts.back();
  });
  for (const auto& [entry, key] : group.dirty_records) {
    if (entry->gave == nullptr) continue;
    const auto named = keys::parse_record(key);
    WS_CHECK(named.has_value());
    parts.push_back(project(*projections, named->scope, named->coll, named->id, entry->record));
    const Projected& after = parts.back();
    keep(group.batch, *named, *entry->gave, after);
    if (projections->corrects(named->coll).empty()) {
      change.move(*entry->gave, true, after, true);
    } else {
      facts.take(key, {std::string(named->scope), std::string(named->coll), std::string(named->id),
                       entry->gave.get(), &after});
    }
  }
  if (auto moved = facts.move(change, group.batch); !moved) return moved;
  change.put(group.batch);
  return {};
}

}  // namespace waystation

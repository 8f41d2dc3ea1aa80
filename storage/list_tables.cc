#include "storage/list_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "storage/codec.h"
#include "storage/keys.h"
#include "storage/views.h"
#include "sync/limits.h"
#include "sync/wire.h"

namespace waystation {
namespace {

// A part of the reading: a few milliseconds, and no state of the store is held for longer.
constexpr std::size_t kKeysPerPart = 1000;
constexpr std::chrono::seconds kKeepUpEvery{15};

constexpr std::string_view kScopeColl = "scope";

}  // namespace

// What one request may catch up with: about a fifth of a second.
const ListTables::Bounds ListTables::kAtOnce{100'000, 10'000};
// Beyond this the table is made anew: that is faster, and takes no more memory.
const ListTables::Bounds ListTables::kInBackground{500'000, 200'000};

ListTables::ListTables(const Store& store, const Schemas& schemas, std::size_t bytes,
                       Threads threads)
    : store_(store), schemas_(schemas), most_bytes_(bytes), threads_(threads) {
  if (threads_ == Threads::kStepped || most_bytes_ == 0) return;
  // What offices leaf through; facts and the server's own books are read when they are asked for.
  for (const auto& [name, collection] : schemas_.collections()) {
    if (!collection.facts && !collection.derived) enqueue(find(name));
  }
  thread_ = std::thread([this] { run(); });
}

void ListTables::stop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

ListTables::KeptPtr ListTables::find(const std::string& coll) {
  const std::lock_guard lock(mutex_);
  KeptPtr& kept = kept_[coll];
  if (kept == nullptr) {
    kept = std::make_shared<Kept>();
    kept->coll = coll;
  }
  return kept;
}

void ListTables::enqueue(const KeptPtr& kept) {
  {
    const std::lock_guard lock(mutex_);
    if (kept->state == State::kReading) return;
    kept->state = State::kReading;
    kept->done = 0;
    queue_.push_back(kept);
  }
  wake_.notify_all();
}

ListReply ListTables::progress(const Kept& kept) const {
  ListReply reply;
  reply.done = kept.state == State::kReady ? 1 : kept.done.load();
  return reply;
}

Result<ListReply> ListTables::look(const std::string& coll) {
  if (schemas_.find(coll) == nullptr) {
    return Error{Code::kCollectionUnknown, fmt::format("there is no collection \"{}\"", coll)};
  }
  const Error too_large{Code::kListTooLarge, "list_mib in the settings says how much it may have"};
  if (most_bytes_ == 0) return too_large;
  const KeptPtr kept = find(coll);
  kept->used = ++uses_;
  if (kept->state == State::kTooLarge) return too_large;
  if (kept->state == State::kNone) {
    Status failed;
    {
      const std::lock_guard lock(kept->mutex);
      failed = std::exchange(kept->failed, Status{});
    }
    enqueue(kept);
    if (!failed) return failed.error();
  }
  return progress(*kept);
}

// --- one record -------------------------------------------------------------------------------

Status ListTables::take_record(Kept& kept, std::string_view scope, std::string_view id,
                               std::string_view bytes) {
  const auto head = decode_record_head(bytes);
  if (!head) return head.error();
  std::string room;
  const auto visible = store_.plain(head->visible, room, Gone::kLeftOut);
  if (!visible) return visible.error();
  if (auto put = kept.table->put(scope, id, head->seq, *visible); !put) return put;
  if (kept.coll != kScopeColl || id != scope_record_id(std::string(scope))) return {};
  std::string parent;
  if (!visible->empty()) {
    const Status read = for_each_listed(*visible, [&](std::string_view field, const auto& value) {
      if (field == "parent" && valid_scope_id(value.text)) parent = std::string(value.text);
    });
    if (!read) return read;
  }
  kept.tree.set(std::string(scope), parent);
  return {};
}

// --- keeping up -------------------------------------------------------------------------------

Result<bool> ListTables::catch_up(Kept& kept, const Bounds& most) {
  const auto snapshot = store_.kv().snapshot();
  const auto position = store_.position(snapshot.get());
  if (!position) return position.error();
  if (*position == kept.seq) return true;
  if (store_.horizon() > kept.seq) return false;
  std::vector<std::pair<std::string, std::string>> changed;  // scope, id
  std::size_t entries = 0;
  for (const std::string& scope : store_.scopes().newer_than(kept.seq)) {
    auto rows = store_.kv().iterate(Column::kChanges, snapshot.get(),
                                    keys::prefix_end(keys::scope_prefix(scope)));
    for (rows->seek(keys::change(scope, kept.seq + 1)); rows->valid(); rows->next()) {
      if (++entries > most.entries || changed.size() >= most.records) return false;
      const std::string_view value = rows->value();
      const std::size_t split = value.find('\0');
      if (split == std::string_view::npos) {
        return Error{Code::kStoreCorrupt, "a damaged change entry"};
      }
      if (value.substr(0, split) == kept.coll) {
        changed.emplace_back(scope, value.substr(split + 1));
      }
    }
    if (!rows->status()) return rows->status().error();
  }
  std::string bytes;
  for (const auto& [scope, id] : changed) {
    const auto found = store_.kv().get(Column::kRecords, keys::record(scope, kept.coll, id), bytes,
                                       snapshot.get());
    if (!found) return found.error();
    if (!*found) return Error{Code::kStoreCorrupt, "a change entry without its record"};
    if (auto taken = take_record(kept, scope, id, bytes); !taken) return taken.error();
  }
  kept.seq = *position;
  kept.bytes = kept.table->bytes();
  return true;
}

// Ready tables that nobody asks for do not fall behind, nor keep what was erased.
void ListTables::keep_up() {
  std::vector<KeptPtr> ready;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [coll, kept] : kept_) {
      if (kept->state == State::kReady) ready.push_back(kept);
    }
  }
  for (const KeptPtr& kept : ready) {
    bool behind = false;
    {
      const std::lock_guard lock(kept->mutex);
      if (kept->table == nullptr) continue;
      const auto caught = catch_up(*kept, kAtOnce);
      kept->table->settle_orders();
      behind = !caught || !*caught;
    }
    if (behind) enqueue(kept);
  }
}

// --- reading ----------------------------------------------------------------------------------

void ListTables::begin(Kept& kept) {
  const std::lock_guard lock(kept.mutex);
  kept.table = std::make_unique<ListTable>(*schemas_.find(kept.coll));
  kept.tree = ScopeTree();
  const auto position = store_.position();
  kept.seq = position ? *position : 0;
  kept.scopes = store_.scopes().newer_than(0);
  kept.at.clear();
  kept.next = 0;
  kept.counted = 0;
  kept.read = 0;
  kept.begun = true;
  kept.counting = true;
}

// Counts or reads some keys. True: all of this round are.
Result<bool> ListTables::walk_part(Kept& kept) {
  std::size_t keys = 0;
  const auto rows = store_.kv().iterate(Column::kRecords);
  while (kept.next < kept.scopes.size()) {
    const std::string& scope = kept.scopes[kept.next];
    const std::string prefix = keys::collection_prefix(scope, kept.coll);
    rows->seek(kept.at.empty() ? prefix : kept.at);
    for (; rows->valid() && rows->key().starts_with(prefix); rows->next()) {
      if (keys++ >= kKeysPerPart) {
        kept.at = std::string(rows->key());
        return false;
      }
      if (kept.counting) {
        ++kept.counted;
        continue;
      }
      ++kept.read;
      const auto taken = take_record(kept, scope, rows->key().substr(prefix.size()), rows->value());
      if (!taken) return taken.error();
    }
    if (!rows->status()) return rows->status().error();
    kept.at.clear();
    ++kept.next;
    // A seek costs as much as several keys.
    keys += 4;
    if (keys >= kKeysPerPart) return kept.next == kept.scopes.size();
  }
  return true;
}

Result<bool> ListTables::read_part(Kept& kept) {
  if (!kept.begun && kept.table != nullptr) {
    const std::lock_guard lock(kept.mutex);
    const auto caught = catch_up(kept, kInBackground);
    if (caught && *caught) return true;
  }
  if (!kept.begun) begin(kept);
  const std::lock_guard lock(kept.mutex);
  const auto walked = walk_part(kept);
  if (!walked) return walked.error();
  kept.bytes = kept.table->bytes();
  if (!kept.counting) {
    kept.done = std::min(0.99, static_cast<double>(kept.read) /
                                   static_cast<double>(std::max<std::size_t>(kept.counted, 1)));
  }
  if (!*walked) return false;
  if (kept.counting) {
    kept.counting = false;
    kept.next = 0;
    return false;
  }
  kept.begun = false;  // where too much has changed meanwhile it begins anew
  const auto caught = catch_up(kept, kInBackground);
  if (!caught) return caught.error();
  if (*caught) kept.table->prepare(ListQuery{});
  return *caught;
}

void ListTables::finish(Kept& kept, State state) {
  if (state != State::kReady) {
    const std::lock_guard lock(kept.mutex);
    kept.table.reset();
    kept.bytes = 0;
  }
  kept.state = state;
}

// Drops tables that were not asked for for longest. False: that is not enough.
bool ListTables::make_room(Kept& kept) {
  while (true) {
    std::size_t sum = 0;
    KeptPtr oldest;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [coll, other] : kept_) {
        sum += other->bytes;
        const bool may_go = other.get() != &kept && other->state == State::kReady;
        if (may_go && (oldest == nullptr || other->used < oldest->used)) oldest = other;
      }
    }
    if (sum <= most_bytes_) return true;
    if (oldest == nullptr) return false;
    finish(*oldest, State::kNone);
  }
}

bool ListTables::step() {
  KeptPtr kept;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.empty() || ending_) return false;
    kept = queue_.front();
  }
  const auto done = read_part(*kept);
  // What cannot be read is told to whoever asks next, by their own attempt.
  const bool fits = make_room(*kept);
  if (done.ok() && !*done && fits) return true;
  {
    const std::lock_guard lock(mutex_);
    queue_.pop_front();
  }
  kept->begun = false;
  if (!done) {
    const std::lock_guard lock(kept->mutex);
    kept->failed = done.error();
  }
  finish(*kept, !fits ? State::kTooLarge : done.ok() ? State::kReady : State::kNone);
  return true;
}

void ListTables::run() {
  auto kept_up = std::chrono::steady_clock::now();
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, kKeepUpEvery, [this] { return ending_ || !queue_.empty(); });
      if (ending_) return;
    }
    // Also beside a table that takes minutes to read: the others hold nothing that was erased.
    const auto now = std::chrono::steady_clock::now();
    if (step() && now - kept_up < kKeepUpEvery) continue;
    keep_up();
    kept_up = now;
  }
}

// --- a page -----------------------------------------------------------------------------------

Result<std::vector<std::string>> ListTables::scopes_under(const std::string& scope, bool& ready) {
  const auto looked = look(std::string(kScopeColl));
  if (!looked) return looked.error();
  const KeptPtr kept = find(std::string(kScopeColl));
  const std::lock_guard lock(kept->mutex);
  ready = kept->state == State::kReady && kept->table != nullptr;
  if (!ready) return std::vector<std::string>();
  const auto caught = catch_up(*kept, kAtOnce);
  if (!caught) return caught.error();
  ready = *caught;
  return kept->tree.below(scope);
}

Result<ListReply> ListTables::ask(const ListAsk& ask) {
  auto looked = look(ask.query.coll);
  if (!looked || looked->done < 1) return looked;
  const Sight& sight = ask.view->of(ask.query.coll);
  if (auto checked = check_list_query(*schemas_.find(ask.query.coll), sight, ask.query); !checked) {
    return checked.error();
  }
  ListAsk narrowed = ask;
  if (!ask.under.empty()) {
    bool ready = false;
    auto below = scopes_under(ask.under, ready);
    if (!below) return below.error();
    if (!ready) return ListReply{};
    narrowed.query.under = std::move(*below);
  }
  const KeptPtr kept = find(ask.query.coll);
  bool behind = false;
  {
    const std::lock_guard lock(kept->mutex);
    if (kept->state != State::kReady || kept->table == nullptr) return ListReply{};
    const auto caught = catch_up(*kept, kAtOnce);
    if (!caught) return caught.error();
    behind = !*caught;
    if (!behind) kept->table->prepare(narrowed.query);
  }
  if (behind) {
    enqueue(kept);
    return ListReply{};
  }
  const std::shared_lock lock(kept->mutex);
  // Somebody else may have come in between: the next attempt finds it settled.
  if (kept->table == nullptr || !kept->table->prepared(narrowed.query)) return ListReply{};
  const ListTable::Page page = kept->table->select(narrowed.query, sight, ask.allowed);
  auto text = page_text(narrowed, page, kept->seq);
  if (!text) return text.error();
  return ListReply{std::move(*text), 1};
}

// As of now, which may be a moment after the table: what was erased meanwhile is not shown.
Result<std::string> ListTables::page_text(const ListAsk& ask, const ListTable::Page& page,
                                          Seq seq) const {
  std::string items;
  std::string bytes;
  for (const ListTable::Name& row : page.rows) {
    const auto found =
        store_.kv().get(Column::kRecords, keys::record(row.scope, ask.query.coll, row.id), bytes);
    if (!found) return found.error();
    const auto head = *found ? decode_record_head(bytes) : Result<RecordHead>(RecordHead{});
    if (!*found || !head) return Error{Code::kStoreCorrupt, "a row of a list without its record"};
    if (!items.empty()) items += ',';
    const auto seen =
        append_seen(items, *ask.view, row.scope, ask.query.coll, row.id, *head, bytes);
    if (!seen) return seen.error();
  }
  if (auto opened = store_.make_plain(items, Gone::kLeftOut); !opened) return opened.error();
  return fmt::format(R"({{"coll":"{}","total":{},"matching":{},"offset":{},"seq":{},"rows":[{}]}})",
                     ask.query.coll, page.total, page.matching, ask.query.offset, seq, items);
}

}  // namespace waystation

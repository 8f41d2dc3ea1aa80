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
// Keys of an order that are gathered while nobody may change the table: a few milliseconds.
constexpr std::size_t kKeysAtOnce = 50'000;
constexpr std::size_t kOrders = 12;  // of one table, where there is room
constexpr std::size_t kWishes = 16;
// A table that somebody looks at is not dropped for another: two that do not fit together would
// push each other out with every page.
constexpr std::int64_t kUndisturbedMs = 30'000;
// What was too large is tried again; each time it is in vain the next try comes later.
constexpr std::int64_t kFirstTryMs = 30'000;
constexpr unsigned kDoublings = 5;  // to a quarter of an hour

// Said to be done of a table that is there, while the order of a deep page is made.
constexpr double kAlmost = 0.95;

constexpr std::string_view kScopeColl = "scope";

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

// What one request may catch up with: about a fifth of a second.
const ListTables::Bounds ListTables::kAtOnce{100'000, 10'000};
// Beyond this the table is made anew: that is faster, and takes no more memory.
const ListTables::Bounds ListTables::kInBackground{500'000, 200'000};

ListTables::ListTables(const Store& store, const Schemas& schemas, std::size_t bytes,
                       Threads threads, Clock now_ms)
    : store_(store),
      schemas_(schemas),
      most_bytes_(bytes),
      threads_(threads),
      now_ms_(now_ms ? std::move(now_ms) : Clock(steady_ms)) {
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
  kept->used_ms = now_ms_();
  if (kept->state == State::kTooLarge) {
    if (!tried_again(*kept)) return too_large;
    enqueue(kept);
  }
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
  keep_within_bounds();
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
    kept.table->reserve(kept.counted);
    return false;
  }
  kept.begun = false;  // where too much has changed meanwhile it begins anew
  const auto caught = catch_up(kept, kInBackground);
  if (!caught) return caught.error();
  return *caught;
}

void ListTables::finish(Kept& kept, State state) {
  if (state != State::kReady) {
    const std::lock_guard lock(kept.mutex);
    kept.table.reset();
    kept.bytes = 0;
  }
  if (state == State::kReady) kept.failures = 0;
  if (state == State::kTooLarge) put_off(kept);
  kept.state = state;
}

// --- room -------------------------------------------------------------------------------------

void ListTables::put_off(Kept& kept) {
  const unsigned failures = kept.failures.fetch_add(1);
  kept.again_ms = now_ms_() + (kFirstTryMs << std::min(failures, kDoublings));
  kept.beside = bytes_beside(kept);
}

// Records may have gone meanwhile, which only a try can tell; that others have made room is seen.
bool ListTables::tried_again(const Kept& kept) const {
  const std::size_t worth_a_try = most_bytes_ / 16;
  return now_ms_() >= kept.again_ms || bytes_beside(kept) + worth_a_try <= kept.beside;
}

std::size_t ListTables::bytes() const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const auto& [coll, kept] : kept_) sum += kept->bytes;
  return sum;
}

std::size_t ListTables::bytes_beside(const Kept& kept) const {
  const std::size_t all = bytes();
  return all - std::min(all, kept.bytes.load());
}

// By what it has so far: one that will not fit pushes nobody out first. An eighth is left out, for
// rows differ.
std::size_t ListTables::expected_bytes(const Kept& kept) {
  constexpr std::size_t kSample = 50'000;
  const std::size_t bytes = kept.bytes;
  if (!kept.begun || kept.counting || kept.read < kSample) return bytes;
  const std::size_t to_come = kept.counted - std::min(kept.counted, kept.read);
  const double all = static_cast<double>(kept.table->bytes_of_rows()) /
                         static_cast<double>(kept.read) * static_cast<double>(to_come) +
                     static_cast<double>(bytes);
  return std::max(bytes, static_cast<std::size_t>(all / 8 * 7));
}

// Drops tables that nobody looks at, the one first that was not asked for for longest. False: that
// is not enough, and none is dropped for nothing.
bool ListTables::make_room(const Kept& kept) {
  const std::size_t wanted = expected_bytes(kept);
  const std::int64_t before_ms = now_ms_() - kUndisturbedMs;
  while (true) {
    std::size_t others = 0;
    std::size_t held = 0;  // of those, by tables that stay
    KeptPtr oldest;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [coll, other] : kept_) {
        if (other.get() == &kept) continue;
        const std::size_t size = other->bytes;
        const bool may_go = other->state == State::kReady && other->used_ms <= before_ms;
        others += size;
        if (!may_go) held += size;
        if (may_go && size > 0 && (oldest == nullptr || other->used < oldest->used)) oldest = other;
      }
    }
    if (held + wanted > most_bytes_) return false;
    if (others + kept.bytes <= most_bytes_) return true;
    WS_CHECK(oldest != nullptr);
    finish(*oldest, State::kNone);
  }
}

// They grow as records come: the bound holds whoever looks.
void ListTables::keep_within_bounds() {
  while (bytes() > most_bytes_) {
    KeptPtr oldest;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [coll, other] : kept_) {
        if (other->state != State::kReady) continue;
        if (oldest == nullptr || other->used < oldest->used) oldest = other;
      }
    }
    if (oldest == nullptr) return;
    finish(*oldest, oldest->bytes > most_bytes_ ? State::kTooLarge : State::kNone);
  }
}

// --- orders -----------------------------------------------------------------------------------

void ListTables::wish_for(const KeptPtr& kept, const ListQuery& query) {
  {
    const std::lock_guard lock(mutex_);
    const bool there = std::any_of(wishes_.begin(), wishes_.end(), [&](const Wish& wish) {
      return wish.kept == kept && wish.field == query.sort && wish.descending == query.descending;
    });
    if (there || wishes_.size() >= kWishes) return;
    wishes_.push_back({kept, query.sort, query.descending});
  }
  wake_.notify_all();
}

bool ListTables::grant_wish() {
  Wish wish;
  {
    const std::lock_guard lock(mutex_);
    if (wishes_.empty() || ending_) return false;
    wish = wishes_.front();
  }
  make_order(wish);
  const std::lock_guard lock(mutex_);
  wishes_.pop_front();
  return true;
}

// Beside those who read and change the table: nobody waits for the sorting.
void ListTables::make_order(const Wish& wish) {
  Kept& kept = *wish.kept;
  {
    const std::lock_guard lock(kept.mutex);
    if (kept.state != State::kReady || kept.table == nullptr) return;
    if (kept.table->has_order(wish.field, wish.descending)) return;
    kept.table->begin_order(wish.field, wish.descending);
  }
  for (bool gathered = false; !gathered;) {
    const std::shared_lock lock(kept.mutex);
    gathered = kept.table->gather_keys(kKeysAtOnce);
  }
  kept.table->sort_keys();
  const std::size_t all = bytes();
  const std::size_t left = most_bytes_ - std::min(most_bytes_, all);
  const std::lock_guard lock(kept.mutex);
  const std::size_t more = left / std::max<std::size_t>(kept.table->bytes_of_order(), 1);
  kept.table->adopt_order(
      std::clamp(kept.table->orders() + more, ListTable::kOrdersCounted, kOrders));
  kept.bytes = kept.table->bytes();
}

// --- the thread -------------------------------------------------------------------------------

bool ListTables::step() {
  if (grant_wish()) return true;  // at most a second, and beside a table that takes many
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
      wake_.wait_for(lock, kKeepUpEvery,
                     [this] { return ending_ || !queue_.empty() || !wishes_.empty(); });
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
    if (!behind) {
      kept->table->settle_orders();
      kept->table->note_use(narrowed.query);
    }
  }
  if (behind) {
    enqueue(kept);
    return ListReply{};
  }
  const std::shared_lock lock(kept->mutex);
  // Somebody else may have come in between: the next attempt finds it settled.
  if (kept->table == nullptr || !kept->table->settled()) return ListReply{};
  const ListTable::Page page = kept->table->select(narrowed.query, sight, ask.allowed);
  if (page.wants_order || page.needs_order) wish_for(kept, narrowed.query);
  if (page.needs_order) return ListReply{{}, kAlmost};
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

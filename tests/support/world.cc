#include "tests/support/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "storage/keys.h"
#include "storage/schema_files.h"
#include "storage/views.h"
#include "sync/canonical.h"
#include "sync/device_id.h"
#include "tests/support/json.h"

namespace waystation::testing {
namespace {

class SharedKv final : public Kv {
 public:
  explicit SharedKv(std::shared_ptr<MemoryKv> disk) : disk_(std::move(disk)) {}
  Result<bool> get(Column column, std::string_view key, std::string& value,
                   const Snapshot* snapshot) const override {
    return disk_->get(column, key, value, snapshot);
  }
  std::unique_ptr<KvIterator> iterate(Column column, const Snapshot* snapshot,
                                      std::string upper) const override {
    return disk_->iterate(column, snapshot, std::move(upper));
  }
  std::unique_ptr<Snapshot> snapshot() const override { return disk_->snapshot(); }
  Status write(const Batch& batch, Durability durability) override {
    return disk_->write(batch, durability);
  }

 private:
  std::shared_ptr<MemoryKv> disk_;
};

template <typename T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "a test's world broke: %s %s\n",
                 std::string(name(result.error().code)).c_str(), result.error().context.c_str());
    std::abort();
  }
  return std::move(result).value();
}

void must(const Status& status) {
  if (!status) must(Result<bool>(status.error()));
}

void read_receipt(Answer& answer) {
  if (answer.receipt.empty()) return;
  const JsonText text(answer.receipt);
  const dom::element receipt = text.root()["receipt"];
  answer.applied = static_cast<std::uint64_t>(std::int64_t(receipt["applied"]));
  if (has(receipt, "expected")) {
    answer.expected = static_cast<std::uint64_t>(std::int64_t(receipt["expected"]));
  }
  // Word for word: each verdict is found again in the text that was sent.
  std::size_t at = answer.receipt.find("\"results\":[") + 11;
  for (const dom::element result : dom::array(receipt["results"])) {
    const std::string verdict = simdjson::minify(result);
    WS_CHECK(answer.receipt.compare(at, verdict.size(), verdict) == 0);
    answer.verdicts.push_back(verdict);
    at += verdict.size() + 1;
  }
  WS_CHECK(std::int64_t(receipt["count"]) == static_cast<std::int64_t>(answer.verdicts.size()));
}

ExchangeRequest exchange(std::uint64_t device, Answer& answer) {
  ExchangeRequest request;
  request.device = device;
  request.done = [&answer](Result<ExchangeRequest::Reply> reply) {
    if (!reply) {
      answer.error = reply.error().code;
      answer.error_context = reply.error().context;
      return;
    }
    answer.welcome = reply->welcome;
    answer.receipt = reply->receipt;
    read_receipt(answer);
  };
  return request;
}

}  // namespace

const Schemas& schemas() {
  static const Schemas loaded = must(load_schemas(WS_SOURCE_DIR "/schemas"));
  return loaded;
}

const std::shared_ptr<const Projections>& projections() {
  static const auto loaded = must(load_projections(WS_SOURCE_DIR "/schemas", schemas(), Zone{}));
  return loaded;
}

// --- ops --------------------------------------------------------------------------------------

OpText op(std::uint64_t n) {
  OpText text;
  text.n = n;
  return text;
}

OpText OpText::in(std::string other_scope) const {
  OpText text = *this;
  text.scope = std::move(other_scope);
  return text;
}

OpText OpText::on(std::string other_coll, std::string other_id) const {
  OpText text = *this;
  text.coll = std::move(other_coll);
  text.id = std::move(other_id);
  return text;
}

OpText OpText::written(std::int64_t wall_ms) const {
  OpText text = *this;
  text.wall = wall_ms;
  return text;
}

OpText OpText::since_boot(std::string boot_name, std::int64_t mono_ms) const {
  OpText text = *this;
  text.boot = std::move(boot_name);
  text.mono = mono_ms;
  return text;
}

OpText OpText::having_seen(Seq seq) const {
  OpText text = *this;
  text.base = seq;
  return text;
}

OpText OpText::does(std::string what) const {
  OpText text = *this;
  text.edits = std::move(what);
  return text;
}

std::string OpText::json() const {
  return fmt::format(
      R"({{"n":{},"scope":"{}","coll":"{}","id":"{}","wall":{},"mono":{},"boot":"{}",)"
      R"("schema":{},"base":{},{}}})",
      n, scope, coll, id, wall, mono, boot, schema, base, edits);
}

Op received(std::string_view json) {
  Op decoded = must(decode_op(json));
  schemas().admit(decoded);
  return decoded;
}

Op received(const OpText& text) { return received(text.json()); }

// --- answers ----------------------------------------------------------------------------------

std::string Answer::code(std::size_t i) const {
  if (i >= verdicts.size()) return "no verdict";
  const JsonText text(verdicts[i]);
  return has(text.root(), "refused") ? text_of(text.root()["refused"], "code") : "ok";
}

Seq Answer::seq(std::size_t i) const {
  if (code(i) != "ok") return 0;
  const JsonText text(verdicts[i]);
  return std::int64_t(text.root()["seq"]);
}

std::vector<std::string> Answer::lost(std::size_t i) const {
  std::vector<std::string> fields;
  const JsonText text(verdicts.at(i));
  if (!has(text.root(), "lost")) return fields;
  for (const dom::element field : dom::array(text.root()["lost"])) {
    fields.emplace_back(std::string_view(field));
  }
  return fields;
}

std::string Answer::codes() const {
  std::string all = error ? std::string(name(*error)) : "";
  for (std::size_t i = 0; i < verdicts.size(); ++i) all += (all.empty() ? "" : " ") + code(i);
  return all;
}

std::ostream& operator<<(std::ostream& out, const OpenConflict& c) {
  return out << c.field << " by " << format_device_id(c.device) << "/" << c.n << "." << c.part
             << " " << c.kind << " " << c.value;
}

// --- the world --------------------------------------------------------------------------------

World::World() : World(std::make_shared<MemoryKv>()) {
  enroll_as(kOffice, {"*"});
  have_scope("t");
}

World::World(std::shared_ptr<MemoryKv> disk) : disk_(std::move(disk)) { reopen(); }

std::unique_ptr<World> World::fork() const {
  std::unique_ptr<World> other(new World(copy_of(*disk_)));
  other->now = now;
  if (policy_ != nullptr) other->set_policy(policy_);
  other->next_device_ = next_device_;
  other->codes_made_ = codes_made_;
  return other;
}

void World::reopen() { open(std::string(kIncarnation), Store::Life::kGoesOn); }

std::shared_ptr<MemoryKv> World::back_up() {
  std::shared_ptr<MemoryKv> copy;
  std::vector<Request> group;
  group.emplace_back(BackupRequest{[&] {
                                     copy = copy_of(*disk_);
                                     return Status{};
                                   },
                                   [](const Status& status) { must(status); }});
  apply(group);
  return copy;
}

void World::restore(const MemoryKv& backup) {
  disk_ = copy_of(backup);
  open(fmt::format("{:08x}{:024x}", ++lives_, 0), Store::Life::kNew);
}

void World::open(const std::string& incarnation, Store::Life life) {
  applier_.reset();
  store_.reset();
  store_ = must(Store::open(share(disk_), incarnation, life));
  store_->use(master());
  if (policy_ != nullptr) (void)must(adopt_policy(*store_, policy_, now));
  (void)must(adopt_projections(*store_, projections_ != nullptr ? projections_ : projections()));
  ApplierSettings settings;
  settings.offline_ms = offline_ms;
  settings.erasing = [this](const std::string& row, std::int64_t) {
    if (list_of_erasures) erased_rows.push_back(row);
    return list_of_erasures;
  };
  applier_ = std::make_unique<Applier>(*store_, schemas(), settings);
  must(applier_->start());
}

void World::count_by(std::shared_ptr<const Projections> projections) {
  projections_ = std::move(projections);
  reopen();
}

GroupOutcome World::apply(std::vector<Request>& group) { return applier_->apply(group, now); }

void World::pass(std::int64_t ms) {
  now += ms;
  // What is done may make something else due at once.
  while (applier_->next_due_ms() <= now) {
    std::vector<Request> nothing;
    apply(nothing);
  }
}

std::uint64_t World::enroll(const std::vector<std::string>& scopes, std::string_view role) {
  const std::uint64_t device = next_device_++;
  enroll_as(device, scopes, role);
  return device;
}

void World::enroll_as(std::uint64_t device, const std::vector<std::string>& scopes,
                      std::string_view role) {
  const std::string code = fmt::format("code {}", ++codes_made_);
  must(make_code(code, CodeRow{scopes, "a phone", 1, now + 1000, std::string(role)}));
  (void)must(enroll_with(code, fmt::format("request {}", codes_made_), device));
}

void World::have_scope(const std::string& scope) {
  std::string id = scope;
  std::replace(id.begin(), id.end(), '/', '-');
  const auto known = state(kOffice);
  const Answer answer = push(kOffice, {op(known ? known->applied + 1 : 1)
                                           .in(scope)
                                           .on("scope", id)
                                           .written(now)
                                           .does(R"("set":{"kind":"community"})")});
  if (answer.codes() != "ok") must(Status(Error{Code::kInternal, answer.codes()}));
}

void World::hang(const std::string& scope, const std::string& parent) {
  std::string id = scope;
  std::replace(id.begin(), id.end(), '/', '-');
  const auto known = state(kOffice);
  const Answer answer = push(
      kOffice, {op(known ? known->applied + 1 : 1)
                    .in(scope)
                    .on("scope", id)
                    .written(now)
                    .having_seen(position())
                    .does(parent.empty() ? R"("set":{"parent":null})"
                                         : fmt::format(R"("set":{{"parent":"{}"}})", parent))});
  if (answer.codes() != "ok") must(Status(Error{Code::kInternal, answer.codes()}));
}

Result<EraseReport> World::erase(const std::string& person) {
  Result<EraseReport> answer = Error{Code::kInternal, "never answered"};
  EraseRequest request;
  request.row = person_row(person);
  request.persons = {person};
  request.done = [&](Result<EraseReport> reply) { answer = std::move(reply); };
  std::vector<Request> group;
  group.emplace_back(std::move(request));
  apply(group);
  return answer;
}

Status World::make_code(const std::string& code, const CodeRow& row) {
  Status answer = Error{Code::kInternal, "never answered"};
  CodeRequest request;
  request.code_hash = sha256(code);
  request.code = row;
  request.done = [&](Status status) { answer = std::move(status); };
  std::vector<Request> group;
  group.emplace_back(std::move(request));
  apply(group);
  return answer;
}

Result<AccountPtr> World::enroll_with(const std::string& code, const std::string& request_text,
                                      std::uint64_t new_device, const std::string& token) {
  Result<AccountPtr> answer = Error{Code::kInternal, "never answered"};
  EnrollRequest request;
  request.code_hash = sha256(code);
  request.request_hash = sha256(request_text);
  request.new_device = new_device;
  request.new_token_hash = sha256(token);
  request.done = [&](Result<EnrollRequest::Reply> reply) {
    answer = reply ? Result<AccountPtr>(reply->account) : Result<AccountPtr>(reply.error());
  };
  std::vector<Request> group;
  group.emplace_back(std::move(request));
  apply(group);
  return answer;
}

Result<AccountPtr> World::set_role(std::uint64_t device, const std::string& role) {
  Result<AccountPtr> answer = Error{Code::kInternal, "never answered"};
  std::vector<Request> group;
  group.emplace_back(RoleRequest{device, role, [&](Result<AccountPtr> reply) { answer = reply; }});
  apply(group);
  return answer;
}

void World::set_policy(std::shared_ptr<const Policy> policy) {
  policy_ = std::move(policy);
  reopen();
}

Result<AccountPtr> World::set_scopes(std::uint64_t device, const std::vector<std::string>& scopes) {
  Result<AccountPtr> answer = Error{Code::kInternal, "never answered"};
  ScopesRequest request{device, scopes, [&](Result<AccountPtr> reply) { answer = reply; }};
  std::vector<Request> group;
  group.emplace_back(std::move(request));
  apply(group);
  return answer;
}

Result<AccountPtr> World::stand(std::uint64_t device, Standing standing) {
  Result<AccountPtr> answer = Error{Code::kInternal, "never answered"};
  StandingRequest request{device, standing, [&](Result<AccountPtr> reply) { answer = reply; }};
  std::vector<Request> group;
  group.emplace_back(std::move(request));
  apply(group);
  return answer;
}

Result<AccountPtr> World::revoke(std::uint64_t device) { return stand(device, Standing::kClosed); }

Result<AccountPtr> World::wipe(std::uint64_t device, bool at_once) {
  Result<AccountPtr> answer = Error{Code::kInternal, "never answered"};
  WipeRequest request{device, at_once, [&](Result<AccountPtr> reply) { answer = reply; }};
  std::vector<Request> group;
  group.emplace_back(std::move(request));
  apply(group);
  return answer;
}

std::vector<Answer> World::push_together(std::vector<PushOf> pushes) {
  std::vector<Answer> answers(pushes.size());
  std::vector<Request> group;
  for (std::size_t i = 0; i < pushes.size(); ++i) {
    ExchangeRequest request = exchange(pushes[i].device, answers[i]);
    request.push = Push{std::move(pushes[i].ops)};
    group.emplace_back(std::move(request));
  }
  apply(group);
  return answers;
}

Answer World::push(std::uint64_t device, const std::vector<OpText>& ops) {
  std::vector<std::string> texts;
  for (const OpText& text : ops) texts.push_back(text.json());
  return push_json(device, texts);
}

Answer World::push_json(std::uint64_t device, const std::vector<std::string>& ops) {
  PushOf push{device, {}};
  for (const std::string& json : ops) push.ops.push_back(received(std::string_view(json)));
  return push_together({std::move(push)})[0];
}

Answer World::hello(std::uint64_t device, const ClockReading& clock) {
  Answer answer;
  ExchangeRequest request = exchange(device, answer);
  request.hello = Hello{};
  request.hello->device = format_device_id(device);
  request.hello->clock = clock;
  std::vector<Request> group;
  group.emplace_back(std::move(request));
  apply(group);
  return answer;
}

std::optional<Record> World::record(const std::string& coll, const std::string& id,
                                    const std::string& scope) const {
  std::string value;
  if (!must(disk_->get(Column::kRecords, keys::record(scope, coll, id), value, nullptr))) {
    return std::nullopt;
  }
  return must(decode_record(value));
}

std::string World::visible(const std::string& coll, const std::string& id,
                           const std::string& scope) const {
  std::string value;
  if (!must(disk_->get(Column::kRecords, keys::record(scope, coll, id), value, nullptr))) {
    return "nothing";
  }
  const RecordHead head = must(decode_record_head(value));
  std::string room;
  return head.visible.empty()
             ? "deleted"
             : std::string(must(store_->plain(head.visible, room, Gone::kLeftOut)));
}

std::size_t World::conflict_count(const std::string& coll, const std::string& id,
                                  const std::string& scope) const {
  std::string value;
  if (!must(disk_->get(Column::kRecords, keys::record(scope, coll, id), value, nullptr))) return 0;
  return must(decode_record_head(value)).conflicts;
}

std::vector<OpenConflict> World::conflicts(const std::string& coll, const std::string& id,
                                           const std::string& scope) const {
  const auto held = record(coll, id, scope);
  std::vector<OpenConflict> open;
  std::string prefix = keys::record(scope, coll, id);
  prefix += '\0';
  auto rows = disk_->iterate(Column::kConflicts, nullptr, keys::prefix_end(prefix));
  for (rows->seek(prefix); rows->valid(); rows->next()) {
    const auto key = keys::parse_conflict(rows->key());
    WS_CHECK(key.has_value() && held.has_value());
    const ConflictRow row = must(decode_conflict(rows->value()));
    const auto kind = held->open_kind(key->field, key->dot, key->part, row.kind);
    if (!kind) continue;
    std::string room;
    open.push_back(OpenConflict{std::string(key->field), key->dot.device, key->dot.n, key->part,
                                std::string(word_for(*kind)),
                                std::string(must(store_->plain(row.value, room)))});
  }
  std::sort(open.begin(), open.end());
  return open;
}

std::string World::digest(const std::string& scope) const {
  std::string value;
  if (!must(disk_->get(Column::kDigests, scope, value, nullptr))) return Digest{}.hex();
  return must(decode_digest(value)).digest.hex();
}

std::string World::recomputed_digest(const std::string& scope) const {
  Digest sum;
  const std::string prefix = keys::scope_prefix(scope);
  auto rows = disk_->iterate(Column::kRecords, nullptr, keys::prefix_end(prefix));
  for (rows->seek(prefix); rows->valid(); rows->next()) {
    const auto key = keys::parse_record(rows->key());
    WS_CHECK(key.has_value());
    const RecordHead head = must(decode_record_head(rows->value()));
    if (head.visible.empty()) continue;
    std::string room;
    const auto plain = must(store_->plain(head.visible, room, Gone::kLeftOut));
    sum.add(digest_of_record(key->scope, key->coll, key->id, plain));
  }
  return sum.hex();
}

std::vector<Quarantined> World::quarantine() const {
  std::vector<Quarantined> all;
  auto rows = disk_->iterate(Column::kQuarantine, nullptr, {});
  for (rows->seek(""); rows->valid(); rows->next()) {
    const auto key = keys::parse_quarantine(rows->key());
    WS_CHECK(key.has_value());
    all.push_back({key->device, key->n, key->variant, must(decode_quarantine(rows->value()))});
  }
  return all;
}

std::optional<DeviceState> World::state(std::uint64_t device) const {
  std::string value;
  if (!must(disk_->get(Column::kDevices, keys::device_state(device), value, nullptr))) {
    return std::nullopt;
  }
  return must(decode_device_state(value));
}

std::vector<LogEntry> World::log(std::uint64_t device) const {
  std::vector<LogEntry> all;
  auto rows = disk_->iterate(Column::kDeviceLog, nullptr, keys::log_chunk(device + 1, 0));
  for (rows->seek(keys::log_chunk(device, 0)); rows->valid(); rows->next()) {
    LogChunk chunk = must(decode_log_chunk(rows->value()));
    WS_CHECK(chunk.first_n == all.size() + 1);
    for (LogEntry& entry : chunk.entries) all.push_back(std::move(entry));
  }
  return all;
}

Seq World::position() const { return must(store_->position()); }

// --- the disk ---------------------------------------------------------------------------------

MasterKey master() {
  MasterKey key;
  key.bytes.fill(7);
  return key;
}

std::unique_ptr<Kv> share(std::shared_ptr<MemoryKv> disk) {
  return std::make_unique<SharedKv>(std::move(disk));
}

std::vector<std::string> dump(const MemoryKv& disk) {
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < kColumns; ++i) {
    auto at = disk.iterate(static_cast<Column>(i), nullptr, {});
    for (at->seek(""); at->valid(); at->next()) {
      rows.push_back(fmt::format("{}|", i) + std::string(at->key()) + "|" +
                     std::string(at->value()));
    }
  }
  return rows;
}

std::shared_ptr<MemoryKv> copy_of(const MemoryKv& disk) {
  auto copy = std::make_shared<MemoryKv>();
  Batch batch;
  for (std::size_t i = 0; i < kColumns; ++i) {
    const auto column = static_cast<Column>(i);
    auto at = disk.iterate(column, nullptr, {});
    for (at->seek(""); at->valid(); at->next()) {
      batch.put(column, std::string(at->key()), std::string(at->value()));
    }
  }
  must(copy->write(batch, Durability::kSynced));
  return copy;
}

}  // namespace waystation::testing

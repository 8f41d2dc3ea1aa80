#include "sync/replica.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sync/broken.h"
#include "sync/canonical.h"
#include "sync/json_dom.h"
#include "sync/limits.h"

namespace waystation {

namespace dom = simdjson::dom;

// Reads one reply. A member that is missing or of a wrong type makes the whole reply wrong, before
// anything of that message is taken in.
struct ReplicaReader {
  Replica& replica;

  [[nodiscard]] static Error wrong(std::string_view what) {
    return Error{Code::kMessageInvalid, fmt::format("the server's {} has a wrong shape", what)};
  }

  static std::string text(dom::object object, std::string_view key) {
    std::string_view value;
    const auto found = json::find(object, key);
    if (!found || found->get(value) != simdjson::SUCCESS) return {};
    return std::string(value);
  }
  static std::int64_t number(dom::object object, std::string_view key) {
    const auto found = json::find(object, key);
    return found ? json::integer(*found).value_or(0) : 0;
  }
  static bool flag(dom::object object, std::string_view key) {
    bool value = false;
    const auto found = json::find(object, key);
    return found && found->get(value) == simdjson::SUCCESS && value;
  }
  static std::optional<dom::array> array(dom::object object, std::string_view key) {
    dom::array value;
    const auto found = json::find(object, key);
    if (!found || found->get(value) != simdjson::SUCCESS) return std::nullopt;
    return value;
  }
  static std::string canonical(dom::element element) {
    std::string out;
    (void)json::append_canonical(out, element, limits::kFrameDepth, {});
    return out;
  }

  Status welcome(dom::object message) {
    const auto server = json::find(message, "server");
    dom::object server_object;
    if (!server || server->get(server_object) != simdjson::SUCCESS) return wrong("welcome");
    const std::string incarnation = text(server_object, "incarnation");
    // An order that still stands follows the welcome.
    if (!replica.is_wiped()) replica.wiping_ = Replica::Wiping::kNo;
    const auto applied = static_cast<std::uint64_t>(number(message, "applied"));
    if (replica.incarnation_ == incarnation || replica.incarnation_.empty()) {
      if (applied < replica.applied_) ++replica.applied_faults_;
    } else {
      replica.begin_life(applied);
    }
    replica.incarnation_ = incarnation;
    // A device that was set up anew goes on from the server's number.
    replica.next_n_ = std::max(replica.next_n_, applied + 1);
    replica.role_ = text(message, "role");
    if (const auto scopes = array(message, "scopes")) {
      replica.scopes_.clear();
      for (const dom::element scope : *scopes) {
        std::string_view name;
        if (scope.get(name) == simdjson::SUCCESS) replica.scopes_.emplace_back(name);
      }
    }
    // Whatever was judged before this hello is part of what the next whole pull brings.
    for (Replica::OwnOp& op : replica.ops_) {
      if (op.n <= applied) op.fades = true;
    }
    cover(applied, message);
    return {};
  }

  Status wipe(dom::object message) {
    if (replica.is_wiped()) return {};
    replica.wiping_ = flag(message, "now") ? Replica::Wiping::kNow : Replica::Wiping::kWhenHandedIn;
    return {};
  }

  Status wiped() {
    if (!replica.is_wiped()) return wrong("wiped");
    replica.wiping_ = Replica::Wiping::kConfirmed;
    return {};
  }

  void cover(std::uint64_t applied, dom::object message) {
    replica.applied_ = std::max(replica.applied_, applied);
    const auto backed_up = json::find(message, "backed_up");
    replica.backed_up_.reset();
    if (backed_up && !backed_up->is_null()) {
      replica.backed_up_ = static_cast<std::uint64_t>(json::integer(*backed_up).value_or(0));
    }
    replica.forget_covered();
  }

  void verdict(dom::element element, dom::object result) {
    const auto n = static_cast<std::uint64_t>(number(result, "n"));
    if (replica.keep_verdicts_) {
      const std::string seen = canonical(element);
      const auto [at, fresh] = replica.verdicts_.emplace(n, seen);
      if (!fresh && at->second != seen) ++replica.verdict_faults_;
    }
    const auto at = std::find_if(replica.ops_.begin(), replica.ops_.end(),
                                 [&](const Replica::OwnOp& op) { return op.n == n; });
    const bool own = at != replica.ops_.end();
    // That an op is applied may have been heard (in a welcome) before its verdict, when the answer
    // to the first push was lost.
    const bool news = own && at->shown && at->seq == 0;
    if (n <= replica.applied_ && !news) return;  // told before
    if (const auto lost = array(result, "lost")) replica.lost_values_ += lost->size();
    const auto refused = json::find(result, "refused");
    dom::object refusal;
    if (refused && refused->get(refusal) == simdjson::SUCCESS) {
      RefusedOp kept{n, text(refusal, "code"), {}};
      if (own) {
        kept.op = json_of(*at);
        at->shown = false;
      }
      replica.refused_.push_back(std::move(kept));
    } else if (own) {
      at->seq = number(result, "seq");
      const HeldRecord* held = replica.find(at->key);
      const bool seen =
          (held != nullptr && held->seq >= at->seq) || told_up_to(std::get<0>(at->key)) >= at->seq;
      if (seen || !replica.holds(std::get<0>(at->key))) at->shown = false;
    }
  }

  [[nodiscard]] Seq told_up_to(const std::string& scope) const {
    const auto at = replica.digest_seqs_.find(scope);
    return at == replica.digest_seqs_.end() ? 0 : at->second;
  }

  static std::string json_of(const Replica::OwnOp& op) {
    return fmt::format(R"({{"n":{},{})", op.n, op.tail);
  }

  Status receipt(dom::object message) {
    const auto results = array(message, "results");
    if (!results) return wrong("receipt");
    for (const dom::element result : *results) {
      dom::object object;
      if (result.get(object) != simdjson::SUCCESS) return wrong("receipt");
      verdict(result, object);
    }
    cover(static_cast<std::uint64_t>(number(message, "applied")), message);
    // There is a gap: go back to the number that the server waits for.
    const auto expected = static_cast<std::uint64_t>(number(message, "expected"));
    if (expected > 0 && expected <= replica.applied_) replica.applied_ = expected - 1;
    return {};
  }

  Status change(dom::object item) {
    Replica::Key key{text(item, "scope"), text(item, "coll"), text(item, "id")};
    HeldRecord record;
    record.seq = number(item, "seq");
    record.conflicts = static_cast<std::size_t>(number(item, "conflicts"));
    if (!flag(item, "deleted")) {
      const auto fields = json::find(item, "fields");
      if (!fields) return wrong("change");
      record.fields = canonical(*fields);
      record.part =
          digest_of_record(std::get<0>(key), std::get<1>(key), std::get<2>(key), record.fields);
    }
    const std::string& scope = std::get<0>(key);
    if (!replica.holds(scope)) replica.scopes_.push_back(scope);
    for (Replica::OwnOp& op : replica.ops_) {
      if (op.seq != 0 && op.seq <= record.seq && op.key == key) op.shown = false;
    }
#ifdef WS_BROKEN_VARIANTS
    replica.last_changed_.push_back(key);
#endif
    replica.set_record(key, std::move(record));
    return {};
  }

  Status changes(dom::object message) {
    const auto items = array(message, "changes");
    if (!items) return wrong("changes");
#ifdef WS_BROKEN_VARIANTS
    replica.last_changed_.clear();
#endif
    if (flag(message, "reset")) {
      replica.records_.clear();
      replica.digests_.clear();
      replica.digest_seqs_.clear();
      for (Replica::OwnOp& op : replica.ops_) op.fades = op.fades || op.seq != 0;
    }
    if (const auto left = array(message, "left")) {
      for (const dom::element scope : *left) {
        std::string_view gone;
        if (scope.get(gone) == simdjson::SUCCESS) replica.remove_scope(std::string(gone));
      }
    }
    for (const dom::element item : *items) {
      dom::object object;
      if (item.get(object) != simdjson::SUCCESS) return wrong("changes");
      if (auto taken = change(object); !taken) return taken;
    }
    if (const auto digests = array(message, "digests")) {
      for (const dom::element item : *digests) {
        dom::object object;
        if (item.get(object) != simdjson::SUCCESS) return wrong("digests");
        check_digest(object);
      }
    }
    replica.cursor_ = text(message, "cursor");
    replica.more_ = flag(message, "more");
    if (!replica.more_) {
      for (Replica::OwnOp& op : replica.ops_) op.shown = op.shown && !op.fades;
    }
    replica.forget_covered();
    return {};
  }

  void check_digest(dom::object item) {
    const std::string scope = text(item, "scope");
    replica.digest_seqs_[scope] = number(item, "seq");
    // All that the role shows of it has come: what has not is not shown.
    for (Replica::OwnOp& op : replica.ops_) {
      const bool told = op.seq != 0 && op.seq <= replica.digest_seqs_[scope];
      if (told && std::get<0>(op.key) == scope) op.shown = false;
    }
    ++replica.digests_checked_;
    if (replica.digest(scope).hex() != text(item, "digest"))
      replica.digest_faults_.push_back(scope);
  }
};

void Replica::set_record(const Key& key, HeldRecord record) {
  Digest& sum = digests_[std::get<0>(key)];
  HeldRecord& held = records_[key];
  if (record.seq < held.seq) ++seq_faults_;
  sum.subtract(held.part);
  sum.add(record.part);
  held = std::move(record);
}

void Replica::remove_scope(const std::string& scope) {
  const auto first = records_.lower_bound(Key{scope, "", ""});
  auto last = first;
  while (last != records_.end() && std::get<0>(last->first) == scope) ++last;
  records_.erase(first, last);
  digests_.erase(scope);
  digest_seqs_.erase(scope);
  std::erase(scopes_, scope);
  for (OwnOp& op : ops_) {
    if (op.seq != 0 && std::get<0>(op.key) == scope) op.shown = false;
  }
}

bool Replica::holds(const std::string& scope) const {
  return std::any_of(scopes_.begin(), scopes_.end(),
                     [&](const std::string& held) { return held == scope || held == "*"; });
}

bool Replica::covered(const OwnOp& op) const {
  return op.n <= applied_ && (!backed_up_ || op.n <= *backed_up_);
}

void Replica::forget_covered() {
  std::erase_if(ops_, [this](const OwnOp& op) { return covered(op) && !op.shown; });
}

// The server has forgotten all ops above `applied`. Each that is still held is handed in again
// under its own number: a number stays bound to its content for ever, so that a request that was
// held up on the way can do no harm. For one that is no longer held an op is handed in that says
// so: it ends in the quarantine, where the office sees that something is missing.
void Replica::begin_life(std::uint64_t applied) {
  applied_ = applied;
  std::deque<OwnOp> ops;
  std::uint64_t n = applied + 1;
  const auto fill_up_to = [&](std::uint64_t next) {
    for (; n < next; ++n) {
      OwnOp lost;
      lost.n = n;
      lost.tail = "\"lost\":true}";
      lost.shown = false;
      ops.push_back(std::move(lost));
      unsaved_ = true;  // what was saved earlier may still hold the op whose number this takes
    }
  };
  for (OwnOp& op : ops_) {
    if (op.n > applied) {
      fill_up_to(op.n);
      ++n;
      op.seq = 0;
      op.fades = false;
      op.shown = !op.edits.empty();
    }
    ops.push_back(std::move(op));
  }
  fill_up_to(next_n_);
  ops_ = std::move(ops);
  verdicts_.erase(verdicts_.upper_bound(applied), verdicts_.end());
}

void Replica::enrolled_anew(std::string device, std::string token) {
  std::erase_if(ops_, [](const OwnOp& op) { return op.edits.empty(); });
  next_n_ = 1;
  for (OwnOp& op : ops_) {
    op.n = next_n_++;
    op.seq = 0;
    op.fades = false;
    op.shown = true;
  }
  device_ = std::move(device);
  token_ = std::move(token);
  applied_ = 0;
  backed_up_.reset();
  incarnation_.clear();
  wiping_ = Wiping::kNo;
  cursor_.clear();
  more_ = true;
  records_.clear();
  digests_.clear();
  digest_seqs_.clear();
  scopes_.clear();
  verdicts_.clear();
  unsaved_ = true;
}

void Replica::wipe() {
  WS_CHECK(must_wipe());
  discarded_ = waiting();
  wiping_ = Wiping::kDone;
  ops_.clear();
  scopes_.clear();
  cursor_.clear();
  records_.clear();
  digests_.clear();
  digest_seqs_.clear();
  refused_.clear();
  verdicts_.clear();
  unsaved_ = true;
}

std::uint64_t Replica::edit(const Draft& draft, const ClockReading& clock) {
  OwnOp op;
  op.n = next_n_++;
  op.key = Key{draft.scope, draft.coll, draft.id};
  op.edits = draft.edits;
  // Who does not hold the record has seen that it was not there, up to the scope's last digest.
  Seq base = 0;
  if (const HeldRecord* held = find(op.key)) {
    base = held->seq;
  } else if (const auto at = digest_seqs_.find(draft.scope); at != digest_seqs_.end()) {
    base = at->second;
  }
  op.tail = "\"scope\":";
  append_json_string(op.tail, draft.scope);
  op.tail += ",\"coll\":";
  append_json_string(op.tail, draft.coll);
  op.tail += ",\"id\":";
  append_json_string(op.tail, draft.id);
  op.tail += fmt::format(R"(,"wall":{},"mono":{},"boot":)", clock.wall_ms, clock.mono_ms);
  append_json_string(op.tail, clock.boot);
  op.tail += fmt::format(R"(,"schema":{},"base":{},)", draft.schema, base);
  op.tail += draft.edits;
  op.tail += '}';
  ops_.push_back(std::move(op));
  unsaved_ = true;
  return next_n_ - 1;
}

std::size_t Replica::waiting() const {
  const auto first =
      std::find_if(ops_.begin(), ops_.end(), [this](const OwnOp& op) { return op.n > applied_; });
  return static_cast<std::size_t>(ops_.end() - first);
}

std::vector<std::string> Replica::kept_texts() const {
  std::vector<std::string> texts;
  texts.reserve(ops_.size());
  for (const OwnOp& op : ops_) {
    if (!op.edits.empty()) texts.push_back(op.tail);
  }
  return texts;
}

std::vector<std::uint64_t> Replica::kept_numbers() const {
  std::vector<std::uint64_t> numbers;
  numbers.reserve(ops_.size());
  for (const OwnOp& op : ops_) numbers.push_back(op.n);
  return numbers;
}

std::string Replica::hello(const ClockReading& clock) const {
  std::string out = R"({"hello":{"v":1,"device":)";
  append_json_string(out, device_);
  out += ",\"token\":";
  append_json_string(out, token_);
  out += R"(,"schema":1,"app":"replica","cursor":)";
  append_json_string(out, cursor_);
  out += fmt::format(R"(,"clock":{{"wall":{},"mono":{},"boot":)", clock.wall_ms, clock.mono_ms);
  append_json_string(out, clock.boot);
  out += fmt::format(R"(}},"queued":{},"oldest":0}}}})", waiting());
  return out;
}

std::string Replica::push(std::size_t max_ops) const {
  std::string out = R"({"push":{"ops":[)";
  const std::size_t room = limits::kFrameBytes - 4096;
  std::size_t count = 0;
  for (const OwnOp& op : ops_) {
    if (op.n <= applied_) continue;
    if (count == max_ops || (count > 0 && out.size() + op.tail.size() > room)) break;
    if (count > 0) out += ',';
    out += ReplicaReader::json_of(op);
    ++count;
  }
  if (count == 0) return {};
  out += "]}}";
  return out;
}

std::string Replica::wiped() const {
  return fmt::format(R"({{"wiped":{{"discarded":{}}}}})", discarded_);
}

std::string Replica::pull(std::size_t limit) const {
  std::string out = R"({"pull":{"cursor":)";
  append_json_string(out, cursor_);
  out += fmt::format(R"(,"limit":{}}}}})", limit);
  return out;
}

std::string Replica::exchange(const ClockReading& clock, std::size_t max_ops,
                              std::size_t limit) const {
  std::vector<std::string> frames{hello(clock)};
  if (is_wiped()) {
    frames.push_back(wiped());
    return join_messages(frames);
  }
  std::string ops = push(max_ops);
  if (!ops.empty()) frames.push_back(std::move(ops));
  frames.push_back(pull(limit));
  return join_messages(frames);
}

const HeldRecord* Replica::find(const Key& key) const {
  const auto at = records_.find(key);
  return at == records_.end() ? nullptr : &at->second;
}

Digest Replica::digest(const std::string& scope) const {
  const auto at = digests_.find(scope);
  return at == digests_.end() ? Digest{} : at->second;
}

// --- what the user sees ---------------------------------------------------------------------

namespace {

// The fields of a record, each as canonical JSON.
using Fields = std::map<std::string, std::string>;

std::vector<std::string> elements_of(const std::string& array) {
  std::vector<std::string> elements;
  const auto document = json::parse(array);
  dom::array items;
  if (!document || document->root.get(items) != simdjson::SUCCESS) return elements;
  for (const dom::element item : items) elements.push_back(ReplicaReader::canonical(item));
  return elements;
}

std::string array_of(const std::vector<std::string>& elements) {
  return fmt::format("[{}]", fmt::join(elements, ","));
}

// One field's edit, read before anything else is parsed.
struct FieldEdit {
  std::string kind;
  std::string field;
  std::string value;  // canonical
};

std::vector<FieldEdit> edits_of(const std::string& inside) {
  std::vector<FieldEdit> edits;
  const auto document = json::parse("{" + inside + "}");
  dom::object kinds;
  if (!document || document->root.get(kinds) != simdjson::SUCCESS) return edits;
  for (const auto kind : kinds) {
    dom::object fields;
    if (kind.value.get(fields) != simdjson::SUCCESS) {
      edits.push_back(FieldEdit{std::string(kind.key), {}, ReplicaReader::canonical(kind.value)});
      continue;
    }
    for (const auto field : fields) {
      edits.push_back(FieldEdit{std::string(kind.key), std::string(field.key),
                                ReplicaReader::canonical(field.value)});
    }
  }
  return edits;
}

void lay_over(Fields& fields, const FieldEdit& edit, std::string_view device, std::int64_t wall) {
  std::string& shown = fields[edit.field];
  if (edit.kind == "set") {
    shown = edit.value == "null" ? std::string() : edit.value;
  } else if (edit.kind == "inc") {
    const std::int64_t before = shown.empty() ? 0 : std::strtoll(shown.c_str(), nullptr, 10);
    shown = std::to_string(before + std::strtoll(edit.value.c_str(), nullptr, 10));
  } else if (edit.kind == "add" || edit.kind == "remove") {
    std::vector<std::string> held = shown.empty() ? std::vector<std::string>{} : elements_of(shown);
    for (std::string& element : elements_of(edit.value)) {
      std::erase(held, element);
      if (edit.kind == "add") held.push_back(std::move(element));
    }
    std::sort(held.begin(), held.end());
    shown = held.empty() ? std::string() : array_of(held);
  } else if (edit.kind == "append") {
    std::vector<std::string> held = shown.empty() ? std::vector<std::string>{} : elements_of(shown);
    for (const std::string& entry : elements_of(edit.value)) {
      held.push_back(fmt::format(R"({{"at":{},"by":"{}","v":{}}})", wall, device, entry));
    }
    shown = array_of(held);
  }
  if (shown.empty()) fields.erase(edit.field);
}

}  // namespace

std::optional<std::string> Replica::view(const Key& key) const {
  const HeldRecord* held = find(key);
  bool there = held != nullptr && !held->fields.empty();
  Fields fields;
  if (there) {
    const auto document = json::parse(held->fields);
    dom::object object;
    if (document && document->root.get(object) == simdjson::SUCCESS) {
      for (const auto field : object) {
        fields[std::string(field.key)] = ReplicaReader::canonical(field.value);
      }
    }
  }
  for (const OwnOp& op : ops_) {
    if (!op.shown || op.key != key) continue;
    const auto wall_at = op.tail.find("\"wall\":");
    const std::int64_t wall = std::strtoll(op.tail.c_str() + wall_at + 7, nullptr, 10);
    for (const FieldEdit& edit : edits_of(op.edits)) {
      if (edit.kind == "del") {
        fields.clear();
        there = false;
      } else if (!edit.field.empty()) {
        lay_over(fields, edit, device_, wall);
        there = true;
      }
    }
  }
  if (!there) return std::nullopt;
  std::string out = "{";
  for (const auto& [name, value] : fields) {
    if (out.size() > 1) out += ',';
    append_json_string(out, name);
    out += ':';
    out += value;
  }
  return out + "}";
}

// --- the durable state ------------------------------------------------------------------------

std::string Replica::save() const {
  std::string out = "{\"device\":";
  const auto text = [&out](std::string_view key, std::string_view value) {
    out += fmt::format(",\"{}\":", key);
    append_json_string(out, value);
  };
  append_json_string(out, device_);
  text("token", token_);
  text("incarnation", incarnation_);
  text("role", role_);
  text("cursor", cursor_);
  out += fmt::format(R"(,"next_n":{},"applied":{},"backed_up":{},"more":{},"scopes":)", next_n_,
                     applied_, backed_up_ ? std::to_string(*backed_up_) : "null", more_);
  append_string_array(out, scopes_);
  if (wiping_ != Wiping::kNo) {
    out += fmt::format(R"(,"wiping":{},"discarded":{})", static_cast<int>(wiping_), discarded_);
  }
  out += ",\"held_up_to\":{";
  for (const auto& [scope, seq] : digest_seqs_) {
    if (out.back() != '{') out += ',';
    append_json_string(out, scope);
    out += fmt::format(":{}", seq);
  }
  out += "},\"records\":[";
  const auto name = [&out](const Key& key) {
    out += out.back() == '[' ? "[" : ",[";
    append_json_string(out, std::get<0>(key));
    out += ',';
    append_json_string(out, std::get<1>(key));
    out += ',';
    append_json_string(out, std::get<2>(key));
  };
  for (const auto& [key, record] : records_) {
#ifdef WS_BROKEN_VARIANTS
    if (broken(Broken::kCursorEarly) &&
        std::find(last_changed_.begin(), last_changed_.end(), key) != last_changed_.end()) {
      continue;
    }
#endif
    name(key);
    out += fmt::format(",{},{},{}]", record.seq, record.conflicts,
                       record.fields.empty() ? "null" : record.fields);
  }
  out += "],\"ops\":[";
  for (const OwnOp& op : ops_) {
    name(op.key);
    out += ',';
    append_json_string(out, op.edits);
    out += ',';
    append_json_string(out, op.tail);
    out += fmt::format(",{},{},{},{}]", op.n, op.seq, op.shown, op.fades);
  }
  out += "]}";
  return out;
}

namespace {

// Reads the items of a saved array one after the other; `fine` becomes false where one is missing
// or of another type.
class SavedItems {
 public:
  SavedItems(dom::element element, bool& fine) : fine_(fine) {
    if (element.get(items_) != simdjson::SUCCESS) fine_ = false;
  }
  std::string text() {
    std::string_view value;
    if (const auto item = next(); !item || item->get(value) != simdjson::SUCCESS) fine_ = false;
    return std::string(value);
  }
  std::int64_t number() {
    const auto item = next();
    const auto value = item ? json::integer(*item) : std::nullopt;
    if (!value) fine_ = false;
    return value.value_or(0);
  }
  bool flag() {
    bool value = false;
    if (const auto item = next(); !item || item->get(value) != simdjson::SUCCESS) fine_ = false;
    return value;
  }
  // Empty for null.
  std::string canonical() {
    const auto item = next();
    if (!item) fine_ = false;
    return !item || item->is_null() ? std::string() : ReplicaReader::canonical(*item);
  }
  Replica::Key key() {
    std::string scope = text();
    std::string coll = text();
    return Replica::Key{std::move(scope), std::move(coll), text()};
  }

 private:
  std::optional<dom::element> next() {
    if (!fine_ || at_ >= items_.size()) return std::nullopt;
    return items_.at(at_++).value();
  }

  bool& fine_;
  dom::array items_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Replica> Replica::load(std::string_view saved) {
  const Error wrong{Code::kInputInvalid, "not the saved state of a device"};
  // A parser of its own: a saved state is as large as what the device holds, not as one frame.
  dom::parser parser;
  dom::object root;
  if (parser.parse(saved.data(), saved.size()).get(root) != simdjson::SUCCESS) return wrong;
  Replica replica(ReplicaReader::text(root, "device"), ReplicaReader::text(root, "token"));
  replica.incarnation_ = ReplicaReader::text(root, "incarnation");
  replica.role_ = ReplicaReader::text(root, "role");
  replica.cursor_ = ReplicaReader::text(root, "cursor");
  replica.next_n_ = static_cast<std::uint64_t>(ReplicaReader::number(root, "next_n"));
  replica.applied_ = static_cast<std::uint64_t>(ReplicaReader::number(root, "applied"));
  replica.more_ = ReplicaReader::flag(root, "more");
  const std::int64_t wiping = ReplicaReader::number(root, "wiping");
  if (wiping < 0 || wiping > static_cast<std::int64_t>(Wiping::kConfirmed)) return wrong;
  replica.wiping_ = static_cast<Wiping>(wiping);
  replica.discarded_ = static_cast<std::uint64_t>(ReplicaReader::number(root, "discarded"));
  const auto backed_up = json::find(root, "backed_up");
  if (backed_up && !backed_up->is_null()) {
    replica.backed_up_ = static_cast<std::uint64_t>(ReplicaReader::number(root, "backed_up"));
  }
  const auto scopes = ReplicaReader::array(root, "scopes");
  const auto records = ReplicaReader::array(root, "records");
  const auto ops = ReplicaReader::array(root, "ops");
  dom::object held;
  const auto held_up_to = json::find(root, "held_up_to");
  if (replica.next_n_ == 0 || !scopes || !records || !ops || !held_up_to ||
      held_up_to->get(held) != simdjson::SUCCESS) {
    return wrong;
  }
  bool fine = true;
  for (const dom::element scope : *scopes) {
    std::string_view name;
    fine = fine && scope.get(name) == simdjson::SUCCESS;
    replica.scopes_.emplace_back(name);
  }
  for (const auto item : held) {
    replica.digest_seqs_[std::string(item.key)] = json::integer(item.value).value_or(0);
  }
  for (const dom::element row : *records) {
    SavedItems items(row, fine);
    const Key key = items.key();
    HeldRecord record;
    record.seq = items.number();
    record.conflicts = static_cast<std::size_t>(items.number());
    record.fields = items.canonical();
    if (!record.fields.empty()) {
      record.part =
          digest_of_record(std::get<0>(key), std::get<1>(key), std::get<2>(key), record.fields);
    }
    replica.set_record(key, std::move(record));
  }
  for (const dom::element row : *ops) {
    SavedItems items(row, fine);
    OwnOp op;
    op.key = items.key();
    op.edits = items.text();
    op.tail = items.text();
    op.n = static_cast<std::uint64_t>(items.number());
    op.seq = items.number();
    op.shown = items.flag();
    op.fades = items.flag();
    replica.ops_.push_back(std::move(op));
  }
  if (!fine) return wrong;
  return replica;
}

Status Replica::receive(std::string_view frame) {
  auto document = json::parse(frame);
  if (!document) return document.error();
  dom::object root;
  if (document->root.get(root) != simdjson::SUCCESS) return ReplicaReader::wrong("frame");
  ReplicaReader reader{*this};
  for (const auto message : root) {
    dom::object body;
    if (message.value.get(body) != simdjson::SUCCESS) return ReplicaReader::wrong(message.key);
    Status taken;
    if (message.key == "welcome") taken = reader.welcome(body);
    if (message.key == "wipe") taken = reader.wipe(body);
    if (message.key == "wiped") taken = reader.wiped();
    if (message.key == "receipt") taken = reader.receipt(body);
    if (message.key == "changes") taken = reader.changes(body);
    if (message.key == "busy") {
      taken = Error{Code::kBusy, std::to_string(ReplicaReader::number(body, "retry_after_ms"))};
    }
    if (message.key == "error") {
      taken = Error{Code::kIo, fmt::format("{}: {}", ReplicaReader::text(body, "code"),
                                           ReplicaReader::text(body, "detail"))};
    }
    if (!taken) return taken;
  }
  return {};
}

}  // namespace waystation

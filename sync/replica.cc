#include "sync/replica.h"

#include <fmt/format.h>

#include <algorithm>

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
    const auto applied = static_cast<std::uint64_t>(number(message, "applied"));
    if (replica.incarnation_ == incarnation || replica.incarnation_.empty()) {
      cover(applied);
    } else {
      replica.applied_ = applied;  // another life of the store: hand in again what is still held
    }
    replica.incarnation_ = incarnation;
    // A device that was set up anew goes on from the server's number.
    replica.next_n_ = std::max(replica.next_n_, applied + 1);
    return {};
  }

  void cover(std::uint64_t applied) {
    replica.applied_ = std::max(replica.applied_, applied);
    while (!replica.queue_.empty() && replica.queue_.front().n <= applied) {
      replica.queue_.pop_front();
    }
  }

  void verdict(dom::element element, dom::object result) {
    const auto n = static_cast<std::uint64_t>(number(result, "n"));
    if (replica.keep_verdicts_) {
      const std::string seen = canonical(element);
      const auto [at, fresh] = replica.verdicts_.emplace(n, seen);
      if (!fresh && at->second != seen) ++replica.verdict_faults_;
    }
    if (n <= replica.applied_) return;  // told before
    if (const auto lost = array(result, "lost")) replica.lost_values_ += lost->size();
    const auto refused = json::find(result, "refused");
    dom::object refusal;
    if (refused && refused->get(refusal) == simdjson::SUCCESS) {
      RefusedOp kept{n, text(refusal, "code"), {}};
      const auto at = std::find_if(replica.queue_.begin(), replica.queue_.end(),
                                   [&](const auto& waiting) { return waiting.n == n; });
      if (at != replica.queue_.end()) kept.op = at->json;
      replica.refused_.push_back(std::move(kept));
    }
  }

  Status receipt(dom::object message) {
    const auto results = array(message, "results");
    if (!results) return wrong("receipt");
    for (const dom::element result : *results) {
      dom::object object;
      if (result.get(object) != simdjson::SUCCESS) return wrong("receipt");
      verdict(result, object);
    }
    cover(static_cast<std::uint64_t>(number(message, "applied")));
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
    replica.set_record(key, std::move(record));
    return {};
  }

  Status changes(dom::object message) {
    const auto items = array(message, "changes");
    if (!items) return wrong("changes");
    if (flag(message, "reset")) {
      replica.records_.clear();
      replica.digests_.clear();
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
    return {};
  }

  void check_digest(dom::object item) {
    const std::string scope = text(item, "scope");
    ++replica.digests_checked_;
    if (replica.digest(scope).hex() != text(item, "digest"))
      replica.digest_faults_.push_back(scope);
  }
};

void Replica::set_record(const Key& key, HeldRecord record) {
  Digest& sum = digests_[std::get<0>(key)];
  HeldRecord& held = records_[key];
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
}

std::uint64_t Replica::edit(const Draft& draft, const ClockReading& clock) {
  const HeldRecord* held = find(Key{draft.scope, draft.coll, draft.id});
  std::string json = fmt::format(R"({{"n":{},"scope":)", next_n_);
  append_json_string(json, draft.scope);
  json += ",\"coll\":";
  append_json_string(json, draft.coll);
  json += ",\"id\":";
  append_json_string(json, draft.id);
  json += fmt::format(R"(,"wall":{},"mono":{},"boot":)", clock.wall_ms, clock.mono_ms);
  append_json_string(json, clock.boot);
  json += fmt::format(R"(,"schema":1,"base":{},)", held == nullptr ? 0 : held->seq);
  json += draft.edits;
  json += '}';
  queue_.push_back(Waiting{next_n_, std::move(json)});
  return next_n_++;
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
  out += fmt::format(R"(}},"queued":{},"oldest":0}}}})", queue_.size());
  return out;
}

std::string Replica::push(std::size_t max_ops) const {
  if (queue_.empty()) return {};
  std::string out = R"({"push":{"ops":[)";
  const std::size_t room = limits::kFrameBytes - 4096;
  for (std::size_t i = 0; i < std::min(max_ops, queue_.size()); ++i) {
    if (i > 0 && out.size() + queue_[i].json.size() > room) break;
    if (i > 0) out += ',';
    out += queue_[i].json;
  }
  out += "]}}";
  return out;
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

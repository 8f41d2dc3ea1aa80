#include "tools/simulate/device.h"

#include <fmt/format.h>

#include <algorithm>

#include "sync/broken.h"
#include "sync/device_id.h"
#include "sync/limits.h"

namespace waystation::simulate {
namespace {

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

}  // namespace

Device::Device(std::string name, std::string token)
    : replica(std::move(name), std::move(token)), saved_(replica) {
  id_ = parse_device_id(replica.device()).value_or(0);
}

void Device::edit(const Draft& draft, std::int64_t true_ms) {
  replica.edit(draft, clocks.read(true_ms));
  ++edits;
  edited_ms = true_ms;
}

void Device::save() {
  replica.saved();
  saved_ = replica;
}

void Device::crash() {
  hangs_up();
  const std::string saved = saved_.save();
  auto loaded = Replica::load(saved);
  WS_CHECK(loaded.ok());
  WS_CHECK(broken(Broken::kCursorEarly) || loaded->save() == saved);
  replica = std::move(*loaded);
  saved_ = replica;
}

void Device::enrolled_anew(std::string name, std::string token) {
  hangs_up();
  replica.enrolled_anew(std::move(name), std::move(token));
  save();
  id_ = parse_device_id(replica.device()).value_or(0);
  unknown = false;
}

void Device::hangs_up() {
  if (socket != nullptr) socket->device_closes();
  socket.reset();
  post = 0;
  hello_sent_ = greeted_ = push_out_ = pull_out_ = pulled_ = wiped_out_ = false;
}

void Device::obey() {
  if (!replica.must_wipe()) return;
  replica.wipe();
  save();
}

bool Device::settled() const {
  return replica.waiting() == 0 && !replica.more() && !push_out_ && !pull_out_ && post == 0;
}

std::vector<std::string> Device::safe_ops() const {
  const std::vector<std::string> saved = saved_.kept_texts();
  std::vector<std::string> safe;
  for (std::string& text : replica.kept_texts()) {
    if (std::find(saved.begin(), saved.end(), text) != saved.end()) safe.push_back(text);
  }
  return safe;
}

std::set<std::uint64_t> Device::safe_numbers() const {
  const std::vector<std::uint64_t> saved = saved_.kept_numbers();
  const std::set<std::uint64_t> durable(saved.begin(), saved.end());
  std::set<std::uint64_t> safe;
  for (const std::uint64_t n : replica.kept_numbers()) {
    if (durable.count(n) != 0) safe.insert(n);
  }
  return safe;
}

std::string Device::next_frame(Random& random, std::size_t max_ops, std::size_t page,
                               std::int64_t true_ms) {
  std::vector<std::string> messages;
  if (!hello_sent_) {
    messages.push_back(replica.hello(clocks.read(true_ms)));
    hello_sent_ = true;
    if (random.chance(500)) return messages[0];
  } else if (!greeted_) {
    return {};
  }
  if (replica.is_wiped()) {
    if (!wiped_out_) messages.push_back(replica.wiped());
    wiped_out_ = true;
    return messages.empty() ? std::string() : join_messages(messages);
  }
  if (!push_out_ && replica.waiting() > 0) {
    if (replica.unsaved()) save();
    messages.push_back(replica.push(max_ops));
    push_out_ = true;
  }
  if (!pull_out_ && (!pulled_ || replica.more()) && random.chance(700)) {
    messages.push_back(replica.pull(page));
    pull_out_ = true;
  }
  if (messages.empty()) return {};
  return messages.size() == 1 ? messages[0] : join_messages(messages);
}

std::string Device::exchange(std::size_t max_ops, std::size_t page, std::int64_t true_ms) {
  if (replica.unsaved()) save();
  return replica.exchange(clocks.read(true_ms), max_ops, page);
}

void Device::hears(std::string_view text, std::int64_t true_ms, Findings& findings) {
  const bool busy = starts_with(text, "{\"busy\"");
  const bool error = starts_with(text, "{\"error\"");
  const Status taken = replica.receive(text);
  // One that is shut out is told to wipe itself in place of a welcome.
  if (starts_with(text, "{\"welcome\"") || starts_with(text, "{\"wipe\"")) greeted_ = true;
  if (replica.gone()) revoked = true;
  if (starts_with(text, "{\"receipt\"")) push_out_ = false;
  if (starts_with(text, "{\"changes\"")) {
    pull_out_ = false;
    pulled_ = !replica.more();
  }
  if (!taken) {
    const std::string& what = taken.error().context;
    if (taken.error().code == Code::kBusy) {
      hears_problem("busy", std::strtoll(what.c_str(), nullptr, 10), true_ms, findings);
    } else if (taken.error().code == Code::kIo) {
      hears_problem(what.substr(0, what.find(':')), 0, true_ms, findings);
    } else {
      findings.report(11, "what the server sends can be read", what + ": " + std::string(text));
    }
  }
  if (busy || error) {
    push_out_ = pull_out_ = wiped_out_ = false;
    if (!greeted_) hello_sent_ = false;
  }
  check(findings);
}

void Device::hears_problem(std::string_view code, std::int64_t retry_after_ms, std::int64_t true_ms,
                           Findings& findings) {
  if (code == "auth.revoked") {
    revoked = !replica.must_wipe();
    if (!revoked) hangs_up();
  } else if (code == "device.changed") {
    greeted_ = false;  // the line is closed; it says hello again
  } else if (code == "auth.unknown_device" || code == "auth.bad_token") {
    unknown = true;
  } else if (code == "busy") {
    wait_until_ms = true_ms + retry_after_ms;
  } else if (code == "store.read_only" || code == "io" || code == "auth.required") {
    wait_until_ms = true_ms + 1000;  // the server's disk has failed, or hello came late
  } else {
    findings.report(11, "a device that keeps to the protocol gets no such error",
                    fmt::format("{} for {}", code, name()));
  }
}

// What a device can tell by itself.
void Device::check(Findings& findings) {
  if (replica.verdict_faults() != 0) {
    findings.report(2, name() + " hears one verdict for an op, word for word", "another one");
  }
  if (replica.applied_faults() != 0) {
    findings.report(1, name() + " is not told less than before in one incarnation", "it was");
  }
  if (replica.seq_faults() != 0) {
    findings.report(5, name() + " never sees a record go back", "a change with a lower seq came");
  }
  if (!replica.digest_faults().empty()) {
    findings.report(3, name() + " holds what the server's digest says",
                    "another digest for scope " + replica.digest_faults().front());
  }
}

}  // namespace waystation::simulate

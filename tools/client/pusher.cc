#include "tools/client/pusher.h"

#include <fmt/format.h>

#include <chrono>
#include <fstream>

#include "sync/canonical.h"
#include "sync/limits.h"
#include "tools/json_view.h"

namespace waystation {
namespace {

constexpr std::size_t kFrameHead = 4096;  // hello and brackets, and then some

template <typename Clock>
std::int64_t ms_of() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch())
      .count();
}

std::string this_boot() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string boot;
  return in >> boot && boot.size() <= limits::kBootBytes ? boot : "unknown";
}

std::string clock_members(const std::string& boot) {
  std::string out =
      fmt::format(R"("wall":{},"mono":{},"boot":)", ms_of<std::chrono::system_clock>(),
                  ms_of<std::chrono::steady_clock>());
  append_json_string(out, boot);
  return out;
}

}  // namespace

Pusher::Pusher(Exchange& exchange, Enrolled device, std::string app)
    : exchange_(exchange), device_(std::move(device)), app_(std::move(app)), boot_(this_boot()) {}

std::string Pusher::hello(std::size_t queued) const {
  std::string out = R"("hello":{"v":1,"schema":1,"device":)";
  append_json_string(out, device_.device);
  out += ",\"token\":";
  append_json_string(out, device_.token);
  out += ",\"app\":";
  append_json_string(out, app_);
  return out + fmt::format(R"(,"queued":{},"clock":{{{}}}}})", queued, clock_members(boot_));
}

std::string Pusher::op(const OpDraft& draft, std::uint64_t n) const {
  std::string out = fmt::format(R"({{"n":{},"scope":)", n);
  append_json_string(out, draft.scope);
  out += ",\"coll\":";
  append_json_string(out, draft.coll);
  out += ",\"id\":";
  append_json_string(out, draft.id);
  if (draft.schema != 0) out += fmt::format(R"(,"schema":{})", draft.schema);
  return out + fmt::format(R"(,{},"base":{},{}}})", clock_members(boot_), draft.base, draft.edits);
}

Status Pusher::greet() {
  const auto reply = exchange_.sync("{" + hello(0) + "}");
  if (!reply) return reply.error();
  const auto text = canonicalize(*reply);
  if (!text) return text.error();
  const JsonObject welcome(JsonObject(*text).raw("welcome"));
  if (welcome.raw("applied").empty()) return Error{Code::kIo, "the server's welcome is damaged"};
  next_n_ = static_cast<std::uint64_t>(welcome.number("applied")) + 1;
  return {};
}

Status Pusher::send(const std::string& ops, std::size_t count, std::size_t queued,
                    std::vector<OpVerdict>& verdicts) {
  const auto reply =
      exchange_.sync(fmt::format(R"({{{},"push":{{"ops":[{}]}}}})", hello(queued), ops));
  if (!reply) return reply.error();
  const auto text = canonicalize(*reply);
  if (!text) return text.error();
  const JsonObject receipt(JsonObject(*text).raw("receipt"));
  const auto results = json_items(receipt.raw("results"));
  if (results.size() != count) {
    return Error{Code::kIo, fmt::format("{} verdicts came for {} ops: does another program use the "
                                        "device {}?",
                                        results.size(), count, device_.device)};
  }
  for (const std::string_view result : results) {
    const JsonObject object(result);
    const JsonObject refused(object.raw("refused"));
    OpVerdict verdict{refused.text("code"),
                      refused.text("detail"),
                      static_cast<std::uint64_t>(object.number("n")),
                      {},
                      std::string(result)};
    for (const auto field : json_items(object.raw("lost"))) {
      verdict.lost.push_back(json_plain(field));
    }
    verdicts.push_back(std::move(verdict));
  }
  next_n_ += count;
  return {};
}

Result<std::vector<OpVerdict>> Pusher::push(const std::vector<OpDraft>& drafts) {
  WS_CHECK(next_n_ > 0);
  std::vector<OpVerdict> verdicts;
  std::string ops;
  std::size_t count = 0;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    std::string next = op(drafts[i], next_n_ + count);
    const bool full =
        count == limits::kOpsPerPush || ops.size() + next.size() + kFrameHead > limits::kFrameBytes;
    if (full && count > 0) {
      if (auto sent = send(ops, count, drafts.size() - i, verdicts); !sent) return sent.error();
      ops.clear();
      count = 0;  // next_n_ has moved on by it: the op keeps its number
    }
    if (count > 0) ops += ',';
    ops += next;
    ++count;
  }
  if (count > 0) {
    if (auto sent = send(ops, count, 0, verdicts); !sent) return sent.error();
  }
  return verdicts;
}

}  // namespace waystation

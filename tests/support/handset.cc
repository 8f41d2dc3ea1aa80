#include "tests/support/handset.h"

#include <gtest/gtest.h>

#include "storage/pull.h"
#include "sync/device_id.h"

namespace waystation::testing {

Handset::Handset(World& of, const std::vector<std::string>& scopes)
    : world(&of), device(of.enroll(scopes)), replica(format_device_id(device), "secret") {
  save();
}

ClockReading Handset::clock() const {
  return {world->now + clock_error_ms, world->now - kStart, "boot 1"};
}

std::uint64_t Handset::edit(const std::string& edits, const std::string& coll,
                            const std::string& id, const std::string& scope) {
  return replica.edit({scope, coll, id, edits, schema}, clock());
}

std::vector<std::string> Handset::asks(const std::string& text) {
  std::vector<std::string> answers;
  auto frame = decode_frame(text);
  EXPECT_TRUE(frame.ok()) << text;
  if (!frame) return answers;
  if (frame->hello || frame->push) {
    ExchangeRequest request;
    request.device = device;
    request.hello = std::move(frame->hello);
    request.push = std::move(frame->push);
    if (request.hello) request.hello->received_ms = world->now;
    if (request.push) {
      for (Op& op : request.push->ops) schemas().admit(op);
    }
    bool refused = false;
    request.done = [&](Result<ExchangeRequest::Reply> reply) {
      refused = !reply.ok();
      if (refused) return answers.push_back(encode_error(reply.error()));
      if (!reply->welcome.empty()) answers.push_back(std::move(reply->welcome));
      if (!reply->receipt.empty()) answers.push_back(std::move(reply->receipt));
    };
    std::vector<Request> group;
    group.emplace_back(std::move(request));
    world->apply(group);
    if (refused) return answers;
  }
  if (frame->pull) {
    const auto page = pull(world->store(), device, frame->pull->cursor, frame->pull->limit);
    answers.push_back(page ? encode_changes(page->head, page->items) : encode_error(page.error()));
  }
  return answers;
}

bool Handset::hears(const std::vector<std::string>& answers) {
  bool all = true;
  for (const std::string& answer : answers) all = replica.receive(answer).ok() && all;
  return all;
}

bool Handset::sync(std::size_t page) {
  // Enough for all that a test writes; who asks for more asks for ever.
  for (int round = 0; round < 1000; ++round) {
    if (!hears(asks(replica.exchange(clock(), 1000, page)))) return false;
    if (replica.waiting() == 0 && !replica.more()) {
      EXPECT_TRUE(replica.digest_faults().empty());
      EXPECT_EQ(replica.seq_faults() + replica.applied_faults() + replica.verdict_faults(), 0U);
      return true;
    }
  }
  ADD_FAILURE() << "it is never done";
  return false;
}

void Handset::dies() {
  auto loaded = Replica::load(saved_);
  ASSERT_TRUE(loaded.ok());
  replica = std::move(*loaded);
}

std::string Handset::shows(const std::string& coll, const std::string& id,
                           const std::string& scope) const {
  return replica.view({scope, coll, id}).value_or("nothing");
}

std::string Handset::changes_of(const std::vector<std::string>& answers) {
  std::string all;
  for (const std::string& answer : answers) {
    if (answer.starts_with("{\"changes\"")) all += answer;
  }
  return all;
}

}  // namespace waystation::testing

// A server whose queues are full: many phones make their first sync at once.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "server/service.h"
#include "storage/memory_kv.h"
#include "sync/limits.h"
#include "sync/replica.h"
#include "sync/wire.h"
#include "tests/support/json.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

using ::testing::HasSubstr;

class BusyServer : public ::testing::Test {
 protected:
  BusyServer() {
    Surroundings around;
    around.now_ms = [] { return kStart; };
    around.threads = Threads::kStepped;
    around.schemas = std::make_shared<const Schemas>(schemas());
    auto opened = Service::over(std::make_unique<MemoryKv>(), {}, "admin", std::move(around));
    service = std::move(*opened);
    const JsonText code(call("/v1/codes", R"({"scopes":["*"]})").body);
    const JsonText enrolled(
        call("/v1/enroll", fmt::format(R"({{"code":"{}","request":"0123456789abcdef"}})",
                                       text_of(code.root(), "code")))
            .body);
    phone.emplace(text_of(enrolled.root(), "device"), text_of(enrolled.root(), "token"));
  }
  ~BusyServer() override { service->abandon(); }

  // Steps the writer, and the readers where they have time for it.
  ApiReply call(const std::string& path, const std::string& body, bool readers = true) {
    std::optional<ApiReply> reply;
    service->api({"POST", path, {}, "admin", body},
                 [&](ApiReply answer) { reply = std::move(answer); });
    while (!reply && (service->step_writer() || (readers && service->step_reader()))) {
    }
    return reply.value_or(ApiReply{0, "no answer", false, 0});
  }
  void keep_the_readers_busy() {
    const auto device = service->store().accounts().all().front()->device;
    for (std::size_t i = 0; i < limits::kReaderQueue; ++i) {
      service->pull_page(device, Pull{"", 1000}, [](const Result<PullPage>&) {});
    }
  }

  std::unique_ptr<Service> service;
  std::optional<Replica> phone;
  const ClockReading clock{kStart, 0, "b1"};
};

TEST_F(BusyServer, F5_AnswersWithATimeToComeBackThatDiffersFromClientToClient) {
  keep_the_readers_busy();
  std::set<std::int64_t> times;
  for (int i = 0; i < 20; ++i) {
    const ApiReply reply = call("/v1/sync", phone->exchange(clock, 10, 100), false);
    EXPECT_EQ(reply.status, 503);
    EXPECT_THAT(reply.body, HasSubstr(R"("busy")"));
    EXPECT_GE(reply.retry_after_ms, 500);
    EXPECT_LE(reply.retry_after_ms, 2500);
    times.insert(reply.retry_after_ms);
  }
  EXPECT_GT(times.size(), 10U);
  // And when it is not busy any more, it serves.
  while (service->step_reader()) {
  }
  EXPECT_EQ(call("/v1/sync", phone->exchange(clock, 10, 100)).status, 200);
}

TEST_F(BusyServer, F5_TakesWhatIsPushedWhilePullsWait) {
  keep_the_readers_busy();
  phone->edit({"t", "scope", "t", R"("set":{"kind":"community"})"}, clock);
  const ApiReply reply = call("/v1/sync", phone->exchange(clock, 10, 100), false);
  EXPECT_THAT(reply.body, HasSubstr(R"("receipt":{"applied":1)"));
  EXPECT_FALSE(phone->receive(reply.body).ok());  // the pull is to be asked for again
  EXPECT_EQ(phone->waiting(), 0U);
}

// What waits is bounded by its size too: a few ops with very many values are as much as very many.
TEST_F(BusyServer, WeighsWhatWaitsByItsSize) {
  std::string values = "0";
  for (int i = 1; i < 1000; ++i) values += ",0";
  std::string fields;
  for (int i = 0; i < 200; ++i)
    fields += fmt::format("{}\"f{}\":[{}]", i == 0 ? "" : ",", i, values);
  const std::string push = fmt::format(
      R"({{"push":{{"ops":[{{"n":1,"scope":"t","coll":"note","id":"n1","wall":0,"mono":0,"boot":"b",)"
      R"("append":{{{}}}}}]}}}})",
      fields);
  const auto device = service->store().accounts().all().front()->device;
  std::size_t taken = 0;
  for (bool busy = false; !busy && taken < 100; ++taken) {
    auto frame = decode_frame(push);
    ASSERT_TRUE(frame.ok());
    service->exchange(device, std::move(*frame), [&](const Result<ExchangeRequest::Reply>& reply) {
      busy = !reply && reply.error().code == Code::kBusy;
    });
  }
  EXPECT_GT(taken, 2U);
  EXPECT_LT(taken, 20U);
}

}  // namespace
}  // namespace waystation::testing

// The service under many threads at once, over the in-memory store, so that ThreadSanitizer sees
// every lock: I/O threads that push and pull, the writer, the readers, the fan-out and its sinks.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "server/service.h"
#include "storage/memory_kv.h"
#include "sync/replica.h"
#include "tools/client/http_client.h"

namespace waystation {
namespace {

constexpr char kAdminToken[] = "an-administrators-token-for-the-test";

ApiReply call(Service& service, const std::string& path, const std::string& bearer,
              const std::string& body) {
  std::promise<ApiReply> promise;
  ApiRequest request;
  request.method = "POST";
  request.path = path;
  request.bearer = bearer;
  request.body = body;
  service.api(std::move(request),
              [&promise](ApiReply reply) { promise.set_value(std::move(reply)); });
  return promise.get_future().get();
}

std::unique_ptr<Service> make_service() {
  auto service = Service::over(std::make_unique<MemoryKv>(), Config{}, kAdminToken);
  EXPECT_TRUE(service.ok()) << (service.ok() ? "" : service.error().context);
  return std::move(*service);
}

std::unique_ptr<Replica> enroll(Service& service, const std::string& scope) {
  const ApiReply code =
      call(service, "/v1/codes", kAdminToken, fmt::format(R"({{"scopes":["{}"]}})", scope));
  const ApiReply enrolled = call(
      service, "/v1/enroll", "",
      fmt::format(R"({{"code":"{}","request":"0123456789abcdef"}})", json_text(code.body, "code")));
  EXPECT_EQ(enrolled.status, 200) << enrolled.body;
  return std::make_unique<Replica>(json_text(enrolled.body, "device"),
                                   json_text(enrolled.body, "token"));
}

ClockReading clock_now() { return ClockReading{now_ms(), now_ms() - 1'700'000'000'000, "boot"}; }

// One POST /v1/sync of what waits, and a pull.
Status exchange(Service& service, Replica& replica) {
  const ApiReply reply = call(service, "/v1/sync", "", replica.exchange(clock_now(), 50, 100));
  return replica.receive(reply.body);
}

Status settle(Service& service, Replica& replica) {
  do {
    if (auto done = exchange(service, replica); !done) return done;
  } while (replica.waiting() > 0 || replica.more());
  return {};
}

// A live reader that reads at once.
class CountingSink final : public LiveSink {
 public:
  explicit CountingSink(Fanout& fanout) : fanout_(fanout) {}
  void deliver(Frame frame, std::uint64_t) override {
    bytes += frame->size();
    ++frames;
    fanout_.written(id);
  }
  void shut_out(Code) override { ++shut_outs; }

  std::atomic<Fanout::Id> id = 0;
  std::atomic<std::size_t> bytes = 0;
  std::atomic<std::size_t> frames = 0;
  std::atomic<std::size_t> shut_outs = 0;

 private:
  Fanout& fanout_;
};

TEST(ServiceThreads, DevicesThatPushPullAndWatchAtOnceEndInTheSameState) {
  const auto service = make_service();
  const auto office = enroll(*service, "*");
  office->edit(Draft{"s", "scope", "s", R"("set":{"title":"站","kind":"station"})"}, clock_now());
  ASSERT_TRUE(settle(*service, *office).ok());

  std::vector<std::unique_ptr<Replica>> devices;
  std::vector<std::shared_ptr<CountingSink>> sinks;
  for (int i = 0; i < 6; ++i) {
    devices.push_back(enroll(*service, "s"));
    const auto sink = std::make_shared<CountingSink>(service->fanout());
    const auto account = service->authenticate(devices.back()->device(), devices.back()->token());
    ASSERT_TRUE(account.ok());
    sink->id = service->fanout().attach(sink, (*account)->device);
    service->fanout().go_live(sink->id, 0, 1);
    sinks.push_back(sink);
  }
  std::vector<std::thread> threads;
  for (auto& device : devices) {
    threads.emplace_back([&service, raw = device.get()] {
      for (int round = 0; round < 20; ++round) {
        raw->edit(Draft{"s", "note", fmt::format("n{}", round % 4),
                        fmt::format(R"("set":{{"text":"{}"}})", round)},
                  clock_now());
        raw->edit(Draft{"s", "station_day", "s~2026-01-01", R"("inc":{"water":1})"}, clock_now());
        EXPECT_TRUE(exchange(*service, *raw).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  for (auto& device : devices) ASSERT_TRUE(settle(*service, *device).ok());
  for (auto& device : devices) {
    EXPECT_TRUE(device->digest_faults().empty());
    EXPECT_EQ(device->digest("s"), devices[0]->digest("s"));
    const HeldRecord* day = device->find({"s", "station_day", "s~2026-01-01"});
    ASSERT_NE(day, nullptr);
    EXPECT_EQ(day->fields, R"({"water":120})");
  }
  for (const auto& sink : sinks) {
    for (int i = 0; i < 500 && sink->frames == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_GT(sink->frames, 0U);
    service->fanout().detach(sink->id);
  }
}

TEST(ServiceThreads, AShutOutDeviceIsToldOnItsLiveConnection) {
  const auto service = make_service();
  const auto device = enroll(*service, "*");
  const auto account = service->authenticate(device->device(), device->token());
  ASSERT_TRUE(account.ok());
  const auto sink = std::make_shared<CountingSink>(service->fanout());
  sink->id = service->fanout().attach(sink, (*account)->device);
  EXPECT_EQ(call(*service, "/v1/devices/" + device->device() + "/revoke", kAdminToken, "").status,
            200);
  for (int i = 0; i < 500 && sink->shut_outs == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(sink->shut_outs, 1U);
  EXPECT_EQ(service->authenticate(device->device(), device->token()).error().code,
            Code::kAuthRevoked);
  service->fanout().detach(sink->id);
}

TEST(ServiceThreads, EveryRequestIsAnsweredOnceWhenTheServiceEndsUnderLoad) {
  const auto service = make_service();
  const auto device = enroll(*service, "*");
  std::atomic<int> answers = 0;
  std::atomic<int> asked = 0;
  std::atomic<bool> go_on = true;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (go_on) {
        ApiRequest request;
        request.method = "POST";
        request.path = "/v1/sync";
        request.body = device->exchange(clock_now(), 10, 10);
        ++asked;
        service->api(std::move(request), [&answers](const ApiReply&) { ++answers; });
        std::this_thread::yield();
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  service->drain();
  go_on = false;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answers, asked);
}

}  // namespace
}  // namespace waystation

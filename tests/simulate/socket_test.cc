// The simulated line between a device and the production connection.
#include "tools/simulate/socket.h"

#include <gtest/gtest.h>

#include "storage/memory_kv.h"
#include "sync/replica.h"
#include "tools/simulate/clocks.h"

namespace waystation::simulate {
namespace {

constexpr char kAdminToken[] = "an-administrators-token-for-the-test";

class Line : public ::testing::Test {
 protected:
  Line() {
    Surroundings around;
    around.threads = Threads::kStepped;
    around.now_ms = [] { return kStartMs; };
    around.random = [this](std::span<unsigned char> bytes) {
      for (unsigned char& byte : bytes) byte = next_byte_++;
    };
    auto made = Service::over(std::make_unique<MemoryKv>(), Config{}, kAdminToken, around);
    service = std::move(*made);
    const std::string code =
        text_of(call("/v1/codes", kAdminToken, R"({"scopes":["*"],"role":"office"})"), "code");
    const std::string enrolled =
        call("/v1/enroll", "", R"({"code":")" + code + R"(","request":"0123456789abcdef"})");
    phone = std::make_unique<Replica>(text_of(enrolled, "device"), text_of(enrolled, "token"));
    socket = Socket::open(*service, step);
  }
  ~Line() override { socket->kill(); }

  std::string call(const std::string& path, const std::string& bearer, const std::string& body) {
    ApiRequest request;
    request.method = "POST";
    request.path = path;
    request.bearer = bearer;
    request.body = body;
    std::string answer;
    service->api(std::move(request), [&answer](const ApiReply& reply) { answer = reply.body; });
    while (service->step_writer() || service->step_reader()) {
    }
    return answer;
  }
  static std::string text_of(const std::string& json, const std::string& key) {
    const std::size_t at = json.find("\"" + key + "\":\"") + key.size() + 4;
    return json.substr(at, json.find('"', at) - at);
  }
  // Moves everything until nothing moves.
  void settle(std::size_t window = 100) {
    while (socket->run_posted() || socket->server_reads() || socket->server_writes(window) ||
           service->step_writer() || service->step_reader() || service->step_fanout()) {
      ++step;
    }
  }
  std::vector<std::string> heard() {
    std::vector<std::string> frames;
    while (auto frame = socket->device_reads()) frames.push_back(frame->text.substr(2, 7));
    return frames;
  }
  [[nodiscard]] ClockReading clock() const { return {kStartMs, 0, "b1"}; }

  std::uint64_t step = 1;
  std::unique_ptr<Service> service;
  std::unique_ptr<Replica> phone;
  std::shared_ptr<Socket> socket;

 private:
  unsigned char next_byte_ = 1;
};

using Frames = std::vector<std::string>;

TEST_F(Line, CarriesAnswersInTheOrderOfTheQuestions) {
  phone->edit({"s", "scope", "s", R"("set":{"kind":"station"})"}, clock());
  socket->device_sends(phone->hello(clock()));
  socket->device_sends(phone->push(10));
  socket->device_sends(phone->pull(10));
  settle();
  EXPECT_EQ(heard(), (Frames{"welcome", "receipt", "changes"}));
  EXPECT_FALSE(socket->over());
}

TEST_F(Line, AnswersNothingBeforeTheWriterHasCommitted) {
  socket->device_sends(phone->hello(clock()));
  EXPECT_TRUE(socket->server_reads());
  EXPECT_FALSE(socket->run_posted());
  EXPECT_FALSE(socket->server_writes(10));
  EXPECT_TRUE(service->step_writer());
  EXPECT_TRUE(socket->run_posted());
  EXPECT_TRUE(socket->server_writes(10));
  EXPECT_EQ(heard(), Frames{"welcome"});
}

TEST_F(Line, ThatIsCutBringsWhatCameBeforeTheCutAndNothingBehindIt) {
  socket->device_sends(phone->hello(clock()));
  socket->device_sends(phone->pull(10));
  socket->cut(1, 0);
  settle();
  EXPECT_EQ(heard(), Frames{});
  EXPECT_TRUE(socket->over());
  EXPECT_TRUE(socket->connection().ended());
  EXPECT_TRUE(socket->done());
}

TEST_F(Line, WithASlowReaderHoldsABoundedNumberOfAnswers) {
  socket->device_sends(phone->hello(clock()));
  for (int i = 0; i < 50; ++i) socket->device_sends(phone->pull(10));
  settle(1);
  EXPECT_LE(socket->connection().outbox(), Connection::kOutboxMost);
  EXPECT_GT(socket->frames_to_server(), 30U);
  std::size_t answers = 0;
  while (auto frame = socket->device_reads()) {
    ++answers;
    settle(1);
  }
  EXPECT_EQ(answers, 51U);
}

TEST_F(Line, ToADeviceThatIsShutOutSaysSoAndCloses) {
  socket->device_sends(phone->hello(clock()));
  settle();
  EXPECT_EQ(heard(), Frames{"welcome"});
  call("/v1/devices/" + phone->device() + "/revoke", kAdminToken, "");
  settle();
  EXPECT_EQ(heard(), Frames{"error\":"});
  EXPECT_EQ(socket->close_code(), 4403);
  EXPECT_TRUE(socket->over());
}

TEST_F(Line, SaysThatHelloIsOverdueOnlyWhileNobodySaidHello) {
  socket->hello_overdue();
  settle();
  EXPECT_EQ(heard(), Frames{"error\":"});
  EXPECT_EQ(socket->close_code(), 4401);
}

}  // namespace
}  // namespace waystation::simulate

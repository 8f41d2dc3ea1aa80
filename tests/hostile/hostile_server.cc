#include "tests/hostile/hostile_server.h"

#include <stdexcept>

namespace waystation::testing {

std::unique_ptr<TestServer> HostileServer::server_;
std::unique_ptr<Office> HostileServer::office_;

std::string code_of(const Json& frame) {
  if (!frame.is_object() || !frame.contains("error")) return {};
  return frame["error"].value("code", "");
}

const CodeInfo& about(const std::string& code) {
  for (const CodeInfo& known : all_codes()) {
    if (known.name == code) return known;
  }
  throw std::runtime_error("no such code: " + code);
}

void HostileServer::SetUpTestSuite() { SetUpServer(""); }

void HostileServer::SetUpServer(const std::string& settings) {
  server_ = std::make_unique<TestServer>(TestServer::Begin::kStopped);
  if (!settings.empty()) server_->configure(settings);
  server_->start();
  office_ = std::make_unique<Office>(*server_);
  office_->make_scopes({kScope, "foreign"});
}

void HostileServer::TearDownTestSuite() {
  office_.reset();
  server_.reset();
}

HostileServer::HostileServer()
    : device_(office_->enroll({kScope})), neighbour_(office_->enroll({kScope})) {}

void HostileServer::TearDown() {
  ASSERT_TRUE(server_->running()) << "the server has ended:\n" << server_->log();
}

std::uint64_t HostileServer::next_n(const Enrolled& device) const {
  const Reply reply = HttpCaller(server()).sync(sync_body(device, {}));
  EXPECT_EQ(reply.status, 200) << reply.text;
  return reply.body["welcome"]["applied"].get<std::uint64_t>() + 1;
}

std::unique_ptr<LiveClient> HostileServer::greeted(const Enrolled& device) const {
  auto live = std::make_unique<LiveClient>(server());
  const Json answer = live->ask(hello_frame(device));
  EXPECT_TRUE(answer.is_object() && answer.contains("welcome")) << answer;
  return live;
}

void HostileServer::expect_served_on(LiveClient& live) const {
  ASSERT_TRUE(live.open());
  const std::uint64_t n = next_n(device_);
  ASSERT_TRUE(live.send(push_frame({note_of(n, kScope, "good-live", "on the same connection")})));
  EXPECT_EQ(verdict_codes(live.next_of("receipt")), "ok");
}

void HostileServer::expect_served_by(const Enrolled& device) const {
  const std::uint64_t n = next_n(device);
  const Reply reply =
      HttpCaller(server()).sync(sync_body(device, {note_of(n, kScope, "good", "over HTTP")}, ""));
  ASSERT_EQ(reply.status, 200) << reply.text;
  EXPECT_EQ(verdict_codes(reply.body["receipt"]), "ok");
  EXPECT_FALSE(reply.body["changes"]["changes"].empty());
  const auto live = greeted(device);
  ASSERT_TRUE(live->send(push_frame({note_of(n + 1, kScope, "good", "on a new connection")})));
  EXPECT_EQ(verdict_codes(live->next_of("receipt")), "ok");
  live->close();
}

void HostileServer::expect_all_are_served() const {
  {
    SCOPED_TRACE("the same device");
    expect_served_by(device_);
  }
  SCOPED_TRACE("another device");
  expect_served_by(neighbour_);
}

}  // namespace waystation::testing

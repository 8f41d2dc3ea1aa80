// A whole server in memory, moved step by step, for the fuzzers of its connections: what every run
// begins with, and an honest device that must be served whatever another one sends. One thread.
#pragma once

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <optional>
#include <string>

#include "server/service.h"
#include "storage/memory_kv.h"
#include "storage/verify.h"
#include "sync/replica.h"
#include "tests/support/world.h"

namespace waystation::fuzz {

inline constexpr char kAdmin[] = "the-administrators-token-of-the-fuzzer";
// What every run begins with: scopes "t" and "u", a device that anybody may speak for, an honest
// one.
struct Beginning {
  std::shared_ptr<MemoryKv> disk;
  std::string device;
  std::string token;
  std::string honest;  // saved
};

class Server {
 public:
  explicit Server(std::shared_ptr<MemoryKv> disk) {
    Surroundings around;
    around.now_ms = [this] { return now; };
    around.random = [this](std::span<unsigned char> bytes) {
      for (unsigned char& byte : bytes)
        byte = static_cast<unsigned char>(random_ = random_ * 5 + 3);
    };
    around.threads = Threads::kStepped;
    static const auto kSchemas = std::make_shared<const Schemas>(testing::schemas());
    around.schemas = kSchemas;
    auto opened = Service::over(testing::share(std::move(disk)), {}, kAdmin, std::move(around));
    WS_CHECK(opened.ok());
    service_ = std::move(*opened);
  }
  ~Server() { service_->abandon(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] Service& service() { return *service_; }
  // Whether anything moved.
  bool step() {
    const bool wrote = service_->step_writer();
    const bool read = service_->step_reader();
    const bool told = service_->step_fanout();
    return wrote || read || told;
  }
  ApiReply call(const std::string& method, const std::string& path, std::string body) {
    std::optional<ApiReply> reply;
    service_->api({method, path, {}, kAdmin, std::move(body)},
                  [&](ApiReply answer) { reply = std::move(answer); });
    while (!reply) WS_CHECK(step());
    return std::move(*reply);
  }
  [[nodiscard]] bool sync(Replica& device) {
    const std::string body = device.exchange({now, now - testing::kStart, "b1"}, 100, 100);
    const ApiReply reply = call("POST", "/v1/sync", body);
    return reply.status == 200 && device.receive(reply.body).ok();
  }

  std::int64_t now = testing::kStart;

 private:
  std::uint64_t random_ = 7;
  std::unique_ptr<Service> service_;
};

// A member of a flat JSON object that the server wrote.
inline std::string member(const std::string& json, const std::string& key) {
  const std::string start = "\"" + key + "\":\"";
  const std::size_t at = json.find(start);
  WS_CHECK(at != std::string::npos);
  const std::size_t from = at + start.size();
  return json.substr(from, json.find('"', from) - from);
}

inline Draft note(const std::string& id) { return {"t", "note", id, R"("set":{"text":"honest"})"}; }

inline Beginning begin() {
  spdlog::set_level(spdlog::level::off);
  Beginning all;
  all.disk = std::make_shared<MemoryKv>();
  Server server(all.disk);
  const auto enroll = [&](const std::string& scopes) {
    const ApiReply code =
        server.call("POST", "/v1/codes", fmt::format(R"({{"scopes":[{}]}})", scopes));
    return server
        .call("POST", "/v1/enroll",
              fmt::format(R"({{"code":"{}","request":"0123456789abcdef","app":"fuzz"}})",
                          member(code.body, "code")))
        .body;
  };
  const std::string honest = enroll(R"("*")");
  Replica office(member(honest, "device"), member(honest, "token"));
  for (const char* scope : {"t", "u"}) {
    office.edit({scope, "scope", scope, R"("set":{"kind":"community"})"}, {server.now, 0, "b1"});
  }
  office.edit(note("n1"), {server.now, 0, "b1"});
  WS_CHECK(server.sync(office));
  all.honest = office.save();
  const std::string device = enroll(R"("t")");
  all.device = member(device, "device");
  all.token = member(device, "token");
  return all;
}

// The honest device hands in a note and has it all, and the store has no faults.
inline void expect_honest_service(Server& server, Replica& honest) {
  honest.edit(note("h"), {server.now, server.now - testing::kStart, "b1"});
  for (int i = 0; i < 10 && (honest.waiting() > 0 || honest.more()); ++i) {
    WS_CHECK(server.sync(honest));
  }
  WS_CHECK(honest.waiting() == 0 && !honest.more());
  WS_CHECK(honest.refused().empty() && honest.digest_faults().empty());
  WS_CHECK(honest.seq_faults() == 0);
  const auto report = verify(server.service().store(), [](std::uint64_t) {});
  WS_CHECK(report.ok());
  if (report->faults > 0) std::fprintf(stderr, "%s\n", report->first_faults[0].c_str());
  WS_CHECK(report->faults == 0);
}

}  // namespace waystation::fuzz

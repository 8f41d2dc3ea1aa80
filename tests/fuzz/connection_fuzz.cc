// The protocol of a connection, over a whole server that is moved step by step: the bytes are
// lines, each a frame that a device sends, or something else that happens:
//
//   ~{…}   a frame, after which the device reads nothing until a line without "~" has come
//   %      another device writes a note
//   #      the office changes the device's scopes
//   !      the office shuts the device out
//   =      the office ends its work: it is draining
//   ^      the office makes it active again
//   ?      the office wants it wiped
//   +      an hour goes by
//
// In a frame $D and $T stand for the device's id and token, $C for the cursor of the last changes.
// Whatever is sent, nothing may break, what waits for the device stays bounded, what is sent to it
// are JSON objects, and an honest device is served afterwards by a store without faults.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "server/connection.h"
#include "storage/memory_kv.h"
#include "storage/verify.h"
#include "sync/canonical.h"
#include "sync/limits.h"
#include "sync/replica.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/world.h"

namespace waystation::fuzz {
namespace {

constexpr char kAdmin[] = "the-administrators-token-of-the-fuzzer";
constexpr std::size_t kMostLines = 200;

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
std::string member(const std::string& json, const std::string& key) {
  const std::string start = "\"" + key + "\":\"";
  const std::size_t at = json.find(start);
  WS_CHECK(at != std::string::npos);
  const std::size_t from = at + start.size();
  return json.substr(from, json.find('"', from) - from);
}

Draft note(const std::string& id) { return {"t", "note", id, R"("set":{"text":"honest"})"}; }

Beginning begin() {
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

// The shell of a connection: the device's frames on one side, what it reads on the other.
class Line final : public ConnectionPort, public std::enable_shared_from_this<Line> {
 public:
  void open(Service& service) {
    connection_ = std::make_shared<Connection>(service, weak_from_this());
  }
  [[nodiscard]] Connection& connection() { return *connection_; }
  [[nodiscard]] const std::string& cursor() const { return cursor_; }

  void says(std::string frame) { frames_.push_back(std::move(frame)); }
  // Moves one thing; false when there is nothing to move.
  bool step(bool reads) {
    WS_CHECK(connection_->outbox() <= Connection::kOutboxMost);
    if (!posted_.empty()) {
      const auto what = std::move(posted_.front());
      posted_.pop_front();
      what();
      return true;
    }
    if (reads && writing_ != nullptr) {
      hear(*writing_);
      writing_.reset();
      connection_->written();
      return true;
    }
    if (frames_.empty() || !connection_->ready() || connection_->ended()) return false;
    const std::string frame = std::move(frames_.front());
    frames_.pop_front();
    if (!connection_->closing()) connection_->take(frame);
    return true;
  }

  void send(Frame frame) override {
    WS_CHECK(writing_ == nullptr && !closed_);
    writing_ = std::move(frame);
  }
  void close(std::uint16_t code, const std::string& /*reason*/) override {
    WS_CHECK(!closed_ && writing_ == nullptr && code >= 1000);
    closed_ = true;
    frames_.clear();
  }
  void ready() override { WS_CHECK(connection_->ready()); }
  void post(std::function<void()> what) override { posted_.push_back(std::move(what)); }

 private:
  void hear(const std::string& text) {
    WS_CHECK(text.size() <= limits::kFrameBytes);
    WS_CHECK(canonicalize(text).ok() && text.front() == '{');
    if (text.starts_with(R"({"changes")")) cursor_ = member(text, "cursor");
  }

  std::shared_ptr<Connection> connection_;
  std::deque<std::string> frames_;
  std::deque<std::function<void()>> posted_;
  Frame writing_;
  std::string cursor_;
  bool closed_ = false;
};

std::string fill_in(std::string_view line, const Beginning& all, const std::string& cursor) {
  std::string frame;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char word = line[i] == '$' && i + 1 < line.size() ? line[i + 1] : '\0';
    if (word != 'D' && word != 'T' && word != 'C') {
      frame += line[i];
      continue;
    }
    frame += word == 'D' ? all.device : word == 'T' ? all.token : cursor;
    ++i;
  }
  return frame;
}

class Run {
 public:
  explicit Run(const Beginning& beginning)
      : all_(beginning),
        disk_(testing::copy_of(*beginning.disk)),
        server_(disk_),
        honest_(*Replica::load(all_.honest)) {
    line_->open(server_.service());
  }
  ~Run() { line_->connection().end(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  void take(std::string_view line) {
    if (line.empty()) return;
    switch (line.front()) {
      case '%': return write();
      case '#': return change_scopes();
      case '!': return decide("revoke");
      case '=': return decide("drain");
      case '^': return decide("restore");
      case '?': return decide("wipe");
      case '+': server_.now += 3'600'000; break;
      case '~':
        reads_ = false;
        line_->says(fill_in(line.substr(1), all_, line_->cursor()));
        break;
      default: reads_ = true; line_->says(fill_in(line, all_, line_->cursor()));
    }
    settle();
  }

  void end() {
    reads_ = true;
    settle();
    write();
    // All that the honest device wrote has a verdict, and nothing holds it up.
    for (int i = 0; i < 10 && (honest_.waiting() > 0 || honest_.more()); ++i) {
      WS_CHECK(server_.sync(honest_));
    }
    WS_CHECK(honest_.waiting() == 0 && !honest_.more());
    WS_CHECK(honest_.refused().empty() && honest_.digest_faults().empty());
    WS_CHECK(honest_.seq_faults() == 0);
    const auto report = verify(server_.service().store(), [](std::uint64_t) {});
    WS_CHECK(report.ok());
    if (report->faults > 0) std::fprintf(stderr, "%s\n", report->first_faults[0].c_str());
    WS_CHECK(report->faults == 0);
  }

 private:
  // Until nothing moves any more. Bounded: everything that moves uses something up.
  void settle() {
    bool moved = true;
    for (std::size_t steps = 0; moved; ++steps) {
      WS_CHECK(steps < 100'000);
      moved = server_.step();
      moved = line_->step(reads_) || moved;
    }
  }
  void write() {
    const auto n = honest_.edit(note("h"), {server_.now, server_.now - testing::kStart, "b1"});
    WS_CHECK(server_.sync(honest_) && honest_.applied() >= n);
    settle();
  }
  void change_scopes() {
    constexpr const char* kScopes[] = {R"("u")", R"("*")", "", R"("t","u")", R"("t")"};
    const std::string body =
        fmt::format(R"({{"scopes":[{}]}})", kScopes[changes_++ % std::size(kScopes)]);
    WS_CHECK(server_.call("PUT", "/v1/devices/" + all_.device + "/scopes", body).status == 200);
    settle();
  }
  void decide(const std::string& what) {
    const int status = server_.call("POST", "/v1/devices/" + all_.device + "/" + what, "").status;
    WS_CHECK(status == 200 || (what == "restore" && status == 409));  // it has wiped itself
    settle();
  }

  const Beginning& all_;
  std::shared_ptr<MemoryKv> disk_;
  Server server_;
  Replica honest_;
  std::shared_ptr<Line> line_ = std::make_shared<Line>();
  bool reads_ = true;
  std::size_t changes_ = 0;
};

}  // namespace
}  // namespace waystation::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace waystation::fuzz;
  static const Beginning kBeginning = begin();
  std::string_view rest = text_of(data, size);
  Run run(kBeginning);
  for (std::size_t lines = 0; lines < kMostLines; ++lines) {
    const std::size_t end = rest.find('\n');
    run.take(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  run.end();
  return 0;
}

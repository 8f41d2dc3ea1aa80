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

#include <deque>
#include <memory>
#include <string>

#include "server/connection.h"
#include "sync/canonical.h"
#include "sync/limits.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/stepped_server.h"

namespace waystation::fuzz {
namespace {

constexpr std::size_t kMostLines = 200;

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
    expect_honest_service(server_, honest_);
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

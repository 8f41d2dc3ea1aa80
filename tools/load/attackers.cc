#include "tools/load/attackers.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <deque>

#include "tools/load/live_socket.h"

namespace waystation::load {
namespace {

constexpr std::size_t kSilent = 2000;
constexpr std::size_t kDripping = 500;
constexpr std::size_t kSlowReaders = 16;

// A blocking socket with short deadlines, so that an attack notices that it is to stop.
class Socket {
 public:
  explicit Socket(std::uint16_t port, int receive_buffer = 0)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval wait{0, 200'000};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    if (receive_buffer > 0) {
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    }
    const linger reset{1, 0};  // no ports left behind in TIME_WAIT
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    sockaddr_in own = at("127.0.0.66", 0);
    const sockaddr_in server = at("127.0.0.1", port);
    open_ = bind(fd_, reinterpret_cast<const sockaddr*>(&own), sizeof(own)) == 0 &&
            connect(fd_, reinterpret_cast<const sockaddr*>(&server), sizeof(server)) == 0;
  }
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  [[nodiscard]] bool open() const { return open_; }
  bool send(std::string_view bytes) {
    while (open_ && !bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return open_ = errno == EAGAIN;  // the other side does not read: later
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return open_;
  }
  // Reads what there is, waiting for a moment where there is nothing.
  bool read() {
    std::array<char, 65536> sink{};
    const ssize_t got = recv(fd_, sink.data(), sink.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) open_ = false;
    return got > 0;
  }
  bool ask(std::string_view bytes) { return send(bytes) && read(); }
  bool upgrade() {
    return ask(
        "GET /v1/live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  }

 private:
  static sockaddr_in at(const char* address, std::uint16_t port) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    inet_pton(AF_INET, address, &where.sin_addr);
    return where;
  }
  int fd_;
  bool open_ = false;
};

std::string post(const std::string& path, const std::string& body,
                 const std::string& headers = {}) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: a\r\n{}Content-Length: {}\r\n\r\n{}", path, headers,
                     body.size(), body);
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

using Stop = std::atomic<bool>;

// A refused connection costs the attacker little: it comes again at once, but for a breath.
void breathe() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

// Keeps `count` connections open and sends `part` on each in turn.
void hold(const Target& target, const Stop& stop, std::size_t count, const std::string& begin,
          const std::string& part) {
  std::deque<Socket> held;
  while (!stop) {
    if (held.size() < count) {
      held.emplace_back(target.port);
      held.back().send(begin);
    } else {
      held.pop_front();
      breathe();
    }
    if (!part.empty() && !held.empty()) {
      held[held.size() / 2].send(part);
      breathe();
    }
  }
}

// The same request again and again, on as many connections as it takes.
void flood(const Target& target, const Stop& stop, const std::string& request) {
  while (!stop) {
    Socket socket(target.port);
    while (!stop && socket.ask(request)) {
    }
    breathe();
  }
}

// The same frames again and again on a WebSocket, with hello or without.
void frames(const Target& target, const Stop& stop, bool hello, const std::string& bytes) {
  while (!stop) {
    Socket socket(target.port);
    bool good = socket.upgrade();
    if (good && hello) good = socket.ask(client_frame(target.hello));
    while (!stop && good) {
      good = socket.send(bytes);
      socket.read();
      good = good && socket.open();
    }
    breathe();
  }
}

void read_nothing(const Target& target, const Stop& stop) {
  constexpr int kSmall = 4096;
  const std::string pull = client_frame(R"({"pull":{"cursor":""}})");
  std::deque<Socket> held;
  while (!stop) {
    if (held.size() >= kSlowReaders) held.pop_front();
    held.emplace_back(target.port, kSmall);
    if (held.back().upgrade() && held.back().ask(client_frame(target.hello))) {
      held.back().send(repeated(pull, 50));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

std::vector<Attack> make_attacks() {
  const std::string guess =
      post("/v1/enroll", R"({"code":"ABCDE-FGHJK","request":"0123456789abcdef"})");
  const std::string large_header =
      "GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + std::string(60'000, 'a');
  const std::string gzip =
      post("/v1/sync", std::string(100'000, '\x1f'), "Content-Encoding: gzip\r\n");
  const std::string deflated("\xC1\x85\0\0\0\0\xAA\x56\x4A\x04\x00", 11);
  const std::string tiny = repeated(client_frame(R"({"push":{"ops":[]}})"), 500);
  const std::string pings = repeated(std::string("\x89\x80\0\0\0\0", 6), 500);
  const std::string bad = repeated(client_frame("{"), 500);
  return {
      {"2,000 silent connections", 1,
       [](const Target& to, const Stop& stop) { hold(to, stop, kSilent, "", ""); }},
      {"wrong enrolment codes", 4,
       [=](const Target& to, const Stop& stop) { flood(to, stop, guess); }},
      {"500 headers that drip", 1,
       [](const Target& to, const Stop& stop) {
         hold(to, stop, kDripping, "POST /v1/sync HTTP/1.1\r\nX: ", "a");
       }},
      {"pulls that nobody reads", 1, read_nothing},
      {"tiny good frames", 2,
       [=](const Target& to, const Stop& stop) { frames(to, stop, true, tiny); }},
      {"pings", 2, [=](const Target& to, const Stop& stop) { frames(to, stop, true, pings); }},
      {"bad frames before hello", 2,
       [=](const Target& to, const Stop& stop) { frames(to, stop, false, bad); }},
      {"bad frames of a device", 2,
       [=](const Target& to, const Stop& stop) { frames(to, stop, true, bad); }},
      {"compressed frames", 2,
       [=](const Target& to, const Stop& stop) { frames(to, stop, true, deflated); }},
      {"compressed bodies", 2, [=](const Target& to, const Stop& stop) { flood(to, stop, gzip); }},
      {"headers of 60 KB", 2,
       [=](const Target& to, const Stop& stop) { flood(to, stop, large_header); }},
      {"connect and go", 2,
       [](const Target& to, const Stop& stop) {
         while (!stop) {
           Socket socket(to.port);
           if (!socket.open()) breathe();
         }
       }},
  };
}

}  // namespace

const std::vector<Attack>& attacks() {
  static const std::vector<Attack> all = make_attacks();
  return all;
}

UnderAttack::UnderAttack(const Attack& attack, const Target& target) {
  for (std::size_t i = 0; i < attack.threads; ++i) {
    threads_.emplace_back([this, attack, target] { attack.run(target, stop_); });
  }
}

UnderAttack::~UnderAttack() {
  stop_ = true;
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace waystation::load

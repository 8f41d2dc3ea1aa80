// Raw bytes to a WebSocket session, behind a good upgrade. Whatever they are, the session ends when
// its other side does, what it says are whole frames of RFC 6455 with JSON in them, and an honest
// device is served afterwards.
#include "sync/canonical.h"
#include "sync/limits.h"
#include "tests/fuzz/edge_line.h"

namespace waystation::fuzz {
namespace {

constexpr char kUpgrade[] =
    "GET /v1/live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

std::size_t number(std::string_view bytes) {
  std::size_t value = 0;
  for (const char byte : bytes) value = value << 8U | static_cast<unsigned char>(byte);
  return value;
}

// Takes one frame off the front: not masked, not in fragments, not compressed.
void check_frame(std::string_view& rest) {
  WS_CHECK(rest.size() >= 2);
  const auto first = static_cast<unsigned char>(rest[0]);
  const unsigned opcode = first & 0x0FU;
  WS_CHECK((first & 0xF0U) == 0x80U);
  WS_CHECK(opcode == 1 || opcode == 8 || opcode == 9 || opcode == 10);
  std::size_t size = static_cast<unsigned char>(rest[1]);
  WS_CHECK(size < 128);
  std::size_t header = 2;
  if (size >= 126) {
    const std::size_t more = size == 126 ? 2 : 8;
    WS_CHECK(rest.size() >= 2 + more);
    size = number(rest.substr(2, more));
    header += more;
  }
  WS_CHECK(size <= limits::kFrameBytes && rest.size() >= header + size);
  const std::string_view payload = rest.substr(header, size);
  if (opcode == 1) WS_CHECK(canonicalize(payload).ok() && payload.front() == '{');
  rest.remove_prefix(header + size);
}

}  // namespace
}  // namespace waystation::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace waystation::fuzz;
  static const Beginning kBeginning = begin();
  EdgeLine line(kBeginning);
  line.say(kUpgrade);
  const std::string& heard = line.heard();
  WS_CHECK(heard.starts_with("HTTP/1.1 101 "));
  const std::size_t head = heard.find("\r\n\r\n") + 4;
  WS_CHECK(heard.find("permessage-deflate") == std::string::npos);
  line.say_all(text_of(data, size));
  std::string_view rest = std::string_view(heard).substr(head);
  while (!rest.empty()) waystation::fuzz::check_frame(rest);
  return 0;
}

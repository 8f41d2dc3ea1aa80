// Raw bytes to an HTTP session. Whatever they are, the session ends when its other side does, what
// it says are answers of HTTP, and an honest device is served afterwards.
#include "tests/fuzz/edge_line.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace waystation::fuzz;
  static const Beginning kBeginning = begin();
  EdgeLine line(kBeginning);
  line.say_all(text_of(data, size));
  WS_CHECK(line.heard().empty() || line.heard().starts_with("HTTP/1."));
  // Nor what it is built of; a body repeats what was asked for, but no line's end.
  constexpr std::string_view kServer = "\r\nServer: ";
  constexpr std::string_view kName = "waystation\r\n";
  const std::size_t server = line.heard().find(kServer);
  WS_CHECK(server == std::string::npos ||
           line.heard().compare(server + kServer.size(), kName.size(), kName) == 0);
  return 0;
}

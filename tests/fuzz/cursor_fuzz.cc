// A cursor: refused, or one of ours.
#include "sync/cursor.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = waystation::fuzz::text_of(data, size);
  const auto cursor = waystation::decode_cursor(text);
  if (cursor) {
    WS_CHECK(encode_cursor(*cursor) == text);
  } else {
    WS_CHECK(cursor.error().code == waystation::Code::kCursorInvalid);
  }
  return 0;
}

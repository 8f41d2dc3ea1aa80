// A client's frame: decoding never fails otherwise than with an error, and an op is read back from
// the device log as it was.
#include "sync/wire.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/world.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto frame = waystation::decode_frame(waystation::fuzz::text_of(data, size));
  if (!frame || !frame->push) return 0;
  for (const waystation::Op& op : frame->push->ops) {
    const auto again = waystation::decode_op(op.canonical);
    if (op.refusal) continue;  // kept as text, for people
    (void)waystation::testing::schemas().check(op);
    WS_CHECK(again.ok());
    WS_CHECK(!again->refusal);
    WS_CHECK(again->canonical == op.canonical);
    WS_CHECK(again->n == op.n && again->edits.size() == op.edits.size());
  }
  return 0;
}

// A stored record: whatever is taken for one is written back alike, and an op can be applied to it.
#include <string>

#include "storage/codec.h"
#include "sync/limits.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/world.h"

namespace {

using waystation::Record;

void apply(Record record, const waystation::Op& op) {
  const waystation::Collection& collection = *waystation::testing::schemas().find("note");
  const waystation::OpPlace place{77, record.seq + 1, record.seq + 1};
  if (record.check(op, place, collection)) return;
  waystation::Effects effects;
  record.apply(op, place, collection, effects);
  const std::string visible = record.visible();
  WS_CHECK(visible.empty() == record.deleted());
  const std::string written = encode_record(record, visible);
  const auto read = waystation::decode_record(written);
  WS_CHECK(read.ok());
  WS_CHECK(encode_record(*read, visible) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using waystation::testing::op;
  const auto bytes = waystation::fuzz::text_of(data, size);
  const auto head = waystation::decode_record_head(bytes);
  const auto record = waystation::decode_record(bytes);
  if (!record) return 0;
  WS_CHECK(head.ok());
  // Older layouts are written back in the newest one.
  constexpr char kNewestLayout = 2;
  WS_CHECK(bytes.front() != kNewestLayout || encode_record(*record, head->visible) == bytes);
  if (record->seq >= waystation::limits::kMaxInteger) return 0;
  static const auto kOps = [] {
    std::vector<waystation::Op> ops;
    for (const char* edits : {R"("set":{"text":"z"})", R"("set":{"text":null},"inc":{"cups":1})",
                              R"("add":{"tags":["x","z"]},"remove":{"tags":["y"]})",
                              R"("append":{"story":["z"]})", R"("del":true)"}) {
      ops.push_back(waystation::testing::received(op(1'000'000).does(edits)));
    }
    return ops;
  }();
  for (waystation::Op each : kOps) {
    for (const waystation::Seq base : {waystation::Seq{0}, record->seq}) {
      each.base = base;
      apply(*record, each);
    }
  }
  return 0;
}

// A stored record: whatever is taken for one is written back alike, and an op can be applied to it.
#include <string>

#include "storage/codec.h"
#include "sync/limits.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/world.h"

namespace {

using waystation::Record;

void apply(Record record, const waystation::Op& op) {
  const waystation::Collection& collection = *waystation::testing::schemas().find(op.coll);
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
    const std::string lost = R"([{"field":"text","by":"0000000005","n":1,"part":0}])";
    for (const std::string& edits :
         {std::string(R"("set":{"text":"z"})"),
          std::string(R"("set":{"text":null},"inc":{"cups":1})"),
          std::string(R"("add":{"tags":["x","z"]},"remove":{"tags":["y"]})"),
          std::string(R"("append":{"story":["z"]})"), std::string(R"("del":true)"),
          "\"settle\":" + lost, "\"reopen\":" + lost + R"(,"set":{"text":"z"})"}) {
      ops.push_back(waystation::testing::received(op(1'000'000).does(edits)));
    }
    for (const char* move : {R"("grant":{"places":9})", R"("grant":{"places":-9})",
                             R"("lease":{"places":5})", R"("spend":{"places":1})",
                             R"("return":{"places":1})", R"("reclaim":{"places":"0000000005"})"}) {
      ops.push_back(waystation::testing::received(op(1'000'000).on("quota", "q").does(move)));
    }
    for (const waystation::Op& each : ops) WS_CHECK(!each.refusal);
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

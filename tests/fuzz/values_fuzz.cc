// Every other stored value, and every key: what is read is written back alike.
#include "storage/keys.h"
#include "sync/result.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/samples.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace keys = waystation::keys;
  const auto bytes = waystation::fuzz::text_of(data, size);
  for (const auto& layout : waystation::testing::layouts()) {
    auto code = waystation::Code::kInternal;
    const auto again = layout.again(bytes, &code);
    if (!again) {
      WS_CHECK(code == waystation::Code::kStoreCorrupt);
    } else if (*again != bytes) {
      // An older layout, which is written back in the newest one.
      WS_CHECK(bytes.front() < again->front() && layout.again(*again, &code) == again);
    }
  }
  if (const auto key = keys::parse_record(bytes)) {
    WS_CHECK(keys::record(key->scope, key->coll, key->id) == bytes);
  }
  if (const auto key = keys::parse_change(bytes)) {
    WS_CHECK(keys::change(key->scope, key->seq) == bytes);
  }
  if (const auto key = keys::parse_conflict(bytes)) {
    WS_CHECK(keys::conflict(key->record.scope, key->record.coll, key->record.id, key->field,
                            key->dot, key->part) == bytes);
  }
  if (const auto key = keys::parse_quarantine(bytes)) {
    WS_CHECK(keys::quarantine(key->device, key->n, key->variant) == bytes);
  }
  if (const auto key = keys::parse_log_chunk(bytes)) {
    WS_CHECK(keys::log_chunk(key->device, key->last_n) == bytes);
  }
  if (const auto key = keys::parse_kept(bytes)) {
    WS_CHECK(keys::kept(key->coll, key->id, key->scope) == bytes ||
             keys::merged(key->coll, key->id, key->scope) == bytes);
  }
  if (const auto device = keys::device_of(bytes)) {
    WS_CHECK(keys::account(*device) == bytes || keys::device_state(*device) == bytes);
  }
  return 0;
}

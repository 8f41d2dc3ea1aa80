// Any bytes as a key: of no kind, or written again to the same bytes; and as the parts of a key.
#include "storage/keys.h"
#include "sync/result.h"
#include "tests/fuzz/fuzz.h"

namespace {

namespace keys = waystation::keys;

void read_back(std::string_view key) {
  if (const auto parts = keys::parse_record(key)) {
    WS_CHECK(keys::record(parts->scope, parts->coll, parts->id) == key);
    WS_CHECK(key.starts_with(keys::scope_prefix(parts->scope)));
  }
  if (const auto parts = keys::parse_change(key)) {
    WS_CHECK(keys::change(parts->scope, parts->seq) == key);
    WS_CHECK(key.starts_with(keys::scope_prefix(parts->scope)));
  }
  if (const auto parts = keys::parse_conflict(key)) {
    const auto& [scope, coll, id] = parts->record;
    WS_CHECK(keys::conflict(scope, coll, id, parts->field, parts->dot, parts->part) == key);
    WS_CHECK(key.starts_with(keys::record(scope, coll, id)));
  }
  if (const auto parts = keys::parse_log_chunk(key)) {
    WS_CHECK(keys::log_chunk(parts->device, parts->last_n) == key);
  }
  if (const auto parts = keys::parse_quarantine(key)) {
    WS_CHECK(keys::quarantine(parts->device, parts->n, parts->variant) == key);
  }
  if (const auto parts = keys::parse_history(key)) {
    const auto& [scope, coll, id] = parts->record;
    WS_CHECK(keys::history(keys::record(scope, coll, id), parts->seq) == key);
  }
  if (const auto parts = keys::parse_timer(key)) {
    WS_CHECK(keys::timer(parts->due_ms, parts->record_key) == key);
    WS_CHECK(keys::parse_record(parts->record_key));
  }
  if (const auto parts = keys::parse_blob(key)) {
    WS_CHECK(keys::blob(parts->hash, parts->record_key) == key);
    WS_CHECK(key.starts_with(keys::blob_prefix(parts->hash)));
  }
  if (const auto parts = keys::parse_view_digest(key)) {
    WS_CHECK(keys::view_digest(parts->scope, parts->view_name) == key);
  }
  if (const auto parts = keys::parse_match(key)) {
    WS_CHECK(keys::match(parts->scope, parts->coll, parts->match, parts->id) == key);
    WS_CHECK(key.starts_with(keys::match_prefix(parts->scope, parts->coll, parts->match)));
  }
  if (const auto device = keys::device_of(key)) {
    WS_CHECK(keys::account(*device) == key || keys::device_state(*device) == key);
  }
}

// All that starts with a prefix lies before its end, and nothing else does.
void cut(std::string_view key) {
  for (std::size_t size = 1; size <= key.size() && size <= 40; ++size) {
    const std::string prefix(key.substr(0, size));
    const std::string end = keys::prefix_end(prefix);
    WS_CHECK(end.empty() || key < end);
    WS_CHECK(end.empty() || (end > prefix && !end.starts_with(prefix)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = waystation::fuzz::text_of(data, size);
  read_back(text);
  cut(text);
  // Parts of ids hold no byte 0: what is made of them comes apart into them.
  const std::size_t a = text.find('\0');
  const std::size_t b = a == std::string_view::npos ? a : text.find('\0', a + 1);
  if (b == std::string_view::npos) return 0;
  const std::string_view scope = text.substr(0, a);
  const std::string_view coll = text.substr(a + 1, b - a - 1);
  const std::string_view id = text.substr(b + 1);
  if (scope.empty() || coll.empty() || id.empty() || id.find('\0') != std::string_view::npos) {
    return 0;
  }
  const std::string key = keys::record(scope, coll, id);
  const auto parts = keys::parse_record(key);
  WS_CHECK(parts && parts->scope == scope && parts->coll == coll && parts->id == id);
  return 0;
}

#include "tests/support/samples.h"

#include <string>
#include <utility>

#include "storage/codec.h"
#include "storage/projections.h"
#include "storage/sums.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

template <typename T>
auto round_trip(Result<T> (*decode)(std::string_view), std::string (*encode)(const T&)) {
  return [=](std::string_view bytes, Code* code) -> std::optional<std::string> {
    const auto value = decode(bytes);
    if (!value) {
      *code = value.error().code;
      return std::nullopt;
    }
    return encode(*value);
  };
}

Record record_with_a_quota() {
  Record record;
  record.seq = 9;
  record.born = 3;
  record.due_ms = kStart;
  record.match = "abc";
  Field field;
  field.name = "places";
  field.type = MergeType::kQuota;
  field.quota = {400, 3, {{5, 17, 0, kStart}, {77, 0, 20, kStart + 1}}};
  Write late;
  late.dot = {77, 2};
  late.stamp = 8;
  late.review = {true, 9, {5, 1}};
  field.lost.push_back(late);
  record.early_reviews.push_back({"title", {5, 3}, 0, {false, 9, {77, 4}}});
  record.fields.push_back(std::move(field));
  return record;
}

Record buried_record() {
  Record record;
  record.seq = 9;
  record.deletes.push_back({77, 3, 9});
  record.deleted_ = true;
  record.bury();
  return record;
}

// Records of every kind, as a store holds them.
std::vector<std::string> records() {
  World world;
  const std::uint64_t p = world.enroll({"t"});
  const std::uint64_t q = world.enroll({"t"});
  world.now += 60'000;
  world.push(p, {op(1).does(R"("set":{"text":"水😀","done":true},"add":{"tags":["x","y"]})"),
                 op(2).does(R"("inc":{"cups":-5})"),
                 op(3).on("event", "e1").does(R"("append":{"remarks":["a","b"]})"),
                 op(4).on("station_day", "s~2026-01-01").does(R"("inc":{"water":-7,"rest":1})"),
                 op(5).on("note", "n2").does(R"("set":{"text":"p"})"),
                 op(6).on("note", "n3").does(R"("del":true)"),
                 op(7).on("note", "n4").does(R"("set":{"text":null})")});
  world.push(q, {op(1).does(R"("set":{"text":"other","later":{"x":[1.5]}})"),
                 op(2).on("note", "n2").does(R"("del":true)"),
                 op(3).on("event", "e1").does(R"("del":true)"),
                 op(4).on("event", "e1").does(R"("append":{"remarks":["again"]})")});
  std::vector<std::string> values;
  auto rows = world.disk().iterate(Column::kRecords, nullptr, {});
  for (rows->seek(""); rows->valid(); rows->next()) values.emplace_back(rows->value());
  const Record quota = record_with_a_quota();
  values.push_back(encode_record(quota, quota.visible()));
  values.push_back(encode_record(buried_record(), ""));
  return values;
}

std::optional<std::string> record_again(std::string_view bytes, Code* code) {
  const auto head = decode_record_head(bytes);
  const auto record = decode_record(bytes);
  if (!record) {
    *code = record.error().code;
    return std::nullopt;
  }
  WS_CHECK(head.ok());  // a good record has a good head
  (void)record->visible();
  return encode_record(*record, head->visible);
}

Account account() {
  Account made;
  made.device = 77;
  made.name = "前台平板";
  made.token_hash = sha256("secret");
  made.enrolled_ms = kStart;
  made.code_hash = sha256("code");
  made.request_hash = sha256("request");
  made.grants = {{"*", 5, 9, kStart}, {"445202001001", 9, 0, 0}};
  made.reset = 9;
  made.changed = 258'698'037'891'072;
  made.roles = {{"volunteer", 9, kStart}, {"lead", 0, 0}};
  made.standing = Standing::kDraining;
  made.inactive_ms = kStart + 1;
  made.branches = {"445202", "445203"};
  made.wipe_ordered_ms = kStart + 2;
  made.wipe_now = true;
  made.wipe_discarded = 3;
  made.predecessor = 76;
  made.successor = 78;
  return made;
}

DeviceState state() {
  DeviceState made;
  made.applied = 43;
  made.refused = 2;
  made.last_stamp = 258'698'037'891'072;
  made.last_seen_ms = kStart;
  made.queued = 3;
  made.oldest_ms = -5;
  made.app = "companion 1.0";
  made.greeted = true;
  made.clock.enrolled_ms = kStart;
  made.clock.skew_ms = -86'400'000;
  made.clock.boots = {{"b1", kStart, 5000}, {"", kStart + 1, 0}};
  made.pulled = 258'698'037'891'071;
  made.backed_up = 40;
  return made;
}

}  // namespace

const std::vector<Layout>& layouts() {
  static const std::vector<Layout> all{
      {"record", records(), record_again},
      {"account",
       {encode_account(account()), encode_account(Account{})},
       round_trip(decode_account, encode_account)},
      {"device_state",
       {encode_device_state(state()), encode_device_state(DeviceState{})},
       round_trip(decode_device_state, encode_device_state)},
      {"code",
       {encode_code({{"*", "t"}, "前台", 3, kStart, "station"}), encode_code({})},
       round_trip(decode_code, encode_code)},
      {"log_chunk",
       {encode_log_chunk({41, kStart, {{"{}", R"({"n":41})", 5}, {"[]", "", 0}}}),
        encode_log_chunk({})},
       round_trip(decode_log_chunk, encode_log_chunk)},
      {"conflict",
       {encode_conflict({ConflictKind::kConcurrent, 5, R"("水")"}),
        encode_conflict({ConflictKind::kDeleted, 258'698'037'891'072, "null"}),
        encode_conflict({ConflictKind::kLate, 7, "3", {true, 9, {77, 4}}})},
       round_trip(decode_conflict, encode_conflict)},
      {"quarantine",
       {encode_quarantine({"scope.unknown", "为什么", kStart, "{}"}), encode_quarantine({})},
       round_trip(decode_quarantine, encode_quarantine)},
      {"history",
       {encode_history({77, 41}), encode_history({})},
       round_trip(decode_history, encode_history)},
      {"match",
       {encode_match({258'698'037'891'072, "8888"}), encode_match({})},
       round_trip(decode_match, encode_match)},
      {"role_views",
       {encode_role_views({{"volunteer", "0123456789abcdef", false}, {"office", "", true}}),
        encode_role_views({})},
       round_trip(decode_role_views, encode_role_views)},
      {"views",
       {encode_views(
            {View(Sight{false, {}}, {{"note", Sight{true, {"text"}}}, {"visit", Sight{}}})}),
        encode_views({})},
       round_trip(decode_views, encode_views)},
      {"sums",
       {encode_sums({3, -1, 1'000'000}), encode_sums({})},
       round_trip(decode_sums, encode_sums)},
      {"kept",
       {encode_kept({258'698'037'891'072, false, {R"("医")", ""}}), encode_kept({7, true, {}})},
       round_trip(decode_kept, encode_kept)},
      {"digest",
       {encode_digest({258'698'037'891'072, {{1, 2, 3, 4, 5, 6, 7, 0xFFFF'FFFF}}}),
        encode_digest({})},
       round_trip(decode_digest, encode_digest)},
      {"seq",
       {encode_seq(258'698'037'891'072), encode_seq(0)},
       [](std::string_view bytes, Code* code) -> std::optional<std::string> {
         const auto seq = decode_seq(bytes);
         if (!seq) *code = seq.error().code;
         return seq ? std::optional(encode_seq(*seq)) : std::nullopt;
       }},
  };
  return all;
}

}  // namespace waystation::testing

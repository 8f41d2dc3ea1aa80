// Keys of any parts, and any bytes as keys.
#include "storage/keys.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <tuple>

#include "sync/limits.h"

namespace waystation::keys {
namespace {

rc::Gen<std::string> ids() {
  return rc::gen::nonEmpty(rc::gen::container<std::string>(
      rc::gen::element('a', 'b', 'Z', '0', '.', '_', ':', '/', '-', '~')));
}
rc::Gen<std::string> bytes() {
  return rc::gen::container<std::string>(
      rc::gen::oneOf(rc::gen::arbitrary<char>(), rc::gen::element('\0', '\xFF', 'a', 's', 'c')));
}
rc::Gen<std::uint64_t> numbers() { return rc::gen::arbitrary<std::uint64_t>(); }

RC_GTEST_PROP(AnyKeys, OfNumbersComeApartAgain, ()) {
  const auto device = *numbers();
  const auto n = *numbers();
  const auto variant = *numbers();
  RC_ASSERT(device_of(account(device)) == device);
  RC_ASSERT(device_of(device_state(device)) == device);
  RC_ASSERT(parse_log_chunk(log_chunk(device, n))->device == device);
  RC_ASSERT(parse_log_chunk(log_chunk(device, n))->last_n == n);
  const auto refused = parse_quarantine(quarantine(device, n, variant));
  RC_ASSERT(refused && refused->device == device && refused->n == n && refused->variant == variant);
}

RC_GTEST_PROP(AnyKeys, OfRecordsComeApartAgain, ()) {
  const std::string scope = *ids();
  const std::string coll = *ids();
  const std::string id = *ids();
  const std::string record_key = record(scope, coll, id);  // what is read points into it
  const auto parts = parse_record(record_key);
  RC_ASSERT(parts && parts->scope == scope && parts->coll == coll && parts->id == id);
  const Seq seq = *rc::gen::inRange<Seq>(0, limits::kMaxInteger + 1);
  const std::string change_key = change(scope, seq);
  const auto changed = parse_change(change_key);
  RC_ASSERT(changed && changed->scope == scope && changed->seq == seq);
}

RC_GTEST_PROP(AnyKeys, ThatNameARecordGiveItBack, ()) {
  const std::string scope = *ids();
  const std::string coll = *ids();
  const std::string id = *ids();
  const std::string text = *ids();
  const auto number = *rc::gen::inRange<std::int64_t>(0, limits::kMaxInteger + 1);
  const std::string record_key = record(scope, coll, id);
  const std::string history_key = history(record_key, number);
  const auto was = parse_history(history_key);
  RC_ASSERT(was && was->record.scope == scope && was->record.coll == coll && was->record.id == id &&
            was->seq == number);
  const std::string timer_key = timer(number, record_key);
  const auto due = parse_timer(timer_key);
  RC_ASSERT(due && due->due_ms == number && due->record_key == record_key);
  const std::string match_key = match(scope, coll, text, id);
  const auto like = parse_match(match_key);
  RC_ASSERT(like && like->scope == scope && like->coll == coll && like->match == text &&
            like->id == id);
  RC_ASSERT(match_key.starts_with(match_prefix(scope, coll, text)));
}

RC_GTEST_PROP(AnyKeys, OfTimersSortByTimeAndOfHistoryBySeq, ()) {
  const auto first = *rc::gen::inRange<std::int64_t>(0, limits::kMaxInteger);
  const auto second = *rc::gen::inRange<std::int64_t>(0, limits::kMaxInteger);
  const std::string one = record(*ids(), *ids(), *ids());
  const std::string other = record(*ids(), *ids(), *ids());
  RC_ASSERT(first == second || (timer(first, one) < timer(second, other)) == (first < second));
  RC_ASSERT((history(one, first) < history(one, second)) == (first < second));
}

RC_GTEST_PROP(AnyKeys, OfRecordsSortByScopeThenCollectionThenId, ()) {
  const auto parts = [] { return std::tuple(*ids(), *ids(), *ids()); };
  const auto a = parts();
  const auto b = parts();
  const auto key = [](const auto& of) { return std::apply(record, of); };
  RC_ASSERT((key(a) < key(b)) == (a < b));
  RC_ASSERT((key(a) == key(b)) == (a == b));
}

RC_GTEST_PROP(AnyKeys, OfNumbersSortAsTheNumbersDo, ()) {
  const std::tuple a{*numbers(), *numbers(), *numbers()};
  const std::tuple b{*rc::gen::element(std::get<0>(a), *numbers()), *numbers(), *numbers()};
  RC_ASSERT((std::apply(quarantine, a) < std::apply(quarantine, b)) == (a < b));
  const auto chunk = [](const auto& of) { return log_chunk(std::get<0>(of), std::get<1>(of)); };
  RC_ASSERT((chunk(a) < chunk(b)) == (std::tuple(std::get<0>(a), std::get<1>(a)) <
                                      std::tuple(std::get<0>(b), std::get<1>(b))));
  const std::string scope = *ids();
  const Seq first = *rc::gen::inRange<Seq>(0, limits::kMaxInteger);
  const Seq second = *rc::gen::inRange<Seq>(0, limits::kMaxInteger);
  RC_ASSERT((change(scope, first) < change(scope, second)) == (first < second));
}

RC_GTEST_PROP(AnyKeys, OfAScopeAreOneRangeInEveryColumn, ()) {
  const std::string scope = *ids();
  const std::string other = *rc::gen::oneOf(ids(), rc::gen::just(scope));
  const std::string first = scope_prefix(scope);
  const std::string end = prefix_end(first);
  const Dot dot{*numbers(), *numbers()};
  for (const std::string& key : {record(other, *ids(), *ids()), change(other, 5),
                                 conflict(other, *ids(), *ids(), *ids(), dot, 0)}) {
    RC_ASSERT((key >= first && (end.empty() || key < end)) == (scope == other));
  }
}

RC_GTEST_PROP(AnyBytes, AreAKeyThatIsWrittenAlikeOrNone, ()) {
  const std::string key = *bytes();
  if (const auto parts = parse_record(key)) {
    RC_ASSERT(record(parts->scope, parts->coll, parts->id) == key);
  }
  if (const auto parts = parse_change(key)) RC_ASSERT(change(parts->scope, parts->seq) == key);
  if (const auto parts = parse_conflict(key)) {
    RC_ASSERT(conflict(parts->record.scope, parts->record.coll, parts->record.id, parts->field,
                       parts->dot, parts->part) == key);
  }
  if (const auto parts = parse_log_chunk(key)) {
    RC_ASSERT(log_chunk(parts->device, parts->last_n) == key);
  }
  if (const auto parts = parse_quarantine(key)) {
    RC_ASSERT(quarantine(parts->device, parts->n, parts->variant) == key);
  }
  if (const auto parts = parse_history(key)) {
    const auto& [scope, coll, id] = parts->record;
    RC_ASSERT(history(record(scope, coll, id), parts->seq) == key);
  }
  if (const auto parts = parse_timer(key)) {
    RC_ASSERT(timer(parts->due_ms, parts->record_key) == key);
  }
  if (const auto parts = parse_match(key)) {
    RC_ASSERT(match(parts->scope, parts->coll, parts->match, parts->id) == key);
  }
  if (const auto device = device_of(key)) {
    RC_ASSERT(account(*device) == key || device_state(*device) == key);
  }
}

RC_GTEST_PROP(AnyBytes, ThatStartWithAPrefixLieBeforeItsEndAndOthersDoNot, ()) {
  const std::string prefix = *rc::gen::nonEmpty(bytes());
  const std::string key = *rc::gen::oneOf(
      bytes(), rc::gen::map(bytes(), [&prefix](const std::string& rest) { return prefix + rest; }));
  const std::string end = prefix_end(prefix);
  RC_ASSERT((key >= prefix && (end.empty() || key < end)) == key.starts_with(prefix));
}

}  // namespace
}  // namespace waystation::keys

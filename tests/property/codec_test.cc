// Random values and random bytes through every decoder.
#include "storage/codec.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "storage/keys.h"
#include "sync/canonical.h"
#include "sync/cursor.h"
#include "sync/limits.h"
#include "sync/replica.h"
#include "sync/schema.h"
#include "sync/wire.h"
#include "tests/support/samples.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

rc::Gen<std::string> bytes() { return rc::gen::container<std::string>(rc::gen::arbitrary<char>()); }
rc::Gen<Seq> seqs() { return rc::gen::inRange<Seq>(0, limits::kMaxInteger + 1); }
rc::Gen<std::int64_t> times() { return rc::gen::arbitrary<std::int64_t>(); }

// A JSON text that nests up to `depth`, with what is hard in it.
std::string json(int depth) {
  const int kind = *rc::gen::inRange(0, depth > 0 ? 9 : 7);
  switch (kind) {
    case 0: return "null";
    case 1: return *rc::gen::arbitrary<bool>() ? "true" : "false";
    case 2: return std::to_string(*rc::gen::inRange(-limits::kMaxInteger, limits::kMaxInteger + 1));
    case 3: {
      std::string number;
      append_json_number(number, *rc::gen::inRange(-100'000, 100'000) / 128.0);
      return number;
    }
    case 4:
      return *rc::gen::element<std::string>(R"("水")", R"("\u6c34")", R"("😀")", R"("\ud83d\ude00")",
                                            R"("\u0000")", "\"e\u0301\"", R"("é")", R"("\"\\\/")",
                                            R"("～")", "1.0", "1e2", "-0", "0.1e-3");
    case 5:
    case 6: {
      std::string text;
      append_json_string(text, *rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127)));
      return text;
    }
    case 7: {
      std::string out = "[";
      for (int i = *rc::gen::inRange(0, 4); i > 0; --i)
        out += json(depth - 1) + (i > 1 ? " , " : "");
      return out + "]";
    }
    default: {
      std::string out = "{";
      for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
        const auto key = *rc::gen::element<std::string>("a", "b", "～", "😀", "水", "");
        out += fmt::format("\n\"{}{}\" : {}{}", key, i, json(depth - 1), i > 1 ? "," : "");
      }
      return out + "}";
    }
  }
}

RC_GTEST_PROP(CanonicalText, OfACanonicalTextIsItself, ()) {
  const std::string text = json(4);
  const auto once = canonicalize(text);
  RC_ASSERT(once.ok());
  const auto twice = canonicalize(*once);
  RC_ASSERT(twice.ok());
  RC_ASSERT(*twice == *once);
}

RC_GTEST_PROP(CanonicalText, OfAnyTextOfCharactersComesBack, ()) {
  const auto points = *rc::gen::container<std::vector<char32_t>>(
      rc::gen::suchThat(rc::gen::inRange<char32_t>(0, 0x110000),
                        [](char32_t c) { return c < 0xD800 || c > 0xDFFF; }));
  std::string utf8;
  for (const char32_t c : points) {
    if (c < 0x80) {
      utf8 += static_cast<char>(c);
    } else if (c < 0x800) {
      utf8 += static_cast<char>(0xC0U | c >> 6U);
      utf8 += static_cast<char>(0x80U | (c & 63U));
    } else if (c < 0x10000) {
      utf8 += static_cast<char>(0xE0U | c >> 12U);
      utf8 += static_cast<char>(0x80U | (c >> 6U & 63U));
      utf8 += static_cast<char>(0x80U | (c & 63U));
    } else {
      utf8 += static_cast<char>(0xF0U | c >> 18U);
      utf8 += static_cast<char>(0x80U | (c >> 12U & 63U));
      utf8 += static_cast<char>(0x80U | (c >> 6U & 63U));
      utf8 += static_cast<char>(0x80U | (c & 63U));
    }
  }
  std::string text;
  append_json_string(text, utf8);
  const auto canonical = canonicalize(text);
  RC_ASSERT(canonical.ok());
  RC_ASSERT(*canonical == text);
}

RC_GTEST_PROP(CanonicalText, SortsAsUtf16AndTotally, ()) {
  const auto texts = *rc::gen::container<std::vector<std::string>>(
      3, rc::gen::element<std::string>("", "a", "～", "😀", "水", "\uE000", "𠮷", "a😀", "a～"));
  const auto less = [&](std::size_t i, std::size_t j) { return utf16_less(texts[i], texts[j]); };
  RC_ASSERT(!(less(0, 1) && less(1, 0)));
  RC_ASSERT(texts[0] == texts[1] || less(0, 1) || less(1, 0));
  RC_ASSERT(!(less(0, 1) && less(1, 2)) || less(0, 2));
}

RC_GTEST_PROP(Cursors, ComeBackAsTheyWere, ()) {
  Cursor cursor;
  cursor.incarnation = *rc::gen::nonZero<std::uint64_t>();
  cursor.base = *seqs();
  if (*rc::gen::arbitrary<bool>()) {
    cursor.target = *rc::gen::inRange<Seq>(std::max<Seq>(cursor.base, 1), limits::kMaxInteger + 1);
    cursor.scope = *bytes();
    cursor.after_key = *bytes();
    cursor.after_seq = *seqs();
  }
  const auto read = decode_cursor(encode_cursor(cursor));
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == cursor);
}

RC_GTEST_PROP(Cursors, OfRandomTextAreRefusedOrWrittenAlike, ()) {
  const auto text = *rc::gen::container<std::string>(
      rc::gen::oneOf(rc::gen::inRange('A', 'Z'), rc::gen::element('A', '-', '_', 'Q', '=')));
  const auto read = decode_cursor(text);
  if (read) RC_ASSERT(encode_cursor(*read) == text);
}

RC_GTEST_PROP(Codecs, OfAccountsGiveBackWhatWasWritten, ()) {
  Account account;
  account.device = *rc::gen::arbitrary<std::uint64_t>();
  account.name = *bytes();
  account.token_hash = *bytes();
  account.enrolled_ms = *times();
  account.code_hash = *bytes();
  account.request_hash = *bytes();
  account.grants = *rc::gen::container<std::vector<Grant>>(rc::gen::build<Grant>(
      rc::gen::set(&Grant::scope, bytes()), rc::gen::set(&Grant::granted, seqs()),
      rc::gen::set(&Grant::left, seqs()), rc::gen::set(&Grant::left_ms, times())));
  account.reset = *seqs();
  account.changed = *seqs();
  std::sort(account.grants.begin(), account.grants.end(), [](const Grant& a, const Grant& b) {
    return std::tie(a.scope, a.granted) < std::tie(b.scope, b.granted);
  });
  account.standing = static_cast<Standing>(*rc::gen::inRange(0, 3));
  account.inactive_ms = *times();
  const auto branches = *rc::gen::container<std::set<std::string>>(bytes());
  account.branches.assign(branches.begin(), branches.end());
  account.full = *rc::gen::arbitrary<bool>();
  account.wipe_ordered_ms = *times();
  account.wipe_now = *rc::gen::arbitrary<bool>();
  account.wiped_ms = *times();
  account.wipe_discarded = *rc::gen::arbitrary<std::uint64_t>();
  account.predecessor = *rc::gen::arbitrary<std::uint64_t>();
  account.successor = *rc::gen::arbitrary<std::uint64_t>();
  const std::string written = encode_account(account);
  const auto read = decode_account(written);
  RC_ASSERT(read.ok());
  RC_ASSERT(read->grants == account.grants);
  RC_ASSERT(read->branches == account.branches);
  RC_ASSERT(read->standing == account.standing);
  RC_ASSERT(read->name == account.name);
  RC_ASSERT(read->enrolled_ms == account.enrolled_ms);
  RC_ASSERT(encode_account(*read) == written);
}

RC_GTEST_PROP(Codecs, OfDeviceStatesGiveBackWhatWasWritten, ()) {
  DeviceState state;
  state.applied = *rc::gen::arbitrary<std::uint64_t>();
  state.refused = *rc::gen::arbitrary<std::uint64_t>();
  state.last_stamp = *seqs();
  state.last_seen_ms = *times();
  state.queued = *rc::gen::arbitrary<std::uint64_t>();
  state.oldest_ms = *times();
  state.app = *bytes();
  state.greeted = *rc::gen::arbitrary<bool>();
  state.clock.enrolled_ms = *times();
  state.clock.skew_ms = *times();
  state.clock.boots = *rc::gen::container<std::vector<BootClock>>(rc::gen::build<BootClock>(
      rc::gen::set(&BootClock::boot, bytes()), rc::gen::set(&BootClock::server_ms, times()),
      rc::gen::set(&BootClock::mono_ms, times())));
  const std::string written = encode_device_state(state);
  const auto read = decode_device_state(written);
  RC_ASSERT(read.ok());
  RC_ASSERT(read->applied == state.applied);
  RC_ASSERT(read->oldest_ms == state.oldest_ms);
  RC_ASSERT(read->clock.boots.size() == state.clock.boots.size());
  RC_ASSERT(encode_device_state(*read) == written);
}

RC_GTEST_PROP(Codecs, OfLogChunksGiveBackWhatWasWritten, ()) {
  LogChunk chunk;
  chunk.first_n = *rc::gen::arbitrary<std::uint64_t>();
  chunk.received_ms = *times();
  chunk.entries = *rc::gen::container<std::vector<LogEntry>>(rc::gen::build<LogEntry>(
      rc::gen::set(&LogEntry::op, bytes()), rc::gen::set(&LogEntry::verdict, bytes()),
      rc::gen::set(&LogEntry::stamp, seqs())));
  const std::string written = encode_log_chunk(chunk);
  const auto read = decode_log_chunk(written);
  RC_ASSERT(read.ok());
  RC_ASSERT(read->entries.size() == chunk.entries.size());
  RC_ASSERT(encode_log_chunk(*read) == written);
}

RC_GTEST_PROP(Codecs, OfDamagedValuesRefuseOrWriteAlike, ()) {
  const Layout& layout = layouts()[*rc::gen::inRange<std::size_t>(0, layouts().size())];
  std::string value = layout.samples[*rc::gen::inRange<std::size_t>(0, layout.samples.size())];
  for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, value.size());
    switch (*rc::gen::inRange(0, 4)) {
      case 0: value[at] = *rc::gen::arbitrary<char>(); break;
      case 1: value.erase(at, *rc::gen::inRange<std::size_t>(0, 5)); break;
      case 2: value.insert(at, *bytes()); break;
      default: value.insert(at, value.substr(at, 8));
    }
    if (value.empty()) value = "\x01";
  }
  Code code = Code::kInternal;
  const auto again = layout.again(value, &code);
  if (again) {
    RC_ASSERT(*again == value);
  } else {
    RC_ASSERT(code == Code::kStoreCorrupt);
  }
}

rc::Gen<std::string> ids() {
  return rc::gen::nonEmpty(rc::gen::container<std::string>(
      rc::gen::element('a', 'b', 'Z', '0', '.', '_', ':', '/', '-', '~')));
}

RC_GTEST_PROP(Keys, ComeApartAgain, ()) {
  const std::string scope = *ids();
  const std::string coll = *ids();
  const std::string id = *ids();
  const std::string field = *ids();
  const Dot dot{*rc::gen::arbitrary<std::uint64_t>(), *rc::gen::arbitrary<std::uint64_t>()};
  const auto part = *rc::gen::arbitrary<std::uint32_t>();
  const std::string key = keys::conflict(scope, coll, id, field, dot, part);
  const auto parts = keys::parse_conflict(key);
  RC_ASSERT(parts.has_value());
  RC_ASSERT(keys::conflict(parts->record.scope, parts->record.coll, parts->record.id, parts->field,
                           parts->dot, parts->part) == key);
  const std::string record = keys::record(scope, coll, id);
  RC_ASSERT(keys::parse_record(record)->id == id);
  RC_ASSERT(key.starts_with(record));
}

RC_GTEST_PROP(Keys, OfAScopeLieInItsRangeAndNoOthersDo, ()) {
  const std::string scope = *ids();
  const std::string other = *ids();
  const std::string key = keys::record(other, *ids(), *ids());
  const std::string first = keys::scope_prefix(scope);
  RC_ASSERT((key >= first && key < keys::prefix_end(first)) == (scope == other));
}

RC_GTEST_PROP(RandomBytes, HarmNoDecoder, ()) {
  const std::string text =
      *rc::gen::oneOf(bytes(), rc::gen::container<std::string>(rc::gen::element(
                                   '{', '}', '[', ']', '"', ':', ',', '1', '-', 'e', '.', '\\', 'u',
                                   'd', '8', '\0', '\xE6', ' ', 'n')));
  (void)decode_frame(text).ok();
  (void)decode_op(text).ok();
  (void)decode_cursor(text).ok();
  (void)Schemas::parse({{"x", text}}).ok();
  (void)Replica("7K3M9QX2PA", "s").receive(text).ok();
  (void)keys::parse_record(text);
  (void)keys::parse_change(text);
  (void)keys::parse_conflict(text);
  (void)keys::parse_quarantine(text);
  (void)keys::parse_log_chunk(text);
  const auto canonical = canonicalize(text);
  if (canonical) RC_ASSERT(*canonicalize(*canonical) == *canonical);
  for (const Layout& layout : layouts()) {
    Code code{};
    const auto again = layout.again(text, &code);
    if (!again) continue;
    // A row of an earlier layout is written in the latest one, and stays as it is from then on.
    if (again->front() == text.front()) RC_ASSERT(*again == text);
    RC_ASSERT(layout.again(*again, &code) == again);
  }
}

RC_GTEST_PROP(RandomFrames, AreDecodedOrRefusedAndTheirOpsReadBackFromTheLog, ()) {
  const std::string value = json(3);
  const std::string base = op(*rc::gen::inRange<std::uint64_t>(1, 1000))
                               .does(fmt::format(R"("set":{{"later":{}}})", value))
                               .json();
  const auto frame = decode_frame(fmt::format(R"({{"push":{{"ops":[{}]}}}})", base));
  RC_ASSERT(frame.ok());
  const Op& first = frame->push->ops[0];
  RC_ASSERT(!first.refusal);
  const auto again = decode_op(first.canonical);
  RC_ASSERT(again.ok());
  RC_ASSERT(again->canonical == first.canonical);
  RC_ASSERT(again->edits[0].values[0].json == first.edits[0].values[0].json);
}

RC_GTEST_PROP(Stamps, AreBetweenWhatWasSeenAndTheSeq, ()) {
  const Seq seq = *rc::gen::inRange<Seq>(1, limits::kMaxInteger);
  const Seq base = *rc::gen::inRange<Seq>(0, seq);
  const Stamp last = *rc::gen::inRange<Stamp>(0, seq);
  const std::int64_t corrected = *rc::gen::inRange<std::int64_t>(0, kEpochMs * 2);
  const Stamp stamp = stamp_for(seq, corrected, base, last);
  RC_ASSERT(stamp <= seq);
  RC_ASSERT(stamp > base);
  RC_ASSERT(stamp > last);
  RC_ASSERT(next_seq(seq, corrected) > seq);
}

}  // namespace
}  // namespace waystation::testing

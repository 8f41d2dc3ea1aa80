// Seqs, stamps, clocks and cursors, whatever the numbers.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "sync/clock.h"
#include "sync/cursor.h"
#include "sync/limits.h"
#include "sync/stamp.h"

namespace waystation::testing {
namespace {

constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t k1970 = 0;
constexpr std::int64_t k2026 = 1'767'225'600'000;
constexpr std::int64_t k2099 = 4'070'908'800'000;

// Any number that the wire takes, and more often one near a moment that matters.
rc::Gen<std::int64_t> walls() {
  return rc::gen::oneOf(
      rc::gen::inRange(-limits::kMaxInteger, limits::kMaxInteger + 1),
      rc::gen::inRange(k1970 - kDay, k1970 + kDay), rc::gen::inRange(kEpochMs - 2, kEpochMs + 3),
      rc::gen::inRange(k2026 - kDay, k2026 + kDay), rc::gen::inRange(kLastMs - 2, kLastMs + 3),
      rc::gen::inRange(k2099 - kDay, k2099 + kDay));
}
rc::Gen<std::int64_t> monos() {
  return rc::gen::oneOf(rc::gen::inRange<std::int64_t>(0, limits::kMaxInteger + 1),
                        rc::gen::inRange<std::int64_t>(0, 30 * kDay));
}
rc::Gen<Seq> seqs() {
  return rc::gen::oneOf(rc::gen::inRange<Seq>(0, limits::kMaxInteger + 1),
                        rc::gen::map(walls(), [](std::int64_t ms) { return seq_from_ms(ms); }));
}
rc::Gen<std::string> boots() { return rc::gen::element<std::string>("b1", "b2", "b3", "lost"); }

Op written(std::int64_t wall_ms, std::int64_t mono_ms, std::string boot) {
  Op op;
  op.wall_ms = wall_ms;
  op.mono_ms = mono_ms;
  op.boot = std::move(boot);
  return op;
}

RC_GTEST_PROP(Seqs, RiseForAnyClock, ()) {
  Seq last = *rc::gen::inRange<Seq>(0, seq_from_ms(kLastMs));
  for (const std::int64_t now : *rc::gen::container<std::vector<std::int64_t>>(walls())) {
    const Seq next = next_seq(last, now);
    RC_ASSERT(next > last);
    RC_ASSERT(next == last + 1 || next == seq_from_ms(now));
    RC_ASSERT(next <= limits::kMaxInteger);
    last = next;
  }
}

RC_GTEST_PROP(Seqs, TellTheirTimeAndKeepItsOrder, ()) {
  const std::int64_t a = *walls();
  const std::int64_t b = *walls();
  RC_ASSERT(ms_from_seq(seq_from_ms(a)) == std::clamp(a, kEpochMs, kLastMs));
  RC_ASSERT(a > b || seq_from_ms(a) <= seq_from_ms(b));
}

RC_GTEST_PROP(Stamps, AreNeverAboveTheSeqAndAboveWhatWasSeen, ()) {
  const Seq seq = *rc::gen::suchThat(seqs(), [](Seq s) { return s > 0; });
  const Seq base = *rc::gen::inRange<Seq>(0, seq);
  const Stamp last = *rc::gen::inRange<Stamp>(0, seq);
  const std::int64_t corrected = *walls();
  const Stamp stamp = stamp_for(seq, corrected, base, last);
  RC_ASSERT(stamp <= seq);
  RC_ASSERT(stamp > base);
  RC_ASSERT(stamp > last);
  // Nothing else raises or lowers it.
  RC_ASSERT(stamp == seq || stamp == base + 1 || stamp == last + 1 ||
            stamp == seq_from_ms(corrected));
}

// A base or a last stamp that lies at or above the seq is a lie; the seq stays the bound.
RC_GTEST_PROP(Stamps, AreNeverAboveTheSeqWhateverIsClaimed, ()) {
  const Seq seq = *seqs();
  RC_ASSERT(stamp_for(seq, *walls(), *seqs(), *seqs()) <= seq);
}

DeviceClock some_clock(std::int64_t now) {
  DeviceClock clock;
  clock.enrolled_ms = *walls();
  std::int64_t at = now - *rc::gen::inRange<std::int64_t>(0, 400 * kDay);
  for (int hellos = *rc::gen::inRange(0, 7); hellos > 0; --hellos) {
    clock.observe(ClockReading{*walls(), *monos(), *boots()}, at);
    at += (now - at) / 2;
  }
  return clock;
}

RC_GTEST_PROP(CorrectedTimes, LieBetweenTheEnrolmentAndNow, ()) {
  const std::int64_t now = *walls();
  const DeviceClock clock = some_clock(now);
  const std::int64_t corrected = clock.corrected_ms(written(*walls(), *monos(), *boots()), now);
  RC_ASSERT(corrected <= now);
  RC_ASSERT(corrected >= std::min(clock.enrolled_ms, now));
}

RC_GTEST_PROP(CorrectedTimes, OfOneBootKeepTheOrderOfItsMonotonicClock, ()) {
  const std::int64_t now = *walls();
  const DeviceClock clock = some_clock(now);
  const std::string boot = *boots();
  RC_PRE(std::any_of(clock.boots.begin(), clock.boots.end(),
                     [&boot](const BootClock& b) { return b.boot == boot; }));
  const std::int64_t first = *monos();
  const std::int64_t second = *rc::gen::inRange(first, limits::kMaxInteger + 1);
  RC_ASSERT(clock.corrected_ms(written(*walls(), first, boot), now) <=
            clock.corrected_ms(written(*walls(), second, boot), now));
}

RC_GTEST_PROP(CorrectedTimes, OfALostBootKeepTheOrderOfItsWallClock, ()) {
  const std::int64_t now = *walls();
  DeviceClock clock = some_clock(now);
  std::erase_if(clock.boots, [](const BootClock& b) { return b.boot == "lost"; });
  const std::int64_t first = *walls();
  const std::int64_t second = *rc::gen::inRange(first, limits::kMaxInteger + 1);
  RC_ASSERT(clock.corrected_ms(written(first, *monos(), "lost"), now) <=
            clock.corrected_ms(written(second, *monos(), "lost"), now));
}

// A phone lives through real time: its wall clock starts anywhere and is set at will, it is
// switched off and on, it says hello now and then. What it wrote in a boot that said hello is
// placed exactly.
RC_GTEST_PROP(CorrectedTimes, AreTheRealOnesWhereTheBootSaidHello, ()) {
  std::int64_t real = k2026;
  std::int64_t wall_off = *walls();
  std::int64_t boot_at = real;
  int boot = 0;
  bool boot_is_known = false;
  DeviceClock clock;
  clock.enrolled_ms = real;
  struct Written {
    Op op;
    std::int64_t real_ms;
    int boot;
  };
  std::vector<Written> queue;
  const auto name = [](int number) { return "b" + std::to_string(number); };
  for (int steps = *rc::gen::inRange(1, 30); steps > 0; --steps) {
    real += *rc::gen::inRange<std::int64_t>(1, kDay);
    switch (*rc::gen::inRange(0, 5)) {
      case 0: wall_off = *walls(); break;
      case 1:
        boot_at = real;
        ++boot;
        boot_is_known = false;
        break;
      case 2:
        clock.observe(ClockReading{real + wall_off, real - boot_at, name(boot)}, real);
        boot_is_known = true;
        queue.clear();
        break;
      default: queue.push_back({written(real + wall_off, real - boot_at, name(boot)), real, boot});
    }
  }
  // At last it is heard.
  real += *rc::gen::inRange<std::int64_t>(1, kDay);
  clock.observe(ClockReading{real + wall_off, real - boot_at, name(boot)}, real);
  for (const Written& one : queue) {
    const std::int64_t corrected = clock.corrected_ms(one.op, real);
    if (one.boot == boot) RC_ASSERT(corrected == one.real_ms);
    RC_ASSERT(corrected >= clock.enrolled_ms && corrected <= real);
  }
  RC_CLASSIFY(boot_is_known);
}

RC_GTEST_PROP(Cursors, OfAnyDamageAreRefused, ()) {
  Cursor cursor;
  cursor.incarnation = *rc::gen::nonZero<std::uint64_t>();
  cursor.base = *rc::gen::inRange<Seq>(0, limits::kMaxInteger);
  if (*rc::gen::arbitrary<bool>()) {
    cursor.target = *rc::gen::inRange<Seq>(std::max<Seq>(cursor.base, 1), limits::kMaxInteger + 1);
    cursor.scope = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
    cursor.after_key = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
    cursor.after_seq = *rc::gen::inRange<Seq>(0, limits::kMaxInteger);
  }
  const std::string text = encode_cursor(cursor);
  const auto read = decode_cursor(text);
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == cursor);
  std::string damaged = text;
  const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
  switch (*rc::gen::inRange(0, 5)) {
    case 0: damaged[at] = *rc::gen::arbitrary<char>(); break;
    case 1: damaged.erase(at, *rc::gen::inRange<std::size_t>(1, 6)); break;
    case 2: damaged.insert(at, 1, *rc::gen::inRange('A', 'Z')); break;
    case 3: std::swap(damaged[at], damaged[(at + 1) % damaged.size()]); break;
    default: damaged += *rc::gen::element<std::string>("A", "=", "AAAA", "\n");
  }
  RC_PRE(damaged != text && !damaged.empty());
  const auto again = decode_cursor(damaged);
  RC_ASSERT(!again.ok());
  RC_ASSERT(again.error().code == Code::kCursorInvalid);
}

}  // namespace
}  // namespace waystation::testing

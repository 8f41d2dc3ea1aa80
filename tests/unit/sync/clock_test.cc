// Stamps and the correction of clocks: docs/merge-rules.md, "Time".
#include "sync/clock.h"

#include <gtest/gtest.h>

#include "sync/limits.h"
#include "sync/stamp.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t k1970 = 1000;
constexpr std::int64_t k2099 = 4'070'908'800'000;

Op written(std::int64_t wall_ms, std::int64_t mono_ms, const std::string& boot) {
  return received(op(1).written(wall_ms).since_boot(boot, mono_ms));
}

TEST(Seqs, CarryTheTimeInTheirUpperBits) {
  EXPECT_EQ(seq_from_ms(kEpochMs), 0);
  EXPECT_EQ(seq_from_ms(kEpochMs + 1), 4096);
  EXPECT_EQ(ms_from_seq(seq_from_ms(kStart)), kStart);
  EXPECT_EQ(ms_from_seq(seq_from_ms(kStart) + 4095), kStart);
  EXPECT_EQ(ms_from_seq(seq_from_ms(kStart) + 4096), kStart + 1);
}

TEST(Seqs, StayWithinWhatADoubleHoldsUntil2093) {
  constexpr std::int64_t kLast = kEpochMs + (std::int64_t{1} << 41) - 1;  // 2093-09-06
  EXPECT_LE(seq_from_ms(kLast) + 4095, limits::kMaxInteger);
}

// What lies beyond is not read back from the store (storage/codec.cc), nor exact in a client.
TEST(Seqs, StayWithinWhatADoubleHoldsWhenTheServersClockIsWrong) {
  EXPECT_LE(next_seq(seq_from_ms(kStart), k2099), limits::kMaxInteger);
}

TEST(Seqs, TakeTimesBeforeTheEpochAsTheEpoch) { EXPECT_EQ(seq_from_ms(k1970), 0); }

TEST(Seqs, RiseWhateverTheClockDoes) {
  const Seq last = seq_from_ms(kStart);
  EXPECT_EQ(next_seq(last, kStart), last + 1);
  EXPECT_EQ(next_seq(last, kStart - kHour), last + 1);
  EXPECT_EQ(next_seq(last, kStart + 1), seq_from_ms(kStart + 1));
  EXPECT_EQ(next_seq(0, k1970), 1);
}

TEST(Stamps, AreTheCorrectedTimeWhereNothingSpeaksAgainstIt) {
  EXPECT_EQ(stamp_for(seq_from_ms(kStart), kStart - kHour, 0, 0), seq_from_ms(kStart - kHour));
}

TEST(Stamps, AreAfterWhatTheAuthorHadSeen) {
  const Seq base = seq_from_ms(kStart - 5);
  EXPECT_EQ(stamp_for(seq_from_ms(kStart), kStart - kHour, base, 0), base + 1);
}

TEST(Stamps, AreAfterTheDevicesLast) {
  const Stamp last = seq_from_ms(kStart - 5);
  EXPECT_EQ(stamp_for(seq_from_ms(kStart), kStart - kHour, 0, last), last + 1);
}

TEST(Stamps, AreNeverAboveTheSeq) {
  const Seq seq = seq_from_ms(kStart);
  EXPECT_EQ(stamp_for(seq, k2099, 0, 0), seq);
  EXPECT_EQ(stamp_for(seq, kStart + 1, seq - 1, seq - 1), seq);
}

TEST(WriteOrders, GoByStampThenDeviceThenNThenPart) {
  EXPECT_LT((WriteOrder{1, 9, 9, 9}), (WriteOrder{2, 1, 1, 1}));
  EXPECT_LT((WriteOrder{1, 1, 9, 9}), (WriteOrder{1, 2, 1, 1}));
  EXPECT_LT((WriteOrder{1, 1, 1, 9}), (WriteOrder{1, 1, 2, 1}));
  EXPECT_LT((WriteOrder{1, 1, 1, 1}), (WriteOrder{1, 1, 1, 2}));
}

class Clocks : public ::testing::Test {
 protected:
  Clocks() { clock.enrolled_ms = kStart - 24 * kHour; }
  DeviceClock clock;
};

TEST_F(Clocks, OfTheSameBootCountFromTheMonotonicClock) {
  clock.observe({kStart, 500'000, "b1"}, kStart);
  EXPECT_EQ(clock.corrected_ms(written(0, 440'000, "b1"), kStart), kStart - 60'000);
}

TEST_F(Clocks, Of1970AreCorrectedAndFlagged) {
  clock.observe({k1970 + 500'000, 500'000, "b1"}, kStart);
  EXPECT_TRUE(clock.wrong());
  EXPECT_EQ(clock.corrected_ms(written(k1970 + 440'000, 440'000, "b1"), kStart), kStart - 60'000);
  EXPECT_EQ(clock.corrected_ms(written(k1970 + 440'000, 0, "before"), kStart), kStart - 60'000);
}

TEST_F(Clocks, Of2099AreCorrectedAndFlagged) {
  clock.observe({k2099, 500'000, "b1"}, kStart);
  EXPECT_TRUE(clock.wrong());
  EXPECT_EQ(clock.corrected_ms(written(k2099 - 60'000, 440'000, "b1"), kStart), kStart - 60'000);
  EXPECT_EQ(clock.corrected_ms(written(k2099 - kHour, 0, "before"), kStart), kStart - kHour);
}

TEST_F(Clocks, WithinTwoMinutesAreNotFlagged) {
  clock.observe({kStart + 120'000, 0, "b1"}, kStart);
  EXPECT_FALSE(clock.wrong());
  clock.observe({kStart - 120'001, 0, "b1"}, kStart);
  EXPECT_TRUE(clock.wrong());
}

TEST_F(Clocks, OfAnEarlierBootAreFoundByTheHelloOfThatBoot) {
  clock.observe({k1970, 100'000, "b1"}, kStart - 2 * kHour);
  clock.observe({kStart, 5'000, "b2"}, kStart);
  // Half an hour after the first hello the machine still ran.
  EXPECT_EQ(clock.corrected_ms(written(0, 100'000 + kHour / 2, "b1"), kStart),
            kStart - 2 * kHour + kHour / 2);
  // And what was written before that hello.
  EXPECT_EQ(clock.corrected_ms(written(0, 40'000, "b1"), kStart), kStart - 2 * kHour - 60'000);
}

TEST_F(Clocks, OfAnUnknownBootAreShiftedByTheSkewOfTheLastHello) {
  clock.observe({kStart - kHour, 5'000, "b2"}, kStart);
  EXPECT_EQ(clock.corrected_ms(written(kStart - 3 * kHour, 77, "lost"), kStart),
            kStart - 2 * kHour);
}

TEST_F(Clocks, KnowTheLatestBootsOnly) {
  for (int i = 0; i < 10; ++i) {
    clock.observe({kStart + i, 0, "b" + std::to_string(i)}, kStart + i);
  }
  ASSERT_EQ(clock.boots.size(), limits::kBootsPerDevice);
  EXPECT_EQ(clock.boots.front().boot, "b6");
  EXPECT_EQ(clock.boots.back().boot, "b9");
}

TEST_F(Clocks, KeepOneReadingForEachBoot) {
  clock.observe({kStart, 0, "b1"}, kStart);
  clock.observe({kStart, 0, "b2"}, kStart);
  clock.observe({kStart, 60'000, "b1"}, kStart + 60'000);
  ASSERT_EQ(clock.boots.size(), 2U);
  EXPECT_EQ(clock.boots.back().boot, "b1");
  EXPECT_EQ(clock.boots.back().mono_ms, 60'000);
}

TEST_F(Clocks, NeverPlaceAnOpAfterNow) {
  clock.observe({kStart, 1000, "b1"}, kStart);
  EXPECT_EQ(clock.corrected_ms(written(0, 900'000, "b1"), kStart), kStart);
  EXPECT_EQ(clock.corrected_ms(written(k2099, 0, "lost"), kStart), kStart);
}

TEST_F(Clocks, NeverPlaceAnOpBeforeTheEnrolment) {
  clock.observe({kStart, 1000, "b1"}, kStart);
  EXPECT_EQ(clock.corrected_ms(written(k1970, 0, "lost"), kStart), clock.enrolled_ms);
}

TEST_F(Clocks, SurviveAServerClockThatWentBackBehindTheEnrolment) {
  const std::int64_t now = clock.enrolled_ms - kHour;
  clock.observe({now, 1000, "b1"}, now);
  EXPECT_EQ(clock.corrected_ms(written(now, 1000, "b1"), now), now);
}

// Through the applier: the log tells the stamp.
class AuthoredTimes : public ::testing::Test {
 protected:
  AuthoredTimes() : phone(world.enroll({"t"})) { world.now = kStart + 24 * kHour; }
  [[nodiscard]] std::int64_t last_authored() const {
    return ms_from_seq(world.log(phone).back().stamp);
  }
  World world;
  std::uint64_t phone;
};

TEST_F(AuthoredTimes, OfADeviceThatThinksItIs1970) {
  world.hello(phone, {k1970 + 900'000, 900'000, "b1"});
  world.push(phone, {op(1).written(k1970).since_boot("b1", 300'000)});
  EXPECT_EQ(last_authored(), world.now - 600'000);
  EXPECT_TRUE(world.state(phone)->clock.wrong());
}

TEST_F(AuthoredTimes, OfADeviceThatThinksItIs2099AreNotInTheFuture) {
  world.hello(phone, {k2099, 900'000, "b1"});
  world.push(phone, {op(1).written(k2099).since_boot("b1", 300'000)});
  EXPECT_EQ(last_authored(), world.now - 600'000);
}

TEST_F(AuthoredTimes, OfADeviceWhoseClockWasSetBackStayInItsOrder) {
  world.hello(phone, {world.now, 900'000, "b2"});
  world.push(phone, {op(1).written(world.now - 1000), op(2).written(world.now - kHour),
                     op(3).written(world.now - 500)});
  const auto log = world.log(phone);
  EXPECT_EQ(log[1].stamp, log[0].stamp + 1);
  EXPECT_EQ(ms_from_seq(log[2].stamp), world.now - 500);
}

TEST_F(AuthoredTimes, AreKeptOverARestartOfTheServer) {
  world.hello(phone, {k1970, 900'000, "b1"});
  world.push(phone, {op(1).since_boot("b1", 900'000)});
  world.reopen();
  world.now += kHour;
  world.push(phone, {op(2).since_boot("b1", 900'000 + kHour / 2)});
  EXPECT_EQ(last_authored(), world.now - kHour / 2);
}

TEST_F(AuthoredTimes, TheLogOfAnEventShowsThem) {
  world.hello(phone, {k1970, 900'000, "b1"});
  world.push(phone, {op(1)
                         .on("event", "e1")
                         .since_boot("b1", 600'000)
                         .does(R"("append":{"remarks":["水不够"]})")});
  EXPECT_EQ(world.visible("event", "e1"), R"({"remarks":[{"at":)" +
                                              std::to_string(world.now - 300'000) +
                                              R"(,"by":"0000000002","v":"水不够"}]})");
}

}  // namespace
}  // namespace waystation::testing

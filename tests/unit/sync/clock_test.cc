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

TEST_F(Clocks, SetBackAndForthWhileOfflineDoNotMoveWhatWasWritten) {
  clock.observe({kStart - 20 * kHour, 1000, "b1"}, kStart - 20 * kHour);
  // 1970, 2099, right again, an hour behind: the machine ran through all of it.
  const std::vector<std::int64_t> walls{k1970, k2099, kStart - 17 * kHour, kStart - 17 * kHour};
  clock.observe({k2099, 1000 + 20 * kHour, "b1"}, kStart);
  for (std::size_t i = 0; i < walls.size(); ++i) {
    const auto hours = static_cast<std::int64_t>(i) + 1;
    EXPECT_EQ(clock.corrected_ms(written(walls[i], 1000 + hours * kHour, "b1"), kStart),
              kStart - (20 - hours) * kHour);
  }
}

TEST_F(Clocks, OfAMachineThatWasSwitchedOffBetweenEditsPlaceBothSides) {
  clock.observe({kStart - 10 * kHour, 8 * kHour, "b1"}, kStart - 10 * kHour);
  clock.observe({kStart, 1 * kHour, "b2"}, kStart);
  EXPECT_EQ(clock.corrected_ms(written(0, 9 * kHour, "b1"), kStart), kStart - 9 * kHour);
  EXPECT_EQ(clock.corrected_ms(written(0, kHour / 2, "b2"), kStart), kStart - kHour / 2);
  // A monotonic clock that starts anew does not make the second look older.
  EXPECT_LT(clock.corrected_ms(written(0, 9 * kHour, "b1"), kStart),
            clock.corrected_ms(written(0, kHour / 2, "b2"), kStart));
}

TEST_F(Clocks, ThatLostTheirBatteryAtARebootAreShiftedTogether) {
  // Wakes up in 1970, and writes; says hello two hours later, still in 1970, after another reboot.
  clock.observe({k1970 + 2 * kHour, 60'000, "b3"}, kStart);
  EXPECT_EQ(clock.corrected_ms(written(k1970, 5'000, "b2"), kStart), kStart - 2 * kHour);
  EXPECT_EQ(clock.corrected_ms(written(k1970 + kHour, 9'000, "b2"), kStart), kStart - kHour);
}

// A wall clock tells instants; what a traveller sets is only how they are shown.
TEST_F(Clocks, OfATravellerAreNotMovedByTheTimeZone) {
  clock.observe({kStart - 2 * kHour, 1000, "b1"}, kStart - 2 * kHour);
  const std::int64_t in_shanghai =
      clock.corrected_ms(written(kStart - kHour, 1000 + kHour, "b1"), kStart);
  clock.observe({kStart, 1000 + 2 * kHour, "b1"}, kStart);  // in Tokyo
  EXPECT_EQ(clock.skew_ms, 0);
  EXPECT_FALSE(clock.wrong());
  EXPECT_EQ(clock.corrected_ms(written(kStart - kHour, 1000 + kHour, "b1"), kStart), in_shanghai);
  EXPECT_EQ(clock.corrected_ms(written(kStart - kHour, 5, "lost"), kStart), in_shanghai);
}

// One whose owner moves the clock itself by the hour that the zone differs is wrong, and corrected.
TEST_F(Clocks, ThatAreSetToLocalTimeByHandAreFlaggedAndCorrected) {
  clock.observe({kStart + kHour, 1000, "b1"}, kStart);
  EXPECT_TRUE(clock.wrong());
  EXPECT_EQ(clock.corrected_ms(written(kStart + kHour - 60'000, 5, "lost"), kStart),
            kStart - 60'000);
}

// --- a leap day -------------------------------------------------------------------------------

constexpr std::int64_t kLeapDay = 1'835'395'200'000;  // 2028-02-29T00:00:00Z
constexpr std::int64_t kDay = 24 * kHour;

TEST(LeapDays, AreDaysAsAnyInStamps) {
  EXPECT_EQ(ms_from_seq(seq_from_ms(kLeapDay)), kLeapDay);
  EXPECT_EQ(seq_from_ms(kLeapDay + kDay) - seq_from_ms(kLeapDay), kDay << kCounterBits);
  const Seq last_of_28th = next_seq(0, kLeapDay - 1);
  const Seq first_of_29th = next_seq(last_of_28th, kLeapDay);
  const Seq first_of_march = next_seq(first_of_29th, kLeapDay + kDay);
  EXPECT_EQ(first_of_29th, seq_from_ms(kLeapDay));
  EXPECT_EQ(ms_from_seq(first_of_march) - ms_from_seq(first_of_29th), kDay);
}

TEST(LeapDays, AreNotJumpedOverByAClock) {
  DeviceClock clock;
  clock.enrolled_ms = kLeapDay - 10 * kDay;
  clock.observe({kLeapDay - kDay, 1000, "b1"}, kLeapDay - kDay);
  const std::int64_t march = kLeapDay + kDay + kHour;
  EXPECT_EQ(clock.corrected_ms(written(0, 1000 + kDay + kHour, "b1"), march), kLeapDay + kHour);
}

TEST(LeapDays, AreTakenInDatesAndTimes) {
  const auto taken = [](const std::string& coll, const std::string& id, const std::string& edits) {
    return !received(op(1).on(coll, id).does(edits)).refusal;
  };
  EXPECT_TRUE(taken("event", "e1", R"("set":{"starts":"2028-02-29T08:30:00+08:00"})"));
  EXPECT_TRUE(taken("event", "e1", R"("set":{"ends":"2028-02-29T23:59:59.999Z"})"));
  EXPECT_TRUE(taken("station_day", "s~2028-02-29", R"("set":{"day":"2028-02-29"})"));
  EXPECT_FALSE(taken("event", "e1", R"("set":{"starts":"2027-02-29T08:30:00+08:00"})"));
  EXPECT_FALSE(taken("event", "e1", R"("set":{"starts":"2028-02-30T08:30:00+08:00"})"));
  EXPECT_FALSE(taken("station_day", "s~2100-02-29", R"("set":{"day":"2100-02-29"})"));
}

// The same instant in two zones, and a local day that is not the day in UTC.
TEST(TimesOfFields, CarryTheirOffset) {
  const auto taken = [](const std::string& time) {
    return !received(op(1).on("event", "e1").does(R"("set":{"starts":")" + time + R"("})")).refusal;
  };
  EXPECT_TRUE(taken("2028-03-01T00:30:00+08:00"));
  EXPECT_TRUE(taken("2028-03-01T01:30:00+09:00"));
  EXPECT_TRUE(taken("2028-02-29T16:30:00Z"));
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

TEST_F(AuthoredTimes, OfADeviceWhoseClockJumpedBackAndForthWhileOfflineAreTheRealOnes) {
  world.hello(phone, {world.now, 1000, "b1"});
  world.now += 4 * kHour;
  world.hello(phone, {k1970, 1000 + 4 * kHour, "b1"});
  world.push(phone, {op(1).written(k2099).since_boot("b1", 1000 + kHour),
                     op(2).written(k1970).since_boot("b1", 1000 + 2 * kHour),
                     op(3).written(world.now).since_boot("b1", 1000 + 3 * kHour)});
  const auto log = world.log(phone);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(ms_from_seq(log[i].stamp), world.now - (3 - static_cast<std::int64_t>(i)) * kHour);
  }
}

TEST_F(AuthoredTimes, OfADeviceThatWasSwitchedOffBetweenItsEditsStayInOrder) {
  world.hello(phone, {world.now, 50 * kHour, "b1"});
  world.now += 4 * kHour;
  world.hello(phone, {world.now, kHour, "b2"});
  world.push(phone, {op(1).since_boot("b1", 51 * kHour), op(2).since_boot("b2", kHour / 2)});
  const auto log = world.log(phone);
  EXPECT_EQ(ms_from_seq(log[0].stamp), world.now - 3 * kHour);
  EXPECT_EQ(ms_from_seq(log[1].stamp), world.now - kHour / 2);
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

// Active, draining, closed; an order to wipe; a new phone in the place of an old one; codes.
#include <gtest/gtest.h>

#include "storage/applier.h"
#include "storage/keys.h"
#include "storage/lists.h"
#include "sync/digest.h"
#include "sync/limits.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

constexpr std::int64_t kHour = 3'600'000;

class StandingOf : public ::testing::Test {
 protected:
  StandingOf() : phone(world.enroll({"t"})) { world.now = kStart + 10 * kHour; }
  std::string writes(std::int64_t wall) {
    return world.push(phone, {op(++n).written(wall)}).codes();
  }
  [[nodiscard]] AccountPtr account() const { return world.store().accounts().find(phone); }
  // What it is told when it says hello, or that it has wiped itself.
  Result<ExchangeRequest::Reply> says(bool hello, std::optional<Wiped> wiped = std::nullopt) {
    Result<ExchangeRequest::Reply> answer = Error{Code::kInternal, "never answered"};
    ExchangeRequest request;
    request.device = phone;
    if (hello) request.hello = Hello{};
    request.wiped = wiped;
    request.done = [&](Result<ExchangeRequest::Reply> reply) { answer = std::move(reply); };
    std::vector<Request> group;
    group.emplace_back(std::move(request));
    world.apply(group);
    return answer;
  }

  mutable World world;
  std::uint64_t phone;
  std::uint64_t n = 0;
};

TEST_F(StandingOf, ADrainingDeviceHandsInWhatItWroteBefore) {
  ASSERT_TRUE(world.stand(phone, Standing::kDraining).ok());
  EXPECT_EQ(account()->inactive_ms, world.now);
  world.now += kHour;
  EXPECT_EQ(writes(kStart + 10 * kHour), "ok");
  EXPECT_EQ(writes(kStart + 10 * kHour + 1), "device.draining");
  EXPECT_EQ(writes(kStart), "ok");
  ASSERT_EQ(world.quarantine().size(), 1U);
  EXPECT_EQ(world.quarantine()[0].row.code, "device.draining");
  EXPECT_NE(says(true)->welcome.find(R"("draining":true)"), std::string::npos);
}

TEST_F(StandingOf, AWrongClockDoesNotMoveAnOpToBeforeTheDraining) {
  ASSERT_TRUE(world.stand(phone, Standing::kDraining).ok());
  world.now += 10 * kHour;
  world.hello(phone, {kStart - 1000 * kHour, 5 * kHour, "b1"});
  EXPECT_EQ(
      world.push(phone, {op(1).written(kStart - 1001 * kHour).since_boot("b1", 4 * kHour)}).codes(),
      "device.draining");
}

TEST_F(StandingOf, RestoredItIsHeardAgain) {
  ASSERT_TRUE(world.revoke(phone).ok());
  EXPECT_EQ(writes(world.now), "auth.revoked");
  n = 0;
  ASSERT_TRUE(world.stand(phone, Standing::kActive).ok());
  EXPECT_EQ(writes(world.now), "ok");
  EXPECT_EQ(account()->inactive_ms, 0);
}

TEST_F(StandingOf, ClosedAndThenDrainingKeepsTheTimeAtWhichItsWorkEnded) {
  ASSERT_TRUE(world.revoke(phone).ok());
  const std::int64_t then = world.now;
  world.now += kHour;
  ASSERT_TRUE(world.stand(phone, Standing::kDraining).ok());
  EXPECT_EQ(account()->inactive_ms, then);
  EXPECT_EQ(writes(then), "ok");
  EXPECT_EQ(writes(then + 1), "device.draining");
}

TEST_F(StandingOf, AChangeSurvivesACrash) {
  ASSERT_TRUE(world.stand(phone, Standing::kDraining).ok());
  world.disk().crash();
  world.reopen();
  EXPECT_EQ(account()->standing, Standing::kDraining);
}

// --- wipe -------------------------------------------------------------------------------------

TEST_F(StandingOf, AnOrderToWipeDrainsAndIsToldAtEveryHelloUntilItIsConfirmed) {
  ASSERT_TRUE(world.wipe(phone).ok());
  EXPECT_EQ(account()->standing, Standing::kDraining);
  const std::int64_t ordered = world.now;
  for (int i = 0; i < 2; ++i) {
    world.disk().crash();
    world.reopen();
    const auto told = says(true);
    ASSERT_TRUE(told.ok());
    EXPECT_EQ(told->wipe, encode_wipe({ordered, false}));
    EXPECT_FALSE(told->welcome.empty());
  }
  EXPECT_EQ(writes(ordered), "ok");  // what waits is handed in first
  world.now += kHour;
  const auto thanked = says(true, Wiped{3});
  ASSERT_TRUE(thanked.ok());
  EXPECT_EQ(thanked->wiped, encode_wiped(world.now));
  EXPECT_TRUE(account()->closed());
  EXPECT_EQ(account()->wiped_ms, world.now);
  EXPECT_EQ(account()->wipe_discarded, 3U);
}

TEST_F(StandingOf, AnOrderStandsForADeviceThatIsClosedMeanwhile) {
  ASSERT_TRUE(world.wipe(phone).ok());
  const std::int64_t ordered = world.now;
  ASSERT_TRUE(world.revoke(phone).ok());
  const auto told = says(true);
  ASSERT_TRUE(told.ok());
  EXPECT_EQ(told->wipe, encode_wipe({ordered, true}));
  EXPECT_TRUE(told->welcome.empty());
  EXPECT_TRUE(told->closed);
  EXPECT_EQ(writes(kStart), "auth.revoked");
  ASSERT_TRUE(says(true, Wiped{}).ok());
  EXPECT_FALSE(account()->wipe_due());
  EXPECT_EQ(says(true).error().code, Code::kAuthRevoked);
}

TEST_F(StandingOf, AConfirmationWhoseAnswerWasLostIsAnsweredAsTheFirstTime) {
  ASSERT_TRUE(world.wipe(phone, true).ok());
  const auto first = says(true, Wiped{2});
  world.now += kHour;
  const auto again = says(true, Wiped{9});
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(again->wiped, first->wiped);
  EXPECT_EQ(account()->wipe_discarded, 2U);
}

TEST_F(StandingOf, ADeviceMaySignOutByItselfUnlessItIsShutOut) {
  ASSERT_TRUE(world.revoke(phone).ok());
  EXPECT_EQ(says(true, Wiped{}).error().code, Code::kAuthRevoked);
  ASSERT_TRUE(world.stand(phone, Standing::kActive).ok());
  EXPECT_TRUE(says(true, Wiped{}).ok());
  EXPECT_TRUE(account()->closed());
  EXPECT_EQ(account()->wiped_ms, world.now);
}

TEST_F(StandingOf, AtOnceCanBeAddedAndRestoringTakesAnOrderBack) {
  ASSERT_TRUE(world.wipe(phone).ok());
  const std::int64_t ordered = world.now;
  world.now += kHour;
  ASSERT_TRUE(world.wipe(phone, true).ok());
  EXPECT_EQ(says(true)->wipe, encode_wipe({ordered, true}));
  ASSERT_TRUE(world.stand(phone, Standing::kActive).ok());
  EXPECT_TRUE(says(true)->wipe.empty());
}

TEST_F(StandingOf, AWipedDeviceIsNotRestored) {
  ASSERT_TRUE(world.wipe(phone).ok());
  ASSERT_TRUE(says(true, Wiped{}).ok());
  EXPECT_EQ(world.stand(phone, Standing::kActive).error().code, Code::kDeviceWiped);
  // Nor drained: it would hand in ops again, and no order to wipe would reach it any more.
  EXPECT_EQ(world.stand(phone, Standing::kDraining).error().code, Code::kDeviceWiped);
  EXPECT_TRUE(world.stand(phone, Standing::kClosed).ok());
}

// --- a new phone ------------------------------------------------------------------------------

class NewPhone : public StandingOf {
 protected:
  Status code_for(std::uint64_t device) {
    CodeRow row{{}, "", 1, world.now + kHour};
    row.replaces = device;
    return world.make_code("new phone", row);
  }
};

TEST_F(NewPhone, F21_TakesOverTheBranchesAndTheOldOneDrains) {
  ASSERT_EQ(writes(world.now), "ok");
  ASSERT_TRUE(code_for(phone).ok());
  world.have_scope("u");
  ASSERT_TRUE(world.set_scopes(phone, {"t", "u"}).ok());  // as of the enrolment, not of the code
  const auto fresh = world.enroll_with("new phone", "request", 77);
  ASSERT_TRUE(fresh.ok());
  EXPECT_EQ((*fresh)->branches, (std::vector<std::string>{"t", "u"}));
  EXPECT_EQ((*fresh)->predecessor, phone);
  EXPECT_EQ((*fresh)->name, "a phone");
  EXPECT_EQ(account()->successor, 77U);
  EXPECT_EQ(account()->standing, Standing::kDraining);
  EXPECT_EQ(world.state(phone)->applied, 1U);
  EXPECT_EQ(writes(world.now), "ok");
  const auto shown = describe_device(world.store(), *account());
  ASSERT_TRUE(shown.ok());
  EXPECT_NE(shown->find(R"("replaced_by":"000000002D")"), std::string::npos);
}

TEST_F(NewPhone, OfADeviceThatIsClosedLeavesItClosed) {
  ASSERT_TRUE(world.revoke(phone).ok());
  ASSERT_TRUE(code_for(phone).ok());
  ASSERT_TRUE(world.enroll_with("new phone", "request", 77).ok());
  EXPECT_TRUE(account()->closed());
}

TEST_F(NewPhone, ReplacesOnlyOnce) {
  ASSERT_TRUE(code_for(phone).ok());
  CodeRow second{{}, "", 1, world.now + kHour};
  second.replaces = phone;
  ASSERT_TRUE(world.make_code("second", second).ok());
  ASSERT_TRUE(world.enroll_with("new phone", "request", 77).ok());
  EXPECT_EQ(world.enroll_with("second", "another", 78).error().code, Code::kCodeUsed);
  EXPECT_EQ(code_for(phone).error().code, Code::kDeviceReplaced);
  EXPECT_EQ(code_for(999).error().code, Code::kAuthUnknownDevice);
}

TEST_F(NewPhone, AfterALostAnswerIsTheSameDevice) {
  ASSERT_TRUE(code_for(phone).ok());
  ASSERT_TRUE(world.enroll_with("new phone", "request", 77, "first").ok());
  const auto again = world.enroll_with("new phone", "request", 78, "second");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->device, 77U);
  EXPECT_EQ((*again)->predecessor, phone);
}

// --- codes ------------------------------------------------------------------------------------

class EnrolmentCodes : public StandingOf {
 protected:
  Status withdraw(const std::string& id) {
    Status answer = Error{Code::kInternal, "never answered"};
    std::vector<Request> group;
    group.emplace_back(WithdrawRequest{id, [&](Status status) { answer = std::move(status); }});
    world.apply(group);
    return answer;
  }
  [[nodiscard]] std::string listed() const { return *list_codes(world.store(), world.now); }
  [[nodiscard]] static std::string id(const std::string& code) { return code_id(sha256(code)); }
};

TEST_F(EnrolmentCodes, AreListedWithoutTheirSecretUntilUsedOrExpired) {
  ASSERT_TRUE(world.make_code("one", {{"t"}, "平板", 2, world.now + kHour}).ok());
  EXPECT_NE(listed().find(id("one")), std::string::npos);
  EXPECT_NE(listed().find("平板"), std::string::npos);
  ASSERT_TRUE(world.enroll_with("one", "a", 77).ok());
  EXPECT_NE(listed().find(R"("uses":1)"), std::string::npos);
  ASSERT_TRUE(world.enroll_with("one", "b", 78).ok());
  EXPECT_EQ(listed(), R"({"codes":[]})");
  ASSERT_TRUE(world.make_code("two", {{"t"}, "", 1, world.now + kHour}).ok());
  world.now += kHour;
  EXPECT_EQ(listed(), R"({"codes":[]})");
}

TEST_F(EnrolmentCodes, CanBeWithdrawn) {
  ASSERT_TRUE(world.make_code("one", {{"t"}, "", 1, world.now + kHour}).ok());
  ASSERT_TRUE(withdraw(id("one")).ok());
  EXPECT_EQ(world.enroll_with("one", "a", 77).error().code, Code::kCodeInvalid);
  EXPECT_EQ(withdraw(id("one")).error().code, Code::kHttpNotFound);
  world.reopen();
  EXPECT_EQ(world.enroll_with("one", "a", 77).error().code, Code::kCodeInvalid);
}

TEST_F(EnrolmentCodes, AreSweptADayAfterTheyExpired) {
  ASSERT_TRUE(world.make_code("one", {{"t"}, "", 1, world.now + kHour}).ok());
  const auto kept = [&] {
    std::string row;
    return *world.store().kv().get(Column::kDevices, keys::code(sha256("one")), row);
  };
  world.now += 24 * kHour;
  world.have_scope("t");
  EXPECT_EQ(world.enroll_with("one", "a", 77).error().code, Code::kCodeExpired);
  EXPECT_TRUE(kept());
  world.now += kHour;
  ASSERT_TRUE(world.stand(phone, Standing::kDraining).ok());
  EXPECT_FALSE(kept());
  EXPECT_EQ(world.enroll_with("one", "a", 77).error().code, Code::kCodeInvalid);
}

TEST_F(EnrolmentCodes, AreBounded) {
  std::vector<Request> group;
  for (std::size_t i = 0; i < limits::kCodes; ++i) {
    group.emplace_back(
        CodeRequest{sha256(std::to_string(i)), {{"t"}, "", 1, world.now + kHour}, [](auto) {}});
  }
  world.apply(group);
  const CodeRow row{{"t"}, "", 1, world.now + kHour};
  EXPECT_EQ(world.make_code("more", row).error().code, Code::kCodeTooMany);
  ASSERT_TRUE(world.enroll_with("5", "a", 77).ok());
  EXPECT_TRUE(world.make_code("more", row).ok());  // in the place of the one that was used
  EXPECT_EQ(world.make_code("and more", row).error().code, Code::kCodeTooMany);
}

}  // namespace
}  // namespace waystation::testing

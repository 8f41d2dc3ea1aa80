// Enrolment, scopes, revocation: what the office decides, and who may write what.
#include <gtest/gtest.h>

#include "storage/applier.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

constexpr std::int64_t kHour = 3'600'000;

class Enrolling : public ::testing::Test {
 protected:
  Status code(std::uint64_t uses = 1) {
    return world.make_code("code", CodeRow{{"t"}, "前台平板", uses, world.now + kHour});
  }
  World world;
};

TEST_F(Enrolling, GivesADeviceTheScopesAndTheNameOfTheCode) {
  ASSERT_TRUE(code().ok());
  const auto account = world.enroll_with("code", "request", 77);
  ASSERT_TRUE(account.ok());
  EXPECT_EQ((*account)->device, 77U);
  EXPECT_EQ((*account)->name, "前台平板");
  EXPECT_EQ((*account)->scopes(), std::vector<std::string>{"t"});
  EXPECT_EQ((*account)->enrolled_ms, world.now);
  EXPECT_EQ((*account)->token_hash, sha256("secret"));
  EXPECT_EQ(world.store().accounts().find(77), *account);
}

TEST_F(Enrolling, IsSynced) {
  ASSERT_TRUE(code().ok());
  const std::size_t before = world.disk().synced_writes();
  ASSERT_TRUE(world.enroll_with("code", "request", 77).ok());
  EXPECT_EQ(world.disk().synced_writes(), before + 1);
  world.disk().crash();
  world.reopen();
  EXPECT_NE(world.store().accounts().find(77), nullptr);
}

TEST_F(Enrolling, AgainAfterALostAnswerGivesTheSameDeviceANewToken) {
  ASSERT_TRUE(code().ok());
  ASSERT_TRUE(world.enroll_with("code", "request", 77, "first").ok());
  const auto again = world.enroll_with("code", "request", 78, "second");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->device, 77U);
  EXPECT_EQ((*again)->token_hash, sha256("second"));
  EXPECT_EQ(world.store().accounts().find(78), nullptr);
}

TEST_F(Enrolling, AgainWorksAfterARestartAndAfterTheCodeExpired) {
  ASSERT_TRUE(code().ok());
  ASSERT_TRUE(world.enroll_with("code", "request", 77, "first").ok());
  world.reopen();
  world.now += 2 * kHour;
  const auto again = world.enroll_with("code", "request", 78, "second");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->device, 77U);
}

TEST_F(Enrolling, AgainIsOverOnceTheDeviceHasSaidHello) {
  ASSERT_TRUE(code().ok());
  ASSERT_TRUE(world.enroll_with("code", "request", 77, "first").ok());
  world.hello(77, {world.now, 0, "b1"});
  const auto again = world.enroll_with("code", "request", 78, "second");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Code::kCodeUsed);
  EXPECT_EQ(world.store().accounts().find(77)->token_hash, sha256("first"));
}

TEST_F(Enrolling, AgainIsOverForADeviceThatWasRevoked) {
  ASSERT_TRUE(code().ok());
  ASSERT_TRUE(world.enroll_with("code", "request", 77).ok());
  ASSERT_TRUE(world.revoke(77).ok());
  EXPECT_EQ(world.enroll_with("code", "request", 78).error().code, Code::kCodeUsed);
}

TEST_F(Enrolling, WithAUsedCodeIsRefused) {
  ASSERT_TRUE(code().ok());
  ASSERT_TRUE(world.enroll_with("code", "request", 77).ok());
  EXPECT_EQ(world.enroll_with("code", "another request", 78).error().code, Code::kCodeUsed);
}

TEST_F(Enrolling, WithACodeForTwoTakesTwo) {
  ASSERT_TRUE(code(2).ok());
  EXPECT_TRUE(world.enroll_with("code", "one", 77).ok());
  EXPECT_TRUE(world.enroll_with("code", "two", 78).ok());
  EXPECT_EQ(world.enroll_with("code", "three", 79).error().code, Code::kCodeUsed);
}

TEST_F(Enrolling, WithAnExpiredCodeIsRefused) {
  ASSERT_TRUE(code().ok());
  world.now += kHour;
  EXPECT_EQ(world.enroll_with("code", "request", 77).error().code, Code::kCodeExpired);
}

TEST_F(Enrolling, WithAnUnknownCodeIsRefused) {
  EXPECT_EQ(world.enroll_with("no code", "request", 77).error().code, Code::kCodeInvalid);
}

TEST_F(Enrolling, TwoInOneGroupWithACodeForOneTakesOne) {
  ASSERT_TRUE(code().ok());
  std::vector<std::string> told;
  std::vector<Request> group;
  for (const std::uint64_t device : {77, 78}) {
    EnrollRequest request;
    request.code_hash = sha256("code");
    request.request_hash = sha256(std::to_string(device));
    request.new_device = device;
    request.done = [&told](const auto& reply) {
      told.emplace_back(reply.ok() ? "ok" : name(reply.error().code));
    };
    group.emplace_back(std::move(request));
  }
  world.apply(group);
  std::sort(told.begin(), told.end());
  EXPECT_EQ(told, (std::vector<std::string>{"code.used", "ok"}));
}

TEST_F(Enrolling, WithACodeOfTheSameGroupWorks) {
  std::vector<std::string> told;
  std::vector<Request> group;
  group.emplace_back(CodeRequest{sha256("new"), {{"t"}, "", 1, world.now + kHour}, [](auto) {}});
  EnrollRequest request;
  request.code_hash = sha256("new");
  request.request_hash = sha256("r");
  request.new_device = 77;
  request.done = [&](const auto& reply) { told.emplace_back(reply.ok() ? "ok" : "no"); };
  group.emplace_back(std::move(request));
  world.apply(group);
  EXPECT_EQ(told, std::vector<std::string>{"ok"});
}

TEST_F(Enrolling, IsNotAnsweredWhenTheSyncFails) {
  ASSERT_TRUE(code().ok());
  world.disk().fail_after(0);
  EXPECT_EQ(world.enroll_with("code", "request", 77).error().code, Code::kStoreReadOnly);
  world.disk().crash();
  world.reopen();
  EXPECT_EQ(world.store().accounts().find(77), nullptr);
  EXPECT_TRUE(world.enroll_with("code", "request", 78).ok());
}

TEST_F(Enrolling, ACodeOfABackupIsGoodForNothingAfterItIsRestored) {
  ASSERT_TRUE(code().ok());
  const auto backup = world.back_up();
  ASSERT_TRUE(world.enroll_with("code", "request", 77).ok());
  world.restore(*backup);
  EXPECT_EQ(world.enroll_with("code", "another", 78).error().code, Code::kCodeInvalid);
}

TEST_F(Enrolling, ACodeForAScopeThatDoesNotExistIsNotMade) {
  const Status made = world.make_code("code", {{"nowhere"}, "", 1, world.now + kHour});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, Code::kScopeUnknown);
}

// --- scopes -----------------------------------------------------------------------------------

class Scopes : public ::testing::Test {
 protected:
  Scopes() : phone(world.enroll({"t"})) { world.have_scope("u"); }

  std::string writes(const OpText& text) {
    OpText numbered = text;
    numbered.n = ++n;
    return world.push(phone, {numbered}).codes();
  }

  World world;
  std::uint64_t phone;
  std::uint64_t n = 0;
};

TEST_F(Scopes, ADeviceWritesWhatItHolds) {
  EXPECT_EQ(writes(op(0)), "ok");
  EXPECT_EQ(writes(op(0).in("u")), "scope.forbidden");
  EXPECT_EQ(writes(op(0).in("v")), "scope.forbidden") << "as one that is not there";
  EXPECT_EQ(writes(op(0).in("not a scope")), "scope.unknown");
}

TEST_F(Scopes, ADeviceThatHoldsAllWritesAll) {
  const std::uint64_t office = world.enroll({"*"});
  EXPECT_EQ(world.push(office, {op(1), op(2).in("u"), op(3).in("v")}).codes(),
            "ok ok scope.unknown");
}

TEST_F(Scopes, WhatIsGainedIsWrittenAtOnce) {
  ASSERT_TRUE(world.set_scopes(phone, {"t", "u"}).ok());
  EXPECT_EQ(writes(op(0).in("u")), "ok");
}

TEST_F(Scopes, WhatWasAuthoredBeforeTheScopeWasLeftIsTaken) {
  world.now = kStart + 10 * kHour;
  ASSERT_TRUE(world.set_scopes(phone, {"u"}).ok());
  world.now = kStart + 20 * kHour;
  EXPECT_EQ(writes(op(0).written(kStart + 10 * kHour)), "ok");
  EXPECT_EQ(writes(op(0).written(kStart + 10 * kHour + 1)), "scope.forbidden");
  EXPECT_EQ(writes(op(0).written(kStart + 9 * kHour)), "ok");
  EXPECT_EQ(world.quarantine().size(), 1U);
}

TEST_F(Scopes, AWrongClockDoesNotMoveAnOpToBeforeTheScopeWasLeft) {
  world.now = kStart + 10 * kHour;
  ASSERT_TRUE(world.set_scopes(phone, {}).ok());
  world.now = kStart + 20 * kHour;
  // The phone's calendar is ten years behind; its monotonic clock says: an hour ago.
  world.hello(phone, {kStart - 87'600 * kHour, 5 * kHour, "b1"});
  EXPECT_EQ(writes(op(0).written(kStart - 87'601 * kHour).since_boot("b1", 4 * kHour)),
            "scope.forbidden");
}

TEST_F(Scopes, WhatIsLeftAndGivenAgainIsWrittenAgain) {
  world.now += kHour;
  ASSERT_TRUE(world.set_scopes(phone, {}).ok());
  world.now += kHour;
  ASSERT_TRUE(world.set_scopes(phone, {"t"}).ok());
  EXPECT_EQ(writes(op(0).written(world.now)), "ok");
}

TEST_F(Scopes, AChangeHasAPlaceInTheLog) {
  const Seq before = world.position();
  const auto account = world.set_scopes(phone, {"u"});
  ASSERT_TRUE(account.ok());
  EXPECT_GT((*account)->changed, before);
  EXPECT_EQ(world.position(), (*account)->changed);
  ASSERT_EQ((*account)->grants.size(), 2U);
  EXPECT_EQ((*account)->grants[0].left, (*account)->changed);
  EXPECT_EQ((*account)->grants[1].granted, (*account)->changed);
  EXPECT_EQ((*account)->reset, 0);
}

TEST_F(Scopes, LeavingAllScopesStartsTheDeviceFromNothing) {
  const std::uint64_t office = world.enroll({"*"});
  const auto account = world.set_scopes(office, {"t"});
  ASSERT_TRUE(account.ok());
  EXPECT_EQ((*account)->reset, (*account)->changed);
  EXPECT_EQ((*account)->scopes(), std::vector<std::string>{"t"});
}

TEST_F(Scopes, ThatDoNotExistAreNotGiven) {
  EXPECT_EQ(world.set_scopes(phone, {"t", "nowhere"}).error().code, Code::kScopeUnknown);
  EXPECT_EQ(world.set_scopes(999, {"t"}).error().code, Code::kAuthUnknownDevice);
  EXPECT_EQ(world.store().accounts().find(phone)->scopes(), std::vector<std::string>{"t"});
}

TEST_F(Scopes, GivenTwiceAreHeldOnce) {
  const auto account = world.set_scopes(phone, {"u", "u", "t"});
  ASSERT_TRUE(account.ok());
  EXPECT_EQ((*account)->scopes(), (std::vector<std::string>{"t", "u"}));
}

TEST_F(Scopes, AChangeSurvivesACrash) {
  ASSERT_TRUE(world.set_scopes(phone, {"u"}).ok());
  world.disk().crash();
  world.reopen();
  EXPECT_EQ(world.store().accounts().find(phone)->scopes(), std::vector<std::string>{"u"});
}

// --- birth of scopes --------------------------------------------------------------------------

class ScopeBirth : public Scopes {
 protected:
  ScopeBirth() : office(world.enroll({"*"})) {}
  static OpText born(std::uint64_t number, const std::string& scope, const std::string& id) {
    return op(number).in(scope).on("scope", id).does(R"("set":{"title":"村"})");
  }
  std::uint64_t office;
};

TEST_F(ScopeBirth, IsTheWritingOfItsRecord) {
  const Answer answer =
      world.push(office, {op(1).in("new"), born(2, "new", "new"), op(3).in("new")});
  EXPECT_EQ(answer.codes(), "scope.unknown ok ok");
  EXPECT_TRUE(world.store().scopes().exists("new"));
  world.reopen();
  EXPECT_TRUE(world.store().scopes().exists("new"));
  EXPECT_EQ(world.push(office, {op(4).in("new")}).codes(), "ok");
}

TEST_F(ScopeBirth, NamesTheRecordAfterTheScope) {
  EXPECT_EQ(world
                .push(office, {born(1, "445202/001", "445202-001"), born(2, "a/b", "a/b"),
                               born(3, "a/b", "other"), born(4, "ab", "a-b")})
                .codes(),
            "ok record.id record.key record.key");
  EXPECT_FALSE(world.store().scopes().exists("a/b"));
}

TEST_F(ScopeBirth, IsForDevicesThatHoldAllScopes) {
  EXPECT_EQ(writes(born(0, "new", "new")), "scope.forbidden");
  EXPECT_EQ(writes(born(0, "t", "t")), "scope.forbidden");
  EXPECT_FALSE(world.store().scopes().exists("new"));
}

TEST_F(ScopeBirth, IsSeenByOthersInTheSameGroup) {
  const auto answers = world.push_together(
      {{office, {received(born(1, "new", "new"))}}, {kOffice, {received(op(3).in("new"))}}});
  EXPECT_EQ(answers[1].codes(), "ok");
}

TEST_F(ScopeBirth, DoesNotHappenWhenItsOpIsRefused) {
  EXPECT_EQ(world
                .push(office, {op(1).in("new").on("scope", "new").does(R"("set":{"title":5})"),
                               op(2).in("new")})
                .codes(),
            "field.type scope.unknown");
}

TEST_F(ScopeBirth, DoesNotHappenWhenTheSyncFails) {
  world.disk().fail_after(0);
  EXPECT_EQ(world.push(office, {born(1, "new", "new")}).error, Code::kStoreReadOnly);
  world.disk().crash();
  world.reopen();
  EXPECT_FALSE(world.store().scopes().exists("new"));
  EXPECT_EQ(world.push(office, {op(1).in("new")}).codes(), "scope.unknown");
}

// --- revocation -------------------------------------------------------------------------------

TEST_F(Scopes, ARevokedDeviceIsNotHeard) {
  EXPECT_EQ(writes(op(0)), "ok");
  const auto account = world.revoke(phone);
  ASSERT_TRUE(account.ok());
  EXPECT_TRUE((*account)->closed());
  EXPECT_EQ((*account)->inactive_ms, world.now);
  EXPECT_EQ(writes(op(0)), "auth.revoked");
  EXPECT_EQ(world.hello(phone, {world.now, 0, "b1"}).error, Code::kAuthRevoked);
  EXPECT_EQ(world.log(phone).size(), 1U);
}

TEST_F(Scopes, ARevocationSurvivesACrashAndKeepsItsTime) {
  ASSERT_TRUE(world.revoke(phone).ok());
  const std::int64_t then = world.now;
  world.disk().crash();
  world.reopen();
  world.now += kHour;
  const auto again = world.revoke(phone);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->inactive_ms, then);
  EXPECT_EQ(writes(op(0)), "auth.revoked");
}

TEST_F(Scopes, ARevocationInTheSameGroupStopsWhatComesAfterIt) {
  std::vector<std::string> told;
  std::vector<Request> group;
  const auto push = [&] {
    ExchangeRequest request;
    request.device = phone;
    request.push = Push{{received(op(1))}};
    request.done = [&](const auto& reply) {
      told.emplace_back(reply.ok() ? "ok" : name(reply.error().code));
    };
    return request;
  };
  group.emplace_back(push());
  group.emplace_back(StandingRequest{phone, Standing::kClosed, [](const auto&) {}});
  group.emplace_back(push());
  world.apply(group);
  std::sort(told.begin(), told.end());
  EXPECT_EQ(told, (std::vector<std::string>{"auth.revoked", "ok"}));
}

TEST_F(Scopes, AnUnknownDeviceIsNotRevoked) {
  EXPECT_EQ(world.revoke(999).error().code, Code::kAuthUnknownDevice);
}

}  // namespace
}  // namespace waystation::testing

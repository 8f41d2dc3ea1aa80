// Roles over a store: who starts afresh when, by which role an op is judged, and digests of views.
#include "storage/views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "storage/access.h"
#include "storage/keys.h"
#include "storage/pull.h"
#include "storage/verify.h"
#include "sync/limits.h"
#include "tests/support/handset.h"
#include "tests/support/json.h"

namespace waystation::testing {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

std::shared_ptr<const Policy> policy_from(const Json& file) {
  auto policy = Policy::parse({"policy.json", file.dump()}, schemas());
  if (!policy) ADD_FAILURE() << policy.error().context;
  return policy ? std::make_shared<const Policy>(std::move(*policy)) : Policy::open_to_all();
}

class Roles : public ::testing::Test {
 protected:
  Roles() {
    world.set_policy(policy_from(file));
    write(1, "volunteer", "v1", R"("set":{"name":"陈一","phone_tail":"1234"})");
    write(2, "note", "n1", R"("set":{"text":"a"})");
  }
  void write(std::uint64_t n, const std::string& coll, const std::string& id,
             const std::string& edits) {
    ASSERT_EQ(world.push(office, {op(n).on(coll, id).does(edits)}).codes(), "ok");
  }
  std::uint64_t faults() {
    const auto report = verify(world.store(), [](std::uint64_t) {});
    return report ? report->faults : 999;
  }
  void damage(const View& view) {
    Batch batch;
    batch.put(Column::kViewDigests, keys::view_digest("t", view.name()),
              encode_digest(DigestRow{1, Digest{{1, 2, 3}}}));
    ASSERT_TRUE(world.disk().write(batch, Durability::kSynced).ok());
  }

  Json file = Json::parse(read_source("schemas/policy.json"));
  World world;
  std::uint64_t office = world.enroll({"t"}, kRoleOffice);
};

TEST_F(Roles, ADeviceHoldsWhatItsRoleShows) {
  Handset phone(world, {"t"});
  ASSERT_TRUE(world.set_role(phone.device, "volunteer").ok());
  ASSERT_TRUE(phone.sync());
  EXPECT_EQ(phone.shows("volunteer", "v1"), R"({"name":"陈一"})");
  write(3, "volunteer", "v1", R"("set":{"phone_tail":"9999","team":"x"})");
  ASSERT_TRUE(phone.sync());
  EXPECT_EQ(phone.shows("volunteer", "v1"), R"({"name":"陈一","team":"x"})");
}

TEST_F(Roles, AnotherRoleBringsWhatItShowsAndTakesWhatItHides) {
  Handset phone(world, {"t"});
  ASSERT_TRUE(phone.sync());
  EXPECT_THAT(phone.shows("volunteer", "v1"), HasSubstr("phone_tail"));
  phone.edit(R"("set":{"text":"mine"})");  // waits while it starts afresh
  ASSERT_TRUE(world.set_role(phone.device, "volunteer").ok());
  ASSERT_TRUE(phone.sync());
  EXPECT_EQ(phone.shows("volunteer", "v1"), R"({"name":"陈一"})");
  EXPECT_EQ(phone.shows(), R"({"text":"mine"})");
  ASSERT_TRUE(world.set_role(phone.device, "lead").ok());
  ASSERT_TRUE(phone.sync());
  EXPECT_THAT(phone.shows("volunteer", "v1"), HasSubstr("phone_tail"));
}

TEST_F(Roles, ARoleThatShowsTheSameSendsNothingAnew) {
  const std::uint64_t phone = world.enroll({"t"}, kRoleOffice);
  const auto before = world.store().accounts().find(phone)->reset;
  ASSERT_TRUE(world.set_role(phone, "administrator").ok());
  EXPECT_EQ(world.store().accounts().find(phone)->reset, before);
  EXPECT_EQ(world.store().accounts().find(phone)->role(), "administrator");
}

TEST_F(Roles, AnOpIsJudgedByTheRoleOfWhenItWasWritten) {
  Handset phone(world, {"t"});
  ASSERT_TRUE(phone.sync());
  world.pass(1000);
  phone.edit(R"("set":{"title":"written as office"})", "event", "e1");
  world.pass(1000);
  ASSERT_TRUE(world.set_role(phone.device, "volunteer").ok());
  world.pass(1000);
  phone.edit(R"("set":{"title":"written as volunteer"})", "event", "e1");
  ASSERT_TRUE(phone.sync());
  EXPECT_EQ(world.visible("event", "e1"), R"({"title":"written as office"})");
  ASSERT_EQ(phone.replica.refused().size(), 1U);
  EXPECT_EQ(phone.replica.refused()[0].code, "access.denied");
  const auto kept = world.quarantine();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_THAT(kept[0].row.op, HasSubstr("written as volunteer"));
  EXPECT_THAT(kept[0].row.detail, HasSubstr("/roles/volunteer/collections/event/write"));
}

TEST_F(Roles, ARoleAndAScopeThatWereNeverHeldTogetherDoNotAddUp) {
  world.have_scope("u");
  Handset phone(world, {"t"});  // as the office
  ASSERT_TRUE(phone.sync());
  world.pass(1000);
  phone.edit(R"("set":{"title":"as office"})", "event", "e1", "t");
  const std::int64_t before = world.now;
  world.pass(1000);
  ASSERT_TRUE(world.set_scopes(phone.device, {"u"}).ok());
  world.pass(1000);
  ASSERT_TRUE(world.set_role(phone.device, "volunteer").ok());
  world.pass(1000);
  ASSERT_TRUE(phone.sync());
  EXPECT_EQ(world.visible("event", "e1"), R"({"title":"as office"})");
  // It says that it wrote this when it had that role; only, it did not have this scope.
  const auto n = phone.replica.applied() + 1;
  const auto forged =
      op(n).on("event", "e2").in("u").written(before).does(R"("set":{"title":"x"})");
  EXPECT_EQ(world.push(phone.device, {forged}).codes(), "access.denied");
}

TEST_F(Roles, WhoHasSeenWhatCameAfterARoleWasTakenWritesAfterThat) {
  const std::uint64_t phone = world.enroll({"t"}, kRoleLead);
  world.pass(1000);
  const std::int64_t before = world.now;
  world.pass(1000);
  ASSERT_TRUE(world.set_role(phone, "volunteer").ok());
  world.pass(1000);
  write(3, "event", "e1", R"("set":{"title":"later"})");
  OpText forged = op(1).on("event", "e1").written(before).does(R"("set":{"title":"x"})");
  EXPECT_EQ(world.push(phone, {forged.having_seen(world.record("event", "e1")->seq)}).codes(),
            "access.denied");
  forged.n = 2;
  EXPECT_EQ(world.push(phone, {forged.having_seen(0)}).codes(), "ok")
      << "with what it had seen before";
}

TEST_F(Roles, WhoAsksWhyIsToldUntilWhenALeftScopeOrAnEndedDeviceWrites) {
  world.have_scope("u");
  const std::uint64_t phone = world.enroll({"t"}, kRoleOffice);
  const auto told = [&](const std::string& coll, const std::string& id) {
    const auto text = explain_access(world.store(), schemas(), {phone, "t", coll, id});
    return Json::parse(text ? *text : "null");
  };
  EXPECT_EQ(told("note", "n1")["left"], nullptr);
  world.pass(1000);
  ASSERT_TRUE(world.set_scopes(phone, {"u"}).ok());
  const std::int64_t left = world.now;
  world.pass(1000);
  EXPECT_EQ(told("note", "n1")["left"], left);
  EXPECT_EQ(told("scope", "t")["left"], nullptr) << "whoever holds all scopes writes that";
  EXPECT_EQ(world.push(phone, {op(1).written(left), op(2).written(left + 1)}).codes(),
            "ok scope.forbidden");
  ASSERT_TRUE(world.set_scopes(phone, {"t"}).ok());
  ASSERT_TRUE(world.stand(phone, Standing::kDraining).ok());
  const std::int64_t ended = world.now;
  world.pass(1000);
  EXPECT_EQ(told("note", "n1")["left"], ended);
  EXPECT_EQ(world.push(phone, {op(3).written(ended), op(4).written(ended + 1)}).codes(),
            "ok device.draining");
}

TEST_F(Roles, SomeFieldsAreWrittenOfWhatIsThereAlone) {
  write(3, "event", "e1", R"("set":{"title":"a"})");
  const std::uint64_t phone = world.enroll({"t"}, kRoleVolunteer);
  const std::string remark = R"("append":{"remarks":["b"]})";
  EXPECT_EQ(
      world
          .push(phone, {op(1).on("event", "e1").does(remark), op(2).on("event", "e2").does(remark)})
          .codes(),
      "ok access.denied");
  const Seq last = world.record("event", "e1")->seq;
  const auto del = op(4).on("event", "e1").does(R"("del":true)").having_seen(last);
  ASSERT_EQ(world.push(office, {del}).codes(), "ok");
  const Seq deleted = world.record("event", "e1")->seq;
  EXPECT_EQ(world.push(phone, {op(3).on("event", "e1").does(remark).having_seen(deleted)}).codes(),
            "access.denied");
  EXPECT_EQ(world
                .push(phone, {op(4)
                                  .on("attendance", "e1~v1")
                                  .does(R"("set":{"signed_in":"2026-11-26T08:00:00+08:00"})")})
                .codes(),
            "ok")
      << "signing in makes the record";
}

TEST_F(Roles, ThatWereTakenAgainStillJudgeWhatWasWrittenInThemBefore) {
  Handset phone(world, {"t"});  // as the office
  ASSERT_TRUE(phone.sync());
  world.pass(1000);
  phone.edit(R"("set":{"title":"as office"})", "event", "e1");
  for (const char* role : {"volunteer", "office", "volunteer"}) {
    world.pass(1000);
    ASSERT_TRUE(world.set_role(phone.device, role).ok());
  }
  ASSERT_TRUE(phone.sync());
  EXPECT_EQ(world.visible("event", "e1"), R"({"title":"as office"})");
}

TEST_F(Roles, KeepABoundedNumberOfTerms) {
  const std::uint64_t phone = world.enroll({"t"}, kRoleVolunteer);
  for (std::size_t i = 0; i < 3 * limits::kRoleTerms; ++i) {
    world.pass(1000);
    ASSERT_TRUE(world.set_role(phone, std::string(kRoles[i % kRoles.size()])).ok());
  }
  EXPECT_EQ(world.store().accounts().find(phone)->roles.size(), limits::kRoleTerms);
  EXPECT_EQ(world.store().accounts().find(phone)->role(),
            kRoles[(3 * limits::kRoleTerms - 1) % kRoles.size()]);
}

TEST_F(Roles, AnotherPolicyStartsThoseAfreshWhoSeeSomethingElse) {
  Handset volunteer(world, {"t"});
  ASSERT_TRUE(world.set_role(volunteer.device, "volunteer").ok());
  ASSERT_TRUE(volunteer.sync());
  file["roles"]["volunteer"]["collections"]["volunteer"]["read"] = "all";
  const auto untouched = world.store().accounts().find(office)->reset;
  world.set_policy(policy_from(file));
  EXPECT_EQ(world.store().accounts().find(office)->reset, untouched);
  ASSERT_TRUE(volunteer.sync());
  EXPECT_THAT(volunteer.shows("volunteer", "v1"), HasSubstr("phone_tail"));
  // Who may write what is judged anew, but changes nothing that a device holds.
  const auto before = world.store().accounts().find(volunteer.device)->reset;
  file["roles"]["volunteer"]["collections"]["note"]["write"] = "none";
  world.set_policy(policy_from(file));
  EXPECT_EQ(world.store().accounts().find(volunteer.device)->reset, before);
  world.pass(1000);  // else it might have been written by the office, which it was until just now
  volunteer.edit(R"("set":{"text":"b"})");
  ASSERT_TRUE(volunteer.sync());
  EXPECT_EQ(volunteer.replica.refused().size(), 1U);
}

// A role may add to what it does not see: then no record comes that has the device's edit in it.
TEST_F(Roles, WhatADeviceWroteAndDoesNotSeeIsNotShownForEver) {
  file["roles"]["volunteer"]["collections"]["note"] = {{"read", "none"},
                                                       {"write", {{"does", {"create", "add"}}}}};
  world.set_policy(policy_from(file));
  Handset phone(world, {"t"});
  EXPECT_EQ(phone.replica.role(), "");
  ASSERT_TRUE(world.set_role(phone.device, "volunteer").ok());
  phone.edit(R"("add":{"tags":["mine"]})", "note", "n7");
  EXPECT_NE(phone.shows("note", "n7"), "nothing");
  ASSERT_TRUE(phone.sync());
  EXPECT_EQ(phone.replica.role(), "volunteer");
  EXPECT_EQ(world.visible("note", "n7"), R"({"tags":["mine"]})");
  EXPECT_EQ(phone.shows("note", "n7"), "nothing");
  EXPECT_EQ(phone.replica.kept(), 0U);
}

TEST_F(Roles, DoNotEnterTheScopesOfTheSystem) {
  // A refused op, so that there is one.
  EXPECT_EQ(world.push(office, {op(3).does(R"("set":{"text":5})")}).codes(), "field.type");
  Handset lead(world, {"*"});
  ASSERT_TRUE(lead.sync());
  EXPECT_NE(lead.shows("scope", "system:office", "system:office"), "nothing");
  ASSERT_TRUE(world.set_role(lead.device, "lead").ok());
  ASSERT_TRUE(lead.sync());
  EXPECT_EQ(lead.shows("scope", "system:office", "system:office"), "nothing");
  world.pass(1000);
  lead.edit(R"("set":{"text":"b"})", "note", "n9", "system:office");
  ASSERT_TRUE(lead.sync());
  EXPECT_EQ(lead.replica.refused().back().code, "access.denied");
}

TEST_F(Roles, VerifySeesADamagedDigestOfAView) {
  EXPECT_EQ(faults(), 0U);
  damage(world.store().policy().views().front());
  EXPECT_EQ(faults(), 1U);
}

TEST_F(Roles, VerifySeesDigestsOfNobody) {
  Batch batch;
  const std::string digest = encode_digest(DigestRow{1, Digest{{1, 2, 3}}});
  const std::string view = world.store().policy().views().front().name();
  batch.put(Column::kViewDigests, keys::view_digest("t", "0123456789abcdef"), digest);
  batch.put(Column::kViewDigests, keys::view_digest("nowhere", view), digest);
  ASSERT_TRUE(world.disk().write(batch, Durability::kSynced).ok());
  EXPECT_EQ(faults(), 2U);
}

TEST_F(Roles, VerifySeesADeviceWithoutARoleAndOneWithTwo) {
  for (const std::uint64_t device : {office, world.enroll({"t"}, kRoleLead)}) {
    Account account = *world.store().accounts().find(device);
    if (device == office) {
      account.roles.clear();
    } else {
      account.roles.push_back(RoleTerm{"station", 0, 0, 0});
    }
    Batch batch;
    batch.put(Column::kDevices, keys::account(device), encode_account(account));
    ASSERT_TRUE(world.disk().write(batch, Durability::kSynced).ok());
  }
  EXPECT_EQ(faults(), 2U);
}

TEST_F(Roles, VerifySeesThatWhatRolesSawIsDamaged) {
  Batch batch;
  batch.put(Column::kMeta, std::string(keys::kPolicy), "?");
  ASSERT_TRUE(world.disk().write(batch, Durability::kSynced).ok());
  EXPECT_EQ(faults(), 1U);
}

TEST_F(Roles, DigestsOfViewsAreMadeAnewWhenThatWasCutOff) {
  damage(world.store().policy().views().front());
  Batch batch;
  batch.erase(Column::kMeta, std::string(keys::kViews));
  ASSERT_TRUE(world.disk().write(batch, Durability::kSynced).ok());
  EXPECT_EQ(faults(), 0U) << "none are said to be right";
  world.reopen();
  EXPECT_EQ(faults(), 0U);
  Handset phone(world, {"t"});
  ASSERT_TRUE(world.set_role(phone.device, "volunteer").ok());
  EXPECT_TRUE(phone.sync());  // checks its digest
}

TEST_F(Roles, WhatIsWrittenWithoutAPolicyIsInTheDigestsOfTheNext) {
  world.set_policy(nullptr);
  write(3, "volunteer", "v2", R"("set":{"name":"b","phone_tail":"1"})");
  world.set_policy(policy_from(file));
  EXPECT_EQ(faults(), 0U);
  Handset phone(world, {"t"});
  ASSERT_TRUE(world.set_role(phone.device, "volunteer").ok());
  EXPECT_TRUE(phone.sync());
}

TEST_F(Roles, APullOfAScopeFullOfWhatIsNotShownCostsLittle) {
  for (std::uint64_t n = 3; n < 203; ++n) {
    write(n, "visit", "x" + std::to_string(n),
          R"("set":{"visitor":"courier","at":"2026-01-01T08:00:00+08:00"})");
  }
  const std::uint64_t phone = world.enroll({"t"}, kRoleVolunteer);
  const auto page = pull(world.store(), phone, "", 1000);
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->count, 3U);         // the scope, a person, a note
  EXPECT_LE(page->work.records, 5U);  // and one look at the visits
}

}  // namespace
}  // namespace waystation::testing

// A store that is opened with newer schemas: an op counts the same whether it arrived before the
// upgrade or after it (law 10).

#include "storage/upgrade.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/growing.h"

namespace waystation::testing {
namespace {

std::vector<SchemaFile> versions(int newest) {
  const std::string scope = file("scope", 1, text_field("kind"));
  std::vector<SchemaFile> files{{"scope.v1.json", scope}};
  files.push_back(
      {"person.v1.json",
       file("person", 1, text_field("name") + "," + text_field("tel") + "," + text_field("age"))});
  if (newest >= 2) {
    files.push_back(
        {"person.v2.json",
         file("person", 2, text_field("name") + "," + text_field("phone") + "," + text_field("age"),
              R"(,"migrate":[{"rename":{"from":"tel","to":"phone"}}])")});
  }
  if (newest >= 3) {
    files.push_back(
        {"person.v3.json",
         file("person", 3,
              text_field("family") + "," + text_field("given") + "," + text_field("phone") + "," +
                  text_field("age", "integer"),
              R"(,"migrate":[{"split":{"from":"name","into":["family","given"],"at":" "}},)"
              R"({"retype":{"field":"age"}}])")});
  }
  if (newest >= 4) {
    files.push_back(
        {"member.v4.json", file("member", 4,
                                text_field("family") + "," + text_field("given") + "," +
                                    text_field("phone") + "," + text_field("age", "integer"),
                                R"(,"moved_from":"person")")});
  }
  if (newest >= 5) {
    files.push_back(
        {"member.v5.json", file("member", 5,
                                text_field("family") + "," + text_field("first") + "," +
                                    text_field("phone") + "," + text_field("age", "integer"),
                                R"(,"migrate":[{"rename":{"from":"given",)"
                                R"("to":"first"}}])")});
  }
  if (newest >= 6) {
    files.push_back(
        {"helper.v6.json", file("helper", 6,
                                text_field("family") + "," + text_field("first") + "," +
                                    text_field("mobile") + "," + text_field("age", "integer"),
                                R"(,"moved_from":"member","migrate":[{"rename":)"
                                R"({"from":"phone","to":"mobile"}}])")});
  }
  return files;
}

std::string coll_of(int version) {
  return version < 4 ? "person" : version < 6 ? "member" : "helper";
}

struct Arrival {
  std::uint64_t device;
  std::string op;
};

// Two phones of version 1 that had not seen each other, and one more edit of the first.
const std::vector<Arrival> kOps{
    {2, edit(1, R"("set":{"name":"陈 伟 明","tel":"138","age":"41"})", 1)},
    {3, edit(1, R"("set":{"tel":"139","age":"about 40"})", 1)},
    {2, edit(2, R"("set":{"note":"kept"})", 1)}};

TEST(AnUpgrade, CarriesForwardWhatWasWrittenBefore) {
  Growing server(1, versions);
  for (const Arrival& arrival : kOps) server.push(arrival.device, arrival.op);
  EXPECT_EQ(server.open(3).records, 1U);
  const std::string shown = server.visible("person");
  EXPECT_NE(shown.find(R"("family":"陈","given":"伟 明")"), std::string::npos) << shown;
  EXPECT_NE(shown.find(R"("phone":)"), std::string::npos) << shown;
  EXPECT_NE(shown.find(R"("note":"kept")"), std::string::npos) << shown;
  EXPECT_EQ(shown.find("tel"), std::string::npos) << shown;
  server.expect_sound();
  EXPECT_EQ(server.open(3).records, 0U);
}

// E18-like for schemas: whether an op came before the upgrade or after it makes no difference.
TEST(AnUpgrade, MakesNoDifferenceToWhenAnOpArrives) {
  for (const int newest : {2, 3, 4, 5, 6}) {
    const std::string coll = coll_of(newest);
    std::string shown;
    std::size_t conflicts = 0;
    for (std::size_t before = 0; before <= kOps.size(); ++before) {
      Growing server(1, versions);
      for (std::size_t i = 0; i < kOps.size(); ++i) {
        if (i == before) server.open(newest);
        EXPECT_NE(server.push(kOps[i].device, kOps[i].op).find("\"ok\":true"), std::string::npos);
      }
      if (before == kOps.size()) server.open(newest);
      server.expect_sound();
      if (before == 0) {
        shown = server.visible(coll);
        conflicts = server.conflicts(coll);
      }
      EXPECT_EQ(server.visible(coll), shown) << newest << " after " << before;
      EXPECT_EQ(server.conflicts(coll), conflicts) << newest << " after " << before;
    }
  }
}

TEST(AnUpgrade, ThatMovesACollectionDeletesTheRecordWhereItWas) {
  Growing server(1, versions);
  for (const Arrival& arrival : kOps) server.push(arrival.device, arrival.op);
  const Seq before = server.position();
  server.open(4);
  EXPECT_EQ(server.visible("person"), "deleted");
  EXPECT_NE(server.visible("member").find("陈"), std::string::npos);
  EXPECT_GT(server.position(), before) << "devices must be told";
  // An old phone goes on in the old collection.
  EXPECT_NE(
      server.push(4, edit(1, R"("set":{"tel":"137"})", 1, server.position())).find("\"ok\":true"),
      std::string::npos);
  EXPECT_NE(server.visible("member").find(R"("phone":"137")"), std::string::npos);
  EXPECT_EQ(server.visible("person"), "deleted");
  server.expect_sound();
}

TEST(AnUpgrade, GoesOnStepByStepLikeInOneGo) {
  Growing steps(1, versions);
  Growing leap(1, versions);
  for (const Arrival& arrival : kOps) {
    steps.push(arrival.device, arrival.op);
    leap.push(arrival.device, arrival.op);
  }
  for (const int version : {2, 3, 4}) steps.open(version);
  leap.open(4);
  EXPECT_EQ(steps.visible("member"), leap.visible("member"));
  steps.expect_sound();
}

// Whichever versions a server stops at on its way, and whatever it hears in between.
TEST(AnUpgrade, KeepsWhatWasWrittenBeforeAMoveForGood) {
  const std::vector<std::vector<int>> ways{{4, 5}, {5}, {2, 4, 5}, {4, 6}, {5, 6}, {4, 5, 6}, {6}};
  for (const std::vector<int>& way : ways) {
    for (const bool heard : {true, false}) {
      const int newest = way.back();
      const std::string coll = coll_of(newest);
      Growing server(1, versions);
      Growing newer(newest, versions);
      for (std::size_t i = 0; i < 2; ++i) {
        server.push(kOps[i].device, kOps[i].op);
        newer.push(kOps[i].device, kOps[i].op);
      }
      for (const int version : way) {
        server.open(version);
        if (!heard || version != way.front()) continue;
        server.push(kOps[2].device, kOps[2].op);
        newer.push(kOps[2].device, kOps[2].op);
      }
      const std::string told =
          fmt::format("by {} versions to {}, heard {}", way.size(), newest, heard);
      EXPECT_EQ(server.visible(coll), newer.visible(coll)) << told;
      EXPECT_NE(server.visible(coll).find("陈"), std::string::npos) << told;
      EXPECT_EQ(server.conflicts(coll), newer.conflicts(coll)) << told;
      EXPECT_EQ(server.listed(coll), newer.listed(coll)) << told;
      EXPECT_EQ(server.history(coll), newer.history(coll)) << told;
      EXPECT_EQ(server.history("person"), newer.history(coll)) << told;
      for (int version = 1; version < newest; ++version) {
        const std::string former = coll_of(version);
        if (former == coll) continue;
        EXPECT_EQ(server.visible(former).find('{'), std::string::npos) << told;
        EXPECT_EQ(server.listed(former), 0U) << told << ": it waits for review where it is now";
      }
      server.expect_sound();
      EXPECT_EQ(server.open(newest).records, 0U) << told;
    }
  }
}

TEST(AnUpgrade, TellsWhoWroteALostValueBeforeTheMove) {
  Growing server(1, versions);
  Growing newer(5, versions);
  for (const Arrival& arrival : kOps) {
    server.push(arrival.device, arrival.op);
    newer.push(arrival.device, arrival.op);
  }
  for (const int version : {4, 5}) server.open(version);
  const auto lost = [](const Growing& at) {
    const std::string shown = at.conflict("member", "phone", Dot{2, 1});
    return shown.substr(std::min(shown.find(R"("field")"), shown.size()));
  };
  EXPECT_NE(lost(server).find(R"("saw":{"record":"unknown"})"), std::string::npos) << lost(server);
  EXPECT_EQ(lost(server), lost(newer));
}

// Servers before this one took records for moved that they had left behind in a leap.
TEST(AnUpgrade, FetchesRecordsThatAnEarlierOneLeftBehind) {
  for (const bool heard : {true, false}) {
    Growing server(1, versions);
    Growing newer(5, versions);
    for (std::size_t i = 0; i < 2; ++i) {
      server.push(kOps[i].device, kOps[i].op);
      newer.push(kOps[i].device, kOps[i].op);
    }
    server.open_and_forget(5, "member");
    EXPECT_EQ(server.visible("member"), "nothing");
    if (heard) {
      server.push(kOps[2].device, kOps[2].op);
      newer.push(kOps[2].device, kOps[2].op);
    }
    EXPECT_EQ(server.open(5).records, 1U);
    EXPECT_EQ(server.visible("member"), newer.visible("member"));
    EXPECT_EQ(server.visible("person"), "deleted");
    server.expect_sound();
    EXPECT_EQ(server.open(5).records, 0U);
  }
}

// What a newer client wrote before the server knew the field, in another shape than it has now.
TEST(AnUpgrade, LooksAtFieldsThatWereUnknownBefore) {
  Growing server(1, versions);
  server.push(2, edit(1, R"("add":{"phone":["1"]})", 1));
  server.open(2);
  Growing late(2, versions);
  late.push(2, edit(1, R"("add":{"phone":["1"]})", 1));
  EXPECT_EQ(server.visible("person"), late.visible("person"));
  server.expect_sound();
}

TEST(AnUpgrade, IsRefusedBackwards) {
  auto disk = std::make_shared<MemoryKv>();
  auto store = Store::open(share(disk), std::string(kIncarnation));
  auto newer = Schemas::parse(versions(3));
  auto older = Schemas::parse(versions(2));
  ASSERT_TRUE(newer.ok() && older.ok());
  ASSERT_TRUE(upgrade(**store, *newer, kStart).ok());
  const auto refused = upgrade(**store, *older, kStart);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kSchemaInvalid);
}

TEST(AnUpgrade, IsRefusedBackwardsOverAMove) {
  Growing server(1, versions);
  for (const Arrival& arrival : kOps) server.push(arrival.device, arrival.op);
  server.open(4);
  EXPECT_EQ(server.refused(3), Code::kSchemaInvalid);
}

}  // namespace
}  // namespace waystation::testing

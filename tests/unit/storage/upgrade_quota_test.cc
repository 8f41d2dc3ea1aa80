// What was decided once stays so when a store is opened with newer schemas: what a lease was given
// and until when it may be spent, which spend came late, what a delete took with it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/growing.h"

namespace waystation::testing {
namespace {

constexpr std::int64_t kHour = 3'600'000;

std::string quota_field(const std::string& name, int max, int max_lease, int lease_hours) {
  return fmt::format(
      R"("{}":{{"merge":"quota","type":"integer","title":{{"zh":"x","en":"x"}},"max":{},)"
      R"("max_lease":{},"lease_hours":{},"reclaim_after_hours":1}})",
      name, max, max_lease, lease_hours);
}

// Version 2 renames another field and gives out less at a time, 3 renames the quota, 4 moves.
std::vector<SchemaFile> quotas(int newest) {
  const std::string fixed = R"(,"deletable":false)";
  std::vector<SchemaFile> files{{"scope.v1.json", file("scope", 1, text_field("kind"))}};
  files.push_back(
      {"gift.v1.json",
       file("gift", 1, text_field("title") + "," + quota_field("places", 1000, 100, 24), fixed)});
  if (newest >= 2) {
    files.push_back({"gift.v2.json",
                     file("gift", 2, text_field("name") + "," + quota_field("places", 300, 20, 2),
                          fixed + R"(,"migrate":[{"rename":{"from":"title","to":"name"}}])")});
  }
  if (newest >= 3) {
    files.push_back({"gift.v3.json",
                     file("gift", 3, text_field("name") + "," + quota_field("seats", 300, 20, 2),
                          fixed + R"(,"migrate":[{"rename":{"from":"places","to":"seats"}}])")});
  }
  if (newest >= 4) {
    files.push_back({"present.v4.json",
                     file("present", 4, text_field("name") + "," + quota_field("seats", 300, 20, 2),
                          fixed + R"(,"moved_from":"gift")")});
  }
  return files;
}

std::string move(std::uint64_t n, const std::string& kind, int amount, Seq base = 0) {
  return edit(n, fmt::format(R"("{}":{{"places":{}}})", kind, amount), 1, base, "gift");
}

// The text of the quota, whatever it is called.
std::string quota(const Growing& server, int version) {
  const std::string shown = server.visible(version < 4 ? "gift" : "present");
  const std::string name = version < 3 ? R"("places":)" : R"("seats":)";
  const std::size_t at = shown.find(name);
  if (at == std::string::npos) return shown;
  const std::size_t end = shown.find("\"spent\":", at);
  return shown.substr(at + name.size(), shown.find('}', end) - at - name.size() + 1);
}

constexpr const char* kOk = R"("ok":true)";

void expect_ok(const std::string& receipt) {
  EXPECT_NE(receipt.find(kOk), std::string::npos) << receipt;
}
void expect_refused(const std::string& receipt, const std::string& code) {
  EXPECT_NE(receipt.find(code), std::string::npos) << receipt;
}

class Decided : public ::testing::TestWithParam<int> {
 protected:
  Growing server{1, quotas};
};

TEST_P(Decided, LeasesHoldWhatTheirDevicesWereTold) {
  expect_ok(
      server.push(1, edit(2, R"("grant":{"places":400},"set":{"title":"tea"})", 1, 0, "gift")));
  EXPECT_NE(server.push(2, move(1, "lease", 100)).find(R"("leased":{"places":100})"),
            std::string::npos);
  expect_ok(server.push(2, move(2, "spend", 60)));
  expect_ok(server.push(3, move(1, "lease", 70)));
  const std::string before = quota(server, 1);
  EXPECT_EQ(server.open(GetParam()).records, 1U);
  EXPECT_EQ(quota(server, GetParam()), before);
  EXPECT_NE(before.find(R"("free":230)"), std::string::npos) << before;
  EXPECT_NE(before.find(R"("spent":60)"), std::string::npos) << before;
  // The device, which knows nothing of it, goes on.
  expect_ok(server.push(2, move(3, "spend", 40)));
  expect_refused(server.push(2, move(4, "spend", 1)), "quota.exceeded");
  EXPECT_EQ(server.listed("gift") + server.listed("present"), 0U);
  // From now on the new limit counts.
  const std::string name = GetParam() < 3 ? "places" : "seats";
  EXPECT_NE(server.push(4, move(1, "lease", 100)).find(R"("leased":{")" + name + R"(":20})"),
            std::string::npos);
  server.expect_sound();
}

TEST_P(Decided, WhatWasReturnedWasThere) {
  expect_ok(server.push(1, move(2, "grant", 400)));
  expect_ok(server.push(2, move(1, "lease", 100)));
  expect_ok(server.push(2, move(2, "return", 60)));
  const std::string before = quota(server, 1);
  server.open(GetParam());
  EXPECT_EQ(quota(server, GetParam()), before);
  EXPECT_NE(before.find(R"("left":40)"), std::string::npos) << before;
  server.expect_sound();
}

TEST_P(Decided, WhatCameLateStaysAConflictAndNothingElseBecomesOne) {
  expect_ok(server.push(1, move(2, "grant", 400)));
  expect_ok(server.push(2, move(1, "lease", 100)));
  const Seq told = server.position();
  server.pass(26 * kHour);
  expect_ok(server.push(1, edit(3, R"("set":{"title":"tea"})", 1, 0, "gift")));  // and it is due
  EXPECT_NE(quota(server, 1).find(R"("free":400)"), std::string::npos) << quota(server, 1);
  EXPECT_NE(server.push(2, move(2, "spend", 60, told)).find(R"("lost":["places"])"),
            std::string::npos);
  const std::string before = quota(server, 1);
  const std::string saw = server.conflict("gift", "places", Dot{2, 2});
  EXPECT_NE(saw.find(R"("free":300,"granted":400)"), std::string::npos) << saw;
  server.open(GetParam());
  EXPECT_EQ(quota(server, GetParam()), before);
  const std::string coll = GetParam() < 4 ? "gift" : "present";
  EXPECT_EQ(server.conflicts(coll), 1U);
  EXPECT_EQ(server.listed(coll), 1U);
  const std::string name = GetParam() < 3 ? "places" : "seats";
  const std::string now = server.conflict(coll, name, Dot{2, 2});
  EXPECT_NE(now.find(R"("kind":"late")"), std::string::npos) << now;
  EXPECT_NE(now.find(R"("free":300,"granted":400)"), std::string::npos) << now;
  // What is left of the lease that was taken back may still come in late, and no more than that.
  expect_ok(server.push(2, move(3, "spend", 40)));
  expect_refused(server.push(2, move(4, "spend", 1)), "quota.exceeded");
  server.expect_sound();
}

// Once more, over a store that has been upgraded before.
TEST_P(Decided, ItStaysSoOverEveryUpgrade) {
  expect_ok(server.push(1, move(2, "grant", 250)));
  expect_ok(server.push(2, move(1, "lease", 100)));
  server.open(2);
  expect_ok(server.push(3, move(1, "lease", 100)));
  expect_ok(server.push(2, move(2, "spend", 100)));
  const std::string before = quota(server, 2);
  server.open(GetParam());
  EXPECT_EQ(quota(server, GetParam()), before);
  server.expect_sound();
}

INSTANTIATE_TEST_SUITE_P(Versions, Decided, ::testing::Values(2, 3, 4));

// Version 2 lets records be deleted.
std::vector<SchemaFile> tallies(int newest) {
  std::vector<SchemaFile> files{{"scope.v1.json", file("scope", 1, text_field("kind"))}};
  files.push_back(
      {"tally.v1.json", file("tally", 1, text_field("title"), R"(,"deletable":false)")});
  if (newest >= 2) files.push_back({"tally.v2.json", file("tally", 2, text_field("title"))});
  return files;
}

// A counter that only newer clients know of.
TEST(AnUpgrade, ThatLetsRecordsBeDeletedKeepsWhatEachIncWas) {
  Growing server(1, tallies);
  Growing newer(2, tallies);
  for (Growing* at : {&server, &newer}) {
    expect_ok(at->push(2, edit(1, R"("inc":{"taps":3})", 1, 0, "tally")));
    if (at == &server) at->open(2);
    EXPECT_NE(at->visible("tally").find(R"("taps":3)"), std::string::npos);
    expect_ok(at->push(3, edit(1, R"("del":true)", 2, at->position(), "tally")));
    expect_ok(at->push(3, edit(2, R"("set":{"title":"again"})", 2, at->position(), "tally")));
    EXPECT_EQ(at->visible("tally"), R"({"title":"again"})");
    at->expect_sound();
  }
  EXPECT_EQ(server.listed("tally"), newer.listed("tally"));
}

}  // namespace
}  // namespace waystation::testing

// The audit log: an act and its entry come together, and the chain shows what was changed.
#include "storage/audit.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/keys.h"
#include "storage/office.h"
#include "sync/device_id.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> acts(const MemoryKv& disk) {
  std::vector<std::string> out;
  EXPECT_TRUE(for_each_audit(disk, nullptr, 0, [&](const AuditEntry& entry) {
                out.push_back(
                    fmt::format("{} {} {}", entry.note.who, entry.note.what, entry.note.on));
                return true;
              }).ok());
  return out;
}

std::vector<std::string> faults(const MemoryKv& disk, const std::vector<AuditHead>& known = {}) {
  const auto checked = check_audit(disk, nullptr, known);
  EXPECT_TRUE(checked.ok());
  return checked.ok() ? checked->faults : std::vector<std::string>{"not checked"};
}

void put(MemoryKv& disk, Column column, const std::string& key, const std::string& value) {
  Batch batch;
  batch.put(column, key, value);
  ASSERT_TRUE(disk.write(batch, Durability::kSynced).ok());
}

TEST(Audit, TellsOfEveryActOfTheOffice) {
  World world;
  const std::size_t before = acts(world.disk()).size();
  const std::uint64_t phone = world.enroll({"t"});
  ASSERT_TRUE(world.set_scopes(phone, {"*"}).ok());
  ASSERT_TRUE(world.revoke(phone).ok());
  auto all = acts(world.disk());
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(before));
  EXPECT_THAT(all,
              ElementsAre(HasSubstr(" code.made "), HasSubstr("device.enrolled device"),
                          HasSubstr("device.scopes device"), HasSubstr("device.revoked device")));
  EXPECT_THAT(faults(world.disk()), IsEmpty());
}

TEST(Audit, TellsWhoSettledAConflict) {
  World world;
  const auto phone = world.enroll({"t"});
  const auto other = world.enroll({"t"});
  ASSERT_EQ(world.push(phone, {op(1)}).code(), "ok");
  ASSERT_EQ(world.push(other, {op(1).does(R"("set":{"text":"b"})")}).code(), "ok");
  const auto conflicts = world.conflicts();
  ASSERT_EQ(conflicts.size(), 1U);
  const std::string settle =
      fmt::format(R"("settle":[{{"field":"text","by":"{}","n":1,"part":0}}])",
                  format_device_id(conflicts[0].device));
  ASSERT_EQ(world.push(phone, {op(2).does(settle)}).code(), "ok");
  EXPECT_EQ(acts(world.disk()).back(),
            "device " + format_device_id(phone) + " conflict.settled t/note/n1");
}

TEST(Audit, AnOpAddsOneEntryHoweverManyValuesItSettles) {
  World world;
  const auto phone = world.enroll({"t"});
  ASSERT_EQ(world.push(phone, {op(1)}).code(), "ok");
  const std::size_t before = acts(world.disk()).size();
  std::string settlements;
  for (int n = 1; n <= 64; ++n) {
    settlements += fmt::format(R"({}{{"field":"text","by":"0000000009","n":{},"part":0}})",
                               n == 1 ? "" : ",", n);
  }
  const std::string settle = fmt::format(R"("set":{{"text":"b"}},"settle":[{}])", settlements);
  ASSERT_EQ(world.push(phone, {op(2).does(settle)}).code(), "ok");
  EXPECT_EQ(acts(world.disk()).size(), before + 1);
}

TEST(Audit, GoesOnWhereItWasAfterARestart) {
  World world;
  world.enroll({"t"});
  const std::size_t before = acts(world.disk()).size();
  world.reopen();
  world.enroll({"t"});
  EXPECT_GT(acts(world.disk()).size(), before);
  EXPECT_THAT(faults(world.disk()), IsEmpty());
}

TEST(Audit, HasNoEntryOfAnActThatTheDiskDidNotTake) {
  World world;
  const auto before = acts(world.disk());
  const auto head = read_audit_head(world.disk());
  world.disk().fail_after(0);
  EXPECT_FALSE(world.make_code("code", CodeRow{{"t"}, "", 1, world.now + 1000}).ok());
  EXPECT_EQ(acts(world.disk()), before);
  EXPECT_EQ(*read_audit_head(world.disk()), *head);
}

TEST(Audit, SaysWhereTheChainBreaks) {
  World world;
  world.enroll({"t"});
  world.enroll({"t"});
  std::vector<AuditEntry> log;
  ASSERT_TRUE(for_each_audit(world.disk(), nullptr, 0, [&](const AuditEntry& entry) {
                log.push_back(entry);
                return true;
              }).ok());
  ASSERT_GE(log.size(), 4U);
  AuditEntry forged = log[2];
  forged.note.who = "somebody else";
  put(world.disk(), Column::kAudit, audit_key(forged.n), encode_audit(forged));
  EXPECT_THAT(faults(world.disk()), ElementsAre("audit: the chain breaks at 3"));
  // With its own hash made anew, the next one does not follow any more.
  forged.hash = audit_hash(log[1].hash, forged);
  put(world.disk(), Column::kAudit, audit_key(forged.n), encode_audit(forged));
  EXPECT_THAT(faults(world.disk()), ElementsAre("audit: the chain breaks at 4"));
}

TEST(Audit, ShowsThatItsEndWasCutOffToWhoNotedTheHead) {
  World world;
  world.enroll({"t"});
  const auto noted = read_audit_head(world.disk());
  ASSERT_TRUE(noted.ok());
  AuditEntry before_last;
  ASSERT_TRUE(for_each_audit(world.disk(), nullptr, noted->n - 2, [&](const AuditEntry& entry) {
                before_last = entry;
                return false;
              }).ok());
  Batch batch;
  batch.erase(Column::kAudit, audit_key(noted->n));
  ASSERT_TRUE(world.disk().write(batch, Durability::kSynced).ok());
  EXPECT_FALSE(faults(world.disk()).empty()) << "the head is still there";
  // Whoever cuts it off takes the head along.
  put(world.disk(), Column::kMeta, std::string(keys::kAuditHead),
      encode_audit_head({before_last.n, before_last.hash}));
  EXPECT_THAT(faults(world.disk()), IsEmpty());
  EXPECT_THAT(faults(world.disk(), {*noted}),
              ElementsAre(HasSubstr("is not the one that was noted")));
}

TEST(Audit, HashesAreThoseThatAnyProgramWorksOut) {
  AuditHead head;
  const AuditEntry entry =
      next_audit_entry(head, 1'767'225'600'000,
                       {"office li", "code.made", "", AuditDetails().number("uses", 1).json()});
  EXPECT_EQ(audit_json(entry, false),
            R"({"details":{"uses":1},"n":1,"on":"","time":1767225600000,"what":"code.made",)"
            R"("who":"office li"})");
  // printf '%064d\n{"details":…}' 0 | sha256sum
  EXPECT_EQ(entry.hash, "d0dddaa8c86ae8ee45472a945204cbc522fc1ee54b62327036bff02b47fd89e3");
}

TEST(Audit, PartsThatAreTooLongAreCut) {
  AuditNote note{std::string(1000, 'w'), "what", "on", "{}"};
  note.details = AuditDetails().text("x", std::string(10'000, 'x')).json();
  const AuditEntry entry = next_audit_entry({}, 0, note);
  EXPECT_LE(encode_audit(entry).size(), 1000U);
  std::vector<std::string> many(1000, "scope");
  EXPECT_THAT(AuditDetails().list("scopes", many).json(), HasSubstr(R"("scopes_count":1000)"));
}

TEST(Audit, AHeadIsReadAsItIsWritten) {
  const AuditHead head{12, std::string(64, 'a')};
  EXPECT_EQ(*parse_audit_head(format_audit_head(head)), head);
  for (const char* wrong : {"", ":", "12", "12:", "x:aa", "12:AA", "-1:aa"}) {
    EXPECT_FALSE(parse_audit_head(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace waystation::testing

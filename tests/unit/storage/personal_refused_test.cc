// What is refused is kept and shown to its sender: nothing personal lies readable there either, and
// nobody has a sealed value opened by handing it in (law 13).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/lists.h"
#include "sync/device_id.h"
#include "tests/support/personal.h"

namespace waystation::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// As somebody finds it who has the disk and not the master key.
std::string sealed_name_in(const World& world) {
  for (const std::string& row : dump(world.disk())) {
    if (const auto sealed = find_sealed(row, 0)) {
      return row.substr(sealed->begin, sealed->end - sealed->begin);
    }
  }
  return {};
}

TEST_F(PersonalData, ThatIsHandedInSealedIsNotOpenedForItsSender) {
  world.push(phone, {volunteer(1, R"("name":"王小明标记")")});
  const std::string stolen = sealed_name_in(world);
  ASSERT_FALSE(stolen.empty());
  // In the text of a note, as a key, in a volunteer of the thief's, and as where it was written.
  const std::string key = stolen.substr(1, stolen.size() - 2);
  std::vector<OpText> ops{op(1).does("\"set\":{\"text\":" + stolen + "}"),
                          op(2).does("\"set\":{\"" + key + "\":1}"),
                          volunteer(3, "\"team\":" + stolen, "v9"),
                          volunteer(4, "\"name\":" + stolen, "v9"),
                          volunteer(5, R"("team":"red")", "v9"),
                          op(6).on("no_such", "a").does("\"set\":{\"a\":" + stolen + "}"),
                          op(7).does("\"set\":[" + stolen + "]")};
  ops[4].boot = key;
  const Answer answer = world.push(tablet, ops);
  EXPECT_EQ(answer.codes(),
            "op.invalid op.invalid op.invalid op.invalid op.invalid op.invalid op.invalid");
  EXPECT_THAT(quarantined(), AllOf(Not(HasSubstr(kName)), HasSubstr("\\u0001x1.v1.")));
  EXPECT_EQ(world.push(tablet, ops).verdicts, answer.verdicts) << "law 2";
  expect_sound();
}

TEST_F(PersonalData, IsNotOpenedInTheNameOfADevice) {
  world.push(phone, {volunteer(1, R"("name":"王小明标记")", "v2")});
  const std::string stolen = sealed_name_in(world);
  // As a device was named when names were not looked at.
  const std::string name = '\x01' + stolen.substr(7, stolen.size() - 8);
  ASSERT_TRUE(world.make_code("code", CodeRow{{"t"}, name, 1, world.now + 1, "office"}).ok());
  ASSERT_TRUE(world.enroll_with("code", "request", 77).ok());
  world.push(77, {volunteer(1, R"("name":"别名标记")")});
  world.push(tablet, {volunteer(1, R"("name":"丙标记")")});
  const auto lost = world.conflicts("volunteer", kPerson);
  ASSERT_EQ(lost.size(), 1U);
  const auto shown = show_conflict(
      world.store(), schemas(),
      ConflictName{"t", "volunteer", kPerson, "name", Dot{lost[0].device, lost[0].n}, 0});
  ASSERT_TRUE(shown.ok()) << shown.error().context;
  EXPECT_THAT(*shown, AllOf(Not(HasSubstr(kName)), HasSubstr("别名标记"), HasSubstr("丙标记")));
  EXPECT_THAT(history(), AllOf(Not(HasSubstr(kName)), HasSubstr("别名标记")));
}

TEST(TheNameOfADevice, HoldsNoControlCharacters) {
  EXPECT_EQ(decode_enroll(R"({"code":"c","request":"0123456789abcdef","name":"\u0001p1.v1.AA"})")
                .error()
                .context,
            "body.name holds a control character");
  EXPECT_EQ(decode_code_request(R"({"scopes":["t"],"name":"a\u007f"})").error().context,
            "body.name holds a control character");
  EXPECT_TRUE(decode_code_request(R"({"scopes":["t"],"name":"站点平板 3"})").ok());
}

TEST_F(PersonalData, OfARecordIdThatIsNoneIsKeptSealedToo) {
  EXPECT_EQ(world.push(phone, {volunteer(1, R"("name":"王小明标记")", "an id with spaces")}).code(),
            "record.id");
  expect_not_on_disk(kName);
  EXPECT_THAT(quarantined(), HasSubstr(kName));
}

TEST_F(PersonalData, OfAnOpThatCannotBeReadIsKeptSealed) {
  const auto text = [](std::uint64_t n, const std::string& edits) {
    OpText one = volunteer(n, "");
    one.edits = edits;
    return one.json();
  };
  const std::string name = R"("name":"王小明标记")";
  std::string deep = "\"王小明标记\"";
  for (int i = 0; i < 40; ++i) deep = "[" + deep + "]";
  const std::vector<std::string> ops{
      text(1, "\"set\":{" + name + R"(,"note":"\ud800"})"),
      text(2, "\"set\":{" + name + R"(,"team":9007199254740993})"),
      text(3, "\"set\":{" + name + "," + name + "}"),
      text(4, "\"set\":{\"name\":" + deep + "}"),
      text(5, "\"lost\":true,\"set\":{" + name + "}"),
      text(6, "\"inc\":{" + name + "}"),
      text(7, "\"reclaim\":{" + name + "}"),
      text(8, R"("set":"王小明标记")"),
      text(9, R"("del":true,"set":{"王小明标记":1})"),
      text(10, R"("coll":"note","coll":"volunteer","set":{)" + name + "}"),
      text(11, R"("grant":{"name":"王小明标记"},"set":{"name":1})")};
  const Answer answer = world.push_json(phone, ops);
  EXPECT_EQ(answer.codes(),
            "string.surrogate json.number json.duplicate_key json.too_deep op.lost field.type "
            "field.type op.invalid field.name json.duplicate_key field.type");
  EXPECT_THAT(answer.receipt, Not(HasSubstr("标记")));
  expect_not_on_disk(kName);
  EXPECT_EQ(world.push_json(phone, ops).verdicts, answer.verdicts) << "law 2";
  std::string page = quarantined();
  std::size_t shown = 0;
  for (auto at = page.find(kName); at != std::string::npos; at = page.find(kName, at + 1)) ++shown;
  EXPECT_GE(shown, ops.size()) << "whoever may read it reads all of it: " << page;
  ASSERT_TRUE(world.erase(kPerson).ok());
  EXPECT_THAT(quarantined(), Not(HasSubstr("标记")));
  expect_sound();
}

TEST_F(PersonalData, StandsInNoMemberThatMeansNothing) {
  OpText text = volunteer(1, R"("team":"red")");
  text.edits += R"(,"nmae":"王小明标记")";
  EXPECT_EQ(world.push(phone, {text}).code(), "ok");
  expect_not_on_disk(kName);
  EXPECT_THAT(history(), HasSubstr(kName));
  EXPECT_EQ(world.push(phone, {text}).code(), "ok") << "the same op again";
}

TEST_F(PersonalData, IsReadByTheRoleThatMaySeeItsCollectionAlone) {
  OpText text = volunteer(1, "");
  text.edits = R"("set":{"team":"red","team":"王小明标记"})";
  EXPECT_EQ(world.push(phone, {text}).code(), "json.duplicate_key");
  Role role;
  role.collections["volunteer"].read.seen = false;
  QuarantineQuery query;
  query.role = &role;
  EXPECT_EQ(list_quarantine(world.store(), query)->items, "") << "its collection is known";
  role.collections["volunteer"].read.seen = true;
  const auto told = list_quarantine(world.store(), query);
  EXPECT_THAT(told->items, AllOf(HasSubstr("json.duplicate_key"), Not(HasSubstr("标记"))))
      << "which fields it edits is not known, so they are not told";
}

}  // namespace
}  // namespace waystation::testing

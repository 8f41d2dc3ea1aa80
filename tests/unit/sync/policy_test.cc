// The policy file: what is wrong with one is named by its place, and what stands in one decides.
#include "sync/policy.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/json.h"
#include "tests/support/json_schema.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Json shipped() { return Json::parse(read_source("schemas/policy.json")); }

Result<Policy> load(const Json& file, const Schemas& against = schemas()) {
  return Policy::parse({"policy.json", file.dump()}, against);
}

bool fits_its_schema(const Json& file) { return fits_schema("schemas/policy.schema.json", file); }

// A collection "people" in versions, of texts; the second is what a version does with the one
// before.
using PeopleVersion = std::pair<std::vector<std::string>, std::string>;
constexpr char kRenamed[] = R"("migrate":[{"rename":{"from":"phone","to":"mobile"}}],)";
Result<Schemas> people(const std::vector<PeopleVersion>& versions) {
  const std::string title = R"("title":{"zh":"甲","en":"A"})";
  std::vector<SchemaFile> files{
      {"scope.v1.json", read_source("schemas/collections/scope.v1.json")}};
  for (const auto& [names, steps] : versions) {
    std::string fields;
    for (const std::string& name : names) {
      fields += fmt::format(R"({}"{}":{{"merge":"register","type":"string",{},"max_length":9}})",
                            fields.empty() ? "" : ",", name, title);
    }
    const std::size_t version = files.size();
    files.push_back({fmt::format("people.v{}.json", version),
                     fmt::format(R"({{"collection":"people","version":{},{},{}"fields":{{{}}}}})",
                                 version, title, steps, fields)});
  }
  return Schemas::parse(files);
}

// The shipped roles, without their collections; the lead has this rule of people.
Json about_people(const Json& read, const Json& write) {
  Json policy = shipped();
  for (auto& role : policy["roles"]) role["collections"] = Json::object();
  policy["roles"]["lead"]["collections"]["people"] = {{"read", read}, {"write", write}};
  return policy;
}

struct Mistake {
  const char* name;
  const char* pointer;  // what is replaced in the shipped file, or added to it
  const char* value;    // JSON; null: taken away
  const char* place;
  const char* reason;
  bool by_schema = true;  // schemas/policy.schema.json knows it too
};
std::ostream& operator<<(std::ostream& out, const Mistake& mistake) { return out << mistake.name; }

class WrongPolicies : public ::testing::TestWithParam<Mistake> {};

TEST_P(WrongPolicies, AreRefusedWithTheirPlace) {
  const Mistake& mistake = GetParam();
  Json file = shipped();
  const Json::json_pointer at(mistake.pointer);
  if (mistake.value == nullptr) {
    ASSERT_TRUE(file.contains(at));
    file[at.parent_pointer()].erase(at.back());
  } else {
    file[at] = Json::parse(mistake.value);
  }
  const auto loaded = load(file);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, Code::kPolicyInvalid);
  EXPECT_THAT(loaded.error().context, StartsWith(fmt::format("policy.json: {}: ", mistake.place)));
  EXPECT_THAT(loaded.error().context, HasSubstr(mistake.reason));
  EXPECT_EQ(fits_its_schema(file), !mistake.by_schema);
}

INSTANTIATE_TEST_SUITE_P(
    Files, WrongPolicies,
    ::testing::Values(
        Mistake{"VersionOfTomorrow", "/version", "2", "/version", "from 1 to 1"},
        Mistake{"UnknownKey", "/rules", "1", "/rules", "unknown key"},
        Mistake{"NoRoles", "/roles", nullptr, "/roles", "must be an object"},
        Mistake{"ARoleIsMissing", "/roles/lead", nullptr, "/roles/lead", "is missing"},
        Mistake{"ARoleThatIsNone", "/roles/king", "{}", "/roles/king", "is no role"},
        Mistake{"ARoleOfWrongShape", "/roles/lead", "1", "/roles/lead", "must be an object"},
        Mistake{"UnknownKeyOfARole", "/roles/lead/reads", "1", "/roles/lead/reads", "unknown key"},
        Mistake{"NoTitle", "/roles/lead/title", nullptr, "/roles/lead/title", "zh and en"},
        Mistake{"EmptyTitle", "/roles/lead/title/zh", R"("")", "/roles/lead/title/zh", "filled"},
        Mistake{"SystemOfWrongType", "/roles/lead/system", "1", "/roles/lead/system",
                "true or false"},
        Mistake{"NoOthers", "/roles/lead/others", nullptr, "/roles/lead/others",
                "must be an object"},
        Mistake{"OthersWithFields", "/roles/lead/others/read", R"({"all_but":["note"]})",
                "/roles/lead/others/read", R"("all" or "none")"},
        Mistake{"OthersWithDeeds", "/roles/lead/others/write", R"({"does":["set"]})",
                "/roles/lead/others/write", R"("all" or "none")"},
        Mistake{"UnknownCollection", "/roles/lead/collections/people",
                R"({"read":"all","write":"all"})", "/roles/lead/collections/people",
                "no such collection", false},
        Mistake{"ARuleOfWrongShape", "/roles/lead/collections/note", "[]",
                "/roles/lead/collections/note", "read and write"},
        Mistake{"UnknownKeyOfARule", "/roles/volunteer/collections/note/erase", "1",
                "/roles/volunteer/collections/note/erase", "unknown key"},
        Mistake{"NoReading", "/roles/volunteer/collections/note/read", nullptr,
                "/roles/volunteer/collections/note/read", "all_but"},
        Mistake{"UnknownReading", "/roles/volunteer/collections/note/read", R"("some")",
                "/roles/volunteer/collections/note/read", "all_but"},
        Mistake{"NothingHidden", "/roles/volunteer/collections/volunteer/read/all_but", "[]",
                "/roles/volunteer/collections/volunteer/read/all_but", "filled array"},
        Mistake{"HidesAnUnknownField", "/roles/volunteer/collections/volunteer/read/all_but",
                R"(["phone"])", "/roles/volunteer/collections/volunteer/read/all_but",
                "volunteer has no field \"phone\"", false},
        Mistake{"HidesAFieldTwice", "/roles/volunteer/collections/volunteer/read/all_but",
                R"(["note","note"])", "/roles/volunteer/collections/volunteer/read/all_but",
                "stands twice"},
        Mistake{"NoWriting", "/roles/volunteer/collections/note/write", nullptr,
                "/roles/volunteer/collections/note/write", "\"fields\", \"does\""},
        Mistake{"EmptyWriting", "/roles/volunteer/collections/note/write", "{}",
                "/roles/volunteer/collections/note/write", "\"fields\", \"does\""},
        Mistake{"UnknownKeyOfWriting", "/roles/volunteer/collections/note/write",
                R"({"field":["text"]})", "/roles/volunteer/collections/note/write/field",
                "unknown key"},
        Mistake{"WritesAnUnknownField", "/roles/volunteer/collections/event/write/fields",
                R"(["remark"])", "/roles/volunteer/collections/event/write/fields",
                "event has no field \"remark\"", false},
        Mistake{"DoesWhatNothingIs", "/roles/volunteer/collections/event/write/does",
                R"(["write"])", "/roles/volunteer/collections/event/write/does",
                "\"write\" is nothing that an op does"},
        Mistake{"DoesOfWrongType", "/roles/volunteer/collections/event/write/does", R"("set")",
                "/roles/volunteer/collections/event/write/does", "filled array"}),
    [](const auto& each) { return each.param.name; });

TEST(ThePolicyFile, IsRefusedWhereItIsNoJson) {
  const auto loaded = Policy::parse({"policy.json", "{"}, schemas());
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.error().context, StartsWith("policy.json: /: "));
}

TEST(ThePolicyFile, IsRefusedWhereAKeyStandsTwice) {
  std::string text = read_source("schemas/policy.json");
  text.replace(text.find("\"others\""), 8, R"("title":{"zh":"甲","en":"A"},"others")");
  const auto loaded = Policy::parse({"policy.json", text}, schemas());
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.error().context, HasSubstr("/roles/volunteer/title: stands twice"));
}

TEST(ThePolicyFile, ThatIsShippedIsGood) {
  EXPECT_TRUE(fits_its_schema(shipped()));
  const auto loaded = load(shipped());
  ASSERT_TRUE(loaded.ok()) << loaded.error().context;
  // What it is there for.
  EXPECT_FALSE(loaded->may_read(kRoleVolunteer, "volunteer", "phone_tail").allowed);
  EXPECT_TRUE(loaded->may_read(kRoleVolunteer, "volunteer", "name").allowed);
  EXPECT_TRUE(loaded->may_read(kRoleLead, "volunteer", "phone_tail").allowed);
  for (const char* coll : {"ledger", "refused", "duplicate", "visit", "balance"}) {
    EXPECT_FALSE(loaded->may_read(kRoleVolunteer, coll, "").allowed) << coll;
    EXPECT_TRUE(loaded->may_read(kRoleOffice, coll, "").allowed) << coll;
  }
  EXPECT_FALSE(loaded->enters(kRoleLead, "system:office"));
  EXPECT_TRUE(loaded->enters(kRoleOffice, "system:office"));
  EXPECT_TRUE(loaded->enters(kRoleVolunteer, "t"));
}

TEST(APolicy, GivesRolesThatSeeTheSameOneView) {
  const auto loaded = load(shipped());
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(&loaded->view_of(kRoleOffice), &loaded->view_of(kRoleAdministrator));
  EXPECT_EQ(&loaded->view_of(kRoleOffice), &loaded->view_of(kRoleLead));
  EXPECT_TRUE(loaded->view_of(kRoleOffice).whole());
  EXPECT_NE(&loaded->view_of(kRoleVolunteer), &loaded->view_of(kRoleStation));
  EXPECT_EQ(loaded->views().size(), 2U);
}

TEST(APolicy, ShowsNothingToARoleThatIsNone) {
  const auto loaded = load(shipped());
  ASSERT_TRUE(loaded.ok());
  EXPECT_FALSE(loaded->view_of("king").of("note").seen);
  EXPECT_FALSE(loaded->may_write("king", "note", "text", *deed("set")).allowed);
  EXPECT_TRUE(loaded->against("king", received(op(1))).has_value());
}

std::string refusal(const Policy& policy, std::string_view role, const OpText& text) {
  return policy.against(role, received(text)).value_or("");
}

TEST(APolicy, JudgesAnOpByWhatItDoesAndToWhichField) {
  const auto loaded = load(shipped());
  ASSERT_TRUE(loaded.ok());
  const OpText event = op(1).on("event", "e1");
  EXPECT_EQ(refusal(*loaded, kRoleVolunteer, event.does(R"("append":{"remarks":["late"]})")), "");
  EXPECT_THAT(refusal(*loaded, kRoleVolunteer, event.does(R"("set":{"title":"mine"})")),
              HasSubstr("set of event.title: refused because of "
                        "/roles/volunteer/collections/event/write"));
  EXPECT_NE(refusal(*loaded, kRoleVolunteer,
                    event.does(R"("append":{"remarks":["a"]},"set":{"title":"mine"})")),
            "");
  EXPECT_EQ(refusal(*loaded, kRoleLead, event.does(R"("set":{"title":"ours"})")), "");
  const OpText quota = op(1).on("quota", "q1");
  EXPECT_EQ(refusal(*loaded, kRoleStation, quota.does(R"("spend":{"places":1})")), "");
  EXPECT_NE(refusal(*loaded, kRoleStation, quota.does(R"("grant":{"places":9})")), "");
  // A delete takes the record whole: who may write some fields may not.
  EXPECT_NE(refusal(*loaded, kRoleVolunteer, event.does(R"("del":true)")), "");
  EXPECT_EQ(refusal(*loaded, kRoleVolunteer, op(1).does(R"("del":true)")), "");
  EXPECT_NE(refusal(*loaded, kRoleStation,
                    op(1)
                        .on("attendance", "e~v")
                        .does(R"("settle":[{"field":"note","by":"7K3M9QX2PA","n":1}])")),
            "");
}

// A collection whose field has had another name: what is hidden is hidden under that one as well,
// in old ops and in what a migration could not place.
TEST(APolicy, HidesWhatAFieldWasCalledBefore) {
  const auto set = people({{{"phone", "name"}, ""}, {{"mobile", "name"}, kRenamed}});
  ASSERT_TRUE(set.ok()) << set.error().context;
  Json policy = about_people({{"all_but", {"mobile"}}}, "none");
  policy["roles"]["station"]["collections"]["people"] = {{"read", "all"},
                                                         {"write", {{"fields", {"mobile"}}}}};
  const auto loaded = load(policy, *set);
  ASSERT_TRUE(loaded.ok()) << loaded.error().context;
  const Sight& sight = loaded->view_of(kRoleLead).of("people");
  for (const char* hidden : {"mobile", "phone", "mobile_v1", "phone_v1", "phone_v1_2"}) {
    EXPECT_FALSE(sight.shows(hidden)) << hidden;
  }
  for (const char* shown : {"name", "name_v1", "phone_v", "phones", "v1", "_v1", "2", ""}) {
    EXPECT_TRUE(sight.shows(shown)) << shown;
  }
  const CollectionRule& rule = loaded->role(kRoleLead).rule("people");
  const auto told = op_without(
      R"({"coll":"people","id":"p","n":1,"scope":"t","set":{"name":"b","phone":"1"},"x":"1"})",
      rule.not_told);
  ASSERT_TRUE(told.ok());
  EXPECT_EQ(*told, R"({"coll":"people","id":"p","n":1,"scope":"t","set":{"name":"b"}})");
  // And who may write the field may write it under the name that an old phone has for it.
  Op old = *decode_op(op(1).on("people", "p").does(R"("set":{"phone":"1"})").json());
  set->admit(old);
  EXPECT_FALSE(old.refusal.has_value());
  EXPECT_EQ(loaded->against(kRoleStation, old), std::nullopt);
}

// phone became mobile, and phone is the name of something else by now.
TEST(APolicy, HidesWhatIsLeftOfAFieldWhoseNameAnotherHasByNow) {
  const auto set = people(
      {{{"phone", "name"}, ""}, {{"mobile", "name"}, kRenamed}, {{"mobile", "name", "phone"}, ""}});
  ASSERT_TRUE(set.ok()) << set.error().context;
  Json policy = about_people({{"all_but", {"mobile"}}}, "none");
  policy["roles"]["station"]["collections"]["people"] = {{"read", "all"},
                                                         {"write", {{"fields", {"mobile"}}}}};
  const auto loaded = load(policy, *set);
  ASSERT_TRUE(loaded.ok()) << loaded.error().context;
  const Sight& sight = loaded->view_of(kRoleLead).of("people");
  const auto may_write = [&](const char* field) {
    return loaded->may_write(kRoleStation, "people", field, *deed("set")).allowed;
  };
  for (const char* old : {"mobile", "mobile_v2", "phone_v1", "phone_v1_2"}) {
    EXPECT_FALSE(sight.shows(old)) << old;
    EXPECT_TRUE(may_write(old)) << old;
  }
  for (const char* other : {"phone", "name", "phone_v3"}) {
    EXPECT_TRUE(sight.shows(other)) << other;
    EXPECT_FALSE(may_write(other)) << other;
  }
}

TEST(APolicy, SpeaksOfAFieldThatIsCalledLikeTheRestOfAnotherByItsNameAlone) {
  const auto set = people({{{"phone", "phone_v1", "name"}, ""}});
  ASSERT_TRUE(set.ok()) << set.error().context;
  for (const Json& policy : {about_people({{"all_but", {"phone"}}}, "none"),
                             about_people("all", {{"fields", {"phone"}}})}) {
    const auto loaded = load(policy, *set);
    ASSERT_FALSE(loaded.ok());
    EXPECT_THAT(loaded.error().context, HasSubstr("\"phone_v1\" is called like what is left"));
  }
  EXPECT_TRUE(load(about_people({{"all_but", {"phone", "phone_v1"}}}, "none"), *set).ok());
}

// A policy that was written before the rename goes on to hide what it did.
TEST(APolicy, FollowsAFieldToWhatItIsCalledNow) {
  const auto set = people(
      {{{"phone", "name"}, ""}, {{"mobile", "name"}, kRenamed}, {{"mobile", "name", "note"}, ""}});
  ASSERT_TRUE(set.ok()) << set.error().context;
  const auto loaded = load(about_people({{"all_but", {"phone"}}}, {{"fields", {"name"}}}), *set);
  ASSERT_TRUE(loaded.ok()) << loaded.error().context;
  const Sight& sight = loaded->view_of(kRoleLead).of("people");
  for (const char* hidden : {"phone", "mobile", "phone_v1"}) EXPECT_FALSE(sight.shows(hidden));
  for (const char* shown : {"name", "note"}) EXPECT_TRUE(sight.shows(shown)) << shown;
}

// The server writes them about others' records.
TEST(APolicy, ShowsNoDuplicatesOrLedgerToWhoeverDoesNotReadWhatTheyTellOf) {
  const auto fault = [](const char* coll, const Json& read) {
    Json policy = shipped();
    policy["roles"]["lead"]["collections"][coll] = {{"read", read}, {"write", "none"}};
    const auto loaded = load(policy);
    return loaded.ok() ? "" : loaded.error().context;
  };
  EXPECT_EQ(fault("volunteer", {{"all_but", {"note"}}}), "");
  EXPECT_THAT(fault("volunteer", {{"all_but", {"phone_tail"}}}),
              HasSubstr("/roles/lead/others/read: duplicate tells of volunteer.phone_tail"));
  EXPECT_THAT(fault("volunteer", "none"), HasSubstr("duplicate tells of volunteer.name"));
  EXPECT_THAT(fault("quota", {{"all_but", {"places"}}}),
              HasSubstr("/roles/lead/others/read: ledger tells of quota.places"));
  Json policy = shipped();
  policy["roles"]["lead"]["collections"]["duplicate"] = {{"read", "none"}, {"write", "none"}};
  policy["roles"]["lead"]["collections"]["volunteer"] = {{"read", "none"}, {"write", "none"}};
  EXPECT_TRUE(load(policy).ok());
}

TEST(APolicy, HidesWhatANewerSchemaHasLeftOut) {
  const auto set = people({{{"phone", "name"}, ""}, {{"name"}, ""}});
  ASSERT_TRUE(set.ok()) << set.error().context;
  const Json policy = about_people({{"all_but", {"phone"}}}, "none");
  const auto loaded = load(policy, *set);
  ASSERT_TRUE(loaded.ok()) << loaded.error().context;
  EXPECT_FALSE(loaded->view_of(kRoleLead).of("people").shows("phone")) << "it lies in old records";
  EXPECT_TRUE(loaded->view_of(kRoleLead).of("people").shows("name"));
}

TEST(APolicy, LetsNobodyReplaceOrDeleteWhatHeDoesNotRead) {
  const auto loads = [](const Json& read, const Json& write) {
    Json policy = shipped();
    policy["roles"]["lead"]["collections"]["volunteer"] = {{"read", read}, {"write", write}};
    policy["roles"]["lead"]["collections"]["duplicate"] = {{"read", "none"}, {"write", "none"}};
    return load(policy, schemas()).ok();
  };
  const Json some = {{"all_but", {"note"}}};
  EXPECT_FALSE(loads(some, "all"));
  EXPECT_FALSE(loads(some, {{"fields", {"note"}}}));
  EXPECT_FALSE(loads(some, {{"fields", {"name"}}, {"does", {"set", "delete"}}}));
  EXPECT_TRUE(loads(some, {{"fields", {"name"}}, {"does", {"set", "create"}}}));
  EXPECT_FALSE(loads("none", "all"));
  EXPECT_TRUE(loads("none", {{"does", {"append", "add", "create"}}}));
}

TEST(AView, KeepsWhatItHidesOutOfARecordsText) {
  const auto seen = [](std::string_view text) { return without(text, {"b", "d"}); };
  EXPECT_EQ(seen(R"({})"), "{}");
  EXPECT_EQ(seen(R"({"b":1})"), "{}");
  EXPECT_EQ(seen(R"({"a":1,"b":"}","c":[1,{"b":2}],"d":{"x":"\"]"}})"),
            R"({"a":1,"c":[1,{"b":2}]})");
  EXPECT_EQ(seen(R"({"b":"\\","c":"\"b\":1","d":null})"), R"({"c":"\"b\":1"})");
  EXPECT_EQ(seen(R"({"b":[],"e":{}})"), R"({"e":{}})");
}

TEST(AView, IsReadBackFromItsText) {
  for (const View& view :
       {View(), View(Sight{false, {}}, {}),
        View(Sight{}, {{"a", Sight{false, {}}}, {"b", Sight{true, {"x", "y"}}}})}) {
    const auto again = View::parse(view.text());
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->text(), view.text());
    EXPECT_EQ(again->name(), view.name());
    EXPECT_EQ(again->whole(), view.whole());
  }
  for (const char* bad :
       {"", "{}", R"({"collections":{},"others":1})", R"({"collections":{"a":true},"others":true})",
        R"({"collections":{"a":[1]},"others":true})"}) {
    EXPECT_FALSE(View::parse(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace waystation::testing

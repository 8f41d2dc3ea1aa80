// Schema files that speak of each other: versions of one collection, and collections that moved.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sync/schema.h"

namespace waystation::testing {
namespace {

using ::testing::HasSubstr;

const char* const kScope =
    R"({"collection":"scope","version":1,"title":{"zh":"范围","en":"Scope"},
        "fields":{"title":{"merge":"register","type":"string","title":{"zh":"名","en":"Name"},
                           "max_length":10}}})";
constexpr std::string_view kTitle = R"("title":{"zh":"甲","en":"A"})";

// A file of collection "c" in the given version: fields by name and type.
std::string version_of(int version, const std::vector<std::pair<std::string, std::string>>& fields,
                       std::string_view more = "", std::string_view name = "c") {
  std::string text;
  for (const auto& [field_name, kind] : fields) {
    const bool plain = kind == "time" || kind == "boolean" || kind == "date";
    const bool string = kind == "string";
    const bool set = kind == "set";
    const bool counter = kind == "counter";
    text += fmt::format(R"({}"{}":{{"merge":"{}","type":"{}",{}{}}})", text.empty() ? "" : ",",
                        field_name,
                        set       ? "set"
                        : counter ? "counter"
                                  : "register",
                        set       ? "string"
                        : counter ? "integer"
                                  : kind,
                        kTitle,
                        plain    ? ""
                        : string ? R"(,"max_length":5)"
                        : set    ? R"(,"max_length":5,"max_items":5)"
                                 : R"(,"min":0,"max":9)");
  }
  return fmt::format(R"({{"collection":"{}","version":{},{},"fields":{{{}}}{}}})", name, version,
                     kTitle, text, more);
}
const std::string kQuota =
    fmt::format(R"("f":{{"merge":"quota","type":"integer",{},"max":4,"max_lease":2,)"
                R"("lease_hours":1,"reclaim_after_hours":1}})",
                kTitle);
const std::string kCounter =
    fmt::format(R"("n":{{"merge":"counter","type":"integer",{},"min":0,"max":9}})", kTitle);
const std::string kText =
    fmt::format(R"("a":{{"merge":"register","type":"string",{},"max_length":5}})", kTitle);

// A file of collection "c" whose records can be deleted, or cannot.
std::string kept(int version, bool deletable, std::string_view fields, std::string_view more = "") {
  return fmt::format(R"({{"collection":"c","version":{},{},"deletable":{},"fields":{{{}}}{}}})",
                     version, kTitle, deletable, fields, more);
}

// Of a collection whose records are about the persons of their ids.
std::string about(int version, std::string_view fields, std::string_view more = "") {
  return kept(version, true, fields, fmt::format(R"({},"person":"id")", more));
}
const std::string kNotPersonal =
    fmt::format(R"("n":{{"merge":"register","type":"string",{},"max_length":5}})", kTitle);
const std::string kPersonal =
    kNotPersonal.substr(0, kNotPersonal.size() - 1) + R"(,"personal":true})";

std::string steps(std::string_view list) { return fmt::format(R"(,"migrate":[{}])", list); }

struct BadFiles {
  const char* name;
  std::vector<std::string> texts;  // called 1.json, 2.json …
  const char* error;
};
std::ostream& operator<<(std::ostream& out, const BadFiles& bad) { return out << bad.name; }

class BadVersions : public ::testing::TestWithParam<BadFiles> {};

TEST_P(BadVersions, AreRefusedWithFilePathAndReason) {
  std::vector<SchemaFile> files{{"scope.v1.json", kScope}};
  for (const std::string& text : GetParam().texts) {
    files.push_back({fmt::format("{}.json", files.size()), text});
  }
  const auto loaded = Schemas::parse(files);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, Code::kSchemaInvalid);
  EXPECT_EQ(loaded.error().context, GetParam().error);
}

const std::vector<std::pair<std::string, std::string>> kA{{"a", "string"}};
const std::vector<std::pair<std::string, std::string>> kB{{"b", "string"}};
const std::vector<std::pair<std::string, std::string>> kBC{{"b", "string"}, {"c", "string"}};

BadFiles step(const char* name, const std::string& text, const char* error,
              const std::vector<std::pair<std::string, std::string>>& after = kB) {
  return {name, {version_of(1, kA), version_of(2, after, steps(text))}, error};
}

INSTANTIATE_TEST_SUITE_P(
    Files, BadVersions,
    ::testing::Values(
        BadFiles{"AGap",
                 {version_of(1, kA), version_of(3, kA)},
                 "2.json: /version: version 2 of \"c\" is missing"},
        BadFiles{"NoFirst", {version_of(2, kA)}, "1.json: /version: version 1 of \"c\" is missing"},
        BadFiles{"TheSameTwice",
                 {version_of(1, kA), version_of(2, kA), version_of(2, kA)},
                 "3.json: /version: version 2 of \"c\" stands in 2.json too"},
        BadFiles{"StepsBeforeTheFirst",
                 {version_of(1, kA, steps(R"({"retype":{"field":"a"}})"))},
                 "1.json: /migrate: there is no version before this one"},
        BadFiles{"StepsAreAnObject",
                 {version_of(1, kA), version_of(2, kA, R"(,"migrate":{})")},
                 "2.json: /migrate: must be an array"},
        step("AStepOfTwo", R"({"rename":{"from":"a","to":"b"},"retype":{"field":"a"}})",
             "2.json: /migrate/0: must be an object with one of: rename split default retype"),
        step("AnUnknownStep", R"({"drop":{"field":"a"}})",
             "2.json: /migrate/0/drop: is none of: rename split default retype"),
        step("AStepThatIsAText", R"({"rename":"a"})",
             "2.json: /migrate/0/rename: must be an object"),
        step("AStepWithAnUnknownKey", R"({"rename":{"from":"a","into":"b"}})",
             "2.json: /migrate/0/rename/into: unknown key"),
        step("ARenameOfNothing", R"({"rename":{"from":"z","to":"b"}})",
             "2.json: /migrate/0/rename/from: \"z\" is not a field of version 1"),
        step("ARenameToNothing", R"({"rename":{"from":"a","to":"z"}})",
             "2.json: /migrate/0/rename/to: \"z\" is not a field of version 2"),
        step("ARenameToACapital", R"({"rename":{"from":"a","to":"B"}})",
             "2.json: /migrate/0/rename/to: is not a field name ([a-z][a-z0-9_]*)"),
        step("ARenameTwice", R"({"rename":{"from":"a","to":"b"}},{"rename":{"from":"a","to":"c"}})",
             "2.json: /migrate/1/rename/from: \"a\" is not a field of version 1", kBC),
        BadFiles{"ARenameOntoAField",
                 {version_of(1, {{"a", "string"}, {"b", "string"}}),
                  version_of(2, kB, steps(R"({"rename":{"from":"a","to":"b"}})"))},
                 "2.json: /migrate/0/rename/to: \"b\" is a field already"},
        step("ASplitIntoOne", R"({"split":{"from":"a","into":["b"],"at":" "}})",
             "2.json: /migrate/0/split/into: must be an array of two or more field names"),
        step("ASplitIntoTheSameTwice", R"({"split":{"from":"a","into":["b","b"],"at":" "}})",
             "2.json: /migrate/0/split/into: \"b\" is a field already"),
        step("ASplitIntoItself", R"({"split":{"from":"a","into":["a","b"],"at":" "}})",
             "2.json: /migrate/0/split/into: \"a\" is a field already"),
        step("ASplitAtNothing", R"({"split":{"from":"a","into":["b","c"],"at":""}})",
             "2.json: /migrate/0/split/at: must be a filled string", kBC),
        step("ASplitOfNothing", R"({"split":{"from":"z","into":["b","c"],"at":" "}})",
             "2.json: /migrate/0/split/from: \"z\" is not a field of version 1", kBC),
        step("ASplitIntoNothing", R"({"split":{"from":"a","into":["b","z"],"at":" "}})",
             "2.json: /migrate/0/split/into: \"z\" is not a field of version 2", kBC),
        BadFiles{"ASplitOfASet",
                 {version_of(1, {{"a", "set"}}),
                  version_of(2, kBC, steps(R"({"split":{"from":"a","into":["b","c"],"at":" "}})"))},
                 "2.json: /migrate/0/split/from: \"a\" is not a register of type string"},
        BadFiles{"ASplitIntoIntegers",
                 {version_of(1, kA),
                  version_of(2, {{"b", "string"}, {"c", "integer"}},
                             steps(R"({"split":{"from":"a","into":["b","c"],"at":" "}})"))},
                 "2.json: /fields/c/type: has another type than in version 1: a \"retype\" step is "
                 "missing"},
        step("ADefaultOfNothing", R"({"default":{"field":"z","value":"x"}})",
             "2.json: /migrate/0/default/field: \"z\" is not a register of version 2"),
        step("ADefaultWithoutValue", R"({"default":{"field":"b"}})",
             "2.json: /migrate/0/default/value: must be a string, a number, true or false"),
        step("ADefaultOfNull", R"({"default":{"field":"b","value":null}})",
             "2.json: /migrate/0/default/value: must be a string, a number, true or false"),
        step("ADefaultOfAnotherType", R"({"default":{"field":"b","value":1}})",
             "2.json: /migrate/0/default/value: b: must be a string"),
        step("ADefaultThatIsTooLong", R"({"default":{"field":"b","value":"123456"}})",
             "2.json: /migrate/0/default/value: b: at most 5 characters"),
        step("ADefaultBeyond53Bits", R"({"default":{"field":"b","value":9007199254740993}})",
             "2.json: /migrate/0/default/value: an integer lies beyond 2^53-1"),
        BadFiles{"ADefaultOfACounter",
                 {version_of(1, kA), version_of(2, {{"a", "string"}, {"b", "counter"}},
                                                steps(R"({"default":{"field":"b","value":1}})"))},
                 "2.json: /migrate/0/default/field: \"b\" is not a register of version 2"},
        step("ARetypeOfNothing", R"({"retype":{"field":"b"}})",
             "2.json: /migrate/0/retype/field: \"b\" is not a field of version 1"),
        step("ARetypeOfWhatIsGone", R"({"retype":{"field":"a"}})",
             "2.json: /migrate/0/retype/field: \"a\" is not a field of version 2"),
        BadFiles{"AnotherTypeWithoutAStep",
                 {version_of(1, kA), version_of(2, {{"a", "integer"}})},
                 "2.json: /fields/a/type: has another type than in version 1: a \"retype\" step is "
                 "missing"},
        BadFiles{"AnotherMergeType",
                 {version_of(1, kA), version_of(2, {{"a", "set"}})},
                 "2.json: /fields/a/merge: was a register in version 1: a field keeps its merge "
                 "type"},
        BadFiles{"AnotherMergeTypeUnderAnotherName",
                 {version_of(1, {{"a", "set"}}),
                  version_of(2, kB, steps(R"({"rename":{"from":"a","to":"b"}})"))},
                 "2.json: /fields/b/merge: was a set in version 1: a field keeps its merge type"},
        BadFiles{"AKeyThatComesLater",
                 {version_of(1, kBC), version_of(2, kBC, R"(,"key":["b","c"])")},
                 "2.json: /key: another natural key: records would need other ids"},
        BadFiles{"FactsFromNowOn",
                 {version_of(1, kA), version_of(2, kA, R"(,"facts":true)")},
                 "2.json: /facts: records that exist are facts, or are not, for good"},
        BadFiles{"AQuotaWhereRecordsWereDeleted",
                 {version_of(1, {{"a", "string"}}), kept(2, false, kQuota)},
                 "2.json: /fields/f/merge: records could be deleted in version 1: a quota needs a "
                 "collection of its own"},
        BadFiles{"AQuotaWhereRecordsWereDeletedLongBefore",
                 {version_of(1, kA), kept(2, false, kText), kept(3, false, kQuota)},
                 "3.json: /fields/f/merge: records could be deleted in version 1: a quota needs a "
                 "collection of its own"},
        BadFiles{
            "APersonalFieldOfAnotherName",
            {about(1, kPersonal), about(2, kText, steps(R"({"rename":{"from":"n","to":"a"}})"))},
            "2.json: /migrate/0: \"n\" is personal: it keeps its name and its type"},
        BadFiles{
            "APersonalFieldLess",
            {about(1, kPersonal), about(2, kText)},
            "2.json: /fields: \"n\" is personal in version 1 and stays so: what was written of "
            "it would lie readable"},
        BadFiles{
            "APersonalFieldThatIsNoneAnyMore",
            {about(1, kPersonal), about(2, kNotPersonal)},
            "2.json: /fields/n/personal: \"n\" is personal in version 1 and stays so: what was "
            "written of it would lie readable"},
        BadFiles{"AQuotaLess",
                 {kept(1, false, kQuota + "," + kText), kept(2, false, kText)},
                 "2.json: /fields: \"f\" is missing, a quota in version 1: what was leased of it "
                 "is out there"},
        BadFiles{
            "AQuotaOfAnotherType",
            {kept(1, false, kQuota), kept(2, false, kQuota, steps(R"({"retype":{"field":"f"}})"))},
            "2.json: /migrate/0/retype/field: \"f\" is a quota"},
        BadFiles{"ACounterWhereRecordsWereDeleted",
                 {version_of(1, kA), kept(2, false, kCounter)},
                 "2.json: /fields/n/merge: records could be deleted in version 1: a counter needs "
                 "a collection of its own"},
        BadFiles{"ACounterThatWasTakenAwayWhereRecordsWereDeleted",
                 {kept(1, true, kCounter), kept(2, true, kText), kept(3, false, kText)},
                 "3.json: /deletable: records could be deleted in version 1: a counter needs a "
                 "collection of its own"},
        BadFiles{"DeletesOfWhatIsASum",
                 {kept(1, false, kCounter), kept(2, true, kCounter)},
                 "2.json: /deletable: records could not be deleted in version 1, so \"n\" has kept "
                 "the sum alone"},
        BadFiles{"DeletesOfWhatWasASum",
                 {kept(1, false, kCounter), kept(2, false, kText), kept(3, true, kText)},
                 "3.json: /deletable: records could not be deleted in version 1, so \"n\" has kept "
                 "the sum alone"},
        BadFiles{"AMoveFromNowhere",
                 {version_of(2, kA, R"(,"moved_from":"old")")},
                 "1.json: /moved_from: there is no collection \"old\""},
        BadFiles{"AMoveToItself",
                 {version_of(1, kA), version_of(2, kA, R"(,"moved_from":"c")")},
                 "2.json: /moved_from: is this collection"},
        BadFiles{"AMoveThatStartsAtOne",
                 {version_of(1, kA, "", "old"), version_of(1, kA, R"(,"moved_from":"old")")},
                 "2.json: /version: must be 2: the last version of \"old\" is 1"},
        BadFiles{"AMoveBeforeTheLastVersion",
                 {version_of(1, kA, "", "old"), version_of(2, kA, "", "old"),
                  version_of(2, kA, R"(,"moved_from":"old")")},
                 "3.json: /version: must be 3: the last version of \"old\" is 2"},
        BadFiles{"AMoveSaidAgain",
                 {version_of(1, kA, "", "old"), version_of(2, kA, R"(,"moved_from":"old")"),
                  version_of(3, kA, R"(,"moved_from":"old")")},
                 "3.json: /moved_from: stands only in the first version of a collection"},
        BadFiles{"AMoveToTwoPlaces",
                 {version_of(1, kA, "", "old"), version_of(2, kA, R"(,"moved_from":"old")"),
                  version_of(2, kA, R"(,"moved_from":"old")", "d")},
                 "3.json: /moved_from: \"old\" has moved to \"c\" already"},
        BadFiles{"MovesInACircle",
                 {version_of(2, kA, R"(,"moved_from":"d")"),
                  version_of(3, kA, R"(,"moved_from":"c")", "d")},
                 "1.json: /moved_from: the moves go round in a circle"}),
    [](const auto& given) { return given.param.name; });

TEST(Versions, OfACollectionTheHighestIsTheCurrentOne) {
  const auto loaded = Schemas::parse(
      {{"c.v2.json", version_of(2, kB, steps(R"({"rename":{"from":"a","to":"b"}})"))},
       {"scope.v1.json", kScope},
       {"c.v1.json", version_of(1, kA)}});
  ASSERT_TRUE(loaded.ok()) << loaded.error().context;
  EXPECT_EQ(loaded->find("c")->version, 2U);
  EXPECT_NE(loaded->find("c")->field("b"), nullptr);
  EXPECT_EQ(loaded->collections().size(), 2U);
}

TEST(Versions, MayLetRecordsBeDeletedOrNoLongerWhereNothingIsCounted) {
  const std::vector<SchemaFile> files{{"scope.v1.json", kScope},
                                      {"c.v1.json", kept(1, false, kText)},
                                      {"c.v2.json", kept(2, true, kText)},
                                      {"c.v3.json", kept(3, false, kText)}};
  const auto loaded = Schemas::parse(files);
  ASSERT_TRUE(loaded.ok()) << loaded.error().context;
  EXPECT_TRUE(loaded->migrates("c", 1)) << "counters that are not known";
  EXPECT_FALSE(loaded->migrates("c", 2));
}

TEST(Versions, MayRenameAQuotaAndCountFromWhenRecordsCanBeDeleted) {
  const std::string named = fmt::format(R"("g"{})", kQuota.substr(3));
  const auto loaded = Schemas::parse(
      {{"scope.v1.json", kScope},
       {"c.v1.json", kept(1, false, kQuota)},
       {"c.v2.json", kept(2, false, named, steps(R"({"rename":{"from":"f","to":"g"}})"))}});
  EXPECT_TRUE(loaded.ok()) << loaded.error().context;
  const auto counted = Schemas::parse({{"scope.v1.json", kScope},
                                       {"c.v1.json", kept(1, false, kText)},
                                       {"c.v2.json", kept(2, true, kCounter)}});
  EXPECT_TRUE(counted.ok()) << counted.error().context;
}

TEST(Versions, OfACollectionThatHasMovedAreNotCurrent) {
  const auto loaded = Schemas::parse({{"scope.v1.json", kScope},
                                      {"old.v1.json", version_of(1, kA, "", "old")},
                                      {"c.v2.json", version_of(2, kA, R"(,"moved_from":"old")")}});
  ASSERT_TRUE(loaded.ok()) << loaded.error().context;
  EXPECT_EQ(loaded->find("old"), nullptr);
  EXPECT_EQ(loaded->find("c")->version, 2U);
}

TEST(Versions, OfScopeThatHasMovedAwayLeaveNoScope) {
  const auto loaded = Schemas::parse(
      {{"scope.v1.json", kScope},
       {"c.v2.json",
        fmt::format(R"({{"collection":"c","version":2,{},"moved_from":"scope","fields":{{{}}}}})",
                    kTitle,
                    R"("f":{"merge":"register","type":"boolean","title":{"zh":"x","en":"x"}})")}});
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.error().context, HasSubstr("\"scope\" is missing"));
}

}  // namespace
}  // namespace waystation::testing

#include "sync/schema.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/json.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const char* const kScope =
    R"({"collection":"scope","version":1,"title":{"zh":"范围","en":"Scope"},
        "fields":{"title":{"merge":"register","type":"string","title":{"zh":"名","en":"Name"},
                           "max_length":10}}})";

// A good field and a good collection, to be spoilt.
constexpr std::string_view kTitle = R"("title":{"zh":"甲","en":"A"})";
std::string field(std::string_view inside) { return fmt::format(R"("f":{{{}}})", inside); }
std::string text_field() {
  return field(fmt::format(R"("merge":"register","type":"string",{},"max_length":5)", kTitle));
}
std::string collection(std::string_view fields, std::string_view more = "") {
  return fmt::format(R"({{"collection":"c","version":1,{},"fields":{{{}}}{}}})", kTitle, fields,
                     more);
}

Result<Schemas> load(const std::string& text) {
  return Schemas::parse({{"scope.v1.json", kScope}, {"c.v1.json", text}});
}

struct BadSchema {
  const char* name;
  std::string text;
  const char* path;
  const char* reason;
};

std::ostream& operator<<(std::ostream& out, const BadSchema& bad) { return out << bad.name; }

class BadSchemas : public ::testing::TestWithParam<BadSchema> {};

TEST_P(BadSchemas, AreRefusedWithFilePathAndReason) {
  const auto loaded = load(GetParam().text);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, Code::kSchemaInvalid);
  EXPECT_THAT(loaded.error().context, StartsWith(fmt::format("c.v1.json: {}: ", GetParam().path)));
  EXPECT_THAT(loaded.error().context, HasSubstr(GetParam().reason));
}

std::string registers(std::string_view type, std::string_view more) {
  return field(fmt::format(R"("merge":"register","type":"{}",{}{})", type, kTitle, more));
}

INSTANTIATE_TEST_SUITE_P(
    Files, BadSchemas,
    ::testing::Values(
        BadSchema{"NotJson", "{", "/", ""}, BadSchema{"AnArray", "[]", "/", "must be an object"},
        BadSchema{"AnUnknownKey", collection(text_field(), R"(,"colour":1)"), "/colour",
                  "unknown key"},
        BadSchema{"AKeyTwice", collection(text_field(), R"(,"version":1)"), "/version",
                  "stands twice"},
        BadSchema{"NoName", R"({"version":1})", "/collection", "must be a filled string"},
        BadSchema{"ANameInCapitals",
                  R"({"collection":"Notes","version":1,"title":{"zh":"x","en":"x"},"fields":{}})",
                  "/collection", "is not a name"},
        BadSchema{"NoVersion", R"({"collection":"c","title":{"zh":"x","en":"x"},"fields":{}})",
                  "/version", "must be an integer from 1 to"},
        BadSchema{"VersionZero",
                  R"({"collection":"c","version":0,"title":{"zh":"x","en":"x"},"fields":{}})",
                  "/version", "must be an integer from 1 to"},
        BadSchema{"NoTitle", R"({"collection":"c","version":1,"fields":{}})", "/title",
                  "must be an object with zh and en"},
        BadSchema{"NoChineseTitle",
                  R"({"collection":"c","version":1,"title":{"en":"x"},"fields":{}})", "/title/zh",
                  "must be a filled string"},
        BadSchema{
            "AThirdLanguage",
            R"({"collection":"c","version":1,"title":{"zh":"x","en":"x","de":"x"},"fields":{}})",
            "/title/de", "unknown key"},
        BadSchema{"FactsIsAText", collection(text_field(), R"(,"facts":"yes")"), "/facts",
                  "must be true or false"},
        BadSchema{"NoFields", collection(""), "/fields", "must be a filled object"},
        BadSchema{"FieldsIsAnArray",
                  R"({"collection":"c","version":1,"title":{"zh":"x","en":"x"},"fields":[]})",
                  "/fields", "must be a filled object"},
        BadSchema{"AFieldTwice", collection(text_field() + "," + text_field()), "/fields/f",
                  "stands twice"},
        BadSchema{"AFieldIsAText", collection(R"("f":"string")"), "/fields/f", "must be an object"},
        BadSchema{
            "AFieldNameInCapitals",
            collection(R"("F":{"merge":"register","type":"boolean","title":{"zh":"x","en":"x"}})"),
            "/fields/F", "is not a field name"},
        BadSchema{"AFieldWithAnUnknownKey", collection(registers("string", R"(,"length":5)")),
                  "/fields/f/length", "unknown key"},
        BadSchema{"NoMerge", collection(field(fmt::format(R"("type":"boolean",{})", kTitle))),
                  "/fields/f/merge", "must be a filled string"},
        BadSchema{"AnUnknownMerge",
                  collection(field(fmt::format(R"("merge":"max","type":"boolean",{})", kTitle))),
                  "/fields/f/merge", "\"max\" is none of: register counter set log"},
        BadSchema{"AnUnknownType", collection(registers("text", "")), "/fields/f/type",
                  "\"text\" is none of: string integer number boolean time date"},
        BadSchema{"AFieldWithoutTitle", collection(field(R"("merge":"register","type":"boolean")")),
                  "/fields/f/title", "must be an object with zh and en"},
        BadSchema{"AStringWithoutLength", collection(registers("string", "")),
                  "/fields/f/max_length", "must be an integer from 1 to 65536"},
        BadSchema{"ALengthOfZero", collection(registers("string", R"(,"max_length":0)")),
                  "/fields/f/max_length", "must be an integer from 1 to 65536"},
        BadSchema{"ALengthBeyondTheLimit",
                  collection(registers("string", R"(,"max_length":65537)")), "/fields/f/max_length",
                  "must be an integer from 1 to 65536"},
        BadSchema{"AnIntegerWithoutBounds", collection(registers("integer", "")), "/fields/f/min",
                  "must be a number"},
        BadSchema{"ANumberWithoutMax", collection(registers("number", R"(,"min":0)")),
                  "/fields/f/max", "must be a number"},
        BadSchema{"MinAboveMax", collection(registers("integer", R"(,"min":2,"max":1)")),
                  "/fields/f/min", "is above max"},
        BadSchema{
            "ACounterOfTexts",
            collection(field(fmt::format(R"("merge":"counter","type":"string",{},"max_length":5)",
                                         kTitle))),
            "/fields/f/type", "a counter is an integer"},
        BadSchema{"ASetWithoutMaxItems",
                  collection(field(fmt::format(R"("merge":"set","type":"string",{},"max_length":5)",
                                               kTitle))),
                  "/fields/f/max_items", "must be an integer from 1 to 1000"},
        BadSchema{
            "ALogOfTooMany",
            collection(field(fmt::format(
                R"("merge":"log","type":"string",{},"max_length":5,"max_items":1001)", kTitle))),
            "/fields/f/max_items", "must be an integer from 1 to 1000"},
        BadSchema{"RequiredOutsideFacts", collection(registers("boolean", R"(,"required":true)")),
                  "/fields/f/required", "only a register of a facts collection"},
        BadSchema{"AnEmptyEnum", collection(registers("string", R"(,"enum":{})")), "/fields/f/enum",
                  "must be a filled object"},
        BadSchema{"AnEnumOfIntegers",
                  collection(registers("integer",
                                       R"(,"enum":{"a":{"zh":"x","en":"x"}},"min":0,"max":1)")),
                  "/fields/f/enum", "on a string field"},
        BadSchema{"AChoiceWithoutTitle", collection(registers("string", R"(,"enum":{"a":1})")),
                  "/fields/f/enum/a", "must be a name with titles zh and en"},
        BadSchema{"AChoiceInCapitals",
                  collection(registers("string", R"(,"enum":{"A":{"zh":"x","en":"x"}})")),
                  "/fields/f/enum/A", "must be a name with titles zh and en"},
        BadSchema{"AChoiceWithoutEnglish",
                  collection(registers("string", R"(,"enum":{"a":{"zh":"x"}})")),
                  "/fields/f/enum/a/en", "must be a filled string"},
        BadSchema{"AKeyOfOneField", collection(text_field(), R"(,"key":["f"])"), "/key",
                  "two or more field names"},
        BadSchema{"AKeyOfAnUnknownField", collection(text_field(), R"(,"key":["f","g"])"), "/key",
                  "\"g\" is not a register of this collection"},
        BadSchema{"AKeyThatIsAText", collection(text_field(), R"(,"key":"f~g")"), "/key",
                  "must be an array"}),
    [](const auto& given) { return given.param.name; });

TEST(SchemaFiles, OfTheRepositoryLoad) {
  EXPECT_EQ(schemas().collections().size(), 8U);
  EXPECT_TRUE(schemas().find("visit")->facts);
  EXPECT_FALSE(schemas().find("visit")->deletable);
  EXPECT_FALSE(schemas().find("station_day")->deletable);
  EXPECT_EQ(schemas().find("attendance")->key, (std::vector<std::string>{"event", "volunteer"}));
  EXPECT_EQ(schemas().find("nothing"), nullptr);
}

TEST(SchemaFiles, OfOneCollectionTwiceAreRefused) {
  const auto loaded = Schemas::parse({{"scope.v1.json", kScope},
                                      {"c.v1.json", collection(text_field())},
                                      {"c.v2.json", collection(text_field())}});
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().context, "c.v2.json: /collection: \"c\" stands in another file too");
}

TEST(SchemaFiles, WithoutScopeAreRefused) {
  const auto loaded = Schemas::parse({{"c.v1.json", collection(text_field())}});
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.error().context, HasSubstr("\"scope\" is missing"));
}

// --- what a schema has against an op ----------------------------------------------------------

std::string verdict(const std::string& coll, const std::string& id, const std::string& edits) {
  const Op checked = received(op(1).on(coll, id).does(edits));
  return checked.refusal ? std::string(name(checked.refusal->code)) : "ok";
}
std::string note(const std::string& edits) { return verdict("note", "n1", edits); }
std::string event(const std::string& edits) { return verdict("event", "e1", edits); }

TEST(SchemaCheck, HoldsFieldsToTheirTypes) {
  EXPECT_EQ(note(R"("set":{"text":1})"), "field.type");
  EXPECT_EQ(note(R"("set":{"text":["a"]})"), "field.type");
  EXPECT_EQ(note(R"("set":{"done":"true"})"), "field.type");
  EXPECT_EQ(note(R"("set":{"done":0})"), "field.type");
  EXPECT_EQ(event(R"("set":{"headcount":1.5})"), "field.type");
  EXPECT_EQ(event(R"("set":{"headcount":"1"})"), "field.type");
  EXPECT_EQ(event(R"("set":{"headcount":3.0})"), "ok");
  EXPECT_EQ(note(R"("set":{"text":null,"done":null})"), "ok");
  EXPECT_EQ(note(R"("add":{"tags":[null]})"), "field.type");
}

TEST(SchemaCheck, HoldsFieldsToTheirKinds) {
  EXPECT_EQ(note(R"("inc":{"text":1})"), "field.kind");
  EXPECT_EQ(note(R"("add":{"text":["a"]})"), "field.kind");
  EXPECT_EQ(note(R"("set":{"tags":"a"})"), "field.kind");
  EXPECT_EQ(note(R"("append":{"tags":["a"]})"), "field.kind");
  EXPECT_EQ(event(R"("add":{"remarks":["a"]})"), "field.kind");
}

TEST(SchemaCheck, CountsCharactersAndNotBytes) {
  const auto tail = [](const std::string& text) {
    return verdict("volunteer", "v1", fmt::format(R"("set":{{"phone_tail":"{}"}})", text));
  };
  EXPECT_EQ(tail("水水水水"), "ok");
  EXPECT_EQ(tail("😀😀😀😀"), "ok");
  EXPECT_EQ(tail("水水水水水"), "field.limit");
  EXPECT_EQ(tail("e\u0301e\u0301"), "ok");
  EXPECT_EQ(tail(R"(\"\"\"\")"), "ok");
}

TEST(SchemaCheck, HoldsNumbersAndChoicesToTheirLimits) {
  EXPECT_EQ(event(R"("set":{"headcount":-1})"), "field.limit");
  EXPECT_EQ(event(R"("set":{"headcount":100001})"), "field.limit");
  EXPECT_EQ(event(R"("set":{"headcount":100000})"), "ok");
  EXPECT_EQ(event(R"("set":{"state":"open"})"), "ok");
  EXPECT_EQ(event(R"("set":{"state":"ajar"})"), "field.limit");
  EXPECT_EQ(verdict("station_day", "s~2026-01-01", R"("inc":{"water":1001})"), "field.limit");
  EXPECT_EQ(verdict("station_day", "s~2026-01-01", R"("inc":{"water":-1000})"), "ok");
}

TEST(SchemaCheck, KnowsTimes) {
  const auto starts = [](const std::string& time) {
    return event(fmt::format(R"("set":{{"starts":"{}"}})", time));
  };
  for (const char* good :
       {"2026-01-01T08:30:00+08:00", "2026-01-01T00:30:00Z", "2026-01-01T00:30:00.250Z",
        "2024-02-29T23:59:59-11:30", "2026-06-30T23:59:60Z", "2000-02-29T00:00:00.123456789Z"}) {
    EXPECT_EQ(starts(good), "ok") << good;
  }
  for (const char* bad :
       {"", "2026-01-01", "2026-01-01T08:30:00", "2026-01-01 08:30:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T08:60:00Z", "2026-02-29T08:30:00Z", "1900-02-29T00:00:00Z",
        "2026-13-01T08:30:00Z", "2026-00-01T08:30:00Z", "2026-01-00T08:30:00Z",
        "2026-01-01T08:30:00.Z", "2026-01-01T08:30:00.1234567890Z", "2026-01-01T08:30:00+0800",
        "2026-01-01T08:30:00+24:00", "2026-01-01T08:30:00z", "2026-01-01T08:30:00Z ",
        "2026-1-01T08:30:00Z", "水水水水水水水水水水"}) {
    EXPECT_EQ(starts(bad), "field.type") << bad;
  }
}

TEST(SchemaCheck, KnowsDates) {
  const auto day = [](const std::string& date) {
    return verdict("station_day", "s~" + date,
                   fmt::format(R"("set":{{"day":"{}"}},"inc":{{"water":1}})", date));
  };
  EXPECT_EQ(day("2026-01-31"), "ok");
  EXPECT_EQ(day("2026-04-31"), "field.type");
  EXPECT_EQ(day("2026-1-1"), "field.type");
}

TEST(SchemaCheck, HoldsNaturalKeysTogether) {
  const auto attendance = [](const std::string& id, const std::string& edits) {
    return verdict("attendance", id, edits);
  };
  const std::string points = R"("set":{"points":1})";
  EXPECT_EQ(attendance("e1~v7", points), "ok");
  EXPECT_EQ(attendance("e1", points), "record.key");
  EXPECT_EQ(attendance("e1~", points), "record.key");
  EXPECT_EQ(attendance("~v7", points), "record.key");
  EXPECT_EQ(attendance("e1~v7~x", points), "record.key");
  EXPECT_EQ(attendance("e1~v7", R"("set":{"event":"e1","volunteer":"v7"})"), "ok");
  EXPECT_EQ(attendance("e1~v7", R"("set":{"event":"e2"})"), "record.key");
  EXPECT_EQ(attendance("e1~v7", R"("set":{"volunteer":"v"})"), "record.key");
  EXPECT_EQ(attendance("e1", R"("del":true)"), "record.key");
}

TEST(SchemaCheck, AKeyFieldIsNotClearedNorOfAnotherType) {
  for (const char* edits :
       {R"("set":{"event":null})", R"("set":{"event":1})", R"("set":{"event":[]})",
        R"("set":{"event":{}})", R"("set":{"event":true})", R"("inc":{"event":1})",
        R"("set":{"event":""})"}) {
    EXPECT_NE(verdict("attendance", "e1~v7", edits), "ok") << edits;
  }
}

TEST(SchemaCheck, AKeyFieldIsNotClearedEvenWhenTheIdLooksLikeTheInsideOfNull) {
  EXPECT_EQ(verdict("attendance", "ul~v7", R"("set":{"event":null})"), "record.key");
}

TEST(SchemaCheck, KnowsWhatIsDeleted) {
  EXPECT_EQ(note(R"("del":true)"), "ok");
  EXPECT_EQ(verdict("station_day", "s~2026-01-01", R"("del":true)"), "delete.forbidden");
  EXPECT_EQ(verdict("visit", "v1", R"("del":true)"), "delete.forbidden");
  EXPECT_EQ(verdict("nothing", "v1", R"("del":true)"), "collection.unknown");
}

TEST(SchemaCheck, LetsUnknownFieldsPass) {
  EXPECT_EQ(note(R"("set":{"later":{"deep":[1,{"x":null}]}},"inc":{"count":1})"), "ok");
}

TEST(SchemaCheck, HoldsASetToItsItems) {
  std::string tags;
  for (int i = 0; i < 21; ++i) tags += fmt::format("{}\"{}\"", i > 0 ? "," : "", i);
  EXPECT_EQ(note(fmt::format(R"("add":{{"tags":[{}]}})", tags)), "field.limit");
}

}  // namespace
}  // namespace waystation::testing

#include "sync/schema.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/json.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
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
                  "/fields/f/merge", "\"max\" is none of: register counter set log quota"},
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

// --- quotas and what the server does by itself ------------------------------------------------

std::string quota(std::string_view more) {
  return field(fmt::format(R"("merge":"quota","type":"integer",{},{})", kTitle, more));
}
constexpr const char* kQuota =
    R"("max":400,"max_lease":20,"lease_hours":24,"reclaim_after_hours":336)";
constexpr const char* kFixed = R"(,"deletable":false)";

constexpr const char* kTimes =
    R"("a":{"merge":"register","type":"time","title":{"zh":"x","en":"x"}},
       "b":{"merge":"register","type":"time","title":{"zh":"x","en":"x"}},
       "s":{"merge":"register","type":"time","by":"server","title":{"zh":"x","en":"x"}},
       "p":{"merge":"register","type":"string","title":{"zh":"x","en":"x"},"max_length":64},
       "r":{"merge":"register","type":"string","redirect":true,"title":{"zh":"x","en":"x"},
            "max_length":64})";

// A good close rule with one part replaced.
std::string closes(const std::string& part, const std::string& with) {
  std::string rule =
      R"(,"close":{"opened":"a","closed":"b","flag":"s","parent":"p","parent_collection":"c",)"
      R"("parent_ends":"b","after_minutes":60,"longest_minutes":720})";
  const std::size_t at = rule.find(part);
  WS_CHECK(at != std::string::npos);
  return collection(kTimes, rule.replace(at, part.size(), with));
}
std::string resembles(std::string_view rule, std::string_view fields = kTimes) {
  return collection(fields, fmt::format(R"(,"duplicates":{})", rule));
}

INSTANTIATE_TEST_SUITE_P(
    Rules, BadSchemas,
    ::testing::Values(
        BadSchema{"AQuotaOfTexts",
                  collection(field(fmt::format(R"("merge":"quota","type":"string",{},{})", kTitle,
                                               kQuota)),
                             kFixed),
                  "/fields/f/type", "a quota is an integer"},
        BadSchema{"AQuotaWithoutMax", collection(quota(R"("max_lease":20)"), kFixed),
                  "/fields/f/max", "must be an integer from 1 to 9007199254740991"},
        BadSchema{"ALeaseAboveTheQuota",
                  collection(quota(R"("max":4,"max_lease":5,"lease_hours":1)"), kFixed),
                  "/fields/f/max_lease", "must be an integer from 1 to 4"},
        BadSchema{"AQuotaWithoutHours", collection(quota(R"("max":4,"max_lease":4)"), kFixed),
                  "/fields/f/lease_hours", "must be an integer from 1 to 87600"},
        BadSchema{"AQuotaNeverReclaimed",
                  collection(quota(R"("max":4,"max_lease":4,"lease_hours":1)"), kFixed),
                  "/fields/f/reclaim_after_hours", "must be an integer from 0 to 87600"},
        BadSchema{"AQuotaWithMin", collection(quota(fmt::format(R"("min":0,{})", kQuota)), kFixed),
                  "/fields/f/min", "does not belong to a quota"},
        BadSchema{"AQuotaByTheServer",
                  collection(quota(fmt::format(R"("by":"server",{})", kQuota)), kFixed),
                  "/fields/f/by", "does not belong to a quota"},
        BadSchema{"ALeaseOfACounter",
                  collection(field(fmt::format(
                      R"("merge":"counter","type":"integer",{},"min":0,"max":1,"lease_hours":1)",
                      kTitle))),
                  "/fields/f/lease_hours", "belongs to a quota"},
        BadSchema{"AQuotaThatIsDeleted", collection(quota(kQuota)), "/fields/f/merge",
                  "a quota needs \"deletable\": false"},
        BadSchema{"AQuotaInAFact", collection(quota(kQuota), R"(,"facts":true)"), "/fields/f/merge",
                  "and no facts"},
        BadSchema{"ByAnybody", collection(registers("boolean", R"(,"by":"anybody")")),
                  "/fields/f/by", "must be \"server\""},
        BadSchema{"ByNobody", collection(registers("boolean", R"(,"by":true)")), "/fields/f/by",
                  "must be a filled string"},
        BadSchema{"APersonOfNoKey", collection(text_field(), R"(,"person":"x")"), "/person",
                  "is neither \"id\" nor a part of the key"},
        BadSchema{"APersonalFieldOfNobody",
                  collection(registers("string", R"(,"max_length":5,"personal":true)")),
                  "/fields/f/personal", "needs \"person\": whom the record is about"},
        BadSchema{"ARedirectOfTimes", collection(registers("time", R"(,"redirect":true)")),
                  "/fields/f/redirect", "only a register of type string can redirect"},
        BadSchema{"TwoRedirects",
                  collection(fmt::format(
                      R"({},"q":{{"merge":"register","type":"string","redirect":true,
                         "title":{{"zh":"x","en":"x"}},"max_length":64}})",
                      kTimes)),
                  "/fields/q/redirect", "\"r\" redirects already"},
        BadSchema{"DerivedIsAText", collection(text_field(), R"(,"derived":"yes")"), "/derived",
                  "must be true or false"},
        BadSchema{"CloseIsAText", collection(kTimes, R"(,"close":"yes")"), "/close",
                  "must be an object"},
        BadSchema{"CloseWithAnUnknownKey", closes(R"("opened":"a")", R"("starts":"a")"),
                  "/close/starts", "unknown key"},
        BadSchema{"CloseWithoutOpened", closes(R"("opened":"a",)", ""), "/close/opened",
                  "must be a filled string"},
        BadSchema{"CloseOfAnUnknownField", closes(R"("closed":"b")", R"("closed":"z")"),
                  "/close/closed", "\"z\" is not a register of type time of this collection"},
        BadSchema{"CloseWithAFlagOfTheClient", closes(R"("flag":"s")", R"("flag":"a")"),
                  "/close/flag", "\"a\" is not written by the server"},
        BadSchema{"CloseWithAParentOfTimes", closes(R"("parent":"p")", R"("parent":"a")"),
                  "/close/parent", "\"a\" is not a register of type string"},
        BadSchema{"CloseWithAnUnknownParent", closes(R"(n":"c")", R"(n":"nothing")"),
                  "/close/parent_collection", "there is no collection \"nothing\""},
        BadSchema{"CloseWithAnUnknownEnd", closes(R"(ends":"b")", R"(ends":"p")"),
                  "/close/parent_ends", "\"p\" is not a register of type time of \"c\""},
        BadSchema{"CloseBeforeTheEnd", closes("60", "-1"), "/close/after_minutes",
                  "must be an integer from 0 to"},
        BadSchema{"CloseAtOnce", closes("720", "0"), "/close/longest_minutes",
                  "must be an integer from 1 to"},
        BadSchema{"DuplicatesIsAnArray", resembles("[]"), "/duplicates", "must be an object"},
        BadSchema{"DuplicatesOfAnUnknownField",
                  resembles(R"({"same":"z","like":"p","within_hours":1})"), "/duplicates/same",
                  "\"z\" is not a register of type string of this collection"},
        BadSchema{"DuplicatesLikeATime", resembles(R"({"same":"p","like":"a","within_hours":1})"),
                  "/duplicates/like", "\"a\" is not a register of type string"},
        BadSchema{"DuplicatesWithinNoTime",
                  resembles(R"({"same":"p","like":"p","within_hours":0})"),
                  "/duplicates/within_hours", "must be an integer from 1 to 87600"},
        BadSchema{"DuplicatesThatCannotBeMerged",
                  resembles(R"({"same":"f","like":"f","within_hours":1})", text_field()),
                  "/duplicates", "no field with \"redirect\": true"}),
    [](const auto& given) { return given.param.name; });

TEST(SchemaRules, OfTheRepositoryAreRead) {
  const Collection& attendance = *schemas().find("attendance");
  ASSERT_TRUE(attendance.close);
  EXPECT_EQ(attendance.close->opened, "signed_in");
  EXPECT_EQ(attendance.close->closed, "signed_out");
  EXPECT_EQ(attendance.close->flag, "closed_at");
  EXPECT_EQ(attendance.close->parent, "event");
  EXPECT_EQ(attendance.close->parent_coll, "event");
  EXPECT_EQ(attendance.close->parent_ends, "ends");
  EXPECT_EQ(attendance.close->after_ms, 3'600'000);
  EXPECT_EQ(attendance.close->longest_ms, 43'200'000);
  EXPECT_TRUE(attendance.field("closed_at")->by_server);
  const Collection& volunteer = *schemas().find("volunteer");
  ASSERT_TRUE(volunteer.duplicates);
  EXPECT_EQ(volunteer.duplicates->same, "name");
  EXPECT_EQ(volunteer.duplicates->like, "phone_tail");
  EXPECT_EQ(volunteer.duplicates->within_ms, 168 * 3'600'000LL);
  EXPECT_TRUE(volunteer.field("merged_into")->redirect);
  const FieldSpec& places = *schemas().find("quota")->field("places");
  EXPECT_EQ(places.merge, MergeType::kQuota);
  EXPECT_EQ(places.max, 1'000'000);
  EXPECT_EQ(places.max_lease, 100);
  EXPECT_EQ(places.lease_ms, 24 * 3'600'000LL);
  EXPECT_EQ(places.reclaim_after_ms, 336 * 3'600'000LL);
  for (const char* derived : {"ledger", "refused", "duplicate"}) {
    EXPECT_TRUE(schemas().find(derived)->derived) << derived;
    EXPECT_FALSE(schemas().find(derived)->deletable) << derived;
  }
  EXPECT_TRUE(schemas().find("ledger")->facts);
}

TEST(SchemaFiles, OfTheRepositoryLoad) {
  EXPECT_EQ(schemas().collections().size(), 14U);
  EXPECT_EQ(schemas().find("attendance")->version, 2U);
  EXPECT_EQ(schemas().find("volunteer")->version, 2U);
  EXPECT_EQ(schemas().find("note")->version, 1U);
  EXPECT_TRUE(schemas().find("visit")->facts);
  EXPECT_FALSE(schemas().find("visit")->deletable);
  EXPECT_FALSE(schemas().find("station_day")->deletable);
  EXPECT_EQ(schemas().find("attendance")->key, (std::vector<std::string>{"event", "volunteer"}));
  EXPECT_EQ(schemas().find("nothing"), nullptr);
}

TEST(SchemaFiles, OfOneVersionTwiceAreRefused) {
  const auto loaded = Schemas::parse({{"scope.v1.json", kScope},
                                      {"c.v1.json", collection(text_field())},
                                      {"c.v2.json", collection(text_field())}});
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().context,
            "c.v2.json: /version: version 1 of \"c\" stands in c.v1.json too");
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

// Refusals are kept, and read by people whose role hides the field.
TEST(SchemaCheck, TellsTheFieldAndTheRuleOfARefusalAndNeverTheValue) {
  struct Spoilt {
    const char* coll;
    const char* id;
    const char* edits;
    const char* field;
    const char* value;
  };
  for (const Spoilt& spoilt : {
           Spoilt{"event", "e1", R"("set":{"state":"ajar"})", "state", "ajar"},
           Spoilt{"event", "e1", R"("set":{"headcount":-7})", "headcount", "-7"},
           Spoilt{"event", "e1", R"("set":{"headcount":"many"})", "headcount", "many"},
           Spoilt{"event", "e1", R"("set":{"starts":"noon"})", "starts", "noon"},
           Spoilt{"volunteer", "v1", R"("set":{"phone_tail":"77777"})", "phone_tail", "77777"},
           Spoilt{"station_day", "s~2026-01-01", R"("inc":{"water":7777})", "water", "7777"},
           Spoilt{"station_day", "s~2026-01-01", R"("inc":{"water":7.5})", "water", "7.5"},
           Spoilt{"attendance", "e1~v7", R"("set":{"event":"e777"})", "event", "e777"},
           Spoilt{"quota", "q1", R"("lease":{"places":-777})", "places", "-777"},
           Spoilt{"quota", "q1", R"("grant":{"places":7777777})", "places", "7777777"},
           Spoilt{"quota", "q1", R"("reclaim":{"places":"77"})", "places", "77"},
           Spoilt{"note", "n1", R"("append":{"text":["a word"]})", "text", "a word"},
       }) {
    const Op op = received(OpText{}.on(spoilt.coll, spoilt.id).does(spoilt.edits));
    ASSERT_TRUE(op.refusal) << spoilt.edits;
    EXPECT_THAT(op.refusal->detail, HasSubstr(spoilt.field));
    EXPECT_THAT(op.refusal->detail, Not(HasSubstr(spoilt.value)));
  }
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

// --- what only the server writes, and quotas --------------------------------------------------

Op written_under(std::uint32_t version, const std::string& coll, const std::string& id,
                 const std::string& edits) {
  auto decoded = decode_op(op(1).on(coll, id).does(edits).json());
  WS_CHECK(decoded.ok() && !decoded->refusal);
  decoded->schema = version;
  return std::move(*decoded);
}
std::string code_of(const std::optional<Refusal>& refusal) {
  return refusal ? std::string(name(refusal->code)) : "ok";
}

TEST(SchemaCheck, LetsOnlyTheServerWriteWhatIsItsOwn) {
  const Op flag =
      written_under(2, "attendance", "e1~v7", R"("set":{"closed_at":"2026-01-01T08:30:00+08:00"})");
  EXPECT_EQ(code_of(schemas().check(flag)), "field.derived");
  EXPECT_EQ(code_of(schemas().check(flag, Author::kServer)), "ok");
  const Op wrong = written_under(2, "attendance", "e1~v7", R"("set":{"closed_at":"soon"})");
  EXPECT_EQ(code_of(schemas().check(wrong, Author::kServer)), "field.type");
  const Op state = written_under(1, "refused", "7K3M9QX2PA~5", R"("set":{"state":"dismissed"})");
  EXPECT_EQ(code_of(schemas().check(state)), "ok");
  const Op code = written_under(1, "refused", "7K3M9QX2PA~5", R"("set":{"code":"ok"})");
  EXPECT_EQ(code_of(schemas().check(code)), "field.derived");
}

TEST(SchemaCheck, KeepsApartWhatAnOlderClientCalledAsTheServersFieldIsCalledNow) {
  Op flag = written_under(1, "attendance", "e1~v7", R"("set":{"closed_at":"at noon"})");
  schemas().admit(flag);
  EXPECT_EQ(code_of(flag.refusal), "ok");
  EXPECT_EQ(flag.edits[0].field, "closed_at_v1");
}

TEST(SchemaCheck, TakesVersionZeroForOne) {
  EXPECT_EQ(code_of(schemas().check(written_under(0, "note", "n1", R"("set":{"text":1})"))),
            "field.type");
}

TEST(SchemaCheck, HoldsANewerVersionToWhatNoVersionChanges) {
  const auto newer = [](const std::string& coll, const std::string& id, const std::string& edits) {
    return code_of(schemas().check(written_under(99, coll, id, edits)));
  };
  EXPECT_EQ(newer("note", "n1", R"("set":{"text":1,"done":"perhaps"})"), "ok");
  EXPECT_EQ(newer("note", "n1", R"("inc":{"text":1})"), "field.kind");
  EXPECT_EQ(newer("note", "n1", R"("del":true)"), "ok");
  EXPECT_EQ(newer("visit", "v1", R"("del":true)"), "delete.forbidden");
  EXPECT_EQ(newer("attendance", "e1", R"("set":{"note":"n"})"), "record.key");
  EXPECT_EQ(newer("attendance", "e1~v7", R"("set":{"event":"e2"})"), "record.key");
  EXPECT_EQ(newer("attendance", "e1~v7", R"("set":{"closed_at":null})"), "field.derived");
  EXPECT_EQ(newer("nothing", "n1", R"("set":{"text":"a"})"), "collection.unknown");
}

class QuotaMoves : public ::testing::Test {
 protected:
  static Edit edit(EditKind kind, const std::string& field, const Value& value) {
    Edit made;
    made.kind = kind;
    made.field = field;
    made.values.push_back(value);
    return made;
  }
  static Value amount(std::int64_t number) {
    return Value{ValueType::kInteger, std::to_string(number), number, static_cast<double>(number),
                 0};
  }
  static Op moved(std::vector<Edit> edits, std::uint32_t version = 1) {
    Op op = written_under(version, "quota", "q1", R"("set":{"note":"n"})");
    for (Edit& one : edits) op.edits.push_back(std::move(one));
    return op;
  }
  static std::string verdict_on(EditKind kind, const Value& value, std::uint32_t version = 1) {
    return code_of(schemas().check(moved({edit(kind, "places", value)}, version)));
  }
};

TEST_F(QuotaMoves, AreOfAmountsAboveZero) {
  for (const EditKind kind : {EditKind::kLease, EditKind::kSpend, EditKind::kReturn}) {
    EXPECT_EQ(verdict_on(kind, amount(1)), "ok");
    EXPECT_EQ(verdict_on(kind, amount(9'007'199'254'740'991)), "ok");
    EXPECT_EQ(verdict_on(kind, amount(0)), "field.limit");
    EXPECT_EQ(verdict_on(kind, amount(-1)), "field.limit");
    EXPECT_EQ(verdict_on(kind, Value{ValueType::kNumber, "1.5", 0, 1.5, 0}), "field.type");
    EXPECT_EQ(verdict_on(kind, Value{ValueType::kString, R"("1")", 0, 0, 1}), "field.type");
    EXPECT_EQ(verdict_on(kind, Value{}), "field.type");
  }
}

TEST_F(QuotaMoves, ThatGrantMayTakeBackButNotGiveMoreThanThereMayBe) {
  EXPECT_EQ(verdict_on(EditKind::kGrant, amount(1'000'000)), "ok");
  EXPECT_EQ(verdict_on(EditKind::kGrant, amount(1'000'001)), "field.limit");
  EXPECT_EQ(verdict_on(EditKind::kGrant, amount(-9'007'199'254'740'991)), "ok");
  EXPECT_EQ(verdict_on(EditKind::kGrant, amount(0)), "field.limit");
  EXPECT_EQ(verdict_on(EditKind::kGrant, amount(1'000'001), 99), "ok");
  EXPECT_EQ(verdict_on(EditKind::kGrant, amount(0), 99), "field.limit");
}

TEST_F(QuotaMoves, ThatReclaimNameADevice) {
  const auto reclaim = [](const std::string& json) {
    return verdict_on(EditKind::kReclaim, Value{ValueType::kString, json, 0, 0, 0});
  };
  EXPECT_EQ(reclaim(R"("7K3M9QX2PA")"), "ok");
  EXPECT_EQ(reclaim(R"("0000000000")"), "field.type");
  EXPECT_EQ(reclaim(R"("7K3M9QX2P")"), "field.type");
  EXPECT_EQ(reclaim(R"("7k3m9qx2pa")"), "field.type");
  EXPECT_EQ(verdict_on(EditKind::kReclaim, amount(1)), "field.type");
}

TEST_F(QuotaMoves, StandAloneOfTheirKindInAnOp) {
  const Edit lease = edit(EditKind::kLease, "places", amount(1));
  EXPECT_EQ(code_of(schemas().check(moved({lease}))), "ok");
  EXPECT_EQ(code_of(schemas().check(moved({lease, lease}))), "op.invalid");
}

TEST_F(QuotaMoves, AreOfQuotasThatAreKnown) {
  EXPECT_EQ(code_of(schemas().check(moved({edit(EditKind::kLease, "seats", amount(1))}))),
            "field.kind");
  EXPECT_EQ(code_of(schemas().check(moved({edit(EditKind::kLease, "note", amount(1))}))),
            "field.kind");
  EXPECT_EQ(code_of(schemas().check(moved({edit(EditKind::kSet, "places", amount(1))}))),
            "field.kind");
}

TEST(SchemaCheck, HoldsASetToItsItems) {
  std::string tags;
  for (int i = 0; i < 21; ++i) tags += fmt::format("{}\"{}\"", i > 0 ? "," : "", i);
  EXPECT_EQ(note(fmt::format(R"("add":{{"tags":[{}]}})", tags)), "field.limit");
}

}  // namespace
}  // namespace waystation::testing

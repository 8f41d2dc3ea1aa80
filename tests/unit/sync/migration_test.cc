// Ops of older versions, carried forward: schemas/vectors/migration.json and what a table cannot
// say.
#include "sync/migration.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "sync/canonical.h"
#include "sync/device_id.h"
#include "sync/scalar.h"
#include "sync/schema.h"
#include "sync/wire.h"
#include "tests/support/json.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

constexpr std::string_view kEnvelope =
    R"({"n":1,"scope":"t","wall":1767225600000,"mono":0,"boot":"b",)";

Op decoded(dom::element text) {
  std::string json = simdjson::minify(text);
  json.replace(0, 1, kEnvelope);
  auto op = decode_op(json);
  WS_CHECK(op.ok());
  return std::move(*op);
}

// The op in the words of the vectors, as canonical JSON.
std::string shown(const Op& op) {
  static const std::map<EditKind, std::string> kWords{
      {EditKind::kSet, "set"},        {EditKind::kInc, "inc"},       {EditKind::kAdd, "add"},
      {EditKind::kRemove, "remove"},  {EditKind::kAppend, "append"}, {EditKind::kGrant, "grant"},
      {EditKind::kLease, "lease"},    {EditKind::kSpend, "spend"},   {EditKind::kReturn, "return"},
      {EditKind::kReclaim, "reclaim"}};
  std::map<std::string, std::string> groups;
  for (const Edit& edit : op.edits) {
    const bool array = edit.kind == EditKind::kAdd || edit.kind == EditKind::kRemove ||
                       edit.kind == EditKind::kAppend;
    std::string values;
    for (const Value& value : edit.values) values += (values.empty() ? "" : ",") + value.json;
    std::string& group = groups[edit.weak ? "default" : kWords.at(edit.kind)];
    group += fmt::format(R"({}"{}":{}{}{})", group.empty() ? "" : ",", edit.field, array ? "[" : "",
                         values, array ? "]" : "");
  }
  std::string out = fmt::format(R"({{"coll":"{}")", op.coll);
  if (op.del) out += R"(,"del":true)";
  for (const auto& [word, fields] : groups) out += fmt::format(R"(,"{}":{{{}}})", word, fields);
  for (const bool reopen : {false, true}) {
    std::string list;
    for (const Settlement& one : op.settlements) {
      if (one.reopen != reopen) continue;
      list +=
          fmt::format(R"({}{{"field":"{}","by":"{}","n":{},"part":{}}})", list.empty() ? "" : ",",
                      one.field, format_device_id(one.dot.device), one.dot.n, one.part);
    }
    if (!list.empty()) out += fmt::format(R"(,"{}":[{}])", reopen ? "reopen" : "settle", list);
  }
  const auto canonical = canonicalize(out + "}");
  return canonical ? *canonical : "not JSON: " + out + "}";
}

Schemas parsed(dom::element files) {
  std::vector<SchemaFile> texts;
  for (const dom::element file : dom::array(files)) {
    texts.push_back({text_of(file, "collection"), simdjson::minify(file)});
  }
  auto made = Schemas::parse(texts);
  if (!made) ADD_FAILURE() << made.error().context;
  return made ? std::move(*made) : Schemas();
}

TEST(MigrationVectors, EveryOpBecomesWhatIsWritten) {
  const JsonText file = vectors("migration");
  std::map<std::string, Schemas> all;
  for (const auto set : dom::object(file.root()["schemas"])) {
    SCOPED_TRACE(set.key);
    all.emplace(set.key, parsed(set.value));
  }
  std::size_t cases = 0;
  for (const dom::element vector : dom::array(file.root()["cases"])) {
    SCOPED_TRACE(text_of(vector, "name"));
    ++cases;
    Op op = decoded(vector["op"]);
    ASSERT_FALSE(op.refusal) << op.refusal->detail;
    const std::string before = shown(op);
    all.at(text_of(vector, "schemas")).admit(op);
    if (has(vector, "refused")) {
      ASSERT_TRUE(op.refusal);
      EXPECT_EQ(name(op.refusal->code), text_of(vector, "refused")) << op.refusal->detail;
      EXPECT_EQ(shown(op), before) << "a refused op stays as it is";
      continue;
    }
    ASSERT_FALSE(op.refusal) << op.refusal->detail;
    EXPECT_EQ(shown(op), *canonicalize(simdjson::minify(vector["carried"].value())));
  }
  EXPECT_GE(cases, 95U);
}

// --- what stays where it is -------------------------------------------------------------------

FieldSpec field(const std::string& name, FieldType type, MergeType merge = MergeType::kRegister) {
  FieldSpec spec;
  spec.name = name;
  spec.type = type;
  spec.merge = merge;
  return spec;
}

Op edited(const std::string& edits) {
  return decoded(JsonText(fmt::format(R"({{"coll":"c","id":"x","base":7,{}}})", edits)).root());
}

// A lost value is named by its place within its edit; those of other edits are not to move either.
TEST(Migrations, LeaveTheOrderOfOtherEdits) {
  Collection before;
  before.fields = {field("name", FieldType::kString), field("note", FieldType::kString)};
  Collection after;
  after.version = 2;
  after.fields = {field("family", FieldType::kString), field("given", FieldType::kString),
                  field("note", FieldType::kString)};
  after.migrations = {{Migration::Kind::kSplit, "name", {"family", "given"}, " ", ""}};
  Op op = edited(R"("set":{"name":"Li Ming","note":"n"})");
  carry_forward(op, before, after);
  ASSERT_EQ(op.edits.size(), 3U);
  EXPECT_EQ(op.edits[0].field, "family");
  EXPECT_EQ(op.edits[1].field, "note");
  EXPECT_EQ(op.edits[2].field, "given");
  EXPECT_EQ(op.edits[2].values[0].length_points, 4U);
}

TEST(Migrations, GiveNamesThatAreNames) {
  const std::string longest(64, 'f');
  Collection before;
  before.version = 12;
  before.fields = {field(longest, FieldType::kString)};
  Collection after;
  after.version = 13;
  after.fields = {field(longest, FieldType::kInteger)};
  after.migrations = {{Migration::Kind::kRetype, longest, {}, "", ""}};
  Op op = edited(fmt::format(R"("set":{{"{}":"x"}})", longest));
  carry_forward(op, before, after);
  EXPECT_EQ(op.edits[0].field, std::string(60, 'f') + "_v12");
  EXPECT_TRUE(valid_name(op.edits[0].field));
}

// Found by a property: the first part was kept under the name of the second.
TEST(Migrations, KeepValuesUnderNamesThatNothingElseHas) {
  Collection before;
  before.fields = {field("name", FieldType::kString)};
  Collection after;
  after.version = 2;
  after.fields = {field("a", FieldType::kString), field("a_v1", FieldType::kString)};
  after.migrations = {{Migration::Kind::kSplit, "name", {"a", "a_v1"}, " ", ""}};
  Op op = edited(R"("set":{"name":"x y","a":"z"})");
  carry_forward(op, before, after);
  EXPECT_EQ(shown(op), R"({"coll":"","set":{"a":"z","a_v1":"y","a_v1_2":"x"}})");
}

TEST(Migrations, AreNotForWhatHasBeenRefused) {
  const JsonText file = vectors("migration");
  const Schemas schemas = parsed(file.root()["schemas"]["moves"]);
  Op op = edited(R"("set":{"name":"a"})");
  op.coll = "helper";
  op.refusal = Refusal{Code::kRecordId, "before"};
  schemas.admit(op);
  EXPECT_EQ(op.coll, "helper");
  EXPECT_EQ(op.refusal->detail, "before");
}

TEST(Migrations, OfACollectionThatMovedAreToldByItsNames) {
  const JsonText file = vectors("migration");
  const Schemas schemas = parsed(file.root()["schemas"]["moves"]);
  EXPECT_EQ(schemas.find("helper"), nullptr);
  EXPECT_EQ(schemas.find("volunteer"), nullptr);
  ASSERT_NE(schemas.find("member"), nullptr);
  EXPECT_EQ(schemas.find("member")->version, 5U);
  EXPECT_EQ(schemas.current_name("helper"), "member");
  EXPECT_EQ(schemas.current_name("member"), "member");
  EXPECT_EQ(schemas.current_name("nobody"), "");
  EXPECT_THAT(schemas.former_names("member"), ::testing::ElementsAre("helper", "volunteer"));
  EXPECT_THAT(schemas.former_names("scope"), ::testing::IsEmpty());
}

TEST(Conversions, KeepWhatIsOfTheTypeAlready) {
  for (const char* json : {"12", "-1", "0", "9007199254740991"}) {
    EXPECT_EQ(converted(scalar_value(json), FieldType::kInteger)->json, json);
    EXPECT_EQ(converted(scalar_value(json), FieldType::kNumber)->json, json);
  }
  EXPECT_EQ(converted(scalar_value("true"), FieldType::kBoolean)->json, "true");
  EXPECT_EQ(converted(string_value("a\n\"水\""), FieldType::kString)->json, R"("a\n\"水\"")");
}

TEST(Conversions, GoBackToWhatWasWritten) {
  for (const char* text : {"0", "12", "-7", "9007199254740991", "-9007199254740991"}) {
    const auto number = converted(string_value(text), FieldType::kInteger);
    ASSERT_TRUE(number) << text;
    EXPECT_EQ(number->type, ValueType::kInteger);
    EXPECT_EQ(converted(*number, FieldType::kString)->json, fmt::format("\"{}\"", text));
  }
}

TEST(Conversions, OfTextsThatAreNoNumbersAreNone) {
  for (const char* text : {"", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "0x1", "1 ", " 1",
                           "NaN", "Infinity", "１２", "1e999", "9007199254740992"}) {
    EXPECT_FALSE(converted(string_value(text), FieldType::kNumber)) << text;
    EXPECT_FALSE(converted(string_value(text), FieldType::kInteger)) << text;
  }
}

TEST(Conversions, OfNullAndOfWhatIsNoScalarAreNone) {
  for (const FieldType type : {FieldType::kString, FieldType::kInteger, FieldType::kNumber,
                               FieldType::kBoolean, FieldType::kTime, FieldType::kDate}) {
    EXPECT_FALSE(converted(Value{}, type));
    EXPECT_FALSE(converted(Value{ValueType::kArray, "[1]", 0, 0, 0}, type));
    EXPECT_FALSE(converted(Value{ValueType::kObject, "{}", 0, 0, 0}, type));
  }
}

TEST(Scalars, ComeApartAsTheyWereMade) {
  for (const std::string& text :
       {std::string(""), std::string("plain"), std::string("\"\\/\b\t\n\f\r"),
        std::string("\0\x01\x1F", 3), std::string("水😀é"), std::string("\\u0041 n\\n")}) {
    EXPECT_EQ(text_of(string_value(text)), text);
  }
}

}  // namespace
}  // namespace waystation::testing

// Records as lines of an export.

#include "tools/record_text.h"

#include <gtest/gtest.h>

#include "storage/schema_files.h"

namespace waystation {
namespace {

class RecordText : public testing::Test {
 protected:
  std::string line(ExportFormat format, std::string_view coll, std::string_view fields) {
    const Collection* collection = schemas_->find(coll);
    std::string out;
    RecordWriter(*collection, format).append(out, "s1", "r1", fields);
    return out;
  }
  Result<Schemas> schemas_ = load_schemas(WS_SOURCE_DIR "/schemas");
};

TEST_F(RecordText, ColumnsFollowTheSchema) {
  const RecordWriter writer(*schemas_->find("note"), ExportFormat::kCsv);
  EXPECT_EQ(writer.head(), "scope,id,text,about,author,done,tags,more\n");
}

TEST_F(RecordText, ValuesStandInTheirColumns) {
  EXPECT_EQ(
      line(ExportFormat::kCsv, "note", R"({"done":true,"tags":["a","急"],"text":"水, \"不够\""})"),
      "s1,r1,\"水, \"\"不够\"\"\",,,true,a;急,\n");
}

TEST_F(RecordText, ASetThatCannotBeJoinedIsJson) {
  EXPECT_EQ(line(ExportFormat::kCsv, "note", R"({"tags":["a;b","c"]})"),
            "s1,r1,,,,,\"[\"\"a;b\"\",\"\"c\"\"]\",\n");
}

TEST_F(RecordText, FieldsThatTheSchemaDoesNotKnowAreKept) {
  EXPECT_EQ(line(ExportFormat::kCsv, "note", R"({"colour":"red","size":{"w":1}})"),
            "s1,r1,,,,,,\"{\"\"colour\"\":\"\"red\"\",\"\"size\"\":{\"\"w\"\":1}}\"\n");
}

TEST_F(RecordText, ForExcelFormulasAreGuardedAndNumbersAreNot) {
  EXPECT_EQ(line(ExportFormat::kCsvExcel, "note", R"({"text":"=1+1"})"), "s1,r1,'=1+1,,,,,\r\n");
  const std::string day = line(ExportFormat::kCsvExcel, "station_day", R"({"courier":-3})");
  EXPECT_NE(day.find(",-3,"), std::string::npos) << day;
  EXPECT_EQ(line(ExportFormat::kCsv, "note", R"({"text":"=1+1"})"), "s1,r1,=1+1,,,,,\n");
}

TEST_F(RecordText, ForExcelTheFileOpensWithAByteOrderMark) {
  const RecordWriter writer(*schemas_->find("note"), ExportFormat::kCsvExcel);
  EXPECT_EQ(writer.head().substr(0, 3), "\xEF\xBB\xBF");
}

TEST_F(RecordText, JsonLinesKeepTheRecordAsItIs) {
  EXPECT_EQ(line(ExportFormat::kJsonLines, "note", R"({"text":"x"})"),
            "{\"scope\":\"s1\",\"coll\":\"note\",\"id\":\"r1\",\"fields\":{\"text\":\"x\"}}\n");
}

}  // namespace
}  // namespace waystation

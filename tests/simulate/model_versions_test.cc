// The slow model over ops of several versions of a collection (docs/merge-rules.md, "Schema
// versions"): an op of an older one must come out as if it had been written under the current one.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tools/simulate/model.h"

namespace waystation::testing {
namespace {

using simulate::LoggedOp;
using simulate::ModelRecord;
using simulate::RecordName;

std::string file(std::string_view head, const std::vector<std::string_view>& fields) {
  std::string text =
      fmt::format(R"({{{},"title":{{"zh":"甲","en":"A"}},"fields":{{)", std::string(head));
  for (std::size_t i = 0; i < fields.size(); ++i) {
    text += fmt::format(R"({}"{}":{{"merge":"register","type":"string","max_length":100,)"
                        R"("title":{{"zh":"甲","en":"A"}}}})",
                        i == 0 ? "" : ",", fields[i]);
  }
  return text + "}}";
}

const Schemas& two_versions() {
  static const auto parsed = Schemas::parse(
      {SchemaFile{"scope.v1.json", file(R"("collection":"scope","version":1)", {"title"})},
       SchemaFile{"helper.v1.json",
                  file(R"("collection":"helper","version":1)", {"name", "tel", "about"})},
       SchemaFile{"person.v2.json",
                  file(R"("collection":"person","version":2,"moved_from":"helper","migrate":[)"
                       R"({"split":{"from":"name","into":["family","given"],"at":" "}},)"
                       R"({"rename":{"from":"tel","to":"phone"}},)"
                       R"({"default":{"field":"state","value":"active"}}])",
                       {"family", "given", "phone", "about", "state"})}});
  if (!parsed) ADD_FAILURE() << parsed.error().context;
  return parsed.value();
}

LoggedOp logged(std::uint64_t device, std::uint64_t n, Seq seq, Seq base, std::string_view coll,
                int schema, std::string_view edits) {
  return LoggedOp{device, n, seq, seq,
                  fmt::format(R"({{"n":{},"scope":"t","coll":"{}","id":"p1","wall":0,"mono":0,)"
                              R"("boot":"b","schema":{},"base":{},{}}})",
                              n, coll, schema, base, edits)};
}

ModelRecord outcome(const std::vector<LoggedOp>& ops) {
  const auto records = simulate::slow_model(ops, two_versions());
  EXPECT_EQ(records.size(), 1U) << "under its current name alone";
  return records.at(RecordName{"t", "person", "p1"});
}

TEST(ModelVersions, CarriesAnOlderOpForward) {
  const auto record =
      outcome({logged(2, 1, 100, 0, "helper", 1, R"("set":{"name":"Li Bai Wu","tel":"1"})")});
  EXPECT_EQ(record.visible, R"({"family":"Li","given":"Bai Wu","phone":"1","state":"active"})");
  EXPECT_TRUE(record.conflicts.empty());
}

TEST(ModelVersions, LetsOpsOfBothVersionsMeetInOneRecord) {
  const auto record =
      outcome({logged(2, 1, 100, 0, "helper", 1, R"("set":{"tel":"1"})"),
               logged(3, 1, 200, 0, "person", 2, R"("set":{"phone":"2","state":"left"})"),
               logged(4, 1, 300, 200, "helper", 1, R"("set":{"tel":"3"})")});
  EXPECT_EQ(record.visible, R"({"phone":"3","state":"left"})");
  EXPECT_EQ(record.conflicts,
            (std::vector{simulate::ModelConflict{"phone", 2, 1, 0, "concurrent", "\"1\""}}));
}

}  // namespace
}  // namespace waystation::testing

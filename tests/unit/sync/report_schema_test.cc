// schemas/projection.schema.json and schemas/report.schema.json say of a file what the loaders say.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "sync/report.h"
#include "tests/support/json.h"
#include "tests/support/json_schema.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

using Json = nlohmann::json;

bool loads(const Json& projection) {
  return Projections::parse({{"p", projection.dump()}}, schemas(), Zone{}).ok();
}

TEST(ReportSchemas, HoldForEveryFileThatIsShipped) {
  std::size_t files = 0;
  for (const auto& [folder, schema, key] :
       {std::tuple("projections", "projection", "projection"), {"reports", "report", "report"}}) {
    for (const auto& file :
         std::filesystem::directory_iterator(std::string(WS_SOURCE_DIR "/schemas/") + folder)) {
      const std::string name = file.path().filename();
      const Json text = Json::parse(read_source(std::string("schemas/") + folder + "/" + name));
      EXPECT_TRUE(fits_schema(std::string("schemas/") + schema + ".schema.json", text)) << name;
      EXPECT_EQ(name, text[key].get<std::string>() + ".json");
      ++files;
    }
  }
  EXPECT_GE(files, 10U);
}

// Each spoils one thing in a file that is good, and both refuse it.
TEST(ReportSchemas, RefuseWhatTheLoaderRefuses) {
  const Json good = Json::parse(read_source("schemas/projections/events_day.json"));
  const auto both = [](const Json& file) {
    EXPECT_EQ(fits_schema("schemas/projection.schema.json", file), loads(file)) << file.dump();
    return loads(file);
  };
  ASSERT_TRUE(both(good));
  for (const char* patch :
       {R"({"projection":"Events"})", R"({"title":{"zh":null}})", R"({"collection":null})",
        R"({"by":[]})", R"({"by":null})", R"({"measures":[]})", R"({"measures":null})",
        R"({"colour":"red"})", R"({"when":[{"field":"signed_in","is":"there"}]})",
        R"({"by":[{"name":"day","time":"signed_in","bucket":"week"}]})",
        R"({"by":[{"name":"day","scope":false}]})",
        R"({"measures":[{"name":"n","sum":"points","otherwise":-1}]})",
        R"({"measures":[{"name":"n","minutes":{"from":"signed_in","to":[]}}]})"}) {
    Json file = good;
    file.merge_patch(Json::parse(patch));
    EXPECT_FALSE(both(file)) << patch;
  }
}

}  // namespace
}  // namespace waystation::testing

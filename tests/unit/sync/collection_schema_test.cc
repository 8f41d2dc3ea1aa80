// schemas/collection.schema.json says of a collection's file what the loader says.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "sync/schema.h"
#include "tests/support/json.h"
#include "tests/support/json_schema.h"

namespace waystation::testing {
namespace {

using Json = nlohmann::json;

bool is_valid(const Json& file) { return fits_schema("schemas/collection.schema.json", file); }

TEST(CollectionSchema, HoldsForEveryReleasedFile) {
  std::size_t files = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(WS_SOURCE_DIR "/schemas/collections")) {
    const std::string name = file.path().filename();
    const Json text = Json::parse(read_source("schemas/collections/" + name));
    EXPECT_TRUE(is_valid(text)) << name;
    EXPECT_EQ(name,
              text["collection"].get<std::string>() + ".v" + text["version"].dump() + ".json");
    ++files;
  }
  EXPECT_GE(files, 15U);
}

TEST(CollectionSchema, HoldsForTheFilesOfTheVectors) {
  const Json vectors = Json::parse(read_source("schemas/vectors/migration.json"));
  for (const auto& set : vectors["schemas"]) {
    for (const Json& file : set) EXPECT_TRUE(is_valid(file)) << file.dump();
  }
}

// Each spoils one thing in a file that is good, and both refuse it.
TEST(CollectionSchema, RefusesWhatTheLoaderRefuses) {
  const std::string scope = read_source("schemas/collections/scope.v1.json");
  const auto both = [&scope](const Json& file) {
    const bool loads = Schemas::parse({{"scope.v1.json", scope}, {"f", file.dump()}}).ok();
    EXPECT_EQ(is_valid(file), loads) << file.dump();
    return loads;
  };
  const Json quota = Json::parse(read_source("schemas/collections/quota.v1.json"));
  ASSERT_TRUE(both(quota));
  for (const char* patch : {R"({"deletable":true})",
                            R"({"deletable":null})",
                            R"({"facts":true})",
                            R"({"derived":1})",
                            R"({"fields":{"places":{"max":null}}})",
                            R"({"fields":{"places":{"max":0}}})",
                            R"({"fields":{"places":{"max_lease":null}}})",
                            R"({"fields":{"places":{"max_lease":0}}})",
                            R"({"fields":{"places":{"lease_hours":null}}})",
                            R"({"fields":{"places":{"min":0}}})",
                            R"({"fields":{"places":{"reclaim_after_hours":-1}}})",
                            R"({"fields":{"places":{"by":"server"}}})",
                            R"({"fields":{"places":{"type":"number"}}})",
                            R"({"fields":{"places":{"redirect":true}}})",
                            R"({"fields":{"note":{"by":"me"}}})",
                            R"({"fields":{"note":{"redirect":"yes"}}})",
                            R"({"fields":{"note":{"max_lease":5}}})",
                            R"({"duplicates":{"same":"note","like":"note"}})",
                            R"({"duplicates":[]})",
                            R"({"close":{"opened":"note"}})",
                            R"({"moved_from":"scope"})",
                            R"({"moved_from":"Scope"})",
                            R"({"migrate":[{"retype":{"field":"note"}}]})",
                            R"({"migrate":{}})"}) {
    Json file = quota;
    file.merge_patch(Json::parse(patch));
    EXPECT_FALSE(both(file)) << patch;
  }
}

TEST(CollectionSchema, AgreesWithTheLoaderOnWhatIsPersonal) {
  const Json balance = Json::parse(read_source("schemas/collections/balance.v1.json"));
  const std::string scope = read_source("schemas/collections/scope.v1.json");
  const auto both = [&scope](const Json& file) {
    const bool loads = Schemas::parse({{"scope.v1.json", scope}, {"f", file.dump()}}).ok();
    EXPECT_EQ(is_valid(file), loads) << file.dump();
    return loads;
  };
  ASSERT_TRUE(both(balance));
  for (const char* patch :
       {R"({"person":null})", R"({"person":7})", R"({"fields":{"note":{"personal":"yes"}}})",
        R"({"fields":{"note":{"by":"server"}}})", R"({"fields":{"note":{"redirect":true}}})",
        R"({"fields":{"points":{"personal":true}}})"}) {
    Json file = balance;
    file.merge_patch(Json::parse(patch));
    EXPECT_FALSE(both(file)) << patch;
  }
  Json fact = Json::parse(read_source("schemas/collections/visit.v1.json"));
  fact["person"] = "id";
  ASSERT_TRUE(both(fact));
  fact["fields"]["note"]["personal"] = true;
  EXPECT_FALSE(both(fact)) << "a fact cannot be cleared";
}

// Steps that no version before is needed to see wrong.
TEST(CollectionSchema, RefusesStepsOfAWrongShape) {
  Json file = Json::parse(read_source("schemas/collections/note.v1.json"));
  file["version"] = 2;
  for (const char* step :
       {R"({})", R"("rename")", R"({"drop":{"field":"text"}})", R"({"rename":{"from":"text"}})",
        R"({"rename":{"from":"text","to":"T"}})", R"({"rename":{"from":"text","to":"b","x":1}})",
        R"({"split":{"from":"text","into":["a"],"at":" "}})",
        R"({"split":{"from":"text","into":["a","b"],"at":""}})",
        R"({"split":{"from":"text","into":["a","a"],"at":" "}})",
        R"({"default":{"field":"text","value":null}})", R"({"default":{"field":"text"}})",
        R"({"retype":{"field":"text","to":"integer"}})",
        R"({"retype":{"field":"text"},"rename":{"from":"text","to":"b"}})"}) {
    file["migrate"] = Json::array({Json::parse(step)});
    EXPECT_FALSE(is_valid(file)) << step;
    EXPECT_FALSE(Schemas::parse({{"f", file.dump()}}).ok()) << step;
  }
  for (const char* step :
       {R"({"rename":{"from":"old","to":"text"}})",
        R"({"split":{"from":"old","into":["text","author"],"at":" "}})",
        R"({"default":{"field":"done","value":false}})", R"({"retype":{"field":"text"}})"}) {
    file["migrate"] = Json::array({Json::parse(step)});
    EXPECT_TRUE(is_valid(file)) << step;
  }
}

}  // namespace
}  // namespace waystation::testing

// docs/testing.md says which test holds which fault off: each that it names is there, and every row
// names one or says where it will come from.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// "Suite.Name" of every test of the sources.
std::set<std::string> tests() {
  static const std::regex kTest(
      R"((?:^|\n)\s*(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\(\s*(\w+),\s*(\w+))");
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(WS_SOURCE_DIR) / "tests")) {
    if (entry.path().extension() != ".cc") continue;
    const std::string text = read(entry.path());
    for (std::sregex_iterator at(text.begin(), text.end(), kTest), end; at != end; ++at) {
      names.insert((*at)[1].str() + "." + (*at)[2].str());
    }
  }
  return names;
}

struct Row {
  std::string name;
  std::string text;
  std::vector<std::string> tests;
};

std::vector<Row> rows() {
  static const std::regex kName(R"(\| ([FE]\d+) \|)");
  static const std::regex kTest(R"(`(\w+\.\w+)`)");
  std::vector<Row> all;
  std::istringstream page(read(fs::path(WS_SOURCE_DIR) / "docs/testing.md"));
  for (std::string line; std::getline(page, line);) {
    std::smatch name;
    if (!std::regex_search(line, name, kName, std::regex_constants::match_continuous)) continue;
    Row row{name[1], line, {}};
    for (std::sregex_iterator at(line.begin(), line.end(), kTest), end; at != end; ++at) {
      row.tests.push_back((*at)[1]);
    }
    all.push_back(std::move(row));
  }
  return all;
}

TEST(TestingPage, HasARowForEachFaultInItsOrder) {
  std::vector<std::string> expected;
  for (int i = 1; i <= 28; ++i) expected.push_back("F" + std::to_string(i));
  for (int i = 1; i <= 19; ++i) expected.push_back("E" + std::to_string(i));
  std::vector<std::string> found;
  for (const Row& row : rows()) found.push_back(row.name);
  EXPECT_EQ(found, expected);
}

TEST(TestingPage, NamesOnlyTestsThatAreThere) {
  const std::set<std::string> there = tests();
  EXPECT_GT(there.size(), 300U);
  for (const Row& row : rows()) {
    for (const std::string& test : row.tests) {
      EXPECT_EQ(there.count(test), 1U) << row.name << ": " << test;
    }
  }
}

TEST(TestingPage, NamesForEachFaultATestWithItsNumberOrSaysLater) {
  for (const Row& row : rows()) {
    bool by_number = false;
    for (const std::string& test : row.tests) {
      by_number = by_number || test.find("." + row.name + "_") != std::string::npos;
    }
    EXPECT_TRUE(by_number || row.text.find("later") != std::string::npos) << row.name;
  }
}

TEST(TestingPage, MissesNoTestThatCarriesTheNumberOfAFault) {
  static const std::regex kNumbered(R"(\w+\.[FE]\d+_\w+)");
  std::set<std::string> named;
  for (const Row& row : rows()) named.insert(row.tests.begin(), row.tests.end());
  for (const std::string& test : tests()) {
    if (std::regex_match(test, kNumbered)) {
      EXPECT_EQ(named.count(test), 1U) << test;
    }
  }
}

// docs/security.md names tests for what it claims.
TEST(SecurityPage, EveryTestThatItNamesIsThere) {
  static const std::regex kNamed(R"(`([A-Z]\w+\.[A-Z]\w+)`)");
  const std::set<std::string> known = tests();
  const std::string page = read(fs::path(WS_SOURCE_DIR) / "docs/security.md");
  std::size_t named = 0;
  for (std::sregex_iterator at(page.begin(), page.end(), kNamed), end; at != end; ++at, ++named) {
    EXPECT_TRUE(known.count((*at)[1].str()) == 1) << (*at)[1].str();
  }
  EXPECT_GT(named, 10U);
}

}  // namespace

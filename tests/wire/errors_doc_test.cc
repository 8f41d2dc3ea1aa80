// docs/errors.md holds the very table of sync/errors.cc.

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "sync/errors.h"
#include "tests/process/message_schemas.h"

namespace waystation::testing {
namespace {

struct Row {
  std::string code;
  std::string http;
  std::string close;
  std::string meaning;
  std::string what_to_do;
};

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" `");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" `") - first + 1);
}

std::vector<Row> table() {
  std::ifstream page(WS_SOURCE_DIR "/docs/errors.md");
  std::vector<Row> rows;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    std::vector<std::string> cells;
    std::istringstream text(line.substr(1));
    for (std::string cell; std::getline(text, cell, '|');) cells.push_back(cell);
    EXPECT_EQ(cells.size(), 5U) << line;
    if (cells.size() != 5) continue;
    rows.push_back({trimmed(cells[0]), trimmed(cells[1]), trimmed(cells[2]), trimmed(cells[3]),
                    trimmed(cells[4])});
  }
  return rows;
}

TEST(ErrorsPage, HasEveryCodeOnceInTheOrderOfTheTableAndNoOther) {
  std::vector<std::string> on_the_page;
  for (const Row& row : table()) on_the_page.push_back(row.code);
  std::vector<std::string> in_the_code;
  for (const CodeInfo& info : all_codes()) in_the_code.emplace_back(info.name);
  EXPECT_EQ(on_the_page, in_the_code);
}

TEST(ErrorsPage, GivesStatusCloseCodeAndMeaningAsTheServerDoes) {
  const auto rows = table();
  ASSERT_EQ(rows.size(), all_codes().size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const CodeInfo& info = all_codes()[i];
    SCOPED_TRACE(rows[i].code);
    EXPECT_EQ(rows[i].http, std::to_string(info.http));
    EXPECT_EQ(rows[i].close, info.close == 0 ? "–" : std::to_string(info.close));
    EXPECT_EQ(rows[i].meaning, info.meaning);
    EXPECT_FALSE(rows[i].what_to_do.empty());
  }
}

TEST(Errors, HaveNamesOfOneShapeAndStatusesThatFit) {
  std::set<std::string_view> names;
  for (const CodeInfo& info : all_codes()) {
    SCOPED_TRACE(info.name);
    EXPECT_TRUE(names.insert(info.name).second);
    EXPECT_EQ(info.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_."),
              std::string_view::npos);
    EXPECT_TRUE(info.http >= 400 && info.http <= 599);
    // 1000-2999 are RFC 6455's own; 4000-4999 are for applications.
    EXPECT_TRUE(info.close == 0 || info.close == 1007 || info.close == 1009 || info.close == 1011 ||
                (info.close >= 4000 && info.close <= 4999));
    if (info.close >= 4000) {
      EXPECT_EQ(info.close, 4000 + info.http);
    }
  }
}

}  // namespace
}  // namespace waystation::testing

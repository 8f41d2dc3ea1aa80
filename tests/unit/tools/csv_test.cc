// Reading and writing comma-separated values.

#include "tools/csv.h"

#include <gtest/gtest.h>

namespace waystation {
namespace {

using Cells = std::vector<std::string>;

std::vector<CsvRow> rows_of(std::string_view text) {
  CsvReader reader(text);
  std::vector<CsvRow> rows;
  for (CsvRow row; reader.next(row);) rows.push_back(row);
  return rows;
}

TEST(Csv, CellsAreSplitAtCommas) {
  const auto rows = rows_of("a,b,c\n1,,3\n");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].cells, (Cells{"a", "b", "c"}));
  EXPECT_EQ(rows[1].cells, (Cells{"1", "", "3"}));
  EXPECT_EQ(rows[1].line, 2U);
}

TEST(Csv, ACommaAtTheEndOpensAnEmptyCell) {
  const auto rows = rows_of("a,\n,\n,");
  ASSERT_EQ(rows.size(), 3U);
  for (const CsvRow& row : rows) EXPECT_EQ(row.cells.size(), 2U);
}

TEST(Csv, QuotesHoldCommasQuotesAndLineBreaks) {
  const auto rows = rows_of("\"a,b\",\"say \"\"hi\"\"\",\"two\r\nlines\"\nx,y,z\n");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].cells, (Cells{"a,b", "say \"hi\"", "two\r\nlines"}));
  EXPECT_EQ(rows[1].line, 3U) << "the line break inside the quotes counts";
}

TEST(Csv, AnEmptyQuotedCellIsEmpty) { EXPECT_EQ(rows_of("\"\",a")[0].cells, (Cells{"", "a"})); }

TEST(Csv, WindowsLineEndsAndTheByteOrderMarkAreNoText) {
  const auto rows = rows_of("\xEF\xBB\xBFid,名称\r\ns1,驿站\r\n");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].cells, (Cells{"id", "名称"}));
  EXPECT_EQ(rows[1].cells, (Cells{"s1", "驿站"}));
}

TEST(Csv, TheLastLineNeedsNoLineBreak) { EXPECT_EQ(rows_of("a,b")[0].cells, (Cells{"a", "b"})); }

TEST(Csv, EmptyLinesArePassedOverAndCounted) {
  const auto rows = rows_of("\na\n\r\n\nb");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].line, 2U);
  EXPECT_EQ(rows[1].line, 5U);
}

TEST(Csv, NothingComesOutOfNothing) {
  EXPECT_TRUE(rows_of("").empty());
  EXPECT_TRUE(rows_of("\xEF\xBB\xBF\n\n").empty());
}

TEST(Csv, ABadRowCostsItselfAlone) {
  const auto rows = rows_of("a\"b,c\n\"x\"y,z\n1,2\n");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_NE(rows[0].problem, "");
  EXPECT_NE(rows[1].problem, "");
  EXPECT_EQ(rows[2].problem, "");
  EXPECT_EQ(rows[2].cells, (Cells{"1", "2"}));
  EXPECT_EQ(rows[2].line, 3U);
}

TEST(Csv, AQuoteThatIsNeverClosedCostsOneLine) {
  const auto rows = rows_of("1,\"open\n2,b\n3,c\n");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].problem, "a quote is opened and never closed");
  EXPECT_EQ(rows[1].cells, (Cells{"2", "b"}));
  EXPECT_EQ(rows[2].line, 3U);
}

TEST(Csv, WhatIsNotUtf8IsSaid) {
  const auto rows = rows_of("1,\xCD\xA8\xD3\xC3\n2,b\n");  // GBK, as Excel saves by default
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_NE(rows[0].problem.find("UTF-8"), std::string::npos);
  EXPECT_EQ(rows[1].problem, "");
}

TEST(Csv, ThePositionReachesTheEnd) {
  const std::string_view text = "a,b\n\"c\",d\n";
  CsvReader reader(text);
  CsvRow row;
  while (reader.next(row)) {
  }
  EXPECT_EQ(reader.position(), text.size());
}

TEST(Csv, WhatIsWrittenReadsBackTheSame) {
  const Cells cells{"plain", "a,b", "say \"hi\"", "two\nlines", "\r\n", "", "驿站", "=1+1"};
  std::string line;
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) line += ',';
    append_csv_cell(line, cell);
  }
  EXPECT_EQ(rows_of(line)[0].cells, cells);
}

TEST(Csv, FormulasAreGuarded) {
  for (const char* formula : {"=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"}) {
    EXPECT_EQ(guard_formula(formula), std::string("'") + formula);
  }
  for (const char* text : {"", "a=b", "驿站", "1-2", "'=1"}) EXPECT_EQ(guard_formula(text), text);
}

}  // namespace
}  // namespace waystation

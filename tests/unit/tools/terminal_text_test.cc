// Text for a terminal, and the progress of long jobs.

#include "tools/terminal_text.h"

#include <gtest/gtest.h>

#include <array>

#include "tools/progress.h"

namespace waystation {
namespace {

TEST(TerminalText, ChineseIsTwoColumnsWide) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("驿站"), 4U);
  EXPECT_EQ(display_width("，ａ"), 4U) << "full-width forms";
  EXPECT_EQ(display_width("e\u0301"), 1U) << "a combining accent";
  EXPECT_EQ(display_width("\xFF"), 1U) << "a damaged byte";
}

TEST(TerminalText, ColumnsStayAlignedWithChineseInThem) {
  TextTable table({"NAME", "OPS"});
  table.align_right(1);
  table.add({"驿站", "7"});
  table.add({"phone", "1,234"});
  EXPECT_EQ(table.text(), "NAME     OPS\n驿站       7\nphone  1,234\n");
}

TEST(TerminalText, NamesCannotSteerTheTerminal) {
  EXPECT_EQ(printable("a\x1b[31mb"), "a\uFFFD[31mb");
  EXPECT_EQ(printable("a\nb"), "a\uFFFDb");
  EXPECT_EQ(printable("\u202Eabc"), "\uFFFDabc") << "right-to-left override";
  EXPECT_EQ(printable("进东社区"), "进东社区");
}

TEST(TerminalText, DurationsAreReadAndWritten) {
  EXPECT_EQ(parse_duration_s("90s"), 90);
  EXPECT_EQ(parse_duration_s("15m"), 900);
  EXPECT_EQ(parse_duration_s("24h"), 86'400);
  EXPECT_EQ(parse_duration_s("7d"), 604'800);
  for (const char* bad :
       {"", "h", "24", "0h", "-1h", "1w", "1h ", "1.5h", "99999999999999999999s"}) {
    EXPECT_EQ(parse_duration_s(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(format_duration(-76), "1m 16s");
  EXPECT_EQ(format_duration(90'000), "1d 1h");
  EXPECT_EQ(format_duration(0), "0s");
}

TEST(TerminalText, NumbersAreGrouped) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1765), "1,765");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
}

class ProgressTest : public testing::Test {
 protected:
  ~ProgressTest() override { std::fclose(file_); }
  std::string shown() {
    std::rewind(file_);
    std::array<char, 4096> bytes{};
    return std::string(bytes.data(), std::fread(bytes.data(), 1, bytes.size(), file_));
  }
  std::FILE* file_ = std::tmpfile();
  Progress::Clock::time_point start_;
};

TEST_F(ProgressTest, ShortJobsShowNothing) {
  {
    Progress progress("importing", 100, file_, true, start_);
    progress.at(100, start_ + std::chrono::milliseconds(1999));
  }
  EXPECT_EQ(shown(), "");
}

TEST_F(ProgressTest, ATerminalGetsABarThatIsTakenOffAtTheEnd) {
  {
    Progress progress("importing", 100, file_, true, start_);
    progress.at(50, start_ + std::chrono::seconds(2));
  }
  EXPECT_EQ(shown(), "\rimporting: [###############...............]  50 %\x1b[K\r\x1b[K");
}

TEST_F(ProgressTest, AFileGetsALineEveryTenSeconds) {
  {
    Progress progress("checking", 0, file_, false, start_);
    progress.at(1000, start_ + std::chrono::seconds(9));
    progress.at(2000, start_ + std::chrono::seconds(10));
    progress.at(3000, start_ + std::chrono::seconds(19));
    progress.at(4000, start_ + std::chrono::seconds(20));
  }
  EXPECT_EQ(shown(), "checking: 2,000\nchecking: 4,000\n");
}

}  // namespace
}  // namespace waystation

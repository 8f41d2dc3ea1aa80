// Reports as files. That a spreadsheet program can read the XLSX is in tests/clients/.
#include "server/report_files.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "server/xlsx_check.h"
#include "storage/schema_files.h"
#include "sync/limits.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

class ReportFiles : public ::testing::Test {
 protected:
  ReportFiles() {
    folder = std::filesystem::temp_directory_path() / "waystation-exports-XXXXXX";
    WS_CHECK(mkdtemp(folder.data()) != nullptr);
    OpText person = op(++n).on("volunteer", "p1").does(R"("set":{"name":"=林,\"静\""})");
    person.schema = 2;
    EXPECT_EQ(world.push(phone, {person}).codes(), "ok");
  }
  ~ReportFiles() override { std::filesystem::remove_all(folder); }

  void attend(int first, int count) {
    std::vector<OpText> ops;
    for (int i = first; i < first + count; ++i) {
      const std::string event = fmt::format("e{:05}", i);
      ops.push_back(
          op(++n)
              .on("attendance", event + "~p1")
              .does(fmt::format(
                  R"("set":{{"event":"{}","volunteer":"p1","signed_in":"2026-01-05T08:00:00+08:00","minutes":90}})",
                  event)));
      ops.back().schema = 2;
    }
    ASSERT_EQ(world.push(phone, ops).applied, n);
  }
  std::unique_ptr<ReportReading> read(const std::string& name) {
    auto plan = plan_report(*reports.find(name), ReportQuery{}, *projections(), schemas(), View());
    auto reading = ReportReading::open(world.store(), *projections(), std::move(*plan));
    return std::move(*reading);
  }
  std::string csv(const std::string& name) {
    const auto reading = read(name);
    EXPECT_TRUE(write_csv(*reading, head, folder + "/f.csv").ok());
    std::ostringstream text;
    text << std::ifstream(folder + "/f.csv", std::ios::binary).rdbuf();
    return text.str();
  }

  World world;
  std::uint64_t phone = world.enroll({"t"});
  std::uint64_t n = 0;
  std::string folder;
  ReportHead head{"出勤", "说明", Zone{}, "2026-01-05T08:00:00+08:00", "office li"};
  Reports reports = *load_reports(WS_SOURCE_DIR "/schemas", schemas(), *projections());
};

TEST_F(ReportFiles, F12_CsvSaysThatItIsUtf8AndRunsNoFormula) {
  attend(1, 1);
  EXPECT_EQ(
      csv("points"),
      "\xEF\xBB\xBF志愿者编号,姓名,统一志愿者编号,出勤积分,拨给,使用,拨给减使用\r\n# 0 rows\r\n");
  const std::string text = csv("attendance");
  EXPECT_NE(text.find(",\"'=林,\"\"静\"\"\","), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("# 1 rows\r\n")) << text;
}

TEST_F(ReportFiles, F24_TheFileSaysWhatThePageSays) {
  attend(1, 30);
  for (const char* name : {"attendance", "hours"}) {
    const auto reading = read(name);
    std::size_t rows = 0;
    const std::string text = csv(name);
    ASSERT_TRUE(reading
                    ->each(0, 100,
                           [&](const std::vector<ReportCell>& cells) {
                             ++rows;
                             std::string line;
                             for (const ReportCell& cell : cells) {
                               if (cell.kind == ReportCell::Kind::kNumber) {
                                 line += fmt::format(",{}", cell.number);
                               }
                             }
                             EXPECT_NE(text.find(line + "\r\n"), std::string::npos) << line;
                             return true;
                           })
                    .ok());
    EXPECT_EQ(rows, 30U);
    EXPECT_TRUE(text.ends_with("# 30 rows\r\n"));
  }
}

TEST_F(ReportFiles, F25_AFileIsWholeOrIsNotSent) {
  for (int i = 0; i < 5; ++i) attend(1 + i * 1000, 1000);
  waystation::ReportFiles files(folder + "/exports");
  for (const FileFormat format : {FileFormat::kCsv, FileFormat::kXlsx}) {
    const auto reading = read("attendance");
    const auto made = files.make(*reading, head, format, "f");
    ASSERT_TRUE(made.ok()) << made.error().context;
    EXPECT_TRUE(std::filesystem::is_empty(folder + "/exports")) << "it has no name any more";
    std::string all;
    while ((*made)->left() > 0) all += *(*made)->next(64 * 1024);
    if (format == FileFormat::kCsv) {
      EXPECT_TRUE(all.ends_with("# 5000 rows\r\n"));
      EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 5002);
    } else {
      EXPECT_TRUE(all.starts_with("PK"));
      EXPECT_NE(all.rfind("PK\x05\x06"), std::string::npos) << "the zip has its end";
    }
  }
  // Where it cannot be written, nothing is sent.
  const auto reading = read("attendance");
  EXPECT_FALSE(write_csv(*reading, head, "/dev/full").ok());
  EXPECT_FALSE(write_csv(*reading, head, folder + "/no/such/f.csv").ok());
  EXPECT_FALSE(write_xlsx(*reading, head, folder + "/no/such/f.xlsx", folder).ok());
  const auto none = waystation::ReportFiles("").make(*reading, head, FileFormat::kCsv, "f");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Code::kReportDisk);
}

// No file of this process grows beyond so many bytes, as on a disk that is full by then.
class FullAt {
 public:
  explicit FullAt(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    WS_CHECK(getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit now{bytes, before_.rlim_max};
    WS_CHECK(setrlimit(RLIMIT_FSIZE, &now) == 0);
  }
  ~FullAt() {
    (void)setrlimit(RLIMIT_FSIZE, &before_);
    (void)std::signal(SIGXFSZ, handler_);
  }
  FullAt(const FullAt&) = delete;
  FullAt& operator=(const FullAt&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

std::size_t open_files() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST_F(ReportFiles, OnADiskThatFillsWhileOneIsWrittenNoneLooksWhole) {
  attend(1, 300);
  waystation::ReportFiles files(folder + "/exports");
  const std::size_t open = open_files();
  for (const FileFormat format : {FileFormat::kCsv, FileFormat::kXlsx}) {
    const auto whole = files.make(*read("attendance"), head, format, "f");
    ASSERT_TRUE(whole.ok());
    const std::uint64_t size = (*whole)->left();
    std::size_t refused = 0;
    // What is written for a sheet before it is packed is some 150 KB; steps meet its beginning, its
    // rows, and what stands behind them.
    for (rlim_t room = 1; room < 600'000; room += room < 4096 ? 500 : room / 8) {
      const auto reading = read("attendance");
      const auto made = [&] {
        const FullAt full(room);
        return files.make(*reading, head, format, "f");
      }();
      if (made.ok()) {
        EXPECT_NEAR(static_cast<double>((*made)->left()), static_cast<double>(size), 64) << room;
        continue;
      }
      EXPECT_EQ(made.error().code, Code::kReportDisk) << room << ": " << made.error().context;
      ++refused;
    }
    EXPECT_GT(refused, 10U);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder + "/exports"));
  EXPECT_EQ(open_files(), open) << "what was begun is closed";
}

TEST_F(ReportFiles, AsSoonAsThereIsRoomForASheetItIsWhole) {
  attend(1, 300);
  waystation::ReportFiles files(folder + "/exports");
  const auto make = [&](rlim_t room) {
    const auto reading = read("attendance");
    const FullAt full(room);
    return files.make(*reading, head, FileFormat::kXlsx, "f");
  };
  // Just enough for the rows is not enough for what stands around them, which is written last.
  rlim_t small = 1;
  rlim_t large = 600'000;
  while (large - small > 1) {
    const rlim_t room = small + (large - small) / 2;
    (make(room).ok() ? large : small) = room;
  }
  const auto made = make(large);
  ASSERT_TRUE(made.ok());
  std::ofstream sheet(folder + "/f.xlsx", std::ios::binary);
  while ((*made)->left() > 0) sheet << *(*made)->next(64 * 1024);
  sheet.close();
  EXPECT_TRUE(check_xlsx(folder + "/f.xlsx", {}).ok());
}

TEST_F(ReportFiles, ASheetThatLacksBytesIsFound) {
  attend(1, 100);
  ASSERT_TRUE(write_xlsx(*read("attendance"), head, folder + "/f.xlsx", folder).ok());
  EXPECT_EQ(check_xlsx(folder + "/f.xlsx", {1, 1}).error().code, Code::kReportDisk);
  std::ostringstream text;
  text << std::ifstream(folder + "/f.xlsx", std::ios::binary).rdbuf();
  const std::string whole = text.str();
  for (std::size_t length = 0; length < whole.size(); length += 97) {
    std::ofstream(folder + "/cut.xlsx", std::ios::binary) << whole.substr(0, length);
    EXPECT_FALSE(check_xlsx(folder + "/cut.xlsx", {}).ok()) << length;
  }
  std::ofstream(folder + "/cut.xlsx", std::ios::binary) << whole;
  EXPECT_TRUE(check_xlsx(folder + "/cut.xlsx", {}).ok());
}

TEST_F(ReportFiles, AreFewAtOneTime) {
  waystation::ReportFiles files(folder + "/exports");
  std::vector<waystation::ReportFiles::Place> places;
  for (std::size_t i = 0; i < limits::kExports; ++i) places.push_back(files.take_place());
  EXPECT_EQ(std::count(places.begin(), places.end(), nullptr), 0);
  EXPECT_EQ(files.take_place(), nullptr);
  places.pop_back();
  EXPECT_NE(files.take_place(), nullptr);
}

TEST_F(ReportFiles, OfAnEarlierLifeAreRemoved) {
  std::filesystem::create_directories(folder + "/exports");
  std::ofstream(folder + "/exports/left.csv") << "half";
  const waystation::ReportFiles files(folder + "/exports");
  EXPECT_TRUE(std::filesystem::is_empty(folder + "/exports"));
}

}  // namespace
}  // namespace waystation::testing

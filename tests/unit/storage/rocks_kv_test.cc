// What the store on the disk does when its files are not as it left them.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "storage/kv.h"
#include "storage/store.h"

namespace waystation {
namespace {

namespace fs = std::filesystem;
constexpr char kFirstLife[] = "0123456789abcdef0123456789abcdef";
constexpr char kSecondLife[] = "fedcba9876543210fedcba9876543210";

class StoreOnDisk : public testing::Test {
 protected:
  StoreOnDisk() {
    std::string pattern = fs::temp_directory_path() / "waystation-store-XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  ~StoreOnDisk() override { fs::remove_all(folder_); }
  StoreOnDisk(const StoreOnDisk&) = delete;
  StoreOnDisk& operator=(const StoreOnDisk&) = delete;

  // A store with `count` synced values, as a killed process leaves it: all in the log.
  void fill(int count) {
    auto kv = open_rocks(live(), OpenMode::kReadWrite);
    ASSERT_TRUE(kv.ok());
    ASSERT_TRUE(Store::open(std::move(*kv), kFirstLife).ok());
    kv = open_rocks(live(), OpenMode::kReadWrite);
    ASSERT_TRUE(kv.ok());
    for (int i = 0; i < count; ++i) {
      Batch batch;
      batch.put(Column::kRecords, "key" + std::to_string(i), std::string(500, 'v'));
      ASSERT_TRUE((*kv)->write(batch, Durability::kSynced).ok());
    }
    fs::copy(live(), left_behind(), fs::copy_options::recursive);
  }

  int count_values(Kv& kv) {
    int count = 0;
    auto rows = kv.iterate(Column::kRecords);
    for (rows->seek(""); rows->valid(); rows->next()) ++count;
    return count;
  }

  fs::path newest_log() {
    fs::path newest;
    for (const auto& file : fs::directory_iterator(left_behind())) {
      if (file.path().extension() == ".log" && file.path() > newest) newest = file.path();
    }
    return newest;
  }

  void change_log(const std::function<void(std::string&)>& change) {
    const fs::path path = newest_log();
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    std::string bytes = text.str();
    change(bytes);
    std::ofstream(path, std::ios::binary) << bytes;
  }

  std::string live() const { return folder_ + "/live"; }
  std::string left_behind() const { return folder_ + "/left"; }

 private:
  std::string folder_;
};

TEST_F(StoreOnDisk, KeepsEverySyncedWriteWhenItsProcessIsGone) {
  fill(50);
  auto kv = open_rocks(left_behind(), OpenMode::kReadWrite);
  ASSERT_TRUE(kv.ok());
  EXPECT_EQ(count_values(**kv), 50);
}

TEST_F(StoreOnDisk, OpensWhenTheLogEndsInAnUnfinishedWrite) {
  fill(50);
  change_log([](std::string& bytes) { bytes.resize(bytes.size() - 100); });
  auto kv = open_rocks(left_behind(), OpenMode::kReadWrite);
  ASSERT_TRUE(kv.ok());
  EXPECT_EQ(count_values(**kv), 49);
}

TEST_F(StoreOnDisk, RefusesToOpenWhenTheLogIsDamagedBeforeItsEnd) {
  fill(50);
  change_log([](std::string& bytes) { bytes[bytes.size() / 2] ^= 1; });
  const auto kv = open_rocks(left_behind(), OpenMode::kReadWrite);
  ASSERT_FALSE(kv.ok());
  EXPECT_EQ(kv.error().code, Code::kStoreCorrupt);
}

TEST_F(StoreOnDisk, BeginsANewLifeWhenSomebodyDecidesToRecoverADamagedLog) {
  fill(50);
  change_log([](std::string& bytes) { bytes[bytes.size() / 2] ^= 1; });
  auto kv = open_rocks(left_behind(), OpenMode::kRecover);
  ASSERT_TRUE(kv.ok());
  const int left = count_values(**kv);
  EXPECT_GT(left, 0);
  EXPECT_LT(left, 50);
  const auto store = Store::open(std::move(*kv), kSecondLife, Store::Life::kNew);
  ASSERT_TRUE(store.ok());
  EXPECT_EQ((*store)->incarnation(), kSecondLife);
}

TEST_F(StoreOnDisk, IsLockedForASecondServer) {
  const auto first = open_rocks(live(), OpenMode::kReadWrite);
  ASSERT_TRUE(first.ok());
  const auto second = open_rocks(live(), OpenMode::kReadWrite);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Code::kStoreLocked);
}

TEST_F(StoreOnDisk, GetsADestroyedKeyOffTheDiskOnceNobodyReadsAStateThatHasIt) {
  const auto kv = open_rocks(live(), OpenMode::kReadWrite);
  ASSERT_TRUE(kv.ok());
  const std::string key = "a key that is to go 7391";
  Batch batch;
  batch.put(Column::kPersons, "p", key);
  batch.put(Column::kMatches, "m", key);
  ASSERT_TRUE((*kv)->write(batch, Durability::kSynced).ok());
  auto older = (*kv)->snapshot();
  Batch erased;
  erased.put(Column::kPersons, "p", "gone");
  erased.erase(Column::kMatches, "m");
  ASSERT_TRUE((*kv)->write(erased, Durability::kSynced).ok());
  const std::uint64_t written = (*kv)->written();
  const auto on_disk = [&] {
    std::size_t found = 0;
    for (const auto& file : fs::directory_iterator(live())) {
      std::ostringstream text;
      text << std::ifstream(file.path(), std::ios::binary).rdbuf();
      found += text.str().find(key) != std::string::npos ? 1 : 0;
    }
    return found;
  };
  EXPECT_FALSE((*kv)->purge(Purge::kKeys, written).value());
  EXPECT_GT(on_disk(), 0U);
  const auto newer = (*kv)->snapshot();
  older.reset();
  EXPECT_TRUE((*kv)->purge(Purge::kKeys, written).value()) << "who came later has not seen it";
  EXPECT_EQ(on_disk(), 0U);
}

}  // namespace
}  // namespace waystation

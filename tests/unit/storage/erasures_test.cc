// The files beside the store that personal data depends on: the list of erasures, and master keys.
#include "storage/erasures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "server/personal_files.h"
#include "storage/keyring.h"
#include "storage/memory_kv.h"

namespace waystation {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kOne(32, '1');
const std::string kTwo(32, '2');

class ListOfErasures : public ::testing::Test {
 protected:
  ListOfErasures() {
    std::string pattern = fs::temp_directory_path() / "waystation-erasures-XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    config_.data = folder_ + "/data";
    own_ = config_.data + "/erasures.log";
    config_.erasures = folder_ + "/other/list";
    fs::create_directories(config_.data);
    fs::create_directories(folder_ + "/other");
  }
  ~ListOfErasures() override { fs::remove_all(folder_); }
  ListOfErasures(const ListOfErasures&) = delete;
  ListOfErasures& operator=(const ListOfErasures&) = delete;

  static void write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  static std::string content(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
  }
  static std::vector<std::string> marks(const std::vector<Erasure>& erasures) {
    std::vector<std::string> all;
    for (const Erasure& erasure : erasures) all.push_back(erasure.mark);
    return all;
  }

  std::string folder_;
  Config config_;
  std::string own_;
};

TEST_F(ListOfErasures, ThatAPowerLossLeftUnfinishedIsGoneOnWith) {
  const std::string whole = "waystation erasures 1\n1 " + kOne + "\n";
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    write(own_, whole.substr(0, size));
    const auto before = read_erasures(own_);
    ASSERT_TRUE(before.ok()) << size << " " << before.error().context;
    EXPECT_EQ(before->damaged, size < 22 ? 1U : 0U) << size << ": told where the list is not one";
    EXPECT_EQ(before->erasures.size(), size == whole.size() ? 1U : 0U) << size;
    ASSERT_TRUE(append_erasure(own_, Erasure{kTwo, 2}).ok());
    const auto after = read_erasures(own_);
    ASSERT_TRUE(after.ok()) << size;
    EXPECT_EQ(after->damaged, 0U) << size << content(own_);
    EXPECT_EQ(after->erasures.size(), before->erasures.size() + 1) << size;
  }
}

TEST_F(ListOfErasures, ThatIsDamagedIsReadAsFarAsItGoesAndSaysSo) {
  write(own_, "waystation erAsures 1\n1 " + kOne + "\n1x " + kTwo + "\nrubbish\n2 " + kTwo + "\n");
  const auto list = read_erasures(own_);
  ASSERT_TRUE(list.ok()) << list.error().context;
  EXPECT_THAT(marks(list->erasures), ElementsAre(kOne, kTwo));
  EXPECT_EQ(list->damaged, 3U);
  write(own_, "dear diary\n");
  EXPECT_EQ(read_erasures(own_).error().code, Code::kErasures);
  EXPECT_THAT(read_erasures(own_).error().context, HasSubstr("put the newest copy"));
}

TEST_F(ListOfErasures, IsMadeWholeFromItsOtherCopyAndTheStore) {
  const std::string broken = "waystation erasures 1\n1 " + kOne.substr(1) + "\n";
  write(own_, broken);
  ASSERT_TRUE(append_erasure(config_.erasures, Erasure{kOne, 1}).ok());
  const ErasureJournal lists = erasure_lists(config_);
  auto known = lists.read();
  ASSERT_TRUE(known.ok());
  EXPECT_THAT(marks(*known), ElementsAre(kOne));
  known->push_back(Erasure{kTwo, 2});
  ASSERT_TRUE(lists.mend(*known, false).ok());
  for (const std::string& file : {own_, config_.erasures}) {
    EXPECT_THAT(marks(read_erasures(file)->erasures), ElementsAre(kOne, kTwo)) << file;
    EXPECT_EQ(read_erasures(file)->damaged, 0U);
  }
  EXPECT_EQ(content(own_ + ".damaged"), broken) << "nothing of it is lost";
}

TEST_F(ListOfErasures, OfADiskThatIsNotThereIsNoEmptyOne) {
  fs::remove_all(folder_ + "/other");
  const auto read = erasure_lists(config_).read();
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, Code::kErasures);
  EXPECT_THAT(read.error().context, HasSubstr("is its disk mounted?"));
}

TEST_F(ListOfErasures, ThatCannotBeWrittenBesidesHasNobodyInTheDataFolder) {
  fs::create_directory(config_.erasures);
  EXPECT_FALSE(erasure_lists(config_).append(Erasure{kOne, 1}).ok());
  EXPECT_FALSE(fs::exists(own_)) << "or the next start would erase whom nobody was told of";
}

TEST_F(ListOfErasures, AnOldMasterKeyIsKeptOverNothing) {
  MasterKey key;
  key.bytes.fill(1);
  MasterKey other;
  other.bytes.fill(2);
  const std::string path = folder_ + "/old.key";
  ASSERT_TRUE(keep_master_key(path, key).ok());
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_TRUE(keep_master_key(path, key).ok()) << "cut off, and done again";
  EXPECT_EQ(keep_master_key(path, other).error().code, Code::kIo);
  EXPECT_EQ(read_key_file(path)->bytes, key.bytes);
}

// A disk that is cut off before it has got rid of anything.
class NeverPurged final : public Kv {
 public:
  Result<bool> get(Column column, std::string_view key, std::string& value,
                   const Snapshot* snapshot) const override {
    return kept_.get(column, key, value, snapshot);
  }
  std::unique_ptr<KvIterator> iterate(Column column, const Snapshot* snapshot,
                                      std::string upper) const override {
    return kept_.iterate(column, snapshot, std::move(upper));
  }
  std::unique_ptr<Snapshot> snapshot() const override { return kept_.snapshot(); }
  Status write(const Batch& batch, Durability durability) override {
    return kept_.write(batch, durability);
  }
  Result<bool> purge(Purge, std::uint64_t) override { return Error{Code::kIo, "cut off"}; }

 private:
  MemoryKv kept_;
};

TEST(ANewMasterKey, LeavesAMarkUntilTheOldWrappingIsOffTheDisk) {
  NeverPurged disk;
  MasterKey one;
  one.bytes.fill(1);
  MasterKey two;
  two.bytes.fill(2);
  const std::string row = person_row("p");
  Batch batch;
  batch.put(Column::kPersons, row,
            Keyring(disk, one).wrap(row, PersonKey{}, std::array<unsigned char, 24>{}));
  ASSERT_TRUE(disk.write(batch, Durability::kSynced).ok());
  EXPECT_FALSE(rewrap(disk, one, two).ok());
  EXPECT_TRUE(check_master(disk, two).ok());
  std::string purging;
  EXPECT_TRUE(disk.get(Column::kMeta, "purge", purging, nullptr).value())
      << "the next start goes on with it";
}

}  // namespace
}  // namespace waystation

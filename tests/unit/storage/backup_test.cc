// Copies of a store on the disk.
#include "storage/backup.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "storage/memory_kv.h"

namespace waystation {
namespace {

namespace fs = std::filesystem;
constexpr char kFirstLife[] = "0123456789abcdef0123456789abcdef";
constexpr char kSecondLife[] = "fedcba9876543210fedcba9876543210";
constexpr std::int64_t kNow = 1'767'225'600'000;

class Backups : public testing::Test {
 protected:
  Backups() {
    std::string pattern = fs::temp_directory_path() / "waystation-backup-XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    auto kv = open_rocks(folder_ + "/live/store", OpenMode::kReadWrite);
    EXPECT_TRUE(kv.ok());
    auto store = Store::open(std::move(*kv), kFirstLife);
    EXPECT_TRUE(store.ok());
    store_ = std::move(*store);
  }
  ~Backups() override { fs::remove_all(folder_); }
  Backups(const Backups&) = delete;
  Backups& operator=(const Backups&) = delete;

  void put(const std::string& key) {
    Batch batch;
    batch.put(Column::kRecords, key, "value");
    ASSERT_TRUE(store_->kv().write(batch, Durability::kSynced).ok());
  }
  static bool holds(const std::string& data, const std::string& key) {
    const auto kv = open_rocks(data + "/store", OpenMode::kReadOnly);
    std::string value;
    return kv.ok() && (*kv)->get(Column::kRecords, key, value).value();
  }
  static Code code_of(const Result<BackupNote>& result) {
    EXPECT_FALSE(result.ok());
    return result.ok() ? Code::kInternal : result.error().code;
  }
  [[nodiscard]] std::string in(const std::string& name) const { return folder_ + "/" + name; }

  std::string folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(Backups, HoldWhatWasWrittenAndNothingThatCameLater) {
  put("before");
  const auto made = back_up(*store_, in("copy"), kNow);
  ASSERT_TRUE(made.ok()) << made.error().context;
  put("after");
  EXPECT_EQ(made->incarnation, kFirstLife);
  const auto read = read_backup(in("copy"));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->made_ms, kNow);
  EXPECT_EQ(read->incarnation, kFirstLife);
  EXPECT_TRUE(holds(in("copy"), "before"));
  EXPECT_FALSE(holds(in("copy"), "after"));
  EXPECT_EQ(fs::status(in("copy")).permissions() & fs::perms::all, fs::perms::owner_all);
}

TEST_F(Backups, NeedAnAbsoluteNewFolderInOneThatIsThere) {
  fs::create_directory(in("there"));
  fs::create_symlink(in("nowhere"), in("link"));
  for (const std::string& wrong : {std::string("copy"), std::string(), in("there"), in("link"),
                                   in("missing/copy"), in("nul") + '\0' + "copy"}) {
    EXPECT_EQ(code_of(back_up(*store_, wrong, kNow)), Code::kBackupFolder) << wrong;
  }
  EXPECT_FALSE(fs::exists(in("missing")));
  EXPECT_FALSE(fs::exists(in("nul")));
}

TEST_F(Backups, ThatFailLeaveNothingBehind) {
  auto memory = Store::open(std::make_unique<MemoryKv>(), kFirstLife);
  ASSERT_TRUE(memory.ok());
  EXPECT_EQ(code_of(back_up(**memory, in("copy"), kNow)), Code::kIo);
  EXPECT_FALSE(fs::exists(in("copy")));
}

TEST_F(Backups, AreRestoredAsANewLife) {
  put("key");
  ASSERT_TRUE(back_up(*store_, in("copy"), kNow).ok());
  const auto restored = restore(in("copy"), in("new/data"), kSecondLife);
  ASSERT_TRUE(restored.ok()) << restored.error().context;
  EXPECT_TRUE(holds(in("new/data"), "key"));
  auto kv = open_rocks(in("new/data/store"), OpenMode::kReadWrite);
  ASSERT_TRUE(kv.ok());
  const auto store = Store::open(std::move(*kv), {});
  ASSERT_TRUE(store.ok());
  EXPECT_EQ((*store)->incarnation(), kSecondLife);
  EXPECT_FALSE(fs::exists(in("new/data/admin.token")));
  EXPECT_TRUE(holds(in("copy"), "key")) << "the backup is as it was";
}

TEST_F(Backups, GiveTheTokenBackWhereTheyHaveOne) {
  ASSERT_TRUE(back_up(*store_, in("copy"), kNow).ok());
  std::ofstream(in("copy/admin.token")) << "secret\n";
  fs::create_directory(in("data"));
  ASSERT_TRUE(restore(in("copy"), in("data"), kSecondLife).ok());
  std::string token;
  std::ifstream(in("data/admin.token")) >> token;
  EXPECT_EQ(token, "secret");
  EXPECT_EQ(fs::status(in("data/admin.token")).permissions() & fs::perms::all,
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(Backups, AreInTheirPlaceWhenAllTheyNeedIs) {
  put("key");
  ASSERT_TRUE(back_up(*store_, in("copy"), kNow).ok());
  std::ofstream(in("copy/admin.token")) << "secret\n";
  const auto fails = restore(in("copy"), in("data"), kSecondLife, [&](const std::string&) {
    std::ofstream(in("data/erasures.log")) << "x";
    return Status{Error{Code::kMasterKey, "another"}};
  });
  EXPECT_EQ(code_of(fails), Code::kMasterKey);
  EXPECT_TRUE(fs::is_empty(in("data"))) << "and it can be tried again";
  bool early = false;
  ASSERT_TRUE(restore(in("copy"), in("data"), kSecondLife, [&](const std::string& store) {
                early = fs::exists(in("data/store"));
                return fs::exists(store + "/CURRENT") ? Status{} : Error{Code::kInternal, store};
              }).ok());
  EXPECT_FALSE(early) << "a server that starts meanwhile finds no store without its list";
  EXPECT_TRUE(holds(in("data"), "key"));
}

TEST_F(Backups, AreNotRestoredOverAnything) {
  ASSERT_TRUE(back_up(*store_, in("copy"), kNow).ok());
  EXPECT_EQ(code_of(restore(in("copy"), in("live"), kSecondLife)), Code::kBackupFolder);
  std::ofstream(in("file")) << "x";
  EXPECT_EQ(code_of(restore(in("copy"), in("file"), kSecondLife)), Code::kBackupFolder);
}

TEST_F(Backups, ThatAreNotWholeAreRefusedAndLeaveTheFolderEmpty) {
  EXPECT_EQ(code_of(restore(in("nowhere"), in("data"), kSecondLife)), Code::kBackupInvalid);
  ASSERT_TRUE(back_up(*store_, in("copy"), kNow).ok());
  std::ofstream(in("copy/BACKUP")) << "waystation backup 1\nincarnation";
  EXPECT_EQ(code_of(restore(in("copy"), in("data"), kSecondLife)), Code::kBackupInvalid);
  EXPECT_FALSE(fs::exists(in("data")));

  ASSERT_TRUE(back_up(*store_, in("second"), kNow).ok());
  for (const auto& file : fs::directory_iterator(in("second/store"))) {
    if (file.path().filename() != "CURRENT") fs::remove(file.path());
  }
  EXPECT_FALSE(restore(in("second"), in("data"), kSecondLife).ok());
  EXPECT_TRUE(fs::is_empty(in("data")));
}

}  // namespace
}  // namespace waystation

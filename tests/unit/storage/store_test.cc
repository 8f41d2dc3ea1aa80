#include "storage/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/keys.h"
#include "sync/bytes.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

using ::testing::HasSubstr;

const std::string kLife(kIncarnation);
const std::string kOtherLife(32, 'f');

void put_meta(MemoryKv& disk, std::string_view key, const std::string& value) {
  Batch batch;
  batch.put(Column::kMeta, std::string(key), value);
  ASSERT_TRUE(disk.write(batch, Durability::kSynced).ok());
}

class OpeningAStore : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Store>> open(const std::string& incarnation = kLife) {
    return Store::open(share(disk), incarnation);
  }
  [[nodiscard]] Code failure() {
    const auto opened = open();
    EXPECT_FALSE(opened.ok());
    return opened.ok() ? Code::kInternal : opened.error().code;
  }
  std::shared_ptr<MemoryKv> disk = std::make_shared<MemoryKv>();
};

TEST_F(OpeningAStore, ThatIsEmptyGivesItItsLife) {
  const auto store = open();
  ASSERT_TRUE(store.ok());
  EXPECT_EQ((*store)->incarnation(), kLife);
  EXPECT_EQ(*(*store)->position(), 0);
  EXPECT_EQ(disk->synced_writes(), 1U);
  EXPECT_FALSE((*store)->read_only());
}

TEST_F(OpeningAStore, AgainKeepsTheLifeAndWritesNothing) {
  ASSERT_TRUE(open().ok());
  const auto before = dump(*disk);
  const auto store = open(kOtherLife);
  ASSERT_TRUE(store.ok());
  EXPECT_EQ((*store)->incarnation(), kLife);
  EXPECT_EQ(dump(*disk), before);
  EXPECT_EQ(disk->synced_writes(), 1U);
}

TEST_F(OpeningAStore, ThatIsEmptyIsRefusedToWhoOnlyReads) {
  const auto store = open("");
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().code, Code::kIo);
  EXPECT_TRUE(dump(*disk).empty());
}

TEST_F(OpeningAStore, OfANewerFormatIsRefusedAndLeftUnchanged) {
  ASSERT_TRUE(open().ok());
  std::string newer;
  put_varint(newer, kStoreFormat + 1);
  put_meta(*disk, keys::kFormat, newer);
  const auto before = dump(*disk);
  const auto store = open();
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().code, Code::kStoreFormat);
  EXPECT_THAT(store.error().context, HasSubstr("nothing was changed"));
  EXPECT_EQ(dump(*disk), before);
}

TEST_F(OpeningAStore, WithADamagedFormatIsRefused) {
  ASSERT_TRUE(open().ok());
  for (const std::string& damaged :
       {std::string(), std::string(1, '\0'), std::string("\x01x"), std::string("\xFF")}) {
    put_meta(*disk, keys::kFormat, damaged);
    EXPECT_EQ(failure(), Code::kStoreCorrupt);
  }
}

TEST_F(OpeningAStore, WithoutItsLifeIsRefused) {
  ASSERT_TRUE(open().ok());
  put_meta(*disk, keys::kIncarnation, "short");
  EXPECT_EQ(failure(), Code::kStoreCorrupt);
}

TEST_F(OpeningAStore, WithADamagedAccountIsRefused) {
  ASSERT_TRUE(open().ok());
  Batch batch;
  batch.put(Column::kDevices, keys::account(7), "x");
  ASSERT_TRUE(disk->write(batch, Durability::kSynced).ok());
  EXPECT_EQ(failure(), Code::kStoreCorrupt);
}

TEST_F(OpeningAStore, WithADamagedDigestIsRefused) {
  ASSERT_TRUE(open().ok());
  Batch batch;
  batch.put(Column::kDigests, "t", "x");
  ASSERT_TRUE(disk->write(batch, Durability::kSynced).ok());
  EXPECT_EQ(failure(), Code::kStoreCorrupt);
}

TEST_F(OpeningAStore, ThatCannotBeWrittenFails) {
  disk->fail_after(0);
  EXPECT_EQ(failure(), Code::kIo);
}

TEST(AnOpenStore, KnowsAccountsAndScopesAgain) {
  World world;
  const std::uint64_t phone = world.enroll({"t"});
  world.have_scope("u");
  const Seq newest = world.store().scopes().newest("t");
  world.reopen();
  ASSERT_NE(world.store().accounts().find(phone), nullptr);
  EXPECT_EQ(world.store().accounts().find(phone)->scopes(), std::vector<std::string>{"t"});
  EXPECT_EQ(world.store().accounts().all().size(), 2U);
  EXPECT_TRUE(world.store().scopes().exists("t"));
  EXPECT_TRUE(world.store().scopes().exists("u"));
  EXPECT_FALSE(world.store().scopes().exists("v"));
  EXPECT_EQ(world.store().scopes().newest("t"), newest);
  EXPECT_EQ(world.store().scopes().newer_than(newest), std::vector<std::string>{"u"});
}

TEST(AnOpenStore, RemembersTheFirstReasonWhyItIsReadOnly) {
  World world;
  world.store().go_read_only("the disk is full");
  world.store().go_read_only("and more");
  EXPECT_TRUE(world.store().read_only());
  EXPECT_EQ(world.store().read_only_reason(), "the disk is full");
}

TEST(AnOpenStore, NumbersItsLifeByTheFirst64Bits) {
  World world;
  EXPECT_EQ(world.store().incarnation_number(), 0x0001'0203'0405'0607U | 1U);
}

}  // namespace
}  // namespace waystation::testing

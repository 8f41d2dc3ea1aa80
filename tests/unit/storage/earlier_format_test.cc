// A store that the release before this one wrote: opened, it has roles, views and standing, nobody
// can do less than before, and nothing of it is lost.
#include <gtest/gtest.h>

#include "storage/keys.h"
#include "storage/schema_files.h"
#include "storage/verify.h"
#include "sync/bytes.h"
#include "sync/digest.h"
#include "tests/support/handset.h"
#include "tests/support/json.h"

namespace waystation::testing {
namespace {

void put_signed(std::string& out, std::int64_t value) {
  put_varint(out,
             (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63));
}

std::string first_layout(const Account& account) {
  std::string out = "\x01";
  put_varint(out, account.device);
  put_string(out, account.name);
  put_string(out, account.token_hash);
  put_signed(out, account.enrolled_ms);
  put_string(out, account.code_hash);
  put_string(out, account.request_hash);
  put_varint(out, account.grants.size());
  for (const Grant& grant : account.grants) {
    put_string(out, grant.scope);
    put_varint(out, static_cast<std::uint64_t>(grant.granted));
    put_varint(out, static_cast<std::uint64_t>(grant.left));
    put_signed(out, grant.left_ms);
  }
  put_varint(out, static_cast<std::uint64_t>(account.reset));
  put_varint(out, static_cast<std::uint64_t>(account.changed));
  out += account.closed() ? '\x01' : '\0';
  put_signed(out, account.inactive_ms);
  return out;
}

std::string first_layout(const CodeRow& code) {
  std::string out = "\x01";
  put_varint(out, code.scopes.size());
  for (const std::string& scope : code.scopes) put_string(out, scope);
  put_string(out, code.name);
  put_varint(out, code.uses_left);
  put_signed(out, code.expires_ms);
  return out;
}

std::shared_ptr<const Policy> shipped() {
  auto policy = load_policy(WS_SOURCE_DIR "/schemas/policy.json", schemas());
  if (!policy) ADD_FAILURE() << policy.error().context;
  return policy ? *policy : Policy::open_to_all();
}

class AStoreOfFormat3 : public ::testing::Test {
 protected:
  AStoreOfFormat3() {
    EXPECT_TRUE(world.revoke(thrown_out).ok());
    EXPECT_TRUE(world.make_code("open", CodeRow{{"t"}, "a phone", 1, world.now + 1000}).ok());
    const Answer answer = world.push(
        lead, {op(1).on("volunteer", "v1").does(R"("set":{"name":"a","phone_tail":"1234"})")});
    EXPECT_EQ(answer.codes(), "ok");
    turn_back();
  }

  // What the upgrade adds is not there yet.
  void turn_back() {
    Batch batch;
    for (const AccountPtr& account : world.store().accounts().all()) {
      batch.put(Column::kDevices, keys::account(account->device), first_layout(*account));
    }
    const CodeRow code{{"t"}, "a phone", 1, world.now + 1000};
    batch.put(Column::kDevices, keys::code(sha256("open")), first_layout(code));
    std::string format;
    put_varint(format, 3);
    batch.put(Column::kMeta, std::string(keys::kFormat), format);
    batch.erase(Column::kMeta, std::string(keys::kPolicy));
    batch.erase(Column::kMeta, std::string(keys::kViews));
    auto rows = world.store().kv().iterate(Column::kViewDigests);
    for (rows->seek(""); rows->valid(); rows->next()) {
      batch.erase(Column::kViewDigests, std::string(rows->key()));
    }
    ASSERT_TRUE(world.disk().write(batch, Durability::kSynced).ok());
  }

  [[nodiscard]] AccountPtr account(std::uint64_t device) {
    return world.store().accounts().find(device);
  }

  World world;
  std::uint64_t office = world.enroll({"*"});
  std::uint64_t lead = world.enroll({"t"});
  std::uint64_t thrown_out = world.enroll({"t"});
};

TEST_F(AStoreOfFormat3, IsBroughtToTheNewOneAndKeepsWhatEverybodyCouldDo) {
  world.set_policy(shipped());  // starts the server on it
  std::string format;
  ASSERT_TRUE(*world.store().kv().get(Column::kMeta, keys::kFormat, format));
  std::string now;
  put_varint(now, kStoreFormat);
  EXPECT_EQ(format, now);
  EXPECT_EQ(account(office)->role(), kRoleOffice);
  EXPECT_EQ(account(lead)->role(), kRoleLead);
  EXPECT_EQ(account(lead)->branches, std::vector<std::string>{"t"});
  EXPECT_TRUE(account(lead)->active());
  EXPECT_TRUE(account(thrown_out)->closed());
  const Answer wrote =
      world.push(lead, {op(2).on("volunteer", "v1").does(R"("set":{"phone_tail":"5678"})")});
  EXPECT_EQ(wrote.codes(), "ok");
  EXPECT_EQ(world.visible("volunteer", "v1"), R"({"name":"a","phone_tail":"5678"})");
  EXPECT_EQ(verify(world.store(), [](std::uint64_t) {})->faults, 0U);
}

TEST_F(AStoreOfFormat3, HasDigestsOfViewsFromThen) {
  world.set_policy(shipped());
  Handset phone(world, {"t"});
  ASSERT_TRUE(world.set_role(phone.device, std::string(kRoleVolunteer)).ok());
  EXPECT_TRUE(phone.sync());  // checks its digest
  EXPECT_EQ(phone.shows("volunteer", "v1"), R"({"name":"a"})");
}

TEST_F(AStoreOfFormat3, GivesWithItsOpenCodesTheRoleOfThatTime) {
  world.set_policy(shipped());
  const auto fresh = world.enroll_with("open", "a request", 900);
  ASSERT_TRUE(fresh.ok());
  EXPECT_EQ((*fresh)->role(), kRoleLead);
  EXPECT_TRUE((*fresh)->holds("t"));
}

TEST_F(AStoreOfFormat3, IsLeftAloneByWhoOnlyReads) {
  const auto before = dump(world.disk());
  const auto disk = copy_of(world.disk());
  const auto opened = Store::open(share(disk), "");
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Code::kStoreFormat);
  EXPECT_EQ(dump(*disk), before);
}

}  // namespace
}  // namespace waystation::testing

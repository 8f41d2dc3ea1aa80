#include "storage/codec.h"

#include <gtest/gtest.h>

#include "tests/support/samples.h"
#include "tests/support/world.h"

namespace waystation::testing {
namespace {

class Codec : public ::testing::TestWithParam<Layout> {};

TEST_P(Codec, GivesBackTheBytesThatItRead) {
  ASSERT_FALSE(GetParam().samples.empty());
  for (const std::string& sample : GetParam().samples) {
    Code code{};
    EXPECT_EQ(GetParam().again(sample, &code), sample);
  }
}

TEST_P(Codec, RefusesAValueThatIsCutOffAnywhere) {
  for (const std::string& sample : GetParam().samples) {
    for (std::size_t size = 0; size < sample.size(); ++size) {
      Code code{};
      EXPECT_FALSE(GetParam().again(std::string_view(sample).substr(0, size), &code)) << size;
      EXPECT_EQ(code, Code::kStoreCorrupt);
    }
  }
}

TEST_P(Codec, RefusesAValueWithSomethingBehindIt) {
  for (const std::string& sample : GetParam().samples) {
    Code code{};
    EXPECT_FALSE(GetParam().again(sample + '\0', &code));
    EXPECT_EQ(code, Code::kStoreCorrupt);
  }
}

TEST_P(Codec, RefusesADamagedByteOrReadsItAsAnotherValue) {
  for (const std::string& sample : GetParam().samples) {
    for (std::size_t i = 0; i < sample.size(); ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string damaged = sample;
        damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
        Code code = Code::kStoreCorrupt;
        const auto again = GetParam().again(damaged, &code);
        if (again) {
          EXPECT_EQ(*again, damaged);
        } else {
          EXPECT_EQ(code, Code::kStoreCorrupt);
        }
      }
    }
  }
}

TEST_P(Codec, RefusesALayoutThatItDoesNotKnow) {
  if (std::string_view(GetParam().name) == "seq") return;  // a bare number, without a layout
  std::string newer = GetParam().samples[0];
  newer[0] = 100;
  Code code{};
  EXPECT_FALSE(GetParam().again(newer, &code));
  EXPECT_EQ(code, Code::kStoreCorrupt);
}

TEST_P(Codec, RefusesCountsAndLengthsThatAreTooLargeForTheValue) {
  for (const std::string& sample : GetParam().samples) {
    for (std::size_t i = 1; i < sample.size(); ++i) {
      std::string damaged = sample.substr(0, i) + "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01";
      damaged += sample.substr(i);
      Code code{};
      const auto again = GetParam().again(damaged, &code);
      if (again) {
        EXPECT_EQ(*again, damaged);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, Codec, ::testing::ValuesIn(layouts()),
                         [](const auto& given) { return given.param.name; });

TEST(Records, ReadBackGoOnAsTheyWere) {
  // A world that restarts before each op ends like one that keeps its records at hand.
  World kept;
  World restarted;
  const std::vector<std::pair<std::uint64_t, const char*>> script{
      {2, R"("set":{"text":"a"},"add":{"tags":["x"]})"},
      {3, R"("set":{"text":"b"},"inc":{"cups":2})"},
      {2, R"("del":true)"},
      {3, R"("add":{"tags":["x"]},"set":{"text":"c"})"},
      {2, R"("set":{"text":"again"},"inc":{"cups":1})"},
      {4, R"("set":{"text":null},"remove":{"tags":["x"]})"},
      {3, R"("append":{"story":["z"]})"}};
  for (World* world : {&kept, &restarted}) {
    for (const std::uint64_t device : {2, 3, 4}) world->enroll_as(device, {"t"});
    std::map<std::uint64_t, std::uint64_t> last_n;
    for (const auto& [device, edits] : script) {
      if (world == &restarted) world->reopen();
      ASSERT_EQ(world->push(device, {op(++last_n[device]).does(edits)}).codes(), "ok");
    }
  }
  EXPECT_EQ(restarted.visible(), kept.visible());
  EXPECT_EQ(restarted.conflicts(), kept.conflicts());
  EXPECT_EQ(dump(restarted.disk()), dump(kept.disk()));
}

TEST(Accounts, HoldTheScopesThatTheyWereGivenAndDidNotLeave) {
  Account account;
  account.grants = {{"a", 1, 5, 1000}, {"a", 9, 0, 0}, {"b", 1, 0, 0}, {"c", 1, 7, 2000}};
  EXPECT_TRUE(account.holds("a"));
  EXPECT_TRUE(account.holds("b"));
  EXPECT_FALSE(account.holds("c"));
  EXPECT_FALSE(account.holds_all());
  EXPECT_EQ(account.scopes(), (std::vector<std::string>{"a", "b"}));
}

TEST(Accounts, MayWriteWhatWasAuthoredBeforeTheyLeft) {
  Account account;
  account.grants = {{"c", 1, 7, 2000}};
  EXPECT_TRUE(account.may_write("c", 2000));
  EXPECT_FALSE(account.may_write("c", 2001));
  EXPECT_FALSE(account.may_write("d", 0));
  account.grants = {{"*", 1, 7, 2000}};
  EXPECT_TRUE(account.may_write("d", 1999));
  EXPECT_FALSE(account.holds_all());
}

}  // namespace
}  // namespace waystation::testing

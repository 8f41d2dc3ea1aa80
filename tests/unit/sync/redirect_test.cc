// Where records lead that were merged.
#include "sync/redirect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "sync/limits.h"

namespace waystation {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Redirects : public ::testing::Test {
 protected:
  // Records that are there, and where each leads ("": nowhere).
  std::map<std::string, std::string> leads;

  Redirected from(const std::string& id) {
    const auto end = follow_redirects(id, [&](const std::string& at) -> Result<RedirectStep> {
      const auto found = leads.find(at);
      if (found == leads.end()) return RedirectStep{};
      return RedirectStep{true, found->second};
    });
    EXPECT_TRUE(end.ok());
    return end.ok() ? *end : Redirected{};
  }
};

TEST_F(Redirects, ARecordThatWasNotMergedStandsForItself) {
  leads = {{"a", ""}};
  EXPECT_EQ(from("a").id, "a");
  EXPECT_THAT(from("a").from, IsEmpty());
}

TEST_F(Redirects, ARecordThatIsNotThereIsLookedForUnderItsOwnId) {
  EXPECT_EQ(from("a").id, "a");
  EXPECT_THAT(from("a").from, IsEmpty());
}

TEST_F(Redirects, AChainIsFollowedToItsEnd) {
  leads = {{"a", "b"}, {"b", "c"}, {"c", ""}};
  EXPECT_EQ(from("a").id, "c");
  EXPECT_THAT(from("a").from, ElementsAre("a", "b"));
  EXPECT_THAT(from("b").from, ElementsAre("b"));
}

TEST_F(Redirects, AChainThatLeadsToWhatIsNotThereEndsBefore) {
  leads = {{"a", "b"}, {"b", "gone"}};
  EXPECT_EQ(from("a").id, "b");
  EXPECT_THAT(from("a").from, ElementsAre("a"));
  EXPECT_EQ(from("b").id, "b");
  EXPECT_THAT(from("b").from, IsEmpty());
}

TEST_F(Redirects, ARingEndsAtItsSmallestIdFromWhereverItIsEntered) {
  leads = {{"b", "c"}, {"c", "d"}, {"d", "b"}};
  for (const char* id : {"b", "c", "d"}) EXPECT_EQ(from(id).id, "b") << id;
  EXPECT_THAT(from("b").from, IsEmpty());
  EXPECT_THAT(from("c").from, ElementsAre("c", "d"));
}

TEST_F(Redirects, WhatLeadsIntoARingIsNotOneOfIt) {
  leads = {{"a", "c"}, {"b", "c"}, {"c", "b"}};
  EXPECT_EQ(from("a").id, "b") << "a is smaller, and leads into the ring";
  EXPECT_THAT(from("a").from, ElementsAre("a", "c"));
}

TEST_F(Redirects, ARecordThatLeadsToItselfStandsForItself) {
  leads = {{"a", "a"}};
  EXPECT_EQ(from("a").id, "a");
  EXPECT_THAT(from("a").from, IsEmpty());
}

TEST_F(Redirects, ThereIsABoundToWhatIsFollowed) {
  std::size_t looked_up = 0;
  const auto endless = [&](const std::string&) -> Result<RedirectStep> {
    return RedirectStep{true, "r" + std::to_string(++looked_up)};
  };
  const auto end = follow_redirects("r", endless);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code, Code::kMessageInvalid);
  EXPECT_EQ(looked_up, limits::kRedirects + 1);
}

TEST_F(Redirects, AFailureIsPassedOn) {
  const auto end = follow_redirects("a", [](const std::string&) -> Result<RedirectStep> {
    return Error{Code::kIo, "disk"};
  });
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code, Code::kIo);
}

}  // namespace
}  // namespace waystation

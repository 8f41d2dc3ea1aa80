// Looking into canonical JSON.

#include "tools/json_view.h"

#include <gtest/gtest.h>

#include "sync/canonical.h"

namespace waystation {
namespace {

TEST(JsonView, MembersAreGivenAsTheyAreWritten) {
  const auto members = json_members(R"({"a":1,"b":"x,}","c":{"d":[1,{"e":"]"}]},"f":[],"g":null})");
  ASSERT_EQ(members.size(), 5U);
  EXPECT_EQ(members[1].second, R"("x,}")");
  EXPECT_EQ(members[2].second, R"({"d":[1,{"e":"]"}]})");
  EXPECT_EQ(members[3].second, "[]");
  EXPECT_EQ(members[4].first, "g");
  EXPECT_EQ(members[4].second, "null");
}

TEST(JsonView, ItemsAreGivenAsTheyAreWritten) {
  const auto items = json_items(R"(["a\"]",{"b":[2]},-1.5,true])");
  ASSERT_EQ(items.size(), 4U);
  EXPECT_EQ(items[0], R"("a\"]")");
  EXPECT_EQ(items[1], R"({"b":[2]})");
  EXPECT_EQ(items[2], "-1.5");
}

TEST(JsonView, WhatIsEmptyOrOfAnotherTypeHasNothingInIt) {
  for (const char* text : {"", "{}", "[]", "1", "\"{}\"", "null"}) {
    EXPECT_TRUE(json_members(text).empty()) << text;
    EXPECT_TRUE(json_items(text).empty()) << text;
  }
}

TEST(JsonView, StringsAreUnescaped) {
  EXPECT_EQ(json_plain(R"("a\n\"b\" \\ 驿站")"), "a\n\"b\" \\ 驿站");
  EXPECT_EQ(json_plain("12"), "12");
  EXPECT_EQ(json_plain("\"\""), "");
}

TEST(JsonView, MissingMembersGiveNothing) {
  const JsonObject object(R"({"flag":true,"n":-7,"text":"x"})");
  EXPECT_EQ(object.text("text"), "x");
  EXPECT_EQ(object.number("n"), -7);
  EXPECT_TRUE(object.flag("flag"));
  EXPECT_EQ(object.text("n"), "");
  EXPECT_EQ(object.number("text"), 0);
  EXPECT_FALSE(object.flag("none"));
}

TEST(JsonView, PrettyTextIsTheSameValue) {
  const std::string json = R"({"a":[1,{"b":"x:,[]"}],"c":{},"d":[]})";
  const std::string pretty = pretty_json(json);
  EXPECT_EQ(pretty,
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x:,[]\"\n    }\n  ],\n  \"c\": {},\n"
            "  \"d\": []\n}");
  EXPECT_EQ(*canonicalize(pretty), json);
}

}  // namespace
}  // namespace waystation

#include "storage/keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace waystation::keys {
namespace {

using std::string_literals::operator""s;

bool within(const std::string& key, const std::string& prefix) {
  return key >= prefix && key < prefix_end(prefix);
}

TEST(Keys, OfOneScopeAreOneRange) {
  const std::vector<std::string> scopes{"a", "a-", "a/b", "ab", "a:b", "b"};
  for (const std::string& scope : scopes) {
    for (const std::string& other : scopes) {
      const std::string prefix = scope_prefix(scope);
      EXPECT_EQ(within(record(other, "note", "n1"), prefix), scope == other);
      EXPECT_EQ(within(change(other, 5), prefix), scope == other);
      EXPECT_EQ(within(conflict(other, "note", "n1", "text", {1, 1}, 0), prefix), scope == other);
    }
  }
}

TEST(Keys, SortByScopeThenCollectionThenId) {
  const std::vector<std::string> sorted{record("a", "note", "n1"),   record("a", "note", "n10"),
                                        record("a", "note", "n2"),   record("a", "note2", "n1"),
                                        record("a-b", "note", "n1"), record("a/b", "note", "n1"),
                                        record("ab", "event", "e1"), record("b", "event", "e1")};
  EXPECT_TRUE(std::is_sorted(sorted.begin(), sorted.end()));
}

TEST(Keys, OfChangesSortBySeq) {
  const std::vector<std::string> sorted{change("a", 1), change("a", 255), change("a", 256),
                                        change("a", (std::int64_t{1} << 53) - 1), change("b", 0)};
  EXPECT_TRUE(std::is_sorted(sorted.begin(), sorted.end()));
}

TEST(Keys, OfADevicesLogSortByNumber) {
  EXPECT_LT(log_chunk(5, 9), log_chunk(5, 10));
  EXPECT_LT(log_chunk(5, 0xFFFF), log_chunk(6, 1));
  EXPECT_LT(quarantine(5, 9, 7), quarantine(5, 10, 0));
  EXPECT_LT(quarantine(5, 9, 0), quarantine(5, 9, 1));
}

TEST(Keys, OfARecordComeApartAgain) {
  const std::string key = record("station:s/1", "note", "e1~v7");
  const auto parts = parse_record(key);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->scope, "station:s/1");
  EXPECT_EQ(parts->coll, "note");
  EXPECT_EQ(parts->id, "e1~v7");
}

TEST(Keys, OfAChangeComeApartAgain) {
  for (const Seq seq : {Seq{0}, Seq{1}, Seq{258'698'037'891'072}, (Seq{1} << 53) - 1}) {
    const std::string key = change("t", seq);
    const auto parts = parse_change(key);
    ASSERT_TRUE(parts);
    EXPECT_EQ(parts->scope, "t");
    EXPECT_EQ(parts->seq, seq);
  }
}

TEST(Keys, OfAConflictComeApartAgain) {
  const std::string key = conflict("t", "note", "n1", "text", {0x3'FFFF'FFFF'FFFF, 77}, 3);
  const auto parts = parse_conflict(key);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->record.scope, "t");
  EXPECT_EQ(parts->record.coll, "note");
  EXPECT_EQ(parts->record.id, "n1");
  EXPECT_EQ(parts->field, "text");
  EXPECT_EQ(parts->dot, (Dot{0x3'FFFF'FFFF'FFFF, 77}));
  EXPECT_EQ(parts->part, 3U);
}

TEST(Keys, OfDevicesComeApartAgain) {
  EXPECT_EQ(device_of(account(77)), 77U);
  EXPECT_EQ(device_of(device_state(77)), 77U);
  EXPECT_FALSE(device_of(code("0123456789abcdef0123456789abcdef")));
  EXPECT_FALSE(device_of(""));
  EXPECT_TRUE(account(1).starts_with(kAccountPrefix));
  EXPECT_TRUE(code("x").starts_with(kCodePrefix));
  const auto log = parse_log_chunk(log_chunk(5, 9));
  ASSERT_TRUE(log);
  EXPECT_EQ(log->device, 5U);
  EXPECT_EQ(log->last_n, 9U);
  const auto kept = parse_quarantine(quarantine(5, 9, 3));
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->device, 5U);
  EXPECT_EQ(kept->n, 9U);
  EXPECT_EQ(kept->variant, 3U);
}

TEST(Keys, ThatAreCutOffOrTooLongAreNone) {
  const auto refuses = [](const std::string& key, auto parse) {
    for (std::size_t size = 0; size < key.size(); ++size) {
      EXPECT_FALSE(parse(std::string_view(key).substr(0, size))) << size;
    }
    EXPECT_FALSE(parse(key + "\0"s));
  };
  refuses(change("t", 5), parse_change);
  refuses(conflict("t", "note", "n1", "text", {5, 7}, 0), parse_conflict);
  refuses(log_chunk(5, 9), parse_log_chunk);
  refuses(quarantine(5, 9, 0), parse_quarantine);
  EXPECT_FALSE(parse_record("t\0note\0"s));
  EXPECT_FALSE(parse_record("t\0note"s));
  EXPECT_FALSE(parse_record("\0note\0n1"s));
  EXPECT_FALSE(parse_record("t\0\0n1"s));
  EXPECT_FALSE(parse_record("t\0note\0n1\0"s));
  EXPECT_FALSE(parse_record(""));
}

TEST(Keys, TheEndOfAPrefixIsTheFirstKeyAfterIt) {
  EXPECT_EQ(prefix_end("a"), "b");
  EXPECT_EQ(prefix_end("a\xFF"), "b");
  EXPECT_EQ(prefix_end("t\0"s), "t\1");
  EXPECT_EQ(prefix_end("\xFF\xFF"), "");
  EXPECT_EQ(prefix_end(""), "");
}

}  // namespace
}  // namespace waystation::keys

#include "sync/cursor.h"

#include <gtest/gtest.h>

#include "sync/limits.h"

namespace waystation {
namespace {

Cursor resting() {
  Cursor cursor;
  cursor.incarnation = 0x0123'4567'89AB'CDEF;
  cursor.base = 258'698'037'891'072;
  return cursor;
}

Cursor walking() {
  Cursor cursor = resting();
  cursor.target = cursor.base + 5;
  cursor.scope = "445202/001";
  cursor.after_key = std::string("445202/001\0note\0n1", 18);
  cursor.after_seq = 77;
  return cursor;
}

TEST(Cursors, OfADeviceThatHoldsNothingAreEmpty) {
  EXPECT_EQ(encode_cursor(Cursor{}), "");
  const auto read = decode_cursor("");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, Cursor{});
}

TEST(Cursors, ComeBackAsTheyWere) {
  for (const Cursor& cursor : {resting(), walking()}) {
    const auto read = decode_cursor(encode_cursor(cursor));
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(*read, cursor);
  }
}

TEST(Cursors, HoldOnlyCharactersThatAUrlMayHold) {
  EXPECT_EQ(encode_cursor(walking()).find_first_not_of(
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
}

TEST(Cursors, FitTheLimitOfAPullWithTheLongestIds) {
  Cursor cursor = walking();
  cursor.incarnation = ~std::uint64_t{0};
  cursor.base = limits::kMaxInteger;
  cursor.target = limits::kMaxInteger;
  cursor.after_seq = limits::kMaxInteger;
  cursor.scope.assign(limits::kScopeIdBytes, 's');
  cursor.after_key.assign(limits::kScopeIdBytes + limits::kNameBytes + limits::kRecordIdBytes + 2,
                          'k');
  EXPECT_LE(encode_cursor(cursor).size(), 1024U);
}

TEST(Cursors, ThatAreCutOffAreRefused) {
  for (const Cursor& cursor : {resting(), walking()}) {
    const std::string text = encode_cursor(cursor);
    for (std::size_t size = 1; size < text.size(); ++size) {
      const auto read = decode_cursor(std::string_view(text).substr(0, size));
      ASSERT_FALSE(read.ok()) << size;
      EXPECT_EQ(read.error().code, Code::kCursorInvalid);
    }
  }
}

TEST(Cursors, ThatAreTooLongAreRefused) {
  for (const std::string tail : {"A", "AA", "AAAA", "=", "\n", " "}) {
    EXPECT_FALSE(decode_cursor(encode_cursor(walking()) + tail).ok()) << tail;
  }
}

TEST(Cursors, WithAnyCharacterChangedAreRefused) {
  const std::string text = encode_cursor(walking());
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char c : {'A', 'z', '0', '_', '=', '\0', '\xFF'}) {
      std::string damaged = text;
      if (damaged[i] == c) continue;
      damaged[i] = c;
      const auto read = decode_cursor(damaged);
      ASSERT_FALSE(read.ok()) << "character " << i;
      EXPECT_EQ(read.error().code, Code::kCursorInvalid);
    }
  }
}

TEST(Cursors, OfOtherMakersAreRefused) {
  for (const char* text : {"x", "0", "null", "AAAA", "hello world", "////", "水", "Ag"}) {
    EXPECT_FALSE(decode_cursor(text).ok()) << text;
  }
}

TEST(Cursors, WhoseTargetLiesBehindTheirBaseAreRefused) {
  Cursor cursor = walking();
  cursor.target = cursor.base - 1;
  EXPECT_FALSE(decode_cursor(encode_cursor(cursor)).ok());
}

TEST(Cursors, BeyondTheNumbersOfSeqsAreRefused) {
  Cursor cursor = resting();
  cursor.base = limits::kMaxInteger + 1;
  EXPECT_FALSE(decode_cursor(encode_cursor(cursor)).ok());
  cursor.base = -1;
  EXPECT_FALSE(decode_cursor(encode_cursor(cursor)).ok());
}

TEST(Cursors, WithoutAnIncarnationAreRefused) {
  Cursor cursor = resting();
  cursor.incarnation = 0;
  EXPECT_FALSE(decode_cursor(encode_cursor(cursor)).ok());
}

}  // namespace
}  // namespace waystation

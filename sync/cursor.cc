#include "sync/cursor.h"

#include <array>

#include "sync/bytes.h"
#include "sync/digest.h"
#include "sync/limits.h"

namespace waystation {
namespace {

constexpr std::uint8_t kCursorVersion = 1;
constexpr std::size_t kChecksumBytes = 4;
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string to_base64url(std::string_view bytes) {
  std::string out;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = bits << 8U | static_cast<unsigned char>(c);
    held += 8;
    while (held >= 6) {
      held -= 6;
      out += kAlphabet[(bits >> held) & 63U];
    }
  }
  if (held > 0) out += kAlphabet[(bits << (6 - held)) & 63U];
  return out;
}

bool from_base64url(std::string_view text, std::string& out) {
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return false;
    bits = bits << 6U | static_cast<std::uint32_t>(digit);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out += static_cast<char>(bits >> held);
    }
  }
  return held < 6 && (bits & ((1U << held) - 1)) == 0;
}

// Against damage on the way (a cursor that is off by a digit would skip changes), not against
// forgers: what a device may see is judged by its account alone.
std::string checksum(std::string_view bytes) { return sha256(bytes).substr(0, kChecksumBytes); }

}  // namespace

std::string encode_cursor(const Cursor& cursor) {
  if (cursor == Cursor{}) return {};
  std::string bytes;
  bytes += static_cast<char>(kCursorVersion);
  put_u64_be(bytes, cursor.incarnation);
  put_varint(bytes, static_cast<std::uint64_t>(cursor.base));
  put_varint(bytes, static_cast<std::uint64_t>(cursor.target));
  if (cursor.walking()) {
    put_string(bytes, cursor.scope);
    put_string(bytes, cursor.after_key);
    put_varint(bytes, static_cast<std::uint64_t>(cursor.after_seq));
  }
  bytes += checksum(bytes);
  return to_base64url(bytes);
}

Result<Cursor> decode_cursor(std::string_view text) {
  if (text.empty()) return Cursor{};
  std::string bytes;
  if (!from_base64url(text, bytes)) return Error{Code::kCursorInvalid, "not one of ours"};
  if (bytes.size() < kChecksumBytes) return Error{Code::kCursorInvalid, "not one of ours"};
  const std::string_view body = std::string_view(bytes).substr(0, bytes.size() - kChecksumBytes);
  ByteReader reader(body);
  if (checksum(body) != std::string_view(bytes).substr(body.size())) reader.fail();
  Cursor cursor;
  if (reader.byte() != kCursorVersion) reader.fail();
  cursor.incarnation = reader.u64_be();
  cursor.base = static_cast<Seq>(reader.varint());
  cursor.target = static_cast<Seq>(reader.varint());
  if (cursor.walking()) {
    cursor.scope = std::string(reader.string());
    cursor.after_key = std::string(reader.string());
    cursor.after_seq = static_cast<Seq>(reader.varint());
  }
  const bool in_range = cursor.base >= 0 && cursor.base <= limits::kMaxInteger &&
                        cursor.target >= 0 && cursor.target <= limits::kMaxInteger &&
                        cursor.after_seq >= 0 && cursor.after_seq <= limits::kMaxInteger &&
                        (!cursor.walking() || cursor.target >= cursor.base);
  if (!reader.done() || !in_range || cursor.incarnation == 0) {
    return Error{Code::kCursorInvalid, "not one of ours"};
  }
  return cursor;
}

}  // namespace waystation

#include "sync/bytes.h"

namespace waystation {

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  out += static_cast<char>(value);
}

void put_u64_be(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

void put_string(std::string& out, std::string_view value) {
  put_varint(out, value.size());
  out += value;
}

std::uint8_t ByteReader::byte() {
  if (rest_.empty()) {
    fail();
    return 0;
  }
  const auto value = static_cast<std::uint8_t>(rest_[0]);
  rest_.remove_prefix(1);
  return value;
}

std::uint64_t ByteReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t next = byte();
    if (failed_) return 0;
    value |= std::uint64_t{next & 0x7FU} << shift;
    if (next < 0x80) {
      // One text for one number: no padding, no bits beyond 64.
      if ((next == 0 && shift > 0) || (shift == 63 && next > 1)) break;
      return value;
    }
  }
  fail();
  return 0;
}

std::uint64_t ByteReader::u64_be() {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8U | byte();
  return failed_ ? 0 : value;
}

std::string_view ByteReader::string() {
  const std::uint64_t size = varint();
  if (failed_ || size > rest_.size()) {
    fail();
    return {};
  }
  const std::string_view value = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return value;
}

std::size_t ByteReader::count() {
  const std::uint64_t value = varint();
  if (value > rest_.size()) {
    fail();
    return 0;
  }
  return value;
}

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 15U];
  }
  return hex;
}

}  // namespace waystation

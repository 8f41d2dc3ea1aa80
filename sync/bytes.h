// Building and reading binary values: varints, big-endian numbers, counted strings.
// ByteReader never reads past the end: after the first failure it stays failed and gives zeros, so
// a decoder checks once, at its end. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace waystation {

void put_varint(std::string& out, std::uint64_t value);
void put_u64_be(std::string& out, std::uint64_t value);
void put_string(std::string& out, std::string_view value);  // varint length, bytes

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] std::uint64_t varint();
  [[nodiscard]] std::uint8_t byte();
  [[nodiscard]] std::uint64_t u64_be();
  [[nodiscard]] std::string_view string();
  // A varint that counts items of at least one byte each: never more than what is left.
  [[nodiscard]] std::size_t count();

  void fail() {
    failed_ = true;
    rest_ = {};
  }
  [[nodiscard]] bool failed() const { return failed_; }
  // Nothing failed and nothing is left over.
  [[nodiscard]] bool done() const { return !failed_ && rest_.empty(); }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

// Two lower-case hex digits a byte.
[[nodiscard]] std::string hex_of(std::string_view bytes);

}  // namespace waystation

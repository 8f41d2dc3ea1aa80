#include "sync/device_id.h"

namespace waystation {

void append_device_id(std::string& out, std::uint64_t device) {
  for (int shift = 45; shift >= 0; shift -= 5) out += kCrockford[(device >> shift) & 31U];
}

std::string format_device_id(std::uint64_t device) {
  std::string out;
  append_device_id(out, device);
  return out;
}

std::optional<std::string> crockford_digits(std::string_view typed) {
  std::string digits;
  for (char c : typed) {
    if (c == ' ' || c == '-') continue;
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == 'O') c = '0';
    if (c == 'I' || c == 'L') c = '1';
    if (kCrockford.find(c) == std::string_view::npos) return std::nullopt;
    digits += c;
  }
  return digits;
}

std::optional<std::uint64_t> parse_writer_id(std::string_view text) {
  if (text.size() != kDeviceIdChars) return std::nullopt;
  std::uint64_t device = 0;
  for (const char c : text) {
    const std::size_t digit = kCrockford.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    device = device << 5U | digit;
  }
  return device;
}

std::optional<std::uint64_t> parse_device_id(std::string_view text) {
  const auto device = parse_writer_id(text);
  return device == kServerDevice ? std::nullopt : device;
}

}  // namespace waystation

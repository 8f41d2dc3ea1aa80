// Device ids: 50 random bits, written as 10 characters of Crockford base 32, so that they can be
// read out over a telephone. Zero is no device. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waystation {

// The log of what the server does by itself (docs/merge-rules.md).
inline constexpr std::uint64_t kServerDevice = 0;

inline constexpr std::size_t kDeviceIdChars = 10;
inline constexpr std::uint64_t kDeviceIdMask = (std::uint64_t{1} << 50) - 1;
inline constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void append_device_id(std::string& out, std::uint64_t device);
[[nodiscard]] std::string format_device_id(std::uint64_t device);
[[nodiscard]] std::optional<std::uint64_t> parse_device_id(std::string_view text);
// The same, or kServerDevice.
[[nodiscard]] std::optional<std::uint64_t> parse_writer_id(std::string_view text);

// The digits of a text typed by a person: upper case, without spaces and hyphens, O as 0, I and L
// as 1. Nothing if another character is in it.
[[nodiscard]] std::optional<std::string> crockford_digits(std::string_view typed);

}  // namespace waystation

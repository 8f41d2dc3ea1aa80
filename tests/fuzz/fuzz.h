// What the fuzz targets share. Each target is one file with LLVMFuzzerTestOneInput: with WS_FUZZ it
// becomes a libFuzzer, otherwise plain_main.cc runs it over its corpus and mutations of that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace waystation::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace waystation::fuzz

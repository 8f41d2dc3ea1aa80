// The course of a simulation, a line for each thing that happens: printed when it is asked for, and
// always hashed, so that two runs can be compared to the byte. One thread.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace waystation::simulate {

class Trace {
 public:
  explicit Trace(bool print) : print_(print) {}

  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    text_.clear();
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    add(text_);
    if (print_) fmt::print("{}\n", std::string_view(text_.data(), text_.size()));
  }
  // What was said, without printing it.
  void add(std::string_view bytes) {
    for (const char byte : bytes) {  // FNV-1a
      hash_ = (hash_ ^ static_cast<unsigned char>(byte)) * 0x100000001B3ULL;
    }
  }
  void add(const fmt::memory_buffer& text) { add(std::string_view(text.data(), text.size())); }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

 private:
  bool print_;
  fmt::memory_buffer text_;
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
};

}  // namespace waystation::simulate

// How far a long job has come, on standard error: a bar where that is a terminal, else a plain line
// every ten seconds. Nothing is shown of a job that ends within two seconds. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace waystation {

class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  // `total` 0: it is not known how much there is.
  Progress(std::string what, std::uint64_t total);
  // The same with the output named, for tests.
  Progress(std::string what, std::uint64_t total, std::FILE* out, bool terminal,
           Clock::time_point start);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void at(std::uint64_t done) { at(done, Clock::now()); }
  void at(std::uint64_t done, Clock::time_point now);

  // A message between the drawings of the bar.
  void say(std::string_view message);

  // Takes the bar off the terminal.
  void clear();

 private:
  [[nodiscard]] std::string bar(std::uint64_t done) const;

  std::string what_;
  std::uint64_t total_;
  std::FILE* out_;
  bool terminal_;
  bool drawn_ = false;
  Clock::time_point due_;
};

}  // namespace waystation

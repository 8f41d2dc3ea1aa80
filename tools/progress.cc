#include "tools/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "tools/terminal_text.h"

namespace waystation {
namespace {

constexpr std::chrono::seconds kSilence(2);
constexpr std::chrono::milliseconds kRedraw(200);
constexpr std::chrono::seconds kPlainLine(10);
constexpr std::size_t kBarWidth = 30;

}  // namespace

Progress::Progress(std::string what, std::uint64_t total)
    : Progress(std::move(what), total, stderr, isatty(STDERR_FILENO) == 1, Clock::now()) {}

Progress::Progress(std::string what, std::uint64_t total, std::FILE* out, bool terminal,
                   Clock::time_point start)
    : what_(std::move(what)), total_(total), out_(out), terminal_(terminal) {
  due_ = start;
  due_ += terminal_ ? std::chrono::seconds(kSilence) : kPlainLine;
}

std::string Progress::bar(std::uint64_t done) const {
  if (total_ == 0) return fmt::format("{}: {}", what_, grouped(done));
  const std::uint64_t part = std::min(done, total_);
  const auto filled = static_cast<std::size_t>(part * kBarWidth / total_);
  const auto percent = part * 100 / total_;
  if (!terminal_) return fmt::format("{}: {} %", what_, percent);
  return fmt::format("{}: [{:#<{}}{:.<{}}] {:3} %", what_, "", filled, "", kBarWidth - filled,
                     percent);
}

void Progress::at(std::uint64_t done, Clock::time_point now) {
  if (now < due_) return;
  if (terminal_) {
    fmt::print(out_, "\r{}\x1b[K", bar(done));
    drawn_ = true;
    due_ = now + kRedraw;
  } else {
    fmt::print(out_, "{}\n", bar(done));
    due_ = now + kPlainLine;
  }
  std::fflush(out_);
}

void Progress::clear() {
  if (!drawn_) return;
  fmt::print(out_, "\r\x1b[K");
  std::fflush(out_);
  drawn_ = false;
}

void Progress::say(std::string_view message) {
  clear();
  fmt::print(out_, "{}\n", message);
}

}  // namespace waystation

#include "storage/erasures.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include "storage/keyring.h"

namespace waystation {
namespace {

constexpr std::string_view kFirstLine = "waystation erasures 1\n";

Error failed(const std::string& path) {
  return Error{Code::kIo, fmt::format("{}: {}", path, std::strerror(errno))};
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool sync_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  const int file = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool synced = ::fsync(file) == 0;
  ::close(file);
  return synced;
}

Status append(const std::string& path, std::string_view lines) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return failed(path);
  const off_t size = ::lseek(file, 0, SEEK_END);
  std::string text;
  if (size == 0) {
    text = kFirstLine;
  } else {
    // What a crash cut off stays a line of its own, which nobody reads.
    char last = '\n';
    if (::pread(file, &last, 1, size - 1) == 1 && last != '\n') text = "\n";
  }
  text += lines;
  const bool good = size >= 0 && write_all(file, text) && ::fsync(file) == 0 &&
                    (size > 0 || sync_folder_of(path));
  const Error error = good ? Error{} : failed(path);
  ::close(file);
  if (good) return {};
  return error;
}

std::string line_of(const Erasure& erasure) {
  return fmt::format("{} {}\n", erasure.erased_ms, erasure.mark);
}

}  // namespace

Status append_erasure(const std::string& path, const Erasure& erasure) {
  return append(path, line_of(erasure));
}

Status write_erasures(const std::string& path, const std::vector<Erasure>& erasures) {
  std::string lines;
  for (const Erasure& erasure : erasures) lines += line_of(erasure);
  return append(path, lines);
}

Result<std::vector<Erasure>> read_erasures(const std::string& path) {
  std::vector<Erasure> erasures;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return erasures;
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  if (!in) return Error{Code::kIo, path + " cannot be read"};
  const std::string text = all.str();
  std::string_view rest = text;
  if (rest.substr(0, kFirstLine.size()) != kFirstLine) {
    return Error{Code::kErasures, path + " is no list of erasures"};
  }
  rest.remove_prefix(kFirstLine.size());
  for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    const std::size_t space = line.find(' ');
    Erasure erasure;
    if (space == std::string_view::npos) continue;
    const auto parsed = std::from_chars(line.data(), line.data() + space, erasure.erased_ms);
    erasure.mark = std::string(line.substr(space + 1));
    if (parsed.ec != std::errc() || !row_of_mark(erasure.mark)) continue;
    erasures.push_back(std::move(erasure));
  }
  return erasures;
}

}  // namespace waystation

#include "storage/erasures.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>

#include "storage/durable_files.h"
#include "storage/keyring.h"

namespace waystation {
namespace {

constexpr std::string_view kFirstLine = "waystation erasures 1\n";

Error failed(const std::string& path) {
  return Error{Code::kIo, fmt::format("{}: {}", path, std::strerror(errno))};
}

// Where the last whole line ends.
off_t whole_lines(int file, off_t size) {
  constexpr off_t kLongest = 128;  // more than a line has
  char tail[kLongest];
  const off_t from = std::max<off_t>(0, size - kLongest);
  const ssize_t read = ::pread(file, tail, sizeof tail, from);
  if (read < 0) return -1;
  const std::size_t end = std::string_view(tail, static_cast<std::size_t>(read)).rfind('\n');
  return end == std::string_view::npos ? from : from + static_cast<off_t>(end) + 1;
}

std::string line_of(const Erasure& erasure) {
  return fmt::format("{} {}\n", erasure.erased_ms, erasure.mark);
}

std::string text_of(const std::vector<Erasure>& erasures) {
  std::string text(kFirstLine);
  for (const Erasure& erasure : erasures) text += line_of(erasure);
  return text;
}

bool append_to(int file, const std::string& line) {
  const off_t size = ::lseek(file, 0, SEEK_END);
  const off_t whole = size < 0 ? -1 : whole_lines(file, size);
  if (whole < 0 || (whole < size && ::ftruncate(file, whole) != 0)) return false;
  return write_all(file, whole == 0 ? std::string(kFirstLine) + line : line) && ::fsync(file) == 0;
}

std::optional<Erasure> parse_line(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  Erasure erasure;
  const char* end = line.data() + space;
  const auto parsed = std::from_chars(line.data(), end, erasure.erased_ms);
  erasure.mark = std::string(line.substr(space + 1));
  if (parsed.ec != std::errc() || parsed.ptr != end || !row_of_mark(erasure.mark)) {
    return std::nullopt;
  }
  return erasure;
}

}  // namespace

Status append_erasure(const std::string& path, const Erasure& erasure) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return failed(path);
  const bool good = append_to(file, line_of(erasure));
  const Error error = good ? Error{} : failed(path);
  ::close(file);
  if (!good) return error;
  return sync_folder_of(path);
}

Status write_erasures(const std::string& path, const std::vector<Erasure>& erasures) {
  return replace_file(path, text_of(erasures));
}

Result<ErasureList> read_erasures(const std::string& path) {
  ErasureList list;
  std::error_code error;
  list.missing = !std::filesystem::exists(path, error);
  if (list.missing) return list;
  std::ifstream in(path, std::ios::binary);
  std::ostringstream all;
  // Of a file that holds nothing nothing is read, which is no failure here.
  if (in.peek() != std::ifstream::traits_type::eof()) all << in.rdbuf();
  if (!in.is_open() || in.bad() || !all) return Error{Code::kIo, path + " cannot be read"};
  const std::string text = all.str();
  std::string_view rest = text;
  const bool begun = rest.substr(0, kFirstLine.size()) == kFirstLine;
  if (begun) rest.remove_prefix(kFirstLine.size());
  for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    if (auto erasure = parse_line(rest.substr(0, end))) {
      list.erasures.push_back(std::move(*erasure));
    } else {
      ++list.damaged;
    }
    rest.remove_prefix(end + 1);
  }
  if (begun) return list;
  // A power loss while it was made leaves a part of the first line, or nothing at all.
  const bool cut_off = kFirstLine.substr(0, text.size()) == text;
  if (cut_off) list.damaged = 1;
  if (!cut_off && list.erasures.empty()) {
    return Error{Code::kErasures,
                 path +
                     " is no list of erasures: put the newest copy of the list in its place, or "
                     "take the file away"};
  }
  return list;
}

}  // namespace waystation

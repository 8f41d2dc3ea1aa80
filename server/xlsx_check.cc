#include "server/xlsx_check.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string_view>

namespace waystation {
namespace {

// APPNOTE.TXT of PKWARE: sizes of the records, and where in them what is read here stands.
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kLocatorBytes = 20;
constexpr std::size_t kEnd64Bytes = 56;
constexpr std::size_t kEntryBytes = 46;
constexpr std::size_t kLocalBytes = 30;
constexpr std::uint64_t kInExtra = 0xFFFF'FFFF;  // the number is too large to stand here
constexpr std::uint64_t kZip64 = 1;
constexpr std::size_t kChunk = 256 * 1024;
// What stands around the rows of a sheet is less.
constexpr std::size_t kEdge = 64 * 1024;

Error missing(std::string_view what) {
  return Error{Code::kReportDisk, fmt::format("the sheet file is not whole: {}", what)};
}

std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t length) {
  std::uint64_t value = 0;
  for (std::size_t i = length; i-- > 0;) {
    value = value << 8U | static_cast<unsigned char>(bytes.at(at + i));
  }
  return value;
}

struct Entry {
  std::string name;
  std::uint64_t packed = 0;
  std::uint64_t size = 0;
  std::uint64_t local = 0;  // where it begins
  std::uint64_t crc = 0;
};

class ZipFile {
 public:
  explicit ZipFile(const std::string& path)
      : file_(std::fopen(path.c_str(), "rbe"), &std::fclose) {}

  Result<std::vector<Entry>> entries() {
    if (file_ == nullptr || std::fseek(file_.get(), 0, SEEK_END) != 0) return missing("unreadable");
    const long length = std::ftell(file_.get());
    if (length < static_cast<long>(kEndBytes)) return missing("its end");
    const auto end_at = static_cast<std::uint64_t>(length) - kEndBytes;
    const auto end = read(end_at, kEndBytes);
    if (!end || !end->starts_with("PK\x05\x06")) return missing("its end");
    std::uint64_t bytes = number(*end, 12, 4);
    std::uint64_t at = number(*end, 16, 4);
    if (at == kInExtra || bytes == kInExtra) {
      const auto locator =
          end_at < kLocatorBytes ? std::nullopt : read(end_at - kLocatorBytes, kLocatorBytes);
      const auto end64 = locator ? read(number(*locator, 8, 8), kEnd64Bytes) : std::nullopt;
      if (!end64 || !end64->starts_with("PK\x06\x06")) return missing("its end");
      bytes = number(*end64, 40, 8);
      at = number(*end64, 48, 8);
    }
    const auto list = bytes <= end_at ? read(at, bytes) : std::nullopt;
    if (!list) return missing("its list");
    return parse(*list);
  }

  // What is in it, in pieces. Errors: kReportDisk.
  template <typename Take>
  Status inflate(const Entry& entry, const Take& take);

 private:
  std::optional<std::string> read(std::uint64_t at, std::uint64_t length) {
    std::string bytes(length, '\0');
    if (std::fseek(file_.get(), static_cast<long>(at), SEEK_SET) != 0 ||
        std::fread(bytes.data(), 1, length, file_.get()) != length) {
      return std::nullopt;
    }
    return bytes;
  }

  static Result<std::vector<Entry>> parse(std::string_view list) {
    std::vector<Entry> entries;
    while (list.size() >= kEntryBytes && list.starts_with("PK\x01\x02")) {
      const std::size_t name = number(list, 28, 2);
      const std::size_t extra = number(list, 30, 2);
      const std::size_t whole = kEntryBytes + name + extra + number(list, 32, 2);
      if (list.size() < whole) return missing("its list");
      Entry entry{std::string(list.substr(kEntryBytes, name)), number(list, 20, 4),
                  number(list, 24, 4), number(list, 42, 4), number(list, 16, 4)};
      if (!read_extra(list.substr(kEntryBytes + name, extra), entry)) return missing("its list");
      entries.push_back(std::move(entry));
      list.remove_prefix(whole);
    }
    if (!list.empty()) return missing("its list");
    return entries;
  }

  static bool read_extra(std::string_view extra, Entry& entry) {
    std::vector<std::uint64_t*> wanted;
    for (std::uint64_t* one : {&entry.size, &entry.packed, &entry.local}) {
      if (*one == kInExtra) wanted.push_back(one);
    }
    while (extra.size() >= 4 && !wanted.empty()) {
      const std::size_t length = number(extra, 2, 2);
      if (extra.size() < 4 + length) return false;
      if (number(extra, 0, 2) == kZip64) {
        if (length < 8 * wanted.size()) return false;
        for (std::size_t i = 0; i < wanted.size(); ++i) *wanted[i] = number(extra, 4 + 8 * i, 8);
        return true;
      }
      extra.remove_prefix(4 + length);
    }
    return wanted.empty();
  }

  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

template <typename Take>
Status ZipFile::inflate(const Entry& entry, const Take& take) {
  const auto head = read(entry.local, kLocalBytes);
  if (!head || !head->starts_with("PK\x03\x04")) return missing(entry.name);
  const auto skip = static_cast<long>(number(*head, 26, 2) + number(*head, 28, 2));
  if (std::fseek(file_.get(), skip, SEEK_CUR) != 0) return missing(entry.name);
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return Error{Code::kIo, "zlib: no memory"};
  const std::unique_ptr<z_stream, int (*)(z_stream*)> ended(&stream, &inflateEnd);
  std::string in(kChunk, '\0');
  std::string out(kChunk, '\0');
  std::uint64_t left = entry.packed;
  std::uint64_t size = 0;
  uLong crc = crc32(0, nullptr, 0);
  int result = Z_OK;
  while (result == Z_OK) {
    if (stream.avail_in == 0) {
      const std::size_t part = std::min<std::uint64_t>(left, in.size());
      if (part == 0 || std::fread(in.data(), 1, part, file_.get()) != part) break;
      left -= part;
      stream.next_in = reinterpret_cast<Bytef*>(in.data());
      stream.avail_in = static_cast<uInt>(part);
    }
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    result = ::inflate(&stream, Z_NO_FLUSH);
    const std::size_t made = out.size() - stream.avail_out;
    crc = crc32(crc, reinterpret_cast<const Bytef*>(out.data()), static_cast<uInt>(made));
    size += made;
    take(std::string_view(out).substr(0, made));
  }
  const bool whole = result == Z_STREAM_END && left == 0 && size == entry.size && crc == entry.crc;
  return whole ? Status{} : Status{missing(entry.name)};
}

// What an XML file is as far as that is looked at: its first and last bytes, and where its rows
// are.
struct Xml {
  std::string first;
  std::string last;
  std::uint64_t size = 0;

  void take(std::string_view part) {
    size += part.size();
    if (first.size() < kEdge) first += part.substr(0, kEdge - first.size());
    last += part;
    if (last.size() > kEdge) last.erase(0, last.size() - kEdge);
  }

  // It ends as it began, so that its end is there.
  [[nodiscard]] bool closes() const {
    const std::size_t declared = first.find("?>");
    const std::size_t root = declared == std::string::npos ? declared : first.find('<', declared);
    if (root == std::string::npos) return false;
    const std::string name = first.substr(root + 1, first.find_first_of(" >/", root) - root - 1);
    const std::size_t end = last.find_last_not_of('\n');
    const std::string_view ended = std::string_view(last).substr(0, end + 1);
    const bool empty = first.rfind('<') == root && ended.ends_with("/>");
    return empty || ended.ends_with("</" + name + ">");
  }

  [[nodiscard]] std::optional<std::uint64_t> row_bytes() const {
    constexpr std::string_view kBegin = "<sheetData>";
    const std::size_t begin = first.find(kBegin);
    const std::size_t end = last.rfind("</sheetData>");
    if (begin == std::string::npos || end == std::string::npos) return std::nullopt;
    return size - (last.size() - end) - (begin + kBegin.size());
  }
};

}  // namespace

Status check_xlsx(const std::string& path, const std::vector<std::uint64_t>& sheets) {
  ZipFile zip(path);
  const auto entries = zip.entries();
  if (!entries) return entries.error();
  std::size_t met = 0;
  for (const Entry& entry : *entries) {
    Xml xml;
    const Status read = zip.inflate(entry, [&](std::string_view part) { xml.take(part); });
    if (!read) return read;
    if (!xml.closes()) return missing(entry.name);
    for (std::size_t i = 0; i < sheets.size(); ++i) {
      if (entry.name != fmt::format("xl/worksheets/sheet{}.xml", i + 1)) continue;
      ++met;
      if (xml.row_bytes() != sheets[i]) return missing(entry.name);
    }
  }
  return met == sheets.size() ? Status{} : Status{missing("a sheet")};
}

}  // namespace waystation

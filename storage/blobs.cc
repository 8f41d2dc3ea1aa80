#include "storage/blobs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "storage/durable_files.h"
#include "storage/keys.h"
#include "sync/bytes.h"

namespace waystation {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFolderDigits = 2;
constexpr std::size_t kPiece = std::size_t{256} * 1024;

Error failed(const std::string& path, int reason) {
  return Error{Code::kIo, fmt::format("{}: {}", path, std::strerror(reason))};
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Status make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), S_IRWXU) == 0 || errno == EEXIST) return {};
  return failed(path, errno);
}

// Folder by folder, so that what lies in one is there after a crash.
Status make_synced(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) return {};
  if (auto made = make_folder(path); !made) return made;
  return sync_folder_of(path);
}

}  // namespace

bool valid_blob_hash(std::string_view hash) { return hash.size() == 64 && is_hex(hash); }

std::string Blobs::path(std::string_view hash) const {
  return fmt::format("{}/{}/{}", folder_, hash.substr(0, kFolderDigits),
                     hash.substr(kFolderDigits));
}

std::int64_t Blobs::size(std::string_view hash) const {
  struct stat info {};
  if (::lstat(path(hash).c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return -1;
  return info.st_size;
}

Status Blobs::put(const std::string& file, std::string_view hash, std::int64_t now_ms) const {
  if (has(hash)) {
    named(hash, now_ms);
    return ::unlink(file.c_str()) == 0 ? Status{} : Status{failed(file, errno)};
  }
  if (auto made = make_synced(folder_); !made) return made;
  const std::string to = path(hash);
  const std::string folder = fs::path(to).parent_path().string();
  if (auto made = make_synced(folder); !made) return made;
  if (::chmod(file.c_str(), S_IRUSR | S_IWUSR) != 0 || ::rename(file.c_str(), to.c_str()) != 0) {
    return failed(file, errno);
  }
  named(hash, now_ms);
  return sync_path(folder);
}

void Blobs::named(std::string_view hash, std::int64_t now_ms) const {
  const timespec time{now_ms / 1000, (now_ms % 1000) * 1'000'000};
  const std::array<timespec, 2> times{time, time};
  (void)::utimensat(AT_FDCWD, path(hash).c_str(), times.data(), 0);  // it may be gone
}

void Blobs::remove(std::string_view hash) const { (void)::unlink(path(hash).c_str()); }

Result<bool> Blobs::whole(std::string_view hash) const {
  const auto found = hash_of_file(path(hash));
  if (!found) return found.error();
  return *found == hash;
}

Status Blobs::each(const std::function<Status(const BlobFile&)>& visit) const {
  std::error_code error;
  if (!fs::is_directory(folder_, error)) return {};
  for (fs::directory_iterator folder(folder_, error), end; !error && folder != end;
       folder.increment(error)) {
    const std::string first = folder->path().filename().string();
    if (first.size() != kFolderDigits || !folder->is_directory(error)) continue;
    for (fs::directory_iterator at(folder->path(), error); !error && at != end;
         at.increment(error)) {
      BlobFile file;
      file.hash = first + at->path().filename().string();
      struct stat info {};
      // One that goes meanwhile was named by nothing.
      if (!valid_blob_hash(file.hash) || ::lstat(at->path().c_str(), &info) != 0) continue;
      if (!S_ISREG(info.st_mode)) continue;
      file.bytes = static_cast<std::uint64_t>(info.st_size);
      file.named_ms = std::int64_t{info.st_mtim.tv_sec} * 1000 + info.st_mtim.tv_nsec / 1'000'000;
      if (auto visited = visit(file); !visited) return visited;
    }
  }
  if (error) return Error{Code::kIo, fmt::format("{}: {}", folder_, error.message())};
  return {};
}

Status Blobs::copy_to(const std::string& to) const {
  if (auto made = make_folder(to); !made) return made;
  const Blobs there(to);
  std::vector<std::string> changed{to};
  const Status copied = each([&](const BlobFile& file) -> Status {
    if (there.size(file.hash) == static_cast<std::int64_t>(file.bytes)) return {};
    const std::string place = there.path(file.hash);
    const std::string folder = fs::path(place).parent_path().string();
    if (auto made = make_folder(folder); !made) return made;
    if (changed.back() != folder) changed.push_back(folder);
    if (::link(path(file.hash).c_str(), place.c_str()) == 0) return {};
    std::error_code error;
    fs::copy_file(path(file.hash), place, fs::copy_options::overwrite_existing, error);
    if (error) return Error{Code::kIo, fmt::format("{}: {}", place, error.message())};
    return sync_path(place);
  });
  if (!copied) return copied;
  for (const std::string& folder : changed) {
    if (auto synced = sync_path(folder); !synced) return synced;
  }
  return {};
}

Result<bool> is_named(const Kv& kv, std::string_view hash) {
  const std::string prefix = keys::blob_prefix(hash);
  const auto rows = kv.iterate(Column::kBlobs, nullptr, keys::prefix_end(prefix));
  rows->seek(prefix);
  if (!rows->status()) return rows->status().error();
  return rows->valid();
}

Result<std::string> hash_of_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return failed(path, errno);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  bool good = context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1;
  std::string piece(kPiece, '\0');
  ssize_t read = 1;
  while (good && read > 0) {
    read = ::read(file, piece.data(), piece.size());
    good =
        read >= 0 && EVP_DigestUpdate(context, piece.data(), static_cast<std::size_t>(read)) == 1;
  }
  const int reason = errno;
  std::string hash(32, '\0');
  good = good &&
         EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(hash.data()), nullptr) == 1;
  EVP_MD_CTX_free(context);
  ::close(file);
  if (!good) return failed(path, reason);
  return hex_of(hash);
}

}  // namespace waystation

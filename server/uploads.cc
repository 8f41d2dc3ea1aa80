#include "server/uploads.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "storage/durable_files.h"

namespace waystation {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNoteSuffix = ".upload";
constexpr std::string_view kPartSuffix = ".part";
constexpr std::string_view kFirstLine = "waystation upload 1";

Error failed(const std::string& path, int reason) {
  return Error{Code::kIo, fmt::format("{}: {}", path, std::strerror(reason))};
}

Error not_found() { return Error{Code::kHttpNotFound, "no such upload"}; }

std::int64_t ms_of(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

}  // namespace

Uploads::Writing::~Writing() {
  if (file_ >= 0) ::close(file_);
}

std::string Uploads::part_of(const Upload& upload) const {
  return fmt::format("{}/{}{}", folder_, upload.id, kPartSuffix);
}

std::string Uploads::note_of(const Upload& upload) const {
  return fmt::format("{}/{}{}", folder_, upload.id, kNoteSuffix);
}

Result<std::vector<std::string>> Uploads::load() {
  std::vector<std::string> placed;
  std::error_code error;
  if (!fs::is_directory(folder_, error)) return placed;
  const std::lock_guard lock(mutex_);
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.ends_with(kNoteSuffix)) continue;
    auto upload = std::make_shared<Upload>();
    upload->id = name.substr(0, name.size() - kNoteSuffix.size());
    std::ifstream in(at->path());
    std::string first;
    std::getline(in, first);
    in >> upload->length >> upload->hash >> upload->created_ms >> std::ws;
    std::getline(in, upload->owner);
    if (!in || first != kFirstLine || !valid_blob_hash(upload->hash)) {
      erase_files(*upload);  // cut off while it was made: nobody knows its name
      continue;
    }
    struct stat part {};
    const bool has_part = ::stat(part_of(*upload).c_str(), &part) == 0;
    upload->grown_ms = has_part ? ms_of(part.st_mtim) : upload->created_ms;
    upload->placed = !has_part && blobs_.has(upload->hash);
    if (upload->placed) placed.push_back(upload->hash);
    uploads_.emplace(upload->id, std::move(upload));
  }
  // Bytes without a note are nobody's: it was cut off while it was made.
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    const fs::path& path = at->path();
    if (path.extension() != kPartSuffix || uploads_.count(path.stem().string()) != 0) continue;
    (void)::unlink(path.c_str());
  }
  if (error) return Error{Code::kIo, fmt::format("{}: {}", folder_, error.message())};
  return placed;
}

Status Uploads::check_disk(std::uint64_t bytes) const {
  struct statvfs disk {};
  if (::statvfs(folder_.c_str(), &disk) != 0) return failed(folder_, errno);
  const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  if (free >= bytes && free - bytes >= limits_.floor_bytes) return {};
  return Error{Code::kUploadDisk, "what is free is kept for what people record"};
}

Status Uploads::room_for(const std::string& owner, std::uint64_t length) const {
  std::size_t unfinished = 0;
  std::uint64_t bytes = length;
  for (const auto& [id, upload] : uploads_) {
    if (upload->owner != owner || upload->placed) continue;
    ++unfinished;
    bytes += upload->length;
  }
  if (unfinished < limits_.unfinished && bytes <= limits_.unfinished_bytes &&
      uploads_.size() < limits_.in_all) {
    return {};
  }
  return Error{Code::kUploadTooMany,
               fmt::format("at most {} unfinished uploads of {} MiB in all: go on with those, or "
                           "delete them",
                           limits_.unfinished, limits_.unfinished_bytes >> 20U)};
}

Status Uploads::write_note(const Upload& upload) const {
  const std::string text = fmt::format("{}\n{} {} {}\n{}\n", kFirstLine, upload.length, upload.hash,
                                       upload.created_ms, upload.owner);
  const std::string path = note_of(upload);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  const bool good = file >= 0 &&
                    ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                    ::fsync(file) == 0;
  const int reason = errno;
  if (file >= 0) ::close(file);
  if (!good) return failed(path, reason);
  return sync_path(folder_);
}

Result<UploadState> Uploads::create(const std::string& id, const std::string& owner,
                                    std::uint64_t length, const std::string& hash,
                                    std::int64_t now_ms) {
  if (length == 0 || length > limits_.bytes) {
    return Error{Code::kUploadTooLarge, fmt::format("from 1 byte to {} MiB", limits_.bytes >> 20U)};
  }
  auto upload = std::make_shared<Upload>();
  upload->id = id;
  upload->owner = owner;
  upload->length = length;
  upload->hash = hash;
  upload->created_ms = now_ms;
  upload->grown_ms = now_ms;
  const std::int64_t there = blobs_.size(hash);
  if (there >= 0 && static_cast<std::uint64_t>(there) != length) {
    return Error{Code::kUploadHash, "the file with this hash has another length"};
  }
  upload->placed = there >= 0;
  upload->told = there >= 0;
  if (upload->placed) blobs_.named(hash, now_ms);
  std::error_code error;
  if (fs::create_directory(folder_, error)) {
    fs::permissions(folder_, fs::perms::owner_all, error);
  }
  if (error) return Error{Code::kIo, fmt::format("{}: {}", folder_, error.message())};
  if (!upload->placed) {
    if (auto free = check_disk(length); !free) return free.error();
  }
  {
    const std::lock_guard lock(mutex_);
    if (auto room = room_for(owner, upload->placed ? 0 : length); !room) return room.error();
    uploads_.emplace(id, upload);
  }
  const std::lock_guard lock(upload->mutex);
  if (!upload->placed) {
    const std::string part = part_of(*upload);
    const int file =
        ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0) return failed(part, errno);
    ::close(file);
  }
  if (auto written = write_note(*upload); !written) return written.error();
  return state_of(*upload);
}

Result<Uploads::UploadPtr> Uploads::find(const std::string& owner, const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto at = uploads_.find(id);
  if (at == uploads_.end() || at->second->owner != owner) return not_found();
  return at->second;
}

std::uint64_t Uploads::offset_of(const Upload& upload) const {
  if (upload.placed) return upload.length;
  struct stat info {};
  return ::stat(part_of(upload).c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

std::int64_t Uploads::expires_ms(const Upload& upload) const {
  return upload.placed ? upload.grown_ms + limits_.remembered_ms
                       : upload.grown_ms + limits_.kept_ms;
}

UploadState Uploads::state_of(const Upload& upload) const {
  return UploadState{upload.id, upload.length, offset_of(upload), expires_ms(upload), upload.hash};
}

Result<UploadState> Uploads::look(const std::string& owner, const std::string& id) {
  auto found = find(owner, id);
  if (!found) return found.error();
  Upload& upload = **found;
  const std::lock_guard lock(upload.mutex);
  if (upload.gone) return not_found();
  ++upload.turn;
  if (!upload.placed) {
    if (auto synced = sync_path(part_of(upload)); !synced) return synced.error();
  }
  return state_of(upload);
}

Result<std::unique_ptr<Uploads::Writing>> Uploads::begin(const std::string& owner,
                                                         const std::string& id,
                                                         std::uint64_t offset) {
  auto found = find(owner, id);
  if (!found) return found.error();
  Upload& upload = **found;
  const std::lock_guard lock(upload.mutex);
  if (upload.gone) return not_found();
  ++upload.turn;
  const std::uint64_t at = offset_of(upload);
  if (offset != at || at == upload.length) {
    return Error{Code::kUploadOffset, fmt::format("it is at {}", at)};
  }
  if (auto free = check_disk(upload.length - at); !free) return free.error();
  std::unique_ptr<Writing> writing(new Writing());
  writing->upload_ = *found;
  writing->turn_ = upload.turn;
  const std::string part = part_of(upload);
  writing->file_ = ::open(part.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
  if (writing->file_ < 0) return failed(part, errno);
  return writing;
}

Status Uploads::write(const Writing& writing, std::string_view bytes) {
  Upload& upload = *writing.upload_;
  const std::lock_guard lock(upload.mutex);
  if (upload.gone || upload.turn != writing.turn_) {
    return Error{Code::kUploadOffset, "another request goes on with it"};
  }
  if (offset_of(upload) + bytes.size() > upload.length) {
    return Error{Code::kUploadTooLarge, "it has more bytes than it was to have"};
  }
  while (!bytes.empty()) {
    const ssize_t written = ::write(writing.file_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed(part_of(upload), errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<UploadState> Uploads::end(const Writing& writing, std::int64_t now_ms) {
  Upload& upload = *writing.upload_;
  bool wrong = false;
  {
    const std::lock_guard lock(upload.mutex);
    if (upload.gone || upload.turn != writing.turn_) {
      return Error{Code::kUploadOffset, "another request goes on with it"};
    }
    ++upload.turn;
    if (::fsync(writing.file_) != 0) return failed(part_of(upload), errno);
    upload.grown_ms = now_ms;
    if (offset_of(upload) == upload.length) {
      const auto hash = hash_of_file(part_of(upload));
      if (!hash) return hash.error();
      wrong = *hash != upload.hash;
      if (!wrong) {
        if (auto put = blobs_.put(part_of(upload), upload.hash, now_ms); !put) return put.error();
        upload.placed = true;
      }
    }
    if (!wrong) return state_of(upload);
    erase_files(upload);
  }
  forget(upload.id);
  return Error{Code::kUploadHash, "what came is not what was announced: upload it anew"};
}

void Uploads::told(const std::string& hash) {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, upload] : uploads_) {
    if (upload->hash == hash && upload->placed) upload->told = true;
  }
}

void Uploads::erase_files(Upload& upload) const {
  upload.gone = true;
  ++upload.turn;
  // The note last: a part without one is nobody's.
  (void)::unlink(part_of(upload).c_str());
  (void)::unlink(note_of(upload).c_str());
}

void Uploads::forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  uploads_.erase(id);
}

Status Uploads::remove(const std::string& owner, const std::string& id) {
  auto found = find(owner, id);
  if (!found) return found.error();
  {
    const std::lock_guard lock((*found)->mutex);
    if ((*found)->gone) return not_found();
    erase_files(**found);
  }
  forget(id);
  return {};
}

std::vector<std::string> Uploads::sweep(std::int64_t now_ms) {
  std::vector<std::string> untold;
  const std::lock_guard lock(mutex_);
  std::erase_if(uploads_, [&](const auto& row) {
    Upload& upload = *row.second;
    if (upload.placed && !upload.told) {
      untold.push_back(upload.hash);
      return false;
    }
    if (expires_ms(upload) > now_ms) return false;
    const std::unique_lock one(upload.mutex, std::try_to_lock);
    if (!one) return false;  // somebody goes on with it
    erase_files(upload);
    return true;
  });
  return untold;
}

std::size_t Uploads::size() const {
  const std::lock_guard lock(mutex_);
  return uploads_.size();
}

}  // namespace waystation

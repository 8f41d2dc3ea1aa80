// Photos on their way in: what of each has arrived, on disk, for days and over restarts. An upload
// is two files in a folder of their own: `<id>.upload` says whose it is, how long and with which
// hash, and
// `<id>.part` holds what has come; its size is the offset. What a client is told of an offset is
// synced.
//
// An upload is written by one request at a time: the latest that names it, or asks how far it is,
// takes it over, so that what it is told stays true. A finished one is remembered for a while as
// complete, and its bytes are a blob.
//
// Thread-safe; everything but find() reads or writes files, and belongs on a thread that may wait.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "storage/blobs.h"
#include "sync/result.h"

namespace waystation {

struct UploadLimits {
  std::uint64_t bytes = 0;                                   // of one upload
  std::uint64_t floor_bytes = 0;                             // that stay free on the disk
  std::size_t unfinished = 64;                               // of one owner
  std::uint64_t unfinished_bytes = std::uint64_t{1} << 30U;  // as announced, of one owner
  std::size_t in_all = 50'000;                          // finished ones that are remembered too
  std::int64_t kept_ms = std::int64_t{7} * 86'400'000;  // of an unfinished one, since it last grew
  std::int64_t remembered_ms = 86'400'000;              // of a finished one
};

struct UploadState {
  std::string id;
  std::uint64_t length = 0;
  std::uint64_t offset = 0;
  std::int64_t expires_ms = 0;
  std::string hash;
  [[nodiscard]] bool complete() const { return offset == length; }
};

class Uploads {
  struct Upload;

 public:
  Uploads(std::string folder, const Blobs& blobs, UploadLimits limits)
      : folder_(std::move(folder)), blobs_(blobs), limits_(limits) {}

  [[nodiscard]] const UploadLimits& limits() const { return limits_; }

  // Takes up what a life before has left. Gives the hashes of blobs that have come to their place
  // and of which it may not have been told. Errors: kIo.
  [[nodiscard]] Result<std::vector<std::string>> load();

  // With a hash that is there already it is complete at once. Errors: kUploadTooLarge,
  // kUploadTooMany, kUploadDisk, kUploadHash (the blob that is there has another length), kIo.
  [[nodiscard]] Result<UploadState> create(const std::string& id, const std::string& owner,
                                           std::uint64_t length, const std::string& hash,
                                           std::int64_t now_ms);

  // How far it is, synced; whoever was writing it writes no more. Errors: kHttpNotFound (also: it
  // is another's), kIo.
  [[nodiscard]] Result<UploadState> look(const std::string& owner, const std::string& id);

  // The right to write one upload on, until somebody else has it.
  class Writing {
   public:
    ~Writing();
    Writing(const Writing&) = delete;
    Writing& operator=(const Writing&) = delete;

   private:
    friend class Uploads;
    Writing() = default;
    std::shared_ptr<Upload> upload_;
    std::uint64_t turn_ = 0;
    int file_ = -1;
  };
  // Errors: kHttpNotFound, kUploadOffset (it is not there), kUploadDisk, kIo.
  [[nodiscard]] Result<std::unique_ptr<Writing>> begin(const std::string& owner,
                                                       const std::string& id, std::uint64_t offset);
  // Errors: kUploadOffset (another has taken it over), kUploadTooLarge, kIo.
  [[nodiscard]] Status write(const Writing& writing, std::string_view bytes);
  // All that came is synced. A complete one is held against its hash and put in its place; where
  // the hash is wrong the upload is gone. Errors: kUploadOffset, kUploadHash, kIo.
  [[nodiscard]] Result<UploadState> end(const Writing& writing, std::int64_t now_ms);

  // The store knows that this blob is there.
  void told(const std::string& hash);
  // Errors: kHttpNotFound, kIo.
  [[nodiscard]] Status remove(const std::string& owner, const std::string& id);
  // Removes what has expired. Gives the hashes of complete ones of which nobody was told yet.
  [[nodiscard]] std::vector<std::string> sweep(std::int64_t now_ms);

  [[nodiscard]] std::size_t size() const;

 private:
  // What is known of it before any of its bytes: never changes.
  struct Upload {
    std::string id;
    std::string owner;
    std::uint64_t length = 0;
    std::string hash;
    std::int64_t created_ms = 0;

    std::mutex mutex;  // of its files, and of these two; may be held while a whole file is read
    std::uint64_t turn = 0;
    bool gone = false;
    std::atomic<bool> placed = false;  // its bytes are a blob
    std::atomic<bool> told = false;    // and the store knows
    std::atomic<std::int64_t> grown_ms = 0;
  };
  using UploadPtr = std::shared_ptr<Upload>;

  [[nodiscard]] std::string part_of(const Upload& upload) const;
  [[nodiscard]] std::string note_of(const Upload& upload) const;
  [[nodiscard]] Result<UploadPtr> find(const std::string& owner, const std::string& id) const;
  [[nodiscard]] Status write_note(const Upload& upload) const;
  [[nodiscard]] Status check_disk(std::uint64_t bytes) const;
  [[nodiscard]] Status room_for(const std::string& owner, std::uint64_t length) const;
  // Under the upload's lock, but for the time.
  [[nodiscard]] std::uint64_t offset_of(const Upload& upload) const;
  [[nodiscard]] UploadState state_of(const Upload& upload) const;
  [[nodiscard]] std::int64_t expires_ms(const Upload& upload) const;
  void erase_files(Upload& upload) const;
  void forget(const std::string& id);

  const std::string folder_;
  const Blobs& blobs_;
  const UploadLimits limits_;
  mutable std::mutex mutex_;  // of uploads_; nobody waits for an upload's under it
  std::map<std::string, UploadPtr, std::less<>> uploads_;
};

}  // namespace waystation

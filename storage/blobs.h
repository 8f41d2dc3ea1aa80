// Where photos lie: files named by the SHA-256 of their bytes, `ab/cdef…` in a folder of their own,
// outside of the key-value store. A file is put in its place by one rename when all of it is
// synced, and never changed: what has a name is whole. Which records name a blob is the store's to
// know (the column kBlobs); the time of a file says until when it was named at least.
//
// Any thread; remove() on the writer's, so that no record comes to name what is being removed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "storage/kv.h"
#include "sync/result.h"

namespace waystation {

// The collection whose records name blobs, and its fields that the server knows of.
inline constexpr std::string_view kPhotoCollection = "photo";
inline constexpr std::string_view kBlobField = "blob";
inline constexpr std::string_view kPresentField = "present";

// 64 lower-case hex digits.
[[nodiscard]] bool valid_blob_hash(std::string_view hash);

struct BlobFile {
  std::string hash;
  std::uint64_t bytes = 0;
  std::int64_t named_ms = 0;  // it was named, or was put there, at that time at the latest
};

class Blobs {
 public:
  // Nothing is made before the first blob is put.
  explicit Blobs(std::string folder) : folder_(std::move(folder)) {}

  [[nodiscard]] const std::string& folder() const { return folder_; }
  // Precondition of all that take a hash: valid_blob_hash.
  [[nodiscard]] std::string path(std::string_view hash) const;
  [[nodiscard]] bool has(std::string_view hash) const { return size(hash) >= 0; }
  [[nodiscard]] std::int64_t size(std::string_view hash) const;  // bytes, -1: it is not there

  // Moves a file on the same disk, whose bytes are synced and have this hash, into its place; one
  // that is there already stays. Counts as named at now_ms. Errors: kIo.
  [[nodiscard]] Status put(const std::string& file, std::string_view hash,
                           std::int64_t now_ms) const;
  // It is named as of now_ms.
  void named(std::string_view hash, std::int64_t now_ms) const;
  // Whether its bytes have the hash still. Errors: kIo.
  [[nodiscard]] Result<bool> whole(std::string_view hash) const;
  void remove(std::string_view hash) const;

  // Until `visit` gives an error. Files that are no blobs are passed over. Errors: kIo.
  [[nodiscard]] Status each(const std::function<Status(const BlobFile&)>& visit) const;
  // Links, or copies where another disk is meant, what is not in `to` yet, synced. Errors: kIo.
  [[nodiscard]] Status copy_to(const std::string& to) const;

 private:
  std::string folder_;
};

// Whether a record of the store names it. Errors: kIo.
[[nodiscard]] Result<bool> is_named(const Kv& kv, std::string_view hash);

// SHA-256 of a file's bytes, as 64 hex digits. Errors: kIo.
[[nodiscard]] Result<std::string> hash_of_file(const std::string& path);

}  // namespace waystation

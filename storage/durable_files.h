// Small files that must be on the disk, whole, when a function returns: keys, lists, notes. A file
// that is in its place under power loss needs its folder synced as well. No function throws; any
// thread, one a file.
#pragma once

#include <string>
#include <string_view>

#include "sync/result.h"

namespace waystation {

// A file or a folder. Errors: kIo.
[[nodiscard]] Status sync_path(const std::string& path);
// The folder that it lies in: after it was made, renamed or removed. Errors: kIo.
[[nodiscard]] Status sync_folder_of(const std::string& path);

// Readable by its owner only, in place of what is there, in one step. Errors: kIo.
[[nodiscard]] Status replace_file(const std::string& path, std::string_view text);
// The same where nothing is there: what is stays. Errors: kIo.
[[nodiscard]] Status make_file(const std::string& path, std::string_view text);
// In place of what is there, in one step. Errors: kIo.
[[nodiscard]] Status move_file(const std::string& from, const std::string& to);

// Writes all of it, however the system cuts it up. False: errno says why.
[[nodiscard]] bool write_all(int file, std::string_view text);

}  // namespace waystation

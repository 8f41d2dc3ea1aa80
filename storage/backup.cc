#include "storage/backup.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "storage/blobs.h"
#include "storage/erasures.h"
#include "storage/keyring.h"

namespace waystation {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNote = "BACKUP";
constexpr const char* kToken = "admin.token";
constexpr const char* kErasures = "erasures.log";
constexpr const char* kBlobFolder = "blobs";
constexpr std::string_view kFirstLine = "waystation backup 1";

Error failed(const std::string& path, const std::error_code& error) {
  return Error{Code::kIo, fmt::format("{}: {}", path, error.message())};
}

Status sync_all(const std::string& folder) {
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (auto synced = sync_path(at->path().string()); !synced) return synced;
  }
  if (error) return failed(folder, error);
  return sync_path(folder);
}

std::string parent_of(const std::string& folder) {
  const fs::path path = fs::path(folder).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).parent_path().string();
}

Status write_note(const std::string& folder, const BackupNote& note) {
  const std::string path = folder + "/" + kNote;
  std::ofstream out(path, std::ios::binary);
  out << fmt::format("{}\nincarnation {}\nposition {}\nmade {}\naudit {}\n", kFirstLine,
                     note.incarnation, note.position, note.made_ms, format_audit_head(note.audit));
  out.close();
  if (!out) return Error{Code::kIo, path + " cannot be written"};
  return sync_path(path);
}

// Whom an older backup must not bring back.
Status write_erasures(const Store& store, const std::string& folder) {
  const auto erasures = erasures_in(store.kv());
  if (!erasures) return erasures.error();
  if (erasures->empty()) return {};
  return write_erasures(folder + "/" + kErasures, *erasures);
}

Status make_backup_folder(const std::string& folder) {
  if (auto checked = check_backup_folder(folder); !checked) return checked;
  if (::mkdir(folder.c_str(), S_IRWXU) == 0) return {};
  return Error{Code::kIo, fmt::format("{}: {}", folder, std::strerror(errno))};
}

// A blob lies in its place before a record says so: the store first, then the blobs.
Status fill(Store& store, const std::string& folder, const BackupNote& note, const Blobs* blobs) {
  if (auto copied = store.kv().checkpoint(folder + "/store"); !copied) return copied;
  if (blobs != nullptr) {
    if (auto copied = blobs->copy_to(folder + "/" + kBlobFolder); !copied) return copied;
  }
  if (auto listed = write_erasures(store, folder); !listed) return listed;
  if (auto written = write_note(folder, note); !written) return written;
  if (auto synced = sync_path(folder); !synced) return synced;
  return sync_path(parent_of(folder));
}

// The folder itself may be there, with nothing in it.
Status check_restore_folder(const std::string& data) {
  std::error_code error;
  if (!fs::exists(data, error)) return {};
  if (fs::is_directory(data, error) && fs::is_empty(data, error) && !error) return {};
  return Error{Code::kBackupFolder, fmt::format("{} is not an empty folder", data)};
}

// Every file of a store lies in one folder.
Status copy_files(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::create_directory(to, error);
  if (!error) fs::permissions(to, fs::perms::owner_all, error);
  if (!error) fs::copy(from, to, error);
  return error ? Status{failed(to, error)} : Status{};
}

Status begin_new_life(const std::string& store_folder, const std::string& new_incarnation) {
  auto kv = open_rocks(store_folder, OpenMode::kReadWrite);
  if (!kv) return kv.error();
  const auto store = Store::open(std::move(*kv), new_incarnation, Store::Life::kNew);
  return store ? Status{} : Status{store.error()};
}

Status take_in(const std::string& folder, const std::string& part,
               const std::string& new_incarnation) {
  if (auto copied = copy_files(folder + "/store", part); !copied) return copied;
  if (auto begun = begin_new_life(part, new_incarnation); !begun) return begun;
  return sync_all(part);
}

Status take_token(const std::string& folder, const std::string& data) {
  std::error_code error;
  const std::string from = folder + "/" + kToken;
  if (!fs::exists(from, error)) return {};
  const std::string to = data + "/" + kToken;
  fs::copy_file(from, to, error);
  if (!error) fs::permissions(to, fs::perms::owner_read | fs::perms::owner_write, error);
  return error ? Status{failed(to, error)} : sync_path(to);
}

}  // namespace

Status check_backup_folder(const std::string& folder) {
  std::error_code error;
  if (!fs::path(folder).is_absolute() || folder.find('\0') != std::string::npos) {
    return Error{Code::kBackupFolder, fmt::format("\"{}\" is no absolute path", folder)};
  }
  if (fs::exists(fs::symlink_status(folder, error))) {
    return Error{Code::kBackupFolder, folder + " is there already"};
  }
  // Made here it might lie on another disk than was meant: one that is not mounted.
  const std::string parent = parent_of(folder);
  if (!fs::is_directory(parent, error)) {
    return Error{Code::kBackupFolder, fmt::format("{} is no folder", parent)};
  }
  return {};
}

Status begin_backup(const Blobs& blobs, const std::string& folder) {
  if (auto made = make_backup_folder(folder); !made) return made;
  auto copied = blobs.copy_to(folder + "/" + kBlobFolder);
  if (!copied) discard_backup(folder);
  return copied;
}

void discard_backup(const std::string& folder) {
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

Result<BackupNote> back_up(Store& store, const std::string& folder, std::int64_t now_ms,
                           const Blobs* begun) {
  const auto position = store.position();
  if (!position) return position.error();
  const auto head = read_audit_head(store.kv());
  if (!head) return head.error();
  BackupNote note{store.incarnation(), *position, now_ms, *head};
  if (begun == nullptr) {
    if (auto made = make_backup_folder(folder); !made) return made.error();
  }
  if (auto filled = fill(store, folder, note, begun); !filled) {
    discard_backup(folder);
    return filled.error();
  }
  return note;
}

Result<BackupNote> read_backup(const std::string& folder) {
  const std::string path = folder + "/" + kNote;
  std::ifstream in(path);
  BackupNote note;
  std::string first;
  std::string incarnation_word;
  std::string position_word;
  std::string made_word;
  std::getline(in, first);
  in >> incarnation_word >> note.incarnation >> position_word >> note.position >> made_word >>
      note.made_ms;
  if (!in || first != kFirstLine || incarnation_word != "incarnation" ||
      position_word != "position" || made_word != "made") {
    return Error{Code::kBackupInvalid, path + " is missing or damaged"};
  }
  std::string audit_word;
  std::string head;
  if (in >> audit_word >> head) {
    auto parsed = parse_audit_head(head);
    if (!parsed || audit_word != "audit") {
      return Error{Code::kBackupInvalid, path + " is damaged"};
    }
    note.audit = std::move(*parsed);
  }
  return note;
}

Result<BackupNote> restore(const std::string& folder, const std::string& data,
                           const std::string& new_incarnation) {
  auto note = read_backup(folder);
  if (!note) return note;
  if (auto checked = check_restore_folder(data); !checked) return checked.error();
  std::error_code error;
  fs::create_directories(data, error);
  if (error) return failed(data, error);
  // Beside its place until it is whole: a server never finds half a store.
  const std::string part = data + "/store.part";
  auto taken = Blobs(folder + "/" + kBlobFolder).copy_to(data + "/" + kBlobFolder);
  if (taken.ok()) taken = take_in(folder, part, new_incarnation);
  if (!taken) {
    fs::remove_all(part, error);
    fs::remove_all(data + "/" + kBlobFolder, error);
    return taken.error();
  }
  if (auto token = take_token(folder, data); !token) return token.error();
  fs::rename(part, data + "/store", error);
  if (error) return failed(data, error);
  if (auto synced = sync_path(data); !synced) return synced.error();
  return note;
}

}  // namespace waystation

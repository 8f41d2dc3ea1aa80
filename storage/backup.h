// A backup: a folder with a whole copy of the store and a note (BACKUP) that is written last and
// says that it is whole. docs/operations.md, "Backup and restore". No function throws; see each for
// the thread.
#pragma once

#include <cstdint>
#include <string>

#include "storage/blobs.h"
#include "storage/store.h"
#include "sync/result.h"
#include "sync/stamp.h"

namespace waystation {

struct BackupNote {
  std::string incarnation;  // of the store that it is of
  Seq position = 0;         // the last seq that it holds
  std::int64_t made_ms = 0;
  AuditHead audit = {};  // of the audit log in it; notes of old backups have none
};

// An absolute path whose parent is there and that is not there itself. Errors: kBackupFolder.
[[nodiscard]] Status check_backup_folder(const std::string& folder);

// The long part of a backup with photos: makes the folder and copies the blobs that are there by
// now, while the store goes on. Nothing is left behind when it fails. Any thread but the writer's.
// Errors: kBackupFolder, kIo.
[[nodiscard]] Status begin_backup(const Blobs& blobs, const std::string& folder);

// Copies what the store holds, synced, with nothing left behind when it fails. `begun`: the blobs
// of a folder that begin_backup() has made; those that have come since are copied too, and so all
// that the store says to be present. On the writer's thread. Errors: kBackupFolder, kIo.
[[nodiscard]] Result<BackupNote> back_up(Store& store, const std::string& folder,
                                         std::int64_t now_ms, const Blobs* begun = nullptr);

// Removes a backup that has begun and does not go on.
void discard_backup(const std::string& folder);

// What the note says. Errors: kBackupInvalid.
[[nodiscard]] Result<BackupNote> read_backup(const std::string& folder);

// Copies the backup into `data`, a folder that is empty or not there, as a new life of the store
// under `new_incarnation` (32 hex digits), the blobs, and the administrator's token where the
// backup has one. When it fails the folder holds no store. Any thread. Errors: kBackupFolder,
// kBackupInvalid, kIo, as Store::open.
[[nodiscard]] Result<BackupNote> restore(const std::string& folder, const std::string& data,
                                         const std::string& new_incarnation);

}  // namespace waystation

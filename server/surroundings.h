// What a Service takes from the world around it besides its store: time, randomness, threads, and a
// place for backups. The real ones by default; in the simulator they come from a seed, and nothing
// else is used.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/secrets.h"
#include "storage/backup.h"
#include "storage/erasures.h"
#include "storage/keyring.h"
#include "storage/threads.h"
#include "sync/policy.h"
#include "sync/projection.h"
#include "sync/report.h"
#include "sync/schema.h"

namespace waystation {

// ms since 1970, by the machine's clock.
[[nodiscard]] std::int64_t now_ms();

// As the functions of storage/backup.h by these names.
struct BackupPlace {
  std::function<Status(const std::string& folder)> check = check_backup_folder;
  // Null: there is no long part.
  std::function<Status(const std::string& folder)> begin;
  std::function<Result<BackupNote>(Store& store, const std::string& folder, std::int64_t now_ms)>
      back_up = [](Store& store, const std::string& folder, std::int64_t now_ms) {
        return waystation::back_up(store, folder, now_ms);
      };
  std::function<void(const std::string& folder)> discard = discard_backup;
};

// Where it is kept, apart from the store, who was erased. Null: nowhere.
struct ErasureJournal {
  std::function<Status(const Erasure&)> append;
  std::function<Result<std::vector<Erasure>>()> read;
  // At the start: every copy holds all of `known` from then on. `fresh`: the store has never held
  // anything, so that none is missing.
  std::function<Status(const std::vector<Erasure>& known, bool fresh)> mend;
};

struct Surroundings {
  std::function<std::int64_t()> now_ms = [] { return waystation::now_ms(); };
  RandomBytes random = os_random();
  Threads threads = Threads::kOwn;
  // Null: read from the configured folder.
  std::shared_ptr<const Schemas> schemas;
  // Null: read from the configured file.
  std::shared_ptr<const Policy> policy;
  // Null: read from the configured folder, or none where `schemas` are given.
  std::shared_ptr<const Projections> projections;
  std::shared_ptr<const Reports> reports;  // null, with schemas: none
  BackupPlace backups;
  // Where photos lie and where they come in; empty: none are taken.
  std::string blobs;
  std::string uploads;
  // Where files of reports are made; empty: none are.
  std::string exports;
  ErasureJournal erasures;
  std::optional<MasterKey> master;  // nothing: personal values are not sealed
};

}  // namespace waystation

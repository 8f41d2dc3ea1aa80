#include "server/personal_files.h"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <set>
#include <vector>

namespace waystation {
namespace {

namespace fs = std::filesystem;

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// The new key of a rotation that had wrapped the store's keys and got no further.
std::optional<MasterKey> rotated(const Kv& kv, const std::string& file) {
  if (master_key_in_environment() || !exists(next_master_key_file(file))) return std::nullopt;
  const auto next = read_master_key(next_master_key_file(file));
  const auto used = master_in_use(kv);
  if (!next || !used || !*used || **used != next->id()) return std::nullopt;
  return *next;
}

}  // namespace

std::string next_master_key_file(const std::string& file) { return file + ".next"; }

Result<MasterKey> find_master_key(const Kv& kv, const Config& config) {
  const std::string file = master_key_file(config);
  if (const auto next = rotated(kv, file)) return *next;
  auto key = read_master_key(file);
  if (!key) return key;
  if (auto fits = check_master(kv, *key); !fits) {
    const std::string where = master_key_in_environment() ? "WAYSTATION_MASTER_KEY" : file;
    return Error{Code::kMasterKey, where + ": " + fits.error().context};
  }
  return key;
}

Result<MasterKey> open_master_key(const Kv& kv, const Config& config) {
  const std::string file = master_key_file(config);
  if (const auto next = rotated(kv, file)) {
    std::error_code error;
    fs::rename(next_master_key_file(file), file, error);
    if (error) return Error{Code::kIo, file + ": " + error.message()};
    spdlog::info("the new master key of a rotation that was cut off is in its place");
    return *next;
  }
  const auto used = master_in_use(kv);
  if (!used) return used.error();
  if (*used || exists(file) || master_key_in_environment()) return find_master_key(kv, config);
  const MasterKey made = new_master_key();
  if (auto written = write_master_key(file, made); !written) return written.error();
  spdlog::warn(
      "a new master key was made in {}: keep a copy of it elsewhere, apart from the backups; "
      "without it what is personal in them cannot be read",
      file);
  return made;
}

ErasureJournal erasure_lists(const Config& config) {
  std::vector<std::string> files{config.data + "/erasures.log"};
  if (erasures_file(config) != files.front()) files.push_back(erasures_file(config));
  ErasureJournal lists;
  lists.append = [files](const Erasure& erasure) {
    for (const std::string& file : files) {
      if (auto appended = append_erasure(file, erasure); !appended) return appended;
    }
    return Status{};
  };
  lists.read = [files]() -> Result<std::vector<Erasure>> {
    std::vector<Erasure> all;
    std::set<std::string> marks;
    for (const std::string& file : files) {
      auto one = read_erasures(file);
      if (!one) return one;
      for (Erasure& erasure : *one) {
        if (marks.insert(erasure.mark).second) all.push_back(std::move(erasure));
      }
    }
    return all;
  };
  return lists;
}

}  // namespace waystation

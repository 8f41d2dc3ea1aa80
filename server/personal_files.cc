#include "server/personal_files.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <vector>

#include "storage/durable_files.h"

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
    if (auto moved = move_file(next_master_key_file(file), file); !moved) return moved.error();
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

namespace {

// Aside, for who wants to look at it.
Status keep_damaged(const std::string& file) {
  constexpr int kMost = 100;
  std::string aside = file + ".damaged";
  for (int i = 2; exists(aside) && i <= kMost; ++i) aside = file + ".damaged" + std::to_string(i);
  std::error_code error;
  fs::copy_file(file, aside, fs::copy_options::overwrite_existing, error);
  if (error) return Error{Code::kIo, aside + ": " + error.message()};
  spdlog::warn("what was damaged is in {}", aside);
  return sync_path(aside);
}

Result<ErasureList> read_list(const std::string& file) {
  const fs::path folder = fs::path(file).parent_path();
  if (!folder.empty() && !exists(folder.string())) {
    return Error{Code::kErasures, file + ": its folder is not there: is its disk mounted?"};
  }
  auto list = read_erasures(file);
  if (list && list->damaged > 0) {
    spdlog::warn(
        "{} is damaged: {} lines of it name nobody, {} do. Whoever they named is back if the store "
        "is a copy of before: put the newest copy of the list in its place and start again",
        file, list->damaged, list->erasures.size());
  }
  return list;
}

Status mend_list(const std::string& file, const std::vector<Erasure>& known, bool expected) {
  const auto list = read_erasures(file);
  if (!list) return list.error();
  std::set<std::string> marks;
  for (const Erasure& erasure : list->erasures) marks.insert(erasure.mark);
  const bool whole = std::all_of(known.begin(), known.end(), [&](const Erasure& erasure) {
    return marks.count(erasure.mark) != 0;
  });
  if (whole && !list->missing && list->damaged == 0) return {};
  if (list->missing && expected) {
    spdlog::warn(
        "{} is missing: it is made anew with the {} erasures that are known. If there was one, put "
        "it in its place and start again, or whoever it alone names is back",
        file, known.size());
  }
  if (list->damaged > 0) {
    if (auto kept = keep_damaged(file); !kept) return kept;
  }
  return write_erasures(file, known);
}

}  // namespace

ErasureJournal erasure_lists(const Config& config) {
  // The second place first: it is the one that may be away, and then nothing has been said yet.
  std::vector<std::string> files{config.data + "/erasures.log"};
  const std::string own = files.front();
  if (erasures_file(config) != own) files.insert(files.begin(), erasures_file(config));
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
      auto one = read_list(file);
      if (!one) return one.error();
      for (Erasure& erasure : one->erasures) {
        if (marks.insert(erasure.mark).second) all.push_back(std::move(erasure));
      }
    }
    return all;
  };
  lists.mend = [files, own](const std::vector<Erasure>& known, bool fresh) {
    for (const std::string& file : files) {
      // The data folder's own is made when it is first needed; a store of before has none.
      const bool expected = file == own ? !known.empty() : !fresh;
      if (auto mended = mend_list(file, known, expected); !mended) return mended;
    }
    return Status{};
  };
  return lists;
}

}  // namespace waystation

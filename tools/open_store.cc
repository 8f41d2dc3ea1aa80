#include "tools/open_store.h"

#include <chrono>
#include <filesystem>
#include <thread>

#include "server/personal_files.h"

namespace waystation {
namespace {

// A running server may replace a file while it is being opened: look again.
constexpr int kAttempts = 4;
constexpr std::chrono::milliseconds kPause(250);

Result<std::unique_ptr<Store>> open_once(const std::string& folder, const Config& config) {
  auto kv = open_rocks(folder, OpenMode::kReadOnly);
  if (!kv) return kv.error();
  auto store = Store::open(std::move(*kv), {});
  if (!store) return store;
  const auto sealed = master_in_use((*store)->kv());
  if (!sealed) return sealed.error();
  if (!*sealed) return store;
  const auto master = find_master_key((*store)->kv(), config);
  if (!master) return master.error();
  (*store)->use(*master);
  return store;
}

}  // namespace

Result<std::unique_ptr<Store>> open_to_read(const Config& config) {
  const std::string folder = config.data + "/store";
  for (int attempt = 1;; ++attempt) {
    auto store = open_once(folder, config);
    std::error_code ignored;
    const bool there = std::filesystem::exists(folder + "/CURRENT", ignored);
    if (store.ok() || !there || attempt == kAttempts) return store;
    const Code code = store.error().code;
    if (code == Code::kStoreFormat || code == Code::kMasterKey) return store;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace waystation

#include "tools/open_store.h"

#include <chrono>
#include <filesystem>
#include <thread>

namespace waystation {
namespace {

// A running server may replace a file while it is being opened: look again.
constexpr int kAttempts = 4;
constexpr std::chrono::milliseconds kPause(250);

Result<std::unique_ptr<Store>> open_once(const std::string& folder) {
  auto kv = open_rocks(folder, OpenMode::kReadOnly);
  if (!kv) return kv.error();
  return Store::open(std::move(*kv), {});
}

}  // namespace

Result<std::unique_ptr<Store>> open_to_read(const Config& config) {
  const std::string folder = config.data + "/store";
  for (int attempt = 1;; ++attempt) {
    auto store = open_once(folder);
    std::error_code ignored;
    const bool there = std::filesystem::exists(folder + "/CURRENT", ignored);
    if (store.ok() || !there || attempt == kAttempts) return store;
    if (store.error().code == Code::kStoreFormat) return store;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace waystation

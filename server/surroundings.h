// What a Service takes from the world around it besides its store: time, randomness, threads. The
// real ones by default; in the simulator all three come from a seed, and nothing else is used.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "server/secrets.h"
#include "storage/threads.h"
#include "sync/schema.h"

namespace waystation {

// ms since 1970, by the machine's clock.
[[nodiscard]] std::int64_t now_ms();

struct Surroundings {
  std::function<std::int64_t()> now_ms = [] { return waystation::now_ms(); };
  RandomBytes random = os_random();
  Threads threads = Threads::kOwn;
  // Null: read from the configured folder.
  std::shared_ptr<const Schemas> schemas;
};

}  // namespace waystation

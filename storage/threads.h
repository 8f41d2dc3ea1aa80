// Whether a part that works beside its callers has a thread of its own, or is moved step by step by
// whoever made it: the simulator runs all parts in one thread and chooses which moves next.
#pragma once

#include <cstdint>

namespace waystation {

enum class Threads : std::uint8_t {
  kOwn,
  kStepped,  // step() does once what the thread would do; all calls come from one thread
};

}  // namespace waystation

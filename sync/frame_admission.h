// A client frame of which the hello is looked at before anything is made of the rest: to take a
// frame apart costs far more than to send it. Pure; any thread (one simdjson parser a thread).
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

#include "sync/result.h"
#include "sync/wire.h"

namespace waystation {

struct FrameOutline {
  const Hello* hello = nullptr;  // null: it holds none
  std::size_t ops = 0;           // as many as its push holds, good or bad
};

// Whether the rest of the frame is to be decoded. Called at most once; decodes nothing itself.
using AdmitFrame = std::function<bool(const FrameOutline&)>;

// As decode_frame(bytes). Nothing: it was not admitted.
[[nodiscard]] Result<std::optional<ClientFrame>> decode_frame(std::string_view bytes,
                                                              const AdmitFrame& admit);

}  // namespace waystation
